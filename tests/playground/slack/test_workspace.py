"""What people do in the simulated workspace reaches the bot as Slack would send it, over signed HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

from playground.slack.outgoing.delivery import HttpTransport
from playground.slack.workspace import Workspace
from tests.playground.slack.ends import SIGNING_SECRET, Ear, SettableClock


def test_a_command_is_a_signed_form_with_its_text_as_typed(workspace: Workspace, ear: Ear) -> None:
    text = "  status acme/web feature/a&b#c <x> http://x.io “main”"
    delivery = workspace.types("ada", "#builds", f"/codeship {text}")
    (heard,) = ear.heard
    assert delivery is not None
    assert delivery.is_acked
    assert SignatureVerifier(SIGNING_SECRET).is_valid_request(heard.body, dict(heard.headers))
    assert heard.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert heard.form["response_url"].startswith(f"{workspace.base_url}/commands/T0ACME/")
    assert {name: heard.form[name] for name in heard.form if name not in ("token", "response_url", "trigger_id")} == {
        "team_id": "T0ACME",
        "team_domain": "acme",
        "channel_id": "C0BUILDS",
        "channel_name": "builds",
        "user_id": "U0ADA",
        "user_name": "ada",
        "command": "/codeship",
        "text": text.strip(),
        "api_app_id": "A0CODESHIP",
        "is_enterprise_install": "false",
    }


@pytest.mark.parametrize(
    ("channel", "name"), [("#random", "random"), ("#secret", "privategroup"), ("@codeship", "directmessage")]
)
def test_a_command_works_in_private_places_and_names_them_as_slack_does(
    workspace: Workspace, ear: Ear, channel: str, name: str
) -> None:
    workspace.types("ada", channel, "/codeship help")
    assert ear.heard[0].form["channel_name"] == name


def test_the_command_of_a_guest_names_their_own_workspace(workspace: Workspace, ear: Ear) -> None:
    workspace.types("guest", "#builds", "/codeship help")
    assert ear.heard[0].form["team_id"] == "T0OTHER"


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        ((200, ""), None),
        ((200, "hello"), "hello"),
        ((200, '{"text": "hello", "response_type": "ephemeral"}'), "hello"),
        ((200, '{"blocks": [{"type": "nonsense"}]}'), '/codeship failed with the error "invalid_blocks"'),
        ((404, ""), '/codeship failed with the error "dispatch_failed"'),
        ((500, "boom"), '/codeship failed with the error "dispatch_failed"'),
    ],
)
def test_the_body_of_a_commands_ack_is_shown_to_the_asker_alone(
    workspace: Workspace, ear: Ear, answer: tuple[int, str], seen: str | None
) -> None:
    ear.answer = answer
    workspace.types("ada", "#random", "/codeship help")
    assert [message.text for message in workspace.conversation("#random", "ada")] == ([seen] if seen else [])
    assert workspace.conversation("#random", "bob") == []


def test_a_late_ack_is_a_failed_delivery(workspace: Workspace, ear: Ear) -> None:
    ear.hold = True
    workspace.deliver_through(HttpTransport(ear.url, SIGNING_SECRET, ack_timeout_s=0.05))
    delivery = workspace.types("ada", "#builds", "/codeship help")
    assert delivery is not None
    assert delivery.ack.outcome == "operation_timeout"
    assert "operation_timeout" in workspace.conversation("#builds", "ada")[-1].text
    assert workspace.deliveries == [delivery]


def test_a_missing_bot_is_a_failed_delivery(workspace: Workspace) -> None:
    workspace.deliver_through(HttpTransport("http://127.0.0.1:9/slack/events", SIGNING_SECRET))
    delivery = workspace.types("ada", "#builds", "/codeship help")
    assert delivery is not None
    assert (delivery.ack.outcome, delivery.ack.status) == ("dispatch_failed", None)


@pytest.mark.parametrize("text", ["/codeship status", "/unknown"])
def test_commands_in_threads_and_unknown_ones_never_reach_the_bot(workspace: Workspace, ear: Ear, text: str) -> None:
    workspace.types("ada", "#builds", "hello")
    root = workspace.conversation("#builds", "ada")[-1]
    thread = root if text.startswith("/codeship") else None
    assert workspace.types("ada", "#builds", text, thread=thread) is None
    assert ear.heard == []
    assert workspace.conversation("#builds", "ada")[-1].user_id == "USLACKBOT"


def test_a_mention_is_an_event_with_rewritten_text(workspace: Workspace, ear: Ear) -> None:
    workspace.types("ada", "#builds", "hey @codeship: status acme/web release/1.2.io & <x>")
    (heard,) = ear.heard
    assert SignatureVerifier(SIGNING_SECRET).is_valid_request(heard.body, dict(heard.headers))
    assert heard.headers["Content-Type"] == "application/json"
    assert "X-Slack-Retry-Num" not in heard.headers
    outer, inner = heard.event, heard.event["event"]
    (message,) = workspace.conversation("#builds", "ada")
    assert outer["type"] == "event_callback"
    assert (outer["team_id"], outer["api_app_id"], outer["event_id"]) == ("T0ACME", "A0CODESHIP", "Ev000001")
    assert outer["authorizations"][0] == {
        "enterprise_id": None,
        "team_id": "T0ACME",
        "user_id": "U0BOT",
        "is_bot": True,
        "is_enterprise_install": False,
    }
    assert inner["type"] == "app_mention"
    assert inner["text"] == "hey <@U0BOT>: status acme/web release/<http://1.2.io|1.2.io> &amp; &lt;x&gt;"
    assert (inner["user"], inner["channel"], inner["ts"]) == ("U0ADA", "C0BUILDS", message.ts)
    assert "thread_ts" not in inner
    assert "user_team" not in inner


def test_a_mention_in_a_thread_names_the_thread(workspace: Workspace, ear: Ear) -> None:
    workspace.types("bob", "#builds", "it broke")
    root = workspace.conversation("#builds", "bob")[0]
    workspace.types("ada", "#builds", "@codeship help", thread=root)
    workspace.types("ada", "#builds", "@codeship help", thread=workspace.conversation("#builds", "bob")[-1])
    assert [heard.event["event"]["thread_ts"] for heard in ear.heard] == [root.ts, root.ts]


def test_a_guests_mention_names_their_team(workspace: Workspace, ear: Ear) -> None:
    workspace.types("guest", "#builds", "@codeship help")
    event = ear.heard[0].event
    assert (event["team_id"], event["is_ext_shared_channel"]) == ("T0ACME", True)
    assert event["event"]["user_team"] == "T0OTHER"


def test_a_direct_message_is_one_message_event(workspace: Workspace, ear: Ear) -> None:
    workspace.types("ada", "@codeship", "help")
    workspace.types("ada", "@codeship", "@codeship help")
    assert [heard.event["event"]["type"] for heard in ear.heard] == ["message", "message"]
    assert {heard.event["event"]["channel_type"] for heard in ear.heard} == {"im"}


@pytest.mark.parametrize(
    ("channel", "text"),
    [
        ("#builds", "hello"),
        ("#builds", "`@codeship help`"),
        ("#random", "@codeship help"),
        ("#secret", "@codeship help"),
        ("@bob", "@codeship help"),
    ],
)
def test_messages_that_are_not_for_the_app_do_not_reach_it(
    workspace: Workspace, ear: Ear, channel: str, text: str
) -> None:
    assert workspace.types("ada", channel, text) is None
    assert ear.heard == []


def test_an_invited_app_receives_its_mentions(workspace: Workspace, ear: Ear) -> None:
    workspace.invite_the_app("#random")
    assert workspace.types("ada", "#random", "@codeship help") is not None


def test_a_redelivered_event_has_the_same_id_and_says_so(workspace: Workspace, ear: Ear) -> None:
    workspace.types("ada", "#builds", "@codeship help")
    workspace.deliver_again(2)
    assert len({heard.body for heard in ear.heard}) == 1
    assert [heard.headers.get("X-Slack-Retry-Num") for heard in ear.heard] == [None, "1", "2"]
    assert ear.heard[1].headers["X-Slack-Retry-Reason"] == "http_timeout"
    assert [delivery.parcel.retry_num for delivery in workspace.deliveries] == [0, 1, 2]


def test_a_redelivered_command_has_the_same_trigger(workspace: Workspace, ear: Ear) -> None:
    workspace.types("ada", "#builds", "/codeship help")
    workspace.deliver_again()
    assert len({heard.form["trigger_id"] for heard in ear.heard}) == 1


def test_ids_and_times_are_the_same_in_another_run() -> None:
    def run() -> list[Any]:
        workspace = Workspace(SettableClock(), "t", None, "s")
        workspace.types("ada", "#builds", "hello")
        workspace.types("ada", "#builds", "@codeship help")
        return [(m.ts, m.text) for m in workspace.conversation("#builds", "ada")] + [
            delivery.payload for delivery in workspace.deliveries
        ]

    assert run() == run()


def test_concurrent_messages_all_get_different_ts(workspace: Workspace) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: workspace.types("ada", "#builds", f"message {n}"), range(200)))
    messages = workspace.conversation("#builds", "ada")
    assert len({message.ts for message in messages}) == 200
    assert [message.ts for message in messages] == sorted(message.ts for message in messages)


def test_tests_can_wait_for_the_bot_without_sleeping(workspace: Workspace, client: WebClient) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(client.chat_postMessage, channel="C0BUILDS", text="done")
        assert workspace.wait_until(lambda: bool(workspace.conversation("#builds", "ada")))
    assert not workspace.wait_until(lambda: False, timeout_s=0.01)

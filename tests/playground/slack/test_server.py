"""The simulated Web API over real HTTP: what it accepts, what it refuses, and with which error codes."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from playground.slack.server import SlackApi
from playground.slack.workspace import Workspace
from tests.playground.slack.ends import APP_TOKEN, BOT_TOKEN, Ear, SettableClock

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}
BAD = {"type": "header", "text": {"type": "mrkdwn", "text": "hello"}}


def called(slack: SlackApi, method: str, token: str | None = BOT_TOKEN, **arguments: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.post(slack.api_url + method, json=arguments, headers=headers, timeout=5)


def refused(slack: SlackApi, method: str, token: str | None = BOT_TOKEN, **arguments: Any) -> str:
    answer = called(slack, method, token, **arguments)
    assert answer.status_code == 200
    assert answer.json()["ok"] is False
    return str(answer.json()["error"])


def test_auth_test_returns_the_bots_identity_and_scopes(client: WebClient) -> None:
    answer = client.auth_test()
    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == ("T0ACME", "U0BOT", "B0BOT")
    assert answer.headers["x-oauth-scopes"] == "app_mentions:read,chat:write,commands,im:history"


@pytest.mark.parametrize(
    ("method", "token", "error"),
    [
        ("auth.test", None, "not_authed"),
        ("auth.test", "xoxb-other", "invalid_auth"),
        ("chat.postMessage", "xoxb-other", "invalid_auth"),
        ("chat.postMessage", APP_TOKEN, "not_allowed_token_type"),
        ("apps.connections.open", BOT_TOKEN, "not_allowed_token_type"),
        ("chat.everything", BOT_TOKEN, "unknown_method"),
    ],
)
def test_a_call_needs_a_method_and_the_right_token(slack: SlackApi, method: str, token: str | None, error: str) -> None:
    assert refused(slack, method, token, channel="C0BUILDS", text="hello") == error


def test_the_members_of_a_user_group_are_returned_to_apps_with_the_scope(slack: SlackApi, workspace: Workspace) -> None:
    assert refused(slack, "usergroups.users.list", usergroup="S0RELEASE") == "missing_scope"
    workspace.scopes |= {"usergroups:read"}
    assert called(slack, "usergroups.users.list", usergroup="S0RELEASE").json() == {"ok": True, "users": ["U0BOB"]}
    assert refused(slack, "usergroups.users.list", usergroup="S0NONE") == "no_such_subteam"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0RANDOM", "text": "x"}, "not_in_channel"),
        ({"channel": "#random", "text": "x"}, "not_in_channel"),
        ({"channel": "C0SECRET", "text": "x"}, "channel_not_found"),
        ({"channel": "D0ADABOB", "text": "x"}, "channel_not_found"),
        ({"channel": "C0NONE", "text": "x"}, "channel_not_found"),
        ({"text": "x"}, "channel_not_found"),
        ({"channel": "C0BUILDS"}, "no_text"),
        ({"channel": "C0BUILDS", "text": "", "blocks": []}, "no_text"),
        ({"channel": "C0BUILDS", "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": "C0BUILDS", "text": "x", "blocks": [BAD]}, "invalid_blocks"),
        ({"channel": "C0BUILDS", "text": "x", "blocks": "no JSON"}, "invalid_blocks_format"),
        ({"channel": "C0BUILDS", "text": "x", "blocks": [{**SECTION, "block_id": "b"}] * 2}, "invalid_blocks"),
        (
            {
                "channel": "C0BUILDS",
                "text": "x",
                "blocks": [{**SECTION, "text": {"type": "mrkdwn", "text": "x" * 3000}}] * 5,
            },
            "msg_blocks_too_long",
        ),
    ],
)
def test_invalid_messages_are_refused_and_not_stored(
    workspace: Workspace, slack: SlackApi, arguments: dict[str, Any], error: str
) -> None:
    assert refused(slack, "chat.postMessage", **arguments) == error
    assert workspace.conversations.everything() == []


def test_bad_blocks_are_named_with_their_place(slack: SlackApi) -> None:
    answer = called(slack, "chat.postMessage", channel="C0BUILDS", text="x", blocks=[SECTION, BAD]).json()
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] 'plain_text' was expected [json-pointer:/blocks/1/text/type]"
    ]


def test_an_archived_channel_accepts_no_message(workspace: Workspace, slack: SlackApi) -> None:
    workspace.archive("#builds")
    assert refused(slack, "chat.postMessage", channel="C0BUILDS", text="x") == "is_archived"


def test_with_the_scope_for_it_the_app_posts_in_public_channels_uninvited(clock: SettableClock) -> None:
    slack = SlackApi(Workspace(clock, BOT_TOKEN, None, "s", {"chat:write", "chat:write.public"})).start()
    try:
        assert called(slack, "chat.postMessage", channel="C0RANDOM", text="x").json()["ok"] is True
    finally:
        slack.stop()


def test_a_missing_scope_is_named(clock: SettableClock) -> None:
    slack = SlackApi(Workspace(clock, BOT_TOKEN, None, "s", {"commands"})).start()
    try:
        answer = called(slack, "chat.postMessage", channel="C0BUILDS", text="x").json()
    finally:
        slack.stop()
    assert (answer["error"], answer["needed"], answer["provided"]) == ("missing_scope", "chat:write", "commands")


@pytest.mark.parametrize("channel", ["C0BUILDS", "#builds", "U0ADA", "D0ADA"])
def test_a_message_is_stored_and_its_ts_returned(workspace: Workspace, client: WebClient, channel: str) -> None:
    answer = client.chat_postMessage(channel=channel, text="hello", blocks=[SECTION], metadata={"event_type": "k"})
    (message,) = workspace.conversations.everything()
    assert (answer["ts"], answer["channel"]) == (message.ts, message.channel_id)
    assert answer["message"]["bot_id"] == "B0BOT"
    assert answer["message"]["blocks"][0]["block_id"] == message.blocks[0]["block_id"]
    assert message.metadata == {"event_type": "k"}


def test_a_form_is_accepted_like_json(workspace: Workspace, slack: SlackApi) -> None:
    form = {"token": BOT_TOKEN, "channel": "C0BUILDS", "text": "hello", "blocks": '[{"type": "divider"}]'}
    assert requests.post(slack.api_url + "chat.postMessage", data=form, timeout=5).json()["ok"] is True
    assert workspace.conversation("#builds", "ada")[0].blocks[0]["type"] == "divider"


def test_an_ephemeral_message_is_seen_by_no_one_else(workspace: Workspace, client: WebClient) -> None:
    answer = client.chat_postEphemeral(channel="C0BUILDS", user="U0ADA", text="psst")
    (message,) = workspace.conversation("#builds", "ada")
    assert answer["message_ts"] == message.ts
    assert workspace.conversation("#builds", "bob") == []


def test_an_ephemeral_message_to_an_absent_person_is_refused(slack: SlackApi) -> None:
    assert refused(slack, "chat.postEphemeral", channel="C0BUILDS", user="U0NONE", text="x") == "user_not_in_channel"


def test_a_changed_message_keeps_its_versions(workspace: Workspace, client: WebClient) -> None:
    ts = client.chat_postMessage(channel="C0BUILDS", text="running", blocks=[SECTION])["ts"]
    client.chat_update(channel="C0BUILDS", ts=ts, text="passed", blocks=[{"type": "divider"}])
    client.chat_update(channel="C0BUILDS", ts=ts, text="gone")
    (message,) = workspace.conversation("#builds", "ada")
    assert [version.text for version in message.versions] == ["running", "passed", "gone"]
    assert [len(version.blocks) for version in message.versions] == [1, 1, 0]
    assert message.edited


def test_a_deleted_message_is_hidden_and_kept(workspace: Workspace, client: WebClient) -> None:
    ts = client.chat_postMessage(channel="C0BUILDS", text="oops")["ts"]
    client.chat_delete(channel="C0BUILDS", ts=ts)
    assert workspace.conversation("#builds", "ada") == []
    (message,) = workspace.conversations.everything()
    assert (message.deleted, message.versions[0].text) == (True, "oops")


@pytest.mark.parametrize("method", ["chat.update", "chat.delete"])
def test_an_app_can_change_only_its_own_public_messages(
    workspace: Workspace, slack: SlackApi, client: WebClient, method: str
) -> None:
    workspace.types("ada", "#builds", "mine")
    theirs = workspace.conversation("#builds", "ada")[0].ts
    client.chat_postEphemeral(channel="C0BUILDS", user="U0ADA", text="psst")
    ephemeral = workspace.conversation("#builds", "ada")[-1].ts
    cannot = {"chat.update": "cant_update_message", "chat.delete": "cant_delete_message"}[method]
    for ts, error in ((theirs, cannot), (ephemeral, "message_not_found"), ("1.2", "message_not_found")):
        assert refused(slack, method, channel="C0BUILDS", ts=ts, text="x") == error


def test_a_change_takes_less_text_than_a_new_message(slack: SlackApi, client: WebClient) -> None:
    ts = client.chat_postMessage(channel="C0BUILDS", text="x" * 4001)["ts"]
    assert refused(slack, "chat.update", channel="C0BUILDS", ts=ts, text="x" * 4001) == "msg_too_long"


def test_an_injected_error_applies_to_its_number_of_calls(workspace: Workspace, slack: SlackApi) -> None:
    workspace.refuse("chat.postMessage", "ratelimited", times=2, retry_after_s=7)
    answers = [called(slack, "chat.postMessage", channel="C0BUILDS", text="x") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert answers[0].json() == {"ok": False, "error": "ratelimited"}


def test_a_revoked_token_stays_revoked_for_every_method_until_lifted(workspace: Workspace, slack: SlackApi) -> None:
    workspace.refuse("*", "token_revoked", times=None)
    assert [refused(slack, method) for method in ("auth.test", "chat.postMessage")] == ["token_revoked"] * 2
    workspace.refuse_no_more("*")
    assert called(slack, "auth.test").json()["ok"] is True


def test_a_server_error_is_not_json(workspace: Workspace, slack: SlackApi) -> None:
    workspace.refuse("auth.test", "down", status=503)
    answer = called(slack, "auth.test")
    assert answer.status_code == 503
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"blocks": [SECTION]}, None),
        ({"blocks": "[]"}, None),
        ({"message": {"blocks": [SECTION]}}, None),
        ({"blocks": [BAD]}, "invalid_blocks"),
        ({"message": {"blocks": [BAD]}}, "invalid_message"),
        ({"view": {"type": "modal", "blocks": []}}, "invalid_view"),
        ({}, "invalid_arguments"),
    ],
)
def test_blocks_validate_judges_without_posting(
    workspace: Workspace, slack: SlackApi, given: dict[str, Any], error: str | None
) -> None:
    answer = called(slack, "blocks.validate", **given).json()
    assert (answer["ok"], answer.get("error")) == (error is None, error)
    assert workspace.conversations.everything() == []


def test_a_trigger_opens_one_view_and_only_for_three_seconds(
    workspace: Workspace, slack: SlackApi, ear: Ear, clock: SettableClock
) -> None:
    view = {"type": "modal", "title": {"type": "plain_text", "text": "Ask"}, "blocks": [SECTION]}
    workspace.types("ada", "#builds", "/codeship help")
    trigger = ear.heard[0].form["trigger_id"]
    assert called(slack, "views.open", trigger_id=trigger, view=view).json()["ok"] is True
    assert refused(slack, "views.open", trigger_id=trigger, view=view) == "exchanged_trigger_id"
    workspace.types("ada", "#builds", "/codeship help")
    clock.passes(3.1)
    late = ear.heard[1].form["trigger_id"]
    assert refused(slack, "views.open", trigger_id=late, view=view) == "expired_trigger_id"


def test_the_sdk_reads_refusals_as_errors(client: WebClient) -> None:
    with pytest.raises(SlackApiError, match="not_in_channel"):
        client.chat_postMessage(channel="C0RANDOM", text="x")


def test_no_secret_is_printed(workspace: Workspace, slack: SlackApi, ear: Ear) -> None:
    workspace.types("ada", "#builds", "/codeship help")
    printed = f"{workspace!r}{slack!r}{workspace.deliveries!r}{slack.sockets!r}"
    assert BOT_TOKEN not in printed
    assert APP_TOKEN not in printed
    assert "sandbox-signing-secret" not in printed

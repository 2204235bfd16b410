"""Every payload that Slack can send has a listener that acknowledges it, and manifest.yml requests exactly those."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.app.settings import rows
from bot.core.model.command_entries import Command
from bot.core.model.command_values import HERE, BranchCommand, ShowHelp, Verb, Word
from bot.slack.blocks.button_values import command_of
from bot.slack.incoming.payloads import Workspace, parse_command
from bot.slack.listeners import EVENTS, SCOPES, busy_answer
from playground.sandbox import SIGNING_SECRET, Sandbox
from playground.slack.outgoing.delivery import Ack, HttpTransport, Kind, Payload
from tests.held_clock import HeldClock
from tests.slack.messages.drawn import parts
from tests.slack.messages.every_message import EVERY_MESSAGE

ROOT = Path(__file__).parent.parent.parent
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
DRAWN = sorted(
    {part["action_id"] for message in EVERY_MESSAGE.values() for part in parts(message.blocks) if "action_id" in part}
)


@pytest.fixture(scope="module")
def stage() -> Iterator[Sandbox]:
    with Sandbox(HeldClock(), ack_timeout_s=30.0) as made:
        yield made


def sent(stage: Sandbox, kind: Kind, payload: dict[str, Any]) -> Ack:
    assert stage.bot is not None
    assert stage.bot.web is not None
    url = f"http://127.0.0.1:{stage.bot.web.port}/slack/events"
    ack = HttpTransport(url, SIGNING_SECRET, 30.0).carry(Payload(kind, payload))
    assert stage.settle()
    return ack


def pressed(stage: Sandbox, action_id: str, value: str = "{}") -> Ack:
    button = {"type": "button", "action_id": action_id, "value": value, "action_ts": f"1.{abs(hash(action_id)):06d}"}
    return sent(
        stage,
        "interactive",
        {
            "type": "block_actions",
            "user": {"id": "U0ADA", "team_id": "T0ACME"},
            "container": {"type": "message", "message_ts": "1.1", "channel_id": "C0BUILDS", "is_ephemeral": False},
            "team": {"id": "T0ACME"},
            "channel": {"id": "C0BUILDS"},
            "trigger_id": "1.2.3",
            "response_url": f"{stage.slack.url}/actions/T0ACME/0/none",
            "actions": [button],
        },
    )


def test_the_manifest_requests_what_the_listeners_need() -> None:
    assert sorted(MANIFEST["oauth_config"]["scopes"]["bot"]) == sorted(SCOPES)
    assert sorted(MANIFEST["settings"]["event_subscriptions"]["bot_events"]) == sorted(EVENTS)
    commands = MANIFEST["features"]["slash_commands"]
    default = next(row.default for row in rows() if row.name == "SLACK_COMMAND")
    assert ",".join(command["command"] for command in commands) == default
    assert MANIFEST["settings"]["interactivity"]["is_enabled"] is True


def test_there_are_buttons_to_check() -> None:
    fixed = {"restart", "restart_failed", "restart_again", "status", "follow", "cancel"}
    assert fixed | {"command:0", "open:build"} <= set(DRAWN)


@pytest.mark.parametrize("action_id", [*DRAWN, "command:9", "page:1", "page:9999999"])
def test_every_rendered_button_is_acknowledged(stage: Sandbox, action_id: str) -> None:
    assert pressed(stage, action_id).status == 200


@pytest.mark.parametrize(
    "action_id",
    [
        "approve",
        "restart2",
        "restart_all",
        "cancel:live",
        "builds",
        "Restart",
        "ask:",
        "command:100",
        "command:1\n",
        "page:",
        "open:",
        "open:Build",
        "open:build\n",
        "",
    ],
)
def test_an_unknown_button_is_not_acknowledged(stage: Sandbox, action_id: str) -> None:
    assert pressed(stage, action_id).status == 404


def test_a_link_is_acknowledged_without_a_reply(stage: Sandbox) -> None:
    before = len(stage.workspace.conversations.everything())
    assert pressed(stage, "open:build").status == 200
    assert len(stage.workspace.conversations.everything()) == before


def test_a_button_with_a_manipulated_value_is_acknowledged_and_answered(stage: Sandbox) -> None:
    assert pressed(stage, "restart", '{"s":"codeship","p":"1","i":["x"]}').status == 200
    assert "This button is too old" in stage.workspace.conversation("#builds", "ada")[-1].text


def test_the_command_of_the_manifest_is_handled_and_no_other(stage: Sandbox) -> None:
    command = {
        "team_id": "T0ACME",
        "channel_id": "C0BUILDS",
        "user_id": "U0ADA",
        "command": MANIFEST["features"]["slash_commands"][0]["command"],
        "text": "help",
        "trigger_id": "1.2.4",
    }
    assert sent(stage, "slash_commands", command).status == 200
    assert sent(stage, "slash_commands", {**command, "command": "/other"}).status == 404


@pytest.mark.parametrize(
    ("event", "answers"),
    [
        ({"type": "app_mention", "channel": "C0BUILDS"}, 1),
        ({"type": "message", "channel": "D0ADA", "channel_type": "im"}, 1),
        ({"type": "message", "channel": "C0BUILDS", "channel_type": "channel"}, 0),
        ({"type": "message", "channel": "D0ADA", "channel_type": "im", "subtype": "message_changed"}, 0),
        ({"type": "reaction_added", "channel": "C0BUILDS"}, 0),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_events_are_acknowledged_even_if_they_are_not_for_the_bot(
    stage: Sandbox, event: dict[str, str], answers: int
) -> None:
    before = len(stage.workspace.conversations.everything())
    payload = {
        "type": "event_callback",
        "team_id": "T0ACME",
        "event_id": f"Ev{'-'.join(event.values())}",
        "event": {"user": "U0ADA", "text": "<@U0BOT> help", "ts": "1.1", "event_ts": "1.1", **event},
    }
    assert sent(stage, "events_api", payload).status == 200
    assert len(stage.workspace.conversations.everything()) == before + answers


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("status acme/web main", BranchCommand(Verb.STATUS, Word.of("acme/web"), Word.of("main"))),
        ("status", BranchCommand(Verb.STATUS, HERE)),
        ("", ShowHelp()),
    ],
)
def test_a_command_that_the_bot_cannot_take_on_can_be_sent_again_with_a_button(typed: str, command: Command) -> None:
    body = {"user_id": "U0ADA", "channel_id": "C0BUILDS", "team_id": "T0ACME", "text": typed, "trigger_id": "1.2.3"}
    request = parse_command(body, Workspace("T0ACME", "U0BOT"))
    assert request is not None
    refused = busy_answer(request, "The bot is restarting. Try again in a minute.")
    assert refused["text"] == ":warning: *The bot is restarting. Try again in a minute.*"
    [button] = [part for part in parts(refused["blocks"]) if part.get("type") == "button"]
    assert button["text"]["text"] == "Try again"
    assert command_of(button["action_id"], button["value"]) == command

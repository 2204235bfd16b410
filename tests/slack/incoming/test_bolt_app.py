"""What the app does with each payload, and how payloads are parsed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_bolt import App

from bot.slack.client.auth import Identity
from bot.slack.incoming.bolt_app import Malformed, build_app, dispatch, kind_of, listen, parse
from bot.slack.incoming.workers import WorkerPool
from tests.slack.incoming.over_http import FORM

US = Identity(team_id="T1", bot_user_id="UBOT", bot_id="BBOT")
COMMAND = {"command": "/codeship", "text": "status", "team_id": "T1", "channel_id": "C1", "user_id": "U1"}
CLICK = {
    "type": "block_actions",
    "team": {"id": "T1"},
    "user": {"id": "U1"},
    "actions": [{"action_id": "restart", "block_id": "b", "type": "button", "value": "1"}],
}


def event(**fields: Any) -> dict[str, Any]:
    return {"type": "event_callback", "team_id": "T1", "event": {"type": "app_mention", "user": "U1", **fields}}


@pytest.fixture
def workers() -> Iterator[WorkerPool]:
    errors: list[tuple[str, BaseException]] = []
    workers = WorkerPool(lambda name, error: errors.append((name, error)), threads=4)
    yield workers
    workers.stop(timeout_s=5)
    assert errors == []


@pytest.fixture
def app() -> App:
    return build_app(US)


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        (COMMAND, 200),
        ({**COMMAND, "command": "/other"}, 404),
        (CLICK, 200),
        ({**CLICK, "actions": [{"action_id": "of a message long gone"}]}, 404),
        (event(), 200),
        pytest.param(event(type="reaction_added"), 200, id="an event that nobody listens to is not sent again"),
        ({"type": "url_verification", "challenge": "c"}, 200),
        ({"type": "event_callback", "event": {"type": "app_uninstalled"}}, 200),
        ({"type": "app_rate_limited", "team_id": "T1"}, 200),
        ({"type": "view_submission", "view": {"type": "modal", "callback_id": "of nobody"}}, 404),
        pytest.param({"ssl_check": "1", "token": "t"}, 200, id="Slack looks at the certificate"),
    ],
)
def test_each_payload_gets_its_response(app: App, workers: WorkerPool, payload: dict[str, Any], status: int) -> None:
    for register in (app.command("/codeship"), app.action("restart"), app.event("app_mention")):
        listen(register, workers, "any", lambda payload, heard_at: None)
    assert dispatch(app, payload).status == status


@pytest.mark.parametrize("ours", [{"user": "UBOT"}, {"bot_id": "BBOT", "user": None}])
def test_the_bots_own_messages_are_acknowledged_and_ignored(
    app: App, workers: WorkerPool, ours: dict[str, Any]
) -> None:
    heard: list[Any] = []
    listen(app.event("app_mention"), workers, "event", lambda payload, heard_at: heard.append(payload))
    assert dispatch(app, event(**ours)).status == 200
    assert dispatch(app, event()).status == 200
    assert workers.wait_idle(5)
    assert [payload["event"]["user"] for payload in heard] == ["U1"]


def test_the_challenge_is_answered(app: App) -> None:
    assert json.loads(dispatch(app, {"type": "url_verification", "challenge": "c"}).body) == {"challenge": "c"}


def test_a_refused_command_is_answered_to_the_asker_alone(app: App, workers: WorkerPool) -> None:
    listen(app.command("/codeship"), workers, "command", lambda payload, heard_at: None)
    workers.stop()
    answer = dispatch(app, dict(COMMAND))
    assert answer.status == 200
    assert json.loads(answer.body) == {
        "response_type": "ephemeral",
        "text": "The bot is restarting. Try again in a minute.",
    }


@pytest.mark.parametrize("payload", [CLICK, event()])
def test_a_refused_click_or_event_is_not_acknowledged(app: App, workers: WorkerPool, payload: dict[str, Any]) -> None:
    listen(app.action("restart"), workers, "click", lambda payload, heard_at: None)
    listen(app.event("app_mention"), workers, "event", lambda payload, heard_at: None)
    workers.stop()
    assert dispatch(app, payload).status == 503


def test_a_listeners_error_is_not_swallowed(app: App) -> None:
    def broken(body: dict[str, Any]) -> None:
        raise RuntimeError("a bug")

    app.command("/codeship")(broken)
    with pytest.raises(RuntimeError, match="a bug"):
        dispatch(app, dict(COMMAND))


@pytest.mark.parametrize(
    "payload",
    [
        {"event": None},
        {"event": "x"},
        {"type": "event_callback", "event": {"type": 5}},
        {"type": "block_actions"},
        {"type": "block_actions", "actions": []},
        {"type": "block_actions", "actions": [None]},
        {"type": "block_actions", "actions": [{}]},
        {"team": 5},
        {"authorizations": [None]},
        {"authorizations": 5},
        {"response_urls": 5},
        {},
        {"type": 5},
        {"type": "of a later year"},
        {"type": "interactive_message", "callback_id": "c"},
        {"type": "interactive_message", "actions": [{}]},
        {"type": "workflow_step_edit"},
        {"type": "dialog_submission"},
        {"type": "view_submission", "view": {"callback_id": "c"}},
        {"type": "view_submission", "view": 5},
        {"type": "shortcut", "callback_id": 5, "team": 5},
    ],
)
def test_a_payload_that_bolt_would_stumble_over_is_malformed(app: App, payload: dict[str, Any]) -> None:
    app.command("/codeship")(lambda ack: ack())
    app.action("restart")(lambda ack: ack())
    app.view("modal")(lambda ack: ack())
    with pytest.raises(Malformed):
        dispatch(app, payload)


def test_the_environment_of_other_bolt_apps_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, workers: WorkerPool
) -> None:
    for name in ("BOT_TOKEN", "CLIENT_ID", "CLIENT_SECRET", "SIGNING_SECRET", "VERIFICATION_TOKEN"):
        monkeypatch.setenv(f"SLACK_{name}", "xoxb-of-somebody")
    app, tokens = build_app(US), []

    def listener(ack: Any, context: Any) -> None:
        ack()
        tokens.extend([context.get("token"), context.client.token])

    app.command("/codeship")(listener)
    assert dispatch(app, dict(COMMAND)).status == 200
    assert tokens == [None, None]
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (COMMAND, "command"),
        (CLICK, "block_actions"),
        (event(), "event"),
        ({"type": "url_verification"}, "url_verification"),
        ({"type": "of somebody's invention"}, "other"),
        ({"type": ["unhashable"]}, "other"),
        ({}, "other"),
    ],
)
def test_payload_kinds_are_a_closed_set(payload: dict[str, Any], kind: str) -> None:
    assert kind_of(payload) == kind


@pytest.mark.parametrize(
    ("body", "content_type", "payload"),
    [
        ("a=1&b=", FORM, {"a": "1", "b": ""}),
        ("text=%C3%BC+%26", f"{FORM}; charset=utf-8", {"text": "ü &"}),
        (urlencode({"payload": '{"a": "ü"}'}), FORM, {"a": "ü"}),
        ('{"a": 1}', "Application/JSON", {"a": 1}),
        ("{=1", FORM, {"{": "1"}),
    ],
)
def test_a_body_is_read_by_its_content_type(body: str, content_type: str, payload: dict[str, Any]) -> None:
    assert parse(body, content_type) == payload


@pytest.mark.parametrize(
    ("body", "content_type"),
    [("{}", ""), ("{}", "text/plain"), ("{}", "multipart/form-data; boundary=x"), ("a=1&" * 101, FORM)],
)
def test_a_body_of_another_kind_is_malformed(body: str, content_type: str) -> None:
    with pytest.raises(Malformed):
        parse(body, content_type)

"""Bolt's defaults that would lose a person's request: each is shown to do so, and then not to do so in the bot."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from functools import partial
from threading import Event, current_thread
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from slack_bolt import App, BoltRequest
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult

from bot.http_server import WebApp, WebServer
from bot.slack.client.auth import Identity
from bot.slack.incoming.bolt_app import build_app, dispatch, listen
from bot.slack.incoming.http_mode import HttpMode
from bot.slack.incoming.workers import WorkerPool
from tests.slack.incoming.over_http import FORM, SECRET, command, post, sign

US = Identity(team_id="T1", bot_user_id="UBOT", bot_id="BBOT")
COMMAND = {"command": "/codeship", "text": "status", "team_id": "T1", "channel_id": "C1", "user_id": "U1"}


@pytest.fixture
def errors() -> list[tuple[str, BaseException]]:
    return []


@pytest.fixture
def workers(errors: list[tuple[str, BaseException]]) -> Iterator[WorkerPool]:
    workers = WorkerPool(lambda name, error: errors.append((name, error)), threads=4)
    yield workers
    workers.stop(timeout_s=5)


@pytest.fixture
def app() -> App:
    return build_app(US)


@pytest.fixture
def served() -> Iterator[Callable[[Any], WebServer]]:
    servers: list[WebServer] = []

    def serve(wsgi: Any) -> WebServer:
        server = WebServer(wsgi, "127.0.0.1", 0, threads=4)
        server.start()
        servers.append(server)
        return server

    yield serve
    for server in servers:
        server.stop()


def ours(app: App) -> WebApp:
    http_mode = HttpMode(app, SECRET, observe_ack=lambda kind, seconds: None)
    return WebApp(
        ready=lambda: (True, {}),
        registry=CollectorRegistry(),
        reference=lambda: "r3f",
        posts={"/slack/events": http_mode},
    )


class Inline(Executor):
    """Runs a listener before `submit` returns, so that Bolt's race always ends the same way."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        fn(*args, **kwargs)
        return Future()


class Later(Executor):
    """Runs listeners only on request, like a pool without a free thread."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self._waiting.append(partial(fn, *args, **kwargs))
        return Future()

    def catch_up(self) -> None:
        while self._waiting:
            self._waiting.pop()()


def plain_bolt(**settings: Any) -> App:
    """Bolt as its documentation sets it up, but for the network."""
    return App(
        signing_secret=SECRET,
        authorize=lambda: AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-1", bot_user_id="UBOT"),
        **settings,
    )


# Trap 1: an acknowledgement that is lost, and one that waits for a poll.


def acknowledge_and_fail(ack: Callable[[], object]) -> None:
    ack()
    raise RuntimeError("after the ack")


@pytest.mark.parametrize(("in_process", "status"), [(False, 404), (True, 500)])
def test_plain_bolt_loses_the_ack_of_a_listener_that_then_raises(
    monkeypatch: pytest.MonkeyPatch, in_process: bool, status: int
) -> None:
    app = plain_bolt(listener_executor=Inline(), process_before_response=in_process, request_verification_enabled=False)
    app.command("/codeship")(acknowledge_and_fail)
    app.command("/fine")(lambda ack: ack())
    _let_time_fly(monkeypatch)
    assert app.dispatch(BoltRequest(mode="socket_mode", body={**COMMAND, "command": "/fine"})).status == 200
    assert app.dispatch(BoltRequest(mode="socket_mode", body=dict(COMMAND))).status == status


def test_no_handler_can_lose_the_ack(app: App, workers: WorkerPool, errors: list[tuple[str, BaseException]]) -> None:
    bug = RuntimeError("after the ack")

    def fail(payload: dict[str, Any], received_at: float) -> None:
        raise bug

    listen(app.command("/codeship"), workers, "command", fail)
    answers = {dispatch(app, dict(COMMAND)).status for _ in range(40)}
    assert workers.wait_idle(5)
    assert answers == {200}
    assert errors == [("command", bug)] * 40


def test_plain_bolt_polls_for_the_ack_on_the_thread_that_answers_slack(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = Later()
    app = plain_bolt(listener_executor=busy)
    app.command("/codeship")(lambda ack: ack())
    polls = _let_time_fly(monkeypatch, busy.catch_up)
    assert app.dispatch(BoltRequest(mode="socket_mode", body=dict(COMMAND))).status == 200
    assert polls == [0.01]


def test_the_ack_does_not_wait_for_a_poll(monkeypatch: pytest.MonkeyPatch, app: App, workers: WorkerPool) -> None:
    polls = _let_time_fly(monkeypatch)
    listen(app.command("/codeship"), workers, "command", lambda payload, heard_at: None)
    assert dispatch(app, dict(COMMAND)).status == 200
    assert polls == []


def test_slack_is_answered_while_the_handler_still_works(app: App, workers: WorkerPool) -> None:
    upstream, heard = Event(), []

    def handler(payload: dict[str, Any], received_at: float) -> None:
        assert upstream.wait(5)
        heard.append((payload["text"], received_at, current_thread().name))

    listen(app.command("/codeship"), workers, "command", handler, monotonic=lambda: 7.0)
    answer = dispatch(app, dict(COMMAND))
    assert (answer.status, answer.body, heard) == (200, "", [])
    upstream.set()
    assert workers.wait_idle(5)
    assert heard[0][:2] == ("status", 7.0)
    assert heard[0][2] != current_thread().name


def _let_time_fly(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None] = lambda: None) -> list[float]:
    """In Bolt's runner of listeners, and nowhere else, sleeping takes no time; how long it would have is returned."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        meanwhile()

    stand_in = SimpleNamespace(time=lambda: time.time() + sum(slept), sleep=sleep)
    monkeypatch.setattr("slack_bolt.listener.thread_runner.time", stand_in)
    return slept


# Trap 2: an invalid body, before the signature is checked.

BAD_BODIES = ["{", "[null]", "payload={", "payload=[null]", "payload=", "payload=null", '{"a":', "[" * 20_000]


@pytest.mark.parametrize("body", BAD_BODIES[:3])
def test_plain_bolt_answers_500_to_an_unsigned_body_that_is_not_valid(
    served: Callable[[Any], WebServer], caplog: pytest.LogCaptureFixture, body: str
) -> None:
    server = served(SlackRequestHandler(plain_bolt()))
    content_type = FORM if body.startswith("payload") else "application/json"
    assert post(server.port, body, {"Content-Type": content_type}).status == 500
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("content_type", [FORM, "application/json"])
@pytest.mark.parametrize("body", BAD_BODIES)
def test_an_invalid_body_is_refused_signed_or_not(
    served: Callable[[Any], WebServer], app: App, caplog: pytest.LogCaptureFixture, body: str, content_type: str
) -> None:
    port = served(ours(app)).port
    unsigned = post(port, body, {"Content-Type": content_type})
    signed = post(port, body, {**sign(body), "Content-Type": content_type})
    assert unsigned.status == 401
    # A form without `payload` has the syntax of a command. No listener takes one without a name.
    assert signed.status == 400
    assert "Traceback" not in caplog.text


# Trap 3: a command whose text has a certain word in it.


def test_plain_bolt_loses_a_command_with_the_word_payload_in_it() -> None:
    body = command("status acme/payload-service")
    assert BoltRequest(body=body, headers={"content-type": FORM}).body == {}


def test_a_command_may_have_the_word_payload_in_it(
    served: Callable[[Any], WebServer], app: App, workers: WorkerPool
) -> None:
    heard: list[str] = []
    listen(app.command("/codeship"), workers, "command", lambda payload, heard_at: heard.append(payload["text"]))
    body = command("status acme/payload-service")
    assert post(served(ours(app)).port, body, sign(body)).status == 200
    assert workers.wait_idle(5)
    assert heard == ["status acme/payload-service"]

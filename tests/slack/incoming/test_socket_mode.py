"""Socket Mode: receiving, acknowledging, reconnecting, and clear errors if that is impossible."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from queue import Queue
from threading import Event, Timer
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.slack.client.auth import AppTokenRefused, Identity
from bot.slack.incoming.bolt_app import build_app, listen
from bot.slack.incoming.socket_mode import SocketMode
from bot.slack.incoming.workers import WorkerPool
from tests.slack.incoming.websocket_server import Slack

COMMAND = {"command": "/codeship", "text": "status", "team_id": "T1", "channel_id": "C1", "user_id": "U1"}
TOKEN = "xapp-1-secret"


def envelope(envelope_id: str, payload: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    answerable = {"type": "slash_commands", "accepts_response_payload": True}
    return {"envelope_id": envelope_id, "payload": COMMAND if payload is None else payload, **answerable, **more}


@pytest.fixture
def slack() -> Iterator[Slack]:
    slack = Slack()
    slack.host.start()
    yield slack
    slack.host.stop()


class Bot:
    """The app behind Socket Mode, impatient enough for a test."""

    def __init__(self, api_url: str, **settings: Any) -> None:
        self.dead = Event()
        self.heard: Queue[dict[str, Any]] = Queue()
        self.acks: list[str] = []
        self.workers = WorkerPool(lambda name, error: None, threads=2)
        self.app = build_app(Identity(team_id="T1", bot_user_id="UBOT", bot_id="BBOT"))
        listen(self.app.command("/codeship"), self.workers, "command", lambda body, heard_at: self.heard.put(body))
        impatient = {"timeout_s": 2.0, "ping_interval_s": 0.1, "silence_s": 30.0} | settings
        self.socket_mode = SocketMode(
            self.app,
            TOKEN,
            api_url=api_url,
            tls=None,
            reference=lambda: "r3f",
            observe_ack=lambda kind, seconds: self.acks.append(kind),
            on_dead=self.dead.set,
            **impatient,
        )

    def stop(self) -> None:
        self.socket_mode.stop()
        self.workers.stop(5)


@pytest.fixture
def made() -> Iterator[Callable[..., Bot]]:
    bots: list[Bot] = []

    def make(slack: Slack, **settings: Any) -> Bot:
        bots.append(Bot(f"{slack.host.url}/api/", **settings))
        return bots[-1]

    yield make
    for bot in bots:
        bot.stop()


@pytest.fixture
def bot(slack: Slack, made: Callable[..., Bot]) -> Bot:
    bot = made(slack)
    bot.socket_mode.start()
    return bot


def test_it_is_connected_once_started_and_not_once_stopped(slack: Slack, bot: Bot) -> None:
    started, age_s = bot.socket_mode.connected, bot.socket_mode.last_pong_age_s
    bot.stop()
    assert (started, bot.socket_mode.connected) == (True, False)
    assert age_s < 2
    assert slack.tokens == [f"Bearer {TOKEN}"]


def test_an_envelope_without_a_payload_is_handled_and_acknowledged(slack: Slack, bot: Bot) -> None:
    number, link = slack.link()
    slack.send(link, envelope("e1"))
    assert slack.acks.get(timeout=5) == (number, {"envelope_id": "e1"})
    assert bot.heard.get(timeout=5)["text"] == "status"
    bot.stop()
    assert bot.acks == ["command"]


@pytest.mark.parametrize("takes_payload", [True, False])
def test_an_acks_payload_is_sent_if_the_envelope_accepts_one(slack: Slack, bot: Bot, takes_payload: bool) -> None:
    bot.workers.stop()
    _, link = slack.link()
    slack.send(link, envelope("e1", accepts_response_payload=takes_payload))
    refusal = {"response_type": "ephemeral", "text": "The bot is restarting. Try again in a minute."}
    assert slack.acks.get(timeout=5)[1] == {"envelope_id": "e1", **({"payload": refusal} if takes_payload else {})}


def test_a_request_that_cannot_be_handled_is_not_acknowledged_so_slack_sends_it_again(slack: Slack, bot: Bot) -> None:
    def broken(body: dict[str, Any]) -> None:
        raise RuntimeError("a bug")

    bot.app.command("/broken")(broken)
    _, link = slack.link()
    with capture_logs() as logs:
        slack.send(link, envelope("malformed", {"event": None}))
        slack.send(link, envelope("unheard", {**COMMAND, "command": "/other"}))
        slack.send(link, envelope("bug", {**COMMAND, "command": "/broken"}))
        slack.send(link, {"type": "nothing we know"})
        slack.send(link, envelope("fine"))
        assert slack.acks.get(timeout=5)[1] == {"envelope_id": "fine"}
        bot.stop()
    assert slack.acks.empty()
    assert [entry["ref"] for entry in logs if entry["event"] == "socket_mode_not_acknowledged"] == ["r3f"]


def test_an_ack_that_slack_is_waiting_for_survives_a_reconnect(slack: Slack, bot: Bot) -> None:
    begun, release = Event(), Event()

    def slow(ack: Callable[[], object]) -> None:
        begun.set()
        assert release.wait(5)
        ack()

    bot.app.command("/slow")(slow)
    first, link = slack.link()
    slack.send(link, envelope("e1", {**COMMAND, "command": "/slow"}))
    assert begun.wait(5)
    slack.send(link, {"type": "disconnect", "reason": "refresh_requested"})
    second, link = slack.link()
    release.set()
    assert slack.acks.get(timeout=5) == (second, {"envelope_id": "e1"})
    assert second > first
    slack.send(link, envelope("e2"))
    assert slack.acks.get(timeout=5) == (second, {"envelope_id": "e2"})


def test_it_reconnects_if_the_link_is_closed(slack: Slack, bot: Bot) -> None:
    _, link = slack.link()
    slack.close(link)
    second, link = slack.link()
    slack.send(link, envelope("e1"))
    assert slack.acks.get(timeout=5) == (second, {"envelope_id": "e1"})


def test_a_half_open_link_is_noticed_within_a_few_pings(slack: Slack, bot: Bot) -> None:
    slack.link()
    slack.answers_pings = False
    noticed_from = time.monotonic()
    slack.link()
    slack.answers_pings = True
    assert time.monotonic() - noticed_from < 12 / 3 * 0.1 + 2  # 12 s at 3 s a ping; and what a busy machine takes


def test_an_address_that_no_longer_works_is_not_tried_for_ever(slack: Slack, made: Callable[..., Bot]) -> None:
    slack.drops_tickets = 2
    bot = made(slack, timeout_s=0.1)
    bot.socket_mode.start()
    number, link = slack.link()
    slack.send(link, envelope("e1"))
    assert slack.acks.get(timeout=5) == (number, {"envelope_id": "e1"})


@pytest.mark.parametrize(
    ("error", "why"),
    [
        ("invalid_auth", "does not know it, or it has been revoked"),
        ("not_allowed_token_type", "the right one begins with xapp-"),
        ("missing_scope", "connections:write"),
    ],
)
def test_a_rejected_app_token_is_reported_at_once_with_where_to_get_one(
    slack: Slack, made: Callable[..., Bot], error: str, why: str
) -> None:
    slack.refuses = error
    with pytest.raises(AppTokenRefused, match=f"SLACK_APP_TOKEN \\({error}\\): .*{why}.*App-Level Tokens") as refusal:
        made(slack).socket_mode.start()
    assert TOKEN not in str(refusal.value)


def test_a_slack_that_is_down_at_the_start_is_tried_until_it_is_there(slack: Slack, made: Callable[..., Bot]) -> None:
    slack.breaks_answers = 3
    bot = made(slack)
    with capture_logs() as logs:
        bot.socket_mode.start()
        assert not bot.socket_mode.connected
        slack.link()
    assert [entry["why"] for entry in logs if entry["event"] == "socket_mode_not_connected"] == ["HTTP 503"] * 3


def test_a_network_that_is_down_at_the_start_does_not_hold_the_start(slack: Slack, made: Callable[..., Bot]) -> None:
    bot = Bot("http://127.0.0.1:9/api/")  # no server on this port, since nothing should be sent
    with capture_logs() as logs:
        bot.socket_mode.start()
        assert not bot.socket_mode.connected
        bot.stop()
    assert "Client" in logs[0]["why"]


def test_a_long_silence_is_reported_once(slack: Slack, made: Callable[..., Bot]) -> None:
    slack.refuses = "internal_error"
    bot = made(slack, ping_interval_s=0.02, silence_s=0.1)
    with capture_logs() as logs:
        bot.socket_mode.start()
        assert bot.dead.wait(5)
        bot.dead.clear()
        assert not bot.dead.wait(0.1)
    assert [entry["event"] for entry in logs].count("socket_mode_dead") == 1


def test_a_living_connection_is_never_reported_as_dead(slack: Slack, made: Callable[..., Bot]) -> None:
    bot = made(slack, ping_interval_s=0.1, silence_s=0.5)
    bot.socket_mode.start()
    assert not bot.dead.wait(0.7)
    assert bot.socket_mode.connected


def test_a_proxy_is_taken_from_the_argument_and_not_from_the_environment(
    slack: Slack, made: Callable[..., Bot], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    made(slack).socket_mode.start()
    slack.link()
    with capture_logs():
        proxied = made(slack, proxy="http://127.0.0.1:9")
        proxied.socket_mode.start()
        assert not proxied.socket_mode.connected


def test_a_stop_lets_running_requests_be_acknowledged(slack: Slack, bot: Bot) -> None:
    begun, release = Event(), Event()

    def slow(ack: Callable[[], object]) -> None:
        begun.set()
        assert release.wait(5)
        ack()

    bot.app.command("/slow")(slow)
    _, link = slack.link()
    slack.send(link, envelope("e1", {**COMMAND, "command": "/slow"}))
    assert begun.wait(5)
    later = Timer(0.1, release.set)  # after the stop has begun
    later.start()
    bot.stop()
    assert slack.acks.get(timeout=5)[1] == {"envelope_id": "e1"}


def test_a_stop_before_the_start_and_a_second_one_do_nothing(slack: Slack, made: Callable[..., Bot], bot: Bot) -> None:
    made(slack).stop()
    bot.stop()
    bot.stop()


def test_its_log_lines_have_no_secret(slack: Slack, made: Callable[..., Bot], caplog: pytest.LogCaptureFixture) -> None:
    slack.drops_tickets = 2
    bot = made(slack, timeout_s=0.1)
    with capture_logs() as logs:
        bot.socket_mode.start()
        slack.link()
        bot.stop()
    assert "408" in caplog.text
    assert "ticket=" not in caplog.text + str(logs)
    assert "Traceback" not in caplog.text
    assert TOKEN not in caplog.text + str(logs) + repr(bot.socket_mode)

"""The whole bot with both transports: what transcripts with a fixed clock cannot show."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from bot.app.clock import SystemClock
from bot.app.timeouts import Timeouts
from bot.slack.incoming.workers import NOT_WRITTEN
from playground.codeship import faults as moods
from playground.sandbox import API_KEY, APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, Sandbox, Transport
from playground.slack.plain_text import as_text
from tests.held_clock import HeldClock

HASTY = Timeouts(connect_s=0.5, read_s=0.3, call_s=0.5, finish_s=5.0)
UNHURRIED = Timeouts(connect_s=30.0, read_s=30.0, slack_s=30.0)
STATUS = "/codeship status acme/web main"
RESTART = "/codeship restart acme/web main"


@pytest.fixture(params=["http", pytest.param("socket mode", marks=pytest.mark.slow)])
def transport(request: pytest.FixtureRequest) -> Transport:
    kind: Transport = request.param
    return kind


@pytest.fixture
def stage(transport: Transport) -> Iterator[Sandbox]:
    """It waits long for CodeShip and for acknowledgements: a busy machine changes no answer."""
    with Sandbox(HeldClock(), transport=transport, timeouts=UNHURRIED, ack_timeout_s=30.0) as made:
        yield made


@pytest.fixture
def hasty(transport: Transport) -> Iterator[Sandbox]:
    """It soon gives up on a CodeShip that hangs. What it answers depends on the machine's speed: for slow tests."""
    with Sandbox(HeldClock(), transport=transport, timeouts=HASTY) as made:
        yield made


def seen(stage: Sandbox, channel: str = "#builds", viewer: str = "ada") -> list[str]:
    assert stage.settle()
    return [
        as_text(message, stage.workspace.names)[0]
        for message in stage.workspace.conversation(channel, viewer)
        if message.now.via != "typed"
    ]


def calls(stage: Sandbox, kind: str) -> int:
    return sum(1 for request in stage.codeship.requests if request.call == kind)


@pytest.mark.parametrize("transport", ["http", "socket mode"])
def test_a_command_a_mention_a_direct_message_and_a_button_are_answered(stage: Sandbox) -> None:
    stage.workspace.types("ada", "#builds", STATUS)
    first = seen(stage)
    assert first[-1].startswith(":x: *acme/web main failed")
    message = stage.workspace.conversation("#builds", "ada")[-1]
    stage.workspace.presses("bob", message, "Restart", confirm=True)
    stage.settle()
    stage.workspace.types("bob", "#builds", "hey @codeship status acme/api main")
    stage.workspace.types("ada", "@codeship", "status acme/api main")
    assert ":hourglass_flowing_sand: *acme/web main restarted*" in seen(stage)
    assert seen(stage)[-1].startswith("↳ :white_check_mark: *acme/api main")
    assert seen(stage, "@codeship")[-1].startswith(":white_check_mark: *acme/api main")
    assert all(delivery.is_acked for delivery in stage.workspace.deliveries)


def test_the_bots_own_keys_in_a_commit_message_are_masked_wherever_it_is_shown(stage: Sandbox) -> None:
    told = f"Use {API_KEY} and {BOT_TOKEN}"
    stage.codeship.push("acme/web", "leaky", message=told, by="ada", at=stage.codeship.now())
    stage.workspace.types("ada", "#builds", "/codeship status acme/web leaky")
    stage.workspace.types("ada", "@codeship", "status acme/web leaky")
    assert stage.settle()
    for conversation in ("#builds", "@codeship"):
        shown = "\n".join(as_text(stage.workspace.conversation(conversation, "ada")[-1], stage.workspace.names))
        assert "Use [hidden] and [hidden]" in shown


def test_a_status_is_one_call_and_a_restart_two(stage: Sandbox) -> None:
    stage.settle()
    before = len(stage.codeship.requests)
    stage.workspace.types("ada", "#builds", STATUS)
    stage.settle()
    assert len(stage.codeship.requests) == before + 1
    stage.workspace.types("ada", "#builds", RESTART)
    stage.settle()
    assert len(stage.codeship.requests) == before + 3


def test_twenty_people_at_once_cause_one_restart(stage: Sandbox) -> None:
    with ThreadPoolExecutor(20) as crowd:
        list(crowd.map(lambda _: stage.workspace.types("ada", "#builds", RESTART), range(20)))
    told = seen(stage)
    # A busy machine may not store a request within two seconds. Then the asker is told to send it again.
    turned_away = sum(NOT_WRITTEN in line for line in told)
    # A wait takes no time with this clock, but moves it for everyone: it may end the time of a request beside it.
    timed_out = sum("CodeShip timed out" in line or "CodeShip is unavailable" in line for line in told)
    were_second = sum("already restarted" in line or "restart already requested" in line for line in told)
    assert calls(stage, "restart") == 1
    assert sum("main restarted*" in line for line in told) == 1
    assert were_second + timed_out + turned_away == 19
    assert were_second > 0


def test_redelivery_of_each_kind_is_answered_once(stage: Sandbox) -> None:
    for ask in (STATUS, "@codeship status acme/web main"):
        stage.workspace.types("ada", "#builds", ask)
        told = len(seen(stage))
        stage.workspace.deliver_again(3)
        assert len(seen(stage)) == told
    message = stage.workspace.conversation("#builds", "ada")[-1]
    stage.workspace.presses("ada", message, "Refresh")
    stage.settle()
    versions = len(stage.workspace.conversation("#builds", "ada")[-1].versions)
    stage.workspace.deliver_again(3)
    stage.settle()
    assert len(stage.workspace.conversation("#builds", "ada")[-1].versions) == versions


@pytest.mark.serial
def test_a_request_is_answered_in_time_while_codeship_hangs(hasty: Sandbox) -> None:
    hasty.workspace.types("ada", "#builds", STATUS)
    hasty.settle()
    hasty.codeship.mood = moods.hang()
    hasty.workspace.types("ada", "#builds", STATUS)
    last = seen(hasty)[-1]
    assert "(only ada sees this) :warning: *CodeShip" in last
    answer = hasty.workspace.conversation("#builds", "ada")[-1].text
    assert "failed" in answer, "the reply says what is known"


@pytest.mark.serial
def test_an_accepted_restart_without_a_response_is_found_by_a_fetch(hasty: Sandbox) -> None:
    hasty.codeship.mood = moods.hang(on="restart", takes=True)
    hasty.workspace.types("ada", "#builds", RESTART)
    assert "*acme/web main restarted*" in seen(hasty)[-1]
    assert calls(hasty, "restart") == 1


@pytest.mark.serial
def test_a_restart_without_effect_and_without_a_response_has_an_unknown_result(hasty: Sandbox) -> None:
    hasty.codeship.mood = moods.hang(on="restart", takes=False)
    hasty.workspace.types("ada", "#builds", RESTART)
    assert "restart not confirmed" in seen(hasty)[-1]
    assert calls(hasty, "restart") == 1


def test_a_late_response_is_still_stored(stage: Sandbox) -> None:
    stage.codeship.mood = moods.slow(0.2, on="restart")
    stage.workspace.types("ada", "#builds", RESTART)
    assert "main restarted*" in seen(stage)[-1]


def test_no_request_before_sigterm_is_lost(stage: Sandbox) -> None:
    stage.codeship.mood = moods.slow(0.2)
    for _ in range(5):
        stage.workspace.types("ada", "#builds", STATUS)
    stage.stop_bot()
    assert sum(":x: *acme/web main" in line for line in seen(stage)) == 5


def test_the_asker_gets_a_reply_even_if_the_response_url_is_used_up(stage: Sandbox) -> None:
    stage.workspace.refuse("response_url", "used_url", None, status=404)
    stage.workspace.types("ada", "#builds", "/codeship help")
    assert seen(stage)[-1].startswith("(only ada sees this)")


def test_a_channel_that_is_rate_limited_is_answered_through_the_response_url(stage: Sandbox) -> None:
    stage.workspace.refuse("chat.postMessage", "ratelimited", None, retry_after_s=30)
    stage.workspace.types("ada", "#builds", STATUS)
    assert seen(stage)[-1].startswith(":x: *acme/web main")


def test_a_key_that_becomes_invalid_is_logged_once_and_shown_in_the_metrics(
    stage: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.settle()
    assert stage.bot is not None
    registry = stage.bot.metrics.registry
    stage.codeship.mood = moods.wrong_key()
    for _ in range(3):
        stage.workspace.types("ada", "#builds", STATUS)
        stage.settle()
    assert registry.get_sample_value("bot_ci_key_accepted", {"service": "codeship"}) == 0
    stage.codeship.mood = moods.FINE
    stage.workspace.types("ada", "#builds", STATUS)
    stage.settle()
    assert registry.get_sample_value("bot_ci_key_accepted", {"service": "codeship"}) == 1
    logged = capsys.readouterr().out
    assert logged.count("ci_key_rejected") == 1
    assert logged.count("ci_key_accepted_again") == 1


def test_messages_and_rows_have_no_secret(stage: Sandbox) -> None:
    for mood in (moods.FINE, moods.down(), moods.wrong_key(), moods.garbage(), moods.redirect("http://127.0.0.1:9/")):
        stage.codeship.mood = mood
        stage.workspace.types("ada", "#builds", STATUS)
        stage.workspace.types("ada", "#builds", RESTART)
        stage.settle()
    told = repr(stage.workspace.conversations.everything())
    database = stage.settings().database_url.reveal().removeprefix("sqlite:///")
    stage.stop_bot()
    with open(database, "rb") as file:
        stored = file.read().decode("latin-1")
    for secret in (API_KEY, APP_TOKEN, BOT_TOKEN, SIGNING_SECRET):
        assert secret not in told
        assert secret not in stored


@pytest.mark.serial
def test_forty_commands_a_second_are_all_acknowledged_in_time() -> None:
    with Sandbox(SystemClock()) as stage:
        stage.codeship.mood = moods.slow(0.3)
        started = time.monotonic()
        gate = threading.Event()
        with ThreadPoolExecutor(40) as crowd:
            for number in range(80):
                crowd.submit(stage.workspace.types, "ada", "#builds", STATUS)
                gate.wait(max(0.0, started + number / 40 - time.monotonic()))
        assert stage.settle()
        acks = [delivery.ack for delivery in stage.workspace.deliveries]
        assert len(acks) == 80
        assert all(ack.outcome == "acked" for ack in acks)
        assert sum(":x: *acme/web main" in line for line in seen(stage)) == 80


def test_readiness_does_not_depend_on_codeship() -> None:
    with Sandbox(HeldClock(), timeouts=UNHURRIED, ack_timeout_s=30.0) as stage:
        assert stage.bot is not None
        assert stage.bot.web is not None
        stage.codeship.mood = moods.down()
        stage.workspace.types("ada", "#builds", STATUS)
        stage.settle()
        base = f"http://127.0.0.1:{stage.bot.web.port}"
        assert requests.get(f"{base}/readyz", timeout=5).status_code == 200
        assert requests.get(f"{base}/healthz", timeout=5).status_code == 200
        assert "bot_request_seconds" in requests.get(f"{base}/metrics", timeout=5).text


def test_with_an_ops_port_the_public_port_serves_no_readiness_and_metrics() -> None:
    with Sandbox(HeldClock(), OPS_PORT="0") as stage:
        assert stage.bot is not None
        assert stage.bot.web is not None
        assert stage.bot.ops_web is not None

        def status(port: int, path: str) -> int:
            return requests.get(f"http://127.0.0.1:{port}{path}", timeout=5).status_code

        pages = ("/healthz", "/readyz", "/metrics", "/slack/events")
        assert [status(stage.bot.web.port, path) for path in pages] == [200, 404, 404, 405]
        assert [status(stage.bot.ops_web.port, path) for path in pages] == [200, 200, 200, 404]


def test_in_socket_mode_health_is_served_only_if_a_port_is_set() -> None:
    with Sandbox(HeldClock(), transport="socket mode") as without:
        assert without.bot is not None
        assert without.bot.web is None
    with Sandbox(HeldClock(), transport="socket mode", PORT="0") as stage:
        assert stage.bot is not None
        assert stage.bot.web is not None
        base = f"http://127.0.0.1:{stage.bot.web.port}"
        assert requests.get(f"{base}/readyz", timeout=5).status_code == 200
        assert requests.post(f"{base}/slack/events", data="{}", timeout=5).status_code == 404

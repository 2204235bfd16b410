"""`python -m bot` as operators run it: starting, refusing to start, stopping with unfinished work, and continuing."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot import __version__
from bot.__main__ import SLACK_AWAY_PAUSES_S, start_patiently
from bot.slack.client.auth import SlackAway, TokenRefused
from playground.codeship import faults as moods
from playground.sandbox import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, Transport
from tests.processes.bot_process import SECRETS, Runs, Sandbox, free_port

pytestmark = pytest.mark.serial

STATUS = "/codeship status acme/web main"
RESTART = "/codeship restart acme/web main"
OTHER_TOKEN = "xoxb-2-not-of-this-workspace"
OTHER_APP_TOKEN = "xapp-1-not-of-this-app"


# A life.


def test_requests_before_sigterm_are_answered_before_the_end(either: Sandbox, either_runs: Runs) -> None:
    bot = either_runs.ready()
    assert not [secret for secret in SECRETS if secret in bot.command_line]
    either.says(STATUS)
    assert either.sees("failed in 4m")
    either.codeship.mood = moods.hang()
    either.says("/codeship status acme/api main")
    assert either.codeship.wait_until(lambda: either.codeship.held == 1)
    bot.signal(signal.SIGTERM)
    assert bot.logged("stopping")["signal"] == "SIGTERM"
    either.codeship.release()
    assert bot.ended(10) == 0
    assert either.sees("*acme/api main")
    assert bot.logged("stopped")["left"] == 0


def test_a_bot_that_was_killed_does_not_send_a_restart_again(either: Sandbox, either_runs: Runs) -> None:
    build = either.codeship.newest("acme/web", "main")
    first = either_runs.ready()
    either.codeship.mood = moods.hang(on="restart", takes=False)
    either.says(RESTART)
    assert either.codeship.wait_until(lambda: either.codeship.held == 1)
    first.signal(signal.SIGKILL)
    assert first.ended() == -signal.SIGKILL
    either.codeship.release()
    either.codeship.mood = moods.FINE
    either_runs.ready()
    either.says(RESTART, "bob")
    assert either.sees("<@U0ADA>"), "the reply to bob says who asked first"
    assert either.codeship.restarts_asked(build) == 1


def test_a_fetch_that_no_request_waits_for_does_not_delay_the_end(http: Sandbox, runs: Runs) -> None:
    http.codeship.mood = moods.hang()
    bot = runs.ready()
    assert http.codeship.wait_until(lambda: http.codeship.held == 1), "the list of projects is being read"
    began = time.monotonic()
    bot.signal(signal.SIGINT)
    assert bot.ended() == 0
    assert time.monotonic() - began < 8


def test_work_unfinished_after_ten_seconds_is_left_and_logged(http: Sandbox, runs: Runs) -> None:
    bot = runs.ready()
    http.says(STATUS)
    assert http.sees("failed in 4m")
    http.codeship.mood = moods.hang()
    http.says(STATUS)
    assert http.codeship.wait_until(lambda: http.codeship.held == 1)
    began = time.monotonic()
    bot.signal(signal.SIGTERM)
    assert bot.ended() == 1
    assert time.monotonic() - began < 14
    assert bot.logged("stopped")["left"] == 1


def test_it_runs_from_any_folder_with_its_env_file(http: Sandbox, runs: Runs, tmp_path: Path) -> None:
    lines = [f"{name}={value}" for name, value in {**http.environ, "SLACK_COMMAND": "/other"}.items()]
    (tmp_path / ".env").write_text("\n".join(lines), encoding="utf-8")
    bot = runs.ready(runs.start(environ={"SLACK_COMMAND": "/codeship", "SLACK_BOT_TOKEN": ""}))
    http.says(STATUS)
    assert http.sees("failed in 4m"), "what the environment sets goes before the file, unless it is empty"
    bot.signal(signal.SIGTERM)
    assert bot.ended() == 0


# What cannot start.


def test_an_env_file_that_is_not_text_is_reported(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"SLACK_BOT_TOKEN=\xff\xfe\x00")
    told = "The file .env cannot be read: it is not text in UTF-8."
    bot = runs.start(LOG_FORMAT="text")
    assert (bot.ended(), bot.text) == (1, f"{told}\n")
    bot = runs.start()
    assert (bot.ended(), bot.lines[0]["why"]) == (1, told)


def test_all_problems_with_the_settings_are_reported_at_once(runs: Runs) -> None:
    bot = runs.start(environ={"SLACK_BOT_TOKEN": APP_TOKEN, "CODESHIP_API_URL": "http://ci.acme.io", "PORT": "http"})
    assert bot.ended() == 1
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "CODESHIP_API_KEY", "CODESHIP_API_URL", "PORT"):
        assert name in bot.text
    assert "Traceback" not in bot.text


def test_under_json_every_problem_with_the_settings_is_a_line_of_json(runs: Runs) -> None:
    bot = runs.start(environ={"SLACK_BOT_TOKEN": APP_TOKEN, "PORT": "http", "LOG_FORMAT": "json"})
    assert bot.ended() == 1
    assert len(bot.lines) == len(bot.text.splitlines())
    assert [line["event"] for line in bot.lines] == [*["setting_wrong"] * 4, "not_started"]
    assert bot.lines[0]["why"].startswith("SLACK_BOT_TOKEN contains an app-level token")


def test_a_secret_can_come_from_a_file(http: Sandbox, runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{BOT_TOKEN}\n")
    environ = {name: value for name, value in http.environ.items() if name != "SLACK_BOT_TOKEN"}
    bot = runs.start(environ=environ | {"SLACK_BOT_TOKEN_FILE": str(tmp_path / "token")})
    runs.ready(bot)
    both = runs.start(SLACK_BOT_TOKEN_FILE=str(tmp_path / "token"), LOG_FORMAT="text")
    assert both.ended() == 1
    assert "SLACK_BOT_TOKEN and SLACK_BOT_TOKEN_FILE are both set: leave one out." in both.text


def test_it_says_its_version(runs: Runs) -> None:
    bot = runs.start("--version", environ={})
    assert (bot.ended(), bot.text) == (0, f"codeship-bot {__version__}\n")


@pytest.mark.parametrize(
    ("transport", "setting", "value", "why"),
    [
        ("http", "SLACK_BOT_TOKEN", OTHER_TOKEN, "Slack rejected SLACK_BOT_TOKEN: invalid_auth."),
        ("socket mode", "SLACK_APP_TOKEN", OTHER_APP_TOKEN, "Slack refuses SLACK_APP_TOKEN (invalid_auth)"),
        ("http", "PORT", "taken", "another process listens there already. Set PORT to a free one."),
        ("http", "DATABASE_URL", "sqlite:////nowhere/at/all.sqlite3", "there is no directory /nowhere/at"),
    ],
)
def test_a_failed_start_says_why_and_exits(
    tmp_path: Path, transport: Transport, setting: str, value: str, why: str
) -> None:
    sandbox = Sandbox(transport, tmp_path)
    sandbox.start_codeship()
    sandbox.start_slack()
    runs = Runs(sandbox, tmp_path)
    try:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            bot = runs.start(**{setting: port if value == "taken" else value})
            assert bot.ended() == 1
        assert why in bot.logged("not_started")["why"]
        assert value not in bot.text or setting == "DATABASE_URL"
        assert "Traceback" not in bot.text
    finally:
        runs.stop()
        sandbox.stop()


# If Slack is away.


def test_a_bot_that_starts_before_its_network_becomes_ready(tmp_path: Path) -> None:
    port = free_port()
    sandbox = Sandbox("http", tmp_path, slack_port=port)
    sandbox.start_codeship()
    runs = Runs(sandbox, tmp_path)
    try:
        bot = runs.start(SLACK_API_URL=f"http://127.0.0.1:{port}/api/")
        assert "Slack could not be reached" in bot.logged("slack_unreachable")["why"]
        sandbox.start_slack()
        runs.ready(bot)
    finally:
        runs.stop()
        sandbox.stop()


def test_a_bot_that_waits_for_slack_can_be_stopped(runs: Runs) -> None:
    bot = runs.start(SLACK_API_URL=f"http://127.0.0.1:{free_port()}/api/")
    bot.logged("slack_unreachable")
    began = time.monotonic()
    bot.signal(signal.SIGTERM)
    assert bot.ended() == 0
    assert time.monotonic() - began < 8


def test_it_gives_up_after_five_attempts() -> None:
    waited: list[float] = []

    def start() -> None:
        raise SlackAway("Slack could not be reached.")

    with capture_logs() as logs, pytest.raises(SlackAway):
        start_patiently(start, lambda seconds: bool(waited.append(seconds)))
    assert waited == list(SLACK_AWAY_PAUSES_S)
    assert [line["event"] for line in logs] == ["slack_unreachable"] * 4
    assert sum(waited) < 30


def test_a_permanent_error_is_not_retried_at_the_start() -> None:
    def start() -> None:
        raise TokenRefused("Slack does not take it.")

    with pytest.raises(TokenRefused):
        start_patiently(start, lambda seconds: pytest.fail("waited"))


def test_a_wrong_signing_secret_is_not_noticed_at_the_start(http: Sandbox, runs: Runs) -> None:
    """It cannot be checked in advance. Slack's requests are then refused, and the log says what to check."""
    bot = runs.ready(runs.start(SLACK_SIGNING_SECRET=SIGNING_SECRET[::-1]))
    delivery = http.workspace.types("ada", "#builds", STATUS)
    assert delivery is not None
    assert delivery.ack.status == 401
    assert "SLACK_SIGNING_SECRET" in bot.logged("slack_request_rejected")["why"]
    assert BOT_TOKEN not in bot.text

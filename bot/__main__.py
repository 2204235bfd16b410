"""python -m bot: runs until SIGTERM. python -m bot --check: says, line by line, whether everything is in place."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Mapping
from types import FrameType

import structlog
from dotenv import dotenv_values

from bot import logs
from bot.settings import BadSettings, Settings

log = structlog.get_logger("bot")

FAILED = 1


def main(arguments: list[str], environ: Mapping[str, str]) -> int:
    """The exit status: 0, or 1 where something is wrong, which has been told then."""
    parser = argparse.ArgumentParser(prog="python -m bot", description="A Slack bot for CI builds.")
    parser.add_argument("--check", action="store_true", help="say whether everything is in place, and exit")
    check = parser.parse_args(arguments).check
    try:
        settings = Settings.read(environ)
    except BadSettings as problem:
        print(problem, file=sys.stderr)
        return FAILED
    level = "CRITICAL" if check else settings.log_level  # what is checked is said, not logged
    logs.configure(level, settings.log_format, settings.secrets())
    if check:
        from bot.check import check_all

        return 0 if check_all(settings, environ, print) else FAILED
    return _run(settings, environ)


def _run(settings: Settings, environ: Mapping[str, str]) -> int:
    from bot.assembly import Bot
    from bot.clock import SystemClock
    from bot.slack.identity import SlackAway, TokenRefused
    from bot.slack.socket_mode import AppTokenRefused
    from bot.store.engine import StoreError
    from bot.web import CannotListen

    ending = threading.Event()
    died = threading.Event()

    def end(number: int, _frame: FrameType | None) -> None:
        log.info("stopping", signal=signal.Signals(number).name)
        ending.set()

    def on_dead() -> None:
        died.set()
        ending.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    try:
        bot = Bot(settings, SystemClock(), environ, on_dead=on_dead)
    except StoreError as problem:
        log.error("not_started", why=str(problem))
        return FAILED
    try:
        bot.start()
        ending.wait()
        status = FAILED if died.is_set() else 0
    except (TokenRefused, SlackAway, AppTokenRefused, CannotListen) as problem:
        log.error("not_started", why=str(problem))
        status = FAILED
    if bot.stop():
        sys.stderr.flush()
        os._exit(status or FAILED)  # threads that hang in their work would keep the process alive
    return status


if __name__ == "__main__":
    dotenv = {name: value for name, value in dotenv_values(".env").items() if value is not None}
    sys.exit(main(sys.argv[1:], {**dotenv, **{name: value for name, value in os.environ.items() if value}}))

"""`python -m bot` runs the bot until SIGTERM. `python -m bot check` tests the configuration.

`python -m bot audit` exports the audit log. `python -m bot migrate` shows what has moved from CodeShip to GitHub.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from types import FrameType
from typing import Any

import structlog
from dotenv import dotenv_values

from bot import __version__, logs
from bot.app.settings import BadSettings, Settings, rows
from bot.config.parsers import tidied
from bot.config.secret_files import with_secrets_from_files
from bot.core.model.names.slack_ids import USER_ID
from bot.slack.client.auth import AppTokenRefused, SlackAway, TokenRefused

log = structlog.get_logger("bot")

FAILED = 1
CHECK = (
    "Tests the settings, the database, Slack and the CI services, and prints a line for each. Exit status 0 means that "
    "the bot can start. Changes nothing."
)
AUDIT = (
    "Writes the audit log to standard output, oldest first, in UTC. csv is for spreadsheets: formulas are disabled. "
    "json is exact, one object per line. The only setting needed is DATABASE_URL."
)
MIGRATE = (
    "Compares the repositories on CodeShip and GitHub by name, and prints the settings to serve both. Needs the "
    "credentials of both, whatever CI_PROVIDERS says. Changes nothing."
)
WEBHOOK = (
    "Shows the address for CodeShip's webhook, with the secret token in it. Makes a new token if none is set, or "
    "with --new. Changes no setting itself."
)
SLACK_AWAY_PAUSES_S = (1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts to reach Slack: a machine that boots may have no network yet. Five failures are an error."""


def main(arguments: list[str], environ: Mapping[str, str]) -> int:
    """Runs the command. Returns the exit status: 0, or 1 after an error, which has been reported."""
    parser = argparse.ArgumentParser(prog="python -m bot", description="A Slack bot for CI builds.")
    parser.add_argument("--version", action="version", version=f"codeship-bot {__version__}")
    parser.add_argument("--check", action="store_true", help="the same as the command check")
    for_person: dict[str, Any] = {
        "dest": "asker",
        "metavar": "USER_ID",
        "type": user_id,
        "help": "with check: also show what the policy allows this person",
    }
    parser.add_argument("--as", **for_person)
    commands = parser.add_subparsers(dest="command", title="commands", metavar="command")
    checking = commands.add_parser("check", help="test all settings and credentials", description=CHECK)
    checking.add_argument("--as", **for_person, default=argparse.SUPPRESS)  # else it would undo the one before `check`
    commands.add_parser(
        "migrate", help="compare CodeShip with GitHub, and print settings for both", description=MIGRATE
    )
    audit = commands.add_parser("audit", help="export the audit log", description=AUDIT)
    audit.add_argument("--since", metavar="WHEN", help="a date (2026-03-01) or an age (7d, 12h); default: all")
    audit.add_argument("--format", choices=("csv", "json"), default="csv", help="default: csv")
    audit.add_argument("--repo", metavar="NAME", help="org/name, or only the name; default: all")
    webhook = commands.add_parser(
        "webhook", help="show or make the address for CodeShip's webhook", description=WEBHOOK
    )
    webhook.add_argument("--new", action="store_true", help="make a new token, which replaces the one that is set")
    manifest = commands.add_parser("manifest", help="print manifest.yml as JSON, for the Slack CLI")
    for each in (parser, manifest):  # the Slack CLI adds these to every hook
        each.add_argument("--protocol", help=argparse.SUPPRESS)
        each.add_argument("--boundary", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.command == "manifest":
        return _manifest(chosen, environ)
    try:
        return _with_settings(chosen, environ)
    except BadSettings as problem:
        return _tell(problem, environ)


def _with_settings(chosen: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Runs a command that reads settings. Returns the exit status. Raises BadSettings."""
    environ, problems = with_secrets_from_files(environ, rows())
    if problems:
        raise BadSettings(problems)
    if chosen.command == "audit":
        return _export(chosen, environ)
    if chosen.command == "migrate":
        return _migrate(environ)
    if chosen.command == "webhook":
        from bot.cli.webhook import webhook as show_webhook

        show_webhook(environ, print, new=chosen.new)
        return 0
    settings = Settings.read(environ)
    check = chosen.check or chosen.command == "check"
    level = "CRITICAL" if check else settings.log_level  # a check prints its results and logs nothing
    logs.configure(level, settings.log_format, settings.secrets())
    if check:
        from bot.cli.check import check_all

        return 0 if check_all(settings, environ, print, asker=chosen.asker) else FAILED
    return _run(settings, environ)


def _tell(bad: BadSettings, environ: Mapping[str, str]) -> int:
    """Prints the problems for a person, or logs a line for each if LOG_FORMAT is json. Returns the exit status."""
    if not _logs_json(environ):
        print(bad, file=sys.stderr)
        return FAILED
    logs.configure("ERROR", "json")
    for problem in bad.problems:
        log.error("setting_wrong", why=problem)
    log.error("not_started", why="settings are missing or wrong", problems=len(bad.problems))
    return FAILED


def _failed(why: object, environ: Mapping[str, str]) -> int:
    """Prints why a command failed, or logs it if LOG_FORMAT is json. Returns the exit status."""
    if _logs_json(environ):
        logs.configure("ERROR", "json")
        log.error("command_failed", why=str(why))
    else:
        print(why, file=sys.stderr)
    return FAILED


def _logs_json(environ: Mapping[str, str]) -> bool:
    """Whether LOG_FORMAT is json, even if other settings are wrong."""
    return tidied(environ.get("LOG_FORMAT", "")).lower() == "json"


def _manifest(chosen: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from bot.cli.manifest import manifest_as_json

    try:
        print(manifest_as_json(chosen.boundary))
    except OSError as problem:
        return _failed(f"manifest.yml cannot be read: {problem.strerror}", environ)
    return 0


def _export(chosen: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from bot.app.clock import SystemClock
    from bot.cli.export_audit import NotExported, export

    try:
        with open(sys.stdout.fileno(), "w", encoding="utf-8", newline="\n", closefd=False) as out:
            now = SystemClock().now()
            export(environ, out, since=chosen.since, repo=chosen.repo, form=chosen.format, now=now)
    except BrokenPipeError:  # the reader closed the pipe, like `head`
        return FAILED
    except (NotExported, OSError) as problem:
        return _failed(problem, environ)
    return 0


def _migrate(environ: Mapping[str, str]) -> int:
    from bot.cli.migrate import CannotCompare, migrate

    try:
        migrate(environ, print)
    except CannotCompare as problem:
        return _failed(problem, environ)
    return 0


def user_id(text: str) -> str:
    """Parses a Slack user id. Raises ArgumentTypeError."""
    if USER_ID.fullmatch(text) is None:
        raise argparse.ArgumentTypeError("give an id, such as U0123ABCD; Slack shows it under Copy member ID")
    return text


def _run(settings: Settings, environ: Mapping[str, str]) -> int:
    gc.disable()  # until it is ready: what the imports make stays, and looking through it takes a tenth of a second
    from bot.app.bot import Bot
    from bot.app.clock import SystemClock
    from bot.config.toml_file import FileError, reload_for_ever
    from bot.http_server import CannotListen
    from bot.store.engine import StoreError

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
    hangups: SimpleQueue[int] = SimpleQueue()  # the only queue that a signal handler may put into
    has_files = settings.policy or settings.subscriptions
    # Without a file there is nothing to reload, and a closed terminal must not end the bot.
    signal.signal(signal.SIGHUP, (lambda number, _frame: hangups.put(number)) if has_files else signal.SIG_IGN)
    try:
        bot = Bot(settings, SystemClock(), environ, on_dead=on_dead)
    except FileError as problem:
        if settings.log_format == "text":
            print(problem, file=sys.stderr)
        else:
            log.error("not_started", why=str(problem))
        return FAILED
    except StoreError as problem:
        log.error("not_started", why=str(problem))
        return FAILED
    if has_files:
        threading.Thread(target=reload_for_ever, args=(bot.reloads, hangups.get), name="files", daemon=True).start()
    try:
        start_patiently(bot.start, ending.wait)
        _collect_garbage_from_now_on()
        ending.wait()
        status = FAILED if died.is_set() else 0
    except (TokenRefused, SlackAway, AppTokenRefused, CannotListen, StoreError) as problem:
        log.error("not_started", why=str(problem))
        status = FAILED
    if bot.stop():
        status = FAILED
    logging.shutdown()
    os._exit(status)  # a thread that hangs in a call would keep the process alive


def _collect_garbage_from_now_on() -> None:
    """What is there once the bot is ready stays, so later collections need not look through it: 4 ms instead of 90."""
    gc.collect()
    gc.freeze()
    gc.enable()


def start_patiently(start: Callable[[], None], wait: Callable[[float], bool]) -> None:
    """Calls `start`, and again after a pause while Slack is away. `wait(seconds)` returns True to give up.

    Raises SlackAway after the last attempt, and anything else that `start` raises.
    """
    for pause_s in SLACK_AWAY_PAUSES_S:
        try:
            return start()
        except SlackAway as problem:
            log.warning("slack_unreachable", why=str(problem), again_in_s=pause_s)
        if wait(pause_s):
            return None
    return start()


def settings_around() -> dict[str, str]:
    """The environment, completed by `.env` in the current folder. Raises OSError or ValueError if that
    cannot be read.
    """
    found: dict[str, str | None] = {}
    if os.path.exists(".env"):
        with open(".env", encoding="utf-8") as file:
            found |= dotenv_values(stream=file)
    found |= {name: value for name, value in os.environ.items() if value}
    return {name: value for name, value in found.items() if value is not None}


if __name__ == "__main__":
    try:
        around = settings_around()
    except (OSError, ValueError) as unreadable:
        why = f"The file .env cannot be read: {getattr(unreadable, 'strerror', None) or 'it is not text in UTF-8'}."
        sys.exit(_tell(BadSettings([why]), os.environ) if _logs_json(os.environ) else why)
    sys.exit(main(sys.argv[1:], around))

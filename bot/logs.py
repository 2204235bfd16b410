"""Logging: events with fields, one line each, on standard error, with every secret hidden.

All events go through the standard library's root logger, so other libraries' lines look the same and are redacted, too.
Only `configure` has an effect, and on the whole process: the entry point calls it once.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterable, MutableMapping
from secrets import choice
from typing import Any, Literal, TextIO

import structlog

HIDDEN = "[hidden]"
NOTHING = r"(?!)"
"""A pattern that never matches."""

_CHATTY = (
    "alembic.runtime.plugins",  # logs a line for each of its plugins at every start
    "slack_sdk.web.base_client",  # logs several lines per retry; the caller logs each call's result
)
_REFERENCE_CHARACTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # without characters that look like others: 0 o 1 l i
_PLAIN_WORD = re.compile(r"[^\s\"'=\\]+")
_BREAKS_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

_SECRET_SHAPES = (
    r"xox[a-z](?:\.xox[a-z])?-[\w-]{6,}",  # Slack's tokens, including any that this bot never received
    r"xapp-[\w-]{6,}",
    r"(?:gh[a-z]|github_pat)_\w{6,}",  # GitHub's tokens, including the App's, which change every hour
    r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}",  # the JWT with which the App authenticates
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
    r"(?<=api_key=)[^&\s\"'\\]+",  # CodeShip's key, in any quoted address
    # A response URL: anyone who has it can post in the bot's name. First as an address, then as urllib3 logs it:
    # https://hooks.slack.com:443 "POST /commands/…", host='hooks.slack.com', port=443): … with url: /commands/…
    # The last pattern is for any host: SLACK_API_URL may be a proxy.
    r"(?<=hooks\.slack\.com/)[\w/%.-]+",
    r"(?<=hooks\.slack-gov\.com/)[\w/%.-]+",
    r"(?<=hooks\.slack)(?:-gov)?\.com(?::\d+)?\W{1,8}[a-z]{3,7} /[\w/%.-]+",
    r"(?<=hooks\.slack)(?:-gov)?\.com[^/\n]{1,100}url: /[\w/%.-]+",
    r"(?:commands|actions|app|services|workflows)(?:/|%2f)[TE]\w+(?:/|%2f)(?:\d+|B\w{6,})(?:/|%2f)[\w%.-]+",
    r"(?<=[?&]ticket=)[^&\s\"'\\]+",  # the ticket in Socket Mode's address
)

Event = MutableMapping[str, Any]


def configure(
    level: str, form: Literal["text", "json"], secrets: Iterable[str] = (), *, stream: TextIO | None = None
) -> None:
    """Sends events at `level` or above, and uncaught exceptions, to `stream` (default: standard error)."""
    handler = _Lines(_Formatter(form, hide(secrets)), stream or sys.stderr)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    if level != "DEBUG":
        for name in _CHATTY:
            logging.getLogger(name).setLevel("CRITICAL")
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread
    sys.unraisablehook = _log_unraisable


def reference() -> str:
    """A random reference of six easily read characters. A person sees it with an error; the log has it with
    the cause.
    """
    return "".join(choice(_REFERENCE_CHARACTERS) for _ in range(6))


def hide(secrets: Iterable[str], *, shapes: Iterable[str] = _SECRET_SHAPES) -> Callable[[str], str]:
    """Returns a function that masks `secrets` in a text, in any encoding, and everything of one of these `shapes`."""
    spelled = ["".join(map(_any_spelling, secret)) for secret in sorted(secrets, key=len, reverse=True) if secret]
    pattern = re.compile("|".join([*spelled, *shapes]) or NOTHING, re.IGNORECASE)
    return lambda text: pattern.sub(HIDDEN, text)


def _any_spelling(character: str) -> str:
    """A pattern for a character: as it is, percent-encoded once or more, or escaped up to four times by
    repr or JSON.
    """
    if character.isascii() and character.isalnum():
        return character
    percent = "".join(f"%(?:25)*{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    escaped = rf"\\+u{ord(character):04x}|\\+x{ord(character):02x}"
    doubled = r"\\{16}|\\{8}|\\{4}|\\{2}|\\"  # not \\+, which would swallow the escape of a following quote
    as_it_is = doubled if character == "\\" else rf"\\*{re.escape(character)}"
    space = r"|\+" if character == " " else ""
    return f"(?:{as_it_is}|{percent}|{escaped}{space})"


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Formats a record as one line. Hiding secrets is the very last step."""

    def __init__(self, form: Literal["text", "json"], redact: Callable[[str], str]) -> None:
        super().__init__(
            processors=[
                structlog.stdlib.add_logger_name,
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
                structlog.processors.format_exc_info,
                self.remove_processors_meta,
                _as_json if form == "json" else _as_text,
            ],
            foreign_pre_chain=[structlog.stdlib.ExtraAdder()],
        )
        self._hidden = redact

    def format(self, record: logging.LogRecord) -> str:
        try:
            line = super().format(record)
        except Exception as error:  # noqa: BLE001 - a value that cannot be formatted must not raise into the caller
            line = super().format(_undrawable(record, error))
        return self._hidden(line)


def _undrawable(record: logging.LogRecord, error: Exception) -> logging.LogRecord:
    """The record of an event that cannot be formatted: only where it came from, since its text is what failed."""
    return logging.makeLogRecord(
        {
            "name": record.name,
            "levelno": record.levelno,
            "levelname": record.levelname,
            "msg": "a log event could not be drawn",
            "where": f"{record.pathname}:{record.lineno}",
            "why": type(error).__name__,
        }
    )


class _Lines(logging.StreamHandler[TextIO]):
    """Writes lines. Drops what cannot be written: logging's own error report would print it with secrets."""

    def __init__(self, formatter: logging.Formatter, stream: TextIO) -> None:
        super().__init__(stream)
        self.setFormatter(formatter)

    def handleError(self, record: logging.LogRecord) -> None:
        pass


def _as_json(_logger: object, _method: str, event: Event) -> str:
    """ASCII JSON, so that all readers agree where a line ends."""
    return json.dumps(_in_order(event), default=str)


def _as_text(_logger: object, _method: str, event: Event) -> str:
    fields = _in_order(event)
    head = f"{fields.pop('time')} {fields.pop('level'):<8} {fields.pop('event')}"
    line = " ".join([head, *(f"{name}={_word(value)}" for name, value in fields.items())])
    return _BREAKS_A_LINE.sub(lambda found: json.dumps(found.group())[1:-1].replace("\x7f", "\\u007f"), line)


def _in_order(event: Event) -> dict[str, Any]:
    """Time, level, event and logger first, a traceback last."""
    first = {name: event.get(name) for name in ("time", "level", "event", "logger")}
    last = {"exception": event["exception"]} if "exception" in event else {}
    return {**first, **{name: value for name, value in event.items() if name not in (*first, *last)}, **last}


def _word(value: object) -> str:
    text = str(value)
    return text if _PLAIN_WORD.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    structlog.get_logger("bot").critical("unhandled_exception", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(uncaught: threading.ExceptHookArgs) -> None:
    if uncaught.exc_type is SystemExit:
        return
    trouble = (uncaught.exc_type, uncaught.exc_value, uncaught.exc_traceback)
    thread = uncaught.thread.name if uncaught.thread else None
    structlog.get_logger("bot").critical("unhandled_exception_in_thread", thread=thread, exc_info=trouble)


def _log_unraisable(unraisable: Any) -> None:
    trouble = (unraisable.exc_type, unraisable.exc_value, unraisable.exc_traceback)
    structlog.get_logger("bot").error("unraisable_exception", exc_info=trouble)

"""How the bot logs: events with fields, one line each, on standard error, with every secret hidden.

All of it goes through the standard library's root logger, so that other people's libraries look and are redacted alike.
Only `configure` changes anything, and it changes the whole process: it is called once, by whoever starts the process.
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
"""A pattern that matches nowhere."""

_CHATTY = (
    "alembic.runtime.plugins",  # at every start, a line for each plugin that it brings along
    "slack_sdk.web.base_client",  # each retry in several lines; what came of a call is logged by whoever made it
)
_REFERENCE_SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"  # without those that look like others: 0 o 1 l i
_PLAIN_WORD = re.compile(r"[^\s\"'=\\]+")
_BREAKS_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

_SECRET_SHAPES = (
    r"xox[a-z](?:\.xox[a-z])?-[\w-]{6,}",  # Slack's tokens, also ones that this bot was never given
    r"xapp-[\w-]{6,}",
    r"(?:gh[a-z]|github_pat)_\w{6,}",  # GitHub's, the App's among them, which are new every hour
    r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}",  # the App's own word for who it is
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
    r"(?<=api_key=)[^&\s\"'\\]+",  # CodeShip's key, wherever an address is quoted
    # A response URL: with it anyone can answer in the bot's name. As an address, then as urllib3 names it:
    # https://hooks.slack.com:443 "POST /commands/…", host='hooks.slack.com', port=443): … with url: /commands/…
    # The last one is for any host: SLACK_API_URL may be a proxy.
    r"(?<=hooks\.slack\.com/)[\w/%.-]+",
    r"(?<=hooks\.slack-gov\.com/)[\w/%.-]+",
    r"(?<=hooks\.slack)(?:-gov)?\.com(?::\d+)?\W{1,8}[a-z]{3,7} /[\w/%.-]+",
    r"(?<=hooks\.slack)(?:-gov)?\.com[^/\n]{1,100}url: /[\w/%.-]+",
    r"(?:commands|actions|app|services|workflows)(?:/|%2f)[TE]\w+(?:/|%2f)(?:\d+|B\w{6,})(?:/|%2f)[\w%.-]+",
    r"(?<=[?&]ticket=)[^&\s\"'\\]+",  # Socket Mode's way in
)

Event = MutableMapping[str, Any]


def configure(
    level: str, form: Literal["text", "json"], secrets: Iterable[str] = (), *, stream: TextIO | None = None
) -> None:
    """Sends everything that is logged at `level` or above to `stream` (standard error), and uncaught exceptions too."""
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
    """Six signs that are easy to read out: said to a person with an error, and logged with its cause."""
    return "".join(choice(_REFERENCE_SIGNS) for _ in range(6))


def hide(secrets: Iterable[str], *, shapes: Iterable[str] = _SECRET_SHAPES) -> Callable[[str], str]:
    """A function that hides `secrets` in a text, however they are spelled, and what has one of these `shapes`."""
    spelled = ["".join(map(_any_spelling, secret)) for secret in sorted(secrets, key=len, reverse=True) if secret]
    pattern = re.compile("|".join([*spelled, *shapes]) or NOTHING, re.IGNORECASE)
    return lambda text: pattern.sub(HIDDEN, text)


def _any_spelling(sign: str) -> str:
    """A pattern for one sign as it is, percent-encoded once or more, or escaped by repr or JSON up to four times."""
    if sign.isascii() and sign.isalnum():
        return sign
    percent = "".join(f"%(?:25)*{byte:02x}" for byte in sign.encode("utf-8", "surrogatepass"))
    escaped = rf"\\+u{ord(sign):04x}|\\+x{ord(sign):02x}"
    doubled = r"\\{16}|\\{8}|\\{4}|\\{2}|\\"  # not \\+, which would eat the escape of a quote that follows
    as_it_is = doubled if sign == "\\" else rf"\\*{re.escape(sign)}"
    space = r"|\+" if sign == " " else ""
    return f"(?:{as_it_is}|{percent}|{escaped}{space})"


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Draws a record as one line, and hides what must not be seen as the very last step."""

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
        except Exception as error:  # noqa: BLE001 - a value that cannot be drawn must not raise into the work
            line = super().format(_undrawable(record, error))
        return self._hidden(line)


def _undrawable(record: logging.LogRecord, error: Exception) -> logging.LogRecord:
    """Says where the event came from. Neither its words nor the error's: they are what could not be drawn."""
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
    """Writes lines. What cannot be written is lost in silence: logging's own complaint would print it unredacted."""

    def __init__(self, formatter: logging.Formatter, stream: TextIO) -> None:
        super().__init__(stream)
        self.setFormatter(formatter)

    def handleError(self, record: logging.LogRecord) -> None:
        pass


def _as_json(_logger: object, _method: str, event: Event) -> str:
    """ASCII alone, so that no reader of lines can disagree on where one ends."""
    return json.dumps(_in_order(event), default=str)


def _as_text(_logger: object, _method: str, event: Event) -> str:
    fields = _in_order(event)
    head = f"{fields.pop('time')} {fields.pop('level'):<8} {fields.pop('event')}"
    line = " ".join([head, *(f"{name}={_word(value)}" for name, value in fields.items())])
    return _BREAKS_A_LINE.sub(lambda sign: json.dumps(sign.group())[1:-1].replace("\x7f", "\\u007f"), line)


def _in_order(event: Event) -> dict[str, Any]:
    """Time, level, event and logger first, a traceback last."""
    first = {name: event.get(name) for name in ("time", "level", "event", "logger")}
    last = {"exception": event["exception"]} if "exception" in event else {}
    return {**first, **{name: value for name, value in event.items() if name not in (*first, *last)}, **last}


def _word(value: object) -> str:
    text = str(value)
    return text if _PLAIN_WORD.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    structlog.get_logger("bot").critical("uncaught exception", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(uncaught: threading.ExceptHookArgs) -> None:
    if uncaught.exc_type is SystemExit:
        return
    trouble = (uncaught.exc_type, uncaught.exc_value, uncaught.exc_traceback)
    thread = uncaught.thread.name if uncaught.thread else None
    structlog.get_logger("bot").critical("uncaught exception in a thread", thread=thread, exc_info=trouble)


def _log_unraisable(unraisable: Any) -> None:
    trouble = (unraisable.exc_type, unraisable.exc_value, unraisable.exc_traceback)
    structlog.get_logger("bot").error("exception that nobody could catch", exc_info=trouble)

"""Turns fields of untrusted JSON into safe values: of the right type, bounded in length, printable. Pure.

A value of the wrong type, or an empty one, becomes None. Nothing here raises.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

MAX_WORD, MAX_ID, MAX_NAME, MAX_BRANCH, MAX_AUTHOR, MAX_MESSAGE = 100, 100, 300, 1_000, 200, 10_000
MAX_EMAIL = 254
MAX_ADDRESS = 2_000

# Control characters, line separators, and half surrogate pairs, which no database and no socket accepts.
_NOT_IN_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NOT_IN_A_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ADDRESS = re.compile(r"https?://[!-~]+", re.IGNORECASE)
_NOT_IN_AN_ADDRESS = re.compile(r"""["'<>|\\^`{}@]""")
_MAX_NUMBER = 10**18

Shape = TypeVar("Shape", bound=msgspec.Struct)


def id_(value: object) -> str | None:
    """An id: a number from 0 up, or a word, as a string."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if 0 <= value < _MAX_NUMBER else None
    word = line(value, MAX_ID + 1)
    return word if word is not None and len(word) <= MAX_ID else None


def count(value: object) -> int | None:
    """A whole number from 1 up, such as an attempt's number."""
    return value if type(value) is int and 1 <= value < _MAX_NUMBER else None


def line(value: object, limit: int) -> str | None:
    """A text on one line."""
    if not isinstance(value, str):
        return None
    return _NOT_IN_A_LINE.sub("", value[: 2 * limit]).strip()[:limit] or None


def text(value: object, limit: int) -> str | None:
    """A text of any number of lines."""
    if not isinstance(value, str):
        return None
    lines = value[: 2 * limit].replace("\r\n", "\n").replace("\r", "\n")
    return _NOT_IN_A_TEXT.sub("", lines).strip()[:limit] or None


def time(value: object) -> datetime | None:
    """A time in ISO 8601; UTC if it has no zone."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def address(value: object) -> str | None:
    """The http or https address of a page, without a trailing slash. None with user info or characters to escape."""
    if not isinstance(value, str) or len(value) > MAX_ADDRESS:
        return None
    if not _ADDRESS.fullmatch(value) or _NOT_IN_AN_ADDRESS.search(value):
        return None
    try:
        return value.rstrip("/") if urlsplit(value).hostname else None
    except ValueError:
        return None


def read_damaged(body: bytes) -> Any:
    """Parses JSON that is partly damaged: bytes that are not UTF-8, entries that are not objects. Slow."""
    try:
        return json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return None


def picked(entry: object, shape: type[Shape]) -> Shape | None:
    """The fields that `shape` names, unconverted; None if `entry` is not an object."""
    if not isinstance(entry, dict):
        return None
    return shape(**{name: entry.get(name) for name in shape.__struct_fields__})

"""How the database stores a job: its key, and versioned JSON for its payload, results and errors."""

from __future__ import annotations

import hashlib
import json
from typing import Any

MAX_KEY = 200
VERSION = 1
"""The version of the JSON around each value. The code that writes a value is responsible for its fields."""


class JobFailed(Exception):
    """Ends a job that raised. The error has been reported; `str()` is the name of its class."""


class StepFailed(Exception):
    """What a step raised, in this process or an earlier one: the name of the error's class, and its text.

    A failing step always raises this, so that its job sees the same error after a crash.
    """

    def __init__(self, type_: str, text: str) -> None:
        super().__init__(f"{type_}: {text}" if text else type_)
        self.type = type_
        self.text = text

    @classmethod
    def of(cls, error: Exception) -> StepFailed:
        try:
            text = str(error)
        except Exception:  # noqa: BLE001 - an error whose `str()` raises
            text = ""
        return cls(type(error).__name__, text)


def id_of(key: str) -> str:
    """The key itself if it is short and plain, else its hash. So any key can be stored, in bounded space."""
    plain = 0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable() and key.strip() == key
    if plain and not key.startswith("#"):
        return key
    return f"#{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"


def to_text(value: object) -> str:
    """ASCII JSON, which both databases take. Raises TypeError or ValueError for a value that JSON would change.

    An exception becomes the name of its class and its text.
    """
    if isinstance(value, Exception):
        error = value if isinstance(value, StepFailed) else StepFailed.of(value)
        return json.dumps({"v": VERSION, "error": {"type": error.type, "text": error.text}})
    text = json.dumps({"v": VERSION, "value": value}, allow_nan=False)
    if json.loads(text)["value"] != value:  # a tuple, or a key that is not a string
        raise TypeError(f"a {type(value).__name__} that JSON would change cannot be stored")
    return text


def from_text(text: str) -> Any:
    """Reads what `to_text` wrote; an exception becomes a StepFailed. Raises ValueError for another version's JSON."""
    stored = json.loads(text)
    if not isinstance(stored, dict) or stored.get("v") != VERSION:
        raise ValueError(f"this work was stored by another version of the bot, which this one ({VERSION}) cannot read")
    if "error" in stored:
        return StepFailed(stored["error"]["type"], stored["error"]["text"])
    return stored["value"]

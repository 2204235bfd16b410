"""What the database holds of a job: its key, and JSON with a version for its payload, its results and its errors."""

from __future__ import annotations

import hashlib
import json
from typing import Any

MAX_KEY = 200
VERSION = 1
"""Of the JSON around each value. A value's own fields are the concern of the code that writes it."""


class JobFailed(Exception):
    """Ends a job that raised. Its error has been told; `str()` says what kind it was, and no more."""


class StepFailed(Exception):
    """What a step raised, in this process or in an earlier one: the name of the error's class, and its text.

    A step that fails raises this at once, so that its job sees the same error after a crash.
    """

    def __init__(self, type_: str, text: str) -> None:
        super().__init__(f"{type_}: {text}" if text else type_)
        self.type = type_
        self.text = text

    @classmethod
    def of(cls, error: Exception) -> StepFailed:
        try:
            text = str(error)
        except Exception:  # noqa: BLE001 - an error that cannot even be shown
            text = ""
        return cls(type(error).__name__, text)


def id_of(key: str) -> str:
    """As it is where it is short and plain; else its hash, so that any key can be stored, and costs no more."""
    plain = 0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable() and key.strip() == key
    if plain and not key.startswith("#"):
        return key
    return f"#{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"


def to_text(value: object) -> str:
    """JSON in ASCII, which either database takes. Raises TypeError or ValueError for a value that JSON would change.

    An exception is written as the name of its class and its text.
    """
    if isinstance(value, Exception):
        error = value if isinstance(value, StepFailed) else StepFailed.of(value)
        return json.dumps({"v": VERSION, "error": {"type": error.type, "text": error.text}})
    text = json.dumps({"v": VERSION, "value": value}, allow_nan=False)
    if json.loads(text)["value"] != value:  # a tuple, or a key that is no string
        raise TypeError(f"a {type(value).__name__} that JSON would change cannot be stored")
    return text


def from_text(text: str) -> Any:
    """What `to_text` wrote; a StepFailed for an exception. Raises ValueError for JSON of another version."""
    stored = json.loads(text)
    if not isinstance(stored, dict) or stored.get("v") != VERSION:
        raise ValueError(f"this work was stored by another version of the bot, which this one ({VERSION}) cannot read")
    if "error" in stored:
        return StepFailed(stored["error"]["type"], stored["error"]["text"])
    return stored["value"]

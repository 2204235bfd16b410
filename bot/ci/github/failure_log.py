"""Cuts the log of a failed job down to the lines that say why its step failed. Pure: no I/O, no clock.

The last lines of a job's log are its clean-up, so the failed step's are found by their time: each line begins with one.
Of these the last `##[error]` counts, with what was printed before it.
"""

from __future__ import annotations

import re
from collections import deque
from datetime import datetime, timedelta

from bot.ci import json_fields as cleaning

LINES_BEFORE = 14
"""How many lines before the error are kept."""
MAX_LINE = 300
"""Characters of a line that are kept."""
MAX_INDENT = 40

_TIMED = re.compile(rb"\xef?\xbb?\xbf?(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?Z ?(?P<text>.*)", re.DOTALL)
_ERROR = b"##[error]"
_COMMAND = b"##[group]Run "
"""How the log of a step that runs a command begins."""
_MARK = re.compile(r"##\[[a-z]{1,20}\]")
_ANSI = re.compile(r"\x1b(?:\[[0-9;:?]{0,40}[ -/]?[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|[@-Z\\^_])")
_MAX_BYTES_OF_A_LINE = 4_096
_SECOND = timedelta(seconds=1)


class StepLog:
    """Takes a job's log piece by piece, in order, and keeps the lines of the step that ran from `started_at` on.

    GitHub tells the step's times in whole seconds: the second in which it ended is its own.
    """

    def __init__(self, started_at: datetime, completed_at: datetime) -> None:
        self._from, self._until = started_at, completed_at + _SECOND
        self._rest = b""
        self._is_within = False
        self._recent: deque[bytes] = deque(maxlen=LINES_BEFORE + 1)
        self._error: tuple[bytes, ...] = ()

    def take(self, piece: bytes) -> None:
        """The next bytes of the log."""
        *lines, rest = (self._rest + piece).split(b"\n")
        self._rest = rest[: _MAX_BYTES_OF_A_LINE + 1]
        for each in lines:
            self._line(each)

    def lines(self) -> tuple[str, ...]:
        """The last error of the step and up to 14 lines before it; without an error the step's last lines.

        Without timestamps, colours and GitHub's `##[…]`. Empty if the log has no line of the step.
        """
        if self._rest:
            self._line(self._rest)
            self._rest = b""
        kept = (_clean(each) for each in self._error or self._recent)
        return tuple(each for each in kept if each)

    def _line(self, raw: bytes) -> None:
        timed = _TIMED.match(raw[:_MAX_BYTES_OF_A_LINE])
        if timed is not None:
            at = cleaning.time(timed["time"].decode("ascii"))
            self._is_within = at is not None and self._from <= at < self._until
        text = timed["text"] if timed is not None else raw[:_MAX_BYTES_OF_A_LINE]
        if not self._is_within:
            return
        if text.startswith(_COMMAND):  # the times are in whole seconds, so the step before may be among the lines
            self._recent.clear()
        self._recent.append(text)
        if text.startswith(_ERROR):
            self._error = tuple(self._recent)


def _clean(raw: bytes) -> str:
    text = _MARK.sub("", _ANSI.sub("", raw.decode("utf-8", "replace")))
    text = text.replace("\t", "    ")
    indent = len(text) - len(text.lstrip(" "))
    line = cleaning.line(text, MAX_LINE)
    return " " * min(indent, MAX_INDENT) + line if line else ""

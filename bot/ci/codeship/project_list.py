"""CodeShip's list of projects, read while it arrives: of any length, with a limit for each of its projects.

The list embeds builds of every project, so that of a large account has hundreds of megabytes. It is cut into documents
of the same shape, `{"projects": […]}`, each with some of the projects. A list within the limit is one document.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import msgspec

from bot.ci.codeship import api as wire
from bot.core.model.errors import InvalidResponse

_T = TypeVar("_T")

_COMMA = re.compile(rb",")
_LIST_ENDS = re.compile(rb"\s*\]")
_LIST_BEGINS = re.compile(rb'\s*"projects"\s*:\s*\[')
_KEY = re.compile(rb'\s*"(?:[^"\\]++|\\.)*+"\s*:', re.DOTALL)
_OBJECT_BEGINS = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{")

# Skips a value at 1 GB/s. What follows the value is an error, whose text says where it is.
_VALUE = msgspec.json.Decoder(msgspec.Raw)
_MORE_FOLLOWS = re.compile(r"trailing characters \(byte ([0-9]+)\)")
_CUT_OFF = "truncated"


class ListReader(Generic[_T]):
    """A `StreamReader` of one response. `parse` reads the entries of one document, `max_bytes` limits each project.

    `key` is the API key, so that no error repeats it.
    """

    def __init__(self, parse: Callable[[list[wire.ListedProject | None]], list[_T]], key: str, max_bytes: int) -> None:
        self._parse, self._key = parse, key
        self._cutter = _Cutter(max_bytes)
        self._has_entries = False
        self._read: list[_T] = []

    def feed(self, piece: bytes) -> None:
        for document in self._cutter.cut(piece):
            self._take(wire.read_list({}, document, self._key))

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> list[_T]:
        """What can be read of the list's projects. `body` is that of a refusal. Raises CIError."""
        wire.raise_if_refused(status, headers, body, self._key)
        self._take(wire.read_list(headers, self._cutter.rest(), self._key))
        if self._has_entries and not self._read:
            raise InvalidResponse(wire.TITLE, "none of its projects can be read")
        return self._read

    def _take(self, entries: list[wire.ListedProject | None]) -> None:
        self._has_entries = self._has_entries or bool(entries)
        self._read += self._parse(entries)


class _Cutter:
    """Cuts a response into documents of about `max_bytes`."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._pieces: list[bytes] = []
        self._size = 0
        self._head = b""  # up to the `[` of the list; empty until a document was cut off
        self._has_ended = False

    def cut(self, piece: bytes) -> list[bytes]:
        """The next document, if enough has arrived for one. Raises InvalidResponse."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size <= self._max_bytes:
            return []
        body = b"".join(self._pieces)
        if not self._head:
            begin = _list_begin(body)
            if begin is None:
                raise InvalidResponse(wire.TITLE, f"an answer of more than {self._max_bytes:,} bytes without projects")
            self._head, body = body[:begin], body[begin:]
            self._has_ended = _LIST_ENDS.match(body) is not None
        end, next_begin = (0, 0) if self._has_ended else self._projects_in(body)
        self._pieces, self._size = [body[next_begin:]], len(body) - next_begin
        if self._size > self._max_bytes:
            what = "more after its projects than" if self._has_ended else "a project of more than"
            raise InvalidResponse(wire.TITLE, f"{what} {self._max_bytes:,} bytes")
        return [self._head + body[:end] + b"]}"] if end else []

    def rest(self) -> bytes:
        """The last document. The whole response, if it was never cut."""
        return self._head + b"".join(self._pieces)

    def _projects_in(self, body: bytes) -> tuple[int, int]:
        """Where the last whole project ends, and where the next one begins. Raises InvalidResponse."""
        end = next_begin = 0
        while (delimiter := _value_end(body, next_begin)) is not None:
            end = delimiter
            if body[end : end + 1] == b"]":
                self._has_ended = True
                return end, end
            if body[end : end + 1] != b",":
                raise wire.invalid_response({}, b"", "")
            next_begin = end + 1
        return end, next_begin


def _list_begin(body: bytes) -> int | None:
    """Where the list's first project begins; None if the response is no object with a list of projects."""
    begins = _OBJECT_BEGINS.match(body)
    while begins is not None:
        if (found := _LIST_BEGINS.match(body, begins.end())) is not None:
            return found.end()
        if (key := _KEY.match(body, begins.end())) is None or (end := _value_end(body, key.end())) is None:
            return None
        begins = _COMMA.match(body, end)
    return None


def _value_end(body: bytes, begin: int) -> int | None:
    """The position of the delimiter after a JSON value; None if it has not arrived. Raises InvalidResponse."""
    try:
        _VALUE.decode(memoryview(body)[begin:])
        why = _CUT_OFF
    except (msgspec.DecodeError, RecursionError) as error:
        why = str(error)
    if (follows := _MORE_FOLLOWS.search(why)) is not None:
        return begin + int(follows[1]) - 1
    if _CUT_OFF in why:
        return None
    raise wire.invalid_response({}, b"", "")

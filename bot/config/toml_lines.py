"""Finds the line of a key in a TOML file: tomllib parses values but reports no positions. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""' r"|'''.*?'''" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'" r"|\#[^\n]*|[\[\]{}]|\n", re.DOTALL
)
_ARRAY_TABLE = re.compile(r"\s*\[\[\s*[\"']?(?P<name>rule|builds|subscription)[\"']?\s*\]\]")
_TABLE = re.compile(r"\s*\[\s*(?P<name>[^\[\].\s]+)")
_KEY = re.compile(r"\s*(?:\"(?P<basic>[^\"\n]*)\"|'(?P<literal>[^'\n]*)'|(?P<bare>[\w-]+))\s*[=.]")


class Lines:
    """Of a text that tomllib accepts: the lines of the nth table of each kind (`[[rule]]`), and of each of its or the
    document's keys.
    """

    def __init__(self, text: str) -> None:
        self._found: dict[tuple[str, int, str], int] = {}
        lines = text.split("\n")
        counted = {"": 0, "rule": 0, "builds": 0, "subscription": 0}
        kind, within = "", True
        for number in _statements(text):
            line = lines[number - 1]
            if array := _ARRAY_TABLE.match(line):
                kind, within = array["name"], True
                counted[kind] += 1
                self._found.setdefault((kind, counted[kind], ""), number)
            elif table := _TABLE.match(line):
                within = False
                self._found.setdefault(("", 0, table["name"]), number)
            elif within and (key := _KEY.match(line)):
                name = key["basic"] or key["literal"] or key["bare"] or ""
                self._found.setdefault((kind, counted[kind], name), number)

    def at(self, number: int, key: str, kind: str = "rule") -> int:
        """The line, from 1. `number` counts from 1, too; 0 is the document. Key "" is the table itself. The nearest
        known line, else 0.
        """
        places = (kind if number else "", number, key), (kind, number, ""), ("", 0, kind)
        known = (self._found.get(place) for place in places)
        return next((line for line in known if line), 0)


def _statements(text: str) -> Iterator[int]:
    """The lines on which a statement begins, that is, outside of strings and brackets. Includes blank lines."""
    depth, line = 0, 1
    yield 1
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign == "\n":
            line += 1
            if depth == 0:
                yield line
        elif sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
        else:
            line += sign.count("\n")

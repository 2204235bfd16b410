"""Finds the line of a key in a TOML file: tomllib parses values but reports no positions. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""' r"|'''.*?'''" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'" r"|\#[^\n]*|[\[\]{}]|\n", re.DOTALL
)
_ARRAY_TABLE = re.compile(r"\s*\[\[\s*[\"']?rule[\"']?\s*\]\]")
_TABLE = re.compile(r"\s*\[\s*(?P<name>[^\[\].\s]+)")
_KEY = re.compile(r"\s*(?:\"(?P<basic>[^\"\n]*)\"|'(?P<literal>[^'\n]*)'|(?P<bare>[\w-]+))\s*[=.]")


class Lines:
    """The lines of a valid TOML text: where the nth `[[rule]]` begins, and each key of a rule or of the document."""

    def __init__(self, text: str) -> None:
        self._found: dict[tuple[int, str], int] = {}
        lines = text.split("\n")
        rule, within = 0, True
        for number in _statements(text):
            line = lines[number - 1]
            if _ARRAY_TABLE.match(line):
                rule, within = rule + 1, True
                self._found.setdefault((rule, ""), number)
            elif table := _TABLE.match(line):
                within = False
                self._found.setdefault((0, table["name"]), number)
            elif within and (key := _KEY.match(line)):
                name = key["basic"] or key["literal"] or key["bare"] or ""
                self._found.setdefault((rule, name), number)

    def at(self, rule: int, key: str) -> int:
        """The line, counted from 1; 0 if unknown. `rule` 0 is the document, key "" the rule itself. May be
        the nearest.
        """
        known = (self._found.get(place) for place in ((rule, key), (rule, ""), (0, "rule")))
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

"""How a gesture of the world's hand is written down: a row with its words and what it does. Does nothing itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from playground.sandbox import Sandbox

Said = dict[str, str]
Does = Callable[[Sandbox, Said], None]


@dataclass(frozen=True, slots=True)
class WorldEvent:
    """One row: how it is said, and what it does with the words that the pattern finds."""

    usage: str
    pattern: re.Pattern[str]
    does: Does


def gesture(usage: str, pattern: str, does: Does) -> WorldEvent:
    return WorldEvent(usage, re.compile(pattern), does)


def one_of(words: Iterable[str]) -> str:
    """A pattern for any of them."""
    return "|".join(re.escape(word) for word in words)

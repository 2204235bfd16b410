"""The row of a simulated event: its text and its effect."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from playground.sandbox import Sandbox

Said = dict[str, str]
Does = Callable[[Sandbox, Said], None]


@dataclass(frozen=True, slots=True)
class WorldEvent:
    """One row: its usage, the pattern for its text, and its effect, called with the pattern's groups."""

    usage: str
    pattern: re.Pattern[str]
    does: Does
    button: tuple[str, str] | None = None
    """The page's button for it: its label, and the event's text. The text names a repository of the demo."""


def gesture(usage: str, pattern: str, does: Does, button: tuple[str, str] | None = None) -> WorldEvent:
    return WorldEvent(usage, re.compile(pattern), does, button)


def one_of(words: Iterable[str]) -> str:
    """A pattern that matches any of the words."""
    return "|".join(re.escape(word) for word in words)

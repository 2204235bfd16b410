"""One word as it was typed, and what it may have been before a phone or a chat program got at it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """`spellings`, never empty: the exact word first, then cleaned ones in the order in which to try them."""

    spellings: tuple[str, ...]

    @classmethod
    def of(cls, *spellings: str) -> Word:
        """Without repetitions, in order."""
        return cls(tuple(dict.fromkeys(spellings)))

    @property
    def exact(self) -> str:
        return self.spellings[0]

    @property
    def cleanest(self) -> str:
        return self.spellings[-1]

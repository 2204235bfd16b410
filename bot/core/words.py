"""A word as a person typed it, in every spelling that may be meant."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """`spellings`, never empty: the exact word first, then cleaned ones in the order in which to try them."""

    spellings: tuple[str, ...]

    @classmethod
    def of(cls, *spellings: str) -> Word:
        """The spellings in order, without duplicates."""
        return cls(tuple(dict.fromkeys(spellings)))

    @property
    def exact(self) -> str:
        return self.spellings[0]

    @property
    def cleanest(self) -> str:
        return self.spellings[-1]

"""A typed word with its possible spellings, and the verbs. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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


class Verb(StrEnum):
    """Every verb, as people type it and as button values, stored results and metrics name it."""

    STATUS = "status"
    RESTART = "restart"
    CANCEL = "cancel"
    FOLLOW = "follow"
    BUILDS = "builds"
    PROJECTS = "projects"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    SUBSCRIPTIONS = "subscriptions"
    MUTE = "mute"
    UNMUTE = "unmute"
    WHY = "why"
    AUDIT = "audit"
    HELP = "help"

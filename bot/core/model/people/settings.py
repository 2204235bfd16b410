"""A person's CI account, and which of their failures they hear of. Values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.model.builds import Actor


class Scope(StrEnum):
    """Of which broken branches a person hears, in the words that they type."""

    MINE = "mine"
    MAIN = "main"
    OFF = "off"


class Way(StrEnum):
    """How a person hears of it: a direct message, or their name in the channel's message."""

    DM = "dm"
    MENTION = "mention"


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """Of every branch that the person broke, of default branches only, or of none."""

    scope: Scope = Scope.MINE
    way: Way = Way.DM


@dataclass(frozen=True, slots=True)
class AccountLink:
    """The GitHub account `login` belongs to `person`. `claimed_by` says that it is theirs, and waits for an answer."""

    login: str
    person: Actor
    linked_at: datetime
    claimed_by: Actor | None = None

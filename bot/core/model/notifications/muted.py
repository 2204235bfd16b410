"""What happened while a channel was muted. Values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from bot.core.model.notifications.deliveries import Delivery
from bot.core.model.notifications.subscriptions import Mute


class Happened(Enum):
    """What happened on a branch, taken together."""

    STILL_BROKEN = "is still broken"
    BROKE_AND_FIXED = "broke and was fixed"
    FIXED = "was fixed"
    FLAKY = "was flaky"


@dataclass(frozen=True, slots=True)
class WhileMuted:
    """`happened` has the newest delivery of each branch."""

    mute: Mute
    happened: tuple[tuple[Delivery, Happened], ...]

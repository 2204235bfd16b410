"""One ask: who, where, and how much time is left for an answer."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.model.builds import Actor, Location
from bot.core.ports import Clock


@dataclass(frozen=True, slots=True)
class UserRequest:
    """`answer_by` is in seconds of `clock.monotonic()`; what is left of it is for the CI service.

    `key` names the ask where it is durable, so that what it has begun is found again after a crash; else it is empty.
    `is_late`: nobody was there for so long after it was asked that doing it now would surprise everybody.
    """

    actor: Actor
    location: Location
    clock: Clock
    deadline: float
    key: str = ""
    is_late: bool = False

    @property
    def seconds_left(self) -> float:
        """May be negative."""
        return self.deadline - self.clock.monotonic()

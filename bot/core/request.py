"""One ask: who, where, and how much time is left for an answer."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.model.builds import Actor, Location
from bot.core.ports import Clock
from bot.core.rate_limiter import FOR_PEOPLE, CallBudget


@dataclass(frozen=True, slots=True)
class UserRequest:
    """`answer_by` is in seconds of `clock.monotonic()`; what is left of it is for the CI service.

    `key` names the ask where it is durable, so that what it has begun is found again after a crash; else it is empty.
    `is_late`: nobody was there for so long after it was asked that doing it now would surprise everybody.
    `budget` is what its requests to the CI service are charged to.
    """

    actor: Actor
    location: Location
    clock: Clock
    deadline: float
    key: str = ""
    is_late: bool = False
    budget: CallBudget = FOR_PEOPLE

    @property
    def seconds_left(self) -> float:
        """May be negative."""
        return self.deadline - self.clock.monotonic()

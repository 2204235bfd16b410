"""A user's request: who, where, and how much time is left for a reply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.core.audit_entries import ActionSent
from bot.core.model.audit import RequestEntry
from bot.core.model.builds import Actor, Location
from bot.core.model.outcomes import Outcome
from bot.core.ports import Clock
from bot.core.rate_limiter import FOR_PEOPLE, CallBudget

AuditOf = Callable[["Outcome | Exception | ActionSent"], RequestEntry | None]


def _unaudited(result: Outcome | Exception | ActionSent) -> RequestEntry | None:  # noqa: ARG001 - an `AuditOf`
    return None


@dataclass(frozen=True, slots=True)
class UserRequest:
    """`deadline` is in seconds of `clock.monotonic()`; the time until then is for the CI service.

    `key` names the ask where it is durable, so that what it has begun is found again after a crash; else it is empty.
    `made_at` is set if the request could not be decided within 20 s of that moment: then only what certainly existed
    at that moment is acted on. `entry` makes the audit entry of a result; None if nothing is to be kept.
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
    made_at: datetime | None = None
    entry: AuditOf = _unaudited

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline; may be negative."""
        return self.deadline - self.clock.monotonic()

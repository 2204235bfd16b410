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
from bot.core.rate_limiter import FOR_PEOPLE, CallAllowance

AuditOf = Callable[["Outcome | Exception | ActionSent"], RequestEntry | None]


def _unaudited(result: Outcome | Exception | ActionSent) -> RequestEntry | None:  # noqa: ARG001 - an `AuditOf`
    return None


@dataclass(frozen=True, slots=True)
class UserRequest:
    """`deadline` is in seconds of `clock.monotonic()`; the time until then is for the CI service.

    `key` identifies a durable request, so that after a crash its work is found again; else it is empty. `made_at` is
    set if the request could not be decided within 20 s of that moment. Then only what certainly existed at that moment
    is acted on. `entry` makes the audit entry of a result; None if nothing is recorded. `is_late`: the request waited
    so long that carrying it out now would surprise people. Its requests to the CI service are charged to `allowance`.
    `is_shared`: whether people of other workspaces read the channel; None if the request does not say.
    """

    actor: Actor
    location: Location
    clock: Clock
    deadline: float
    key: str = ""
    is_late: bool = False
    allowance: CallAllowance = FOR_PEOPLE
    made_at: datetime | None = None
    entry: AuditOf = _unaudited
    is_shared: bool | None = None

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline; may be negative."""
        return self.deadline - self.clock.monotonic()

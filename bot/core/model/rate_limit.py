"""The rate limit of a CI service: which work may use which share, and how long a refusal pauses requests. Pure.

The port `RateLimit` counts the calls of all replicas together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

PAUSE_S = 30.0
"""Seconds of a pause after a refusal without a time."""

MAX_PAUSE_S = 300.0
"""Repeated pauses double up to here. If the service itself asks for more, it gets more."""

REPEATS_WITHIN = timedelta(seconds=60)
"""A refusal this soon after a pause means that the pause was too short."""

BACKGROUND_LATER = timedelta(seconds=15)
"""After a pause, people's requests go first. Background work continues this much later."""

CLOCKS_APART = timedelta(seconds=30)
"""How far the clocks of replicas may differ. What is stored further ahead was stored before a clock was set back."""

_SHORTEST_PAUSE_S = 1.0
_MAX_DOUBLINGS = 9


class Priority(Enum):
    """For whom a call is made."""

    PEOPLE = "people"
    BACKGROUND = "background"


@dataclass(frozen=True, slots=True)
class Rejected:
    """No call may be made now. `retry_after_s`: seconds until one may. `paused`: the service itself refused calls."""

    retry_after_s: float
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Quota:
    """How the `calls` per minute are divided.

    `reserve` of them are only for people. A process keeps up to `lease` of those as a local reserve. A person's request
    then need not wait until it is counted.
    """

    calls: int
    reserve: int
    lease: int

    @classmethod
    def of(cls, calls: int) -> Quota:
        return cls(calls, calls // 4, calls // 12)

    def missing(self, calls: int, priority: Priority, *, used: int, held: int) -> int:
        """How many calls are missing for `calls` more; zero or less if there are enough.

        `used` were made within the last minute. `held` are promised or kept in local reserves, which are part of the
        reserve.
        """
        promised = held if priority is Priority.PEOPLE else max(held, self.reserve)
        return used + promised + calls - self.calls

    def to_keep(self, local_reserve: int, *, used: int, held: int) -> int:
        """How many calls a process with `local_reserve` may add to that. 0 once people use the reserve."""
        if used > self.calls - self.reserve:
            return 0
        return max(0, min(self.lease - local_reserve, self.reserve - held, self.calls - used - held))


@dataclass(frozen=True, slots=True)
class Pause:
    """The last pause that a service requested; `count` is its number among pauses in a row.

    `began` is when it was requested. At an earlier time the clock was set back, and the pause is ignored.
    """

    until: datetime | None = None
    count: int = 0
    began: datetime | None = field(default=None, compare=False)

    def refuses(self, priority: Priority, now: datetime) -> Rejected | None:
        if self.until is None or (self.began is not None and now < self.began - CLOCKS_APART):
            return None
        until = self.until if priority is Priority.PEOPLE else self.until + BACKGROUND_LATER
        return Rejected((until - now).total_seconds(), paused=True) if now < until else None

    def after_refusal(self, now: datetime, retry_after_s: float | None) -> Pause:
        """The pause after a refusal at `now`, with the service's `retry_after_s` or None."""
        base_s = PAUSE_S if retry_after_s is None else max(retry_after_s, _SHORTEST_PAUSE_S)
        if self.until is not None and now < self.until:  # a call that was sent before the pause began
            asked = self.until if retry_after_s is None else now + timedelta(seconds=base_s)
            return Pause(max(self.until, asked), self.count, self.began)
        repeats = self.until is not None and now < self.until + REPEATS_WITHIN
        count = self.count + 1 if repeats else 1
        doubled_s = min(base_s * 2 ** min(count - 1, _MAX_DOUBLINGS), MAX_PAUSE_S)
        return Pause(now + timedelta(seconds=max(base_s, doubled_s)), count, now)

    def or_later(self, other: Pause) -> Pause:
        """The pause that ends later."""
        if self.until is None or (other.until is not None and other.until > self.until):
            return other
        return self

"""The calls of a CI service as a budget: who may spend what, and how long a refusal keeps everybody quiet. Pure.

Where the calls are counted, for every replica together, is the business of the port `RateLimit`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

PAUSE_S = 30.0
"""How long nothing is asked after a refusal that names no time."""

MAX_PAUSE_S = 300.0
"""Pauses that repeat double up to here; a service that itself asks for more gets more."""

REPEATS_WITHIN = timedelta(seconds=60)
"""A refusal so soon after the end of a pause says that the pause was too short."""

BACKGROUND_LATER = timedelta(seconds=15)
"""After a pause, people's questions are the first to try; what runs in the background comes back so much later."""

CLOCKS_APART = timedelta(seconds=30)
"""How far the clocks of replicas may differ. What is stored further ahead was stored before a clock was set back."""

_SHORTEST_PAUSE_S = 1.0
_MAX_DOUBLINGS = 9


class Priority(Enum):
    """On whose behalf the service is asked."""

    PEOPLE = "people"
    BACKGROUND = "background"


@dataclass(frozen=True, slots=True)
class Rejected:
    """No call may be made now. `retry_after_s`: seconds until one may; `paused`: the service itself asked for quiet."""

    retry_after_s: float
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Quota:
    """How `calls` a minute are parted. `reserve` of them are people's alone; a process keeps up to `lease` of those
    at hand, so that a question need not wait until they are counted, as long as there is something to keep."""

    calls: int
    reserve: int
    lease: int

    @classmethod
    def of(cls, calls: int) -> Quota:
        return cls(calls, calls // 4, calls // 12)

    def missing(self, calls: int, priority: Priority, *, used: int, held: int) -> int:
        """How many calls too few there are for `calls` more, zero or less where there are enough.

        `used` were made within the last minute; `held` are promised, and kept for people: part of the reserve.
        """
        promised = held if priority is Priority.PEOPLE else max(held, self.reserve)
        return used + promised + calls - self.calls

    def to_keep(self, at_hand: int, *, used: int, held: int) -> int:
        """How many more a process that has `at_hand` may put there. None once people live on the reserve."""
        if used > self.calls - self.reserve:
            return 0
        return max(0, min(self.lease - at_hand, self.reserve - held, self.calls - used - held))


@dataclass(frozen=True, slots=True)
class Pause:
    """The last time for which a service wanted to be left alone; `count` is which of several in a row it is.

    `began` is when it was asked for: before that, the clock was set back, and the pause says nothing.
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
        """Once the service has refused a call at `now`, and named a time or not."""
        base_s = PAUSE_S if retry_after_s is None else max(retry_after_s, _SHORTEST_PAUSE_S)
        if self.until is not None and now < self.until:  # a call that was on its way when the pause began
            asked = self.until if retry_after_s is None else now + timedelta(seconds=base_s)
            return Pause(max(self.until, asked), self.count, self.began)
        repeats = self.until is not None and now < self.until + REPEATS_WITHIN
        count = self.count + 1 if repeats else 1
        doubled_s = min(base_s * 2 ** min(count - 1, _MAX_DOUBLINGS), MAX_PAUSE_S)
        return Pause(now + timedelta(seconds=max(base_s, doubled_s)), count, now)

    def or_later(self, other: Pause) -> Pause:
        """The one of the two that lasts longer."""
        if self.until is None or (other.until is not None and other.until > self.until):
            return other
        return self

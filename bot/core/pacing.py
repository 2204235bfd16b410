"""How long it is from one look at a project to the next: soon, and as far apart as the budget of calls makes it.

A look that was made comes back sooner than one that was refused. Where calls are short, the same projects would then
take them all, for ever; so whoever was served waits longer as long as others are refused, and the calls go round.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.core.errors import BudgetSpent, CIError, OverLimit
from bot.core.ports import Clock

LONGEST_WAIT_S = 90.0
"""Whatever is asked for: below the time after which a chain of looks seems to have stopped. A look that may ask nothing
yet costs no call. And longer than it takes until a call counts no more and a refused look has come back."""

ENOUGH_AFTER_S = 60.0
"""Seconds without a refusal after which there are calls enough."""

_SHORTEST_WAIT_S = 1.0
_FURTHER, _NEARER = 1.5, 0.95


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between looks: soon after the beginning, later where a build takes long; and while CI cannot be seen."""

    soon_s: float = 5.0
    later_s: float = 10.0
    retry_s: float = 15.0

    def after(self, age: timedelta) -> float:
        """With the look itself, never more than fifteen seconds apart while the CI service answers."""
        return self.soon_s if age < timedelta(minutes=2) else self.later_s


PACE = Pace()


class Pacing:
    """One for all projects that a process looks at. Thread-safe."""

    def __init__(self, pace: Pace, clock: Clock) -> None:
        self.pace = pace
        self._clock = clock
        self._lock = threading.Lock()
        self._apart_s = 0.0
        self._refused_s = self._moved_apart_s = clock.monotonic()

    def after_sight(self, age: timedelta) -> float:
        """Of the youngest following, once its project has been seen."""
        with self._lock:
            if self._clock.monotonic() - self._refused_s > ENOUGH_AFTER_S:
                self._apart_s *= _NEARER
            return max(self.pace.after(age), self._apart_s)

    def after_failures(self, failures: Sequence[CIError]) -> float:
        """Once something could not be seen."""
        if any(isinstance(failure, BudgetSpent) for failure in failures):
            self._move_apart()
        named = [f.retry_after_s for f in failures if isinstance(f, OverLimit) and f.retry_after_s is not None]
        return min(max([_SHORTEST_WAIT_S, *named] if named else [self.pace.retry_s]), LONGEST_WAIT_S)

    def _move_apart(self) -> None:
        """Once a round at most: refusals come in crowds."""
        with self._lock:
            self._refused_s = now_s = self._clock.monotonic()
            apart_s = max(self._apart_s, self.pace.soon_s)
            if now_s - self._moved_apart_s >= apart_s:
                self._apart_s = min(apart_s * _FURTHER, LONGEST_WAIT_S)
                self._moved_apart_s = now_s

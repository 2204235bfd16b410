"""Counts this process's own calls: to report them to the database, and as the only count while the database is away."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping

from bot.core.model.rate_limit import Rejected
from bot.store.rate_limit.rows import COUNTED_S

_UNTIL_MORE_IS_KNOWN_S = 5.0


class LocalCount:
    """Not thread-safe: its owner holds a lock. `monotonic` returns seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._times: deque[float] = deque()
        self._not_told: Counter[int] = Counter()
        self._last = threading.local()

    @property
    def made(self) -> int:
        """Calls that still count against the limit."""
        self._forget()
        return len(self._times)

    @property
    def is_all_told(self) -> bool:
        return not self._not_told

    def began(self, second: int) -> None:
        """Counts a call that is made now, in this second of the epoch."""
        now = self._monotonic()
        self._last.begun = (second, now)
        self._not_told[second] += 1
        self._times.append(now)
        self._forget()

    def refund(self) -> None:
        """Takes back the last call that this thread began. Does nothing if there is none."""
        second, time = self._last.__dict__.pop("begun", (None, 0.0))
        if second is None:
            return
        self.tell_again({second: -1})  # negative if already reported: the next report takes it back
        if time in self._times:
            self._times.remove(time)

    def take_unreported(self) -> dict[int, int]:
        """Calls by second that were not reported yet. The caller reports them, so they are not returned again."""
        made, self._not_told = self._not_told, Counter()
        return dict(made)

    def tell_again(self, made: Mapping[int, int]) -> None:
        """Puts back calls that could not be reported."""
        self._not_told.update(made)
        for second in [second for second in made if not self._not_told[second]]:
            del self._not_told[second]

    def refused(self, more: int, share: int) -> Rejected | None:
        """None if `more` calls fit into `share`, the calls per minute; else when to retry."""
        missing = self.made + more - share
        if missing <= 0:
            return None
        if missing > len(self._times):
            return Rejected(_UNTIL_MORE_IS_KNOWN_S)
        return Rejected(max(1.0, self._times[missing - 1] + COUNTED_S - self._monotonic()))

    def _forget(self) -> None:
        old = self._monotonic() - COUNTED_S
        while self._times and self._times[0] <= old:
            self._times.popleft()

"""An `IdempotencyKeys` in memory: needs no database, but knows only this process."""

from __future__ import annotations

import threading
from collections import OrderedDict

from bot.core.ports import Clock

MAX_REMEMBERED = 10_000


class RecentDeliveries:
    """Thread-safe. Above `max_size` keys, the oldest are dropped first."""

    def __init__(self, clock: Clock, *, max_size: int = MAX_REMEMBERED) -> None:
        self._clock = clock
        self._max_size = max_size
        self._lock = threading.Lock()
        self._until: OrderedDict[str, float] = OrderedDict()

    def add(self, key: str, *, keep_s: float) -> bool:
        now = self._clock.monotonic()
        with self._lock:
            first = self._until.get(key, now) <= now
            if first:
                self._until[key] = now + keep_s
                self._until.move_to_end(key)
                while len(self._until) > self._max_size:
                    self._until.popitem(last=False)
            return first

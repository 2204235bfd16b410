"""Clean-up that need not run on every call: due on the first call, then again after an interval."""

from __future__ import annotations

from threading import Lock

from bot.core.ports import Clock


class Periodic:
    """Thread-safe: when the work is due, only one thread gets True."""

    def __init__(self, clock: Clock, every_s: float) -> None:
        self._clock = clock
        self._every_s = every_s
        self._lock = Lock()
        self._due_at: float | None = None

    def is_due(self) -> bool:
        with self._lock:
            now = self._clock.monotonic()
            if self._due_at is not None and now < self._due_at:
                return False
            self._due_at = now + self._every_s
            return True

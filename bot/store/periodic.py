"""Tidying up that need not be done each time: due at first, and again when a while has passed."""

from __future__ import annotations

from threading import Lock

from bot.core.ports import Clock


class Periodic:
    """For many threads: one of them is told that it is due."""

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

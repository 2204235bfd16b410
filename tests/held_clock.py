"""A clock that only the test moves."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class HeldClock:
    """Only `advance` moves it; `wait` advances it and returns at once. Thread-safe."""

    def __init__(self, now: datetime = NOON) -> None:
        self._lock = threading.Lock()
        self._now = now
        self._monotonic = 1000.0
        self.waits: list[float] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._now += timedelta(seconds=seconds)
            self._monotonic += seconds

    def set_back(self, seconds: float) -> None:
        """The time of day alone."""
        with self._lock:
            self._now -= timedelta(seconds=seconds)

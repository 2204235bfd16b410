"""The playground's clock: real time that can be moved forward, or a fixed time."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta


class SandboxClock:
    """A `Clock`. With `held_at`, only `advance` and `wait` move it, and `wait` returns at once."""

    def __init__(self, held_at: datetime | None = None) -> None:
        self._held_at = held_at
        self._lock = threading.Lock()
        self._ahead_s = 0.0

    @property
    def is_held(self) -> bool:
        return self._held_at is not None

    def now(self) -> datetime:
        return (self._held_at or datetime.now(UTC)) + timedelta(seconds=self._ahead_s)

    def monotonic(self) -> float:
        return (0.0 if self.is_held else time.monotonic()) + self._ahead_s

    def wait(self, seconds: float) -> None:
        if self.is_held:
            self.advance(seconds)
        else:
            time.sleep(seconds)

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._ahead_s += seconds

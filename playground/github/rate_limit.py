"""GitHub's primary rate limit: so many calls in a window of an hour for each user, installation or app.

The secondary limits are a fault (`faults.secondary_limit`): GitHub does not say how near they are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

_WINDOW = timedelta(hours=1)


@dataclass(frozen=True)
class Window:
    limit: int
    used: int
    resets_at: datetime

    @property
    def remaining(self) -> int:
        return max(self.limit - self.used, 0)


class Limits:
    """How many calls each user, installation or app has left. Thread-safe."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[str, Window] = {}
        self._left: Window | None = None
        self.per_hour: int | None = 5_000
        """None: no limit and no headers, as GitHub Enterprise Server is by default."""
        self.refuses_with: Literal[403, 429] = 403

    def window(self, key: str) -> Window | None:
        with self._lock:
            return self._window(key)

    def spend(self, key: str) -> None:
        with self._lock:
            window = self._window(key)
            if window is not None:
                self._windows[key] = replace(window, used=window.used + 1)

    def leave(self, calls: int, resets_in_s: float = 3_600) -> None:
        """Everyone has this many calls left until the reset."""
        if self.per_hour is None:
            raise ValueError("there is no limit")
        with self._lock:
            resets_at = self._clock() + timedelta(seconds=resets_in_s)
            self._left = Window(self.per_hour, self.per_hour - calls, resets_at)
            self._windows.clear()

    def _window(self, key: str) -> Window | None:
        if self.per_hour is None:
            return None
        now = self._clock()
        window = self._windows.get(key)
        if window is None or window.resets_at <= now:
            left = self._left if self._left is not None and self._left.resets_at > now else None
            window = self._windows[key] = left or Window(self.per_hour, 0, now + _WINDOW)
        return window

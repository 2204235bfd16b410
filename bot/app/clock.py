"""The clocks of a process: the machine's, and the one that it shares with other processes."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from bot.core.ports import Clock


class SystemClock:
    """A `Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


class SharedClock:
    """A `Clock` with the time of the database, so that replicas agree whatever their machines' clocks say.

    Until `learn` is called it has the time of `clock`. SQLite has no clock but the machine's, so `learn` is not called.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._learned: tuple[datetime, float] | None = None

    def learn(self, now: datetime) -> None:
        """`now` is the database's time, just read. From there on this process's monotonic clock counts."""
        self._learned = now, self._clock.monotonic()

    @property
    def ahead_s(self) -> float:
        """Seconds by which the database's clock is ahead of this machine's; 0 if it is not known."""
        return 0.0 if self._learned is None else (self.now() - self._clock.now()).total_seconds()

    def now(self) -> datetime:
        if self._learned is None:
            return self._clock.now()
        at, read_s = self._learned
        return at + timedelta(seconds=self._clock.monotonic() - read_s)

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def wait(self, seconds: float) -> None:
        self._clock.wait(seconds)

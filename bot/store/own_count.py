"""What this process alone has asked of a service within the last minute, to go by where nothing else can be counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from bot.core.budget import Refused
from bot.store.budget_rows import COUNTED_S

_UNTIL_MORE_IS_KNOWN_S = 5.0


class OwnCount:
    """Not for several threads at once: its owner holds a lock. `monotonic` gives seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._times: deque[float] = deque()

    @property
    def made(self) -> int:
        """Calls that still count."""
        self._forget()
        return len(self._times)

    def began(self) -> None:
        """A call is made now."""
        self._times.append(self._monotonic())
        self._forget()

    def refused(self, more: int, share: int) -> Refused | None:
        """None where `more` calls may still be made of the `share` that there is in a minute."""
        missing = self.made + more - share
        if missing <= 0:
            return None
        if missing > len(self._times):
            return Refused(_UNTIL_MORE_IS_KNOWN_S)
        return Refused(max(1.0, self._times[missing - 1] + COUNTED_S - self._monotonic()))

    def _forget(self) -> None:
        old = self._monotonic() - COUNTED_S
        while self._times and self._times[0] <= old:
            self._times.popleft()

"""What reaches the sandbox CodeShip: the requests, the mood that each meets, the calls held back by it.

No HTTP in here and no sleeping. Every method may be called from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from bot.playground.codeship_moods import FINE, Call, Mood
from bot.playground.codeship_records import Request, SandboxBuild

_REQUESTS_KEPT = 10_000


class Calls:
    """The side of the sandbox that its callers meet; its state, and what the calls mean, are its heir's."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._mood = FINE
        self._requests: dict[int, Request] = {}
        self._requests_seen = 0
        self._held: dict[object, Callable[[], object]] = {}

    @property
    def mood(self) -> Mood:
        with self._changed:
            return self._mood

    @mood.setter
    def mood(self, mood: Mood) -> None:
        with self._changed:
            self._mood = mood
            self._changed.notify_all()

    @property
    def requests(self) -> list[Request]:
        """What reached the host, oldest first (the last 10,000)."""
        with self._changed:
            return list(self._requests.values())

    def restarts_asked(self, which: SandboxBuild | int) -> int:
        """How many POSTs asked to restart this build, whatever came of them."""
        number = which if isinstance(which, int) else which.id
        return sum(asked.call == "restart" and asked.subject == number for asked in self.requests)

    def arrived(self, request: Request) -> tuple[int, Mood]:
        """Writes a request down; its number, and the mood that it meets."""
        with self._changed:
            self._requests_seen += 1
            self._requests[self._requests_seen] = request
            if len(self._requests) > _REQUESTS_KEPT:
                del self._requests[next(iter(self._requests))]
            self._changed.notify_all()
            return self._requests_seen, self._mood_met_by(request.call)

    def answered(self, number: int, status: int | None) -> None:
        with self._changed:
            if number in self._requests:
                self._requests[number] = replace(self._requests[number], status=status)
            self._changed.notify_all()

    @contextmanager
    def holding(self, free: Callable[[], object]) -> Iterator[None]:
        """While inside, a call is held back, and `release` calls `free`."""
        key = object()
        with self._changed:
            self._held[key] = free
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                del self._held[key]
                self._changed.notify_all()

    @property
    def held(self) -> int:
        """How many calls wait for their answer because of the mood."""
        with self._changed:
            return len(self._held)

    def release(self) -> None:
        """Lets every call go that is held back now; the mood stays."""
        with self._changed:
            for free in self._held.values():
                free()

    def wait_until(self, fact: Callable[[], bool], timeout_s: float = 5) -> bool:
        """Waits without polling until `fact`, asked after every change, is true; False where it never was."""
        with self._changed:
            return self._changed.wait_for(fact, timeout_s)

    def _mood_met_by(self, call: Call | None) -> Mood:
        mood = self._mood
        if call is None or mood.on not in (None, call):
            return FINE
        if mood.times is not None:
            self._mood = replace(mood, times=mood.times - 1) if mood.times > 1 else FINE
        return mood

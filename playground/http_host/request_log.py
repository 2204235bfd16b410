"""What reaches a sandbox's host: the requests, the mood that each meets, the calls held back by it.

No HTTP in here and no sleeping. Every method may be called from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from playground.http_host.faults import FINE, Fault

_REQUESTS_KEPT = 10_000


@dataclass(frozen=True)
class Request:
    """A request that reached the host."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    """As it came, with every secret value blotted out."""
    at: datetime
    call: str | None
    """Which kind of call it is; None: a request that the contract does not know."""
    subject: int | None = None
    """The id in the path: what the call is about."""
    status: int | None = None
    """What was answered; None: nothing, or nothing yet."""


class RequestLog:
    """The side of a sandbox that its callers meet; its state, and what the calls mean, are its heir's."""

    def __init__(self, kinds: Iterable[str]) -> None:
        """`kinds` names every kind of call that the host serves."""
        self._changed = threading.Condition(threading.RLock())
        self._kinds = frozenset(kinds)
        self._mood = FINE
        self._requests: dict[int, Request] = {}
        self._requests_seen = 0
        self._held: dict[object, Callable[[], object]] = {}

    @property
    def mood(self) -> Fault:
        with self._changed:
            return self._mood

    @mood.setter
    def mood(self, mood: Fault) -> None:
        """Raises ValueError for a mood that no call would ever meet."""
        if mood.on is not None and mood.on not in self._kinds:
            raise ValueError(f"no kind of call is named {mood.on!r}")
        with self._changed:
            self._mood = mood
            self._changed.notify_all()

    @property
    def requests(self) -> list[Request]:
        """What reached the host, oldest first (the last 10,000)."""
        with self._changed:
            return list(self._requests.values())

    def asked(self, call: str, subject: int) -> int:
        """How many POSTs of this kind asked about it, whatever came of them."""
        of_it = (request for request in self.requests if (request.call, request.subject) == (call, subject))
        return sum(request.method == "POST" for request in of_it)

    def arrived(self, request: Request) -> tuple[int, Fault]:
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

    def _mood_met_by(self, call: str | None) -> Fault:
        mood = self._mood
        if call is None or mood.on not in (None, call):
            return FINE
        if mood.times is not None:
            self._mood = replace(mood, times=mood.times - 1) if mood.times > 1 else FINE
        return mood

"""What reaches a simulated service: its requests, the fault that each one meets, and held calls.

No HTTP and no sleeping here. Thread-safe.
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
    """A request that reached the service."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    """The query as it came, with secret values masked."""
    at: datetime
    call: str | None
    """The kind of call; None if the contract has no such request."""
    subject: int | None = None
    """The id in the path."""
    status: int | None = None
    """The status of the response; None if there is none (yet)."""


class RequestLog:
    """The part of a simulated service that its callers meet. Subclasses add the state and the meaning of calls."""

    def __init__(self, kinds: Iterable[str]) -> None:
        """`kinds` names every kind of call that the service has."""
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
        """Raises ValueError for a fault that no call would meet."""
        if mood.on is not None and mood.on not in self._kinds:
            raise ValueError(f"no kind of call is named {mood.on!r}")
        with self._changed:
            self._mood = mood
            self._changed.notify_all()

    @property
    def requests(self) -> list[Request]:
        """The last 10,000 requests, the oldest first."""
        with self._changed:
            return list(self._requests.values())

    def asked(self, call: str, subject: int) -> int:
        """How many POSTs of this kind were about `subject`, including failed ones."""
        of_it = (request for request in self.requests if (request.call, request.subject) == (call, subject))
        return sum(request.method == "POST" for request in of_it)

    def arrived(self, request: Request) -> tuple[int, Fault]:
        """Logs a request. Returns its number and the fault that it meets."""
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
        """Within the block a call is held, and `release` calls `free`."""
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
        """How many calls a fault holds."""
        with self._changed:
            return len(self._held)

    def release(self) -> None:
        """Releases every held call. The fault stays."""
        with self._changed:
            for free in self._held.values():
                free()

    def wait_until(self, fact: Callable[[], bool], timeout_s: float = 5) -> bool:
        """Whether `fact`, checked after every change, becomes true within `timeout_s` seconds. Does not poll."""
        with self._changed:
            return self._changed.wait_for(fact, timeout_s)

    def _mood_met_by(self, call: str | None) -> Fault:
        mood = self._mood
        if call is None or mood.on not in (None, call):
            return FINE
        if mood.times is not None:
            self._mood = replace(mood, times=mood.times - 1) if mood.times > 1 else FINE
        return mood

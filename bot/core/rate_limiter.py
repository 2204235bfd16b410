"""Every try of a call passes here before it is made: paid for out of the budget, on behalf of whoever waits for it.

On whose behalf is a context variable. It does not cross to an executor's thread by itself: who hands a call to one
takes the context along (`copy_context().run`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from bot.core.model.errors import CIError, OverLimit, RateLimitExhausted, RateLimitPaused
from bot.core.model.rate_limit import Priority, Rejected
from bot.core.ports import RateLimit

RESTART = "restart"
"""What a provider calls the try that runs a build again."""


class _CallReservation:
    """What one piece of work may spend. `restart_to_come`: its looks are worth nothing without the call after them."""

    def __init__(self, priority: Priority, *, needs_restart_call: bool = False) -> None:
        self.priority = priority
        self._lock = threading.Lock()
        self._needs_restart_call = needs_restart_call
        self._reserved: RateLimit | None = None

    @property
    def lacks_restart_call(self) -> bool:
        return self._needs_restart_call and self._reserved is None

    def keep(self, rate_limit: RateLimit) -> None:
        """Puts by, for the restart, a call that was set aside; gives it back where none is wanted any more."""
        with self._lock:
            wanted = self.lacks_restart_call
            self._reserved = rate_limit if wanted else self._reserved
        if not wanted:
            rate_limit.release(1)

    def take(self) -> RateLimit | None:
        """Takes what was put by, and wants no more; None where there is nothing."""
        with self._lock:
            taken, self._reserved, self._needs_restart_call = self._reserved, None, False
            return taken


_RESERVATION: ContextVar[_CallReservation | None] = ContextVar("_PURSE", default=None)


def priority_now() -> Priority:
    """People's, unless it was said otherwise."""
    reservation = _RESERVATION.get()
    return Priority.PEOPLE if reservation is None else reservation.priority


@contextmanager
def with_priority(priority: Priority) -> Iterator[None]:
    """What is asked within, in this thread, counts as asked with this priority."""
    token = _RESERVATION.set(_CallReservation(priority))
    try:
        yield
    finally:
        _RESERVATION.reset(token)


@contextmanager
def reserve_restart_call() -> Iterator[None]:
    """The first look within also puts a call by for the restart that follows it, or is refused with it."""
    reservation = _CallReservation(priority_now(), needs_restart_call=True)
    token = _RESERVATION.set(reservation)
    try:
        yield
    finally:
        _RESERVATION.reset(token)
        budget = reservation.take()
        if budget is not None:
            budget.release(1)


class RateLimiter:
    """`title` is the service's name as people write it. Its methods may be called from any thread."""

    def __init__(self, rate_limit: RateLimit, title: str) -> None:
        self._rate_limit = rate_limit
        self._title = title

    def before_request(self, call: str) -> None:
        """Returns where a call may be made, and counts it. Raises BudgetSpent and Paused: then none must be made."""
        reservation = _RESERVATION.get() or _CallReservation(Priority.PEOPLE)
        if call != RESTART or reservation.take() is None:
            two = call != RESTART and reservation.lacks_restart_call
            rejected = self._rate_limit.reserve(2 if two else 1, reservation.priority)
            if rejected is not None:
                raise self._error(rejected)
            if two:
                reservation.keep(self._rate_limit)
        rejected = self._rate_limit.start_call(reservation.priority)
        if rejected is not None:
            self._rate_limit.release(1)
            raise self._error(rejected)

    def after_request(self, failure: CIError | None, was_free: bool = False) -> None:
        """In the thread that made it. Where the service itself has had enough, everything pauses; where it does not
        count the call, that may be made again."""
        if was_free:
            self._rate_limit.refund()
        if isinstance(failure, OverLimit) and not isinstance(failure, RateLimitExhausted | RateLimitPaused):
            self._rate_limit.pause(failure.retry_after_s)

    def _error(self, rejected: Rejected) -> OverLimit:
        kind = RateLimitPaused if rejected.paused else RateLimitExhausted
        return kind(self._title, retry_after_s=rejected.retry_after_s)

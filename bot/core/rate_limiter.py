"""Charges each CI request to the rate limit before it is sent.

What a piece of work may spend is a `CallBudget`, an argument of each call down to the provider. Providers know no rate
limit: `charged_to` says, in the thread of the provider's call and just around it, which budget its requests are
charged to.
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
"""The name of the provider's call that restarts a build."""


class CallBudget:
    """The calls that one piece of work may make.

    With `needs_restart_call`, a restart follows its fetches: the first request also reserves the restart's call, or is
    refused with it.
    """

    def __init__(self, priority: Priority, *, needs_restart_call: bool = False) -> None:
        self.priority = priority
        self._lock = threading.Lock()
        self._needs_restart_call = needs_restart_call
        self._reserved: RateLimit | None = None

    @property
    def lacks_restart_call(self) -> bool:
        return self._needs_restart_call and self._reserved is None

    def keep(self, rate_limit: RateLimit) -> None:
        """Stores a reserved call for the restart, or releases it if none is needed any more."""
        with self._lock:
            is_needed = self.lacks_restart_call
            self._reserved = rate_limit if is_needed else self._reserved
        if not is_needed:
            rate_limit.release(1)

    def take(self) -> RateLimit | None:
        """Returns the reserved call and stops needing one; None if there is none."""
        with self._lock:
            taken, self._reserved, self._needs_restart_call = self._reserved, None, False
            return taken


FOR_PEOPLE, FOR_BACKGROUND = CallBudget(Priority.PEOPLE), CallBudget(Priority.BACKGROUND)
"""For work that reserves nothing. Shared by all threads."""

_CHARGED: ContextVar[CallBudget] = ContextVar("charged_to", default=FOR_PEOPLE)


@contextmanager
def charged_to(budget: CallBudget) -> Iterator[None]:
    """Within the block, the provider's requests in this thread are charged to `budget`."""
    token = _CHARGED.set(budget)
    try:
        yield
    finally:
        _CHARGED.reset(token)


def charged_budget() -> CallBudget:
    """The budget of this thread's requests: people's, unless `charged_to` says otherwise."""
    return _CHARGED.get()


@contextmanager
def restart_budget() -> Iterator[CallBudget]:
    """For a person's restart: see `needs_restart_call`. A reserved call that was not made is released at the end."""
    budget = CallBudget(Priority.PEOPLE, needs_restart_call=True)
    try:
        yield budget
    finally:
        reserved = budget.take()
        if reserved is not None:
            reserved.release(1)


class RateLimiter:
    """Charges the requests of one service. `title` is the service's name as people write it. Thread-safe."""

    def __init__(self, rate_limit: RateLimit, title: str) -> None:
        self._rate_limit = rate_limit
        self._title = title

    def before_request(self, call: str) -> None:
        """Counts a request that is about to be sent. Raises RateLimitExhausted or RateLimitPaused if it must not be."""
        budget = charged_budget()
        if call != RESTART or budget.take() is None:
            two = call != RESTART and budget.lacks_restart_call
            rejected = self._rate_limit.reserve(2 if two else 1, budget.priority)
            if rejected is not None:
                raise self._error(rejected)
            if two:
                budget.keep(self._rate_limit)
        rejected = self._rate_limit.start_call(budget.priority)
        if rejected is not None:
            self._rate_limit.release(1)
            raise self._error(rejected)

    def after_request(self, failure: CIError | None, was_free: bool = False) -> None:
        """Call in the thread that made the request.

        If the service itself was over its limit, this pauses all requests. If it does not count the request, this
        refunds it.
        """
        if was_free:
            self._rate_limit.refund()
        if isinstance(failure, OverLimit) and not isinstance(failure, RateLimitExhausted | RateLimitPaused):
            self._rate_limit.pause(failure.retry_after_s)

    def _error(self, rejected: Rejected) -> OverLimit:
        kind = RateLimitPaused if rejected.paused else RateLimitExhausted
        return kind(self._title, retry_after_s=rejected.retry_after_s)

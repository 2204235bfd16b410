"""Charges each CI request to the rate limit before it is sent.

The calls that a piece of work may make are its `CallAllowance`, an argument of each call down to the provider.
Providers know no rate limit: `charged_to` says around the provider's call, in its thread, which allowance is charged.
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


class CallAllowance:
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


FOR_PEOPLE, FOR_BACKGROUND = CallAllowance(Priority.PEOPLE), CallAllowance(Priority.BACKGROUND)
"""For work that reserves nothing. Shared by all threads."""

_CHARGED: ContextVar[CallAllowance] = ContextVar("charged_to", default=FOR_PEOPLE)


@contextmanager
def charged_to(allowance: CallAllowance) -> Iterator[None]:
    """Within the block, the provider's requests in this thread are charged to `allowance`."""
    token = _CHARGED.set(allowance)
    try:
        yield
    finally:
        _CHARGED.reset(token)


def charged_allowance() -> CallAllowance:
    """The allowance of this thread's requests: people's, unless `charged_to` says otherwise."""
    return _CHARGED.get()


@contextmanager
def restart_allowance() -> Iterator[CallAllowance]:
    """For a person's restart: see `needs_restart_call`. A reserved call that was not made is released at the end."""
    allowance = CallAllowance(Priority.PEOPLE, needs_restart_call=True)
    try:
        yield allowance
    finally:
        reserved = allowance.take()
        if reserved is not None:
            reserved.release(1)


class RateLimiter:
    """Charges the requests of one service. `title` is the service's name as people write it. Thread-safe."""

    def __init__(self, rate_limit: RateLimit, title: str) -> None:
        self._rate_limit = rate_limit
        self._title = title

    def before_request(self, call: str) -> None:
        """Counts a request that is about to be sent. Raises RateLimitExhausted or RateLimitPaused if it must not be."""
        allowance = charged_allowance()
        if call != RESTART or allowance.take() is None:
            two = call != RESTART and allowance.lacks_restart_call
            rejected = self._rate_limit.reserve(2 if two else 1, allowance.priority)
            if rejected is not None:
                raise self._error(rejected)
            if two:
                allowance.keep(self._rate_limit)
        rejected = self._rate_limit.start_call(allowance.priority)
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

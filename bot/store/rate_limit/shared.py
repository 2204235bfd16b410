"""The core's `RateLimit`: counted in the database for all processes, with a local reserve in each.

A process keeps a few calls as a local reserve and refills it in the background. So a person's request does not wait for
the database while the reserve lasts. Background work is counted in the database first, every time.

While the database is away, each process uses an equal share of the limit by its own count, and logs that. A single
process stays within the limit even then. Several do while the outage lasts. In the minute in which it begins or ends, a
process's own calls may add to what others had counted: less than double the limit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

import structlog

from bot.core.model.rate_limit import Pause, Priority, Quota, Rejected
from bot.core.ports import Clock
from bot.store.engine import DRIVER_ERRORS, Database
from bot.store.rate_limit.local_count import LocalCount
from bot.store.rate_limit.rows import USABLE_S, Grant, RateLimitRows, UsageReport, second_of

RENEWED_EVERY_S = 5.0
"""Seconds within which this process learns of a pause that another process began."""

SETTLED_EVERY_S = 15.0
"""Seconds between writes of an idle process: well below the time for which a local reserve may be used."""

MAX_WAIT_S = 1.0
"""Seconds that a request waits for the database. Counting normally takes milliseconds."""

Observe = Callable[[Priority, str], None]
"""Called once per request: `local`, `shared`, `fallback`, `refused` or `paused`."""

log = structlog.get_logger(__name__)

T = TypeVar("T")
R = TypeVar("R")


def unobserved(priority: Priority, result: str) -> None:
    pass


@dataclass(slots=True)
class _Waiter:
    """A request that waits for `calls`. `is_over`: it stopped waiting. `is_granted`: the calls are reserved."""

    calls: int
    priority: Priority
    is_over: bool = False
    is_granted: bool = False


class SharedRateLimit:
    """A `RateLimit`, thread-safe. Call `start` once and `close` once. One thread of its own does all the counting."""

    def __init__(
        self, database: Database, clock: Clock, service: str, quota: Quota, observe: Observe = unobserved
    ) -> None:
        self._holder = uuid4().hex
        self._rows = RateLimitRows(database, service, quota, self._holder)
        self._clock = clock
        self._service = service
        self._shares = quota
        self._observe = observe
        self._counting = ThreadPoolExecutor(1, thread_name_prefix="rate-limit")
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._local_calls = 0
        self._reserved_calls = 0
        self._settled_at = clock.monotonic() - USABLE_S
        self._last = Grant(None, 0, quota.calls, scarce=False, processes=1, pause=Pause())
        self._pause = Pause()
        self._local_count = LocalCount(clock.monotonic)
        self._is_away = False
        self._is_due = False

    def start(self) -> None:
        """Fills the local reserve in the background, and keeps it filled until `close`."""
        self.renew()
        threading.Thread(target=self._renew_regularly, name="rate-limit-renewal", daemon=True).start()

    def reserve(self, calls: int, priority: Priority) -> Rejected | None:
        with self._lock:
            rejected = self._pause.refuses(priority, self._clock.now())
            if rejected is not None:
                result = "paused"
            elif priority is Priority.PEOPLE and self._take_local(calls):
                result = "local"
            elif self._is_away:
                rejected, result = self._count_locally(calls, priority), "fallback"
            else:
                result = ""
            is_low = result == "fallback" or (result == "local" and self._local_calls <= self._shares.lease // 2)
        if is_low:
            self._settle_soon()
        if not result:
            rejected, result = self._count_shared(_Waiter(calls, priority))
        if rejected is not None:
            result = "paused" if rejected.paused else "refused"
        self._observe(priority, result)
        return rejected

    def start_call(self, priority: Priority) -> Rejected | None:
        now = self._clock.now()
        with self._lock:
            rejected = self._pause.refuses(priority, now)
            if rejected is None:
                self._reserved_calls -= 1
                self._local_count.began(second_of(now))
        return rejected

    def refund(self) -> None:
        with self._lock:
            self._local_count.refund()

    def release(self, calls: int) -> None:
        with self._lock:
            self._reserved_calls -= calls
        self._settle_soon()

    def pause(self, retry_after_s: float | None) -> None:
        now = self._clock.now()
        with self._lock:
            self._pause = self._pause.after_refusal(now, retry_after_s)
            until = self._pause.until
        log.warning("ci_paused", service=self._service, until=until.isoformat(timespec="seconds") if until else None)
        self._submit(self._learn_pause, lambda: self._rows.pause(retry_after_s, now))

    def renew(self) -> None:
        """In the background: reports calls, refills the local reserve, checks for a pause."""
        with self._lock:
            is_old = self._clock.monotonic() - self._settled_at >= SETTLED_EVERY_S
            wants_more = self._local_calls < self._shares.lease and not self._last.scarce
            due = not self._local_count.is_all_told or is_old or wants_more or self._is_away
        if due:
            self._settle_soon()
        else:
            self._submit(self._learn_pause, self._rows.paused)

    def close(self) -> None:
        """Releases everything, if the database allows it. Later requests are counted in this process only."""
        self._ending.set()
        with self._lock:
            self._is_away = True
            made, self._local_calls = self._local_count.take_unreported(), 0
        leaving = self._submit(self._rows.leave, made)
        if leaving is None:
            return
        try:
            leaving.result(MAX_WAIT_S)
        except (TimeoutError, *DRIVER_ERRORS) as error:
            log.info("rate_limit_not_released", why=type(error).__name__)
        self._counting.shutdown(wait=leaving.done(), cancel_futures=True)

    @property
    def calls_left(self) -> int:
        """Calls that people could still make in this minute, as far as this process knows; never negative."""
        with self._lock:
            if not self._is_away:
                return max(0, self._last.free + self._local_calls)
            return max(0, self._share - self._local_count.made - self._reserved_calls)

    @property
    def is_paused(self) -> bool:
        return self._pause.refuses(Priority.PEOPLE, self._clock.now()) is not None

    @property
    def _share(self) -> int:
        """This process's share if it can only count its own calls. At least two, which a restart needs."""
        return max(2, self._shares.calls // self._last.processes)

    def _renew_regularly(self) -> None:
        while not self._ending.wait(RENEWED_EVERY_S):
            self.renew()

    def _take_local(self, calls: int) -> bool:
        """Call with the lock held."""
        if self._local_calls < calls or self._clock.monotonic() - self._settled_at >= USABLE_S:
            return False
        self._local_calls -= calls
        self._reserved_calls += calls
        return True

    def _count_shared(self, waiter: _Waiter) -> tuple[Rejected | None, str]:
        """Counts in the database, or locally if that takes too long."""
        failure: Exception | None = None
        counting = self._submit(self._settle, waiter)
        try:
            if counting is not None:
                return counting.result(MAX_WAIT_S), "shared"
        except (TimeoutError, CancelledError, *DRIVER_ERRORS) as error:
            failure = error
        with self._lock:
            if waiter.is_granted:
                return None, "shared"
            waiter.is_over = True
            self._mark_away(failure)
            return self._count_locally(waiter.calls, waiter.priority), "fallback"

    def _settle_soon(self) -> None:
        with self._lock:
            if self._is_due:
                return
            self._is_due = True
        self._submit(self._settle, None)

    def _settle(self, waiter: _Waiter | None) -> Rejected | None:
        """Runs on the counting thread. Raises what the driver raises."""
        with self._lock:
            self._is_due = self._is_due and waiter is not None
            if waiter is not None and (waiter.is_over or self._served_locally(waiter)):
                return None
            if self._last.scarce or self._clock.monotonic() - self._settled_at >= USABLE_S:
                self._local_calls = 0
            made = self._local_count.take_unreported()
            wanted = (waiter.calls, waiter.priority) if waiter is not None else ()
            report = UsageReport(made, self._local_calls, self._reserved_calls, *wanted)
            began_at = self._clock.monotonic()
        try:
            grant = self._rows.settle(report, self._clock.now())
        except DRIVER_ERRORS as error:
            with self._lock:
                self._local_count.tell_again(made)
                self._mark_away(error)
            raise
        with self._lock:
            self._learn(grant, waiter, began_at)
            is_too_much = grant.scarce and self._local_calls > 0
        if is_too_much:  # other processes need the calls more
            self._settle_soon()
        return grant.refused

    def _served_locally(self, waiter: _Waiter) -> bool:
        """Call with the lock held. An earlier request may have brought enough calls."""
        waiter.is_granted = waiter.priority is Priority.PEOPLE and self._take_local(waiter.calls)
        return waiter.is_granted

    def _learn(self, grant: Grant, waiter: _Waiter | None, began_at: float) -> None:
        """Call with the lock held."""
        self._last, self._settled_at = grant, began_at
        self._local_calls += grant.more_reserve
        self._pause = self._pause.or_later(grant.pause)
        if waiter is not None and grant.refused is None:
            waiter.is_granted = not waiter.is_over
            if waiter.is_over:
                self._local_calls += waiter.calls
            else:
                self._reserved_calls += waiter.calls
        if self._is_away and not self._ending.is_set():
            self._is_away = False
            log.info("rate_limit_shared_again", service=self._service)

    def _count_locally(self, calls: int, priority: Priority) -> Rejected | None:
        """Call with the lock held. Uses this process's own count."""
        reserve = 0 if priority is Priority.PEOPLE else self._share // 4
        rejected = self._local_count.refused(self._reserved_calls + calls, self._share - reserve)
        if rejected is None:
            self._reserved_calls += calls
        return rejected

    def _mark_away(self, error: Exception | None) -> None:
        """Call with the lock held. `error` is what the driver raised; None after `close` or a timeout."""
        if self._is_away or self._ending.is_set():
            return
        self._is_away = True
        known = error is not None and not isinstance(error, TimeoutError | CancelledError)
        why = self._rows.why(error) if error and known else f"no answer within {MAX_WAIT_S:.0f} s"
        log.warning("rate_limit_counted_locally", service=self._service, calls_per_minute=self._share, why=why)

    def _learn_pause(self, stored: Callable[[], Pause]) -> None:
        try:
            pause = stored()
        except DRIVER_ERRORS as error:
            with self._lock:
                self._mark_away(error)
            return
        with self._lock:
            self._pause = self._pause.or_later(pause)

    def _submit(self, work: Callable[[T], R], argument: T) -> Future[R] | None:
        """None after `close`."""
        try:
            future = self._counting.submit(work, argument)
        except RuntimeError:
            return None
        future.add_done_callback(_report)
        return future


def _report(future: Future[Any]) -> None:
    failure = None if future.cancelled() else future.exception()
    if failure is not None and not isinstance(failure, DRIVER_ERRORS):
        log.error("rate_limit_failed", exc_info=failure)

"""The budget of a service's calls, behind the core's `Budget`: counted in the database for all, spent from at hand.

A few calls are kept at hand and replaced behind the scenes, so that a question waits for no database while there is
enough. What runs in the background is counted first, each time.

Where the database is away, each process spends an equal share of the budget by its own count, and says so in the log.
One process alone stays within the budget even then. Several do while it stays away; in a minute that holds the moment
in which it goes or comes back, what one spends by itself may come on top of what others had counted: less than double.
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
"""How soon a pause that another process began is known here, at the latest."""

SETTLED_EVERY_S = 15.0
"""Well under the time for which what is at hand is usable: an idle process writes no more often than this."""

MAX_WAIT_S = 1.0
"""Longer than this nobody waits for the database; counting takes milliseconds."""

Observe = Callable[[Priority, str], None]
"""Called once for each asking: `at hand`, `counted`, `alone`, `refused` or `paused`."""

log = structlog.get_logger(__name__)

T = TypeVar("T")
R = TypeVar("R")


def unobserved(priority: Priority, result: str) -> None:
    pass


@dataclass(slots=True)
class _Waiter:
    """Somebody waits for `calls`. `is_over`: no longer; `is_granted`: they have been set aside."""

    calls: int
    priority: Priority
    is_over: bool = False
    is_granted: bool = False


class SharedRateLimit:
    """`Budget`, for any number of threads. `start` once, `close` once; one thread of its own does all the counting."""

    def __init__(
        self, database: Database, clock: Clock, service: str, quota: Quota, observe: Observe = unobserved
    ) -> None:
        self._holder = uuid4().hex
        self._rows = RateLimitRows(database, service, quota, self._holder)
        self._clock = clock
        self._service = service
        self._shares = quota
        self._observe = observe
        self._counting = ThreadPoolExecutor(1, thread_name_prefix="budget")
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._at_hand = 0
        self._aside = 0
        self._settled_at = clock.monotonic() - USABLE_S
        self._last = Grant(None, 0, quota.calls, scarce=False, processes=1, pause=Pause())
        self._pause = Pause()
        self._local_count = LocalCount(clock.monotonic)
        self._is_away = False
        self._is_due = False

    def start(self) -> None:
        """Takes the first calls to hand, behind the scenes, and keeps them there until `close`."""
        self.renew()
        threading.Thread(target=self._keep, name="budget renewal", daemon=True).start()

    def reserve(self, calls: int, priority: Priority) -> Rejected | None:
        with self._lock:
            rejected = self._pause.refuses(priority, self._clock.now())
            if rejected is not None:
                result = "paused"
            elif priority is Priority.PEOPLE and self._took_from_hand(calls):
                result = "local"
            elif self._is_away:
                rejected, result = self._alone(calls, priority), "fallback"
            else:
                result = ""
            is_low = result == "fallback" or (result == "local" and self._at_hand <= self._shares.lease // 2)
        if is_low:
            self._settle_soon()
        if not result:
            rejected, result = self._counted(_Waiter(calls, priority))
        if rejected is not None:
            result = "paused" if rejected.paused else "refused"
        self._observe(priority, result)
        return rejected

    def start_call(self, priority: Priority) -> Rejected | None:
        now = self._clock.now()
        with self._lock:
            rejected = self._pause.refuses(priority, now)
            if rejected is None:
                self._aside -= 1
                self._local_count.began(second_of(now))
        return rejected

    def refund(self) -> None:
        with self._lock:
            self._local_count.refund()

    def release(self, calls: int) -> None:
        with self._lock:
            self._aside -= calls
        self._settle_soon()

    def pause(self, retry_after_s: float | None) -> None:
        now = self._clock.now()
        with self._lock:
            self._pause = self._pause.after_refusal(now, retry_after_s)
            until = self._pause.until
        log.warning("ci_paused", service=self._service, until=until.isoformat(timespec="seconds") if until else None)
        self._submit(self._hear, lambda: self._rows.pause(retry_after_s, now))

    def renew(self) -> None:
        """Behind the scenes: tells what was made, fills the hand, hears of a pause."""
        with self._lock:
            is_old = self._clock.monotonic() - self._settled_at >= SETTLED_EVERY_S
            wants_more = self._at_hand < self._shares.lease and not self._last.scarce
            due = not self._local_count.is_all_told or is_old or wants_more or self._is_away
        if due:
            self._settle_soon()
        else:
            self._submit(self._hear, self._rows.paused)

    def close(self) -> None:
        """Gives everything back, where the database lets it; what is asked from now on is counted here alone."""
        self._ending.set()
        with self._lock:
            self._is_away = True
            made, self._at_hand = self._local_count.told(), 0
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
        """What people could still ask within this minute, as far as it is known here; never negative."""
        with self._lock:
            if not self._is_away:
                return max(0, self._last.free + self._at_hand)
            return max(0, self._share - self._local_count.made - self._aside)

    @property
    def is_paused(self) -> bool:
        return self._pause.refuses(Priority.PEOPLE, self._clock.now()) is not None

    @property
    def _share(self) -> int:
        """A process's part where it can only count for itself; two at least, which is a restart."""
        return max(2, self._shares.calls // self._last.processes)

    def _keep(self) -> None:
        while not self._ending.wait(RENEWED_EVERY_S):
            self.renew()

    def _took_from_hand(self, calls: int) -> bool:
        """With the lock held."""
        if self._at_hand < calls or self._clock.monotonic() - self._settled_at >= USABLE_S:
            return False
        self._at_hand -= calls
        self._aside += calls
        return True

    def _counted(self, waiter: _Waiter) -> tuple[Rejected | None, str]:
        """Counted with everybody's, or, where that takes too long, alone."""
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
            self._went_away(failure)
            return self._alone(waiter.calls, waiter.priority), "fallback"

    def _settle_soon(self) -> None:
        with self._lock:
            if self._is_due:
                return
            self._is_due = True
        self._submit(self._settle, None)

    def _settle(self, waiter: _Waiter | None) -> Rejected | None:
        """On the counting thread. Raises what the driver raises."""
        with self._lock:
            self._is_due = self._is_due and waiter is not None
            if waiter is not None and (waiter.is_over or self._served_from_hand(waiter)):
                return None
            if self._last.scarce or self._clock.monotonic() - self._settled_at >= USABLE_S:
                self._at_hand = 0
            made = self._local_count.told()
            wanted = (waiter.calls, waiter.priority) if waiter is not None else ()
            report = UsageReport(made, self._at_hand, self._aside, *wanted)
            began_at = self._clock.monotonic()
        try:
            grant = self._rows.settle(report, self._clock.now())
        except DRIVER_ERRORS as error:
            with self._lock:
                self._local_count.tell_again(made)
                self._went_away(error)
            raise
        with self._lock:
            self._learn(grant, waiter, began_at)
            is_too_much = grant.scarce and self._at_hand > 0
        if is_too_much:  # others need it more
            self._settle_soon()
        return grant.refused

    def _served_from_hand(self, waiter: _Waiter) -> bool:
        """With the lock held: whoever waited before may have brought enough."""
        waiter.is_granted = waiter.priority is Priority.PEOPLE and self._took_from_hand(waiter.calls)
        return waiter.is_granted

    def _learn(self, grant: Grant, waiter: _Waiter | None, began_at: float) -> None:
        """With the lock held."""
        self._last, self._settled_at = grant, began_at
        self._at_hand += grant.more_at_hand
        self._pause = self._pause.or_later(grant.pause)
        if waiter is not None and grant.refused is None:
            waiter.is_granted = not waiter.is_over
            if waiter.is_over:
                self._at_hand += waiter.calls
            else:
                self._aside += waiter.calls
        if self._is_away and not self._ending.is_set():
            self._is_away = False
            log.info("rate_limit_shared_again", service=self._service)

    def _alone(self, calls: int, priority: Priority) -> Rejected | None:
        """With the lock held: by this process's own count."""
        reserve = 0 if priority is Priority.PEOPLE else self._share // 4
        rejected = self._local_count.refused(self._aside + calls, self._share - reserve)
        if rejected is None:
            self._aside += calls
        return rejected

    def _went_away(self, error: Exception | None) -> None:
        """With the lock held. `error`: what the driver raised, None where it closed, or was waited for too long."""
        if self._is_away or self._ending.is_set():
            return
        self._is_away = True
        known = error is not None and not isinstance(error, TimeoutError | CancelledError)
        why = self._rows.why(error) if error and known else f"no answer within {MAX_WAIT_S:.0f} s"
        log.warning("rate_limit_counted_locally", service=self._service, calls_per_minute=self._share, why=why)

    def _hear(self, stored: Callable[[], Pause]) -> None:
        try:
            pause = stored()
        except DRIVER_ERRORS as error:
            with self._lock:
                self._went_away(error)
            return
        with self._lock:
            self._pause = self._pause.or_later(pause)

    def _submit(self, work: Callable[[T], R], argument: T) -> Future[R] | None:
        """None once it is closed."""
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

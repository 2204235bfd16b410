"""Fetches builds. Concurrent requests for the same builds share one call; each has a deadline; results are cached.

A fetch that began before a restart was sent is never shared with a later request, which must see the restart. So
`forget` is called around each restart.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Container
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from bot.core.model.builds import Build, FailureLog, Page, Project, Status
from bot.core.model.errors import CIError, LastKnown, NoResponse, RateLimitExhausted, RateLimitPaused
from bot.core.model.rate_limit import Priority
from bot.core.ports import CIProvider, Clock
from bot.core.rate_limiter import FOR_PEOPLE, CallAllowance, charged_to

_Key = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the service returned, newest first, for a fetch that began at `began_at`."""

    builds: tuple[Build, ...]
    began_at: datetime


@dataclass(frozen=True, slots=True)
class _Cached:
    """What the service returned for a fetch that began at `began_s`, in seconds of the clock's `monotonic()`."""

    builds: tuple[Build, ...]
    began_s: float


@dataclass(frozen=True, slots=True)
class _InFlight:
    """A running fetch, and the priority with which it began."""

    answer: Future[Snapshot]
    priority: Priority


class BuildFetcher:
    """Fetches builds of one service. `executor` runs the calls, whose threads may hang up to the provider's timeouts.

    A caller with at least `max_call_s` left makes the call in its own thread: handing it to another thread takes a
    tenth of the time of a reply. An error other than CIError is a bug; the thread that made the call logs it. `mask`
    removes secrets from a log's line.
    """

    def __init__(
        self,
        provider: CIProvider,
        executor: Executor,
        clock: Clock,
        *,
        max_call_s: float = math.inf,
        remembered: int = 2000,
        mask: Callable[[str], str] = str,
    ) -> None:
        self._provider = provider
        self._max_call_s = max_call_s
        self._executor = executor
        self._clock = clock
        self._remembered = remembered
        self._mask = mask
        self._lock = threading.Lock()
        self._flights: dict[_Key, _InFlight] = {}
        self._seen: OrderedDict[_Key, _Cached] = OrderedDict()

    def builds(
        self, project: Project, branch: str | None, *, timeout_s: float, allowance: CallAllowance = FOR_PEOPLE
    ) -> Snapshot:
        """Fetches with one call, or shares a running one. `branch` None: of all branches.

        Raises CIError, and NoResponse after `timeout_s` seconds. The error's `last_known` holds cached builds, if there
        are any.
        """
        timeout_s = max(timeout_s, 0.0)
        mine = allowance.priority
        flight = self._join(project, branch, tuple(Priority), timeout_s, allowance)
        try:
            if flight.priority is Priority.BACKGROUND is not mine and _was_refused(flight.answer, timeout_s):
                # People may make calls that background work may not.
                flight = self._join(project, branch, [mine], timeout_s, allowance)
            return flight.answer.result(timeout=timeout_s)
        except TimeoutError:
            error: CIError = NoResponse(self._provider.title, f"no answer within {timeout_s:.0f} s", timed_out=True)
        except CIError as failure:
            error = failure
        error.last_known = self._last_known(project.id, branch)
        raise error

    def with_details(self, build: Build, *, timeout_s: float, allowance: CallAllowance = FOR_PEOPLE) -> Build:
        """The build with its details, if its service may have any. Unchanged after an error or `timeout_s` seconds."""
        if not any(
            run.attempt > 1 or run.status is Status.WAITING or (run.has_ended and run.status.is_bad)
            for run in build.workflows
        ) and not any(run.status is Status.WAITING for run in build.beside):
            return build
        call = self._executor.submit(self._fetch_details, build, allowance)
        try:
            return call.result(timeout=max(timeout_s, 0.0))
        except (TimeoutError, CIError):
            return build

    def failure_log(
        self, build: Build, *, timeout_s: float, allowance: CallAllowance = FOR_PEOPLE
    ) -> FailureLog | None:
        """Why the build failed, as `CIProvider.failure_log`, with secrets masked. Raises CIError.

        Raises NoResponse after `timeout_s` seconds.
        """
        call = self._executor.submit(self._fetch_log, build, allowance)
        try:
            log = call.result(timeout=max(timeout_s, 0.0))
        except TimeoutError:
            raise NoResponse(self._provider.title, f"no answer within {timeout_s:.0f} s", timed_out=True) from None
        return log and replace(log, lines=tuple(map(self._mask, log.lines)))

    def locate(
        self, project: Project, page: Page, *, timeout_s: float, allowance: CallAllowance = FOR_PEOPLE
    ) -> Page | None:
        """The page with its branch, as `CIProvider.locate`. Raises CIError."""
        call = self._executor.submit(self._fetch_location, project, page, allowance)
        try:
            return call.result(timeout=max(timeout_s, 0.0))
        except TimeoutError:
            raise NoResponse(self._provider.title, f"no answer within {timeout_s:.0f} s") from None

    def seen_on(self, page: Page) -> list[Build]:
        """The cached builds that have the page's id or commit, at most one of each project. Makes no call."""
        with self._lock:
            views = list(self._seen.values())
        found: dict[str, Build] = {}
        for view in views:
            for build in view.builds:
                if build.project.id not in found and build.is_on(page):
                    found[build.project.id] = build
        return list(found.values())

    def last_known(self, project: Project) -> LastKnown | None:
        """The project's builds as they were last fetched; None if they are not cached. Makes no call."""
        return self._last_known(project.id, None)

    def forget(self, project: Project) -> None:
        """Makes later requests for the project start a new fetch instead of sharing a running one."""
        with self._lock:
            for key in [key for key in self._flights if key[0] == project.id]:
                del self._flights[key]

    def _join(
        self,
        project: Project,
        branch: str | None,
        begun_by: Container[Priority],
        timeout_s: float,
        allowance: CallAllowance,
    ) -> _InFlight:
        """The running fetch, if it began with one of these priorities; else a new one.

        The new one has ended if it was made in this thread.
        """
        key = (project.id, branch)
        with self._lock:
            flight = self._flights.get(key)
            # A waiting thread wakes before `_landed` runs, and may request again before it does.
            if flight is not None and not flight.answer.done() and flight.priority in begun_by:
                return flight
            snapshot = partial(self._fetch, project, branch, self._clock.now(), self._clock.monotonic(), allowance)
            is_made_here = timeout_s >= self._max_call_s
            answer = Future[Snapshot]() if is_made_here else self._executor.submit(snapshot)
            flight = _InFlight(answer, allowance.priority)
            self._flights[key] = flight
        # Outside the lock, which `_landed` takes: if the call has already failed, this runs it at once.
        answer.add_done_callback(lambda _done: self._landed(key, flight))
        if is_made_here:
            _make(snapshot, answer)
        return flight

    def _fetch(
        self, project: Project, branch: str | None, began_at: datetime, began_s: float, allowance: CallAllowance
    ) -> Snapshot:
        with charged_to(allowance):
            builds = tuple(self._provider.builds(project, branch))
        self._remember((project.id, branch), _Cached(builds, began_s))
        return Snapshot(builds, began_at)

    def _fetch_location(self, project: Project, page: Page, allowance: CallAllowance) -> Page | None:
        with charged_to(allowance):
            return self._provider.locate(project, page)

    def _fetch_log(self, build: Build, allowance: CallAllowance) -> FailureLog | None:
        with charged_to(allowance):
            return self._provider.failure_log(build)

    def _fetch_details(self, build: Build, allowance: CallAllowance) -> Build:
        with charged_to(allowance):
            return self._provider.with_details(build)

    def _remember(self, key: _Key, seen: _Cached) -> None:
        with self._lock:
            known = self._seen.get(key)
            if known is None or known.began_s <= seen.began_s:  # else that fetch hung, and a later one was faster
                self._seen[key] = seen
            self._seen.move_to_end(key)
            while len(self._seen) > self._remembered:
                self._seen.popitem(last=False)

    def _landed(self, key: _Key, flight: _InFlight) -> None:
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]

    def _last_known(self, project_id: str, branch: str | None) -> LastKnown | None:
        with self._lock:
            of_branch = self._seen.get((project_id, branch))
            of_all = self._seen.get((project_id, None))
        views = [view for view in (of_branch, of_all and _only(of_all, branch)) if view and view.builds]
        if not views:
            return None
        latest = max(views, key=lambda view: view.began_s)
        return LastKnown(latest.builds, max(0.0, self._clock.monotonic() - latest.began_s))


def _make(snapshot: Callable[[], Snapshot], answer: Future[Snapshot]) -> None:
    """Runs the fetch in this thread; `answer` gets the result, also for the threads that share it."""
    try:
        answer.set_result(snapshot())
    except BaseException as failure:  # noqa: BLE001 - raised in every thread that reads `answer`, including this one
        answer.set_exception(failure)


def _was_refused(answer: Future[Snapshot], timeout_s: float) -> bool:
    """Whether no call was made, because the rate limit allowed none. Raises TimeoutError."""
    return isinstance(answer.exception(timeout=timeout_s), RateLimitExhausted | RateLimitPaused)


def _only(seen: _Cached, branch: str | None) -> _Cached:
    return _Cached(tuple(build for build in seen.builds if branch in (None, build.branch)), seen.began_s)

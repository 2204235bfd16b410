"""Charging calls: with which priority, in which order, and the call that a restart reserves before its fetch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from threading import Semaphore, Thread
from typing import Any

import pytest

from bot.core.build_fetcher import BuildFetcher, Snapshot
from bot.core.model.actions.values import RunTarget
from bot.core.model.builds import ActionResult, Build, Project
from bot.core.model.errors import (
    CIError,
    NoResponse,
    NoSuchProject,
    OverLimit,
    RateLimitExhausted,
    RateLimitPaused,
    Unauthorized,
)
from bot.core.model.outcomes import BuildShown, Restarted
from bot.core.model.rate_limit import Priority, Rejected
from bot.core.rate_limiter import FOR_BACKGROUND, FOR_PEOPLE, CallAllowance, RateLimiter, charged_to, restart_allowance
from tests.core.world import PATIENCE_S, World, build, press, project, restart, status

PEOPLE, BACKGROUND = Priority.PEOPLE, Priority.BACKGROUND
WEB = project(1, "acme/web")
OLD = build(7, WEB)


class Counted:
    """A `RateLimit` of a few calls that never come back. `takes` are the reservations, `begun` the calls made."""

    def __init__(self, calls: int) -> None:
        self.left = calls
        self.background_reserve = 0
        self.takes: list[tuple[int, Priority]] = []
        self.begun: list[Priority] = []
        self.reserved = 0
        self.paused: float | None = None

    def reserve(self, calls: int, priority: Priority) -> Rejected | None:
        self.takes.append((calls, priority))
        if self.paused is not None:
            return Rejected(self.paused, paused=True)
        if calls + (self.background_reserve if priority is BACKGROUND else 0) > self.left:
            return Rejected(40)
        self.left -= calls
        self.reserved += calls
        return None

    def start_call(self, priority: Priority) -> Rejected | None:
        if self.paused is not None:
            return Rejected(self.paused, paused=True)
        self.reserved -= 1
        self.begun.append(priority)
        return None

    def release(self, calls: int) -> None:
        self.reserved -= calls
        self.left += calls

    def refund(self) -> None:
        self.begun.pop()
        self.left += 1

    def pause(self, retry_after_s: float | None) -> None:
        self.paused = 30 if retry_after_s is None else retry_after_s


@pytest.fixture
def rate_limit() -> Counted:
    return Counted(10)


@pytest.fixture
def limiter(rate_limit: Counted) -> RateLimiter:
    return RateLimiter(rate_limit, "CodeShip")


@pytest.fixture
def paid(world: World, rate_limit: Counted, limiter: RateLimiter) -> Iterator[World]:
    """One repository with one build, which has failed; every call of its service is paid for."""
    world.has(OLD)
    ci = world.ci
    asked: tuple[Callable[[], list[Project]], Callable[..., list[Build]], Callable[[Build], str]]
    asked = (ci.projects, ci.builds, ci.restart)

    def projects() -> list[Project]:
        limiter.before_request("projects")
        return asked[0]()

    def builds(project: Project, branch: str | None = None) -> list[Build]:
        limiter.before_request("builds")
        return asked[1](project, branch)

    def run_again(build: Build, target: RunTarget, *, failed_jobs_only: bool) -> ActionResult:
        limiter.before_request("restart")
        return asked[2](build, target, failed_jobs_only=failed_jobs_only)

    ci.projects, ci.builds, ci.restart = projects, builds, run_again  # type: ignore[method-assign]
    yield world
    assert rate_limit.reserved == 0, "reserved calls were neither used nor released"


def test_a_call_has_peoples_priority_by_default(limiter: RateLimiter, rate_limit: Counted) -> None:
    limiter.before_request("builds")
    with charged_to(FOR_BACKGROUND):
        limiter.before_request("builds")
        with charged_to(FOR_PEOPLE):
            limiter.before_request("builds")
        limiter.before_request("projects")
    limiter.before_request("projects")
    assert rate_limit.begun == [PEOPLE, BACKGROUND, PEOPLE, BACKGROUND, PEOPLE]


def test_the_bots_own_limit_and_the_services_pause_raise_different_errors(
    limiter: RateLimiter, rate_limit: Counted
) -> None:
    rate_limit.left = 0
    with pytest.raises(RateLimitExhausted) as spent:
        limiter.before_request("builds")
    assert (spent.value.service, spent.value.retry_after_s) == ("CodeShip", 40)
    limiter.after_request(OverLimit("CodeShip", retry_after_s=7))
    with pytest.raises(RateLimitPaused) as paused:
        limiter.before_request("builds")
    assert paused.value.retry_after_s == 7
    assert rate_limit.begun == []


@pytest.mark.parametrize(
    "outcome",
    [
        None,
        NoResponse("CodeShip"),
        Unauthorized("CodeShip"),
        RateLimitExhausted("CodeShip"),
        RateLimitPaused("CodeShip"),
    ],
)
def test_only_the_service_itself_begins_a_pause(
    limiter: RateLimiter, rate_limit: Counted, outcome: CIError | None
) -> None:
    limiter.after_request(outcome)
    assert rate_limit.paused is None


def test_a_call_that_the_service_does_not_count_is_refunded(limiter: RateLimiter, rate_limit: Counted) -> None:
    for was_free in (True, False):
        limiter.before_request("builds")
        limiter.after_request(None, was_free)
    assert (rate_limit.left, rate_limit.begun) == (9, [PEOPLE])


def test_a_restart_reserves_its_own_call_with_the_first_fetch(limiter: RateLimiter, rate_limit: Counted) -> None:
    with restart_allowance() as own, charged_to(own):
        for call in ("builds", "builds", "restart", "builds"):
            limiter.before_request(call)
    assert rate_limit.takes == [(2, PEOPLE), (1, PEOPLE), (1, PEOPLE)]
    assert (len(rate_limit.begun), rate_limit.reserved, rate_limit.left) == (4, 0, 6)


def test_a_restart_that_is_not_sent_releases_its_call(limiter: RateLimiter, rate_limit: Counted) -> None:
    with restart_allowance() as own, charged_to(own):
        limiter.before_request("builds")
        assert (rate_limit.left, rate_limit.reserved) == (8, 1)
    assert (rate_limit.left, rate_limit.reserved) == (9, 0)


def test_a_restart_that_begins_within_a_pause_is_not_sent(limiter: RateLimiter, rate_limit: Counted) -> None:
    with restart_allowance() as own, charged_to(own):
        limiter.before_request("builds")
        rate_limit.pause(9)
        with pytest.raises(RateLimitPaused):
            limiter.before_request("restart")
    assert (len(rate_limit.begun), rate_limit.reserved, rate_limit.left) == (1, 0, 9)


def test_a_status_is_one_call_and_a_restart_two(paid: World, rate_limit: Counted) -> None:
    assert isinstance(paid.ask(status("acme/web", "main")), BuildShown)
    assert rate_limit.left == 9
    assert isinstance(paid.ask(restart("acme/web", "main")), Restarted)
    assert rate_limit.left == 7


@pytest.mark.parametrize("ask", [restart("acme/web", "main"), press(OLD)], ids=["command", "button"])
def test_with_one_call_left_a_restart_does_not_even_fetch(paid: World, rate_limit: Counted, ask: object) -> None:
    rate_limit.left = 1
    with pytest.raises(RateLimitExhausted):
        paid.ask(ask)  # type: ignore[arg-type]
    assert (paid.ci.calls, rate_limit.left) == ([], 1)
    assert isinstance(paid.ask(status("acme/web", "main")), BuildShown)


def test_a_restart_after_a_shared_fetch_is_charged_for_itself(paid: World, rate_limit: Counted) -> None:
    held = paid.ci.hold("builds")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(paid.ask, status("acme/web", "main"))
        held.wait_for()
        second = pool.submit(paid.ask, restart("acme/web", "main"))
        held.let_go()
        assert isinstance(first.result(PATIENCE_S), BuildShown)
        assert isinstance(second.result(PATIENCE_S), Restarted)
    assert rate_limit.left in (7, 8)


def test_a_refused_request_gets_the_cached_builds(paid: World, rate_limit: Counted) -> None:
    paid.ask(status("acme/web", "main"))
    paid.clock.advance(90)
    rate_limit.left = 0
    for ask in (status("acme/web", "main"), restart("acme/web", "main"), press(OLD)):
        with pytest.raises(RateLimitExhausted) as refused:
            paid.ask(ask)
        assert refused.value.last_known is not None
        assert (refused.value.last_known.builds, refused.value.last_known.age_s) == ((OLD,), 90)


def fetch(world: World, allowance: CallAllowance) -> Snapshot:
    return world.fetcher.builds(WEB, "main", timeout_s=PATIENCE_S, allowance=allowance)


def test_a_shared_fetch_is_charged_to_the_request_that_began_it(paid: World, rate_limit: Counted) -> None:
    fetch(paid, FOR_BACKGROUND)
    assert rate_limit.begun == [BACKGROUND]


class Watched(Future[Any]):
    """Signals when a thread is about to wait for the fetch's refusal."""

    def __init__(self) -> None:
        super().__init__()
        self.watched = Semaphore(0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self.watched.release()
        return super().exception(timeout)


class Watching(Executor):
    """One thread a call."""

    def __init__(self) -> None:
        self.futures: list[Watched] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = Watched()
        self.futures.append(future)

        def run() -> None:
            try:
                future.set_result(fn(*args, **kwargs))
            except CIError as failure:
                future.set_exception(failure)

        Thread(target=run).start()
        return future


def test_people_who_share_a_refused_background_fetch_make_a_new_one_together(world: World) -> None:
    """The background fetch is held until people have joined it, and is then refused."""
    executor = Watching()
    fetcher = BuildFetcher(world.ci, executor, world.clock)
    held = world.ci.hold("builds")
    world.ci.all_builds = [OLD]
    world.ci.failures["builds"] = [RateLimitExhausted("CodeShip", retry_after_s=40)]

    def ask(priority: Priority) -> Snapshot:
        return fetcher.builds(WEB, "main", timeout_s=PATIENCE_S, allowance=CallAllowance(priority))

    with ThreadPoolExecutor(6) as pool:
        background = pool.submit(ask, BACKGROUND)
        held.wait_for()
        people = [pool.submit(ask, PEOPLE) for _ in range(5)]
        for _ in people:
            assert executor.futures[0].watched.acquire(timeout=PATIENCE_S)
        next_poll = world.ci.hold("builds")
        held.let_go()
        assert isinstance(background.exception(PATIENCE_S), RateLimitExhausted)
        next_poll.wait_for()
        next_poll.let_go()
        assert {one.result(PATIENCE_S).builds for one in people} == {(OLD,)}


def test_the_list_of_projects_is_read_in_the_background_unless_someone_waits(paid: World, rate_limit: Counted) -> None:
    paid.directory.start()
    assert paid.directory.wait_idle(PATIENCE_S)
    assert rate_limit.begun == [BACKGROUND]
    paid.clock.advance(31)
    with pytest.raises(NoSuchProject):
        paid.find("acme/new")
    assert rate_limit.begun == [BACKGROUND, PEOPLE]


def test_a_missing_name_refreshes_the_list_even_after_a_refused_background_refresh(
    paid: World, rate_limit: Counted
) -> None:
    rate_limit.background_reserve = 10
    paid.directory.start()
    assert paid.directory.wait_idle(PATIENCE_S)
    assert rate_limit.begun == []
    new = project(2, "acme/new")
    paid.ci.account.append(new)
    assert paid.find("acme/new") == new
    assert rate_limit.begun == [PEOPLE]


def test_the_list_call_of_a_restart_does_not_use_its_reserved_call(paid: World, rate_limit: Counted) -> None:
    new = project(2, "acme/new")
    paid.ci.account.append(new)
    paid.ci.all_builds.append(build(9, new))
    assert isinstance(paid.ask(restart("acme/new", "main")), Restarted)
    assert rate_limit.takes == [(1, PEOPLE), (2, PEOPLE)]

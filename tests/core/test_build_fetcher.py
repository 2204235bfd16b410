"""Fetches: shared, with a timeout, and never older than a restart."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from threading import Semaphore, Thread
from typing import Any

import pytest

from bot.core.build_fetcher import BuildFetcher, Snapshot
from bot.core.model.builds import Build, Status
from bot.core.model.errors import CIError, NoResponse, Unreachable
from tests.core.world import PATIENCE_S, World, build, project

WEB, API = project(1, "acme/web"), project(2, "acme/api")
OLD = build(7, WEB)


class Watched(Future[Any]):
    """Signals when a thread is about to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = Semaphore(0)

    def result(self, timeout: float | None = None) -> Any:
        self.waiting.release()
        return super().result(timeout)


class Watching(Executor):
    """One thread per call, with a future that signals when a thread waits for it."""

    def __init__(self, kind: type[Watched] = Watched) -> None:
        self._kind = kind
        self.futures: list[Watched] = []
        self.threads: list[Thread] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = self._kind()

        def run() -> None:
            try:
                result = fn(*args, **kwargs)
            except CIError as failure:
                future.set_exception(failure)
            else:
                future.set_result(result)

        self.futures.append(future)
        self.threads.append(Thread(target=run))
        self.threads[-1].start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        for thread in self.threads:
            thread.join(PATIENCE_S)


def fetch(world: World, branch: str | None = "main", timeout_s: float = PATIENCE_S) -> Snapshot:
    return world.fetcher.builds(WEB, branch, timeout_s=timeout_s)


def together(world: World, number: int) -> list[Snapshot | CIError]:
    """The results of so many requests that all wait for the same response."""

    def ask() -> Snapshot | CIError:
        try:
            return fetcher.builds(WEB, "main", timeout_s=PATIENCE_S)
        except CIError as failure:
            return failure

    held = world.ci.hold("builds")
    with Watching() as executor, ThreadPoolExecutor(number) as pool:
        fetcher = BuildFetcher(world.ci, executor, world.clock)
        asked = [pool.submit(ask) for _ in range(number)]
        held.wait_for()
        for _ in asked:
            assert executor.futures[0].waiting.acquire(timeout=PATIENCE_S)
        held.let_go()
        return [one.result(PATIENCE_S) for one in asked]


def test_a_hundred_concurrent_identical_requests_make_one_call(world: World) -> None:
    world.ci.all_builds = [OLD]
    answers = together(world, 100)
    assert world.ci.calls == ["builds"]
    assert answers == [Snapshot((OLD,), world.clock.now())] * 100


def test_requests_during_a_call_share_it(world: World) -> None:
    held = world.ci.hold("builds")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(fetch, world)
        held.wait_for()
        for _ in range(100):
            with pytest.raises(NoResponse):
                fetch(world, timeout_s=0.0)
        held.let_go()
        first.result(PATIENCE_S)
    assert world.ci.calls == ["builds"]


def test_different_requests_make_different_calls(world: World) -> None:
    held = world.ci.hold("builds")
    for branch in ("main", "dev", None, "Main"):
        with pytest.raises(NoResponse):
            fetch(world, branch, timeout_s=0.0)
    with pytest.raises(NoResponse):
        world.fetcher.builds(API, "main", timeout_s=0.0)
    held.wait_for(5)
    held.let_go()
    assert world.ci.calls == ["builds"] * 5


def test_a_request_after_the_result_gets_its_own_call(world: World) -> None:
    for number in range(1, 50):
        fetch(world)
        assert len(world.ci.calls) == number


class Untidy(Watched):
    """Wakes waiting threads, and calls back late."""

    def add_done_callback(self, fn: Callable[[Future[Any]], object]) -> None:
        pass


def test_a_request_between_the_result_and_its_cleanup_gets_its_own_call(world: World) -> None:
    with Watching(Untidy) as executor:
        fetcher = BuildFetcher(world.ci, executor, world.clock)
        for _ in range(3):
            fetcher.builds(WEB, "main", timeout_s=PATIENCE_S)
    assert world.ci.calls == ["builds"] * 3


def test_a_failing_call_fails_all_that_share_it_and_the_next_request_calls_again(world: World) -> None:
    world.ci.failures["builds"] = [Unreachable("CodeShip", "down")]
    answers = together(world, 10)
    assert world.ci.calls == ["builds"]
    assert [type(answer) for answer in answers] == [Unreachable] * 10
    assert fetch(world).builds == ()
    assert world.ci.calls == ["builds"] * 2


class Hasty(ThreadPoolExecutor):
    """Finishes its work before `submit` returns."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = super().submit(fn, *args, **kwargs)
        wait([future], timeout=0.05)  # a successful fetch must wait here for the lock of its caller
        return future


def test_a_call_that_fails_at_once_blocks_no_one(world: World) -> None:
    world.ci.failures["builds"] = [Unreachable("CodeShip", "down"), None]
    failures: list[CIError] = []
    seen: list[Snapshot] = []

    def ask_twice() -> None:
        try:
            fetcher.builds(WEB, "main", timeout_s=PATIENCE_S)
        except CIError as failure:
            failures.append(failure)
        seen.append(fetcher.builds(WEB, "main", timeout_s=PATIENCE_S))

    with Hasty(2) as executor:
        fetcher = BuildFetcher(world.ci, executor, world.clock)
        asker = Thread(target=ask_twice, daemon=True)
        asker.start()
        asker.join(PATIENCE_S)
        assert not asker.is_alive()
    assert (len(failures), len(seen)) == (1, 1)


def test_a_fetch_that_began_before_a_restart_is_not_shared_with_a_later_request(world: World) -> None:
    world.ci.all_builds = [OLD]
    old_held = world.ci.hold("builds answered")
    with ThreadPoolExecutor(2) as pool:
        before = pool.submit(fetch, world)
        old_held.wait_for()
        world.ci.becomes("7", Status.RUNNING, "testing")
        world.fetcher.forget(WEB)
        new_held = world.ci.hold("builds answered")
        after = pool.submit(fetch, world)
        new_held.wait_for()
        new_held.let_go()
        assert after.result(PATIENCE_S).builds[0].is_under_way
        old_held.let_go()
        assert before.result(PATIENCE_S).builds == (OLD,)
    assert world.ci.calls == ["builds"] * 2


def test_the_end_of_a_forgotten_fetch_does_not_end_the_sharing_of_the_next(world: World) -> None:
    with Watching() as executor:
        fetcher = BuildFetcher(world.ci, executor, world.clock)
        old_held = world.ci.hold("builds")
        with pytest.raises(NoResponse):
            fetcher.builds(WEB, "main", timeout_s=0.0)
        old_held.wait_for()
        fetcher.forget(WEB)
        new_held = world.ci.hold("builds")
        with pytest.raises(NoResponse):
            fetcher.builds(WEB, "main", timeout_s=0.0)
        old_held.let_go()
        executor.threads[0].join(PATIENCE_S)
        with pytest.raises(NoResponse):
            fetcher.builds(WEB, "main", timeout_s=0.0)
        assert len(executor.futures) == 2
        new_held.let_go()


def test_a_restart_of_one_project_leaves_the_fetches_of_others_shared(world: World) -> None:
    held = world.ci.hold("builds")
    with pytest.raises(NoResponse):
        fetch(world, timeout_s=0.0)
    held.wait_for()
    world.fetcher.forget(API)
    with pytest.raises(NoResponse):
        fetch(world, timeout_s=0.0)
    held.let_go()
    assert world.ci.calls == ["builds"]


def test_the_age_of_a_fetch_counts_from_its_beginning(world: World) -> None:
    held = world.ci.hold("builds")
    began = world.clock.now()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(fetch, world)
        held.wait_for()
        world.clock.advance(5)
        held.let_go()
        assert asked.result(PATIENCE_S).began_at == began


def test_nothing_is_kept_of_calls_that_have_ended(world: World) -> None:
    world.ci.failures["builds"] = [None, Unreachable("CodeShip")]
    fetch(world)
    with pytest.raises(Unreachable):
        fetch(world)
    world.executor.shutdown()  # by then all has been tidied that is tidied on the executor's threads
    assert world.fetcher._flights == {}


def test_a_returned_build_is_never_changed_by_a_later_fetch(world: World) -> None:
    world.ci.all_builds = [OLD]
    first: tuple[Build, ...] = fetch(world).builds
    world.ci.becomes("7", Status.RUNNING, "testing")
    fetch(world)
    assert first == (OLD,)

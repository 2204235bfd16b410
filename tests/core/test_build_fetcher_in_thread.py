"""Fetches of callers with time for the whole call: made in their own thread, and still shared."""

from __future__ import annotations

import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import pytest

from bot.core.build_fetcher import BuildFetcher, Snapshot
from bot.core.model.errors import NoResponse, Unreachable
from tests.core.world import PATIENCE_S, World, build, project

WEB = project(1, "acme/web")
OLD = build(7, WEB)
CALL_S = 2.0


class Nobody(Executor):
    """An executor that must not be used."""

    def submit(self, *_work: Any, **_more: Any) -> Future[Any]:
        raise AssertionError("handed to another thread")


@pytest.fixture
def fetcher(world: World) -> BuildFetcher:
    world.has(OLD)
    return BuildFetcher(world.ci, Nobody(), world.clock, max_call_s=CALL_S)


def test_a_caller_with_enough_time_makes_the_call_in_its_own_thread(world: World, fetcher: BuildFetcher) -> None:
    assert fetcher.builds(WEB, "main", timeout_s=CALL_S) == Snapshot((OLD,), world.clock.now())
    assert fetcher.builds(WEB, "main", timeout_s=CALL_S).builds == (OLD,)
    assert world.ci.calls == ["builds"] * 2


def test_a_caller_with_less_time_uses_another_thread(world: World) -> None:
    world.has(OLD)
    fetcher = BuildFetcher(world.ci, world.executor, world.clock, max_call_s=CALL_S)
    held = world.ci.hold("builds")
    with pytest.raises(NoResponse):
        fetcher.builds(WEB, "main", timeout_s=0.1)
    held.let_go()


def test_concurrent_requests_share_it_and_wait_as_long_as_they_can(world: World, fetcher: BuildFetcher) -> None:
    held = world.ci.hold("builds")
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(fetcher.builds, WEB, "main", timeout_s=PATIENCE_S)
        held.wait_for()
        others = [pool.submit(fetcher.builds, WEB, "main", timeout_s=PATIENCE_S) for _ in range(8)]
        with pytest.raises(NoResponse):
            fetcher.builds(WEB, "main", timeout_s=0.0)
        held.let_go()
        assert {look.result(PATIENCE_S) for look in (first, *others)} == {first.result()}
    assert world.ci.calls == ["builds"]


def test_its_failure_reaches_all_that_share_it_and_the_next_request_calls_again(
    world: World, fetcher: BuildFetcher
) -> None:
    world.ci.failures["builds"] = [Unreachable("CodeShip")]
    with pytest.raises(Unreachable):
        fetcher.builds(WEB, "main", timeout_s=CALL_S)
    assert fetcher.builds(WEB, "main", timeout_s=CALL_S).builds == (OLD,)


def test_a_bug_in_it_is_raised_once_if_it_was_requested_and_blocks_no_one(world: World, fetcher: BuildFetcher) -> None:
    class Bug(Exception):
        pass

    def broken() -> None:
        world.ci.before_builds = lambda: None
        raise Bug

    world.ci.before_builds = broken
    with pytest.raises(Bug):
        fetcher.builds(WEB, "main", timeout_s=CALL_S)
    assert fetcher.builds(WEB, "main", timeout_s=CALL_S).builds == (OLD,)


def test_the_callers_priority_reaches_the_call(world: World, fetcher: BuildFetcher) -> None:
    seen: list[int] = []
    world.ci.before_builds = lambda: seen.append(threading.get_ident())
    fetcher.builds(WEB, "main", timeout_s=CALL_S)
    assert seen == [threading.get_ident()]

"""What is cached from earlier fetches, and shown if a fetch fails."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.core.build_fetcher import BuildFetcher, Snapshot
from bot.core.model.builds import Status
from bot.core.model.errors import CIError, NoResponse, Unreachable
from tests.core.world import PATIENCE_S, World, build, project

WEB = project(1, "acme/web")
OLD, OTHER = build(7, WEB), build(6, WEB, "dev")


def fetch(world: World, branch: str | None = "main", timeout_s: float = PATIENCE_S) -> Snapshot:
    return world.fetcher.builds(WEB, branch, timeout_s=timeout_s)


def no_answer(world: World, branch: str | None = "main") -> NoResponse:
    held = world.ci.hold("builds")
    with pytest.raises(NoResponse) as caught:
        fetch(world, branch, timeout_s=0.0)
    held.wait_for()
    held.let_go()
    world.ci.hold_no_more("builds")
    return caught.value


def known(error: CIError) -> tuple[list[str], float]:
    assert error.last_known is not None
    return [seen.id for seen in error.last_known.builds], error.last_known.age_s


def test_a_timeout_reports_the_cached_builds_and_their_age(world: World) -> None:
    world.ci.all_builds = [OLD]
    fetch(world)
    world.clock.advance(40)
    assert known(no_answer(world)) == (["7"], 40.0)


def test_a_timeout_reports_no_builds_if_none_are_cached(world: World) -> None:
    assert no_answer(world).last_known is None


def test_an_empty_fetch_caches_no_builds(world: World) -> None:
    fetch(world)
    assert no_answer(world).last_known is None


def test_a_request_without_time_reports_no_negative_seconds(world: World) -> None:
    held = world.ci.hold("builds")
    with pytest.raises(NoResponse) as caught:
        fetch(world, timeout_s=-3.0)
    held.let_go()
    assert caught.value.detail == "no answer within 0 s"


@pytest.mark.parametrize("failure", [Unreachable("CodeShip"), NoResponse("CodeShip")])
def test_every_failure_reports_the_cached_builds(world: World, failure: CIError) -> None:
    world.ci.all_builds = [OLD]
    fetch(world)
    world.clock.advance(9)
    world.ci.failures["builds"] = [failure]
    with pytest.raises(type(failure)) as caught:
        fetch(world)
    assert known(caught.value) == (["7"], 9.0)


def test_a_branch_is_known_from_a_fetch_of_all_branches(world: World) -> None:
    world.ci.all_builds = [OLD, OTHER]
    fetch(world, None)
    world.clock.advance(3)
    assert known(no_answer(world, "dev")) == (["6"], 3.0)
    assert no_answer(world, "other").last_known is None


def test_of_two_fetches_of_a_branch_the_later_one_is_used(world: World) -> None:
    world.ci.all_builds = [OLD, OTHER]
    fetch(world, "main")
    world.clock.advance(60)
    newer = build(8, WEB)
    world.ci.all_builds = [newer, OLD, OTHER]
    fetch(world, None)
    world.clock.advance(1)
    assert known(no_answer(world, "main")) == (["8", "7"], 1.0)
    fetch(world, "main")
    world.clock.advance(2)
    assert known(no_answer(world, "main")) == (["8", "7"], 2.0)


def test_a_fetch_of_one_branch_is_no_cache_for_all(world: World) -> None:
    world.ci.all_builds = [OLD]
    fetch(world, "main")
    assert no_answer(world, None).last_known is None


def test_a_fetch_that_hung_does_not_hide_what_a_later_one_showed(world: World) -> None:
    world.ci.all_builds = [OLD]
    held = world.ci.hold("builds answered")
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(fetch, world)
        held.wait_for()
        world.ci.hold_no_more("builds answered")
        world.fetcher.forget(WEB)
        world.clock.advance(2)
        world.ci.becomes("7", Status.RUNNING, "testing")
        fetch(world)
        world.clock.advance(5)
        held.let_go()
        hanging.result(PATIENCE_S)
    error = no_answer(world)
    assert error.last_known is not None
    assert error.last_known.builds[0].is_under_way
    assert error.last_known.age_s == 5.0


def test_the_cache_is_bounded_and_the_oldest_entry_goes_first(world: World) -> None:
    fetcher = BuildFetcher(world.ci, world.executor, world.clock, remembered=3)
    repositories = [project(number, f"acme/{number}") for number in range(5)]
    world.ci.all_builds = [build(number, each) for number, each in enumerate(repositories)]
    for each in repositories:
        fetcher.builds(each, "main", timeout_s=PATIENCE_S)
    fetcher.builds(repositories[2], "main", timeout_s=PATIENCE_S)  # requested again, so it is recent again
    fetcher.builds(repositories[0], "main", timeout_s=PATIENCE_S)
    remembered = []
    world.ci.failures["builds"] = [Unreachable("CodeShip") for _ in repositories]
    for each in repositories:
        with pytest.raises(Unreachable) as caught:
            fetcher.builds(each, "main", timeout_s=PATIENCE_S)
        remembered.append(caught.value.last_known is not None)
    assert remembered == [True, False, True, False, True]

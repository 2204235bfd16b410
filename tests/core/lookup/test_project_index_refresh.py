"""When the project list is fetched, and what is used while it cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from bot.app.name_matching import nearest
from bot.core.lookup.project_index import CACHE_TTL_S, RETRY_AFTER_S, ProjectIndex
from bot.core.model.builds import Project
from bot.core.model.errors import CIError, NoResponse, NoSuchProject, Unauthorized, Unreachable
from tests.core.world import PATIENCE_S, World, project

WEB, API, NEW = project(1, "acme/web"), project(2, "acme/api"), project(9, "acme/new")
DOWN = Unreachable("CodeShip", "down")


def find(world: World, *names: str, timeout_s: float = PATIENCE_S) -> Project:
    return world.find(*names, timeout_s=timeout_s)


def calls(world: World) -> int:
    return world.ci.calls.count("projects")


def settled(world: World) -> None:
    """Waits for background work."""
    refresh = world.directory._refresh
    assert refresh is not None
    refresh.exception(PATIENCE_S)


def restarted(world: World) -> ProjectIndex:
    """The project index of a new process with the same store."""
    return ProjectIndex(world.ci, world.store.projects, world.executor, world.clock, nearest)


def test_a_missing_name_refreshes_the_list_and_finds_a_new_repository(world: World) -> None:
    world.knows(WEB)
    world.ci.account.append(NEW)
    assert find(world, "acme/new") == NEW
    assert calls(world) == 1


def test_missing_names_cause_at_most_one_request_in_thirty_seconds(world: World) -> None:
    world.knows(WEB)
    for _ in range(10):
        with pytest.raises(NoSuchProject):
            find(world, "acme/nothing")
        with pytest.raises(NoSuchProject):
            world.directory.by_id("77", timeout_s=PATIENCE_S)
        world.clock.advance((RETRY_AFTER_S - 1) / 10)
    assert calls(world) == 1
    world.clock.advance(1.5)
    with pytest.raises(NoSuchProject):
        find(world, "acme/nothing")
    assert calls(world) == 2


def test_concurrent_misses_wait_for_the_same_refresh(world: World) -> None:
    world.knows(WEB)
    world.ci.account.append(NEW)
    held = world.ci.hold("projects")
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(find, world, "acme/new") for _ in range(20)]
        held.wait_for()
        held.let_go()
        assert {one.result(PATIENCE_S) for one in asked} == {NEW}
    assert calls(world) == 1


def test_a_request_without_time_is_told_why_the_list_may_be_outdated(world: World) -> None:
    world.knows(WEB)
    held = world.ci.hold("projects")
    with pytest.raises(NoSuchProject) as caught:
        find(world, "acme/new", timeout_s=-1.0)
    assert isinstance(caught.value.stale_because, NoResponse)
    assert caught.value.stale_because.detail == "no project list within 0 s"
    held.let_go()


def test_one_requests_timeout_does_not_fail_the_others(world: World) -> None:
    world.knows(WEB)
    held = world.ci.hold("projects")
    with pytest.raises(NoSuchProject):
        find(world, "acme/new", timeout_s=0.0)
    assert world.directory.last_failure is None
    held.let_go()


def test_a_list_that_is_fresh_is_not_requested(world: World) -> None:
    world.knows(WEB)
    world.clock.advance(CACHE_TTL_S)
    find(world, "acme/web")
    world.directory.by_id("1", timeout_s=PATIENCE_S)
    world.directory.matching("web", timeout_s=PATIENCE_S)
    assert calls(world) == 0


def test_an_old_list_is_refreshed_in_the_background_without_a_wait(world: World) -> None:
    world.knows(WEB)
    world.clock.advance(CACHE_TTL_S + 1)
    world.ci.account.append(NEW)
    held = world.ci.hold("projects")
    assert find(world, "acme/web") == WEB  # answered while the list is on its way
    assert world.directory.matching("", timeout_s=0.0) == [WEB]
    held.wait_for()
    held.let_go()
    settled(world)
    assert calls(world) == 1
    assert find(world, "acme/new", timeout_s=0.0) == NEW
    assert world.directory.age_s == 0.0


def test_a_refresh_that_fails_keeps_the_names_and_is_reported(world: World) -> None:
    world.knows(WEB)
    world.clock.advance(CACHE_TTL_S + 1)
    world.ci.failures["projects"] = [DOWN]
    assert find(world, "acme/web") == WEB
    settled(world)
    assert world.directory.last_failure is DOWN
    assert find(world, "acme/web") == WEB
    with pytest.raises(NoSuchProject) as caught:  # less than 30 s later: no new fetch
        find(world, "acme/wep")
    assert caught.value.stale_because is DOWN
    assert caught.value.nearest[0] == WEB
    assert calls(world) == 1
    world.clock.advance(RETRY_AFTER_S)
    with pytest.raises(NoSuchProject) as caught:
        find(world, "acme/wep")
    assert caught.value.stale_because is None
    assert world.directory.last_failure is None


def test_a_missing_name_whose_refresh_fails_is_reported_so(world: World) -> None:
    world.knows(WEB)
    world.ci.failures["projects"] = [DOWN]
    with pytest.raises(NoSuchProject) as caught:
        find(world, "acme/new")
    assert (caught.value.stale_because, caught.value.known) == (DOWN, 1)


@pytest.mark.parametrize("failure", [DOWN, Unauthorized("CodeShip", "401")], ids=lambda failure: type(failure).__name__)
def test_without_any_list_the_failure_itself_is_raised(world: World, failure: CIError) -> None:
    world.ci.failures["projects"] = [failure]
    for _ in range(2):  # the second time within 30 s, without another call
        with pytest.raises(type(failure)):
            find(world, "acme/web")
    with pytest.raises(type(failure)):
        world.directory.by_id("1", timeout_s=PATIENCE_S)
    with pytest.raises(type(failure)):
        world.directory.matching("", timeout_s=PATIENCE_S)
    assert calls(world) == 1
    assert world.directory.age_s is None


def test_without_any_list_a_slow_refresh_raises_no_response(world: World) -> None:
    held = world.ci.hold("projects")
    with pytest.raises(NoResponse):
        find(world, "acme/web", timeout_s=0.0)
    with pytest.raises(NoResponse):
        world.directory.matching("", timeout_s=0.0)
    held.let_go()


def test_an_account_without_repositories_has_an_empty_list(world: World) -> None:
    with pytest.raises(NoSuchProject) as caught:
        find(world, "acme/web")
    assert (caught.value.known, caught.value.nearest, caught.value.stale_because) == (0, (), None)
    assert world.directory.matching("", timeout_s=PATIENCE_S) == []


def test_a_bot_that_starts_while_the_service_is_down_uses_the_stored_list(world: World) -> None:
    world.knows(WEB, API)
    world.clock.advance(3600)
    world.ci.failures["projects"] = [DOWN]
    world.directory = directory = restarted(world)
    directory.start()
    assert find(world, "acme/web") == WEB
    assert directory.by_id("2", timeout_s=PATIENCE_S) == API
    with pytest.raises(NoSuchProject) as caught:
        find(world, "acme/new")
    assert caught.value.stale_because is DOWN
    assert (directory.size, directory.age_s) == (2, 3600.0)


def test_a_bot_that_starts_requests_the_list_without_waiting_for_it(world: World) -> None:
    held = world.ci.hold("projects")
    world.ci.account.append(WEB)
    world.directory.start()
    held.wait_for()
    held.let_go()
    assert find(world, "acme/web") == WEB
    assert calls(world) == 1


def test_a_repository_missing_from_the_list_is_removed_from_the_store(world: World) -> None:
    world.knows(WEB, API)
    world.ci.account.remove(API)
    world.directory.refresh()
    world.ci.failures["projects"] = [DOWN]
    directory = restarted(world)
    directory.start()
    assert [each.name for each in directory.matching("", timeout_s=PATIENCE_S)] == ["acme/web"]


class Full(Exception):
    """The disk is full."""


class FullStore:
    """A `ProjectStore` that is empty and raises on each write."""

    def load_projects(self, service: str) -> tuple[list[Project], datetime | None]:
        return [], None

    def save_projects(self, service: str, projects: Sequence[Project], at: datetime) -> None:
        raise Full


@pytest.fixture
def full(world: World) -> World:
    world.directory = ProjectIndex(world.ci, FullStore(), world.executor, world.clock, nearest)
    return world


def test_names_are_used_and_the_failure_logged_if_they_cannot_be_stored(full: World) -> None:
    full.ci.account.append(WEB)
    assert find(full, "acme/web") == WEB
    assert [type(failure) for failure in full.executor.reported] == [Full]


def test_a_store_that_fails_in_the_background_is_reported(full: World) -> None:
    full.ci.account.append(WEB)
    full.directory.start()
    settled(full)
    full.executor.shutdown()
    assert [type(failure) for failure in full.executor.reported] == [Full]
    assert full.directory.last_failure is None  # which is about the CI service, and shown to people


def test_a_refresh_in_the_callers_own_thread_raises_both_failures(full: World) -> None:
    full.ci.failures["projects"] = [DOWN]
    with pytest.raises(Unreachable):
        full.directory.refresh()
    with pytest.raises(Full):
        full.directory.refresh()

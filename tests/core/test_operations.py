"""Every command: success and failure, and the calls that each needs."""

from __future__ import annotations

import pytest

from bot.core.model.builds import Build, Status
from bot.core.model.command_values import BranchCommand, ListProjects, ShowHelp, Verb, Word
from bot.core.model.errors import AmbiguousProject, BranchRequired, NoResponse, NoSuchBranch, NoSuchProject, Unreachable
from bot.core.model.outcomes import (
    AlreadyRestarted,
    BranchesShown,
    BuildShown,
    BuildsShown,
    HelpShown,
    NoBuilds,
    ProjectsShown,
    Restarted,
    StillRunning,
)
from tests.core.world import ADA, BOB, World, build, press, project, restart, status

WEB, API = project(1, "acme/web"), project(2, "acme/api")
DEV_NEW, MAIN, DEV_OLD = build(9, WEB, "dev", Status.PASSED), build(7, WEB), build(5, WEB, "dev")
NO_BRANCH = build(8, WEB, None)
PAGE = "https://ci.example/projects/1"


def builds(repo: str, branch: str | None = None) -> BranchCommand:
    return BranchCommand(Verb.BUILDS, Word.of(repo), Word.of(branch) if branch else None)


@pytest.fixture
def web(world: World) -> World:
    """Three builds on two branches; the bot knows the repository."""
    world.has(DEV_NEW, MAIN, DEV_OLD)
    return world


def shown(outcome: object) -> Build:
    assert isinstance(outcome, BuildShown)
    return outcome.build


# --- status ---


def test_a_status_is_one_call(web: World) -> None:
    assert web.ask(status("acme/web", "main")) == BuildShown(MAIN)
    assert web.ci.calls == ["builds"]


def test_the_newest_build_of_a_branch_is_shown(web: World) -> None:
    assert shown(web.ask(status("acme/web", "dev"))) == DEV_NEW


def test_a_status_without_a_branch_shows_the_newest_build_of_each_and_is_one_call(web: World) -> None:
    assert web.ask(status("acme/web")) == BranchesShown(WEB, (DEV_NEW, MAIN))
    assert web.ci.calls == ["builds"]


def test_a_status_without_a_branch_shows_the_build_itself_if_there_is_one_branch(world: World) -> None:
    world.has(DEV_NEW, DEV_OLD)
    assert shown(world.ask(status("acme/web"))) == DEV_NEW


def test_builds_without_a_branch_are_shown_as_one_more_branch(world: World) -> None:
    world.has(NO_BRANCH, MAIN)
    assert world.ask(status("acme/web")) == BranchesShown(WEB, (NO_BRANCH, MAIN))


@pytest.mark.parametrize("command", [status("acme/web"), restart("acme/web"), builds("acme/web")])
def test_a_repository_without_builds_is_reported(world: World, command: object) -> None:
    world.knows(WEB)
    assert world.ask(command) == NoBuilds(WEB)  # type: ignore[arg-type]
    assert world.ci.calls == ["builds"]


@pytest.mark.parametrize("command", [status("acme/web", "x"), restart("acme/web", "x"), builds("acme/web", "x")])
def test_a_branch_of_a_repository_without_builds_is_reported(world: World, command: object) -> None:
    world.knows(WEB)
    assert world.ask(command) == NoBuilds(WEB)  # type: ignore[arg-type]


@pytest.mark.parametrize("command", [status("acme/web", "x"), restart("acme/web", "x"), builds("acme/web", "x")])
def test_an_unknown_branch_is_answered_with_those_that_have_builds(web: World, command: object) -> None:
    with pytest.raises(NoSuchBranch) as caught:
        web.ask(command)  # type: ignore[arg-type]
    assert (caught.value.project, caught.value.branch, caught.value.branches) == (WEB, "x", ("dev", "main"))
    assert web.ci.calls == ["builds"] * 2


@pytest.mark.parametrize("command", [status("nope"), restart("nope"), builds("nope")])
def test_an_unknown_repository_costs_only_the_list_call(web: World, command: object) -> None:
    with pytest.raises(NoSuchProject):
        web.ask(command)  # type: ignore[arg-type]
    assert web.ci.calls == ["projects"]


@pytest.mark.parametrize("command", [status("web"), restart("web"), builds("web")])
def test_an_ambiguous_name_costs_no_call(world: World, command: object) -> None:
    world.knows(WEB, project(3, "initech/web"))
    with pytest.raises(AmbiguousProject):
        world.ask(command)  # type: ignore[arg-type]
    assert world.ci.calls == []


def test_a_name_is_found_in_any_case_and_without_its_organisation(web: World) -> None:
    assert shown(web.ask(status("ACME/Web", "main"))) == MAIN
    assert shown(web.ask(status("Web", "main"))) == MAIN


# --- restart (what becomes of one: test_restarts.py) ---


def test_a_restart_is_two_calls(web: World) -> None:
    outcome = web.ask(restart("acme/web", "main"))
    assert isinstance(outcome, Restarted)
    assert (outcome.build, outcome.claim.actor) == (MAIN, ADA)
    assert web.ci.calls == ["builds", "restart"]


def test_a_restart_without_a_branch_asks_which_if_there_are_several(web: World) -> None:
    with pytest.raises(BranchRequired) as caught:
        web.ask(restart("acme/web"))
    assert (caught.value.project, caught.value.branches) == (WEB, ("dev", "main"))
    assert web.ci.calls == ["builds"]


def test_a_restart_without_a_branch_takes_the_only_one(world: World) -> None:
    world.has(DEV_NEW, DEV_OLD)
    assert isinstance(world.ask(restart("acme/web")), Restarted)
    assert world.ci.posts == [("9", 1, False)]
    assert world.ci.calls == ["builds", "restart"]


def test_a_build_without_a_branch_is_not_restarted_as_the_only_branch(world: World) -> None:
    world.has(NO_BRANCH, MAIN)
    with pytest.raises(BranchRequired) as caught:
        world.ask(restart("acme/web"))
    assert caught.value.branches == ("main",)
    assert world.ci.posts == []


def test_builds_that_all_lack_a_branch_count_as_one_branch(world: World) -> None:
    world.has(NO_BRANCH, build(6, WEB, None))
    assert isinstance(world.ask(restart("acme/web")), Restarted)
    assert world.ci.posts == [("8", 1, False)]


# --- builds, projects, help ---


def test_the_last_ten_builds_are_shown_newest_first(world: World) -> None:
    many = [build(number, WEB) for number in range(30, 10, -1)]
    world.has(*many)
    world.ci.builds = lambda project, branch=None: many  # type: ignore[method-assign]
    assert world.ask(builds("acme/web", "main")) == BuildsShown(WEB, "main", tuple(many[:10]))
    assert world.ask(builds("acme/web")) == BuildsShown(WEB, None, tuple(many[:10]))


def test_builds_is_one_call(web: World) -> None:
    assert web.ask(builds("acme/web", "dev")) == BuildsShown(WEB, "dev", (DEV_NEW, DEV_OLD))
    assert web.ci.calls == ["builds"]


@pytest.mark.parametrize(
    ("asked", "page", "first", "count"), [(0, 1, 0, 20), (1, 1, 0, 20), (3, 3, 40, 5), (9, 3, 40, 5)]
)
def test_projects_come_in_pages_and_a_missing_page_becomes_the_nearest(
    world: World, asked: int, page: int, first: int, count: int
) -> None:
    every = [project(number, f"acme/{number:02}") for number in range(45)]
    world.knows(*every)
    outcome = world.ask(ListProjects("acme", asked))
    assert isinstance(outcome, ProjectsShown)
    assert outcome.projects == tuple(every[first : first + count])
    assert (outcome.page, outcome.pages, outcome.total, outcome.words) == (page, 3, 45, "acme")
    assert world.ci.calls == []


def test_an_empty_list_is_one_empty_page(world: World) -> None:
    world.knows(WEB)
    assert world.ask(ListProjects("zzz")) == ProjectsShown("zzz", (), 1, 1, 0)


def test_projects_from_an_outdated_list_say_so_and_give_its_age(world: World) -> None:
    world.knows(WEB)
    failure = Unreachable("CodeShip")
    world.ci.failures["projects"] = [failure]
    with pytest.raises(NoSuchProject):
        world.ask(status("nope"))
    world.clock.advance(20)
    assert world.ask(ListProjects()) == ProjectsShown("", (WEB,), 1, 1, 1, stale=((failure, 20.0),))


@pytest.mark.parametrize("topic", [None, "restart"])
def test_help_needs_no_ci_service(world: World, topic: str | None) -> None:
    assert world.ask(ShowHelp(topic)) == HelpShown(topic)
    assert world.ci.calls == []


# --- failures ---


@pytest.mark.parametrize("command", [status("acme/web", "main"), restart("acme/web", "main"), builds("acme/web")])
def test_a_hanging_service_is_answered_with_the_cached_builds(web: World, command: object) -> None:
    web.ask(builds("acme/web"))
    web.clock.advance(30)
    held = web.ci.hold("builds")
    with pytest.raises(NoResponse) as caught:
        web.ask(command, timeout_s=0.0)  # type: ignore[arg-type]
    held.let_go()
    assert caught.value.last_known is not None
    assert caught.value.last_known.age_s == 30.0
    assert MAIN in caught.value.last_known.builds
    assert web.ci.posts == []


def test_a_failing_fetch_restarts_nothing(web: World) -> None:
    web.ci.failures["builds"] = [Unreachable("CodeShip")]
    with pytest.raises(Unreachable):
        web.ask(restart("acme/web", "main"))
    assert web.ci.posts == []
    assert web.store.claims.newest("codeship", ["7"]) == []


def test_a_running_build_is_shown_instead_of_restarted(world: World) -> None:
    running = build(7, WEB, status=Status.RUNNING)
    world.has(running)
    assert world.ask(restart("acme/web", "main")) == StillRunning(running)
    assert world.ci.calls == ["builds"]


def test_two_spellings_of_the_same_request_are_the_same_restart(web: World) -> None:
    web.ask(restart("web", "main"))
    for again in (restart("ACME/web", "main"), restart(f"{PAGE}/builds/7"), press(MAIN)):
        assert isinstance(web.ask(again, BOB), AlreadyRestarted)
    assert len(web.ci.posts) == 1

"""Finds builds by spellings, pasted addresses and buttons, and counts the calls that this needs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.model.builds import Build, Project, Status
from bot.core.model.commands import BranchCommand, BuildCommand, Verb, Word
from bot.core.model.errors import BranchRequired, BuildTooOld, NoSuchBranch, NoSuchProject, NotFound
from bot.core.model.outcomes import BranchesShown, BuildShown, Restarted
from tests.core.world import BOB, World, build, press, project, restart, status, target

WEB = project(1, "acme/web")
DEV_NEW, MAIN, DEV_OLD = build(9, WEB, "dev", Status.PASSED), build(7, WEB), build(5, WEB, "dev")
NO_BRANCH = build(8, WEB, None)
PAGE = "https://ci.example/projects/1"


@pytest.fixture
def web(world: World) -> World:
    """Three builds on two branches; the bot knows the repository."""
    world.has(DEV_NEW, MAIN, DEV_OLD)
    return world


def shown(outcome: object) -> Build:
    assert isinstance(outcome, BuildShown)
    return outcome.build


# --- spellings ---


def test_the_exact_spelling_of_a_branch_is_tried_first_and_costs_one_call(world: World) -> None:
    quoted = build(7, WEB, "“main”")
    world.has(quoted, build(6, WEB, "main"))
    assert shown(world.ask(_status_of("“main”", '"main"', "main"))) == quoted
    assert world.ci.branches_asked == ["“main”"]


def test_a_spelling_that_git_refuses_costs_no_call(web: World) -> None:
    assert shown(web.ask(_status_of("main.", "~main", "main?", "main"))) == MAIN
    assert web.ci.branches_asked == ["main"]


def test_each_other_spelling_costs_a_call_until_one_has_builds(web: World) -> None:
    assert shown(web.ask(_status_of("`main`", "'main'", "main", "never"))) == MAIN
    assert web.ci.branches_asked == ["`main`", "'main'", "main"]


def test_no_more_than_four_spellings_are_tried(web: World) -> None:
    with pytest.raises(NoSuchBranch) as caught:
        web.ask(_status_of("a", "b", "c", "d", "main"))
    assert web.ci.branches_asked == ["a", "b", "c", "d", None]
    assert caught.value.branch == "main"


def test_a_branch_that_git_refuses_in_every_spelling_costs_one_call(web: World) -> None:
    with pytest.raises(NoSuchBranch):
        web.ask(_status_of("a..b", "a b"))
    assert web.ci.branches_asked == [None]


@pytest.mark.parametrize("branch", ["feature/a&b#c", "release/1.2.io", "ünïcode", "a%2Fb", "@x"])
def test_a_branch_may_have_any_character_that_git_allows(world: World, branch: str) -> None:
    odd = build(7, WEB, branch)
    world.has(odd, DEV_NEW)
    assert shown(world.ask(status("acme/web", branch))) == odd


def test_branches_that_differ_only_in_case_are_two(world: World) -> None:
    upper, lower = build(8, WEB, "Main"), build(7, WEB, "main")
    world.has(upper, lower)
    assert shown(world.ask(status("acme/web", "main"))) == lower
    assert shown(world.ask(status("acme/web", "Main"))) == upper
    with pytest.raises(NoSuchBranch) as caught:
        world.ask(status("acme/web", "MAIN"))
    assert caught.value.branches == ("Main", "main")


def test_builds_of_other_branches_than_requested_are_ignored(world: World) -> None:
    upper, lower = build(8, WEB, "Main"), build(7, WEB, "main")
    world.has(upper, lower)
    shows_all = world.ci.builds
    world.ci.builds = lambda project, branch=None: shows_all(project)  # type: ignore[method-assign]
    assert shown(world.ask(status("acme/web", "main"))) == lower
    assert isinstance(world.ask(restart("acme/web", "main")), Restarted)
    assert world.ci.posts == [("7", 1, False)]


def test_builds_without_a_branch_count_if_one_branch_was_requested(world: World) -> None:
    world.has(NO_BRANCH)
    world.ci.builds = lambda project, branch=None: [NO_BRANCH]  # type: ignore[method-assign]
    assert shown(world.ask(status("acme/web", "main"))) == replace(NO_BRANCH, branch="main")


def _status_of(*branch: str) -> BranchCommand:
    return replace(status("acme/web"), branch=Word.of(*branch))


# --- pasted addresses ---


def test_a_pasted_page_of_a_build_means_exactly_that_build(web: World) -> None:
    assert shown(web.ask(status(f"{PAGE}/builds/5"))) == DEV_OLD
    assert web.ci.calls == ["builds"]
    assert isinstance(web.ask(restart(f"{PAGE}/builds/5")), Restarted)
    assert web.ci.posts == [("5", 1, False)]


def test_a_full_stop_after_the_page_of_a_build_is_ignored(web: World) -> None:
    stopped = replace(restart("x"), repo=Word.of(f"{PAGE}/builds/5.", f"{PAGE}/builds/5"))
    assert isinstance(web.ask(stopped), Restarted)
    assert web.ci.posts == [("5", 1, False)]


def test_a_pasted_build_without_a_branch_is_restarted(world: World) -> None:
    world.has(DEV_NEW, NO_BRANCH, MAIN)
    assert isinstance(world.ask(restart(f"{PAGE}/builds/8")), Restarted)
    assert world.ci.posts == [("8", 1, False)]


def test_a_pasted_build_that_is_too_old_is_reported(web: World) -> None:
    with pytest.raises(BuildTooOld):
        web.ask(status(f"{PAGE}/builds/1"))
    with pytest.raises(BuildTooOld):
        web.ask(restart(f"{PAGE}/builds/1"))
    assert web.ci.posts == []


def test_a_pasted_page_of_a_project_means_the_project(web: World) -> None:
    assert web.ask(status(PAGE)) == BranchesShown(WEB, (DEV_NEW, MAIN))
    assert shown(web.ask(status(PAGE, "main"))) == MAIN
    with pytest.raises(BranchRequired):
        web.ask(restart(PAGE))


def test_a_pasted_page_of_an_unknown_project_is_reported(web: World) -> None:
    with pytest.raises(NoSuchProject) as caught:
        web.ask(status("https://ci.example/projects/77/builds/5"))
    assert caught.value.name == "project 77"
    assert web.ci.calls == ["projects"]


def test_a_pasted_address_of_the_repository_may_name_the_branch(web: World) -> None:
    assert shown(web.ask(status("https://github.com/acme/web/tree/main"))) == MAIN
    assert shown(web.ask(status("git@github.com:acme/web.git", "main"))) == MAIN
    assert web.ask(status("https://github.com/acme/web")) == BranchesShown(WEB, (DEV_NEW, MAIN))


def test_a_typed_branch_wins_over_the_one_in_the_address(web: World) -> None:
    assert shown(web.ask(status("https://github.com/acme/web/tree/main", "dev"))) == DEV_NEW


def test_a_pasted_address_with_a_full_stop_after_it_is_cleaned(web: World) -> None:
    address = "https://github.com/acme/web/tree/main"
    stopped = replace(status("x"), repo=Word.of(address + ".", address))
    assert shown(web.ask(stopped)) == MAIN
    assert web.ci.branches_asked == ["main"]


# --- buttons ---


@pytest.mark.parametrize("branch", ["dev", None])
def test_a_button_shows_the_build_that_it_names_and_not_the_latest(web: World, branch: str | None) -> None:
    outcome = web.ask(BuildCommand(Verb.STATUS, replace(target(DEV_OLD), branch=branch)))
    assert shown(outcome) == DEV_OLD
    assert web.ci.calls == ["builds"]


def test_a_build_without_a_branch_has_buttons_that_work(world: World) -> None:
    world.has(DEV_NEW, NO_BRANCH)
    assert shown(world.ask(BuildCommand(Verb.STATUS, target(NO_BRANCH)))) == NO_BRANCH
    assert isinstance(world.ask(press(NO_BRANCH)), Restarted)
    assert world.ci.posts == [("8", 1, False)]


def test_a_button_of_a_build_that_is_no_longer_listed_is_reported(web: World) -> None:
    with pytest.raises(BuildTooOld):
        web.ask(BuildCommand(Verb.STATUS, replace(target(MAIN), build_id="1")))
    with pytest.raises(BuildTooOld):
        web.ask(press(replace(MAIN, id="1")))
    with pytest.raises(BuildTooOld):
        web.ask(BuildCommand(Verb.STATUS, replace(target(MAIN), build_id=None)))
    assert web.ci.posts == []


def test_a_button_of_another_ci_service_sends_nothing_to_this_one(web: World) -> None:
    elsewhere = press(replace(MAIN, project=Project("1", "acme/web", "another")))
    foreign = replace(elsewhere, target=replace(elsewhere.target, service="another"))
    with pytest.raises(NotFound):
        web.ask(foreign)
    with pytest.raises(NotFound):
        web.ask(BuildCommand(Verb.STATUS, foreign.target))
    assert web.ci.calls == []


def test_a_button_of_a_project_that_is_gone_is_reported(web: World) -> None:
    with pytest.raises(NoSuchProject):
        web.ask(BuildCommand(Verb.STATUS, replace(target(MAIN), project_id="77")))


def test_a_restarted_build_names_who_restarted_it_and_when(web: World) -> None:
    web.ask(restart("acme/web", "main"), BOB)
    web.clock.advance(8)
    outcome = web.ask(status("acme/web", "main"))
    assert isinstance(outcome, BuildShown)
    assert outcome.restart_state.claim is not None
    assert (outcome.restart_state.claim.actor, outcome.ago_s, outcome.build.status) == (BOB, 8.0, Status.RUNNING)


def test_a_build_that_ran_again_names_who_restarted_it(web: World) -> None:
    web.ask(restart("acme/web", "main"), BOB)
    web.clock.advance(60)
    web.ci.ends("7")
    outcome = web.ask(status("acme/web", "main"))
    assert isinstance(outcome, BuildShown)
    assert outcome.restart_state.previous is not None
    assert (outcome.restart_state.previous.actor, outcome.restart_state.run_number, outcome.ago_s) == (BOB, 2, None)

"""Finds builds by spellings, pasted addresses and buttons, and counts the calls that this needs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.model.builds import Build, Project, Status
from bot.core.model.command_values import BranchCommand, BuildCommand, Verb, Word
from bot.core.model.errors import (
    AmbiguousProject,
    BranchRequired,
    BuildTooOld,
    NoSuchBranch,
    NoSuchProject,
    NotFound,
    NotUnderstood,
)
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


# --- sentences, short shas, build numbers ---


def test_the_repository_may_be_the_second_word(web: World) -> None:
    assert shown(web.ask(BranchCommand(Verb.STATUS, Word.of("main"), Word.of("acme/web")))) == MAIN


def test_the_first_word_is_the_repository_if_both_name_one(world: World) -> None:
    other = project(2, "acme/main")
    world.has(build(9, other, "web"), MAIN)
    assert shown(world.ask(BranchCommand(Verb.STATUS, Word.of("main"), Word.of("web")))).project == other


def test_choices_keep_the_branch_that_was_said_first(web: World) -> None:
    web.has(MAIN, build(3, project(2, "other/web"), "main"))
    with pytest.raises(AmbiguousProject) as caught:
        web.ask(BranchCommand(Verb.STATUS, Word.of("main"), Word.of("web")))
    assert (caught.value.name, caught.value.branch) == ("web", "main")


@pytest.mark.parametrize("word", ["7", "#7", "4f2c1e9"])
def test_a_build_may_be_named_instead_of_a_branch(world: World, word: str) -> None:
    world.has(build(9, WEB, "main", commit="d" * 40), MAIN)
    assert shown(world.ask(status("acme/web", word))) == MAIN


def test_a_branch_with_the_name_of_a_build_comes_first(world: World) -> None:
    seven = build(5, WEB, "7")
    world.has(seven, MAIN)
    assert shown(world.ask(status("acme/web", "7"))) == seven


@pytest.mark.parametrize("word", ["#7", "4f2c1e9"])
def test_a_build_that_the_bot_has_seen_may_be_named_alone(world: World, word: str) -> None:
    world.has(build(9, WEB, "main", commit="d" * 40), MAIN)
    world.ask(status("acme/web"))
    assert shown(world.ask(status(word))) == MAIN
    assert isinstance(world.ask(restart(word)), Restarted)
    assert world.ci.posts == [(MAIN.id, 1, False)]


def test_a_commit_that_several_repositories_have_built_is_asked_about(world: World) -> None:
    fork = project(2, "eve/web")
    world.has(MAIN, build(3, fork))
    world.ask(status("acme/web"))
    world.ask(status("eve/web"))
    with pytest.raises(AmbiguousProject) as caught:
        world.ask(status("4f2c1e9"))
    assert (set(caught.value.candidates), caught.value.branch) == ({WEB, fork}, "4f2c1e9")


@pytest.mark.parametrize("word", ["#8", "abcdef0"])
def test_a_build_that_is_nowhere_is_answered_with_the_branches(web: World, word: str) -> None:
    with pytest.raises(NoSuchBranch) as caught:
        web.ask(restart("acme/web", word))
    assert (caught.value.branch, web.ci.posts) == (word, [])


# --- words without a verb ---


def _guess(repo: str, branch: str | None = None) -> BranchCommand:
    return BranchCommand(Verb.STATUS, Word.of(repo), Word.of(branch) if branch else None, is_guess=True)


def test_a_known_name_without_a_verb_is_a_status(web: World) -> None:
    assert shown(web.ask(_guess("web", "main"))) == MAIN
    assert shown(web.ask(_guess("main", "web"))) == MAIN


@pytest.mark.parametrize(
    ("guess", "instead"),
    [
        (_guess("wbe", "main"), "status acme/web main"),
        (_guess("wbe"), "status acme/web"),
        (_guess("restrat", "acme/web"), "restart acme/web"),
        (_guess("thanks"), None),
    ],
)
def test_an_unknown_name_without_a_verb_is_not_understood_and_costs_no_call(
    web: World, guess: BranchCommand, instead: str | None
) -> None:
    with pytest.raises(NotUnderstood) as caught:
        web.ask(guess)
    assert (caught.value.instead, web.ci.calls) == (instead, [])

"""Builds of several workflows: what counts as running, what a restart and a cancel do, what a fetch then shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.authorization import Authorizer
from bot.core.model.builds import ActionResult, Build, BuildRef, FailedJob, Run, Status, Workflow
from bot.core.model.claims import ClaimState
from bot.core.model.command_values import BranchCommand, BuildCommand, Verb, Word
from bot.core.model.errors import BranchRequired, NoResponse, NotAllowed, NotSupported, Unreachable
from bot.core.model.outcomes import (
    AlreadyRestarted,
    BuildShown,
    Cancelled,
    CouldNotTell,
    NothingToCancel,
    Restarted,
    RunAgainSince,
    StateNotKnown,
    StillRunning,
)
from bot.core.model.policy import Policy, Rule, Subjects
from tests.core.half_moved import HalfMoved, of_workflows, on_github, run
from tests.core.world import ADA, MemoryGroups, build, project, restart, status, target

WEB = on_github(1, "acme/web")
FAILED, PASSED, RUNNING = run(11, "CI", Status.FAILED), run(12, "Docs", Status.PASSED), run(13, "E2E", Status.RUNNING)
UNKNOWN = run(14, "Odd", Status.UNKNOWN, word="sideways")


@pytest.fixture
def team() -> Iterator[HalfMoved]:
    made = HalfMoved()
    yield made
    made.close()


def of(*runs: Workflow, id_: str = "b1", branch: str = "main") -> Build:
    return of_workflows(id_, WEB, *runs, branch=branch)


def on_button(build: Build, *, failed_jobs_only: bool = False) -> BuildCommand:
    return BuildCommand(Verb.RESTART, replace(target(build), service="github"), failed_jobs_only=failed_jobs_only)


# --- the values ---


@pytest.mark.parametrize(
    ("runs", "under_way", "ended", "restartable"),
    [
        ((PASSED,), False, True, True),
        ((FAILED, PASSED), False, True, True),
        ((FAILED, RUNNING), True, False, True),
        ((PASSED, RUNNING), True, False, False),
        ((PASSED, UNKNOWN), False, False, False),
        ((RUNNING, UNKNOWN), True, False, False),
    ],
)
def test_a_build_ends_with_its_last_workflow(
    runs: tuple[Workflow, ...], under_way: bool, ended: bool, restartable: bool
) -> None:
    found = of(*runs)
    assert (found.is_under_way, found.has_ended, found.can_be_restarted) == (under_way, ended, restartable)


@pytest.mark.parametrize(
    ("earlier", "later", "attempted"),
    [
        ("11.1 12.1", "11.1 12.1", False),
        ("11.1 12.1", "11.2 12.1", True),
        ("11.1", "11.1 15.1", False),
        ("11.1 12.1", "11.1", False),
        ("", "11.2", None),
        ("11.1", "", None),
    ],
)
def test_a_later_attempt_of_a_workflow_is_a_new_run(earlier: str, later: str, attempted: bool | None) -> None:
    before, after = Run("failure", None, None, earlier), Run("failure", None, None, later)
    assert after.has_been_attempted_since(before) is attempted
    assert after.is_another_than(before) is (attempted if attempted is not None else before != after)


# --- restarts ---


def test_a_restart_leaves_running_workflows_alone(team: HalfMoved) -> None:
    team.has(of(FAILED, RUNNING))
    done = team.ask(restart("acme/web", "main"))
    assert isinstance(done, Restarted)
    assert done.taken is not None
    assert (done.taken.done, done.taken.left) == (("CI",), ("E2E",))
    assert team.github.calls == ["builds", "restart"]


def test_a_build_whose_workflows_all_run_is_not_restarted(team: HalfMoved) -> None:
    team.has(of(PASSED, RUNNING))
    assert isinstance(team.ask(restart("acme/web", "main")), StillRunning)
    assert team.github.calls == ["builds"]


def test_a_workflow_with_an_unknown_status_is_left_alone(team: HalfMoved) -> None:
    team.has(of(PASSED, UNKNOWN))
    assert isinstance(team.ask(restart("acme/web", "main")), StateNotKnown)


@pytest.mark.parametrize("failed_jobs_only", [False, True])
def test_a_button_says_whether_only_the_failed_jobs_run_again(team: HalfMoved, failed_jobs_only: bool) -> None:
    found = of(FAILED, PASSED)
    team.has(found)
    assert isinstance(team.ask(on_button(found, failed_jobs_only=failed_jobs_only)), Restarted)
    assert team.github.failed_jobs_only == [failed_jobs_only]


def test_pressing_both_buttons_restarts_once(team: HalfMoved) -> None:
    found = of(FAILED, PASSED)
    team.has(found)
    team.github.restart_shows = False
    team.ask(on_button(found))
    assert isinstance(team.ask(on_button(found, failed_jobs_only=True)), AlreadyRestarted)
    assert team.github.failed_jobs_only == [False]


def test_in_an_outdated_list_the_earlier_attempt_is_not_mistaken_for_the_restarted_workflow(team: HalfMoved) -> None:
    found = of(FAILED, RUNNING)
    team.has(found)
    team.github.restart_shows = False
    team.ask(restart("acme/web", "main"))
    team.ask(status("acme/web", "main"))
    [claim] = team.store.claims.newest("github", ["b1"])
    assert (claim.state, claim.seen_running) == (ClaimState.TAKEN, False)
    team.github.run_again(found, [FAILED])
    team.ask(status("acme/web", "main"))
    [claim] = team.store.claims.newest("github", ["b1"])
    assert (claim.state, claim.seen_running) == (ClaimState.TAKEN, True)


def test_a_restart_without_a_response_is_not_confirmed_by_a_workflow_that_ran_before(team: HalfMoved) -> None:
    team.has(of(FAILED, RUNNING))
    team.github.failures["restart"] = [NoResponse("GitHub Actions")]
    assert isinstance(team.ask(restart("acme/web", "main")), CouldNotTell)


def test_a_workflow_that_begins_later_makes_no_new_run_of_the_build(team: HalfMoved) -> None:
    found = of(FAILED, PASSED)
    team.has(found)
    team.github.restart_shows = False
    team.ask(restart("acme/web", "main"))
    team.github.shows(of(FAILED, PASSED, run(15, "Deploy", Status.PASSED)))
    team.ask(status("acme/web", "main"))
    [claim] = team.store.claims.newest("github", ["b1"])
    assert claim.state is ClaimState.TAKEN


def test_the_next_run_of_a_build_can_be_restarted_again(team: HalfMoved) -> None:
    team.has(of(FAILED))
    team.ask(restart("acme/web", "main"))
    team.clock.advance(60)
    ended = replace(FAILED, attempt=2, started_at=team.clock.now(), finished_at=team.clock.now())
    team.github.shows(of(ended))
    assert isinstance(team.ask(restart("acme/web", "main")), Restarted)
    assert team.github.calls.count("restart") == 2


def test_a_restart_is_over_when_its_workflows_have_ended_even_if_others_run(team: HalfMoved) -> None:
    waiting = run(13, "Deploy", Status.QUEUED, word="waiting")
    team.has(of(FAILED, waiting))
    assert isinstance(team.ask(restart("acme/web", "main")), Restarted)
    team.clock.advance(3600)
    failed_again = replace(FAILED, attempt=2, started_at=team.clock.now(), finished_at=team.clock.now())
    team.github.shows(of(failed_again, waiting))
    shown = team.ask(status("acme/web", "main"))
    assert isinstance(shown, BuildShown)
    assert shown.restart_state.claim is None
    assert isinstance(team.ask(restart("acme/web", "main")), Restarted)
    assert team.github.calls.count("restart") == 2


def test_an_interrupted_restart_names_the_workflows_it_did_not_reach(team: HalfMoved) -> None:
    lint = run(16, "Lint", Status.FAILED)
    found = of(FAILED, lint, RUNNING)
    team.has(found)
    team.github.failures["restart"] = [NoResponse("GitHub"), NoResponse("GitHub")]
    held = team.github.hold("restart")
    asked = team.executor.submit(team.ask, restart("acme/web", "main"))
    held.wait_for()
    team.github.run_again(found, [FAILED])
    held.let_go()
    seen = asked.result(10)
    assert isinstance(seen, Restarted)
    assert seen.taken == ActionResult("b1", ("CI",), ("E2E",), (("Lint", "no new attempt yet"),))


@pytest.mark.parametrize(
    ("now", "restarted"),
    [
        ((replace(FAILED, attempt=1), replace(PASSED, attempt=2)), True),
        ((replace(FAILED, status=Status.PASSED, status_word="success", attempt=2), PASSED), False),
    ],
    ids=["another workflow was", "it was, and passed"],
)
def test_an_old_button_restarts_only_the_workflows_that_still_failed(
    team: HalfMoved, now: tuple[Workflow, ...], restarted: bool
) -> None:
    shown = of(FAILED, PASSED)
    team.has(of(*now))
    came = team.ask(BuildCommand(Verb.RESTART, replace(target(shown), service="github", reruns=shown.reruns)))
    assert isinstance(came, Restarted if restarted else RunAgainSince)


# --- details ---


def test_a_failed_build_is_shown_with_the_job_that_failed(team: HalfMoved) -> None:
    found = of(FAILED, PASSED)
    told = of(replace(FAILED, failed_jobs=(FailedJob("test", "Run pytest"),)), PASSED)
    team.has(found)
    team.github.details["b1"] = told
    assert team.ask(status("acme/web", "main")) == BuildShown(told)
    assert team.ask(BuildCommand(Verb.STATUS, replace(target(found), service="github"))) == BuildShown(told)


def test_a_build_that_went_well_costs_one_call(team: HalfMoved) -> None:
    team.has(of(PASSED))
    team.ask(status("acme/web", "main"))
    assert team.github.calls == ["builds"]


def test_without_details_the_status_is_still_shown(team: HalfMoved) -> None:
    found = of(FAILED)
    team.has(found)
    team.github.failures["in detail"] = [Unreachable("GitHub Actions")]
    assert team.ask(status("acme/web", "main")) == BuildShown(found)


# --- stops ---


def test_a_running_build_is_cancelled(team: HalfMoved) -> None:
    found = of(FAILED, RUNNING)
    team.has(found)
    stopped = team.ask(BranchCommand(Verb.CANCEL, Word.of("acme/web"), Word.of("main")))
    assert isinstance(stopped, Cancelled)
    assert stopped.taken.done == ("E2E",)
    assert team.github.calls == ["builds", "cancel"]


def test_without_a_branch_the_only_running_build_is_cancelled(team: HalfMoved) -> None:
    team.has(of(PASSED, id_="b2", branch="dev"), of(RUNNING))
    stopped = team.ask(BranchCommand(Verb.CANCEL, Word.of("acme/web")))
    assert isinstance(stopped, Cancelled)
    assert stopped.build.branch == "main"


def test_if_two_branches_run_a_cancel_must_name_one(team: HalfMoved) -> None:
    team.has(of(RUNNING, id_="b2", branch="dev"), of(RUNNING))
    with pytest.raises(BranchRequired) as caught:
        team.ask(BranchCommand(Verb.CANCEL, Word.of("acme/web")))
    assert caught.value.branches == ("dev", "main")


CANCEL_MAIN = BranchCommand(Verb.CANCEL, Word.of("acme/web"), Word.of("main"))
NIGHTLY = run(20, "Nightly", Status.FAILED)
AGAIN = run(20, "Nightly", Status.RUNNING, attempt=2)


def rerun_by_the_bot(team: HalfMoved, found: Build, run_id: str) -> None:
    reference = BuildRef("github", WEB.id, found.branch, run_id)
    assert isinstance(team.ask(BuildCommand(Verb.RESTART, reference)), Restarted)


def test_a_run_that_does_not_decide_is_left_alone_and_named(team: HalfMoved) -> None:
    team.has(replace(of(PASSED), beside=(AGAIN,)))
    ended = team.ask(CANCEL_MAIN)
    assert isinstance(ended, NothingToCancel)
    assert ended.left == ("Nightly",)
    team.has(replace(of(RUNNING), beside=(AGAIN,)))
    stopped = team.ask(CANCEL_MAIN)
    assert isinstance(stopped, Cancelled)
    assert (stopped.taken.done, stopped.taken.left) == (("E2E",), ("Nightly",))


def test_a_run_that_does_not_decide_is_cancelled_with_the_branch_if_the_bot_began_it(team: HalfMoved) -> None:
    found = replace(of(PASSED), beside=(NIGHTLY,))
    team.has(found)
    rerun_by_the_bot(team, found, "20")
    team.github.all_builds = [replace(found, beside=(AGAIN,))]
    alone = team.ask(CANCEL_MAIN)
    assert isinstance(alone, Cancelled)
    assert (alone.build.id, alone.taken.done, alone.taken.left) == ("20", ("Nightly",), ())
    team.github.all_builds = [replace(of(RUNNING), beside=(AGAIN,))]
    both = team.ask(CANCEL_MAIN)
    assert isinstance(both, Cancelled)
    assert (both.build.id, both.taken.done) == ("b1", ("E2E", "Nightly"))


def test_a_later_attempt_that_a_person_began_is_left_alone(team: HalfMoved) -> None:
    found = replace(of(PASSED), beside=(NIGHTLY,))
    team.has(found)
    rerun_by_the_bot(team, found, "20")
    team.github.all_builds = [replace(found, beside=(replace(AGAIN, attempt=3),))]
    assert isinstance(team.ask(CANCEL_MAIN), NothingToCancel)


def test_an_older_commits_build_is_cancelled_with_the_branch_if_the_bot_restarted_it(team: HalfMoved) -> None:
    newest, older = of(PASSED), replace(of(FAILED, id_="b0"), commit="8b3e2f2" + "0" * 33)
    team.has(newest, older)
    rerun_by_the_bot(team, older, "b0")
    stopped = team.ask(CANCEL_MAIN)
    assert isinstance(stopped, Cancelled)
    assert stopped.taken.done == ("CI",)
    team.github.all_builds = [newest, replace(older, workflows=(replace(FAILED, attempt=3, status=Status.RUNNING),))]
    left = team.ask(CANCEL_MAIN)
    assert isinstance(left, NothingToCancel)
    assert left.left == ("CI (runs on 8b3e2f2)",)


def test_an_ended_build_is_not_cancelled(team: HalfMoved) -> None:
    found = of(PASSED)
    team.has(found)
    assert team.ask(BuildCommand(Verb.CANCEL, replace(target(found), service="github"))) == NothingToCancel(found)
    assert team.github.calls == ["builds"]


@pytest.mark.parametrize(
    "command",
    [
        BranchCommand(Verb.CANCEL, Word.of("acme/old")),
        BuildCommand(Verb.CANCEL, target(build(7, project(1, "acme/old")))),
    ],
)
def test_a_service_that_cannot_cancel_gets_no_request(team: HalfMoved, command: BranchCommand | BuildCommand) -> None:
    team.has(build(7, project(1, "acme/old"), status=Status.RUNNING))
    with pytest.raises(NotSupported) as caught:
        team.ask(command)
    assert caught.value.service == "CodeShip"
    assert team.codeship.calls == []


def test_a_cancel_needs_permission(team: HalfMoved) -> None:
    team.has(of(RUNNING))
    only_restarts = Policy((Rule(Subjects(people=frozenset({ADA.id})), ("restart",)),))
    team.operations._authorizer = team.operations._build_lookup._authorizer = Authorizer(only_restarts, MemoryGroups())
    with pytest.raises(NotAllowed):
        team.ask(BranchCommand(Verb.CANCEL, Word.of("acme/web"), Word.of("main")))
    assert team.github.calls == []


def test_a_cancel_without_a_response_is_reported_as_unknown(team: HalfMoved) -> None:
    team.has(of(RUNNING))
    held = team.github.hold("cancel")
    with pytest.raises(NoResponse) as caught:
        team.ask(BranchCommand(Verb.CANCEL, Word.of("acme/web"), Word.of("main")), timeout_s=0.3)
    assert caught.value.may_have_taken
    held.let_go()


def test_a_restarted_old_build_is_recognised_by_its_attempts(team: HalfMoved) -> None:
    found = of(FAILED)
    team.has(found)
    shown = replace(target(found), service="github", started_at=found.started_at)
    team.clock.advance(timedelta(days=1).total_seconds())
    assert isinstance(team.ask(BuildCommand(Verb.RESTART, shown)), Restarted)


def test_try_again_runs_what_was_first_requested(team: HalfMoved) -> None:
    found = of(FAILED, PASSED)
    team.has(found)
    team.github.restart_shows = False
    team.github.failures["restart"] = [NoResponse("GitHub Actions")]
    unknown = team.ask(on_button(found, failed_jobs_only=True))
    assert isinstance(unknown, CouldNotTell)
    claim = unknown.claim
    assert claim.failed_jobs_only
    again = replace(on_button(found, failed_jobs_only=True), instead_of=(claim.id, claim.attempt))
    assert isinstance(team.ask(again), Restarted)
    assert team.github.failed_jobs_only == [True, True]

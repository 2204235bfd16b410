"""What a status says besides the build: other runs, the newest commit, the pull request, and re-runs of single runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.model.actions.plans import restart_plan
from bot.core.model.actions.values import PostRecord, PostState, RunTarget, result_of
from bot.core.model.builds import Build, FailedJob, Project, Status, Workflow
from bot.core.model.claims import Claim, ClaimState
from bot.core.model.errors import NothingToDo
from bot.core.model.outcomes import BuildShown, Restarted
from bot.slack.messages.errors import render_error
from bot.slack.messages.render import render
from tests.core.world import ADA, BUILDS
from tests.held_clock import NOON
from tests.slack.messages.several_drawn import BOTH

WEB = Project("1", "acme/web", "github", "https://github.com/acme/web")
CI = Workflow("11", "CI", Status.PASSED, "success")
NIGHTLY = Workflow("12", "Nightly", Status.FAILED, "failure", commit="8b3e2f2" + "0" * 33, trigger="schedule")
BUILD = Build("b1", WEB, Status.PASSED, "success", "main", "96943dc" + "0" * 33, workflows=(CI,))


def shown(build: Build) -> str:
    return render(BuildShown(build), context=BOTH).text


def labels(blocks: object) -> str:
    return str(blocks)


def test_runs_that_do_not_decide_are_named_under_the_status_with_their_own_button() -> None:
    message = render(BuildShown(replace(BUILD, beside=(NIGHTLY,))), context=BOTH)
    assert "also: Nightly failed (schedule)" in message.text
    assert "Re-run Nightly on 8b3e2f2" in labels(message.blocks)


def test_a_run_that_does_not_decide_can_be_cancelled_by_itself() -> None:
    running = replace(NIGHTLY, status=Status.RUNNING, status_word="in_progress")
    assert "Cancel Nightly on 8b3e2f2" in labels(
        render(BuildShown(replace(BUILD, beside=(running,))), context=BOTH).blocks
    )


@pytest.mark.parametrize(
    ("state", "is_offered"), [(PostState.NOT_SENT, True), (PostState.REFUSED, False), (PostState.UNKNOWN, False)]
)
def test_what_a_restart_did_not_send_has_a_button_of_its_own(state: PostState, is_offered: bool) -> None:
    docs = replace(CI, run_id="13", name="Docs")
    build = replace(BUILD, workflows=(CI, docs))
    posts = (PostRecord(RunTarget("11", 1, "CI"), PostState.ACCEPTED), PostRecord(RunTarget("13", 1, "Docs"), state))
    claim = Claim("github", "1", "b1", 1, ADA, BUILDS, build.run, NOON, state=ClaimState.TAKEN, posts=posts)
    message = render(Restarted(build, claim, taken=result_of(posts, "b1")), context=BOTH)
    assert ("Re-run Docs" in labels(message.blocks)) is is_offered
    assert "Re-run CI" not in labels(message.blocks)


def test_a_newest_commit_without_runs_is_named_with_the_one_that_was_tested() -> None:
    text = shown(replace(BUILD, newest_commit="7a08715" + "0" * 33))
    assert "the newest commit 7a08715 has no runs; last tested: 96943dc" in text


def test_the_pull_request_of_a_build_is_named() -> None:
    assert "pull request #12" in shown(replace(BUILD, pull_request=12))


def test_a_run_that_waits_names_the_environment() -> None:
    deploy = Workflow("13", "Deploy", Status.WAITING, "waiting", waits_for=("production",))
    assert "Deploy waiting for approval to deploy to production" in shown(replace(BUILD, workflows=(CI, deploy)))


def test_a_run_that_waits_and_has_failed_says_both() -> None:
    job = FailedJob("test", "Run pytest")
    deploy = Workflow("13", "Deploy", Status.FAILED, "waiting", waits_for=("production",), failed_jobs=(job,))
    text = shown(replace(BUILD, status=Status.FAILED, status_word="waiting", workflows=(CI, deploy)))
    assert ":x: Deploy failed, waiting for approval to deploy to production" in text
    assert "test, step “Run pytest”" in text


def test_a_build_of_which_a_job_has_failed_already_says_so_before_its_end() -> None:
    running = Workflow("13", "E2E", Status.RUNNING, "in_progress", failed_jobs=(FailedJob("test"),))
    build = replace(BUILD, status=Status.RUNNING, status_word="in_progress", finished_at=None, workflows=(CI, running))
    text = shown(build)
    assert text.splitlines()[0].startswith(":x: *acme/web main running, already failing")
    assert ":x: E2E running, already failing" in text


def test_a_build_of_the_merge_queue_offers_no_restart() -> None:
    queued = replace(CI, trigger="merge_group", can_rerun=False)
    assert "Restart" not in labels(render(BuildShown(replace(BUILD, workflows=(queued,))), context=BOTH).blocks)
    assert "Restart" in labels(render(BuildShown(BUILD), context=BOTH).blocks)


def test_a_branch_that_failed_for_an_older_commit_offers_only_that_run() -> None:
    build = replace(BUILD, workflows=(CI, NIGHTLY))
    assert restart_plan(build).older == (NIGHTLY,)
    error = NothingToDo("GitHub", "only runs of older commits failed: Nightly (at 8b3e2f2)")
    error.about = build
    message = render_error(error, None, context=BOTH, reference=None)
    assert "Re-run Nightly on 8b3e2f2" in labels(message.blocks)

"""Every kind of message about builds with workflows, and about several CI services, rendered once."""

from __future__ import annotations

from dataclasses import replace

from bot.core.model import errors
from bot.core.model.actions.values import PostRecord, PostState, RunTarget
from bot.core.model.audit import AuditEntry, Result
from bot.core.model.builds import ActionResult, Actor, Build, FailedJob, FailureLog, Location, Project, Status
from bot.core.model.claims import Claim, ClaimState, RestartState
from bot.core.model.command_entries import Command
from bot.core.model.command_values import BranchCommand, BuildCommand, Verb, Word
from bot.core.model.follows import Follow, FollowState, FollowView, ToldLog
from bot.core.model.outcomes import (
    AlreadyRestarted,
    AuditShown,
    BranchesShown,
    BuildShown,
    BuildsShown,
    Cancelled,
    CouldNotTell,
    Followed,
    HelpShown,
    LogShown,
    NothingToCancel,
    NothingToFollow,
    Outcome,
    ProjectsShown,
    Restarted,
    StateNotKnown,
    StillRunning,
)
from bot.core.model.verdicts import verdict_on
from bot.slack.blocks.message import Message
from bot.slack.messages.builds import target_of
from bot.slack.messages.errors import render_error
from bot.slack.messages.failure_log import log_for_one
from bot.slack.messages.live import live, reply
from bot.slack.messages.render import being_cancelled, render
from tests.slack.several import (
    AGAIN,
    API,
    BOTH,
    BROKEN,
    FAILED,
    HALF,
    IN_DETAIL,
    NOW,
    OLD_WEB,
    PASSED,
    RUNNING,
    WEB,
    built,
    workflow,
)

ADA = Actor("U0ADA")
DOWN, SILENT = errors.Unreachable("GitHub Actions"), errors.NoResponse("CodeShip")
TAKEN = ActionResult(FAILED.id, ("CI", "Docs"), ("Deploy",), (("Nightly", "The run was created over a month ago"),))
HOSTILE = built(
    workflow(
        1,
        "<!channel> *CI* `x` _y_ @here",
        Status.FAILED,
        "failure",
        url="javascript:alert(1)",
        commit="<@U0EVE>",
        failed_jobs=(FailedJob("<!here>*", "`rm -rf` <https://x.io|y> ~z~", "https://x.io/<|>"),),
    ),
    workflow(2, "", Status.UNKNOWN, "<!everyone>"),
)
MANY = built(
    *(workflow(n, f"Passes {n}") for n in range(8)),
    workflow(20, "Skips", Status.SKIPPED, "skipped"),
    workflow(21, "Waits", Status.QUEUED, "queued"),
    workflow(22, "Runs", Status.RUNNING, "in_progress"),
    replace(BROKEN, failed_jobs=tuple(FailedJob(f"test ({n})", "Run pytest") for n in range(7))),
    status=Status.FAILED,
    status_word="failure",
)
CLAIM = Claim(
    service="github",
    project_id=WEB.id,
    build_id=FAILED.id,
    run_number=1,
    actor=ADA,
    location=Location("C0DEV"),
    replaced=FAILED.run,
    requested_at=NOW,
    id=17,
    state=ClaimState.TAKEN,
)
DEBUG_CLAIM = replace(
    CLAIM, failed_jobs_only=True, posts=(PostRecord(RunTarget("1001", 1, "CI", debug_logs=True), PostState.ACCEPTED),)
)
LOG = FailureLog(
    IN_DETAIL.failed_jobs[0],
    ("tests/test_basket.py::test_total FAILED", "    E  assert 3 == 4", "Process completed with exit code 1."),
)
EVIL_LINES = ("<!channel> <@U0EVE> ```", "<https://x.io|y> https://x.io *bold*", "x" * 400)
ENTRY = AuditEntry(
    at=NOW,
    actor=ADA,
    source="click",
    location=Location("C0DEV"),
    action="cancel",
    service="github",
    result=Result.TAKEN,
    reference="k3x9qd",
    project_id=WEB.id,
    project_name=WEB.name,
    branch="main",
    build_id=FAILED.id,
    reason="CI; Deploy left running",
)
BUILDS: dict[str, Outcome] = {
    "failed_with_its_jobs": BuildShown(FAILED),
    "failed_while_another_runs": BuildShown(HALF),
    "failed_while_another_runs_and_restarted": BuildShown(HALF, RestartState(1, CLAIM), 8),
    "running": BuildShown(RUNNING),
    "passed": BuildShown(PASSED),
    "passed_on_the_second_attempt": BuildShown(AGAIN),
    "of_another_commit": BuildShown(built(workflow(1, "CI"), workflow(2, "Nightly", commit="0badcafe" * 5))),
    "many_workflows": BuildShown(MANY),
    "hostile": BuildShown(HOSTILE),
    "restart_hangs": BuildShown(FAILED, RestartState(1, replace(CLAIM, state=ClaimState.UNKNOWN)), 8),
    "of_a_tag": BuildShown(replace(PASSED, branch="v1.2", is_tag=True)),
    "of_a_pull_request": BuildShown(replace(FAILED, branch="fix", pull_request=12)),
    "log": LogShown(FAILED, LOG),
    "log_while_it_is_restarted": LogShown(FAILED, LOG, RestartState(1, CLAIM)),
    "log_that_is_missing": LogShown(FAILED, None),
    "log_of_one_that_passed": LogShown(PASSED, None),
    "log_hostile": LogShown(HOSTILE, FailureLog(HOSTILE.workflows[0].failed_jobs[0], EVIL_LINES)),
    "state_not_known": StateNotKnown(built(workflow(1, "CI", Status.UNKNOWN, "brooding", finished_at=None))),
    "branches": BranchesShown(WEB, (FAILED, replace(RUNNING, branch="feature/login"))),
    "builds": BuildsShown(WEB, "main", (HALF, replace(FAILED, url=None))),
}
RESTARTS_AND_STOPS: dict[str, Outcome] = {
    "restarted": Restarted(FAILED, CLAIM, taken=TAKEN),
    "restarted_one": Restarted(PASSED, CLAIM, taken=ActionResult(PASSED.id, ("CI",))),
    "restarted_failed_jobs": Restarted(FAILED, replace(CLAIM, failed_jobs_only=True), taken=TAKEN),
    "restarted_with_debug_logs": Restarted(FAILED, DEBUG_CLAIM, taken=TAKEN),
    "could_not_tell_with_debug_logs": CouldNotTell(replace(DEBUG_CLAIM, state=ClaimState.UNKNOWN), FAILED, 8),
    "could_not_tell_of_failed_jobs": CouldNotTell(
        replace(CLAIM, failed_jobs_only=True, state=ClaimState.UNKNOWN), FAILED, 8
    ),
    "restarted_seen": Restarted(RUNNING, CLAIM, seen=True),
    "already_restarted": AlreadyRestarted(FAILED, CLAIM, 8),
    "could_not_tell": CouldNotTell(replace(CLAIM, state=ClaimState.UNKNOWN), FAILED, 12, found=FAILED),
    "still_running": StillRunning(RUNNING),
    "followed": Followed(RUNNING, 1),
    "nothing_to_follow": NothingToFollow(FAILED),
    "cancelled": Cancelled(
        HALF, ActionResult(HALF.id, ("Deploy",), (), (("Docs", "Cannot cancel a run that is over"),))
    ),
    "nothing_to_cancel": NothingToCancel(FAILED),
}
LISTS: dict[str, Outcome] = {
    "projects": ProjectsShown("", (API, OLD_WEB, WEB), 1, 1, 3, with_services=True),
    "projects_one_list_is_old": ProjectsShown("", (OLD_WEB,), 1, 1, 1, ((DOWN, 300.0),), with_services=True),
    "projects_both_lists_are_old": ProjectsShown(
        "", (OLD_WEB,), 1, 1, 1, ((SILENT, 720.0), (DOWN, None)), with_services=True
    ),
    "projects_none": ProjectsShown("", (), 1, 1, 0, with_services=True),
    "audit": AuditShown(None, (ENTRY, replace(ENTRY, service="codeship", build_id="7"))),
    "help_cancel": HelpShown("cancel"),
}


def about(error: errors.CIError, found: Build | Project) -> errors.CIError:
    error.about = found
    return error


RESTART, CANCEL = (
    BranchCommand(Verb.RESTART, Word.of("web"), Word.of("main")),
    BranchCommand(Verb.CANCEL, Word.of("web"), Word.of("main")),
)
LOGS = BranchCommand(Verb.LOGS, Word.of("web"))
STATUS = BranchCommand(Verb.STATUS, Word.of("web"))
CANCEL_IT = BuildCommand(Verb.CANCEL, target_of(RUNNING))
RESTART_IT = BuildCommand(Verb.RESTART, target_of(FAILED, 1), confirmed=True)
TOO_OLD = errors.NotPossible(
    "GitHub Actions", "Unable to retry this workflow run because it was created over a month ago."
)
TWO = [OLD_WEB, WEB]
ERRORS: dict[str, tuple[errors.BotError, Command | None]] = {
    "ambiguous_by_service": (errors.AmbiguousProject("web", TWO), STATUS),
    "ambiguous_by_service_of_a_restart": (errors.AmbiguousProject("acme/web", TWO), RESTART),
    "ambiguous_by_name": (errors.AmbiguousProject("web", [WEB, replace(WEB, name="umbrella/web")]), STATUS),
    "ambiguous_cancel": (errors.AmbiguousProject("acme/web", TWO), CANCEL),
    "no_such_project": (errors.NoSuchProject("wbe", [*TWO, API], known=9), STATUS),
    "no_project_at_all": (errors.NoSuchProject("zzz"), STATUS),
    "no_such_branch": (errors.NoSuchBranch(WEB, "mian", ["main", "dev"]), RESTART),
    "no_such_pull_request": (errors.NoSuchBranch(WEB, "#99", ["main", "dev"], 99), RESTART),
    "which_branch_to_cancel": (errors.BranchRequired(WEB, ["main", "dev"]), BranchCommand(Verb.CANCEL, Word.of("web"))),
    "needs_confirmation_of_failed_jobs": (
        errors.NeedsConfirmation(FAILED, 2),
        replace(RESTART_IT, confirmed=False, failed_jobs_only=True),
    ),
    "needs_confirmation_of_debug_logs": (
        errors.NeedsConfirmation(FAILED, 2),
        replace(RESTART_IT, confirmed=False, failed_jobs_only=True, debug_logs=True),
    ),
    "sign_on_required": (errors.SignOnRequired("GitHub Actions", "SAML"), RESTART),
    "read_only": (errors.NotSupported(WEB, "GitHub Actions", "restart builds", is_read_only=True), RESTART),
    "cannot_show_logs": (errors.NotSupported(OLD_WEB, "CodeShip", "show logs"), LOGS),
    "which_branch_s_log": (errors.BranchRequired(WEB, ["main", "dev"]), LOGS),
    "cannot_cancel": (errors.NotSupported(OLD_WEB, "CodeShip", "cancel builds"), CANCEL),
    "will_not_restart": (about(TOO_OLD, FAILED), RESTART_IT),
    "nothing_to_restart": (errors.NothingToDo("GitHub Actions", "still running: CI"), RESTART),
    "will_not_cancel": (errors.NotPossible("GitHub Actions"), CANCEL_IT),
    "cancel_not_answered": (about(errors.NoResponse("GitHub Actions", "no answer yet"), RUNNING), CANCEL_IT),
    "cancel_not_begun": (about(errors.NoResponse("GitHub Actions", "no answer within 16 s"), WEB), CANCEL),
    "cancel_not_allowed": (errors.NotAllowed("Ada stops builds of main.", ask="U0ADA"), CANCEL_IT),
    "cancel_too_late": (errors.RequestExpired(), CANCEL),
    "key_refused": (errors.Unauthorized("GitHub Actions"), STATUS),
    "no_rights": (errors.Forbidden("GitHub Actions"), RESTART_IT),
    "rate_limit_exhausted": (errors.RateLimitExhausted("GitHub Actions", retry_after_s=30), STATUS),
    "key_refused_by_one_of_another_time": (errors.Unauthorized("Jenkins"), STATUS),
}
FOLLOW = Follow("1", "github", WEB.id, FAILED.id, 2, "main", ADA, Location("C0DEV"), "1.1", NOW, restarted=True)
ENDED, GONE = replace(FOLLOW, state=FollowState.ENDED), errors.NotFound("GitHub Actions")
LIVE = {
    "live_running": FollowView(FOLLOW, RUNNING),
    "live_failed_while_another_runs": FollowView(FOLLOW, HALF),
    "live_list_lags": FollowView(FOLLOW, FAILED),
    "live_failed": FollowView(
        replace(FOLLOW, state=FollowState.ENDED), FAILED, verdict_on([Status.FAILED], FAILED.status)
    ),
    "live_passed": FollowView(replace(FOLLOW, state=FollowState.ENDED), AGAIN, verdict_on(AGAIN.earlier, AGAIN.status)),
    "live_given_up": FollowView(
        replace(FOLLOW, state=FollowState.GIVEN_UP),
        RUNNING,
        late_s=130.0,
        late_because=errors.NotFound("GitHub Actions"),
    ),
}


def told(name: str) -> Message:
    error, command = ERRORS[name]
    return render_error(error, command, context=BOTH, reference="k3x9qd" if isinstance(error, errors.CIError) else None)


def outcomes(some: dict[str, Outcome]) -> dict[str, Message]:
    return {name: render(outcome, context=BOTH, asker=ADA) for name, outcome in some.items()}


SUBJECTS: dict[str, dict[str, Message]] = {
    "several_services_builds": outcomes(BUILDS),
    "several_services_restarts_and_stops": {
        **outcomes(RESTARTS_AND_STOPS),
        "being_cancelled": being_cancelled(RUNNING, BOTH, ADA),
    },
    "several_services_lists": outcomes(LISTS),
    "several_services_errors": {name: told(name) for name in ERRORS},
    "several_services_live": {
        **{name: live(shown, BOTH) for name, shown in LIVE.items()},
        "reply_with_the_log": reply(FollowView(ENDED, FAILED, log=ToldLog(LOG, to_all=True)), BOTH),
        "reply_without_the_log": reply(FollowView(ENDED, FAILED, log=ToldLog(LOG, to_all=False)), BOTH),
        "log_for_the_asker": log_for_one(FollowView(ENDED, FAILED), LOG, BOTH),
    },
}
MESSAGES = {name: message for messages in SUBJECTS.values() for name, message in messages.items()}

"""Every kind of message of a bot with one CI service, CodeShip; each rendered once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.core.model import errors
from bot.core.model.builds import Actor, Build, Location, Project, Status
from bot.core.model.claims import Claim, ClaimState, RestartState
from bot.core.model.command_entries import Command
from bot.core.model.command_values import BranchCommand, BuildCommand, Verb, Word
from bot.core.model.commands import MORE
from bot.core.model.ended_builds import FlakyBranch, FlakyShown, SlowBranch, SlowShown
from bot.core.model.outcomes import (
    AlreadyRestarted,
    BranchesShown,
    BuildShown,
    BuildsShown,
    CouldNotTell,
    HelpShown,
    NoBuilds,
    Outcome,
    ProjectsShown,
    Restarted,
    RunAgainSince,
    StateNotKnown,
    StillRunning,
)
from bot.core.model.policy import OPEN
from bot.slack.messages.builds import target_of
from bot.slack.messages.errors import render_bug, render_error
from bot.slack.messages.render import Message, RenderContext, render, with_invitation
from tests.slack.several import CODESHIP, NOW

HOW = RenderContext(
    command="/codeship",
    mention="@codeship",
    services={"codeship": CODESHIP},
    now=NOW,
    needs_confirmation=OPEN.needs_confirmation,
)
PAGES = "https://app.codeship.com/projects/33837"
WEB = Project("33837", "acme/web", "codeship", PAGES)
WEBBY = Project("33838", "acme/webby", "codeship", "https://app.codeship.com/projects/33838")
FAILED = Build(
    id="3277309",
    project=WEB,
    status=Status.FAILED,
    status_word="error",
    branch="main",
    commit="4f2c1e9a70bc013115c0088653824b4deadbeef0",
    message="Fix login\n\nThe session was lost.",
    author="ada",
    started_at=NOW - timedelta(minutes=8, seconds=7),
    finished_at=NOW - timedelta(minutes=4),
    url=f"{PAGES}/builds/3277309",
    commit_url="https://github.com/acme/web/commit/4f2c1e9a70bc013115c0088653824b4deadbeef0",
)
RUNNING = replace(
    FAILED, status=Status.RUNNING, status_word="testing", started_at=NOW - timedelta(seconds=192), finished_at=None
)
PASSED = replace(FAILED, id="3277300", status=Status.PASSED, status_word="success", branch="release/1.2.io")
QUEUED = replace(RUNNING, status=Status.QUEUED, status_word="waiting", started_at=None)
UNKNOWN = replace(QUEUED, status=Status.UNKNOWN, status_word="foo")
BARE = Build("1", Project("1", "acme/old", "codeship"), Status.PASSED, "success")
HOSTILE = replace(
    FAILED,
    branch="<!channel>*`_~&b",
    message="@here <!everyone> `rm -rf` *bold* _it_ ~no~ <https://x.io|y>",
    author="<@U0EVE>",
)
CLAIM = Claim(
    service="codeship",
    project_id="33837",
    build_id="3277309",
    run_number=1,
    actor=Actor("U0ADA"),
    location=Location("C0DEV"),
    replaced=FAILED.run,
    requested_at=NOW - timedelta(seconds=8),
    id=17,
    state=ClaimState.TAKEN,
)
SENT, HANGING = replace(CLAIM, state=ClaimState.SENT), replace(CLAIM, state=ClaimState.UNKNOWN)
ENDED = replace(CLAIM, state=ClaimState.ENDED)
SILENT = errors.NoResponse("CodeShip")

STATUS_OUTCOMES: dict[str, Outcome] = {
    "build_failed": BuildShown(FAILED),
    "build_running": BuildShown(RUNNING),
    "build_queued": BuildShown(QUEUED),
    "build_unknown": BuildShown(UNKNOWN),
    "build_blocked": BuildShown(replace(FAILED, status=Status.BLOCKED, status_word="blocked")),
    "build_bare": BuildShown(BARE),
    "build_hostile": BuildShown(HOSTILE),
    "build_restarted_list_lags": BuildShown(FAILED, RestartState(1, CLAIM), 8),
    "build_restarted_runs": BuildShown(RUNNING, RestartState(1, CLAIM), 8),
    "build_restart_hangs": BuildShown(FAILED, RestartState(1, HANGING), 8),
    "build_in_its_second_run": BuildShown(PASSED, RestartState(2, previous=ENDED)),
    "branches": BranchesShown(WEB, (FAILED, PASSED, replace(BARE, project=WEB))),
    "builds_of_a_branch": BuildsShown(WEB, "main", (RUNNING, FAILED)),
    "builds_of_all": BuildsShown(WEB, None, (RUNNING, PASSED)),
    "builds_with_a_trend": BuildsShown(WEB, "main", (RUNNING, PASSED, FAILED, PASSED)),
    "no_builds": NoBuilds(WEB),
    "flaky": FlakyShown(WEB, None, (FlakyBranch(WEB, "main", 3, 41, FAILED.commit or "", NOW),), 1, 60, 30),
    "flaky_of_all": FlakyShown(None, None, (FlakyBranch(WEB, "main", 1, 1, "d18144e", NOW),), 4, 60, 30),
    "flaky_none": FlakyShown(WEB, "main", (), 0, 1, 30),
    "flaky_nothing_on_record": FlakyShown(None, None, (), 0, 0, 30),
    "slow": SlowShown(
        WEB,
        None,
        (
            SlowBranch(WEB, "main", 34, 372.0, 241.0),
            SlowBranch(WEB, "develop", 5, 200.0, 300.0),
            SlowBranch(WEB, "fix/a", 5, 100.0, 101.0),
            SlowBranch(WEB, "fix/b", 3, 60.0, None),
        ),
        5,
        60,
        30,
    ),
    "slow_branch": SlowShown(WEB, "main", (SlowBranch(WEB, "main", 34, 372.0, None),), 1, 40, 30),
    "slow_of_all": SlowShown(None, None, (SlowBranch(WEB, "main", 34, 372.0, None),), 1, 40, 30),
    "slow_too_few": SlowShown(WEB, None, (), 0, 2, 30),
}
PROJECTS: dict[str, Outcome] = {
    "projects": ProjectsShown("web", (WEB, WEBBY), 2, 3, 42),
    "projects_stale": ProjectsShown("", (WEB,), 1, 1, 1, stale=((SILENT, 720),)),
    "projects_none_like_it": ProjectsShown("wob", (), 1, 1, 0),
    "projects_none": ProjectsShown("", (), 1, 1, 0),
}
HELP: dict[str, Outcome] = {
    "help": HelpShown(),
    "help_more": HelpShown(MORE),
    "help_restart": HelpShown("restart"),
}
RESTARTS: dict[str, Outcome] = {
    "restarted": Restarted(FAILED, CLAIM),
    "restarted_seen": Restarted(RUNNING, CLAIM, seen=True),
    "restarted_under_another_id": Restarted(FAILED, replace(CLAIM, new_build_id="3277310")),
    "already_restarted": AlreadyRestarted(FAILED, CLAIM, 8),
    "already_restarted_runs": AlreadyRestarted(RUNNING, CLAIM, 8),
    "already_asked": AlreadyRestarted(FAILED, SENT, 2),
    "still_running": StillRunning(RUNNING),
    "still_queued": StillRunning(QUEUED),
    "run_again_since": RunAgainSince(PASSED, RestartState(2, previous=ENDED), 300),
    "state_not_known": StateNotKnown(UNKNOWN),
    "could_not_tell": CouldNotTell(HANGING, FAILED, 12, found=FAILED),
    "could_not_tell_nor_look": CouldNotTell(HANGING, FAILED, 12, looked=errors.Unreachable("CodeShip")),
}
OUTCOMES = {**STATUS_OUTCOMES, **PROJECTS, **HELP, **RESTARTS}


def known(error: errors.CIError, *builds: Build) -> errors.CIError:
    error.last_known = errors.LastKnown(builds, 240)
    return error


STATUS, RESTART = (
    BranchCommand(Verb.STATUS, Word.of("acme/web"), Word.of("main")),
    BranchCommand(Verb.RESTART, Word.of("acme/web"), Word.of("main")),
)
TYPO = BranchCommand(Verb.RESTART, Word.of("acme/wbe"), Word.of("“main”", "main"))
PRESSED = BuildCommand(Verb.RESTART, target_of(FAILED, 1))
MISTAKES: dict[str, tuple[errors.BotError, Command | None]] = {
    "not_understood": (errors.NotUnderstood("Unknown command “sttaus”.", "status", instead="status acme/web"), None),
    "not_understood_which_repository": (errors.NotUnderstood("Which repository?", "restart"), None),
    "not_understood_at_all": (errors.NotUnderstood("Unknown command “<!here>”."), None),
    "no_such_project": (errors.NoSuchProject("acme/wbe", [WEB, WEBBY], known=42), TYPO),
    "no_such_project_none_like_it": (errors.NoSuchProject("zzz", known=42, stale_because=SILENT), STATUS),
    "no_such_project_at_all": (errors.NoSuchProject("zzz"), STATUS),
    "no_such_project_seen": (errors.NoSuchProject("zzz", known=42, hidden=["21955855"]), STATUS),
    "ambiguous_project": (errors.AmbiguousProject("web", [WEB, replace(WEB, name="umbrella/web")]), STATUS),
    "no_such_branch": (
        errors.NoSuchBranch(WEB, "mian", ["main", "dev"]),
        BranchCommand(Verb.BUILDS, Word.of("web"), Word.of("mian")),
    ),
    "which_branch": (
        errors.BranchRequired(WEB, [f"b{n}" for n in range(12)]),
        BranchCommand(Verb.RESTART, Word.of("acme/web")),
    ),
    "not_allowed": (errors.NotAllowed("This bot only works for members of Acme."), RESTART),
    "not_allowed_ask_somebody": (errors.NotAllowed("Ada restarts main.", ask="U0ADA"), RESTART),
    "not_allowed_ask_in_words": (errors.NotAllowed("Nobody deploys on Friday.", ask="<!here> the ops team"), PRESSED),
    "not_allowed_group_unknown": (
        errors.NotAllowed("For the release team.", ask="S0RELEASE", group_unknown=True),
        PRESSED,
    ),
    "needs_confirmation": (errors.NeedsConfirmation(FAILED, 2), RESTART),
    "needs_confirmation_of_a_try_again": (errors.NeedsConfirmation(HOSTILE, 1, (17, 1)), PRESSED),
    "no_such_branch_of_a_restart": (errors.NoSuchBranch(WEB, "mian", ["main", "dev"]), RESTART),
}
FAILURES: dict[str, tuple[errors.BotError, Command | None]] = {
    "key_refused": (errors.Unauthorized("CodeShip", "401"), STATUS),
    "no_rights": (errors.Forbidden("CodeShip"), PRESSED),
    "not_there": (errors.NotFound("CodeShip"), PRESSED),
    "over_limit": (errors.OverLimit("CodeShip", retry_after_s=39.2), RESTART),
    "over_limit_for_how_long": (errors.OverLimit("CodeShip"), STATUS),
    "rate_limit_exhausted": (known(errors.RateLimitExhausted("CodeShip", retry_after_s=42.5), FAILED), STATUS),
    "rate_limit_exhausted_by_a_restart": (errors.RateLimitExhausted("CodeShip", retry_after_s=0.2), RESTART),
    "paused": (known(errors.RateLimitPaused("CodeShip", retry_after_s=25), FAILED), STATUS),
    "unreachable": (errors.Unreachable("CodeShip"), RESTART),
    "no_answer": (known(errors.NoResponse("CodeShip"), FAILED, RUNNING), STATUS),
    "no_answer_what_ran": (
        known(errors.NoResponse("CodeShip"), PASSED, RUNNING),
        BuildCommand(Verb.STATUS, target_of(RUNNING)),
    ),
    "no_answer_all_branches": (
        known(errors.NoResponse("CodeShip"), FAILED, PASSED),
        BranchCommand(Verb.STATUS, Word.of("acme/web")),
    ),
    "bad_answer": (errors.InvalidResponse("CodeShip"), STATUS),
}
ERRORS = {**MISTAKES, **FAILURES}


def error(name: str) -> Message:
    raised, command = ERRORS[name]
    return render_error(
        raised, command, context=HOW, reference="k3x9qd" if isinstance(raised, errors.CIError) else None
    )


def outcomes(some: dict[str, Outcome]) -> dict[str, Message]:
    return {name: render(outcome, context=HOW, asker=Actor("U0BOB")) for name, outcome in some.items()}


SUBJECTS: dict[str, dict[str, Message]] = {
    "status": {
        **outcomes(STATUS_OUTCOMES),
        "invitation": with_invitation(render(BuildShown(FAILED), context=HOW), "@codeship"),
    },
    "projects": outcomes(PROJECTS),
    "help": outcomes(HELP),
    "restart": outcomes(RESTARTS),
    "mistakes": {name: error(name) for name in MISTAKES},
    "failures": {
        **{name: error(name) for name in FAILURES},
        "bug": render_bug("k3x9qd", STATUS, context=HOW),
        "bug_in_a_restart": render_bug("k3x9qd", PRESSED, context=HOW),
    },
}
MESSAGES = {name: message for messages in SUBJECTS.values() for name, message in messages.items()}

"""The lines and buttons that all messages about builds share. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.core.model.actions.plans import RestartCase, restart_plan
from bot.core.model.builds import Ability, Actor, Build, BuildRef, Project, Status, Workflow
from bot.core.model.claims import NO_RESTART, Claim, ClaimState, RestartState
from bot.core.model.command_values import BuildCommand, Verb
from bot.slack.blocks.confirm_dialog import DEBUG_LABEL, Restarting, cancelling, cancelling_named, dialog
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block, button, link_button
from bot.slack.blocks.rich_text import (
    Inline,
    Line,
    emoji,
    first_line,
    join,
    join_dots,
    length,
    line,
    link,
    linked,
    literal,
    person,
    sanitize,
    since,
    untrusted,
)

SIGNS = {
    Status.QUEUED: "hourglass",
    Status.RUNNING: "hourglass_flowing_sand",
    Status.PASSED: "white_check_mark",
    Status.FAILED: "x",
    Status.STOPPED: "octagonal_sign",
    Status.SKIPPED: "fast_forward",
    Status.IGNORED: "no_entry_sign",
    Status.BLOCKED: "no_entry",
    Status.INFRASTRUCTURE_FAILURE: "warning",
    Status.WAITING: "raised_hand",
    Status.UNKNOWN: "question",
}
WORDS = {
    Status.QUEUED: "queued",
    Status.RUNNING: "running",
    Status.PASSED: "passed",
    Status.FAILED: "failed",
    Status.STOPPED: "cancelled",
    Status.SKIPPED: "skipped",
    Status.IGNORED: "ignored (over the plan’s build limit)",
    Status.BLOCKED: "blocked (used too many resources)",
    Status.INFRASTRUCTURE_FAILURE: "infrastructure failure",
    Status.WAITING: "waiting for approval",
}
_STALE = "zzz"
"""For a workflow that GitHub gave up on: the stop sign means cancelled."""

OF_WORKFLOWS = {
    "timed_out": "timed out",
    "startup_failure": "couldn’t start",
    "action_required": "waiting for approval",
    "waiting": "waiting for approval",
    "neutral": "neutral",
    "stale": "stale",
}
"""Words for the statuses of workflows whose `Status` alone would be misleading:
https://docs.github.com/en/rest/checks/runs and https://docs.github.com/en/rest/actions/workflow-runs."""

_PLAIN = {Status.IGNORED: "ignored", Status.BLOCKED: "blocked"}
"""Without the reasons in `WORDS`, which are CodeShip's."""
_FAILING = ", already failing"
_NO_LENGTH = frozenset(OF_WORKFLOWS) - {"timed_out"}
_WORD = 60


CANCELLING = "hourglass_flowing_sand"
"""Not the stop sign, which means cancelled."""


def sign_of(what: Build | Workflow) -> str:
    """The emoji of a status; that of a failure also if one of its jobs has failed already."""
    if is_failing(what):
        return SIGNS[Status.FAILED]
    return _STALE if what.status_word == "stale" and what.status is Status.STOPPED else SIGNS[what.status]


def is_failing(what: Build | Workflow) -> bool:
    """Whether it still runs, and a job of it has failed already."""
    if isinstance(what, Build):
        return any(map(is_failing, what.workflows))
    return what.status.is_under_way and bool(what.failed_jobs)


def state(build: Build) -> Line:
    """`failed in 4m 7s`, `running`. Without a running time, which would soon be wrong in the message.

    `CI failed, 1 of 3 workflows still running` if the worst of them has finished and another has not.
    `running, already failing` if a job has failed.
    """
    text = _of_build(build)
    if build.status.is_under_way and is_failing(build):
        return line(text, _FAILING)
    if build.is_under_way and not build.status.is_under_way:
        return line(_deciding_workflow(build), text, f", {_still(build.workflows)}")
    if build.took is not None and not (build.workflows and _has_no_length(build.status, build.status_word)):
        return _lasting(text, build.status, build.status_word, build.took.total_seconds())
    return text


def state_of_workflow(run: Workflow) -> Line:
    """`failed in 2m 3s`. Without a running time, as in `state`."""
    text = _of_workflow(run.status, run.status_word)
    if is_failing(run):
        return line(text, _FAILING)
    if not run.has_ended or _has_no_length(run.status, run.status_word):
        return text
    if run.started_at is None or run.finished_at is None:
        return text
    took = (run.finished_at - run.started_at).total_seconds()
    return _lasting(text, run.status, run.status_word, took) if took >= 0 else text


def _lasting(text: Line, status: Status, status_word: str, seconds: float) -> Line:
    """`passed in 38s`, and `cancelled after 38s`."""
    ran_through = status in (Status.PASSED, Status.FAILED) and status_word not in OF_WORKFLOWS
    return line(text, " in " if ran_through else " after ", length(seconds))


def has_failed_jobs(run: Workflow) -> bool:
    """Whether failed jobs can be re-run: a workflow that could not start has none."""
    return run.status is Status.FAILED and run.status_word != "startup_failure"


def short_word(status: Status) -> str:
    """The status in a word or two, without its reason."""
    return WORDS.get(status, "of unknown status").partition(" (")[0]


def _of_build(build: Build) -> Line:
    if build.workflows and (build.status is not Status.UNKNOWN or build.status_word in OF_WORKFLOWS):
        return _of_workflow(build.status, build.status_word)
    return line(WORDS[build.status]) if build.status is not Status.UNKNOWN else _unknown(build.status_word)


def _of_workflow(status: Status, status_word: str) -> Line:
    if status_word == "waiting" and status is Status.FAILED:
        return line("failed, waiting for approval")
    if status_word in OF_WORKFLOWS:
        return line(OF_WORKFLOWS[status_word])
    if status is not Status.UNKNOWN:
        return line(_PLAIN.get(status) or WORDS[status])
    return _unknown(status_word)


def _unknown(status_word: str) -> Line:
    word = untrusted(status_word, _WORD)
    return line("unknown status “", word, "”") if word else line("status unknown")


def _has_no_length(status: Status, status_word: str) -> bool:
    """Whether `after 4 min` would make no sense after this status."""
    return status_word in _NO_LENGTH or (status is Status.UNKNOWN and status_word not in OF_WORKFLOWS)


def _deciding_workflow(build: Build) -> Line:
    """The name of the workflow that decides, if there are others."""
    worst = next((run for run in build.workflows if run.status_word == build.status_word and run.has_ended), None)
    name = untrusted(worst.name, _WORD) if worst and len(build.workflows) > 1 else None
    return line(name, " ") if name else ()


def _still(workflows: tuple[Workflow, ...]) -> str:
    left = [run.status for run in workflows if run.status.is_under_way]
    doing = "queued" if all(status is Status.QUEUED for status in left) else "running"
    return f"{len(left)} of {len(workflows)} workflows still {doing}" if len(workflows) > 1 else f"still {doing}"


NO_BRANCH = "(no branch)"
_NAME, _BRANCH, _MESSAGE, _AUTHOR, _ID = 100, 100, 150, 60, 40
_BRANCH_IN_A_LIST, _MESSAGE_IN_A_LIST = 20, 22
"""So that an entry of a list fits on two lines of a phone."""


def repository(project: Project) -> Inline:
    """Its name, linked to its page."""
    return link(sanitize(project.name, _NAME) or "a repository without a name", project.url)


def branch_named(branch: str | None, max_length: int = _BRANCH) -> Inline:
    return untrusted(branch, max_length) or literal(NO_BRANCH)


def subject(build: Build) -> Line:
    """`acme/web main`, `acme/web tag v1.2`."""
    return line(repository(build.project), " tag " if build.is_tag else " ", branch_named(build.branch))


def headline(build: Build, context: RenderContext, verdict: str = "") -> Line:
    """`:x: acme/web main failed in 4m 7s`. `verdict` is what the result means: ` on retry (flaky)`."""
    return headline_with(sign_of(build), build, context, _joint(build), state(build), verdict)


def headline_with(sign: str, build: Build, context: RenderContext, *what: Line | Inline | str) -> Line:
    """As `headline`, with another emoji and with `what` instead of the state. `what` begins with a blank."""
    return line(emoji(sign), " ", subject(build), *what, at_service(build.project, context))


def at_service(project: Project, context: RenderContext) -> str:
    """` · GitHub` if several services are set up; else empty."""
    return f" · {context.title_of(project.service)}" if context.has_several else ""


def facts_line(build: Build) -> Line:
    """`4f2c1e9 “Fix login” by ada · pull request #12 · finished 12 minutes ago`; empty if none of it is known."""
    return join_dots(commit(build), _pull_request(build), _when(build))


def commit(build: Build) -> Line:
    """`4f2c1e9 “Fix login” by ada`: the facts that a restart does not change."""
    text = untrusted(first_line(build.message), _MESSAGE)
    by = untrusted(build.author, _AUTHOR)
    return join(
        " ",
        _short_commit(build),
        line("“", text, "”") if text else None,
        line("by ", by) if by else None,
    )


def _pull_request(build: Build) -> Line:
    if build.pull_request is None:
        return ()
    page = f"{build.project.url}/pull/{build.pull_request}" if build.project.url else None
    return line(link(f"pull request #{build.pull_request}", page))


def list_lines(build: Build, *, branch: bool) -> list[Line]:
    """An entry of a list, in two lines: `:x: main failed 12 minutes ago`, `4f2c1e9 “Fix login” · 4m 7s`.

    The state is linked to the build's page.
    """
    named = line(branch_named(build.branch, _BRANCH_IN_A_LIST), _joint(build)) if branch else None
    is_mixed = build.is_under_way and not build.status.is_under_way
    how = linked(state(build) if is_mixed else _of_build(build), build.url)
    finished, began = since(build.finished_at) if build.has_ended else None, since(build.started_at)
    when = line(" ", finished) if finished else line(" · started ", began) if began else None
    text = untrusted(first_line(build.message), _MESSAGE_IN_A_LIST)
    changed = join(" ", _short_commit(build), line("“", text, "”") if text else None)
    facts = join_dots(changed, length(build.took.total_seconds()) if build.took is not None else None)
    return [line(emoji(sign_of(build)), " ", named, how, when), line(_INDENT, facts) if facts else ()]


def requested_by(actor: Actor | None, at: datetime | None = None, *, what: str = "") -> Line:
    """`requested by @ada`, with `what` before it and `at` after it if they are given. Empty if `actor` is None."""
    return join(" ", what, line("requested by ", person(actor)), since(at)) if actor else ()


def target_of(build: Build, run_number: int | None = None) -> BuildRef:
    return BuildRef(
        service=build.project.service,
        project_id=build.project.id,
        branch=build.branch,
        build_id=build.id,
        run_number=run_number,
        started_at=build.started_at,
        reruns=build.reruns if build.workflows else None,
    )


def build_buttons(build: Build, context: RenderContext, restart_state: RestartState = NO_RESTART) -> list[Block | None]:
    """Restart if possible and no other is under way; Try again if one is not confirmed; Follow; Show log; Cancel;
    Refresh; Open build."""
    target, claim = target_of(build, restart_state.run_number), restart_state.claim
    first: list[Block | None] = []
    if claim is not None and claim.state is ClaimState.UNKNOWN and build.can_be_restarted:
        first = [try_again_button(build, claim, context)]
    elif claim is None and build.can_be_restarted:
        first = restart_buttons(build, restart_state.run_number, context)
    more = [log_button(build, context), cancel_button(build, context)]
    return [*first, follow_button(build, restart_state), *more, *view_buttons(target, build.url)]


def restart_buttons(
    build: Build, run_number: int | None, context: RenderContext, *, in_live: bool = False
) -> list[Block | None]:
    """Restart, primary if the build failed; also Re-run failed jobs, if the service can and a workflow has failed.

    Empty if the bot may only read there, or nothing of it can be re-run.
    """
    is_possible = not build.workflows or restart_plan(build).case is not RestartCase.NOTHING
    if not is_possible or not context.can(Ability.RESTART, build):
        return []
    asks = dialog(Restarting.of(build), context)
    whole = BuildCommand(Verb.RESTART, target_of(build, run_number), confirmed=asks is not None, in_live=in_live)
    restart = button("Restart", whole, asks, style="primary" if build.status.is_bad else None)
    has_failed = any(run.has_ended and has_failed_jobs(run) for run in build.workflows)
    if not has_failed or not context.can(Ability.RESTART_FAILED_JOBS, build):
        return [restart]
    asks = dialog(Restarting.of(build, failed_jobs_only=True), context)
    return [restart, button("Re-run failed jobs", replace(whole, failed_jobs_only=True), asks)]


def log_button(build: Build, context: RenderContext) -> Block | None:
    """If a job of the build failed and its service has logs."""
    has_failed = any(run.has_ended and has_failed_jobs(run) for run in build.workflows)
    if not has_failed or not context.can(Ability.LOGS, build):
        return None
    return button("Show log", BuildCommand(Verb.LOGS, target_of(build)))


def debug_button(build: Build, context: RenderContext, restart_state: RestartState) -> Block | None:
    """Re-runs the failed jobs with debug logs, if the service can and no other restart is under way."""
    has_failed = any(run.has_ended and has_failed_jobs(run) and run.commit is None for run in build.workflows)
    if not has_failed or restart_state.claim is not None or not context.can(Ability.DEBUG_LOGS, build):
        return None
    asks = dialog(Restarting.of(build, failed_jobs_only=True, debug_logs=True), context)
    target = target_of(build, restart_state.run_number)
    again = BuildCommand(Verb.RESTART, target, confirmed=asks is not None, failed_jobs_only=True, debug_logs=True)
    return button(DEBUG_LABEL, again, asks)


def cancel_button(build: Build, context: RenderContext, *, in_live: bool = False) -> Block | None:
    """None unless something runs and the service can cancel it. The button always asks first."""
    if not build.is_under_way or not context.can(Ability.CANCEL, build):
        return None
    command = BuildCommand(Verb.CANCEL, target_of(build), in_live=in_live)
    return button("Cancel", command, cancelling(build), style="danger")


def cancel_run_button(build: Build, run: Workflow, label: str, context: RenderContext, number: int) -> Block | None:
    """The same for a run that does not count for the build's status."""
    if not context.can(Ability.CANCEL, build):
        return None
    target = BuildRef(build.project.service, build.project.id, build.branch, run.run_id)
    asks = cancelling_named(build.project.name, build.branch, (run.full_name,))
    return button(label, BuildCommand(Verb.CANCEL, target), asks, style="danger", number=number)


def follow_button(build: Build, restart_state: RestartState = NO_RESTART) -> Block | None:
    """None unless something runs, or will once a restart shows."""
    if not build.is_under_way and not restart_state.is_restarted(build):
        return None
    return button("Follow", BuildCommand(Verb.FOLLOW, target_of(build, restart_state.run_under_way(build))))


def try_again_button(build: Build, claim: Claim, context: RenderContext) -> Block | None:
    if not context.can(Ability.RESTART, build):
        return None
    only, debug = claim.failed_jobs_only, claim.debug_logs
    asks = dialog(Restarting.of(build, failed_jobs_only=only, debug_logs=debug), context)
    replaced = (claim.id, claim.attempt)
    target = target_of(build, claim.run_number)
    command = BuildCommand(Verb.RESTART, target, replaced, asks is not None, failed_jobs_only=only, debug_logs=debug)
    return button("Try again", command, asks, style="primary")


def view_buttons(target: BuildRef, url: str | None) -> list[Block | None]:
    return [button("Refresh", BuildCommand(Verb.STATUS, target)), link_button("Open build", url, "build")]


def open_button(build: Build) -> Block | None:
    return link_button("Open build", build.url, "build")


_INDENT = "    "


def joint(status: Status) -> str:
    """What separates a name from a status: `main failed`, and `main: infrastructure failure`."""
    return ": " if status in (Status.UNKNOWN, Status.INFRASTRUCTURE_FAILURE) else " "


def _joint(build: Build) -> str:
    is_mixed = build.is_under_way and not build.status.is_under_way
    return ": " if is_mixed else joint(build.status)


def _short_commit(build: Build) -> Inline | None:
    short = sanitize(build.commit, _ID)[:7]
    return link(short, build.commit_url) if short else None


def _when(build: Build) -> Line:
    """When it finished; else when it began."""
    if build.has_ended and (ended := since(build.finished_at)):
        return line("finished ", ended)
    began = since(build.started_at)
    return line("queued " if build.status is Status.QUEUED else "started ", began) if began else ()

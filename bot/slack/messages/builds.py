"""Builds in words: the lines and buttons that all messages about builds share. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.model.builds import Ability, Build, BuildRef, Project, Status, Workflow
from bot.core.model.claims import NO_RESTART, Claim, ClaimState, RestartState
from bot.core.model.commands import BuildCommand, Verb
from bot.slack.blocks.confirm_dialog import cancelling, dialog
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block, button, link_button
from bot.slack.blocks.rich_text import (
    Inline,
    Line,
    ago,
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
    timestamp,
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
    Status.WAITING: "raised_hand",
    Status.INFRASTRUCTURE_FAILURE: "warning",
    Status.UNKNOWN: "grey_question",
}
WORDS = {
    Status.QUEUED: "queued",
    Status.RUNNING: "running",
    Status.PASSED: "passed",
    Status.FAILED: "failed",
    Status.STOPPED: "stopped",
    Status.SKIPPED: "skipped",
    Status.IGNORED: "ignored (over the plan’s build limit)",
    Status.BLOCKED: "blocked (used too many resources)",
    Status.WAITING: "waiting for an approval",
    Status.INFRASTRUCTURE_FAILURE: "infrastructure failure",
}
OF_WORKFLOWS = {
    "timed_out": "timed out",
    "startup_failure": "could not start",
    "action_required": "waits for somebody’s approval",
    "waiting": "waits for an approval",
    "neutral": "neutral",
    "stale": "stale",
}
"""What services with workflows say, where the status alone would say it wrongly:
https://docs.github.com/en/rest/checks/runs and https://docs.github.com/en/rest/actions/workflow-runs."""

_PLAIN = {Status.IGNORED: "ignored", Status.BLOCKED: "blocked"}
"""The reasons in `WORDS` are those of a service that builds in one piece."""
_NO_LENGTH = frozenset(OF_WORKFLOWS) - {"timed_out"}
_WORD = 60


def state(build: Build, context: RenderContext, at: datetime | None = None) -> Line:
    """`failed after 4 min 07 s`, `running for 3 min 12 s`; as it was at `at` (now, where None).

    `CI failed, 1 of 3 workflows still running` where the worst of them has ended and another has not.
    """
    text = _of_build(build, context)
    if build.is_under_way and not build.status.is_under_way:
        return line(_deciding_workflow(build), text, f", {_still(build.workflows)}")
    if build.took is not None and not (build.workflows and _has_no_length(build.status, build.status_word)):
        return line(text, f" after {length(build.took.total_seconds())}")
    if build.status is Status.RUNNING and build.started_at is not None:
        running = (at or context.now) - build.started_at
        return line(text, f" for {length(running.total_seconds())}") if running >= timedelta(0) else text
    return text


def state_of_workflow(run: Workflow) -> Line:
    """`failed after 2 min 03 s`. Without a running time, which would be old at once in a message that stays."""
    text = _of_workflow(run.status, run.status_word)
    if not run.has_ended or _has_no_length(run.status, run.status_word):
        return text
    if run.started_at is None or run.finished_at is None:
        return text
    took = (run.finished_at - run.started_at).total_seconds()
    return line(text, f" after {length(took)}") if took >= 0 else text


def has_failed_jobs(run: Workflow) -> bool:
    """One that could not even start has none."""
    return run.status is Status.FAILED and run.status_word != "startup_failure"


def short_word(status: Status) -> str:
    """The state in one word or two, without its reason."""
    return WORDS.get(status, "in a state that I do not know").partition(" (")[0]


def _of_build(build: Build, context: RenderContext) -> Line:
    if build.workflows and (build.status is not Status.UNKNOWN or build.status_word in OF_WORKFLOWS):
        return _of_workflow(build.status, build.status_word)
    if build.status is not Status.UNKNOWN:
        return line(WORDS[build.status])
    word = untrusted(build.status_word, _WORD)
    if word is None:
        return line("no state named")
    return line(context.title_of(build.project.service), " says “", word, "”, a word I do not know")


def _of_workflow(status: Status, status_word: str) -> Line:
    if status_word in OF_WORKFLOWS:
        return line(OF_WORKFLOWS[status_word])
    if status is not Status.UNKNOWN:
        return line(_PLAIN.get(status) or WORDS[status])
    word = untrusted(status_word, _WORD)
    return line("“", word, "”, a word I do not know") if word else line("no state named")


def _has_no_length(status: Status, status_word: str) -> bool:
    """Whether `after 4 min` would make no sense behind what is said of a workflow."""
    return status_word in _NO_LENGTH or (status is Status.UNKNOWN and status_word not in OF_WORKFLOWS)


def _deciding_workflow(build: Build) -> Line:
    """The name of the workflow that decides, where there are others."""
    worst = next((run for run in build.workflows if run.status_word == build.status_word and run.has_ended), None)
    name = untrusted(worst.name, _WORD) if worst and len(build.workflows) > 1 else None
    return line(name, " ") if name else ()


def _still(workflows: tuple[Workflow, ...]) -> str:
    left = [run.status for run in workflows if run.status.is_under_way]
    doing = "queued" if all(status is Status.QUEUED for status in left) else "running"
    return f"{len(left)} of {len(workflows)} workflows still {doing}" if len(workflows) > 1 else f"still {doing}"


NO_BRANCH = "no branch named"
_NAME, _BRANCH, _MESSAGE, _AUTHOR, _ID = 100, 100, 150, 60, 40
_BRANCH_IN_A_LIST, _MESSAGE_IN_A_LIST, _AUTHOR_IN_A_LIST = 60, 70, 30


def repository(project: Project) -> Inline:
    """Its name, leading to its page."""
    return link(sanitize(project.name, _NAME) or "a repository without a name", project.url, bold=True)


def branch_named(branch: str | None, max_length: int = _BRANCH) -> Inline:
    return untrusted(branch, max_length) or literal(NO_BRANCH)


def headline(build: Build, context: RenderContext) -> Line:
    """`:x: *acme/web* · main · failed after 4 min 07 s`."""
    return _headline_with(SIGNS[build.status], build, state(build, context))


def headline_with(sign: str, build: Build, *what: Line | Inline | str) -> Line:
    """The same with another sign, and what happened instead of the state."""
    return _headline_with(sign, build, line(*what))


def _headline_with(sign: str, build: Build, what: Line) -> Line:
    return line(emoji(sign), " ", join_dots(repository(build.project), branch_named(build.branch), what))


def facts_line(build: Build) -> Line:
    """`4f2c1e9 “Fix login” by ada · today at 14:03`; empty where nothing of it is known."""
    return join_dots(commit(build), _when(build))


def commit(build: Build, message: int = _MESSAGE, author: int = _AUTHOR) -> Line:
    """`4f2c1e9 “Fix login” by ada`: what stays the same over restarts."""
    short = sanitize(build.commit, _ID)[:7]
    text = untrusted(first_line(build.message), message)
    by = untrusted(build.author, author)
    return join(
        " ",
        link(short, build.commit_url) if short else None,
        line("“", text, "”") if text else None,
        line("by ", by) if by else None,
    )


def list_line(build: Build, context: RenderContext, *, branch: bool, at: datetime | None = None) -> Line:
    """One of many: `:x: main · failed after 4 min 07 s · #3277309 · 4f2c1e9 “Fix login” by ada · today at 14:03`.

    What has workflows has no number of its own: there the state leads to its page.
    """
    number = sanitize(build.id, _ID) if not build.workflows else ""
    how = state(build, context, at)
    return line(
        emoji(SIGNS[build.status]),
        " ",
        join_dots(
            branch_named(build.branch, _BRANCH_IN_A_LIST) if branch else None,
            linked(how, build.url) if build.workflows else how,
            link(f"#{number}", build.url) if number else None,
            commit(build, _MESSAGE_IN_A_LIST, _AUTHOR_IN_A_LIST),
            _when(build),
        ),
    )


def claim_words(
    claim: Claim, build: Build, context: RenderContext, ago_s: float | None = None, *, lags: str, dated: bool = False
) -> Line:
    """Who restarted it, and what is known of that. `lags` is said where `build` is still in its run before.

    `dated` says when rather than how long ago, in messages that people still read much later.
    """
    since = ago(_seconds_since(claim, context) if ago_s is None else ago_s)
    title = context.title_of(build.project.service)
    match claim.state:
        case ClaimState.CLAIMED | ClaimState.SENT:
            return line(person(claim.actor), f" asked for a restart {since}; {title} has not answered yet")
        case ClaimState.UNKNOWN:
            return line(
                person(claim.actor),
                f" asked for a restart {since}; {title} gave no answer, so nobody can tell whether it took",
            )
        case _:
            by = join_dots(line("restarted by ", person(claim.actor)), timestamp(claim.requested_at)) if dated else None
            text = by or line("restarted by ", person(claim.actor), f" {since}")
            return line(text, f"; {lags}" if _is_earlier(claim, build) else "")


def previous_words(claim: Claim, context: RenderContext, ago_s: float | None = None) -> Line:
    """Whose restart brought this run about."""
    since = ago(_seconds_since(claim, context) if ago_s is None else ago_s)
    by = join_dots(line("restarted by ", person(claim.actor)), timestamp(claim.requested_at) or since)
    return line(by, "; this is the new run")


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
    """Restart where it can be and nobody's restart stands; Try again where one hangs; Cancel; Refresh; Open build."""
    target, claim = target_of(build, restart_state.run_number), restart_state.claim
    first: list[Block | None] = []
    if claim is not None and claim.state is ClaimState.UNKNOWN and build.can_be_restarted:
        first = [try_again_button(build, claim, context)]
    elif claim is None and build.can_be_restarted:
        first = restart_buttons(build, restart_state.run_number, context)
    return [*first, cancel_button(build, context), *view_buttons(target, build.url)]


def restart_buttons(
    build: Build, run_number: int | None, context: RenderContext, *, in_live: bool = False
) -> list[Block | None]:
    """Restart; and Failed jobs only, where the service can and a workflow has failed."""
    asks = dialog("Restart", build.project.name, build.branch, context)
    whole = BuildCommand(Verb.RESTART, target_of(build, run_number), confirmed=asks is not None, in_live=in_live)
    restart = button("Restart", whole, asks)
    has_failed = any(run.has_ended and has_failed_jobs(run) for run in build.workflows)
    if not has_failed or not context.can(Ability.RESTART_FAILED_JOBS, build):
        return [restart]
    asks = dialog("Restart", build.project.name, build.branch, context, failed_jobs_only=True)
    return [restart, button("Failed jobs only", replace(whole, failed_jobs_only=True), asks)]


def cancel_button(build: Build, context: RenderContext, *, in_live: bool = False) -> Block | None:
    """Where something runs and the service can cancel it. It always asks first."""
    if not build.is_under_way or not context.can(Ability.CANCEL, build):
        return None
    asks = cancelling(build.project.name, build.branch)
    return button("Cancel", BuildCommand(Verb.CANCEL, target_of(build), in_live=in_live), asks)


def try_again_button(build: Build, claim: Claim, context: RenderContext) -> Block | None:
    only = claim.failed_jobs_only
    asks = dialog("Try again", build.project.name, build.branch, context, failed_jobs_only=only)
    replaced = (claim.id, claim.attempt)
    target = target_of(build, claim.run_number)
    command = BuildCommand(Verb.RESTART, target, replaced, asks is not None, failed_jobs_only=only)
    return button("Try again", command, asks)


def view_buttons(target: BuildRef, url: str | None) -> list[Block | None]:
    return [button("Refresh", BuildCommand(Verb.STATUS, target)), link_button("Open build", url, "build")]


def _when(build: Build) -> Line:
    """When it ended; else when it began."""
    if build.has_ended and (ended := timestamp(build.finished_at)):
        return line(ended)
    began = timestamp(build.started_at)
    return line("since " if build.status is Status.QUEUED else "started ", began) if began else ()


def _is_earlier(claim: Claim, build: Build) -> bool:
    return build.has_ended and claim.new_build_id in (None, build.id)


def _seconds_since(claim: Claim, context: RenderContext) -> float:
    return (context.now - claim.requested_at).total_seconds()

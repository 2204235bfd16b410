"""Builds in words: the lines and buttons that all messages about builds share. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.core.claims import UNCLAIMED, Claim, ClaimState, Standing
from bot.core.commands import RestartBuild, ShowBuild, StopBuild
from bot.core.model import Ability, Build, Project, Status, Target
from bot.slack.buttons import REFRESH, RESTART, RESTART_FAILED, STOP, STOP_IN_LIVE, TRY_AGAIN
from bot.slack.dialogs import dialog, stopping
from bot.slack.drawing import Block, button, link_button
from bot.slack.durations import ago
from bot.slack.pieces import (
    Line,
    Piece,
    dotted,
    emoji,
    first_line,
    foreign,
    line,
    link,
    linked,
    own,
    parted,
    person,
    told,
    when,
)
from bot.slack.states_told import SIGNS, has_failed_jobs, state
from bot.slack.wording import Wording

NO_BRANCH = "no branch named"
_NAME, _BRANCH, _MESSAGE, _AUTHOR, _ID = 100, 100, 150, 60, 40
_BRANCH_IN_A_LIST, _MESSAGE_IN_A_LIST, _AUTHOR_IN_A_LIST = 60, 70, 30


def repository(project: Project) -> Piece:
    """Its name, leading to its page."""
    return link(told(project.name, _NAME) or "a repository without a name", project.url, bold=True)


def branch_named(branch: str | None, most: int = _BRANCH) -> Piece:
    return foreign(branch, most) or own(NO_BRANCH)


def headline(build: Build, words: Wording) -> Line:
    """`:x: *acme/web* · main · failed after 4 min 07 s`."""
    return _headed(SIGNS[build.status], build, state(build, words))


def headed(sign: str, build: Build, *what: Line | Piece | str) -> Line:
    """The same with another sign, and what happened instead of the state."""
    return _headed(sign, build, line(*what))


def _headed(sign: str, build: Build, what: Line) -> Line:
    return line(emoji(sign), " ", dotted(repository(build.project), branch_named(build.branch), what))


def facts_line(build: Build) -> Line:
    """`4f2c1e9 “Fix login” by ada · today at 14:03`; empty where nothing of it is known."""
    return dotted(commit(build), _when(build))


def commit(build: Build, message: int = _MESSAGE, author: int = _AUTHOR) -> Line:
    """`4f2c1e9 “Fix login” by ada`: what stays the same over restarts."""
    short = told(build.commit, _ID)[:7]
    said = foreign(first_line(build.message), message)
    by = foreign(build.author, author)
    return parted(
        " ",
        link(short, build.commit_url) if short else None,
        line("“", said, "”") if said else None,
        line("by ", by) if by else None,
    )


def list_line(build: Build, words: Wording, *, branch: bool, at: datetime | None = None) -> Line:
    """One of many: `:x: main · failed after 4 min 07 s · #3277309 · 4f2c1e9 “Fix login” by ada · today at 14:03`.

    What has workflows has no number of its own: there the state leads to its page.
    """
    number = told(build.id, _ID) if not build.workflows else ""
    how = state(build, words, at)
    return line(
        emoji(SIGNS[build.status]),
        " ",
        dotted(
            branch_named(build.branch, _BRANCH_IN_A_LIST) if branch else None,
            linked(how, build.url) if build.workflows else how,
            link(f"#{number}", build.url) if number else None,
            commit(build, _MESSAGE_IN_A_LIST, _AUTHOR_IN_A_LIST),
            _when(build),
        ),
    )


def claim_words(
    claim: Claim, build: Build, words: Wording, ago_s: float | None = None, *, lags: str, dated: bool = False
) -> Line:
    """Who restarted it, and what is known of that. `lags` is said where `build` is still in its run before.

    `dated` says when rather than how long ago, in messages that people still read much later.
    """
    since = ago(_seconds_since(claim, words) if ago_s is None else ago_s)
    title = words.title_of(build.project.service)
    match claim.state:
        case ClaimState.CLAIMED | ClaimState.SENT:
            return line(person(claim.actor), f" asked for a restart {since}; {title} has not answered yet")
        case ClaimState.UNKNOWN:
            return line(
                person(claim.actor),
                f" asked for a restart {since}; {title} gave no answer, so nobody can tell whether it took",
            )
        case _:
            by = dotted(line("restarted by ", person(claim.actor)), when(claim.asked_at)) if dated else None
            said = by or line("restarted by ", person(claim.actor), f" {since}")
            return line(said, f"; {lags}" if _is_earlier(claim, build) else "")


def previous_words(claim: Claim, words: Wording, ago_s: float | None = None) -> Line:
    """Whose restart brought this run about."""
    since = ago(_seconds_since(claim, words) if ago_s is None else ago_s)
    by = dotted(line("restarted by ", person(claim.actor)), when(claim.asked_at) or since)
    return line(by, "; this is the new run")


def target_of(build: Build, run_number: int | None = None) -> Target:
    return Target(
        service=build.project.service,
        project_id=build.project.id,
        branch=build.branch,
        build_id=build.id,
        run_number=run_number,
        started_at=build.started_at,
        reruns=build.reruns if build.workflows else None,
    )


def buttons_of(build: Build, words: Wording, standing: Standing = UNCLAIMED) -> list[Block | None]:
    """Restart where it can be and nobody's restart stands; Try again where one hangs; Stop; Refresh; Open build."""
    target, claim = target_of(build, standing.run_number), standing.claim
    first: list[Block | None] = []
    if claim is not None and claim.state is ClaimState.UNKNOWN and build.can_be_restarted:
        first = [try_again(build, claim, words)]
    elif claim is None and build.can_be_restarted:
        first = restart_buttons(build, standing.run_number, words)
    return [*first, stop_button(build, words), *looking(target, build.url)]


def restart_buttons(
    build: Build, run_number: int | None, words: Wording, *, in_live: bool = False
) -> list[Block | None]:
    """Restart; and Failed jobs only, where the service can and a workflow has failed."""
    asks = dialog("Restart", build.project.name, build.branch, words)
    whole = RestartBuild(target_of(build, run_number), confirmed=asks is not None, in_live=in_live)
    restart = button("Restart", whole, RESTART, asks)
    has_failed = any(run.has_ended and has_failed_jobs(run) for run in build.workflows)
    if not has_failed or not words.can(Ability.RESTART_FAILED_JOBS, build):
        return [restart]
    asks = dialog("Restart", build.project.name, build.branch, words, failed_jobs_only=True)
    return [restart, button("Failed jobs only", replace(whole, failed_jobs_only=True), RESTART_FAILED, asks)]


def stop_button(build: Build, words: Wording, *, in_live: bool = False) -> Block | None:
    """Where something runs and the service can stop it. It always asks first."""
    if not build.is_under_way or not words.can(Ability.STOP, build):
        return None
    asks = stopping(build.project.name, build.branch)
    return button("Stop", StopBuild(target_of(build)), STOP_IN_LIVE if in_live else STOP, asks)


def try_again(build: Build, claim: Claim, words: Wording) -> Block | None:
    only = claim.failed_jobs_only
    asks = dialog("Try again", build.project.name, build.branch, words, failed_jobs_only=only)
    replaced = (claim.id, claim.attempt)
    command = RestartBuild(target_of(build, claim.run_number), replaced, asks is not None, failed_jobs_only=only)
    return button("Try again", command, TRY_AGAIN, asks)


def looking(target: Target, url: str | None) -> list[Block | None]:
    return [button("Refresh", ShowBuild(target), REFRESH), link_button("Open build", url, "build")]


def _when(build: Build) -> Line:
    """When it ended; else when it began."""
    if build.has_ended and (ended := when(build.finished_at)):
        return line(ended)
    began = when(build.started_at)
    return line("since " if build.status is Status.QUEUED else "started ", began) if began else ()


def _is_earlier(claim: Claim, build: Build) -> bool:
    return build.has_ended and claim.new_build_id in (None, build.id)


def _seconds_since(claim: Claim, words: Wording) -> float:
    return (words.now - claim.asked_at).total_seconds()

"""The last builds, and which branches are flaky or slow. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from bot.core.model.builds import Actor, Build, Project, Status, newest_of_each
from bot.core.model.ended_builds import FlakyBranch, FlakyShown, SlowBranch, SlowShown
from bot.core.model.outcomes import BuildsShown
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Message, message
from bot.slack.blocks.rich_text import Line, code, counted, join_dots, length, line, sanitize, since, untrusted
from bot.slack.messages.builds import at_service, branch_named, list_lines, repository, requested_by
from bot.slack.messages.live import follow_buttons

_COMMIT, _NAME = 7, 100
_MAX_BUILDS, _ENOUGH_FOR_A_TREND = 10, 3
_INDENT = "    "
_CHANGED = 1.1
"""A median that differs by less than a tenth is the same."""


def render_flaky(shown: FlakyShown, context: RenderContext, asker: Actor | None) -> Message:
    """The branches with commits that passed only on retry."""
    if not shown.builds:
        return _nothing(shown, context, asker)
    about = _about(shown.project, shown.branch, context)
    if not shown.entries:
        head = line("No flaky builds", about, f" in the last {shown.days} days")
        basis = line(f"{counted(shown.builds, 'build')} on record.")
        return message([head, basis], facts=[requested_by(asker)], in_public=True)
    head = line("Flaky builds", about, f" in the last {shown.days} days")
    entries = [part for entry in shown.entries for part in _flaky(entry, shown.project, context)]
    return message(
        [head, *entries, *_more(shown.total - len(shown.entries))], facts=[requested_by(asker)], in_public=True
    )


def render_slow(shown: SlowShown, context: RenderContext, asker: Actor | None) -> Message:
    """The branches by the median duration of their passed builds."""
    if not shown.builds:
        return _nothing(shown, context, asker)
    about = _about(shown.project, shown.branch, context)
    head = line("Slowest branches" if shown.branch is None else "Build duration", about, f", last {shown.days} days")
    if not shown.entries:
        why = line(f"Too few passed builds for a median: {counted(shown.builds, 'build')} on record.")
        return message([head, why], facts=[requested_by(asker)], in_public=True)
    entries = [part for entry in shown.entries for part in _slow(entry, shown, context)]
    return message(
        [head, *entries, *_more(shown.total - len(shown.entries))], facts=[requested_by(asker)], in_public=True
    )


def _nothing(shown: FlakyShown | SlowShown, context: RenderContext, asker: Actor | None) -> Message:
    name = sanitize(shown.project.name, _NAME) if shown.project else ""
    head = line("No builds", _about(shown.project, shown.branch, context), f" on record for the last {shown.days} days")
    why = line(
        "I record builds of branches that a channel subscribes to: ",
        code(f"{context.command} subscribe {name or 'acme/*'}"),
    )
    return message([head, why], facts=[requested_by(asker)], in_public=True)


def _about(project: Project | None, branch: str | None, context: RenderContext) -> Line:
    if project is None:
        return ()
    named = line(" ", branch_named(branch)) if branch is not None else ()
    return line(" of ", repository(project), named, at_service(project, context))


def _flaky(entry: FlakyBranch, project: Project | None, context: RenderContext) -> list[Line]:
    share = f"{entry.flaky} of {counted(entry.commits, 'commit')} passed only on retry"
    commit = untrusted(entry.commit[:_COMMIT], _COMMIT)
    return [
        line("• ", _branch(entry.project, entry.branch, project, context), f": {share}"),
        line(_INDENT, "the last one ", commit, " ", since(entry.at)),
    ]


def _slow(entry: SlowBranch, shown: SlowShown, context: RenderContext) -> list[Line]:
    named = _branch(entry.project, entry.branch, shown.project, context)
    basis = f"median of {entry.builds} passed builds"
    return [
        line("• ", named, f": {length(entry.median_s)}"),
        line(_INDENT, join_dots(basis, _trend(entry, shown.days))),
    ]


def _trend(entry: SlowBranch, days: int) -> str | None:
    """How the median has changed; None if too little is known of the time before."""
    if entry.before_s is None:
        return None
    if entry.median_s > entry.before_s * _CHANGED:
        return f"{length(entry.median_s - entry.before_s)} slower than in the {days} days before"
    if entry.before_s > entry.median_s * _CHANGED:
        return f"{length(entry.before_s - entry.median_s)} faster than in the {days} days before"
    return f"as in the {days} days before"


def _branch(project: Project, branch: str, of: Project | None, context: RenderContext) -> Line:
    """The branch alone if all entries are of one repository."""
    if of is not None:
        return line(branch_named(branch))
    return line(repository(project), " ", branch_named(branch), at_service(project, context))


def _more(number: int) -> list[Line]:
    return [line(f"and {number} more")] if number else []


def render_builds(shown: BuildsShown, context: RenderContext, asker: Actor | None) -> Message:
    builds = shown.builds[:_MAX_BUILDS]
    count = {0: "no recent builds", 1: "the last build"}.get(len(builds), f"the last {len(builds)} builds")
    branch = line(" ", branch_named(shown.branch)) if shown.branch is not None else ()
    head = line(repository(shown.project), branch, f": {count}", at_service(shown.project, context))
    lines = [part for build in builds for part in list_lines(build, branch=shown.branch is None)]
    facts = [_pass_rate(shown.builds), requested_by(asker)]
    return message([head, *lines], follow_buttons(newest_of_each(builds)), facts=facts, in_public=True)


def _pass_rate(builds: Sequence[Build]) -> Line:
    """`7 of 10 passed · median 4m 7s`, of those that passed or failed; empty for fewer than three."""
    judged = [build for build in builds if build.status in (Status.PASSED, Status.FAILED)]
    if len(judged) < _ENOUGH_FOR_A_TREND:
        return ()
    passed = [build for build in judged if build.status is Status.PASSED]
    took = [build.took.total_seconds() for build in passed if build.took is not None]
    return join_dots(f"{len(passed)} of {len(judged)} passed", f"median {length(median(took))}" if took else None)

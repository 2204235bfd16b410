"""Makes one build of the workflow runs that belong together: its status, times and workflow names. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.ci.github.run_groups import LONG_AGO, ListedRun, RunGroup, looks_like_tag
from bot.ci.github.urls import checks_page, commit_page
from bot.core.model.builds import Build, Project, Workflow

CHAINED_WITHIN = timedelta(minutes=5)
"""Workflows that follow each other within this time are one round; one that runs hours later is another."""


def build_of(project: Project, runs: RunGroup) -> Build:
    """The build of `project` with these runs. Its own workflows come first; each group is sorted by name."""
    newest = runs.own[0]
    workflows = (*_workflows(runs, runs.own), *_workflows(runs, runs.inherited))
    decides = deciding_workflow(workflows)
    started_at, finished_at = _times(workflows)
    page = project.url
    return Build(
        id=_id(project, newest),
        project=project,
        status=decides.status,
        status_word=decides.status_word,
        branch=newest.branch,
        commit=newest.commit,
        message=next((run.message for run in runs.own if run.message), None),
        author=next((run.author for run in runs.own if run.author), None),
        made_by=next((run.made_by for run in runs.own if run.made_by), None),
        started_at=started_at,
        finished_at=finished_at,
        url=workflows[0].url if len(workflows) == 1 else page and checks_page(page, newest.commit),
        commit_url=page and commit_page(page, newest.commit),
        workflows=workflows,
        beside=tuple(sorted((run.workflow for run in runs.beside), key=_by_name)),
        asks_first=runs.is_secondary,
        is_tag=looks_like_tag(newest.branch),
        pull_request=next((run.pull_request for run in runs.own if run.pull_request is not None), None),
    )


def deciding_workflow(workflows: Sequence[Workflow]) -> Workflow:
    """The worst, whose status is the build's. Of several, one of the build's own; if they failed, the one that ended
    last."""
    worst = _worst(workflows)
    alike = [run for run in worst if run.commit is None] or worst
    return max(alike, key=lambda run: run.finished_at or LONG_AGO) if alike[0].status.is_bad else alike[0]


def most_retried(workflows: Sequence[Workflow]) -> Workflow | None:
    """The workflow whose earlier attempts show how the build went before: of the build's own ones with the deciding
    status, the one with the most attempts.

    None if none of these was re-run, or only an inherited run decides, which says nothing about this commit.
    """
    own = [run for run in _worst(workflows) if run.commit is None]
    return max((run for run in own if run.attempt > 1), key=lambda run: run.attempt, default=None)


def _worst(workflows: Sequence[Workflow]) -> list[Workflow]:
    worst = min(run.status.severity for run in workflows)
    return [run for run in workflows if run.status.severity == worst]


def with_jobs_ends(build: Build, workflows: tuple[Workflow, ...]) -> Build:
    """The build with these workflows instead of its own, and with their times."""
    started_at, finished_at = _times(workflows)
    return replace(build, workflows=workflows, started_at=started_at, finished_at=finished_at)


def _workflows(runs: RunGroup, some: Sequence[ListedRun]) -> list[Workflow]:
    return sorted(_named(some, runs), key=_by_name)


def _by_name(workflow: Workflow) -> tuple[str, str]:
    return workflow.name.lower(), workflow.run_id


def _named(some: Sequence[ListedRun], runs: RunGroup) -> Iterable[Workflow]:
    """Distinguishes several runs of one workflow: the pull request's by that word, older ones by their number."""
    seen: set[str] = set()
    for run in some:
        name = run.workflow.name
        if run.workflow_id in runs.repeated and run.is_of_a_pull_request:
            name = f"{name} (pull request)"
        if name in seen and run.number:
            name = f"{name} #{run.number}"
        seen.add(name)
        yield run.workflow if name == run.workflow.name else replace(run.workflow, name=name)


def _id(project: Project, run: ListedRun) -> str:
    """Stays the same over re-runs and when more workflows start. Unique over all repositories."""
    branch = hashlib.sha256(run.branch.encode("utf-8", "replace")).hexdigest()
    return f"{project.id}-{run.commit[:12]}-{branch[:8]}"


def _times(workflows: Sequence[Workflow]) -> tuple[datetime | None, datetime | None]:
    """Start and end of the build. Running: since when, without an end. Failed: those of the deciding workflow. Passed:
    those of the last round.

    An inherited run counts as running only if no own run does. The end is None until all have ended.
    """
    under_way = [run for run in workflows if run.status.is_under_way]
    if under_way:
        own = [run for run in under_way if run.commit is None] or under_way
        return min((run.started_at for run in own if run.started_at), default=None), None
    decides = deciding_workflow(workflows)
    if decides.status.is_bad:
        return decides.started_at, decides.finished_at if all(run.has_ended for run in workflows) else None
    return _last_round(workflows)


def _last_round(workflows: Sequence[Workflow]) -> tuple[datetime | None, datetime | None]:
    """Of the workflows in the highest attempt: from the first to the last of those that ran one after the other.
    Inherited ones count if they began later than the first own one."""
    own = [workflow for workflow in workflows if workflow.commit is None]
    began = min((workflow.started_at for workflow in own if workflow.started_at), default=LONG_AGO)
    round_ = [run for run in workflows if run.commit is None or (run.started_at or LONG_AGO) > began]
    attempt = max(run.attempt for run in round_)
    last = [run for run in round_ if run.attempt == attempt]
    return _began(last), max((run.finished_at for run in last if run.finished_at), default=None)


def _began(runs: Sequence[Workflow]) -> datetime | None:
    spans = [(run.started_at, run.finished_at or datetime.max.replace(tzinfo=UTC)) for run in runs if run.started_at]
    if not spans:
        return None
    began = max(spans, key=lambda span: span[1])[0]
    for started_at, ended_at in sorted(spans, reverse=True):
        if ended_at >= began - CHAINED_WITHIN:
            began = min(began, started_at)
    return began

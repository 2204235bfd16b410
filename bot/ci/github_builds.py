"""Workflow runs drawn together: the runs of one branch at one commit are one build. Pure.

Of each workflow the newest run counts. The newest build of a branch also has the newest run of every workflow that did
not run for its commit, such as one that only runs where certain files change: how the branch stands is all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.ci import github_words as words
from bot.ci.github_pages import checks_page, commit_page
from bot.core.model import Build, Project, Workflow

RERUN_WITHIN = timedelta(days=30)
"""GitHub runs nothing older again. https://docs.github.com/en/actions/how-tos/manage-workflow-runs/re-run-workflows-and-jobs"""

CHAINED_WITHIN = timedelta(minutes=5)
"""What begins so soon after another has ended is one work with it; what runs hours later for the same commit is not."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SeenRun:
    """A workflow run of the repository itself, as GitHub lists it. `number` counts the runs of its workflow."""

    workflow: Workflow
    workflow_id: str
    branch: str
    commit: str
    created_at: datetime | None = None
    number: int = 0
    message: str | None = None
    author: str | None = None

    @property
    def age(self) -> tuple[datetime, int, int]:
        """Greater for the younger. A run keeps its age when it is run again."""
        return self.created_at or _LONG_AGO, self.number, int(self.workflow.run_id)


def builds_of(project: Project, runs: Iterable[SeenRun]) -> list[Build]:
    """The builds of `project`, newest first."""
    newest_first = sorted(runs, key=lambda run: run.age, reverse=True)
    together: dict[tuple[str, str], dict[str, SeenRun]] = {}
    for run in newest_first:
        together.setdefault((run.branch, run.commit), {}).setdefault(run.workflow_id, run)
    branches: set[str] = set()
    builds = []
    for (branch, _), own in together.items():
        others = [] if branch in branches else _left_behind(newest_first, branch, own)
        branches.add(branch)
        builds.append(_build(project, list(own.values()), others))
    return builds


def worst_of(workflows: Sequence[Workflow]) -> Workflow:
    """The one that decides; the first of several alike."""
    return min(workflows, key=lambda workflow: words.badness(workflow.status))


def _left_behind(newest_first: Sequence[SeenRun], branch: str, own: dict[str, SeenRun]) -> list[SeenRun]:
    newest_at = max(run.age for run in own.values())[0]
    others: dict[str, SeenRun] = {}
    for run in newest_first:
        if run.branch == branch and run.workflow_id not in own:
            others.setdefault(run.workflow_id, run)
    return [run for run in others.values() if newest_at - run.age[0] <= RERUN_WITHIN]


def _build(project: Project, own: Sequence[SeenRun], others: Sequence[SeenRun]) -> Build:
    """`own` are the runs of the build's commit, newest first."""
    newest = own[0]
    workflows = (*_by_name(own), *(replace(each, commit=run.commit) for run in others for each in [run.workflow]))
    worst = worst_of(workflows)
    started_at, finished_at = _times(workflows)
    page = project.url
    return Build(
        id=_id(project, newest),
        project=project,
        status=worst.status,
        status_word=worst.status_word,
        branch=newest.branch,
        commit=newest.commit,
        message=next((run.message for run in own if run.message), None),
        author=next((run.author for run in own if run.author), None),
        started_at=started_at,
        finished_at=finished_at,
        url=workflows[0].url if len(workflows) == 1 else page and checks_page(page, newest.commit),
        commit_url=page and commit_page(page, newest.commit),
        workflows=workflows,
    )


def _by_name(runs: Iterable[SeenRun]) -> list[Workflow]:
    return sorted((run.workflow for run in runs), key=lambda workflow: (workflow.name.lower(), workflow.run_id))


def _id(project: Project, run: SeenRun) -> str:
    """The same over re-runs, and when more workflows of the commit begin; of no other repository's build."""
    branch = hashlib.sha256(run.branch.encode("utf-8", "replace")).hexdigest()
    return f"{project.id}-{run.commit[:12]}-{branch[:8]}"


def _times(workflows: Sequence[Workflow]) -> tuple[datetime | None, datetime | None]:
    """Of the last round: the workflows in the highest attempt, back from the one that ended last to the first of those
    that ran one after the other. Left-behind ones count where they began later."""
    own = [workflow for workflow in workflows if workflow.commit is None]
    began = min((workflow.started_at for workflow in own if workflow.started_at), default=_LONG_AGO)
    round_ = [run for run in workflows if run.commit is None or (run.started_at or _LONG_AGO) > began]
    attempt = max(run.attempt for run in round_)
    last = [run for run in round_ if run.attempt == attempt]
    started_at = _began(last)
    if not all(run.has_ended for run in workflows):
        return started_at, None
    return started_at, max((run.finished_at for run in last if run.finished_at), default=None)


def _began(runs: Sequence[Workflow]) -> datetime | None:
    spans = [(run.started_at, run.finished_at or datetime.max.replace(tzinfo=UTC)) for run in runs if run.started_at]
    if not spans:
        return None
    began = max(spans, key=lambda span: span[1])[0]
    for started_at, ended_at in sorted(spans, reverse=True):
        if ended_at >= began - CHAINED_WITHIN:
            began = min(began, started_at)
    return began

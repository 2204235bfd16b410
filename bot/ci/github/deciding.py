"""Which workflow runs decide the state of a branch, which are shown beside it, and which are neither. Pure.

GitHub lists under a branch every run that carries its name, whatever triggered it. Only runs that test the branch's
commits decide:

    push, pull_request, merge_group             decide
    workflow_dispatch, schedule,                decide only on a branch on which none of those ran;
    repository_dispatch, pull_request_target    elsewhere they are shown beside
    everything else                             never shown as the branch's

A policy's override names the workflows that decide, or that never count, whatever triggered them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum

from bot.core.model.builds import Status, Workflow
from bot.core.model.policy import BuildRules

PRIMARY = frozenset({"push", "pull_request", "merge_group"})
SECONDARY = frozenset({"workflow_dispatch", "schedule", "repository_dispatch", "pull_request_target"})

QUEUE = "gh-readonly-queue/"
"""How the branches of a merge queue begin: `gh-readonly-queue/main/pr-12-4f2c1e9`."""

_TAG = re.compile(r"v[0-9]+(?:\.[0-9]+)*(?:[-+.][\w.-]+)?|[0-9]+\.[0-9]+\.[0-9]+(?:[-+.][\w.-]+)?", re.ASCII)
"""Names that tags have and branches seldom: `v1.2`, `1.2.3-rc.1`. GitHub lists a tag's runs as a branch's."""

NULL_CONCLUSION_FOR = timedelta(minutes=10)
"""For how long a run that is completed without a conclusion counts as running."""

LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Role(Enum):
    DECIDES = "decides"
    DECIDES_ALONE = "decides only if nothing else does"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A workflow run as GitHub lists it. `number` counts the runs of its workflow.

    `branch` is `owner:branch` for a fork's pull request. `path` is its workflow's file, `workflow_name` the workflow's
    own name if it is known: `workflow.name` may be a title made for one run. `concluded_without` is when it was
    completed without a conclusion; None for every other run.
    """

    workflow: Workflow
    workflow_id: str
    branch: str
    commit: str
    event: str | None = None
    created_at: datetime | None = None
    number: int = 0
    message: str | None = None
    author: str | None = None
    path: str = ""
    pull_request: int | None = None
    concluded_without: datetime | None = None

    @property
    def age(self) -> tuple[datetime, int, int]:
        """Greater for the younger. A run keeps its age when it is re-run."""
        return self.created_at or LONG_AGO, self.number, int(self.workflow.run_id)

    @property
    def is_of_a_pull_request(self) -> bool:
        return self.event is not None and self.event.startswith("pull_request")

    @property
    def is_dynamic(self) -> bool:
        """Whether GitHub itself made the workflow: Dependabot, Pages, CodeQL's default setup."""
        return self.event == "dynamic" or self.path.startswith("dynamic/")

    @property
    def is_of_a_queue(self) -> bool:
        return self.branch.startswith(QUEUE)

    @property
    def is_from_elsewhere(self) -> bool:
        """Whether another repository has the workflow's file, so that this one's list of workflows lacks it."""
        return bool(self.path) and not self.path.startswith((".github/", "dynamic/"))

    @property
    def status(self) -> Status:
        return self.workflow.status

    @property
    def is_cancelled(self) -> bool:
        return self.workflow.status is Status.STOPPED

    @property
    def ended_at(self) -> datetime:
        """When it ended; the end of time while it has not, long ago if that is unknown."""
        if not self.workflow.has_ended:
            return datetime.max.replace(tzinfo=UTC)
        return self.workflow.finished_at or LONG_AGO


def role_of(run: ListedRun, rules: BuildRules | None = None) -> Role:
    """What the run's event, or the policy's override, makes of it."""
    if rules is not None:
        names = (run.workflow.name, run.path.partition("@")[0].rpartition("/")[2])
        if rules.ignores(names):
            return Role.NEVER
        if rules.decide:
            if rules.decides(names):
                return Role.DECIDES
            return Role.NEVER if run.is_dynamic or run.event not in PRIMARY | SECONDARY else Role.DECIDES_ALONE
    if run.is_dynamic:
        return Role.NEVER
    if run.event in PRIMARY:
        return Role.DECIDES
    return Role.DECIDES_ALONE if run.event in SECONDARY else Role.NEVER


def looks_like_tag(name: str) -> bool:
    return _TAG.fullmatch(name) is not None


def as_of(run: ListedRun, now: datetime) -> ListedRun:
    """The run as it counts now: one without a conclusion runs for ten minutes more, then its state is unknown."""
    if run.concluded_without is None:
        return run
    if now - run.concluded_without < NULL_CONCLUSION_FOR:
        return replace(run, workflow=replace(run.workflow, status=Status.RUNNING, finished_at=None))
    return run


@dataclass(frozen=True, slots=True)
class BranchRuns:
    """A branch's runs, newest first. `deciding` and `beside` have none that was skipped, unless nothing else is there.

    `is_secondary`: no push, pull request or merge queue ran on the branch, so what else ran decides.
    """

    deciding: tuple[ListedRun, ...]
    beside: tuple[ListedRun, ...]
    is_secondary: bool


def branch_runs(newest_first: Sequence[ListedRun], rules: BuildRules | None = None) -> BranchRuns:
    """The runs of one branch by what they are to it."""
    by_role: dict[Role, list[ListedRun]] = {role: [] for role in Role}
    for run in newest_first:
        by_role[role_of(run, rules)].append(run)
    primary, secondary = by_role[Role.DECIDES], by_role[Role.DECIDES_ALONE]
    ran, ran_beside = _without_skipped(primary), _without_skipped(secondary)
    if ran:
        return BranchRuns(ran, ran_beside, is_secondary=False)
    if ran_beside and not (rules is not None and rules.decide):
        return BranchRuns(ran_beside, (), is_secondary=True)
    return BranchRuns(tuple(primary or secondary), (), is_secondary=not primary)


def _without_skipped(runs: Sequence[ListedRun]) -> tuple[ListedRun, ...]:
    """A run that was skipped counts as one that did not run."""
    return tuple(run for run in runs if run.status is not Status.SKIPPED)


def superseded(newest_first: Sequence[ListedRun]) -> frozenset[str]:
    """The ids of cancelled runs for which a newer run of their workflow on their branch began before they ended."""
    newest_first_of: dict[str, list[ListedRun]] = {}
    result = set()
    for run in newest_first:
        newer = newest_first_of.setdefault(run.workflow_id, [])
        if run.is_cancelled and any((each.created_at or LONG_AGO) <= run.ended_at for each in newer):
            result.add(run.workflow.run_id)
        newer.append(run)
    return frozenset(result)

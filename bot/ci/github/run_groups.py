"""Which workflow runs make up a build: its own, and those that it carries along. Pure.

Its own are those of its commit on its branch, of each workflow the newest; a pull request's run is another than the
push's. How the branch stood at that commit is told by more: a workflow that did not run for it, such as one that only
runs where certain files change, or at night, still stands as its newest run before has left it. Every build carries
these, so what a build carries is the same before and after the next push.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.core.model.builds import Workflow

RERUN_WITHIN = timedelta(days=30)
"""GitHub runs nothing older again. https://docs.github.com/en/actions/how-tos/manage-workflow-runs/re-run-workflows-and-jobs"""

RUN_BY_THEMSELVES = frozenset({"push", "pull_request", "pull_request_target", "schedule"})
"""The events whose runs are carried. What a person or another system began (`workflow_dispatch`, `deployment`, …) tells
nothing of the branch later. https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows"""

LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A workflow run of the repository itself, as GitHub lists it. `number` counts the runs of its workflow."""

    workflow: Workflow
    workflow_id: str
    branch: str
    commit: str
    event: str | None = None
    created_at: datetime | None = None
    number: int = 0
    message: str | None = None
    author: str | None = None

    @property
    def age(self) -> tuple[datetime, int, int]:
        """Greater for the younger. A run keeps its age when it is run again."""
        return self.created_at or LONG_AGO, self.number, int(self.workflow.run_id)

    @property
    def is_of_a_pull_request(self) -> bool:
        return self.event is not None and self.event.startswith("pull_request")


@dataclass(frozen=True, slots=True)
class RunGroup:
    """The runs of one build. `own`, the newest first, has one at least; `carried` tell their own commit."""

    own: tuple[ListedRun, ...]
    inherited: tuple[ListedRun, ...] = ()

    def inheriting_only(self, active: Set[str]) -> RunGroup:
        """Without what is carried of workflows that are not among `active`: they have been deleted, or disabled."""
        return replace(self, inherited=tuple(run for run in self.inherited if run.workflow_id in active))

    @property
    def in_both_ways(self) -> frozenset[str]:
        """The workflows that ran for a pull request and also without one."""
        counted = Counter(run.workflow_id for run in (*self.own, *self.inherited))
        return frozenset(workflow_id for workflow_id, runs in counted.items() if runs > 1)


def group_runs(runs: Iterable[ListedRun], *, is_cut_off: bool = False) -> list[RunGroup]:
    """The runs build by build, the newest first.

    `is_cut_off`: there are more runs than these. The build of the oldest may have some of those, so it is left out, as
    long as there is another.
    """
    newest_first = sorted(runs, key=lambda run: run.age, reverse=True)
    own: dict[tuple[str, str], dict[tuple[str, bool], ListedRun]] = {}
    by_branch: dict[str, deque[ListedRun]] = {}
    for run in newest_first:
        own.setdefault((run.branch, run.commit), {}).setdefault((run.workflow_id, run.is_of_a_pull_request), run)
        by_branch.setdefault(run.branch, deque()).appendleft(run)
    branches = {branch: _BranchHistory(oldest_first) for branch, oldest_first in by_branch.items()}
    oldest_first = [(branch, tuple(each.values())) for (branch, _), each in reversed(own.items())]
    result = [RunGroup(each, tuple(branches[branch].inherited_runs(each))) for branch, each in oldest_first]
    if is_cut_off and len(result) > 1:
        last = newest_first[-1]
        result = [each for each in result if (each.own[0].branch, each.own[0].commit) != (last.branch, last.commit)]
    return result[::-1]


class _BranchHistory:
    """Goes once through the runs of a branch, from the oldest on, and holds how each workflow stands by then."""

    def __init__(self, oldest_first: deque[ListedRun]) -> None:
        self._to_come = oldest_first
        self._standing: dict[str, dict[bool, ListedRun]] = {}
        self._carried: dict[str, ListedRun] = {}

    def inherited_runs(self, own: Sequence[ListedRun]) -> Iterator[ListedRun]:
        """What a build of these carries. To be asked for the older build first."""
        newest = own[0].age
        while self._to_come and self._to_come[0].age < newest:
            self._note(self._to_come.popleft())
        ran = {run.workflow_id for run in own}
        for workflow_id, runs in self._standing.items():
            if workflow_id not in ran:
                standing = (run for run in runs.values() if newest[0] - run.age[0] <= RERUN_WITHIN)
                yield from map(self._as_inherited, standing)

    def _note(self, run: ListedRun) -> None:
        """A commit's run stands in for those of the commit before, the pull request's and the push's."""
        if run.event not in RUN_BY_THEMSELVES:
            return
        before = self._standing.get(run.workflow_id, {})
        of_the_commit = {way: each for way, each in before.items() if each.commit == run.commit}
        self._standing[run.workflow_id] = {**of_the_commit, run.is_of_a_pull_request: run}

    def _as_inherited(self, run: ListedRun) -> ListedRun:
        """With its commit; made once, however many builds carry it."""
        made = self._carried.get(run.workflow.run_id)
        if made is None:
            made = replace(run, workflow=replace(run.workflow, commit=run.commit))
            self._carried[run.workflow.run_id] = made
        return made

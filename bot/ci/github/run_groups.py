"""Which workflow runs decide the state of a branch, which are shown next to it, and which make up a build. Pure.

GitHub lists under a branch every run with its name, with any trigger. Only runs that test the branch's
commits decide:

    push, pull_request, merge_group             decide
    workflow_dispatch, schedule,                decide only on a branch on which none of those ran;
    repository_dispatch, pull_request_target    otherwise they are shown next to it
    everything else                             never shown as the branch's

A policy's override names the workflows that decide, or that never count, with any trigger.

A build is a commit on a branch. Its own runs are the deciding runs of its commit, the newest of each workflow; a pull
request's run is separate from the push's. A workflow that did not run for the commit, such as one that runs only if
certain files change, keeps its last result: the build inherits that run, named with its commit. Each build inherits the
runs before it, so the next push changes nothing of an older build.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import islice

from bot.core.model.builds import Status, Workflow
from bot.core.model.people.authors import CommitAuthor
from bot.core.model.policy import BuildRules

PRIMARY = frozenset({"push", "pull_request", "merge_group"})
SECONDARY = frozenset({"workflow_dispatch", "schedule", "repository_dispatch", "pull_request_target"})

QUEUE = "gh-readonly-queue/"
"""How the branches of a merge queue begin: `gh-readonly-queue/main/pr-12-4f2c1e9`."""

_TAG = re.compile(r"v[0-9]+(?:\.[0-9]+)*(?:[-+.][\w.-]+)?|[0-9]+\.[0-9]+\.[0-9]+(?:[-+.][\w.-]+)?", re.ASCII)
"""Names that tags often have and branches seldom: `v1.2`, `1.2.3-rc.1`. GitHub lists a tag's runs as a branch's."""

NULL_CONCLUSION_FOR = timedelta(minutes=10)
"""How long a completed run without a conclusion counts as running."""

LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Role(Enum):
    DECIDES = "decides"
    DECIDES_ALONE = "decides only if nothing else does"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A workflow run as GitHub lists it. `number` counts the runs of its workflow.

    `branch` is `owner:branch` for a fork's pull request. `path` is its workflow's file. `workflow.name` may be a
    title made for one run. `concluded_without` is when it was completed without a conclusion; None for every other run.
    `made_by` is None if no push began it. `updated_at` tells an earlier sight of the run from a later one.
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
    made_by: CommitAuthor | None = None
    path: str = ""
    pull_request: int | None = None
    concluded_without: datetime | None = None
    updated_at: datetime | None = None

    @property
    def age(self) -> tuple[datetime, int, int]:
        """Sort key, greater for newer runs. A re-run does not change it."""
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
    def queue_of(self) -> str | None:
        """The branch into which a merge queue would merge the commit; None for a run of anything else."""
        is_tested = self.is_of_a_queue and self.event == "merge_group"
        return self.branch.removeprefix(QUEUE).rpartition("/")[0] or None if is_tested else None

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
        """When it ended: the maximum while it runs, the minimum if unknown."""
        if not self.workflow.has_ended:
            return datetime.max.replace(tzinfo=UTC)
        return self.workflow.finished_at or LONG_AGO


def role_of(run: ListedRun, rules: BuildRules | None = None) -> Role:
    """The run's role, by its event or the policy's override."""
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
    """The run at the time `now`. One without a conclusion runs for ten minutes, then its status is unknown."""
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
    """The runs of one branch, sorted by role."""
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
    """Without skipped runs, which count as not run."""
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


RERUN_WITHIN = timedelta(days=30)
"""GitHub does not re-run older runs. https://docs.github.com/en/actions/how-tos/manage-workflow-runs/re-run-workflows-and-jobs"""


_RUNS_OF_A_COMMIT = 10
"""How many runs of a workflow are searched for those of its last commit."""


@dataclass(frozen=True, slots=True)
class RunGroup:
    """The runs of one build. `own`, the newest first, has at least one; `inherited` and `beside` name their commit.

    `is_secondary`: no run of a push or a pull request decides on the branch.
    """

    own: tuple[ListedRun, ...]
    inherited: tuple[ListedRun, ...] = ()
    beside: tuple[ListedRun, ...] = ()
    is_secondary: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.own[0].branch, self.own[0].commit

    def inheriting_only(self, active: Set[str]) -> RunGroup:
        """Without inherited runs, and runs beside, of workflows that were deleted or disabled.

        A workflow of another repository is never in `active`, and stays.
        """

        def kept(runs: Iterable[ListedRun]) -> tuple[ListedRun, ...]:
            return tuple(run for run in runs if run.workflow_id in active or run.is_from_elsewhere)

        return replace(self, own=kept(self.own) or self.own, inherited=kept(self.inherited), beside=kept(self.beside))

    @property
    def repeated(self) -> frozenset[str]:
        """The workflows that have several runs in it."""
        counted = Counter(run.workflow_id for run in (*self.own, *self.inherited))
        return frozenset(workflow_id for workflow_id, runs in counted.items() if runs > 1)


def group_runs(
    runs: Iterable[ListedRun], *, rules: BuildRules | None = None, is_cut_off: bool = False
) -> list[RunGroup]:
    """The runs build by build, the newest first.

    `is_cut_off`: there are more runs than these. The build of the oldest may have some of those, so it is left out, as
    long as there is another. Branches of a merge queue are left out.
    """
    newest_first = sorted((run for run in runs if not run.is_of_a_queue), key=lambda run: run.age, reverse=True)
    by_branch: dict[str, list[ListedRun]] = {}
    for run in newest_first:
        by_branch.setdefault(run.branch, []).append(run)
    result = [group for branch in by_branch.values() for group in _branch_groups(branch, rules)]
    result.sort(key=lambda group: group.own[0].age, reverse=True)
    if is_cut_off and len(result) > 1:
        last = newest_first[-1]
        result = [group for group in result if group.key != (last.branch, last.commit)]
    return result


def _branch_groups(newest_first: Sequence[ListedRun], rules: BuildRules | None) -> list[RunGroup]:
    sorted_out = branch_runs(newest_first, rules)
    gone = superseded(newest_first)
    own = _own_by_commit(sorted_out.deciding)
    while len(own) > 1 and all(run.workflow.run_id in gone for run in own[0]):
        del own[0]  # a newer run took the place of the commit's only ones
    history = _History(sorted_out.deciding, gone)
    groups = [RunGroup(each, history.before(each), is_secondary=sorted_out.is_secondary) for each in own]
    if groups:
        groups[0] = replace(groups[0], beside=_beside(groups[0], sorted_out.beside, gone))
    return groups


def _own_by_commit(deciding: Sequence[ListedRun]) -> list[tuple[ListedRun, ...]]:
    """The runs of each commit, the commit with the newest run first."""
    by_commit: dict[str, list[ListedRun]] = {}
    for run in deciding:
        by_commit.setdefault(run.commit, []).append(run)
    return [tuple(_that_count(runs)) for runs in by_commit.values()]


def _that_count(of_a_commit: Sequence[ListedRun]) -> list[ListedRun]:
    """The newest run of each workflow; pushes and pull requests are separate.

    A cancelled run never takes the place of a finished one. A re-run that was still going when a newer run of the same
    workflow began is kept beside that: people wait for that one.
    """
    finished = {run.workflow_id for run in of_a_commit if run.workflow.has_ended and not run.is_cancelled}
    newest: dict[tuple[str, bool], ListedRun] = {}
    result = []
    for run in of_a_commit:
        if run.is_cancelled and run.workflow_id in finished:
            continue
        before = newest.setdefault((run.workflow_id, run.is_of_a_pull_request), run)
        is_awaited = run.workflow.attempt > 1 and before.created_at is not None and run.ended_at > before.created_at
        if before is run or is_awaited:
            result.append(run)
    return result


class _History:
    """The deciding runs of a branch by workflow. `before` is called for its builds from the newest to the oldest."""

    def __init__(self, newest_first: Sequence[ListedRun], gone: Set[str]) -> None:
        self._to_come: dict[str, deque[ListedRun]] = {}
        self._made: dict[str, ListedRun] = {}
        for run in newest_first:
            if run.workflow.run_id not in gone:
                self._to_come.setdefault(run.workflow_id, deque()).append(run)

    def before(self, own: Sequence[ListedRun]) -> tuple[ListedRun, ...]:
        """For each workflow without a run in `own`, its runs for the last earlier commit that has any."""
        newest, age = own[0], own[0].age
        ran = {run.workflow_id for run in own}
        result: list[ListedRun] = []
        for workflow_id, runs in self._to_come.items():
            while runs and (runs[0].age >= age or runs[0].commit == newest.commit):
                runs.popleft()
            if workflow_id not in ran and runs and age[0] - runs[0].age[0] <= RERUN_WITHIN:
                commit = runs[0].commit
                of_the_commit = [run for run in islice(runs, _RUNS_OF_A_COMMIT) if run.commit == commit]
                result += map(self._at_its_commit, _that_count(of_the_commit))
        return tuple(result)

    def _at_its_commit(self, run: ListedRun) -> ListedRun:
        """Computed once for all builds that inherit it."""
        return self._made.setdefault(run.workflow.run_id, _at_its_commit(run))


def _beside(group: RunGroup, beside: Sequence[ListedRun], gone: Set[str]) -> tuple[ListedRun, ...]:
    """The newest run of each workflow that does not decide, if GitHub could still re-run it."""
    newest: dict[str, ListedRun] = {}
    for run in beside:
        if run.workflow.run_id not in gone and group.own[0].age[0] - run.age[0] <= RERUN_WITHIN:
            newest.setdefault(run.workflow_id, run)
    commit = group.own[0].commit
    return tuple(run if run.commit == commit else _at_its_commit(run) for run in newest.values())


def _at_its_commit(run: ListedRun) -> ListedRun:
    return replace(run, workflow=replace(run.workflow, commit=run.commit))


def unread_may_decide(runs: Sequence[ListedRun], rules: BuildRules | None = None) -> str | None:
    """The branch's newest commit if runs of it may be listed after these; None if all of them are here.

    Runs come newest first: once a deciding run of an earlier commit is listed, the newest commit's are all listed.
    """
    deciding = branch_runs(sorted(runs, key=lambda run: run.age, reverse=True), rules).deciding
    if not deciding or deciding[0].event not in PRIMARY:
        return None
    commit = deciding[0].commit
    return None if any(run.commit != commit for run in deciding) else commit


def names_of(runs: Iterable[ListedRun]) -> dict[str, set[str]]:
    """The names that each workflow's runs have: more than one if the runs have titles of their own."""
    names: dict[str, set[str]] = {}
    for run in runs:
        names.setdefault(run.workflow_id, set()).add(run.workflow.name)
    return names


def are_titles(runs: Iterable[ListedRun]) -> bool:
    """Whether runs carry titles instead of their workflow's name, as far as these runs show."""
    names = names_of(runs)
    shared = Counter(name for each in names.values() for name in each)
    return any(len(each) > 1 for each in names.values()) or any(count > 1 for count in shared.values())


def with_workflow_names(runs: Iterable[ListedRun], names: dict[str, str] | None) -> list[ListedRun]:
    """The runs under their workflow's name, or its file's name if the workflow is not among `names`.

    None for `names` if they are unknown: then a workflow whose runs agree on a name of its own keeps it.
    """
    runs = list(runs)
    by_workflow = names_of(runs)
    shared = Counter(name for each in by_workflow.values() for name in each)
    result = []
    for run in runs:
        file = run.path.partition("@")[0].rpartition("/")[2]
        own = names.get(run.workflow_id) if names is not None else None
        if own is None and (len(by_workflow[run.workflow_id]) > 1 or shared[run.workflow.name] > 1):
            own = file
        workflow = run.workflow if not own else replace(run.workflow, name=own)
        result.append(run if workflow is run.workflow else replace(run, workflow=workflow))
    return result

"""From the builds of a branch to what changed on it. Pure.

A branch's state is that of its newest run by number, for each workflow, that has ended and counts. An older run that
ends later changes nothing. A re-run of the newest run replaces its result; a re-run of an older one does not. The
difference between two polls is news; what came and went between them is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.model.builds import Build, Status
from bot.core.model.notifications.reasons import Reason
from bot.core.model.notifications.transitions import (
    BranchState,
    Change,
    GoodBuild,
    Note,
    Observation,
    Period,
    Suspect,
    Transition,
    WorkflowState,
)

MAX_SUSPECTS = 10
MAX_UNDER_WAY = 50

_COUNTS = frozenset({Status.PASSED, Status.FAILED})
_TELLS = {
    Status.PASSED: Change.PASSED,
    Status.FAILED: Change.FAILED,
    Status.STOPPED: Change.STOPPED,
    Status.INFRASTRUCTURE_FAILURE: Change.INFRA,
}


@dataclass(frozen=True, slots=True)
class _SeenRun:
    """One run of one workflow, as a poll shows it. `build` is the build that it ran for."""

    workflow: str
    number: int
    attempt: int
    status: Status
    status_word: str
    has_ended: bool
    started_at: datetime | None
    finished_at: datetime | None
    commit: str | None
    build: Build
    has_failed_jobs: bool = False

    @property
    def early_id(self) -> str:
        """The id of the period that begins if this run breaks its branch."""
        return f"{self.number}.{self.attempt}.early"

    @property
    def key(self) -> tuple[str, int]:
        return self.workflow, self.number

    @property
    def is_bad(self) -> bool:
        return self.status is Status.FAILED


def observe(state: BranchState | None, builds: Sequence[Build], now: datetime) -> Observation:
    """What a poll has changed on a branch. `builds` are those of the branch, newest first; `now` is the poll's time.

    Without a state, the poll is a baseline: nothing of it is news.
    """
    return _BranchPoll(state, builds, now).observation()


def missing(state: BranchState, builds: Iterable[Build]) -> bool:
    """Whether a run that was in progress at the last poll is not listed, so that its end would not be seen."""
    listed = {run.key for run in _runs_of(builds)}
    return any(key not in listed for key in state.under_way)


def highest(builds: Iterable[Build]) -> int:
    """The highest number of a run in the builds; 0 for none."""
    return max((run.number for run in _runs_of(builds)), default=0)


def lowest(builds: Iterable[Build]) -> int:
    """The lowest number of a build; 0 for none."""
    return min((_number_of(build) for build in builds), default=0)


class _BranchPoll:
    """One poll of a branch. `before` and `after` are the workflows' states by name."""

    def __init__(self, state: BranchState | None, builds: Sequence[Build], now: datetime) -> None:
        self._is_first = state is None
        self._state = state or BranchState()
        self._builds = builds
        self._now = now
        self._runs = _runs_of(builds)
        self._before = {one.name: one for one in self._state.workflows}
        self._after = dict(self._before)
        self._broken_by: dict[str, _SeenRun] = {}
        self._newest: dict[str, _SeenRun] = {}
        self._told: list[Transition] = []
        self._notes: list[Note] = []

    def observation(self) -> Observation:
        under_way = set(self._state.under_way)
        for run in self._runs:
            self._fold(run, was_under_way=run.key in under_way)
        if self._is_first:  # the newest results are the beginning, whatever came before them
            self._notes += [Note(run.build.id, Reason.BASELINE, run.status.value) for run in self._newest.values()]
        retired = self._retired()
        state = BranchState(
            workflows=tuple(self._after[name] for name in sorted(self._after)),
            under_way=tuple(run.key for run in self._runs if not run.has_ended)[-MAX_UNDER_WAY:],
            seen_to=max(self._state.seen_to, highest(self._builds)),
            period=self._state.period,
        )
        change = self._of_the_branch(state, retired)
        failing: Period | None = None
        if not state.is_bad and change is None and not self._is_first:
            failing, change = self._early()
        period = state.period
        if not state.is_bad:
            period = None
        elif period is None:
            period = change.period if change is not None else self._new_period(state)
        after = replace(state, period=period, failing=failing)
        return Observation(after, (*((change,) if change else ()), *self._told), tuple(self._notes))

    def _early(self) -> tuple[Period | None, Transition | None]:
        """Of a good branch: the period that a run with a failed job may begin, and the news about it."""
        known = self._state.failing
        failing = [run for run in self._runs if run.has_failed_jobs and not run.has_ended and self._would_count(run)]
        if known is None:
            if not failing:
                return None, None
            run = failing[-1]
            period = Period(run.early_id, self._now, run.build)
            return period, Transition(Change.FAILING, run.build, period, workflows=(run.workflow,))
        if any(run.early_id == known.id for run in failing):
            return known, None
        ended = next((run for run in self._runs if run.early_id == known.id), None)
        build = ended.build if ended is not None else self._builds[0] if self._builds else known.broken_by
        workflows = (ended.workflow,) if ended is not None else ()
        return None, Transition(Change.PASSED_AFTER_ALL, build, known, workflows=workflows)

    def _would_count(self, run: _SeenRun) -> bool:
        """Whether the run decides about its workflow when it ends."""
        known = self._after.get(run.workflow)
        return known is not None and (run.number, run.attempt) > (known.number, known.attempt)

    def _fold(self, run: _SeenRun, *, was_under_way: bool) -> None:
        known = self._after.get(run.workflow)
        again = known is not None and run.number == known.number and _is_later(run, known)
        is_newest = run.status in _COUNTS and (known is None or run.number > known.number)
        is_new = run.number > self._state.seen_to or was_under_way or again or is_newest
        if not run.has_ended:
            is_restarted = known is not None and run.number == known.number
            if not was_under_way and (run.number > self._state.seen_to or is_restarted):
                self._tell(Change.STARTED, run)
            return
        if not is_new:
            return
        if run.status in _TELLS:
            self._tell(_TELLS[run.status], run)
        if run.status not in _COUNTS:
            self._notes.append(Note(run.build.id, Reason.NEUTRAL, run.status.value))
        elif known is None:
            self._after[run.workflow] = self._next(run, None)
            if not self._is_first:
                self._notes.append(Note(run.build.id, Reason.BASELINE, run.status.value))
        elif run.number < known.number:
            self._notes.append(Note(run.build.id, Reason.OLDER, str(known.number)))
        elif run.number > known.number or again:
            self._after[run.workflow] = self._next(run, known)
            if not known.is_bad and not run.is_bad and not self._is_first:
                self._notes.append(Note(run.build.id, Reason.NO_TRANSITION))

    def _next(self, run: _SeenRun, known: WorkflowState | None) -> WorkflowState:
        """The workflow's state after this run."""
        self._newest[run.workflow] = run
        in_a_row = 0
        if run.is_bad:
            was_bad = known is not None and known.is_bad
            if not was_bad:
                self._broken_by[run.workflow] = run
            same = known is not None and was_bad and run.commit is not None and run.commit == known.commit
            in_a_row = (known.in_a_row if known is not None else 0) + (0 if same else 1)
        last_good = known.last_good if known is not None else None
        if not run.is_bad:
            last_good = GoodBuild(run.number, run.build.id, run.commit, run.build.url, run.finished_at)
        return WorkflowState(
            name=run.workflow,
            number=run.number,
            attempt=run.attempt,
            status_word=run.status_word,
            started_at=run.started_at,
            finished_at=run.finished_at,
            commit=run.commit,
            is_bad=run.is_bad,
            in_a_row=in_a_row,
            last_good=last_good,
        )

    def _retired(self) -> tuple[str, ...]:
        """Removes workflows that the newest build no longer has. Returns those of them that were bad."""
        newest = self._builds[0] if self._builds else None
        if newest is None or not newest.workflows or not newest.has_ended or highest([newest]) <= self._last_number():
            return ()
        there = {run.name for run in newest.workflows}
        gone = [one for one in self._after.values() if one.name not in there]
        for one in gone:
            del self._after[one.name]
        return tuple(sorted(one.name for one in gone if one.is_bad))

    def _last_number(self) -> int:
        return max((one.number for one in self._before.values()), default=0)

    def _of_the_branch(self, state: BranchState, retired: tuple[str, ...]) -> Transition | None:
        """The one change of the branch as a whole, the most important first."""
        if self._is_first:
            return None
        known = [name for name in self._after if name in self._before]
        broke = [name for name in known if self._after[name].is_bad and not self._before[name].is_bad]
        fixed = [name for name in known if self._before[name].is_bad and not self._after[name].is_bad]
        again = [name for name in known if name in self._newest and self._before[name].is_bad and name not in fixed]
        still = [name for name in again if not _is_same_commit(self._before[name], self._after[name])]
        if not self._state.is_bad:
            return self._changed(Change.BROKE, broke, state, self._new_period(state)) if broke else None
        period = self._state.period
        if not state.is_bad:
            if not fixed:
                return self._changed(Change.RETIRED, retired, state, period)
            is_flaky = all(_is_same_commit(self._before[name], self._after[name]) for name in fixed)
            return self._changed(Change.FLAKY if is_flaky else Change.FIXED, fixed, state, period)
        for change, names in (
            (Change.JOINED, broke),
            (Change.STILL, still),
            (Change.EASED, [*fixed, *retired]),
            (Change.FAILED_AGAIN, again),
        ):
            if names:
                return self._changed(change, names, state, period)
        return None

    def _changed(
        self, change: Change, names: Sequence[str], state: BranchState, period: Period | None
    ) -> Transition | None:
        shows = max((self._newest[name] for name in names if name in self._newest), key=_by_number, default=None)
        build = shows.build if shows is not None else self._builds[0]
        goods = [one.last_good for one in state.workflows if one.is_bad and one.last_good is not None]
        return Transition(
            change=change,
            build=build,
            period=period,
            workflows=tuple(name for name in sorted(names) if name),
            failing=tuple(one.name for one in state.workflows if one.is_bad and one.name),
            in_a_row=max((one.in_a_row for one in state.workflows), default=0),
            last_good=goods[0] if goods else None,
        )

    def _new_period(self, state: BranchState) -> Period | None:
        """The period that begins with the first run since the last good one; None if the branch is good."""
        first = min((run for name, run in self._broken_by.items() if self._after[name].is_bad), key=_when, default=None)
        if first is None:
            return None
        since = first.finished_at or self._now
        good = next((one.last_good for one in state.workflows if one.name == first.workflow), None)
        after = good.number if good is not None else self._state.seen_to
        between = [build for build in self._builds if after < _number_of(build) < first.number]
        early = self._state.failing
        id_ = early.id if early is not None else f"{first.number}.{first.attempt}.{int(since.timestamp())}"
        suspects = tuple(Suspect(build.id, build.commit, build.author) for build in between[:MAX_SUSPECTS])
        return Period(id_, since, first.build, suspects)

    def _tell(self, change: Change, run: _SeenRun) -> None:
        if not self._is_first:
            self._told.append(Transition(change, run.build, workflows=(run.workflow,) if run.workflow else ()))


def _runs_of(builds: Iterable[Build]) -> list[_SeenRun]:
    """Every run once, the lowest number first. A run that several builds show belongs to the one of its own commit."""
    found: dict[tuple[str, int], _SeenRun] = {}
    for build in builds:
        for run in _of_build(build):
            if run.key not in found or run.commit == build.commit:
                found[run.key] = run
    return sorted(found.values(), key=_by_number)


def _of_build(build: Build) -> list[_SeenRun]:
    if not build.workflows:
        return [
            _SeenRun(
                workflow="",
                number=_number(build.id),
                attempt=1,
                status=build.status,
                status_word=build.status_word,
                has_ended=build.has_ended,
                started_at=build.started_at,
                finished_at=build.finished_at,
                commit=build.commit,
                build=build,
            )
        ]
    return [
        _SeenRun(
            workflow=run.name,
            number=_number(run.run_id),
            attempt=run.attempt,
            status=run.status,
            status_word=run.status_word,
            has_ended=run.has_ended,
            started_at=run.started_at,
            finished_at=run.finished_at,
            commit=run.commit or build.commit,
            build=build,
            has_failed_jobs=bool(run.failed_jobs),
        )
        for run in build.workflows
    ]


def _number_of(build: Build) -> int:
    """The number of a build; if it has workflows, the highest of its runs that ran for its commit."""
    return max((run.number for run in _of_build(build) if run.commit == build.commit), default=0)


def _number(id_: str) -> int:
    """The id as a number. The services count them up; another kind of id has no order, and counts as the oldest."""
    return int(id_) if id_.isdecimal() else 0


def _by_number(run: _SeenRun) -> int:
    return run.number


def _when(run: _SeenRun) -> tuple[bool, float, int]:
    ended = run.finished_at
    return ended is None, ended.timestamp() if ended else 0.0, run.number


def _is_same_commit(before: WorkflowState, after: WorkflowState) -> bool:
    return before.commit is not None and before.commit == after.commit


def _is_later(run: _SeenRun, known: WorkflowState) -> bool:
    """Whether a run with the number of a known one is a later run of it. A list may show an earlier one for a while."""
    if run.workflow:  # the service counts attempts, and may change the end of one long after it
        return run.attempt > known.attempt or (run.attempt == known.attempt and run.is_bad != known.is_bad)
    if run.finished_at is not None and known.finished_at is not None:
        return run.finished_at > known.finished_at
    seen = (run.status_word, run.started_at, run.finished_at)
    return seen != (known.status_word, known.started_at, known.finished_at)

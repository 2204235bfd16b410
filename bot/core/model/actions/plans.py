"""What a restart and a cancel send of a build that has workflows. Pure.

A restart:

    a run of the build's commit failed       those are re-run; what still runs is left alone
    none failed, some still run              nothing
    only an older commit's run failed        nothing; that run is named
    one failed that cannot be re-run         nothing
    none failed, none runs                   all runs of the build's commit

What a plan names is exactly what is sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from bot.core.model.builds import Build, Status, Workflow


class RestartCase(Enum):
    FAILED = "failed"
    RUNNING = "running"
    OLDER_FAILED = "an older commit's run failed"
    ALL = "all"
    NOTHING = "nothing can be re-run"


@dataclass(frozen=True, slots=True)
class RestartPlan:
    """`runs` are re-run, `left` still run and are left alone, `older` failed for an older commit."""

    case: RestartCase
    runs: tuple[Workflow, ...] = ()
    left: tuple[Workflow, ...] = ()
    older: tuple[Workflow, ...] = ()

    @property
    def asks_first(self) -> bool:
        """Whether a typed restart lists the runs and asks, since nothing failed and there are several."""
        return self.case is RestartCase.ALL and len(self.runs) > 1


def restart_plan(build: Build) -> RestartPlan:
    """What a restart of a build with workflows sends now."""
    own = [run for run in build.workflows if run.commit is None]
    older = [run for run in build.workflows if run.commit is not None]
    left = tuple(run for run in build.workflows if run.status.is_under_way)
    failed = tuple(run for run in own if _has_failed(run) and run.can_rerun)
    if failed:
        return RestartPlan(RestartCase.FAILED, failed, left)
    if left:
        return RestartPlan(RestartCase.RUNNING, left=left)
    older_failed = tuple(run for run in older if _has_failed(run))
    if older_failed:
        return RestartPlan(RestartCase.OLDER_FAILED, older=older_failed)
    if any(map(_has_failed, own)):  # one that cannot be re-run: re-running the others would not help
        return RestartPlan(RestartCase.NOTHING)
    ended = tuple(run for run in own if run.has_ended and run.can_rerun and run.status is not Status.WAITING)
    return RestartPlan(RestartCase.ALL if ended else RestartCase.NOTHING, ended)


def cancel_plan(build: Build) -> tuple[Workflow, ...]:
    """The runs that a cancel of the build stops now: all that run or are queued, also an older commit's re-run."""
    return tuple(run for run in build.workflows if run.status.is_under_way)


def running_beside(build: Build, builds: Iterable[Build]) -> tuple[Workflow, ...]:
    """The runs of the branch that run or are queued, and are none of the build's: those that do not decide, and those
    of other commits. `builds` are all of the branch. Each names its commit if that is not the build's.
    """
    others = [each for each in builds if each.branch == build.branch and each.id != build.id]
    of_others = (
        replace(run, commit=run.commit or each.commit) for each in others for run in (*each.workflows, *each.beside)
    )
    known = {run.run_id for run in build.workflows}
    running = {run.run_id: run for run in (*of_others, *build.beside) if run.status.is_under_way}
    return tuple(run for run_id, run in running.items() if run_id not in known)


def _has_failed(run: Workflow) -> bool:
    return run.has_ended and run.status.is_bad

"""How one attempt of a workflow run moves: queued, started, ended, run again. Pure functions over values."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from playground.github.model import Ending, JobPlan, NotFound, SandboxJob, SandboxRun, SandboxStep

_KEPT = frozenset({"success", "neutral"})
"""The conclusion of a job that a re-run of the failed jobs keeps."""
_FAILED = frozenset({"failure", "cancelled", "timed_out", "action_required"})
_OF_ONE_JOB = frozenset({"failure", "timed_out"})
_NOTHING_RAN = frozenset({"startup_failure", "action_required"})
_OF_EVERY_JOB = frozenset({"cancelled", "skipped", "neutral"})

NextId = Callable[[], int]


def queued(plans: Iterable[JobPlan], attempt: int, at: datetime, next_id: NextId) -> tuple[SandboxJob, ...]:
    return tuple(SandboxJob(next_id(), plan, attempt, "queued", None, at, at) for plan in plans)


def started(run: SandboxRun, at: datetime) -> SandboxRun:
    """Starts the jobs that need no other; each has finished its first step."""
    jobs = tuple(_begun(job, at) if job.status != "completed" and not job.plan.needs else job for job in run.jobs)
    return replace(run, status="in_progress", conclusion=None, updated_at=at, jobs=jobs)


def ended(run: SandboxRun, ending: Ending, at: datetime) -> SandboxRun:
    """Ends the run as `ending` says. If that names no job, the last job fails.

    Raises NotFound for a job or a step that the run does not have.
    """
    to_fail = _to_fail(run, ending)
    jobs: list[SandboxJob] = []
    for job in run.jobs if ending.conclusion not in _NOTHING_RAN else ():
        if job.status == "completed":
            jobs.append(job)
            continue
        unmet = any(other.conclusion not in _KEPT for other in jobs if other.name in job.plan.needs)
        if ending.conclusion in _OF_EVERY_JOB or job is to_fail:
            word = ending.conclusion
        else:
            word = "skipped" if unmet else "success"
        jobs.append(_done(job, word, ending.step if job is to_fail else None, at))
    over = {"status": "completed", "conclusion": ending.conclusion, "cancelling": False, "updated_at": at}
    return replace(run, **over, jobs=tuple(jobs))  # type: ignore[arg-type]  # a dict of fields has no types of its own


def job_ended(run: SandboxRun, ending: Ending, at: datetime) -> SandboxRun:
    """Ends one job while the run continues. Raises NotFound for a job or step that the run does not have."""
    meant = _named(run, ending)
    jobs = tuple(_done(job, ending.conclusion, ending.step, at) if job is meant else job for job in run.jobs)
    return replace(run, status="in_progress", conclusion=None, updated_at=at, jobs=jobs)


def waiting(run: SandboxRun, environment: str, name: str | None, at: datetime) -> SandboxRun:
    """Makes a job wait to deploy to the environment; those before it have passed. `name` None: the last job.

    Raises NotFound for a job that the run does not have.
    """
    meant = _named(run, Ending("failure", name or run.jobs[-1].name))
    place, jobs = run.jobs.index(meant), list(run.jobs)
    for index, job in enumerate(run.jobs[:place]):
        if job.status != "completed":
            jobs[index] = _done(job, "success", None, at)
    jobs[place] = replace(meant, status="waiting", plan=replace(meant.plan, environment=environment))
    return replace(run, status="waiting", conclusion=None, updated_at=at, jobs=tuple(jobs))


def approved(run: SandboxRun, environments: Collection[str], at: datetime) -> SandboxRun:
    """Queues the jobs that waited for these environments. The run continues unless others still wait."""
    jobs = tuple(
        replace(job, status="queued", started_at=at)
        if job.status == "waiting" and job.plan.environment in environments
        else job
        for job in run.jobs
    )
    still_waits = any(job.status == "waiting" for job in jobs)
    return replace(run, status="waiting" if still_waits else "in_progress", updated_at=at, jobs=jobs)


def job_waiting_for(run: SandboxRun, environments: Collection[str]) -> SandboxJob:
    """Raises StopIteration if none does."""
    return next(job for job in run.jobs if job.status == "waiting" and job.plan.environment in environments)


def has_failed_jobs(run: SandboxRun) -> bool:
    return any(job.conclusion in _FAILED for job in run.jobs)


def again(
    run: SandboxRun, plans: Iterable[JobPlan], at: datetime, by: str | None, failed_only: bool, next_id: NextId
) -> SandboxRun:
    """The next attempt: all jobs again, or with `failed_only` copies of those that passed."""
    attempt = run.attempt + 1
    jobs = queued(plans, attempt, at, next_id)
    if failed_only:
        kept = {job.name: job for job in run.jobs if job.conclusion in _KEPT}
        jobs = tuple(replace(kept[job.name], id=job.id, attempt=attempt) if job.name in kept else job for job in jobs)
    return replace(
        run,
        status="queued",
        conclusion=None,
        cancelling=False,
        attempt=attempt,
        started_at=at,
        updated_at=at,
        triggering_actor=by,
        jobs=jobs,
    )


def _to_fail(run: SandboxRun, ending: Ending) -> SandboxJob | None:
    if ending.conclusion not in _OF_ONE_JOB:
        return None
    to_run = [job for job in run.jobs if job.status != "completed"]
    if ending.job is None:
        return to_run[-1] if to_run else None
    return _named(run, ending)


def _named(run: SandboxRun, ending: Ending) -> SandboxJob:
    named = [job for job in run.jobs if job.status != "completed" and job.name == ending.job]
    if not named:
        raise NotFound(f"no job {ending.job} to run in run {run.id}")
    if ending.step is not None and ending.step not in named[0].plan.steps:
        raise NotFound(f"no step {ending.step} in job {ending.job}")
    return named[0]


def _begun(job: SandboxJob, at: datetime) -> SandboxJob:
    steps = tuple(
        SandboxStep(name, number, "completed", "success", at, at)
        if number == 1
        else SandboxStep(name, number, "in_progress", None, at, None)
        if number == 2
        else SandboxStep(name, number, "queued", None, None, None)
        for number, name in enumerate(job.plan.steps, start=1)
    )
    return replace(job, status="in_progress", started_at=at, steps=steps, runner=job.id % 1000)


def _done(job: SandboxJob, word: str, step: str | None, at: datetime) -> SandboxJob:
    """A job that was skipped has no steps; in one that failed, the steps after the one that broke are skipped."""
    started_at = job.started_at if job.status == "in_progress" else at
    if word == "skipped":
        return replace(job, status="completed", conclusion=word, started_at=at, completed_at=at)
    names = job.plan.steps
    broken = names.index(step) if step is not None else max(len(names) - 2, 0)
    steps = tuple(
        SandboxStep(name, number, "completed", _step_word(word, number - 1, broken, len(names)), *between)
        for number, (name, between) in enumerate(zip(names, _parts(started_at, at, len(names)), strict=True), start=1)
    )
    runner = job.runner if job.runner is not None else job.id % 1000
    return replace(
        job, status="completed", conclusion=word, started_at=started_at, completed_at=at, steps=steps, runner=runner
    )


def _step_word(word: str, index: int, broken: int, count: int) -> str:
    if word in _KEPT or index < broken or (index == count - 1 and index != broken):
        return "success"  # the last step cleans up, however the job went
    if index > broken:
        return "skipped"
    return "cancelled" if word in {"cancelled", "timed_out"} else "failure"


def _parts(start: datetime, end: datetime, count: int) -> list[tuple[datetime, datetime]]:
    """Splits the time into `count` parts of whole seconds, since GitHub gives whole seconds for a step."""
    whole_s = int((end - start).total_seconds())
    marks = [start + timedelta(seconds=whole_s * part // count) for part in range(count)] + [end]
    return list(itertools.pairwise(marks))

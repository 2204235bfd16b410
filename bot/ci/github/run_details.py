"""What GitHub tells of single runs: failed jobs and their logs, awaited approvals, how earlier attempts ended.

Caches what does not change. It logs nothing; every failure is a `CIError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial

from bot.ci.github import api as wire
from bot.ci.github.builds import most_retried, with_jobs_ends
from bot.ci.github.failure_log import StepLog
from bot.ci.github.http.calls import GitHubRequests
from bot.ci.github.run_groups import ListedRun, RunGroup
from bot.ci.github.runs import parse_attempt
from bot.ci.lru_cache import LRUCache
from bot.core.model.builds import Build, FailedJob, FailureLog, Project, Status, Workflow
from bot.core.model.errors import CIError

MORE_PAGES = 3
"""Pages of a list of jobs. One is enough in most cases."""
WORKFLOWS_DETAILED = 3
JOBS_SHOWN = 5
"""Failed jobs of a workflow that are shown."""
MAX_ATTEMPTS = 10
"""A run with more attempts shows no earlier results: each attempt costs a call."""
LOG_TIMEOUT_S = 5.0
"""Seconds within which a job's log is read."""
WAITING_KNOWN_S = 60.0
"""Seconds until the jobs of a run that waits for an approval are requested again."""

_Jobs = tuple[FailedJob, ...]


class RunDetails:
    """Thread-safe. `details_s` limits the time for the details of a build."""

    def __init__(
        self, api_url: str, calls: GitHubRequests, *, monotonic: Callable[[], float], details_s: float
    ) -> None:
        self._api_url, self._calls, self._monotonic = api_url, calls, monotonic
        self._details_s = details_s
        self._jobs: LRUCache[tuple[str, int], tuple[_Jobs, datetime | None]] = LRUCache(1_000)
        self._attempts: LRUCache[tuple[str, int], Status] = LRUCache(1_000)
        self._failed: LRUCache[tuple[str, int], _Jobs] = LRUCache(1_000)
        self._waiting_asked: LRUCache[tuple[str, int], float] = LRUCache(1_000)

    def apply_failed_job(self, run_id: str, attempt: int, job: FailedJob) -> None:
        """A job of the run has failed, as a webhook says; the run perhaps goes on."""
        known = self._failed.get((run_id, attempt)) or ()
        if all(each.id != job.id for each in known):
            self._failed.put((run_id, attempt), (*known, job)[:JOBS_SHOWN])

    def with_early_failures(self, groups: list[RunGroup], project: Project, deadline: float) -> list[RunGroup]:
        """Adds the jobs that have failed in runs that are not over. A run that waits for an approval then has failed.

        Webhooks tell these jobs. For the first group's runs that wait for an approval they are also requested, at most
        once a minute.
        """
        if not groups:
            return groups
        soon = min(deadline, self._calls.deadline_after(self._details_s))
        for run in [run for run in groups[0].own if run.status is Status.WAITING][:WORKFLOWS_DETAILED]:
            self._ask_of_waiting(run, project, soon)
        return [
            replace(each, own=tuple(map(self._early, each.own)), inherited=tuple(map(self._early, each.inherited)))
            for each in groups
        ]

    def _ask_of_waiting(self, run: ListedRun, project: Project, deadline: float) -> None:
        key = run.workflow.run_id, run.workflow.attempt
        if self._failed.get(key) or self._monotonic() < (self._waiting_asked.get(key) or 0.0):
            return
        self._waiting_asked.put(key, self._monotonic() + WAITING_KNOWN_S)
        jobs, _ = self._jobs_of(project, run.workflow, deadline)
        if jobs:
            self._failed.put(key, jobs)

    def _early(self, run: ListedRun) -> ListedRun:
        workflow = run.workflow
        is_waiting = workflow.status is Status.WAITING
        jobs = self._failed.get((workflow.run_id, workflow.attempt))
        if not jobs or not (is_waiting or workflow.status.is_under_way):
            return run
        failed = replace(workflow, failed_jobs=jobs)
        return replace(run, workflow=replace(failed, status=Status.FAILED, can_rerun=False) if is_waiting else failed)

    def with_details(self, build: Build) -> Build:
        """Adds the failed jobs of the first three failed workflows, and the earlier attempts of the deciding one.

        Details that GitHub does not return are left out.
        """
        deadline = self._calls.deadline_after(self._details_s)
        wrong = [run.run_id for run in _wrong(build.workflows)][:WORKFLOWS_DETAILED]
        detailed = tuple(
            self._detailed(build, run, deadline) if run.run_id in wrong or _waits(run) else run
            for run in build.workflows
        )
        beside = tuple(
            replace(run, waits_for=self._waits_for(build, run, deadline)) if _waits(run) else run
            for run in build.beside
        )
        return replace(with_jobs_ends(build, detailed), beside=beside, earlier=self._earlier(build, deadline))

    def failure_log(self, build: Build) -> FailureLog | None:
        """Two calls and the download from another host, within five seconds. Raises CIError."""
        deadline = self._calls.deadline_after(LOG_TIMEOUT_S)
        jobs = (job for run in _wrong(build.workflows) for job in self._jobs_of(build.project, run, deadline)[0])
        job = next((job for job in jobs if job.id and job.step_began and job.step_ended), None)
        if job is None or job.id is None or job.step_began is None or job.step_ended is None:
            return None
        log = StepLog(job.step_began, job.step_ended)
        self._calls.log(wire.log_request(self._api_url, build.project, job.id), log.take, deadline)
        lines = log.lines()
        return FailureLog(job, lines) if lines else None

    def _detailed(self, build: Build, run: Workflow, deadline: float) -> Workflow:
        """With its failed jobs, the end of its last job, and the environments that wait for an approval."""
        jobs, ended_at = self._jobs_of(build.project, run, deadline)
        if _waits(run):
            return replace(run, failed_jobs=jobs or run.failed_jobs, waits_for=self._waits_for(build, run, deadline))
        return replace(run, failed_jobs=jobs, finished_at=ended_at if ended_at and run.has_ended else run.finished_at)

    def _waits_for(self, build: Build, run: Workflow, deadline: float) -> tuple[str, ...]:
        request = wire.approvals_request(self._api_url, build.project, run.run_id)
        try:
            return self._calls.get("approvals", request, wire.parse_approvals, deadline)
        except CIError:
            return ()

    def _jobs_of(self, project: Project, run: Workflow, deadline: float) -> tuple[_Jobs, datetime | None]:
        """The failed jobs, and when the last of all jobs ended; None if unknown."""
        known = self._jobs.get((run.run_id, run.attempt))
        if known is not None:
            return known
        request = wire.jobs_request(self._api_url, project, run.run_id)
        read = partial(wire.parse_jobs, attempt=run.attempt)
        result: dict[tuple[str, str | None], FailedJob] = {}
        ends: list[datetime | None] = []
        are_final = True
        try:
            for page in self._calls.pages(
                "jobs", request, read, of=run.attempt, max_pages=MORE_PAGES, deadline=deadline
            ):
                result |= {(job.name, job.id or str(len(result))): job for job in page.entries}
                are_final = are_final and page.are_final
                ends.append(page.ended_at if page.onward is None or len(result) < JOBS_SHOWN else None)
                if len(result) >= JOBS_SHOWN:
                    break
        except CIError:
            are_final = False
            ends.append(None)
        jobs = tuple(result.values())[:JOBS_SHOWN]
        details = jobs, max((end for end in ends if end), default=None) if all(ends) else None
        # A run that waits goes on later. Another may be shown as failed before its job is.
        if are_final and not _waits(run) and (jobs or run.status is not Status.FAILED):
            self._jobs.put((run.run_id, run.attempt), details)
        return details

    def _earlier(self, build: Build, deadline: float) -> tuple[Status, ...]:
        run = most_retried(build.workflows) if build.workflows else None
        if run is None or run.attempt > MAX_ATTEMPTS:
            return ()
        try:
            return tuple(self._attempt(build, run.run_id, attempt, deadline) for attempt in range(1, run.attempt))
        except CIError:
            return ()

    def _attempt(self, build: Build, run_id: str, attempt: int, deadline: float) -> Status:
        known = self._attempts.get((run_id, attempt))
        if known is not None:
            return known
        request = wire.attempt_request(self._api_url, build.project, run_id, attempt)
        status = self._calls.get("attempts", request, parse_attempt, deadline)
        if not status.is_under_way:
            self._attempts.put((run_id, attempt), status)
        return status


def _waits(run: Workflow) -> bool:
    """Whether it waits for an approval, also if a job of it has failed already."""
    return run.status_word == "waiting"


def _wrong(runs: Iterable[Workflow]) -> list[Workflow]:
    return [run for run in runs if run.has_ended and run.status.is_bad]

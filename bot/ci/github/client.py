"""GitHub Actions behind the `CIProvider` port: asks for what `github_wire` names, and remembers what does not change.

Which runs are a build, and how it stands, is `github_carried`'s and `github_builds`' to say. It logs nothing: what goes
wrong is raised, always as a `CIError`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from bot.ci.github import api as wire
from bot.ci.github.auth import App
from bot.ci.github.builds import build_of, most_retried
from bot.ci.github.calls import GitHubRequests
from bot.ci.github.errors import TITLE
from bot.ci.github.run_groups import ListedRun, group_runs
from bot.ci.github.runs import parse_attempt, parse_runs
from bot.ci.github.urls import parse_url, web_url
from bot.ci.lru_cache import LRUCache
from bot.ci.service import ClientContext
from bot.config.parsers import Secret
from bot.core.model.actions import ActionPlan, RunTarget
from bot.core.model.builds import Ability, Build, FailedJob, Page, Project, Status, Workflow
from bot.core.model.errors import CIError, NotPossible, OverLimit

MAX_PAGES = 100
"""Of repositories, each with a hundred."""
MORE_PAGES = 3
"""Of every other list: a page is enough for all but few."""
WORKFLOWS_DETAILED = 3
JOBS_SHOWN = 5
"""How many failed jobs of a workflow are told."""
MAX_ATTEMPTS = 10
"""Of a run that was run again more often, nobody is told how often: each attempt costs a call, if only once."""
WORKFLOWS_KNOWN_S, WORKFLOWS_UNKNOWN_S = 600.0, 60.0
"""For how long it is known which workflows are active, and not asked again where it could not be learned."""

_DETAILS_WITHIN = 1 / 3  # of the time that a call may take: an answer waits for them
_MAX_BYTES = 16 * 1024 * 1024


class GitHub:
    """A host that serves GitHub's REST API, asked with a token or as an App. `max_bytes` bounds its answers."""

    service = wire.SERVICE
    title = TITLE
    abilities = frozenset(Ability)

    def __init__(self, api_url: str, who: Secret | App, context: ClientContext, *, max_bytes: int = _MAX_BYTES) -> None:
        self._api_url, self._web_url = api_url, web_url(api_url)
        self._calls = GitHubRequests(api_url, who, context, max_bytes=max_bytes)
        self._monotonic = context.monotonic
        self._details_s = context.total_s * _DETAILS_WITHIN
        self._active: LRUCache[str, tuple[float, frozenset[str] | None]] = LRUCache(1_000)
        self._jobs: LRUCache[tuple[str, int], tuple[FailedJob, ...]] = LRUCache(1_000)
        self._attempts: LRUCache[tuple[str, int], Status] = LRUCache(1_000)

    def parse_url(self, url: str) -> Page | None:
        return parse_url(url, self._web_url)

    def projects(self) -> list[Project]:
        """Every repository that the token, or the App's installation, can see; archived and disabled ones not."""
        request = wire.repositories_request(self._api_url, self._calls.repositories)
        pages = self._calls.pages("projects", request, wire.parse_repositories, max_pages=MAX_PAGES)
        return list({project.id: project for page in pages for project in page.entries}.values())

    def builds(self, project: Project, branch: str | None = None) -> list[Build]:
        """The builds of the last hundred runs.

        Where these are all of forks, more are read. Where a build carries something, it is also asked, at most every
        ten minutes, which workflows are active: one that was deleted or disabled will never pass again.
        """
        deadline = self._calls.deadline_after()
        request = wire.builds_request(self._api_url, project, branch)
        read = partial(parse_runs, project=project, web_url=self._web_url)
        runs: list[ListedRun] = []
        for page in self._calls.pages("builds", request, read, of=project, max_pages=MORE_PAGES, deadline=deadline):
            project, is_cut_off = page.project, page.is_full
            runs += page.entries
            if runs or not page.is_full:
                break
        result = group_runs(runs, is_cut_off=is_cut_off)
        active = self._active_workflows(project, deadline) if any(each.inherited for each in result) else None
        if active is not None:
            result = [each.inheriting_only(active) for each in result]
        return [build_of(project, each) for each in result]

    def plan_restart(self, build: Build) -> ActionPlan:
        """All that went wrong; if nothing did, the build's own runs alone: what it carries is of another commit."""
        own, _carried = _apart(build)
        wanted = _wrong(build.workflows) or [run for run in own if run.has_ended]
        if not wanted:
            raise NotPossible(self.title, "none of its workflows has ended")
        return _plan(wanted, [run for run in build.workflows if not run.has_ended])

    def plan_cancel(self, build: Build) -> ActionPlan:
        """The build's own workflows that run or wait; if none does, those that it carries.

        What it carries is of another commit, and may be something else to others: it is named, and cancelled when asked
        for alone.
        """
        own, carried = _apart(build)
        running = _under_way(own) or _under_way(carried)
        if not running:
            raise NotPossible(self.title, "none of its workflows was running any more")
        return _plan(running, [run for run in _under_way(build.workflows) if run not in running])

    def restart(self, build: Build, target: RunTarget, *, failed_jobs_only: bool = False) -> str:
        request = wire.rerun_request(self._api_url, build.project, target.run_id, failed_jobs_only=failed_jobs_only)
        self._calls.post("restart", request, self._calls.deadline_after())
        return build.id

    def cancel(self, build: Build, target: RunTarget) -> None:
        request = wire.cancel_request(self._api_url, build.project, target.run_id)
        self._calls.post("cancel", request, self._calls.deadline_after())

    def with_details(self, build: Build) -> Build:
        """Which jobs failed in the first workflows that went wrong, and how the build went before.

        Before: the attempts but this one of the workflow that decides (`tried_before`). What cannot be learned is left
        out.
        """
        deadline = self._calls.deadline_after(self._details_s)
        wrong = [run.run_id for run in _wrong(build.workflows)][:WORKFLOWS_DETAILED]
        detailed = [
            replace(run, failed_jobs=self._failed_jobs(build, run, deadline)) if run.run_id in wrong else run
            for run in build.workflows
        ]
        return replace(build, workflows=tuple(detailed), earlier=self._earlier(build, deadline))

    def close(self) -> None:
        self._calls.close()

    def _active_workflows(self, project: Project, deadline: float) -> frozenset[str] | None:
        """The ids of the repository's active workflows; None where that cannot be learned."""
        now = self._monotonic()
        good_until, active = self._active.get(project.id) or (now, None)
        if now < good_until:
            return active
        request = wire.workflows_request(self._api_url, project)
        soon = min(deadline, self._calls.deadline_after(self._details_s))
        try:
            pages = list(
                self._calls.pages("workflows", request, wire.parse_workflows, max_pages=MORE_PAGES, deadline=soon)
            )
        except OverLimit:  # nobody asked, or nobody may ask anything for now
            return active
        except CIError:
            good_until = now + WORKFLOWS_UNKNOWN_S
        else:
            good_until = now + WORKFLOWS_KNOWN_S
            are_all = pages[-1].onward is None
            active = frozenset(id_ for page in pages for id_ in page.entries) if are_all else None
        self._active.put(project.id, (good_until, active))
        return active

    def _failed_jobs(self, build: Build, run: Workflow, deadline: float) -> tuple[FailedJob, ...]:
        known = self._jobs.get((run.run_id, run.attempt))
        if known is not None:
            return known
        request = wire.jobs_request(self._api_url, build.project, run.run_id)
        read = partial(wire.parse_jobs, attempt=run.attempt)
        result: list[FailedJob] = []
        are_final = True
        try:
            for page in self._calls.pages(
                "jobs", request, read, of=run.attempt, max_pages=MORE_PAGES, deadline=deadline
            ):
                result += page.entries
                are_final = are_final and page.are_final
                if len(result) >= JOBS_SHOWN:
                    break
        except CIError:
            are_final = False
        jobs = tuple(result[:JOBS_SHOWN])
        if are_final and (jobs or run.status is not Status.FAILED):  # it may be told that it failed before its job is
            self._jobs.put((run.run_id, run.attempt), jobs)
        return jobs

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


def _apart(build: Build) -> tuple[list[Workflow], list[Workflow]]:
    """The build's own workflows, and those that it carries from other commits."""
    own = [run for run in build.workflows if run.commit is None]
    return own, [run for run in build.workflows if run.commit is not None]


def _wrong(runs: Iterable[Workflow]) -> list[Workflow]:
    return [run for run in runs if run.has_ended and run.status.is_bad]


def _plan(runs: Iterable[Workflow], left: Iterable[Workflow]) -> ActionPlan:
    targets = tuple(RunTarget(run.run_id, run.attempt, run.full_name) for run in runs)
    return ActionPlan(targets, tuple(run.full_name for run in left))


def _under_way(runs: Iterable[Workflow]) -> list[Workflow]:
    return [run for run in runs if run.status.is_under_way]

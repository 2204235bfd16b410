"""How the builds of watched branches ended, and what that says: which are flaky, and which are slow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from statistics import median

from bot.core.lookup.build_lookup import BuildLookup
from bot.core.lookup.ci_registry import CIRegistry
from bot.core.model.builds import Project, Status
from bot.core.model.command_values import BranchCommand, ShowHistory, Verb
from bot.core.model.ended_builds import EndedBuild, FlakyBranch, FlakyShown, SlowBranch, SlowShown, ended
from bot.core.ports import BuildHistoryStore, Clock
from bot.core.request import UserRequest

PERIOD = timedelta(days=30)
"""What the figures are about. *Slow* compares with the same time before it."""
ENTRIES_SHOWN = 10
ENOUGH_BUILDS = 3
"""Passed builds that a median needs."""


class BuildHistory:
    """Answers `flaky` and `slow`."""

    def __init__(self, services: CIRegistry, lookup: BuildLookup, store: BuildHistoryStore, clock: Clock) -> None:
        self._services = services
        self._lookup = lookup
        self._store = store
        self._clock = clock

    def of_repository(self, command: BranchCommand, request: UserRequest) -> FlakyShown | SlowShown:
        """From what is stored and what the CI service lists now. Raises UserError and CIError."""
        result = self._lookup.find(command, request)
        project = result.project
        stored = self._store.since(self._start(), project)
        both = dict.fromkeys([*stored, *ended(result.builds)])
        builds = [build for build in both if result.branch in (None, build.branch)]
        return self._shown(command.verb, builds, {_key(project): project}, project, result.branch)

    def of_all(self, command: ShowHistory) -> FlakyShown | SlowShown:
        """From what is stored, of repositories that are still known."""
        builds = self._store.since(self._start(), None)
        keys = {(build.service, build.project_id) for build in builds}
        known = {key: project for key in keys if (project := self._services.known(*key)) is not None}
        return self._shown(command.verb, builds, known, None, None)

    def _start(self) -> datetime:
        return self._clock.now() - 2 * PERIOD

    def _shown(
        self,
        verb: Verb,
        builds: Sequence[EndedBuild],
        projects: dict[tuple[str, str], Project],
        project: Project | None,
        branch: str | None,
    ) -> FlakyShown | SlowShown:
        since = self._clock.now() - PERIOD
        builds = [build for build in builds if (build.service, build.project_id) in projects]
        recent = [build for build in builds if build.finished_at >= since]
        days = PERIOD.days
        if verb is Verb.FLAKY:
            flaky = flaky_branches(recent, projects)
            return FlakyShown(project, branch, tuple(flaky[:ENTRIES_SHOWN]), len(flaky), len(recent), days)
        slow = slow_branches(builds, projects, since)
        return SlowShown(project, branch, tuple(slow[:ENTRIES_SHOWN]), len(slow), len(recent), days)


def flaky_branches(builds: Iterable[EndedBuild], projects: dict[tuple[str, str], Project]) -> list[FlakyBranch]:
    """Branches with commits that failed and later passed, those with the largest share of such commits first.

    Neutral ends, such as a cancelled build, count for nothing.
    """
    found = []
    for (key, branch), ends in _by_branch(builds):
        results: dict[str, list[EndedBuild]] = {}
        for end in ends:
            if end.commit and end.status in (Status.PASSED, Status.FAILED):
                results.setdefault(end.commit, []).append(end)
        flaky = [retried for runs in results.values() if (retried := _passed_on_retry(runs)) is not None]
        if flaky:
            newest = max(flaky, key=lambda end: end.finished_at)
            found.append(
                FlakyBranch(projects[key], branch, len(flaky), len(results), newest.commit or "", newest.finished_at)
            )
    return sorted(found, key=lambda one: (-one.flaky / one.commits, -one.flaky, one.project.name, one.branch))


def _passed_on_retry(runs: Sequence[EndedBuild]) -> EndedBuild | None:
    """The first passed run after a failed one, of a commit's runs in the order of their ends."""
    has_failed = False
    for run in runs:
        if run.status is Status.PASSED and has_failed:
            return run
        has_failed = has_failed or run.status is Status.FAILED
    return None


def slow_branches(
    builds: Iterable[EndedBuild], projects: dict[tuple[str, str], Project], since: datetime
) -> list[SlowBranch]:
    """Branches by the median duration of their passed builds since then, the longest first.

    A failed build may have ended early, so it counts for nothing.
    """
    found = []
    for (key, branch), ends in _by_branch(builds):
        now: list[float] = []
        before: list[float] = []
        for end in ends:
            if end.status is Status.PASSED and end.took_s is not None:
                (now if end.finished_at >= since else before).append(end.took_s)
        if len(now) >= ENOUGH_BUILDS:
            earlier = median(before) if len(before) >= ENOUGH_BUILDS else None
            found.append(SlowBranch(projects[key], branch, len(now), median(now), earlier))
    return sorted(found, key=lambda one: (-one.median_s, one.project.name, one.branch))


def _by_branch(builds: Iterable[EndedBuild]) -> Iterable[tuple[tuple[tuple[str, str], str], list[EndedBuild]]]:
    """The builds of each project's branch, in the order of their ends."""
    ordered = sorted(builds, key=lambda end: (end.service, end.project_id, end.branch, end.finished_at))
    for (service, project_id, branch), ends in groupby(ordered, lambda end: (end.service, end.project_id, end.branch)):
        yield ((service, project_id), branch), list(ends)


def _key(project: Project) -> tuple[str, str]:
    return project.service, project.id

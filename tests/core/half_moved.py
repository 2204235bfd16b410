"""Repositories at CodeShip and at GitHub Actions: both services in memory, with the real core."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

from bot.app.name_matching import nearest
from bot.core.actions.sender import ActionSender
from bot.core.actions.service import ActionService
from bot.core.authorization import Authorizer
from bot.core.build_fetcher import BuildFetcher
from bot.core.lookup.ci_registry import CIContext, CIRegistry, Pin
from bot.core.lookup.project_index import ProjectIndex
from bot.core.model.actions.values import ActionPlan, RunTarget
from bot.core.model.builds import Ability, Build, Page, Project, Status, Workflow
from bot.core.model.command_entries import Command
from bot.core.model.command_values import Word
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.outcomes import Outcome
from bot.core.model.policy import OPEN
from bot.core.request import UserRequest
from bot.store.database import open_store
from tests.core.world import ADA, BUILDS, PATIENCE_S, MemoryCI, MemoryGroups, operations_on
from tests.held_clock import NOON, HeldClock

WORDS = {Status.FAILED: "failure", Status.PASSED: "success", Status.RUNNING: "in_progress", Status.QUEUED: "queued"}
WORST_FIRST = (Status.FAILED, Status.UNKNOWN, Status.RUNNING, Status.QUEUED, Status.PASSED)


def on_github(number: int, name: str) -> Project:
    return Project(str(number), name, "github")


def run(run_id: int, name: str, status: Status, attempt: int = 1, word: str | None = None) -> Workflow:
    """One workflow's run; it began ten minutes before noon and took four."""
    began = NOON - timedelta(minutes=10)
    ended = None if status.is_under_way or status is Status.UNKNOWN else began + timedelta(minutes=4)
    return Workflow(str(run_id), name, status, word or WORDS[status], attempt, began, ended)


def of_workflows(id_: str, of: Project, *runs: Workflow, branch: str = "main") -> Build:
    """A build as a service with workflows shows it: the worst decides, and it ends with the last of them."""
    worst = min(runs, key=lambda run: WORST_FIRST.index(run.status))
    ends = [run.finished_at for run in runs]
    ended: datetime | None = max(end for end in ends if end) if all(ends) else None
    return Build(
        id_,
        of,
        worst.status,
        worst.status_word,
        branch=branch,
        commit="4f2c1e9" + "0" * 33,
        started_at=min(run.started_at for run in runs if run.started_at),
        finished_at=ended,
        workflows=runs,
    )


class MemoryGitHub(MemoryCI):
    """As `MemoryCI`, with workflows: it can cancel, and restart only the failed jobs."""

    def __init__(self, clock: HeldClock) -> None:
        super().__init__(clock, "github", "GitHub Actions")
        self.abilities = frozenset(Ability)
        self.failed_jobs_only: list[bool] = []

    def parse_url(self, url: str) -> Page | None:
        if not url.startswith("https://github.com/"):
            return None
        match url.removeprefix("https://github.com/").split("/"):
            case [owner, repo, "actions", "runs", run_id]:
                return Page(name=f"{owner}/{repo}", build_id=run_id)
        return None

    hidden_organizations: tuple[str, ...] = ()

    def has_branch(self, project: Project, branch: str) -> bool | None:
        return None

    def recent(self, wanted: Callable[[Project], bool]) -> list[tuple[Project, list[Build]]] | None:
        return None

    def plan_restart(self, build: Build) -> ActionPlan:
        ended = [run for run in build.workflows if run.has_ended]
        again = [run for run in ended if run.status.is_bad] or ended
        return plan_of(again, [run for run in build.workflows if not run.has_ended])

    def plan_cancel(self, build: Build) -> ActionPlan:
        return plan_of([run for run in build.workflows if run.status.is_under_way], [])

    def restart(self, build: Build, target: RunTarget, *, failed_jobs_only: bool = False) -> str:
        self.failed_jobs_only.append(failed_jobs_only)
        self._called("restart")
        if self.restart_shows:
            now = next((seen for seen in self.all_builds if seen.id == build.id), build)
            self.run_again(now, [run for run in now.workflows if run.run_id == target.run_id])
        return build.id

    def cancel(self, build: Build, target: RunTarget) -> None:
        self._called("cancel")

    def run_again(self, build: Build, runs: Sequence[Workflow]) -> None:
        """The next attempts of these runs, running."""
        now = self.clock.now()
        fresh = [
            replace(
                run,
                status=Status.RUNNING,
                status_word="in_progress",
                attempt=run.attempt + 1,
                started_at=now,
                finished_at=None,
            )
            if run in runs
            else run
            for run in build.workflows
        ]
        self.shows(of_workflows(build.id, build.project, *fresh, branch=build.branch or "main"))

    def shows(self, build: Build) -> None:
        """Replaces the build with the same id."""
        self.all_builds = [build if seen.id == build.id else seen for seen in self.all_builds]


def plan_of(runs: Sequence[Workflow], left: Sequence[Workflow]) -> ActionPlan:
    targets = tuple(RunTarget(run.run_id, run.attempt, run.name) for run in runs)
    return ActionPlan(targets, tuple(run.name for run in left))


class HalfMoved:
    """`codeship` and `github` are the two services. `ask` sends a command to the one bot that serves both."""

    def __init__(self, *pins: tuple[str, str]) -> None:
        self.clock = HeldClock()
        self.codeship, self.github = MemoryCI(self.clock), MemoryGitHub(self.clock)
        self.executor = ThreadPoolExecutor(8)
        self.store = open_store("sqlite:///:memory:", self.clock)
        both = [self._service(ci) for ci in (self.codeship, self.github)]
        wanted = [Pin(NamePattern((glob,)), service) for glob, service in pins]
        self.services = CIRegistry(both, nearest, self.clock, pins=wanted)
        self.rights = Authorizer(OPEN, MemoryGroups())
        self.operations = operations_on(self.services, self.store, self.rights, self.clock)

    def _service(self, ci: MemoryCI) -> CIContext:
        directory = ProjectIndex(ci, self.store.projects, self.executor, self.clock, nearest)
        fetcher = BuildFetcher(ci, self.executor, self.clock)
        sending = ActionSender(ci, fetcher, self.store.claims, self.executor, self.clock)
        return CIContext(
            ci,
            directory,
            fetcher,
            ActionService(ci, fetcher, self.store.claims, self.store.history, sending, self.clock),
        )

    def knows(self, *projects: Project) -> None:
        """Adds each to its service."""
        for service, ci in zip(self.services, (self.codeship, self.github), strict=True):
            ci.account.extend(p for p in projects if p.service == ci.service)
            service.project_index.refresh()
            ci.calls.clear()

    def has(self, *builds: Build) -> None:
        """Lists each at its service, newest first; the bot knows their projects."""
        for ci in (self.codeship, self.github):
            ci.all_builds = [build for build in builds if build.project.service == ci.service]
        self.knows(*dict.fromkeys(build.project for build in builds))

    def find(self, *names: str) -> Project:
        return self.services.resolve(Word.of(*names), timeout_s=PATIENCE_S).project

    def ask(self, command: Command, *, timeout_s: float = 16.0) -> Outcome:
        return self.operations.execute(
            command, UserRequest(ADA, BUILDS, self.clock, self.clock.monotonic() + timeout_s)
        )

    def close(self) -> None:
        self.executor.shutdown()
        self.store.close()

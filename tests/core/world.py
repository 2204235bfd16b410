"""A CI service in memory and the core around it: real operations on a real store, no network."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.app.name_matching import nearest
from bot.core.actions.sender import ActionSender
from bot.core.actions.service import ActionService
from bot.core.authorization import Authorizer
from bot.core.build_fetcher import BuildFetcher
from bot.core.follows.channel_messages import ChannelMessages
from bot.core.lookup.ci_registry import CIContext, CIRegistry
from bot.core.lookup.project_index import ProjectIndex
from bot.core.model.actions.values import ActionPlan, RunTarget
from bot.core.model.builds import Ability, Actor, Build, BuildRef, FailureLog, Location, Page, Project, Status
from bot.core.model.claims import Claim
from bot.core.model.command_entries import Command
from bot.core.model.command_values import BranchCommand, BuildCommand, Verb, Word
from bot.core.model.errors import BotError, CIError, NotFound
from bot.core.model.notifications.deliveries import Delivery
from bot.core.model.notifications.health import CallsLeft
from bot.core.model.outcomes import Outcome
from bot.core.model.policy import OPEN
from bot.core.model.rate_limit import Priority
from bot.core.notifications.channel_check import ChannelCheck
from bot.core.notifications.owners import PeriodOwners
from bot.core.notifications.subscriptions import SubscriptionService
from bot.core.operations import Operations
from bot.core.people.accounts import Accounts
from bot.core.rate_limiter import charged_allowance
from bot.core.reports.record import ReportRecord
from bot.core.reports.service import ReportService
from bot.core.request import UserRequest
from bot.store.database import Store, open_store
from tests.held_clock import NOON, HeldClock

ADA, BOB = Actor("U0ADA"), Actor("U0BOB")
BUILDS = Location("C0BUILDS")
LISTED = 10
"""How many builds a list shows of a project or a branch."""
PATIENCE_S = 10.0
"""Seconds that a test waits for another thread before it fails."""


def project(number: int, name: str) -> Project:
    return Project(str(number), name, "codeship")


def build(
    number: int, of: Project, branch: str | None = "main", status: Status = Status.FAILED, **fields: object
) -> Build:
    word = {Status.FAILED: "error", Status.PASSED: "success", Status.RUNNING: "testing"}.get(status, status.value)
    started = NOON - timedelta(minutes=10)
    whole = Build(
        str(number),
        of,
        status,
        word,
        branch=branch,
        commit="4f2c1e9" + "0" * 33,
        message="Fix login",
        author="ada",
        started_at=started,
        finished_at=None if status is Status.RUNNING else started + timedelta(minutes=4),
    )
    return replace(whole, **fields)  # type: ignore[arg-type]


def status(repo: str, branch: str | None = None) -> BranchCommand:
    return BranchCommand(Verb.STATUS, Word.of(repo), Word.of(branch) if branch else None)


def restart(repo: str, branch: str | None = None) -> BranchCommand:
    return BranchCommand(Verb.RESTART, Word.of(repo), Word.of(branch) if branch else None)


def target(of: Build, run_number: int | None = 1) -> BuildRef:
    """The target of a button on `of`."""
    return BuildRef("codeship", of.project.id, of.branch, of.id, run_number, of.started_at)


def press(of: Build, run_number: int | None = 1, *, instead_of: Claim | None = None) -> BuildCommand:
    """The command of the button Restart on `of`; of Try again if it names a claim."""
    replaced = (instead_of.id, instead_of.attempt) if instead_of else None
    return BuildCommand(Verb.RESTART, target(of, run_number), replaced)


def operations_on(
    services: CIRegistry,
    store: Store,
    rights: Authorizer,
    clock: HeldClock,
    *,
    subscriptions: SubscriptionService | None = None,
    owners: PeriodOwners | None = None,
    access: MemoryAccess | None = None,
) -> Operations:
    """All operations on a store. What is not given is made, and announces nothing."""
    utc = ZoneInfo("UTC")
    record = ReportRecord(services, store.subscriptions, store.build_history, store.audit)
    return Operations(
        services=services,
        audit=store.audit,
        authorizer=rights,
        channel_names=store.channel_names,
        subscriptions=subscriptions or SubscriptionService(services, store.subscriptions, store.decisions, rights, utc),
        owners=owners or PeriodOwners(services, store.watching, store.outbox, rights, lambda _due: None),
        reports=ReportService(record, store.reports, store.subscriptions, rights, utc),
        check=ChannelCheck(
            services=services,
            subscriptions=store.subscriptions,
            outbox=store.outbox,
            decisions=store.decisions,
            polling=store.polling_log,
            access=access or MemoryAccess(),
            limits=MemoryLimits(),
        ),
        accounts=Accounts(store.people),
        live=ChannelMessages(store.follows, clock),
        history=store.build_history,
        clock=clock,
    )


class Held:
    """Calls that wait inside the service until they are released."""

    def __init__(self) -> None:
        self._arrived = threading.Semaphore(0)
        self._open = threading.Event()

    def enter(self) -> None:
        self._arrived.release()
        assert self._open.wait(PATIENCE_S), "the call was never released"

    def wait_for(self, calls: int = 1) -> None:
        for _ in range(calls):
            assert self._arrived.acquire(timeout=PATIENCE_S), "the call never came"

    def let_go(self) -> None:
        self._open.set()


class MemoryCI:
    """A `CIProvider` whose account is a list. `all_builds` is what it shows, newest first.

    `failures` holds what the next calls raise, None for success. A restart that raises `may_have_taken` was taken if
    `restart_takes`. Its effect is visible at once if `restart_shows`, else after `catch_up`. `posts` are the restarts
    that arrived: which build, in which of its runs, and whether that run was still going. `sent` counts for each run
    those that were taken or may have been.
    """

    def __init__(self, clock: HeldClock, service: str = "codeship", title: str = "CodeShip") -> None:
        self.service, self.title = service, title
        self.abilities: frozenset[Ability] = frozenset({Ability.RESTART})
        self.clock = clock
        self.account: list[Project] = []
        self.all_builds: list[Build] = []
        self.calls: list[str] = []
        self.posts: list[tuple[str, int, bool]] = []
        self.sent: Counter[tuple[str, int]] = Counter()
        self.branches_asked: list[str | None] = []
        self.asked_for: list[Priority] = []
        self.before_builds: Callable[[], None] = lambda: None
        self.seen: list[str] = []
        self.lists_builds = False
        self.deleted_branches: set[str] = set()
        self.failures: dict[str, list[CIError | None]] = {
            "recent": [],
            "projects": [],
            "builds": [],
            "restart": [],
            "cancel": [],
            "has branch": [],
            "in detail": [],
            "log": [],
        }
        self.logs: dict[str, FailureLog] = {}
        self.details: dict[str, Build] = {}
        self.located: dict[Page, Page | NotFound] = {}
        """The details of builds, by id."""
        self.restart_takes = True
        self.restart_shows = True
        self.new_id: str | None = None
        self._runs: dict[str, int] = {}
        self._not_shown: dict[str, Build] = {}
        self._held: dict[str, Held] = {}

    def hold(self, call: str) -> Held:
        """The next calls wait when they arrive; with ` answered` after the name, after their effect and before the
        response.
        """
        self._held[call] = Held()
        return self._held[call]

    def hold_no_more(self, call: str) -> None:
        """Later calls pass; those that wait keep waiting."""
        del self._held[call]

    def parse_url(self, url: str) -> Page | None:
        if not url.startswith("https://ci.example/projects/"):
            return None
        parts = url.removeprefix("https://ci.example/projects/").split("/")
        names_build = len(parts) > 2 and parts[2].isdecimal()
        return Page(parts[0], build_id=parts[2] if names_build else None)

    def locate(self, project: Project, page: Page) -> Page | None:
        located = self.located.get(page)
        if isinstance(located, NotFound):
            raise located
        return located

    def projects(self) -> list[Project]:
        self._called("projects")
        return list(self.account)

    def builds(self, project: Project, branch: str | None = None) -> list[Build]:
        self.branches_asked.append(branch)
        self.asked_for.append(charged_allowance().priority)
        self.before_builds()
        self._called("builds")
        self.seen.append(project.id)
        found = [b for b in self.all_builds if b.project == project and branch in (None, b.branch)][:LISTED]
        self._wait("builds answered")
        return found

    hidden_organizations: tuple[str, ...] = ()

    def has_branch(self, project: Project, branch: str) -> bool | None:
        self._called("has branch")
        return branch not in self.deleted_branches

    def recent(self, wanted: Callable[[Project], bool]) -> list[tuple[Project, list[Build]]] | None:
        """Each wanted project's newest ten builds, if `lists_builds`."""
        if not self.lists_builds:
            return None
        self.asked_for.append(charged_allowance().priority)
        self._called("recent")
        return [(one, [b for b in self.all_builds if b.project == one][:LISTED]) for one in self.account if wanted(one)]

    def plan_restart(self, build: Build) -> ActionPlan:
        return ActionPlan((RunTarget(build.id),))

    def plan_cancel(self, build: Build) -> ActionPlan:
        return ActionPlan((RunTarget(build.id),))

    def restart(self, build: Build, target: RunTarget, *, failed_jobs_only: bool = False) -> str:
        assert not failed_jobs_only, "the core requests only what the service can do"
        self.calls.append("restart")
        self._wait("restart")
        run = self._runs.get(build.id, 1)
        self.posts.append((build.id, run, self.is_running(build.id)))
        failure = self.failures["restart"].pop(0) if self.failures["restart"] else None
        self.sent[build.id, run] += failure is None or failure.may_have_taken
        if failure is None or (failure.may_have_taken and self.restart_takes):
            self._run_again(build)
        self._wait("restart answered")
        if failure is not None:
            raise failure
        return self.new_id or build.id

    def cancel(self, build: Build, target: RunTarget) -> None:
        self._called("cancel")
        for seen in [seen for seen in self.all_builds if seen.id == target.run_id]:
            self.ends(seen.id, Status.STOPPED, "stopped")

    def with_details(self, build: Build) -> Build:
        self._called("in detail")
        return self.details.get(build.id, build)

    def failure_log(self, build: Build) -> FailureLog | None:
        self._called("log")
        return self.logs.get(build.id)

    def is_running(self, build_id: str) -> bool:
        """The real state, which the list may not show yet."""
        shown = next((b for b in self.all_builds if b.id == build_id), None)
        now = self._not_shown.get(build_id, shown)
        return now is not None and now.is_under_way

    def becomes(self, build_id: str, status: Status, word: str, finished_at: datetime | None = None) -> None:
        def changed(build: Build) -> Build:
            return replace(build, status=status, status_word=word, finished_at=finished_at)

        if build_id in self._not_shown:
            self._not_shown[build_id] = changed(self._not_shown[build_id])
        else:
            self.all_builds = [changed(b) if b.id == build_id else b for b in self.all_builds]

    def ends(self, build_id: str, status: Status = Status.PASSED, word: str = "success") -> None:
        self.becomes(build_id, status, word, self.clock.now())

    def catch_up(self) -> None:
        """From now on the list shows the real state."""
        while self._not_shown:
            _id, build = self._not_shown.popitem()
            self._show(build)

    def _run_again(self, build: Build) -> None:
        if self.is_running(build.id):
            return  # accepted and ignored
        now = self.clock.now()
        again = replace(build, status=Status.RUNNING, status_word="testing", started_at=now, finished_at=None)
        again = replace(again, id=self.new_id or build.id)
        self._runs[build.id] = self._runs.get(build.id, 1) + 1
        if self.restart_shows:
            self._show(again)
        else:
            self._not_shown[again.id] = again

    def _show(self, build: Build) -> None:
        if any(b.id == build.id for b in self.all_builds):
            self.all_builds = [build if b.id == build.id else b for b in self.all_builds]
        else:
            self.all_builds = [build, *self.all_builds]

    def _called(self, call: str) -> None:
        self.calls.append(call)
        self._wait(call)
        failure = self.failures[call].pop(0) if self.failures[call] else None
        if failure is not None:
            raise failure

    def _wait(self, gate: str) -> None:
        held = self._held.get(gate)
        if held is not None:
            held.enter()


class MemoryGroups:
    """A `Groups` whose members are sets. A group without a set cannot be fetched. `asked` holds the calls."""

    def __init__(self) -> None:
        self.members: dict[str, set[str]] = {}
        self.asked: list[str] = []

    def has(self, group_id: str, actor: Actor) -> bool | None:
        self.asked.append(group_id)
        members = self.members.get(group_id)
        return None if members is None else actor.id in members


class MemoryAccess:
    """A `ChannelAccess`."""

    def __init__(self) -> None:
        self.member: bool | None = True
        self.missing_scopes: tuple[str, ...] = ()

    def is_member(self, channel: str) -> bool | None:
        return self.member


class MemoryLimits:
    """A `CallLimits` of which nothing is used."""

    def calls_left(self, service: str) -> CallsLeft:
        return CallsLeft(60, 60)


class Reporting(ThreadPoolExecutor):
    """As in the bot, but it stores unexpected errors of its work."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.reported: list[BaseException] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = super().submit(fn, *args, **kwargs)
        future.add_done_callback(self._report)
        return future

    def _report(self, future: Future[Any]) -> None:
        failure = None if future.cancelled() else future.exception()
        if failure is not None and not isinstance(failure, BotError):
            self.reported.append(failure)


class World:
    """The core, assembled as in production, on `MemoryCI` and an SQLite store in memory."""

    def __init__(
        self,
        *,
        sending: Callable[[World], Executor] | None = None,
        ci: Callable[[HeldClock], MemoryCI] = MemoryCI,
    ) -> None:
        """`sending` makes the executor that sends restarts; without it they use the fetches' executor."""
        self.clock = HeldClock()
        self.ci = ci(self.clock)
        self.executor = Reporting(8)
        self.store = open_store("sqlite:///:memory:", self.clock)
        self.directory = ProjectIndex(self.ci, self.store.projects, self.executor, self.clock, nearest)
        self.fetcher = BuildFetcher(self.ci, self.executor, self.clock)
        self.sender = sending(self) if sending else self.executor
        self.sending = ActionSender(self.ci, self.fetcher, self.store.claims, self.sender, self.clock)
        self.restarts = ActionService(
            self.ci, self.fetcher, self.store.claims, self.store.history, self.sending, self.clock
        )
        self.groups = MemoryGroups()
        self.rights = Authorizer(OPEN, self.groups)
        self.subscriptions = SubscriptionService(
            self.services, self.store.subscriptions, self.store.decisions, self.rights, ZoneInfo("UTC")
        )
        store = self.store
        self.access = MemoryAccess()
        self.owners = PeriodOwners(self.services, store.watching, store.outbox, self.rights, self._announce)
        self.announced: Callable[[Sequence[Delivery]], None] = lambda _due: None
        self.operations = operations_on(
            self.services,
            self.store,
            self.rights,
            self.clock,
            subscriptions=self.subscriptions,
            owners=self.owners,
            access=self.access,
        )

    def _announce(self, due: Sequence[Delivery]) -> None:
        self.announced(due)

    @property
    def services(self) -> CIRegistry:
        """The service, and what the core has cached of it."""
        return CIRegistry([CIContext(self.ci, self.directory, self.fetcher, self.restarts)], nearest, self.clock)

    def knows(self, *projects: Project) -> None:
        self.ci.account.extend(projects)
        self.directory.refresh()
        self.ci.calls.clear()

    def has(self, *builds: Build) -> None:
        """The service lists these builds, newest first; the bot knows their projects."""
        self.ci.all_builds = list(builds)
        self.knows(*(p for p in dict.fromkeys(b.project for b in builds) if p not in self.ci.account))

    def find(self, *names: str, timeout_s: float = PATIENCE_S) -> Project:
        """The repository for a word with these spellings."""
        return self.services.resolve(Word.of(*names), timeout_s=timeout_s).project

    def ask(self, command: Command, actor: Actor = ADA, *, timeout_s: float = 16.0) -> Outcome:
        return self.operations.execute(
            command, UserRequest(actor, BUILDS, self.clock, self.clock.monotonic() + timeout_s)
        )

    def claim_on(self, build_id: str) -> Claim:
        """The newest stored claim."""
        [claim] = self.store.claims.newest("codeship", [build_id])
        return claim

    def close(self) -> None:
        self.executor.shutdown()
        self.store.close()

"""People in a simulated workspace, the request handler, the core, and two CI services in memory.

GitHub has workflows, cancels builds and restarts failed jobs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import count

from bot.app.name_matching import nearest
from bot.core.actions.sender import ActionSender
from bot.core.actions.service import ActionService
from bot.core.authorization import Authorizer
from bot.core.build_fetcher import BuildFetcher
from bot.core.follows.channel_messages import ChannelMessages
from bot.core.follows.failure_logs import FailureLogs
from bot.core.follows.live_messages import LiveMessages
from bot.core.lookup.ci_registry import CIContext, CIRegistry
from bot.core.lookup.project_index import ProjectIndex
from bot.core.model.actions.values import ActionPlan, RunTarget
from bot.core.model.audit import AuditEntry
from bot.core.model.builds import Ability, Build, Project, Status, Workflow
from bot.core.model.policy import OPEN
from bot.core.polling.poller import Poller
from bot.core.ports import Step
from bot.slack.answers import HandlerConfig, LiveMessagesThere, render_context
from bot.slack.audit_recorder import AuditRecorder
from bot.slack.client.connections import Connections
from bot.slack.handler import FollowUps, Reporting, RequestHandler
from bot.slack.incoming.payloads import SlackRequest
from bot.slack.incoming.recent_deliveries import Deliveries, RecentDeliveries
from bot.slack.outgoing.notifier import SlackNotifier
from bot.store import open_store
from playground.slack.model import Message
from playground.slack.plain_text import as_text
from tests.core.half_moved import plan_of
from tests.core.polling.world import HeldJobs
from tests.core.world import MemoryCI, MemoryGroups, operations_on
from tests.held_clock import HeldClock
from tests.slack.outgoing.replying import World
from tests.slack.several import CODESHIP, GITHUB, OLD_WEB, WEB
from tests.slack.steps import Steps


class WorkflowsCI(MemoryCI):
    """Builds of workflows. `asked` has for each restart whether only failed jobs were restarted."""

    def __init__(self, clock: HeldClock) -> None:
        super().__init__(clock, "github", "GitHub Actions")
        self.abilities = frozenset(Ability)
        self.asked: list[bool] = []

    hidden_organizations: tuple[str, ...] = ()

    def has_branch(self, project: Project, branch: str) -> bool | None:
        return None

    def recent(self, wanted: Callable[[Project], bool]) -> list[tuple[Project, list[Build]]] | None:
        return None

    def plan_restart(self, build: Build) -> ActionPlan:
        wrong = [run for run in build.workflows if run.has_ended and run.status.is_bad]
        again = wrong or [run for run in build.workflows if run.has_ended]
        return plan_of(again, [run for run in build.workflows if not run.has_ended])

    def plan_cancel(self, build: Build) -> ActionPlan:
        return plan_of([run for run in build.workflows if run.status.is_under_way], [])

    def restart(self, build: Build, target: RunTarget, *, failed_jobs_only: bool = False) -> str:
        self._called("restart")
        self.asked.append(failed_jobs_only)

        def runs(run: Workflow) -> Workflow:
            return replace(
                run,
                status=Status.RUNNING,
                status_word="in_progress",
                attempt=run.attempt + 1,
                started_at=self.clock.now(),
                finished_at=None,
            )

        self.changes(build.id, lambda run: runs(run) if run.run_id == target.run_id else run)
        return build.id

    def cancel(self, build: Build, target: RunTarget) -> None:
        self._called("cancel")

    def ends_all(self, status: Status, word: str) -> None:
        """Ends all running workflows."""

        def ended(run: Workflow) -> Workflow:
            return replace(run, status=status, status_word=word, finished_at=self.clock.now())

        for build in self.all_builds:
            self.changes(build.id, lambda run: run if run.has_ended else ended(run))

    def changes(self, build_id: str, change: Callable[[Workflow], Workflow]) -> None:
        for at, build in enumerate(self.all_builds):
            if build.id == build_id:
                runs = tuple(map(change, build.workflows))
                going = [run for run in runs if not run.has_ended]
                worst = next(iter(going or [run for run in runs if run.status.is_bad] or runs))
                self.all_builds[at] = replace(
                    build,
                    workflows=runs,
                    status=worst.status,
                    status_word=worst.status_word,
                    started_at=worst.started_at,
                    finished_at=None if going else worst.finished_at,
                )


class Talk:
    """`github` and `codeship` each have an acme/web; what they show is up to the test."""

    def __init__(self, slack: World, executor: ThreadPoolExecutor) -> None:
        self.slack, self.clock, store = slack, slack.clock, slack.store
        self.codeship, self.github = MemoryCI(self.clock), WorkflowsCI(self.clock)
        self.codeship.account, self.github.account = [OLD_WEB], [WEB]
        services: list[CIContext] = []
        for ci in (self.codeship, self.github):
            directory = ProjectIndex(ci, store.projects, executor, self.clock, nearest)
            fetcher = BuildFetcher(ci, executor, self.clock)
            sending = ActionSender(ci, fetcher, store.claims, executor, self.clock)
            services.append(
                CIContext(
                    ci, directory, fetcher, ActionService(ci, fetcher, store.claims, store.history, sending, self.clock)
                )
            )
            directory.refresh()
        self.colleagues: set[str] = set()
        self.rights = Authorizer(OPEN, MemoryGroups())
        self.audit = store.audit
        of_all = CIRegistry(services, nearest, self.clock)
        manners = HandlerConfig("/codeship", "@codeship", {"codeship": CODESHIP, "github": GITHUB})
        messages = LiveMessages(
            services=of_all,
            follows=store.follows,
            history=store.history,
            notifier=SlackNotifier(slack.client, lambda: render_context(manners, self.clock, self.rights)),
            logs=FailureLogs(of_all, self.rights),
            clock=self.clock,
        )
        self.following = Poller(
            services=of_all,
            follows=store.follows,
            messages=messages,
            jobs=HeldJobs(self.clock),
            clock=self.clock,
            late=lambda _seconds: None,
        )
        references = count(1)
        self.conversation = RequestHandler(
            config=manners,
            clock=self.clock,
            deliveries=Deliveries(RecentDeliveries(self.clock), store.idempotency_keys),
            operations=operations_on(of_all, store, self.rights, self.clock),
            replies=slack.answers,
            context=lambda: render_context(manners, self.clock, self.rights),
            follow_ups=FollowUps(self.following, lambda *_what: None),
            reporting=Reporting(
                AuditRecorder(store.audit, self.clock, "codeship", lambda text: text, lambda: None),
                lambda: f"r{next(references)}",
                lambda *_what: None,
            ),
            live=LiveMessagesThere(
                ChannelMessages(store.follows, self.clock), lambda channel, ts: f"https://x.slack.com/{channel}/{ts}"
            ),
            is_colleague=lambda actor: actor.id in self.colleagues,
        )

    def says(self, text: str, who: str = "ada", where: str = "#builds") -> None:
        self.hears(self.slack.says(who, where, text))

    def presses(self, label: str, who: str = "ada", *, on: Message | None = None) -> None:
        """A button of the last message that `who` sees, its dialog confirmed."""
        message = on or self.slack.last("#builds", who)
        self.slack.workspace.presses(who, message, label, confirm=True)
        assert self.slack.ear.heard is not None
        self.hears(self.slack.ear.heard)

    def presses_from_elsewhere(self, on: Message, label: str, *, may_be_colleague: bool) -> None:
        """As ada, but with the team of another workspace."""
        self.slack.workspace.presses("ada", on, label, confirm=True)
        assert self.slack.ear.heard is not None
        self.hears(replace(self.slack.ear.heard, from_elsewhere=True, may_be_colleague=may_be_colleague))

    def hears(self, slack_request: SlackRequest, step: Step | None = None) -> None:
        """What changes something is a job's, as in production."""
        if self.conversation.changes_something(slack_request):
            payload = json.loads(json.dumps(self.conversation.job_of(slack_request)))
            self.conversation.job(payload, step or Steps())
        else:
            self.conversation.handle(slack_request, self.clock.monotonic())

    def poll(self) -> None:
        """Polls everything that is followed, long enough after the last change of a message."""
        self.clock.advance(10.0)
        self.following.poll("github", WEB.id)

    def said(self, who: str = "ada") -> list[str]:
        names = self.slack.workspace.names
        return ["\n".join(as_text(message, names)) for message in self.slack.seen("#builds", who)]

    def actions(self) -> list[AuditEntry]:
        """The newest first, of both services."""
        return self.audit.last(20)


@contextmanager
def a_talk() -> Iterator[Talk]:
    store = open_store("sqlite:///:memory:", clock := HeldClock())
    with ThreadPoolExecutor(4) as executor:
        connections = Connections(5.0)
        slack = World(store, connections, clock)
        yield Talk(slack, executor)
        connections.close()
        slack.slack.stop()
    store.close()

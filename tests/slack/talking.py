"""A team half moved, without the assembly: people in a sandbox workspace, the conversation, the core, and two CI
services in memory, of which GitHub has workflows, stops builds and restarts failed jobs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import count

import requests

from bot.app.name_matching import nearest
from bot.core.actions.sender import Sending
from bot.core.actions.service import Restarts
from bot.core.authorization import Rights
from bot.core.build_fetcher import Looks
from bot.core.follows.live_messages import LiveMessages
from bot.core.lookup.ci_registry import Service, Services
from bot.core.lookup.project_index import Directory
from bot.core.model.audit import AuditEntry
from bot.core.model.builds import Ability, Build, Status, Taken, Workflow
from bot.core.model.policy import OPEN
from bot.core.operations import Operations
from bot.core.polling.poller import Following
from bot.core.ports import Step
from bot.slack.audit_recorder import Recorder
from bot.slack.client.web_client import web_client
from bot.slack.handler import Conversation, Manners, wording
from bot.slack.incoming.payloads import Heard
from bot.slack.outgoing.notifier import SlackNotifier
from bot.store import open_store
from playground.slack.model import Message
from playground.slack.plain_text import draw
from tests.core.polling.world import HeldJobs
from tests.core.world import MemoryCI, MemoryGroups
from tests.held_clock import HeldClock
from tests.slack.outgoing.replying import HOME, TOKEN, World
from tests.slack.several import CODESHIP, GITHUB, OLD_WEB, WEB
from tests.slack.steps import Steps


class WorkflowsCI(MemoryCI):
    """Builds of workflows. `asked` says of each restart whether it was of the failed jobs only."""

    def __init__(self, clock: HeldClock) -> None:
        super().__init__(clock, "github", "GitHub Actions")
        self.abilities = frozenset(Ability)
        self.asked: list[bool] = []

    def restart(self, build: Build, *, failed_jobs_only: bool = False) -> Taken:
        self._called("restart")
        self.asked.append(failed_jobs_only)
        wrong = [run for run in build.workflows if run.has_ended and run.status.is_bad]
        again = wrong or [run for run in build.workflows if run.has_ended]

        def runs(run: Workflow) -> Workflow:
            return replace(
                run,
                status=Status.RUNNING,
                status_word="in_progress",
                attempt=run.attempt + 1,
                started_at=self.clock.now(),
                finished_at=None,
            )

        self.changes(build.id, lambda run: runs(run) if run in again else run)
        left = tuple(run.name for run in build.workflows if not run.has_ended)
        return Taken(build.id, tuple(run.name for run in again), left)

    def stop(self, build: Build) -> Taken:
        self._called("stop")
        return Taken(build.id, tuple(run.name for run in build.workflows if run.status.is_under_way))

    def ends_all(self, status: Status, word: str) -> None:
        """Whatever runs."""

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
        services: list[Service] = []
        for ci in (self.codeship, self.github):
            directory = Directory(ci, store.directory, executor, self.clock, nearest)
            looks = Looks(ci, executor, self.clock)
            sending = Sending(ci, looks, store.claims, executor, self.clock)
            services.append(
                Service(ci, directory, looks, Restarts(ci, store.claims, store.history, sending, self.clock))
            )
            directory.refresh()
        self.rights = Rights(OPEN, MemoryGroups())
        self.audit = store.audit
        of_all = Services(services, nearest, self.clock)
        manners = Manners("/codeship", "@codeship", {"codeship": CODESHIP, "github": GITHUB})
        client = web_client(TOKEN, slack.slack.api_url, 5.0)
        messages = LiveMessages(
            services=of_all,
            follows=store.follows,
            history=store.history,
            notifier=SlackNotifier(client, lambda: wording(manners, self.clock, self.rights)),
            clock=self.clock,
        )
        self.following = Following(
            services=of_all,
            follows=store.follows,
            messages=messages,
            jobs=HeldJobs(self.clock),
            clock=self.clock,
            late=lambda _seconds: None,
        )
        references = count(1)
        self.conversation = Conversation(
            operations=Operations(of_all, store.audit, self.rights),
            answers=slack.answers,
            once=store.once,
            clock=self.clock,
            home=HOME,
            recorder=Recorder(store.audit, self.clock, HOME, "codeship", lambda text: text, lambda: None),
            manners=manners,
            rights=self.rights,
            reference=lambda: f"r{next(references)}",
            observe=lambda *_what: None,
            following=self.following,
            again=lambda *_what: None,
        )

    def says(self, text: str, who: str = "ada", where: str = "#builds") -> None:
        self.hears(self.slack.says(who, where, text))

    def presses(self, label: str, who: str = "ada", *, on: Message | None = None) -> None:
        """A button of the last message that `who` sees, its dialog confirmed."""
        message = on or self.slack.last("#builds", who)
        self.slack.workspace.presses(who, message, label, confirm=True)
        assert self.slack.ear.heard is not None
        self.hears(self.slack.ear.heard)

    def hears(self, heard: Heard, step: Step | None = None) -> None:
        """What changes something is a job's, as in production."""
        if self.conversation.changes_something(heard):
            payload = json.loads(json.dumps(self.conversation.job_of(heard)))
            self.conversation.job(payload, step or Steps())
        else:
            self.conversation.hear(heard, self.clock.monotonic())

    def look(self) -> None:
        """At whatever is followed, long enough after the last change of a message."""
        self.clock.advance(10.0)
        self.following.look("github", WEB.id)

    def said(self, who: str = "ada") -> list[str]:
        names = self.slack.workspace.names
        return ["\n".join(draw(message, names)) for message in self.slack.seen("#builds", who)]

    def actions(self) -> list[AuditEntry]:
        """The newest first, of both services."""
        return self.audit.last(20)


@contextmanager
def a_talk() -> Iterator[Talk]:
    store = open_store("sqlite:///:memory:", clock := HeldClock())
    with requests.Session() as session, ThreadPoolExecutor(4) as executor:
        session.trust_env = False
        slack = World(store, session, clock)
        yield Talk(slack, executor)
        slack.slack.stop()
    store.close()

"""A channel watch and its sender on a `World`: builds happen, and what the channels of a Slack in memory show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.core.model.builds import Actor, Build, FailedJob, FailureLog, Location, Project, Status, Workflow
from bot.core.model.command_entries import Command
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.notifications.deliveries import Delivery, Digest
from bot.core.model.notifications.muted import WhileMuted
from bot.core.model.notifications.reasons import Reason
from bot.core.model.notifications.subscriptions import DEFAULT_EVENTS, Event, Filters, Subscription
from bot.core.model.outcomes import Outcome
from bot.core.model.people.authors import CommitAuthor
from bot.core.notifications.muted import MuteEnds
from bot.core.notifications.reminders import DailyReminders
from bot.core.notifications.sender import ANNOUNCE, CLAIMED_FOR, Sender
from bot.core.people.authors import Authors
from bot.core.polling.watch import ChannelWatch
from bot.core.request import UserRequest
from tests.core.polling.world import HeldJobs
from tests.core.world import MemoryCI, World, project
from tests.held_clock import HeldClock

ADA, BOB = Actor("U0ADA"), Actor("U0BOB")
WEB, API = project(1, "acme/web"), project(2, "acme/api")
CHANNEL = "C0BUILDS"


STATUSES = {
    "ok": Status.PASSED,
    "bad": Status.FAILED,
    "run": Status.RUNNING,
    "failing": Status.RUNNING,
    "stop": Status.STOPPED,
}


@dataclass
class Shown:
    """A message: what it says now, its replies, and which of them the channel shows, too."""

    channel: str
    says: str
    replies: list[str]
    broadcasts: int = 0
    deleted: bool = False


class Crash(BaseException):
    """The process dies."""


class MemorySlack:
    """An `Announcer`. `failures` holds what the next calls raise before they do anything, None for success.

    `after` holds what they raise once it is done: Slack has it, and its answer is lost. `posts` and `updates` have the
    channel of each call that did something.
    """

    def __init__(self) -> None:
        self.messages: dict[str, Shown] = {}
        self.failures: list[BaseException | None] = []
        self.after: list[BaseException | None] = []
        self.told: list[tuple[Actor, str, str]] = []
        self.authors: list[tuple[str, str, str | None, str | None]] = []
        self.posts: list[str] = []
        self.updates: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def post(self, delivery: Delivery) -> str | None:
        self._begin()
        ts = f"{len(self.messages) + 1}.0"
        self.messages[ts] = Shown(delivery.channel, _words(delivery), [])
        self.posts.append(delivery.channel)
        self._end()
        return ts

    def change(self, delivery: Delivery, head_ts: str) -> None:
        self._begin()
        self.messages[head_ts].says = _words(delivery)
        self.updates.append(delivery.channel)
        self._end()

    def reply(self, delivery: Delivery, head_ts: str, *, broadcast: bool) -> str | None:
        self._begin()
        message = self.messages[head_ts]
        message.replies.append(_words(delivery))
        message.broadcasts += broadcast
        self.posts.append(delivery.channel)
        self._end()
        return f"{head_ts}.{len(message.replies)}"

    def show_log(self, delivery: Delivery, head_ts: str, log: FailureLog) -> None:
        self._begin()
        self.messages[head_ts].replies.append(f"log of {log.job.name}")

    def post_digest(self, digest: Digest) -> str | None:
        self._begin()
        ts = f"{len(self.messages) + 1}.0"
        self.messages[ts] = Shown(digest.channel, _all_words(digest), [])
        self.posts.append(digest.channel)
        self._end()
        return ts

    def change_digest(self, digest: Digest, ts: str) -> None:
        self._begin()
        self.messages[ts].says = _all_words(digest)
        self.updates.append(digest.channel)
        self._end()

    def post_while_muted(self, told: WhileMuted) -> str | None:
        self._begin()
        ts = f"{len(self.messages) + 1}.0"
        said = ", ".join(f"{_name(each)} {happened.value}" for each, happened in told.happened)
        self.messages[ts] = Shown(told.mute.channel, f"while muted: {said}", [])
        self.posts.append(told.mute.channel)
        self._end()
        return ts

    def tell_author(self, delivery: Delivery, channel: str | None, ts: str | None) -> str | None:
        self._begin()
        self.authors.append((delivery.channel, _words(delivery), channel, ts))
        self._end()
        return f"D{len(self.authors)}.0"

    def ask_author(self, delivery: Delivery, head_ts: str, login: str) -> None:
        self._begin()
        self.messages[head_ts].replies.append(f"is {login} you?")

    def tell_maker(self, person: Actor, channel: str, why: str) -> None:
        self.told.append((person, channel, why))

    def _begin(self) -> None:
        self.meanwhile()
        self._raise(self.failures)

    def _end(self) -> None:
        self._raise(self.after)

    def _raise(self, failures: list[BaseException | None]) -> None:
        failure = failures.pop(0) if failures else None
        if failure is not None:
            raise failure


class Counts(Counter[str]):
    """A `WatchObserver`."""

    def decided(self, reason: str) -> None:
        self[reason] += 1

    def webhook(self, service: str, result: str) -> None:
        self[f"{service} {result}"] += 1

    def webhook_missed(self, service: str) -> None:
        self[f"{service} missed"] += 1


def _all_words(digest: Digest) -> str:
    cause = f" ({digest.cause})" if digest.cause else ""
    return f"digest{cause}: " + ", ".join(_words(each).removeprefix("acme/") for each in digest.deliveries)


def _name(delivery: Delivery) -> str:
    build = delivery.transition.build
    return f"{build.project.name} {build.branch}"


def _words(delivery: Delivery) -> str:
    build = delivery.transition.build
    owner = delivery.transition.period.owner if delivery.transition.period else None
    on_it = f", {owner.person.id} is on it" if owner else ""
    mentions = delivery.transition.period.mentions if delivery.transition.period else None
    by = f", by {mentions.id}" if mentions else ""
    return f"{build.project.name} {build.branch} {delivery.transition.change} {build.id}{on_it}{by}"


class Hearing:
    """One process that polls and sends, on a service that lists all builds with one call unless told otherwise."""

    def __init__(
        self,
        *,
        lists_builds: bool = True,
        ci: Callable[[HeldClock], MemoryCI] = MemoryCI,
        slack: MemorySlack | None = None,
    ) -> None:
        self.world = World(ci=ci)
        self.ci, self.clock, self.store = self.world.ci, self.world.clock, self.world.store
        self.ci.lists_builds = lists_builds
        self.slack = slack or MemorySlack()
        self.jobs = HeldJobs(self.clock)
        self.counts = Counts()
        self.has_workflows = False
        self.emails: dict[str, Actor] = {}
        self.author: CommitAuthor | None = None
        self.log: FailureLog | None = None
        self.observed: list[tuple[str, str, float | None]] = []
        self.watch, self.sender = self.process("replica 1")
        self.world.announced = self.sender.announce
        self.world.knows(WEB, API)

    def process(self, name: str) -> tuple[ChannelWatch, Sender]:
        """The parts of another process on the same store and Slack."""
        authors = Authors(
            self.store.people,
            self.store.claims,
            self.store.watching,
            self.store.outbox,
            self.store.idempotency_keys,
            by_email=self.emails.get,
            domains=frozenset({"acme.example"}),
        )
        sender = Sender(
            outbox=self.store.outbox,
            subscriptions=self.store.subscriptions,
            announcer=self.slack,
            jobs=self.jobs,
            clock=self.clock,
            details=lambda build: build,
            log_of=lambda _channel, _build: self.log,
            observe=lambda *seen: self.observed.append(seen),
            authors=authors,
        )
        self.jobs.kinds[ANNOUNCE] = sender.job
        self.reminders = DailyReminders(
            subscriptions=self.store.subscriptions,
            outbox=self.store.outbox,
            watching=self.store.watching,
            clock=self.clock,
            announce=sender.announce,
        )
        self.mute_ends = MuteEnds(
            subscriptions=self.store.subscriptions,
            outbox=self.store.outbox,
            watching=self.store.watching,
            announcer=self.slack,
            clock=self.clock,
            claimed_for=CLAIMED_FOR,
            announce=sender.announce,
        )
        watch = ChannelWatch(
            services=self.world.services,
            subscriptions=self.store.subscriptions,
            watching=self.store.watching,
            history=self.store.build_history,
            authors=authors,
            clock=self.clock,
            holder=name,
            announce=sender.announce,
            observer=self.counts,
            polling=self.store.polling_log,
        )
        return watch, sender

    def subscribe(
        self,
        *events: Event,
        repo: str = "acme/*",
        branch: str = "main",
        channel: str = CHANNEL,
        since: datetime | None = None,
        **more: Any,
    ) -> None:
        """Without `since`, the first look is the beginning. `more` are other fields of `Filters`."""
        branches = NamePattern((branch,))
        wanted = frozenset(events) or DEFAULT_EVENTS
        filters = Filters(NamePattern((repo,)), branches=branches, events=wanted, **more)
        self.store.subscriptions.add(Subscription(channel, filters, ADA, since))

    def builds(self, *texts: str, of: Project = WEB) -> None:
        """What the service shows of the project from now on, newest first: `11 bad`, `10 ok release`, `12 run`."""
        shown = [self._build(text, of) for text in texts]
        self.ci.all_builds = [build for build in self.ci.all_builds if build.project != of] + shown

    def poll(self) -> None:
        """A second passes, and the service is looked at and the channels are told."""
        self.clock.advance(1)
        self.watch.poll_all("codeship")
        self.jobs.pass_time(0)

    def goes(self, *looks: str, of: Project = WEB) -> None:
        """Looks at each of these: builds with `;` between them."""
        for text in looks:
            self.builds(*(part.strip() for part in text.split(";") if part.strip()), of=of)
            self.poll()

    def does(self, command: Command, who: Actor) -> Outcome:
        """What comes of a command in the channel."""
        request = UserRequest(who, Location(CHANNEL), self.clock, self.clock.monotonic() + 16.0)
        return self.world.operations.execute(command, request)

    def heard(self, channel: str = CHANNEL) -> list[str]:
        """Each message of the channel, as it is now, and its replies; `*` marks those that the channel shows, too."""
        lines = []
        for message in self.slack.messages.values():
            if message.channel == channel and not message.deleted:
                lines.append(message.says.removeprefix("acme/"))
                for reply in message.replies:
                    lines.append(f"  {'*' if message.broadcasts else ''}{reply.removeprefix('acme/')}")
        return lines

    def reasons(self, branch: str = "main") -> list[Reason]:
        """Why the channel heard of builds of acme/web or not, the newest first."""
        return self.reasons_of(WEB, branch)

    def reasons_of(self, of: Project, branch: str = "main") -> list[Reason]:
        return [one.reason for one in self.store.decisions.decisions("codeship", of.id, branch, CHANNEL)]

    def close(self) -> None:
        self.world.close()

    def _build(self, text: str, of: Project) -> Build:
        number, word, *branch = text.split()
        again = number.count("'")
        number = number.rstrip("'")
        status = STATUSES[word]
        ended = self.clock.now() + timedelta(minutes=again)
        known = next((b for b in self.ci.all_builds if (b.id, b.status, b.project) == (number, status, of)), None)
        if known is not None and not again:
            return known
        build = Build(number, of, status, word, branch=branch[0] if branch else "main", commit=f"c{number}")
        build = replace(build, started_at=ended, finished_at=None if status.is_under_way else ended)
        build = replace(build, made_by=self.author)
        if not self.has_workflows:
            return build
        failed = (FailedJob("test"),) if word == "failing" else ()
        run = Workflow(number, "CI", status, word, again + 1, ended, build.finished_at, failed_jobs=failed)
        return replace(build, workflows=(run,))

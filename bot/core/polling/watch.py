"""Polls for channels: compares what a CI service lists with what was stored, and stores what channels are told.

One process polls each service, the one with its lease. Polling never speaks to Slack: it stores what is due, and
`announce` starts its sending. A poll that began before the last one that was stored is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from bot.core.lookup.ci_registry import CIContext, CIRegistry
from bot.core.model.builds import Build, Project
from bot.core.model.ended_builds import EndedBuild, ended
from bot.core.model.errors import CIError, OverLimit
from bot.core.model.notifications.deliveries import Delivery
from bot.core.model.notifications.health import WebhookResult
from bot.core.model.notifications.reasons import SeenBy
from bot.core.model.notifications.subscriptions import Mute, Subscription, SubscriptionIndex
from bot.core.model.rate_limit import CLOCKS_APART
from bot.core.notifications.ports import PollingLog, SubscriptionStore, WatchObserver, WatchStore
from bot.core.notifications.recipients import Audience
from bot.core.people.authors import Authors
from bot.core.polling.comparison import Comparison, ProjectPoll, has_unlisted
from bot.core.polling.gone import GoneBranches
from bot.core.ports import BuildHistoryStore, Clock
from bot.core.rate_limiter import FOR_BACKGROUND, charged_to

LEASE_S = 10.0
RENEWED_EVERY_S = 3.0
CALL_S = 12.0

TICK_S = 1.0
"""Seconds after which a webhook is noticed at the latest."""

LIST_EVERY_S = 15.0
HINTED_EVERY_S = 5.0
"""Seconds between two lists if a webhook came."""
MISSED_AFTER_S = 60.0
"""A webhook that comes later than this after the change was seen counts as missed."""
TIMES_ITS_DURATION = 10
"""A list that takes two seconds is read every twenty."""

RUNNING_EVERY_S, BUSY_EVERY_S, QUIET_EVERY_S = 20.0, 120.0, 900.0
"""Seconds between two polls of a project: while a build runs, within a day of its last change, and else."""
BUSY_FOR = timedelta(days=1)
MAX_PAUSE_S = 90.0


@dataclass(frozen=True, slots=True)
class _Polled:
    """How many projects a round has polled, and whether one list had them all."""

    count: int
    is_list: bool = False


@dataclass(slots=True)
class _Seen:
    """What this process remembers of a project, to leave out what has not changed, and when to poll it again."""

    fingerprint: object = None
    due_s: float = 0.0
    changed_at: datetime | None = None
    hinted: bool = False
    caught_up: dict[str, int] = field(default_factory=dict)
    """As for `Comparison`."""
    ends: set[EndedBuild] = field(default_factory=set)


@dataclass(slots=True)
class _Watched:
    """What this process remembers of a service while it has the lease."""

    due_s: float = 0.0
    polled_s: float | None = None
    has_lease: bool = False
    renew_s: float = 0.0
    subscriptions: Sequence[Subscription] = ()
    projects: dict[str, _Seen] = field(default_factory=dict)
    recorded_s: float | None = None
    """When the last poll was recorded, in seconds; None after a failure."""
    has_webhooks: bool = False
    unannounced: dict[str, float] = field(default_factory=dict)
    """When a change of a project was seen, in seconds, that no webhook has reported yet."""
    new: list[Subscription] = field(default_factory=list)
    stored: list[Delivery] = field(default_factory=list)


class ChannelWatch:
    """Call `tick` for each service from one thread, again after the seconds that it returns.

    `poll_soon` is thread-safe.

    `announce` is called after each poll with what is due, once it is stored.
    """

    def __init__(
        self,
        *,
        services: CIRegistry,
        subscriptions: SubscriptionStore,
        watching: WatchStore,
        history: BuildHistoryStore,
        authors: Authors,
        clock: Clock,
        holder: str,
        announce: Callable[[Sequence[Delivery]], None],
        observer: WatchObserver,
        polling: PollingLog,
    ) -> None:
        self._services = services
        self._subscriptions = subscriptions
        self._watching = watching
        self._history = history
        self._authors = authors
        self._clock = clock
        self._holder = holder
        self._announce = announce
        self._observer = observer
        self._polling = polling
        self._gone = {service.name: GoneBranches(subscriptions, watching, clock) for service in services}
        self._watched = {service.name: _Watched() for service in services}

    def poll_soon(self, service: str, project_id: str) -> None:
        """A webhook says that the project has changed: the process with the lease polls it next."""
        self._polling.heard(service, project_id)

    def tick(self, service: str) -> float:
        """Polls if that is due and this process has the lease or can take it. Returns seconds until the next call."""
        watched = self._watched[service]
        if not self._has_listeners(service, watched):
            self.leave(service)
            return RENEWED_EVERY_S
        if not self._has_lease(service, watched):
            return RENEWED_EVERY_S
        now_s = self._clock.monotonic()
        due_s = watched.due_s
        if watched.polled_s is not None and (watched.new or self._polling.hints(service)):
            due_s = min(due_s, watched.polled_s + HINTED_EVERY_S)
        if now_s >= due_s:
            self.poll(service)
            self._announce(self._gone[service].close(self._services.of(service), watched.subscriptions))
        return min(TICK_S, max(0.0, watched.due_s - self._clock.monotonic()))

    def poll_all(self, service: str) -> None:
        """Fetches every watched project now, due or not, and without the lease."""
        watched = self._watched[service]
        if self._has_listeners(service, watched):
            for seen in watched.projects.values():
                seen.due_s = 0.0
            self.poll(service)

    def leave(self, service: str) -> None:
        """Gives the lease back, so that another process need not wait for its end."""
        watched = self._watched[service]
        if watched.has_lease:
            watched.has_lease = False
            self._watching.release(service, self._holder)

    def poll(self, service: str) -> None:
        """Polls what is due of the service, and stores what follows. Does not raise CIError."""
        watched = self._watched[service]
        began_s = watched.polled_s = self._clock.monotonic()
        began_at, hints = self._clock.now(), self._polling.hints(service)
        watched.has_webhooks = watched.has_webhooks or bool(hints)
        new, watched.new = SubscriptionIndex(watched.new), []
        try:
            polled = self._poll(self._services.of(service), watched, hints, new)
        except CIError as failure:
            watched.recorded_s = None
            self._polling.failed(service, failure.detail or _why(failure))
            waits = failure.retry_after_s if isinstance(failure, OverLimit) else None
            watched.due_s = began_s + min(max(waits or 0.0, LIST_EVERY_S), MAX_PAUSE_S)
            return
        finally:  # together: a channel hears of many branches in one message
            stored, watched.stored = watched.stored, []
            self._announce(stored)
        self._count_missed(service, watched)
        took_s = self._clock.monotonic() - began_s
        every_s = max(LIST_EVERY_S, TIMES_ITS_DURATION * took_s) if polled.is_list else None
        if polled.count and (watched.recorded_s is None or began_s - watched.recorded_s >= LIST_EVERY_S):
            watched.recorded_s = began_s
            self._polling.polled(service, began_at, every_s)
        if hints:
            self._polling.followed(service, hints)
        watched.due_s = began_s + (every_s or RENEWED_EVERY_S)

    def _count_missed(self, service: str, watched: _Watched) -> None:
        for project_id, seen_s in [*watched.unannounced.items()]:
            if self._clock.monotonic() - seen_s > MISSED_AFTER_S:
                del watched.unannounced[project_id]
                self._observer.webhook_missed(service)
                self._polling.counted(service, WebhookResult.MISSED)

    def _webhook(self, service: str, result: WebhookResult) -> None:
        self._observer.webhook(service, result.value)
        self._polling.counted(service, result)

    def _has_listeners(self, service: str, watched: _Watched) -> bool:
        known = watched.subscriptions
        everyone = self._subscriptions.all()
        watched.subscriptions = [each for each in everyone if each.filters.service in (None, service)]
        watched.new += [each for each in watched.subscriptions if each not in known]
        return bool(watched.subscriptions)

    def _has_lease(self, service: str, watched: _Watched) -> bool:
        now_s = self._clock.monotonic()
        if watched.has_lease and now_s < watched.renew_s:
            return True
        had = watched.has_lease
        watched.has_lease = self._watching.lease(service, self._holder, LEASE_S)
        watched.renew_s = now_s + RENEWED_EVERY_S
        if watched.has_lease and not had:  # another process may have polled since
            watched.projects.clear()
            watched.due_s = now_s
            watched.has_webhooks = self._polling.state(service).heard_at is not None
        return watched.has_lease

    def _poll(self, service: CIContext, watched: _Watched, hinted: Collection[str], new: SubscriptionIndex) -> _Polled:
        """Raises CIError."""
        began_at = self._clock.now()
        index = SubscriptionIndex(watched.subscriptions)
        mutes = self._subscriptions.mutes()
        with charged_to(FOR_BACKGROUND):
            listed = service.provider.recent(lambda project: bool(index.of_repository(project.service, project.name)))
        if listed is not None:
            polls = [
                ProjectPoll(
                    project,
                    builds,
                    began_at,
                    self._audience(index, mutes, project),
                    SeenBy.WEBHOOK if project.id in hinted else SeenBy.LIST,
                )
                for project, builds in listed
            ]
            self._take_all(service, watched, polls)
            return _Polled(len(polls), is_list=True)
        heard = [
            (project, audience)
            for project in service.project_index.matching("", timeout_s=0.0)
            if (audience := self._audience(index, mutes, project)).subscriptions
        ]
        for project, _ in heard:
            seen = watched.projects.setdefault(project.id, _Seen())
            if project.id in hinted:
                seen.due_s, seen.hinted = 0.0, True
            elif new.of_repository(project.service, project.name):
                seen.due_s = 0.0
        return _Polled(self._poll_each(service, watched, heard))

    def _take_all(self, service: CIContext, watched: _Watched, polls: Sequence[ProjectPoll]) -> None:
        """After downtime each branch may have to be fetched: the default ones of all projects first. Raises CIError."""
        failed: CIError | None = None
        for only_default in (True, False):
            rest: list[ProjectPoll] = []
            for poll in polls:
                try:
                    if not self._take(service, watched, poll, only_default=only_default):
                        rest.append(poll)
                except CIError as failure:  # it is compared again with the next list
                    failed = failure
            polls = rest
        if failed is not None:
            raise failed

    def _poll_each(self, service: CIContext, watched: _Watched, heard: Sequence[tuple[Project, Audience]]) -> int:
        """Polls each project that is due, longest due first, until `RENEWED_EVERY_S` have passed.

        Returns how many.
        """
        began_s, count = self._clock.monotonic(), 0
        due = [(watched.projects[project.id].due_s, project, audience) for project, audience in heard]
        for due_s, project, audience in sorted(due, key=lambda one: one[0]):
            now_s = self._clock.monotonic()
            if due_s > now_s or now_s - began_s > RENEWED_EVERY_S:
                break
            seen = watched.projects[project.id]
            seen_by = SeenBy.WEBHOOK if seen.hinted else SeenBy.POLL
            snapshot = service.fetcher.builds(project, None, timeout_s=CALL_S, allowance=FOR_BACKGROUND)
            self._take(service, watched, ProjectPoll(project, snapshot.builds, snapshot.began_at, audience, seen_by))
            seen.hinted = False
            seen.due_s = now_s + self._interval_s(seen, snapshot.builds)
            count += 1
        return count

    def _interval_s(self, seen: _Seen, builds: Sequence[Build]) -> float:
        if any(build.is_under_way for build in builds):
            return RUNNING_EVERY_S
        is_busy = seen.changed_at is not None and self._clock.now() - seen.changed_at < BUSY_FOR
        return BUSY_EVERY_S if is_busy else QUIET_EVERY_S

    def _audience(self, index: SubscriptionIndex, mutes: Sequence[Mute], project: Project) -> Audience:
        return Audience(index.of_repository(project.service, project.name), mutes, project.default_branch)

    def _take(self, service: CIContext, watched: _Watched, poll: ProjectPoll, *, only_default: bool = False) -> bool:
        """Stores what the poll has shown of a project, unless nothing has changed. False if branches are left.

        Raises CIError if one could not be fetched; what is known of the others is stored.
        """
        if not poll.audience.subscriptions:
            return True
        seen = watched.projects.setdefault(poll.project.id, _Seen())
        fingerprint = poll.fingerprint
        is_hinted = poll.seen_by is SeenBy.WEBHOOK
        if is_hinted:
            watched.unannounced.pop(poll.project.id, None)
        if seen.fingerprint == fingerprint:
            if is_hinted:
                self._webhook(service.name, WebhookResult.LATE)
            return True
        before = self._watching.project(poll.project.service, poll.project.id)
        if before.polled_at is not None and poll.began_at < before.polled_at < poll.began_at + CLOCKS_APART:
            return True
        fetch = partial(self._of_branch, service)
        found = Comparison(before, poll, fetch, seen.caught_up, self._authors).run(only_default=only_default)
        after = found.after
        is_known = before.branches == after.branches and before.seen_to == after.seen_to
        if found.deliveries or found.decisions or not is_known:  # after a takeover most projects are as stored
            new = self._watching.apply(before, after, found.deliveries, found.decisions)
            if new is None:
                return True
            watched.stored += new
        for decision in found.decisions:
            self._observer.decided(decision.reason.value)
        if found.failure is not None:
            raise found.failure
        if not found.is_whole:
            return False
        self._record_ends(seen, poll)
        if is_hinted:
            self._webhook(service.name, WebhookResult.NEWS)
        elif watched.has_webhooks and seen.fingerprint is not None:
            watched.unannounced[poll.project.id] = self._clock.monotonic()
        # A build that runs on and is no longer listed may end without a change of the list.
        seen.fingerprint = None if has_unlisted(after, poll.builds) else fingerprint
        seen.changed_at = poll.began_at
        seen.caught_up.clear()
        return True

    def _record_ends(self, seen: _Seen, poll: ProjectPoll) -> None:
        """Stores how builds of watched branches ended, for `flaky` and `slow`."""
        ends = set(ended(build for build in poll.builds if poll.audience.hears_branch(build.branch or "")))
        if ends - seen.ends:
            self._history.add(list(ends - seen.ends))
            seen.ends = ends

    def _of_branch(self, service: CIContext, project: Project, branch: str) -> list[Build]:
        return list(service.fetcher.builds(project, branch, timeout_s=CALL_S, allowance=FOR_BACKGROUND).builds)


def _why(failure: CIError) -> str:
    return "rate limit reached" if isinstance(failure, OverLimit) else "unknown reason"

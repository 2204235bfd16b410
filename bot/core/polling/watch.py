"""Polls for channels: compares what a CI service lists with what was stored, and stores what channels are told.

One process polls each service, the one with its lease. Polling never speaks to Slack: it stores what is due, and
`announce` starts its sending. A look that began before the last one that was stored is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core.lookup.ci_registry import CIContext, CIRegistry
from bot.core.model.builds import Build, Project
from bot.core.model.ended_builds import EndedBuild, ended
from bot.core.model.errors import CIError, OverLimit
from bot.core.model.notifications.deliveries import Delivery, WatchedProject
from bot.core.model.notifications.reasons import Decision, SeenBy
from bot.core.model.notifications.subscriptions import Mute, Subscription, SubscriptionIndex
from bot.core.model.notifications.transitions import BranchState, Observation
from bot.core.model.rate_limit import CLOCKS_APART
from bot.core.notifications.ports import SubscriptionStore, WatchObserver, WatchStore
from bot.core.notifications.recipients import Audience, decide_deliveries, notes
from bot.core.notifications.transitions import highest, lowest, missing, observe
from bot.core.ports import BuildHistoryStore, Clock
from bot.core.rate_limiter import FOR_BACKGROUND, charged_to

LEASE_S = 10.0
RENEWED_EVERY_S = 3.0
CALL_S = 12.0

TICK_S = 1.0
"""Seconds after which a webhook is noticed at the latest."""

LIST_EVERY_S = 15.0
HINTED_EVERY_S = 5.0
"""Seconds between two lists if a webhook asks for one."""
MISSED_AFTER_S = 60.0
"""A webhook that comes later than this after the change was seen counts as missed."""
TIMES_ITS_DURATION = 10
"""A list that takes two seconds is read every twenty."""

RUNNING_EVERY_S, BUSY_EVERY_S, QUIET_EVERY_S = 20.0, 120.0, 900.0
"""Seconds between two looks at a project: while a build runs, within a day of its last change, and else."""
BUSY_FOR = timedelta(days=1)
MAX_PAUSE_S = 90.0


@dataclass(slots=True)
class _Seen:
    """What this process remembers of a project, to leave out what has not changed, and when to look again."""

    fingerprint: object = None
    due_s: float = 0.0
    changed_at: datetime | None = None
    hinted: bool = False
    ends: set[EndedBuild] = field(default_factory=set)


@dataclass(slots=True)
class _Watched:
    """What this process remembers of a service while it has the lease."""

    due_s: float = 0.0
    looked_s: float | None = None
    has_lease: bool = False
    renew_s: float = 0.0
    subscriptions: Sequence[Subscription] = ()
    projects: dict[str, _Seen] = field(default_factory=dict)
    hinted: set[str] = field(default_factory=set)
    has_webhooks: bool = False
    unannounced: dict[str, float] = field(default_factory=dict)
    """When a change of a project was seen, in seconds, that no webhook has reported yet."""
    new: list[Subscription] = field(default_factory=list)
    stored: list[Delivery] = field(default_factory=list)


class ChannelWatch:
    """Call `tick` for each service from one thread, again after the seconds that it returns.

    `poll_soon` is thread-safe.

    `announce` is called after each look with what is due, once it is stored.
    """

    def __init__(
        self,
        *,
        services: CIRegistry,
        subscriptions: SubscriptionStore,
        watching: WatchStore,
        history: BuildHistoryStore,
        clock: Clock,
        holder: str,
        announce: Callable[[Sequence[Delivery]], None],
        observer: WatchObserver,
    ) -> None:
        self._services = services
        self._subscriptions = subscriptions
        self._watching = watching
        self._history = history
        self._clock = clock
        self._holder = holder
        self._announce = announce
        self._observer = observer
        self._watched = {service.name: _Watched() for service in services}

    def poll_soon(self, service: str, project_id: str) -> None:
        """A webhook says that the project has changed: it is looked at next."""
        watched = self._watched[service]
        watched.has_webhooks = True
        watched.hinted.add(project_id)

    def tick(self, service: str) -> float:
        """Looks if it is time to, and if this process has the lease or can take it. Returns seconds until the next."""
        watched = self._watched[service]
        if not self._has_listeners(service, watched):
            self.leave(service)
            return RENEWED_EVERY_S
        if not self._has_lease(service, watched):
            return RENEWED_EVERY_S
        now_s = self._clock.monotonic()
        due_s = watched.due_s
        if (watched.hinted or watched.new) and watched.looked_s is not None:
            due_s = min(due_s, watched.looked_s + HINTED_EVERY_S)
        if now_s >= due_s:
            self.poll(service)
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
        """Looks at what is due of the service, and stores what follows. Does not raise CIError."""
        watched = self._watched[service]
        began_s = watched.looked_s = self._clock.monotonic()
        hinted, watched.hinted = watched.hinted, set()
        new, watched.new = SubscriptionIndex(watched.new), []
        try:
            took_from_list = self._look(self._services.of(service), watched, hinted, new)
        except CIError as failure:
            watched.hinted |= hinted
            waits = failure.retry_after_s if isinstance(failure, OverLimit) else None
            watched.due_s = began_s + min(max(waits or 0.0, LIST_EVERY_S), MAX_PAUSE_S)
            return
        finally:  # together: a channel hears of many branches in one message
            stored, watched.stored = watched.stored, []
            self._announce(stored)
        self._count_missed(service, watched)
        took_s = self._clock.monotonic() - began_s
        pause_s = max(LIST_EVERY_S, TIMES_ITS_DURATION * took_s) if took_from_list else RENEWED_EVERY_S
        watched.due_s = began_s + pause_s

    def _count_missed(self, service: str, watched: _Watched) -> None:
        for project_id, seen_s in [*watched.unannounced.items()]:
            if self._clock.monotonic() - seen_s > MISSED_AFTER_S:
                del watched.unannounced[project_id]
                self._observer.webhook_missed(service)

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
        if watched.has_lease and not had:  # another process may have looked since
            watched.projects.clear()
            watched.due_s = now_s
        return watched.has_lease

    def _look(self, service: CIContext, watched: _Watched, hinted: set[str], new: SubscriptionIndex) -> bool:
        """Whether one list had everything. Raises CIError."""
        began_at = self._clock.now()
        index = SubscriptionIndex(watched.subscriptions)
        mutes = self._subscriptions.mutes()
        with charged_to(FOR_BACKGROUND):
            listed = service.provider.recent(lambda project: bool(index.of_repository(project.service, project.name)))
        if listed is not None:
            failed: CIError | None = None
            for project, builds in listed:
                seen_by = SeenBy.WEBHOOK if project.id in hinted else SeenBy.LIST
                look = _Look(project, builds, began_at, self._audience(index, mutes, project), seen_by)
                try:
                    self._take(service, watched, look)
                except CIError as failure:  # it is compared again with the next list
                    failed = failure
            if failed is not None:
                raise failed
            return True
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
        self._look_at_each(service, watched, heard)
        return False

    def _look_at_each(self, service: CIContext, watched: _Watched, heard: Sequence[tuple[Project, Audience]]) -> None:
        """Looks at each project that is due, longest due first, until `RENEWED_EVERY_S` have passed."""
        began_s = self._clock.monotonic()
        due = [(watched.projects[project.id].due_s, project, audience) for project, audience in heard]
        for due_s, project, audience in sorted(due, key=lambda one: one[0]):
            now_s = self._clock.monotonic()
            if due_s > now_s or now_s - began_s > RENEWED_EVERY_S:
                break
            seen = watched.projects[project.id]
            seen_by = SeenBy.WEBHOOK if seen.hinted else SeenBy.LOOK
            snapshot = service.fetcher.builds(project, None, timeout_s=CALL_S, allowance=FOR_BACKGROUND)
            look = _Look(project, snapshot.builds, snapshot.began_at, audience, seen_by)
            self._take(service, watched, look)
            seen.hinted = False
            seen.due_s = now_s + self._interval_s(seen, snapshot.builds)

    def _interval_s(self, seen: _Seen, builds: Sequence[Build]) -> float:
        if any(build.is_under_way for build in builds):
            return RUNNING_EVERY_S
        is_busy = seen.changed_at is not None and self._clock.now() - seen.changed_at < BUSY_FOR
        return BUSY_EVERY_S if is_busy else QUIET_EVERY_S

    def _audience(self, index: SubscriptionIndex, mutes: Sequence[Mute], project: Project) -> Audience:
        return Audience(index.of_repository(project.service, project.name), mutes, project.default_branch)

    def _take(self, service: CIContext, watched: _Watched, look: _Look) -> None:
        """Stores what the look has shown of a project, unless nothing has changed."""
        if not look.audience.subscriptions:
            return
        seen = watched.projects.setdefault(look.project.id, _Seen())
        fingerprint = look.fingerprint
        is_hinted = look.seen_by is SeenBy.WEBHOOK
        if is_hinted:
            watched.unannounced.pop(look.project.id, None)
        if seen.fingerprint == fingerprint:
            if is_hinted:
                self._observer.webhook(service.name, "late")
            return
        before = self._watching.project(look.project.service, look.project.id)
        if before.looked_at is not None and look.began_at < before.looked_at < look.began_at + CLOCKS_APART:
            return
        after, deliveries, decisions = self._compared(service, before, look)
        is_known = before.branches == after.branches and before.seen_to == after.seen_to
        if deliveries or decisions or not is_known:  # after a takeover most projects are as they were stored
            new = self._watching.apply(before, after, deliveries, decisions)
            if new is None:
                return
            watched.stored += new
        self._record_ends(seen, look)
        if is_hinted:
            self._observer.webhook(service.name, "news")
        elif watched.has_webhooks and seen.fingerprint is not None:
            watched.unannounced[look.project.id] = self._clock.monotonic()
        for decision in decisions:
            self._observer.decided(decision.reason.value)
        # A build that runs on and is no longer listed may end without a change of the list.
        seen.fingerprint = None if _has_unlisted(after, look.builds) else fingerprint
        seen.changed_at = look.began_at

    def _record_ends(self, seen: _Seen, look: _Look) -> None:
        """Stores how builds of watched branches ended, for `flaky` and `slow`."""
        ends = set(ended(build for build in look.builds if look.audience.hears_branch(build.branch or "")))
        if ends - seen.ends:
            self._history.add(list(ends - seen.ends))
            seen.ends = ends

    def _compared(
        self, service: CIContext, before: WatchedProject, look: _Look
    ) -> tuple[WatchedProject, list[Delivery], list[Decision]]:
        """The project's next state, and what follows. Fetches single branches if the list has holes. Raises CIError."""
        known = dict(before.branches)
        listed: dict[str, list[Build]] = {}
        for build in look.builds:
            if build.branch and not build.is_tag:
                listed.setdefault(build.branch, []).append(build)
        heard = [branch for branch in dict.fromkeys((*known, *listed)) if look.audience.hears_branch(branch)]
        # Every build that the list shows is newer than all that were seen: others may have come and gone.
        has_gap = before.version > 0 and lowest(look.builds) > before.seen_to > 0
        branches: list[tuple[str, BranchState]] = []
        deliveries: list[Delivery] = []
        decisions: list[Decision] = []
        for branch in heard:
            state, builds = known.get(branch), listed.get(branch, [])
            if state is None:
                first, builds = self._baseline(service, look, branch, builds)
                if first is not None:
                    state = first.state
                    decisions += notes(first, builds, look.began_at, look.seen_by)
            elif has_gap or missing(state, builds):
                builds = self._of_branch(service, look.project, branch)
            observation = observe(state, builds, look.began_at)
            result = decide_deliveries(observation, look.audience, look.began_at, look.seen_by)
            branches.append((branch, observation.state))
            deliveries += result.deliveries
            decisions += [*notes(observation, builds, look.began_at, look.seen_by), *result.decisions]
        seen_to = max(before.seen_to, highest(look.builds))
        after = WatchedProject(before.service, before.project_id, look.began_at, seen_to, tuple(branches))
        return after, deliveries, decisions

    def _baseline(
        self, service: CIContext, look: _Look, branch: str, builds: list[Build]
    ) -> tuple[Observation | None, list[Build]]:
        """A branch that is seen for the first time, as it was when a channel began to listen; None without builds.

        What ended later is news. The branch is fetched if the list shows it only from then on.
        """
        since = look.audience.since(branch)
        if since is None:
            return None, builds
        if not _ended_by(since, builds):
            builds = self._of_branch(service, look.project, branch)
        before = _ended_by(since, builds)
        return (observe(None, before, look.began_at) if before else None), builds

    def _of_branch(self, service: CIContext, project: Project, branch: str) -> list[Build]:
        return list(service.fetcher.builds(project, branch, timeout_s=CALL_S, allowance=FOR_BACKGROUND).builds)


def _ended_by(moment: datetime, builds: Iterable[Build]) -> list[Build]:
    return [build for build in builds if build.finished_at is not None and build.finished_at <= moment]


@dataclass(frozen=True, slots=True)
class _Look:
    """One project as the service showed it, newest build first, in answer to a request that began at `began_at`."""

    project: Project
    builds: Sequence[Build]
    began_at: datetime
    audience: Audience
    seen_by: SeenBy

    @property
    def fingerprint(self) -> object:
        """Equal if a second look would change nothing."""
        return (_shape(self.builds), tuple(self.audience.subscriptions))


def _has_unlisted(project: WatchedProject, builds: Iterable[Build]) -> bool:
    """Whether a build that was under way at the last look is not among these."""
    listed = list(builds)
    return any(missing(state, [b for b in listed if b.branch == branch]) for branch, state in project.branches)


def _shape(builds: Iterable[Build]) -> frozenset[object]:
    return frozenset((build.id, build.run, _failing(build)) for build in builds)


def _failing(build: Build) -> int:
    """How many of its jobs have failed so far, if it still runs."""
    return sum(len(run.failed_jobs) for run in build.workflows if not run.has_ended)

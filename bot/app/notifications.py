"""Puts together what tells channels of builds: polling under a lease, the outbox, and its sender."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

from bot.app.threads import PeriodicTask, RepeatedTask
from bot.app.timeouts import Timeouts
from bot.core.authorization import Authorizer
from bot.core.follows.failure_logs import FailureLogs
from bot.core.lookup.ci_registry import CIRegistry
from bot.core.model.builds import Actor, Build
from bot.core.model.errors import CIError
from bot.core.notifications.muted import MuteEnds
from bot.core.notifications.owners import PeriodOwners
from bot.core.notifications.reminders import DailyReminders
from bot.core.notifications.sender import Sender
from bot.core.notifications.subscriptions import SubscriptionService
from bot.core.people.authors import Authors
from bot.core.polling.watch import ChannelWatch
from bot.core.ports import Clock, Jobs
from bot.core.rate_limiter import FOR_BACKGROUND
from bot.core.reports.record import ReportRecord
from bot.core.reports.sender import ReportSender
from bot.core.reports.service import ReportService
from bot.metrics import Metrics
from bot.slack.blocks.context import RenderContext
from bot.slack.client.chat_client import ChatClient
from bot.slack.outgoing.announcer import SlackAnnouncer
from bot.store.database import Store

DETAILS_TIMEOUT_S = 8.0
"""Seconds that a notification waits for which job failed."""


class Notifications:
    """Polls for channels and tells them what changed, from `start` to `stop`. `holder` names this process.

    `zone` is the time zone of times that name none. `is_shared` is as for `SubscriptionService`.
    """

    def __init__(
        self,
        services: CIRegistry,
        authorizer: Authorizer,
        logs: FailureLogs,
        store: Store,
        chat: ChatClient,
        context: Callable[[], RenderContext],
        permalink: Callable[[str, str], str | None],
        jobs: Jobs,
        clock: Clock,
        metrics: Metrics,
        timeouts: Timeouts,
        holder: str,
        zone: ZoneInfo,
        is_shared: Callable[[str], bool | None] | None,
        by_email: Callable[[str], Actor | None],
        email_domains: frozenset[str],
    ) -> None:
        announcer = SlackAnnouncer(chat, context, permalink)
        authors = Authors(
            store.people,
            store.claims,
            store.watching,
            store.outbox,
            store.idempotency_keys,
            by_email,
            email_domains,
        )
        self.sender = Sender(
            outbox=store.outbox,
            subscriptions=store.subscriptions,
            announcer=announcer,
            jobs=jobs,
            clock=clock,
            log_of=logs.of_notification,
            details=lambda build: _with_details(services, build),
            observe=metrics.notified,
            authors=authors,
            claimed_for=timedelta(seconds=timeouts.claimed_s),
            late_after=timedelta(seconds=timeouts.late_s),
        )
        self._mute_ends = MuteEnds(
            subscriptions=store.subscriptions,
            outbox=store.outbox,
            watching=store.watching,
            announcer=announcer,
            clock=clock,
            claimed_for=timedelta(seconds=timeouts.claimed_s),
            announce=self.sender.announce,
        )
        self._reminders = DailyReminders(
            subscriptions=store.subscriptions,
            outbox=store.outbox,
            watching=store.watching,
            clock=clock,
            announce=self.sender.announce,
        )
        self.owners = PeriodOwners(services, store.watching, store.outbox, authorizer, self.sender.announce)
        self.subscriptions = SubscriptionService(
            services, store.subscriptions, store.decisions, authorizer, zone, is_shared
        )
        record = ReportRecord(services, store.subscriptions, store.build_history, store.audit)
        self.reports = ReportService(record, store.reports, store.subscriptions, authorizer, zone)
        self._reports = ReportSender(
            plans=store.reports,
            record=record,
            subscriptions=store.subscriptions,
            announcer=announcer,
            clock=clock,
            observe=lambda result: metrics.notified("digest", result, None),
            claimed_for=timedelta(seconds=timeouts.claimed_s),
        )
        self._watch = ChannelWatch(
            services=services,
            subscriptions=store.subscriptions,
            watching=store.watching,
            history=store.build_history,
            authors=authors,
            clock=clock,
            holder=holder,
            announce=self.sender.announce,
            observer=metrics,
            polling=store.polling_log,
        )
        self._services = [service.name for service in services]
        self._threads = [
            RepeatedTask(f"watch {name}", partial(self._watch.tick, name), shortest_s=timeouts.watch_s)
            for name in self._services
        ]
        self._due = PeriodicTask(timeouts.maintenance_s, "digests", self.send_reports)
        self._late = PeriodicTask(timeouts.maintenance_s, "late notifications", self._tell_late)
        metrics.watch_subscriptions(lambda: _count(store, active=True), lambda: _count(store, active=False))
        metrics.watch("bot_outbox_due", "Notifications that wait to be sent.", lambda: store.outbox.depth()[0])
        metrics.watch(
            "bot_outbox_oldest_seconds",
            "Age of the oldest notification that waits to be sent.",
            lambda: _age_s(clock, store),
        )

    def start(self) -> None:
        for thread in self._threads:
            thread.start()
        self._late.start()
        self._due.start()

    def poll_soon(self, service: str, project_id: str, _key: str) -> None:
        """A webhook says that the project has changed."""
        self._watch.poll_soon(service, project_id)

    def poll_all(self) -> None:
        """Polls everything that channels watch, in this thread, and posts ends of mutes and reminders."""
        for service in self._services:
            self._watch.poll_all(service)
        self.sender.restart_late(timedelta(0))
        self._mute_ends.tell_ended()
        self._reminders.remind()

    def _tell_late(self) -> None:
        self.sender.restart_late()
        self._mute_ends.tell_ended()
        self._reminders.remind()

    def send_reports(self) -> None:
        """Posts the digests that are due, in this thread."""
        self._reports.send_due()

    def stop(self, deadline: float) -> None:
        """Stops within `deadline`, in seconds of `time.monotonic()`, and lets another process poll at once."""
        self._late.stop()
        self._due.stop()
        for thread in self._threads:
            thread.stop(deadline - time.monotonic())
        for service in self._services:
            self._watch.leave(service)


def _with_details(services: CIRegistry, build: Build) -> Build:
    """Unchanged if its service does not say in time, or is no longer configured."""
    try:
        fetcher = services.of(build.project.service).fetcher
    except CIError:
        return build
    return fetcher.with_details(build, timeout_s=DETAILS_TIMEOUT_S, allowance=FOR_BACKGROUND)


def _count(store: Store, *, active: bool) -> int:
    return sum(each.is_active is active for each in store.subscriptions.all())


def _age_s(clock: Clock, store: Store) -> float:
    _, oldest = store.outbox.depth()
    return 0.0 if oldest is None else max(0.0, (clock.now() - oldest).total_seconds())

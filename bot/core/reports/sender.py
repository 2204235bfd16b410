"""Posts digests when they are due: each once, over all processes.

A digest is claimed before it is posted, and its next time is stored after. If the process dies in between, it is posted
again, since Slack may not have it. If only Slack's response is lost, it is retried once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core.model.follows import RetryLater
from bot.core.model.notifications.deliveries import ChannelRefuses
from bot.core.model.notifications.reports import ReportPlan
from bot.core.notifications.ports import SubscriptionStore
from bot.core.ports import Clock
from bot.core.reports.figures import Span
from bot.core.reports.ports import ReportAnnouncer, ReportStore
from bot.core.reports.record import Record, ReportRecord
from bot.core.reports.schedule import last_until, next_after, previous

LATE = timedelta(days=1)
"""A digest that is later than this is not posted."""
CLAIMED_FOR = timedelta(seconds=60)
RETRIES_OF_REFUSED = (timedelta(hours=1), timedelta(hours=4), timedelta(hours=12))
RETRY_S = 15.0
AT_ONCE = 10
"""Few, so that a process can stop soon. The next call posts the others."""

TOLD = "told"

Observe = Callable[[str], None]
"""Called with the result of a digest: told, retried, paused, uncertain or dropped."""


class ReportSender:
    """Thread-safe. A claim that is older than `claimed_for` belongs to a process that died."""

    def __init__(
        self,
        *,
        plans: ReportStore,
        record: ReportRecord,
        subscriptions: SubscriptionStore,
        announcer: ReportAnnouncer,
        clock: Clock,
        observe: Observe,
        claimed_for: timedelta = CLAIMED_FOR,
    ) -> None:
        self._plans = plans
        self._record = record
        self._subscriptions = subscriptions
        self._announcer = announcer
        self._clock = clock
        self._observe = observe
        self._claimed_for = claimed_for

    def send_due(self) -> None:
        """Posts the digests that have been due longest, one after another; at most `AT_ONCE`."""
        records: dict[tuple[datetime, datetime], Record] = {}
        now = self._clock.now()
        for plan in self._plans.due(now, now - self._claimed_for, AT_ONCE):
            self._send(plan, records)

    def _send(self, plan: ReportPlan, records: dict[tuple[datetime, datetime], Record]) -> None:
        """`records` are those read for other channels just now: most channels choose the same time."""
        now, zone = self._clock.now(), ZoneInfo(plan.zone)
        at = last_until(plan.schedule, zone, now)
        # After downtime of more than a period another one is due than the plan waits for.
        due = replace(plan, next_at=at, tries=0, doubtful=False) if at > plan.next_at else plan
        if now - at >= LATE or self._is_muted(plan.channel):
            self._done(plan, "uncertain" if due.doubtful else "dropped")
            return
        claimed = self._plans.move(plan, replace(due, claimed_at=now, tries=due.tries + 1))
        if claimed is None:
            return
        start = previous(plan.schedule, zone, at)
        span = Span(plan.schedule.every, previous(plan.schedule, zone, start), start, at, zone)
        key = (span.earlier, span.start)
        if key not in records:
            records[key] = self._record.since(*key)
        try:
            self._announcer.post_report(self._record.report(plan.channel, span, records[key]))
        except ChannelRefuses as refusal:
            self._refused(claimed, str(refusal))
        except RetryLater as later:
            if later.may_have_happened and claimed.doubtful:
                self._done(claimed, "uncertain")
                return
            due_at = self._clock.now() + timedelta(seconds=max(later.retry_after_s, RETRY_S))
            doubtful = claimed.doubtful or later.may_have_happened
            self._plans.move(claimed, replace(claimed, claimed_at=None, due_at=due_at, doubtful=doubtful))
            self._observe("retried")
        else:
            self._done(claimed, TOLD)

    def _done(self, plan: ReportPlan, result: str) -> None:
        """Waits for the next time."""
        at = next_after(plan.schedule, ZoneInfo(plan.zone), self._clock.now())
        refused = "" if result == TOLD else plan.refused
        waiting = replace(plan, next_at=at, due_at=at, claimed_at=None, tries=0, doubtful=False, refused=refused)
        if self._plans.move(plan, waiting) is not None:
            self._observe(result)

    def _refused(self, claimed: ReportPlan, why: str) -> None:
        """Retries for a day. Tells the person who set it, unless the last digest was refused, too."""
        wait = RETRIES_OF_REFUSED[min(claimed.tries, len(RETRIES_OF_REFUSED)) - 1]
        self._plans.move(claimed, replace(claimed, claimed_at=None, due_at=self._clock.now() + wait, refused=why))
        self._observe("paused")
        if not claimed.refused:
            self._announcer.tell_report_refused(claimed.maker, claimed.channel, why)

    def _is_muted(self, channel: str) -> bool:
        return any(mute.repositories is None for mute in self._subscriptions.mutes(channel))

"""Carries out the command `digest`: what a channel gets regularly, and the same on demand."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.core.authorization import Authorizer
from bot.core.model.command_values import Verb
from bot.core.model.notification_commands.values import ReportCommand, SetReport, ShowReport, StopReport
from bot.core.model.notifications.reports import (
    Every,
    ReportOff,
    ReportOutcome,
    ReportPlan,
    ReportPlanShown,
    ReportSet,
    ReportShown,
)
from bot.core.notifications.mute_end import zone_of
from bot.core.notifications.ports import SubscriptionStore
from bot.core.reports.figures import Span
from bot.core.reports.ports import ReportStore
from bot.core.reports.record import ReportRecord
from bot.core.reports.schedule import STEP, next_after
from bot.core.request import UserRequest


class ReportService:
    """Thread-safe. `zone` is the time zone of times that name none."""

    def __init__(
        self,
        record: ReportRecord,
        plans: ReportStore,
        subscriptions: SubscriptionStore,
        authorizer: Authorizer,
        zone: ZoneInfo,
    ) -> None:
        self._record = record
        self._plans = plans
        self._subscriptions = subscriptions
        self._authorizer = authorizer
        self._zone = zone

    def execute(self, command: ReportCommand, request: UserRequest) -> ReportOutcome:
        """Carries out the command for the channel of the request. Raises UserError."""
        channel = request.location.channel
        match command:
            case SetReport():
                self._authorizer.check(request, Verb.DIGEST, None, None)
                return self._set(command, request)
            case StopReport():
                self._authorizer.check(request, Verb.DIGEST, None, None)
                return ReportOff(self._plans.remove(channel))
            case ShowReport(now=False):
                return ReportPlanShown(self._plans.of_channel(channel), self._zone.key)
            case ShowReport():
                return self._now(channel, request.clock.now())

    def _set(self, command: SetReport, request: UserRequest) -> ReportSet:
        zone = zone_of(command, command.zone, self._zone)
        at = next_after(command.schedule, zone, request.clock.now())
        plan = ReportPlan(request.location.channel, command.schedule, zone.key, request.actor, at, at)
        self._plans.put(plan)
        return ReportSet(plan, len(self._subscriptions.of_channel(plan.channel)))

    def _now(self, channel: str, now: datetime) -> ReportShown:
        """As often as it is set for the channel; weekly if nothing is."""
        plan = self._plans.of_channel(channel)
        every = plan.schedule.every if plan else Every.WEEKLY
        zone = ZoneInfo(plan.zone) if plan else self._zone
        span = Span(every, now - 2 * STEP[every], now - STEP[every], now, zone)
        return ReportShown(self._record.report(channel, span, self._record.since(span.earlier, span.start)))

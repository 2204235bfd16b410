"""Checks whether a channel can be notified."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.core.lookup.ci_registry import CIRegistry
from bot.core.model.notifications.health import ChannelChecked, ServiceChecked
from bot.core.model.notifications.reasons import Reason
from bot.core.model.notifications.subscriptions import Subscription, SubscriptionIndex
from bot.core.notifications.ports import (
    CallLimits,
    ChannelAccess,
    DecisionLog,
    Outbox,
    PollingLog,
    SubscriptionStore,
)
from bot.core.request import UserRequest

TROUBLES = (Reason.PAUSED, Reason.UNCERTAIN, Reason.WAITING)
TROUBLES_FOR = timedelta(days=1)


class ChannelCheck:
    """Thread-safe."""

    def __init__(
        self,
        *,
        services: CIRegistry,
        subscriptions: SubscriptionStore,
        outbox: Outbox,
        decisions: DecisionLog,
        polling: PollingLog,
        access: ChannelAccess,
        limits: CallLimits,
    ) -> None:
        self._services = services
        self._subscriptions = subscriptions
        self._outbox = outbox
        self._decisions = decisions
        self._polling = polling
        self._access = access
        self._limits = limits

    def check(self, request: UserRequest) -> ChannelChecked:
        """Checks the channel of the request. Sends requests to Slack, but to no CI service."""
        channel, now = request.location.channel, request.clock.now()
        counts = self._decisions.counts(channel, now - TROUBLES_FOR)
        waiting, oldest = self._outbox.depth()
        subscriptions = self._subscriptions.of_channel(channel)
        return ChannelChecked(
            channel=channel,
            is_member=self._access.is_member(channel),
            missing_scopes=self._access.missing_scopes,
            told_at=self._outbox.last_told(channel),
            subscriptions=tuple(subscriptions),
            mutes=tuple(self._subscriptions.mutes(channel)),
            services=tuple(
                ServiceChecked(self._polling.state(name), self._limits.calls_left(name))
                for name in self._polled_for(subscriptions)
            ),
            waiting=waiting,
            oldest=oldest,
            troubles=tuple((reason, counts[reason]) for reason in TROUBLES if counts.get(reason)),
        )

    def _polled_for(self, subscriptions: Sequence[Subscription]) -> list[str]:
        """The services that have a repository of these, or that may have one: their lists were never read."""
        index = SubscriptionIndex(subscriptions)
        return [
            service.name
            for service in self._services
            if not subscriptions
            or service.project_index.age_s is None
            or any(index.of_repository(service.name, project.name) for project in service.project_index.holding(""))
        ]

"""Reminds channels in the thread once a day while a branch stays broken: with `on:still`, without `remind:off`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.core.model.notifications.deliveries import Delivery
from bot.core.model.notifications.subscriptions import Event
from bot.core.model.notifications.transitions import Change, Period
from bot.core.notifications.ports import Outbox, SubscriptionStore, WatchStore
from bot.core.ports import Clock

DAILY = timedelta(days=1)
LOOKS_EVERY_S = 600.0


class DailyReminders:
    """Call `remind` often, from one thread. `announce` starts sending what was stored."""

    def __init__(
        self,
        *,
        subscriptions: SubscriptionStore,
        outbox: Outbox,
        watching: WatchStore,
        clock: Clock,
        announce: Callable[[Sequence[Delivery]], None],
    ) -> None:
        self._subscriptions = subscriptions
        self._outbox = outbox
        self._watching = watching
        self._clock = clock
        self._announce = announce
        self._due_s: float | None = None

    def remind(self) -> None:
        """Stores what is due, once a day and channel over all processes. Checks every ten minutes."""
        now_s = self._clock.monotonic()
        if self._due_s is not None and now_s < self._due_s:
            return
        self._due_s = now_s + LOOKS_EVERY_S
        due = [
            self._reminder(last, period)
            for service, project_id, branch, period in self._watching.broken(self._clock.now() - DAILY)
            if period.owner is None
            for last in self._outbox.of_period(service, project_id, branch, period.id)
            if self._is_wanted(last)
        ]
        if due:
            self._announce(self._outbox.add(due))

    def _reminder(self, last: Delivery, period: Period) -> Delivery:
        now = self._clock.now()
        return Delivery(
            channel=last.channel,
            transition=replace(last.transition, change=Change.REMINDED, period=period),
            seen_by=last.seen_by,
            created_at=now,
            due_at=now,
            subscription_id=last.subscription_id,
            reminder=True,
        )

    def _is_wanted(self, last: Delivery) -> bool:
        """Whether the channel has a message of the broken branch, and wants to be reminded of it now."""
        build, now = last.transition.build, self._clock.now()
        project = build.project
        asked = any(
            each.is_active
            and each.wants(Event.STILL)
            and not each.filters.remind_off
            and each.matches(project.service, project.name, build.branch, project.default_branch)
            for each in self._subscriptions.of_channel(last.channel)
        )
        is_muted = any(mute.covers(project.name, now) for mute in self._subscriptions.mutes(last.channel))
        return asked and not is_muted and self._outbox.head(last) is not None

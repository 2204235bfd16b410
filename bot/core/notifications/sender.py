"""Sends what channels are due to hear: one channel's deliveries in order, one at a time, over all processes.

A delivery is claimed before it is sent and recorded after. If the process dies in between, Slack may have the message:
*broke* and *fixed* are then said once more, everything else is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.core.model.builds import Build, FailureLog
from bot.core.model.follows import MessageGone, RetryLater
from bot.core.model.notifications.deliveries import ChannelRefuses, Delivery, DeliveryState
from bot.core.model.notifications.reasons import Decision, Reason
from bot.core.model.notifications.transitions import ENDS_A_PERIOD, OF_A_PERIOD, WITHIN_A_PERIOD, Change
from bot.core.notifications.ports import Announcer, Outbox, SubscriptionStore
from bot.core.notifications.recipients import decision
from bot.core.ports import Clock, Jobs, Step

ANNOUNCE = "announce"
"""The kind of the job that sends what a channel is due to hear."""

CLAIMED_FOR = timedelta(seconds=60)
"""A delivery that was claimed longer ago belongs to a process that died."""
LATE_AFTER = timedelta(seconds=20)
RETRY_S = 15.0
RETRIES_OF_PAUSED = (timedelta(hours=1), timedelta(hours=4), timedelta(days=1))
PAUSED_FOR = timedelta(days=30)

_SAID_AGAIN = ENDS_A_PERIOD | {Change.BROKE}
_QUIET = frozenset({Change.STILL, Change.EASED, Change.FAILED_AGAIN, Change.ON_IT, Change.PASSED_AFTER_ALL})
"""These change the message that a channel has, and are not worth a new one."""

_EXPLAINED = WITHIN_A_PERIOD | {Change.BROKE, Change.FAILED}
"""For these the CI service is asked which job failed."""

_WITH_LOG = frozenset({Change.BROKE, Change.JOINED})

Observe = Callable[[str, str, float | None], None]
"""Called with the kind of a delivery, its result, and the seconds since its build ended if it was told."""


class Sender:
    """Thread-safe. `observe` counts the deliveries.

    `details` returns a build with its failed jobs, or unchanged. `log_of` returns why a build failed, None if the
    channel does not get that.
    """

    def __init__(
        self,
        *,
        outbox: Outbox,
        subscriptions: SubscriptionStore,
        announcer: Announcer,
        jobs: Jobs,
        clock: Clock,
        details: Callable[[Build], Build],
        log_of: Callable[[str, Build], FailureLog | None],
        observe: Observe,
    ) -> None:
        self._outbox = outbox
        self._subscriptions = subscriptions
        self._announcer = announcer
        self._jobs = jobs
        self._clock = clock
        self._details = details
        self._log_of = log_of
        self._observe = observe

    def announce(self, deliveries: Sequence[Delivery]) -> None:
        """Starts sending what was stored. What a crash keeps from starting, `restart_late` does."""
        for delivery in deliveries:
            if delivery.state is DeliveryState.DUE:
                self._start(delivery)

    def restart_late(self) -> None:
        """Starts what should have been sent by now, and tries channels that were paused once more."""
        now = self._clock.now()
        for delivery in self._outbox.waiting(now - LATE_AFTER, now - CLAIMED_FOR):
            self._start(delivery, again=f" {int(now.timestamp() // CLAIMED_FOR.total_seconds())}")

    def job(self, payload: Mapping[str, Any], step: Step) -> None:  # noqa: ARG002 - the rows say what is done
        """A `Job`: sends everything that the channel is due to hear."""
        channel = str(payload["channel"])
        while self._send_next(channel):
            pass

    def _start(self, delivery: Delivery, *, delay_s: float = 0.0, again: str = "") -> None:
        key = f"announce {delivery.id} {delivery.version}{again}"
        self._jobs.start(ANNOUNCE, key, {"channel": delivery.channel}, delay_s=delay_s)

    def _send_next(self, channel: str) -> bool:
        """Sends the channel's oldest delivery. False if there is none, or it must wait."""
        queue = self._outbox.queue(channel)
        if not queue:
            return False
        first, later = queue[0], queue[1:]
        now = self._clock.now()
        is_claimed = first.state is DeliveryState.SENDING
        if is_claimed and first.changed_at is not None and abs(now - first.changed_at) < CLAIMED_FOR:
            return False
        if not is_claimed and first.due_at > now:
            return False
        if _is_overtaken(first, later):
            return self._drop(first, "overtaken") is not None
        if is_claimed and (first.doubtful or first.transition.change not in _SAID_AGAIN):
            return self._uncertain(first) is not None
        doubtful, tries = first.doubtful or is_claimed, first.tries + 1
        claim = replace(first, state=DeliveryState.SENDING, doubtful=doubtful, tries=tries)
        claimed = self._outbox.move(first, claim)
        return claimed is not None and self._send(claimed, was_paused=first.state is DeliveryState.PAUSED)

    def _send(self, delivery: Delivery, *, was_paused: bool) -> bool:
        """Whether the next delivery of the channel may follow."""
        shown = delivery
        if delivery.transition.change in _EXPLAINED:
            build = self._details(delivery.transition.build)
            shown = replace(delivery, transition=replace(delivery.transition, build=build))
        try:
            try:
                told = self._said(shown)
            except MessageGone:
                told = self._said_anew(shown)
        except ChannelRefuses as refusal:
            self._pause(delivery, str(refusal), tells=not was_paused)
            return False
        except RetryLater as later:
            self._retry(delivery, later)
            return False
        if told is None:
            return self._drop(delivery, "no message to change") is not None
        if was_paused:
            self._subscriptions.resume(delivery.channel)
        reason = Reason.CHANGED if told.ts is None else Reason.TOLD
        is_news = delivery.transition.change is not Change.ON_IT
        decided = _decided(told, self._clock, reason, told.ts or told.head_ts or "") if is_news else None
        self._outbox.move(delivery, told, decided)
        ended = delivery.transition.build.finished_at if is_news else None
        lag_s = max(0.0, (self._clock.now() - ended).total_seconds()) if ended else None
        self._observe(delivery.transition.change.value, "told", lag_s)
        if delivery.transition.change in _WITH_LOG and told.head_ts is not None:
            self._show_log(shown, told.head_ts)
        return True

    def _show_log(self, delivery: Delivery, head_ts: str) -> None:
        """Once, after the message: a log that is lost on its way can be had with its button."""
        log = self._log_of(delivery.channel, delivery.transition.build)
        if log is not None:
            with suppress(ChannelRefuses, MessageGone, RetryLater):  # as the docstring says
                self._announcer.show_log(delivery, head_ts, log)

    def _said(self, delivery: Delivery) -> Delivery | None:
        """The delivery as told; None if there was nothing to say it with. Raises what an `Announcer` raises."""
        change, told = delivery.transition.change, replace(delivery, state=DeliveryState.TOLD, reason="")
        if change not in OF_A_PERIOD:
            return replace(told, ts=self._announcer.post(delivery))
        head = self._outbox.head(delivery)
        if head is None:
            if change in _QUIET and not delivery.reminder:
                return None
            ts = self._announcer.post(delivery)
            return replace(told, ts=ts, head_ts=ts)
        self._announcer.change(delivery, head)
        ts = None
        if change in ENDS_A_PERIOD:
            ts = self._announcer.reply(delivery, head, broadcast=True)
        elif delivery.reminder or change is Change.FAILED_AGAIN:
            ts = self._announcer.reply(delivery, head, broadcast=False)
        return replace(told, ts=ts, head_ts=head)

    def _said_anew(self, delivery: Delivery) -> Delivery | None:
        """The same if the message was deleted: what is worth one gets a new one."""
        if delivery.transition.change in _QUIET and not delivery.reminder:
            return None
        ts = self._announcer.post(delivery)
        return replace(delivery, state=DeliveryState.TOLD, reason="", ts=ts, head_ts=ts)

    def _drop(self, delivery: Delivery, why: str) -> Delivery | None:
        self._observe(delivery.transition.change.value, "dropped", None)
        return self._outbox.move(delivery, replace(delivery, state=DeliveryState.DROPPED, reason=why))

    def _uncertain(self, delivery: Delivery) -> Delivery | None:
        self._observe(delivery.transition.change.value, "uncertain", None)
        to = replace(delivery, state=DeliveryState.UNCERTAIN)
        return self._outbox.move(delivery, to, _decided(to, self._clock, Reason.UNCERTAIN))

    def _retry(self, delivery: Delivery, later: RetryLater) -> None:
        if later.may_have_happened and (delivery.doubtful or delivery.transition.change not in _SAID_AGAIN):
            self._uncertain(delivery)
            return
        delay_s = max(later.retry_after_s, RETRY_S)
        due_at = self._clock.now() + timedelta(seconds=delay_s)
        to = replace(
            delivery,
            state=DeliveryState.DUE,
            due_at=due_at,
            reason=str(later),
            doubtful=delivery.doubtful or later.may_have_happened,
        )
        moved = self._outbox.move(delivery, to, _decided(to, self._clock, Reason.WAITING, due_at.isoformat()))
        self._observe(delivery.transition.change.value, "retried", None)
        if moved is not None:
            self._start(moved, delay_s=delay_s)

    def _pause(self, delivery: Delivery, why: str, *, tells: bool) -> None:
        """Pauses the channel. Those who subscribed it hear so once; it is tried again for `PAUSED_FOR`."""
        now = self._clock.now()
        waits = RETRIES_OF_PAUSED[min(delivery.tries, len(RETRIES_OF_PAUSED)) - 1]
        is_over = now - delivery.created_at > PAUSED_FOR
        due_at = now + (PAUSED_FOR * 400 if is_over else waits)
        to = replace(delivery, state=DeliveryState.PAUSED, reason=why, due_at=due_at)
        self._outbox.move(delivery, to, _decided(to, self._clock, Reason.PAUSED, why))
        self._observe(delivery.transition.change.value, "paused", None)
        paused = self._subscriptions.pause(delivery.channel, why)
        makers = dict.fromkeys(each.maker for each in paused if each.maker is not None)
        for maker in makers if tells else ():
            self._announcer.tell_maker(maker, delivery.channel, why)


def _is_overtaken(delivery: Delivery, later: Sequence[Delivery]) -> bool:
    """Whether a newer state of the same broken period is due, so that this one need not be said."""
    newer = [each.transition.change for each in later if each.is_of_the_period_of(delivery)]
    if delivery.doubtful or delivery.state is DeliveryState.SENDING:
        return False
    if delivery.transition.change is Change.BROKE:
        return any(change in ENDS_A_PERIOD for change in newer)
    return delivery.transition.change in OF_A_PERIOD and not delivery.reminder and bool(newer)


def _decided(delivery: Delivery, clock: Clock, reason: Reason, detail: str = "") -> Decision:
    return decision(
        delivery.transition.build,
        clock.now(),
        delivery.seen_by,
        reason,
        detail,
        channel=delivery.channel,
        subscription_id=delivery.subscription_id,
    )

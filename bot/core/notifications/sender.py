"""Sends deliveries that are due: those of one channel in order, one at a time, over all processes.

A delivery is claimed before it is sent and recorded after. If the process dies in between, Slack may have the message:
*broke* and *fixed* are then posted again, everything else is not. `bursts` decides what shares a message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.core.model.builds import Build, FailureLog
from bot.core.model.follows import MessageGone, RetryLater
from bot.core.model.notifications.deliveries import QUIET_IF_FLAKY, ChannelRefuses, Delivery, DeliveryState
from bot.core.model.notifications.reasons import Decision, Reason
from bot.core.model.notifications.subscriptions import Replies
from bot.core.model.notifications.transitions import ENDS_A_PERIOD, OF_A_PERIOD, WITHIN_A_PERIOD, Change
from bot.core.notifications.bursts import (
    BURST_BRANCHES,
    DIGEST_FOR,
    Turn,
    digest_of,
    flaky_and_quiet,
    is_quiet,
    next_turn,
    overtaken,
    waits_for_retry,
)
from bot.core.notifications.ports import Announcer, Outbox, SubscriptionStore
from bot.core.notifications.recipients import decision_about
from bot.core.people.authors import Authors, comes_first
from bot.core.ports import Clock, Jobs, Step

ANNOUNCE = "announce"
"""The kind of the job that sends a channel's due deliveries."""

CLAIMED_FOR = timedelta(seconds=60)
LATE_AFTER = timedelta(seconds=20)
RETRY_S = 15.0
LOOKS_AGAIN_AFTER = timedelta(seconds=5)
"""A person's own message waits for the channel's."""
OF_AUTHORS = "author"
"""The kind under which the messages to persons are counted."""
RETRIES_OF_PAUSED = (timedelta(hours=1), timedelta(hours=4), timedelta(days=1))
PAUSED_FOR = timedelta(days=30)

_SAID_AGAIN = ENDS_A_PERIOD | {Change.BROKE}
_EXPLAINED = WITHIN_A_PERIOD - {Change.REMINDED} | {Change.BROKE, Change.FAILED}
"""For these, the failed jobs are fetched from the CI service."""

_WITH_LOG = frozenset({Change.BROKE, Change.JOINED})

Observe = Callable[[str, str, float | None], None]
"""Called with the kind of a delivery, its result, and the seconds since its build ended if it was told."""


class Sender:
    """Thread-safe. `observe` counts the deliveries.

    `details` returns a build with its failed jobs, or unchanged. `log_of` returns why a build failed, None if the
    channel does not get that.

    A delivery that was claimed longer ago than `claimed_for` belongs to a process that died. One that is overdue by
    `late_after` was lost before its job was stored.
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
        authors: Authors,
        claimed_for: timedelta = CLAIMED_FOR,
        late_after: timedelta = LATE_AFTER,
    ) -> None:
        self._outbox = outbox
        self._subscriptions = subscriptions
        self._announcer = announcer
        self._jobs = jobs
        self._clock = clock
        self._details = details
        self._log_of = log_of
        self._observe = observe
        self._authors = authors
        self._claimed_for = claimed_for
        self._late_after = late_after

    def announce(self, deliveries: Sequence[Delivery]) -> None:
        """Starts sending what was stored. After a crash, `restart_late` starts it."""
        due = [delivery for delivery in deliveries if delivery.state is DeliveryState.DUE]
        now = self._clock.now()
        for delivery in {delivery.channel: delivery for delivery in due if delivery.due_at <= now}.values():
            self._start(delivery)
        for delivery in (delivery for delivery in due if delivery.due_at > now):
            self._start(delivery, delay_s=(delivery.due_at - now).total_seconds())

    def restart_late(self, after: timedelta | None = None) -> None:
        """Starts what is overdue by `after` (`late_after` if it is None), and retries paused channels."""
        now = self._clock.now()
        for delivery in self._outbox.waiting(
            now - (self._late_after if after is None else after), now - self._claimed_for
        ):
            self._start(delivery, again=f" {int(now.timestamp() // self._claimed_for.total_seconds())}")

    def job(self, payload: Mapping[str, Any], step: Step) -> None:  # noqa: ARG002 - the rows say what is done
        """A `Job`: sends all due deliveries of the channel."""
        channel = str(payload["channel"])
        while self._send_next(channel):
            pass

    def _start(self, delivery: Delivery, *, delay_s: float = 0.0, again: str = "") -> None:
        key = f"announce {delivery.id} {delivery.version}{again}"
        self._jobs.start(ANNOUNCE, key, {"channel": delivery.channel}, delay_s=delay_s)

    def _send_next(self, channel: str) -> bool:
        """Sends the channel's next message. False if there is none, or it must wait."""
        unsent = self._outbox.queue(channel)
        now = self._clock.now()
        queue = [each for each in unsent if not waits_for_retry(each, unsent, now)]
        if not queue or any(self._is_being_sent(each, now) for each in queue):
            return False
        first = queue[0]
        if first.is_direct:  # each of them: a digest has all, and one that waits for Slack must not hold up the next
            for each in queue:
                if (why := self._authors.why_not(each)) is not None:
                    return self._drop([each], why) is not None
        if first.state is not DeliveryState.SENDING and first.due_at > now and first.reason != QUIET_IF_FLAKY:
            return False
        if old := overtaken(unsent):
            return self._drop_overtaken(old, flaky_and_quiet(old, queue)) is not None
        died = [each for each in queue if each.state is DeliveryState.SENDING]
        if lost := [each for each in died if each.transition.change not in _SAID_AGAIN]:
            return self._uncertain(lost) is not None
        turn = self._turn(queue, now)
        if turn.at > now:
            delay_s = (turn.at - now).total_seconds()
            self._jobs.start(
                ANNOUNCE, f"announce {channel} {turn.at.isoformat()}", {"channel": channel}, delay_s=delay_s
            )
            return False
        claimed = self._outbox.move([(each, _claim(each)) for each in turn.deliveries])
        was_paused = turn.deliveries[0].state is DeliveryState.PAUSED
        return claimed is not None and self._send(claimed, turn, was_paused=was_paused)

    def _turn(self, queue: Sequence[Delivery], now: datetime) -> Turn:
        if not queue[0].is_direct:
            return next_turn(queue, self._outbox.told(queue[0].channel, now - DIGEST_FOR), now)
        if comes_first(self._authors.of_channels(queue[0]), queue[0], now):
            return Turn((queue[0],), now + LOOKS_AGAIN_AFTER)
        is_much = len(queue) >= BURST_BRANCHES
        return Turn(tuple(queue) if is_much else (queue[0],), now, is_digest=is_much)

    def _send(self, claimed: Sequence[Delivery], turn: Turn, *, was_paused: bool) -> bool:
        """Whether the channel's next message may follow."""
        shown = claimed[0] if turn.is_digest else self._with_details(claimed[0])
        try:
            told = self._in_digest(claimed, turn) if turn.is_digest else self._alone(shown)
        except ChannelRefuses as refusal:
            self._pause(claimed, str(refusal), tells=not was_paused)
            return False
        except RetryLater as later:
            self._retry(claimed, later)
            return False
        if not told:
            return self._drop(claimed, "no message to change") is not None
        if was_paused:
            self._subscriptions.resume(claimed[0].channel)
        now = self._clock.now()
        told = [replace(each, transition=before.transition) for before, each in zip(claimed, told, strict=True)]
        news = [each for each in told if each.transition.change is not Change.ON_IT]
        self._outbox.move(list(zip(claimed, told, strict=True)), [_told_how(each, now) for each in news])
        for before in claimed:
            if before.digest_ts is None:
                ended = before.transition.build.finished_at if before.transition.change is not Change.ON_IT else None
                lag_s = max(0.0, (now - ended).total_seconds()) if ended else None
                self._observe(_kind(before), "told", None if before.is_direct else lag_s)
        if not turn.is_digest and told[0].transition.change in _WITH_LOG and told[0].head_ts is not None:
            self._show_log(shown, told[0].head_ts)
            self._ask_author(told[0], told[0].head_ts)
        return True

    def _with_details(self, delivery: Delivery) -> Delivery:
        if delivery.transition.change not in _EXPLAINED or delivery.digest_ts is not None:
            return delivery
        build = self._details(delivery.transition.build)
        return replace(delivery, transition=replace(delivery.transition, build=build))

    def _show_log(self, delivery: Delivery, head_ts: str) -> None:
        """Sends the log once, after the message. If it is lost, the button still shows it."""
        log = self._log_of(delivery.channel, delivery.transition.build)
        if log is not None:
            with suppress(ChannelRefuses, MessageGone, RetryLater):  # as the docstring says
                self._announcer.show_log(delivery, head_ts, log)

    def _ask_author(self, delivery: Delivery, head_ts: str) -> None:
        """Once a login, by the first message about it."""
        login = self._authors.ask_who(delivery) if delivery.transition.change is Change.BROKE else None
        if login is not None:
            with suppress(ChannelRefuses, MessageGone, RetryLater):  # `why` names the login, too
                self._announcer.ask_author(delivery, head_ts, login)

    def _in_digest(self, claimed: Sequence[Delivery], turn: Turn) -> list[Delivery]:
        """The deliveries as sent. Raises what an `Announcer` raises."""
        now, ts, began_at = self._clock.now(), turn.digest_ts, turn.began_at
        digest = digest_of([*turn.in_digest, *claimed], now)
        try:
            if ts is not None:
                self._announcer.change_digest(digest, ts)
        except MessageGone:
            ts = None
        if ts is None:
            ts, began_at = self._announcer.post_digest(digest) or "", now
        return [self._told_in_digest(each, ts, began_at) for each in claimed]

    def _told_in_digest(self, delivery: Delivery, ts: str, began_at: datetime | None) -> Delivery:
        """It stays due if the channel has a message of its period, which is then out of date."""
        change = delivery.transition.change
        has_head = change in OF_A_PERIOD and self._outbox.head(delivery) is not None
        state = DeliveryState.DUE if has_head else DeliveryState.TOLD
        return replace(delivery, state=state, reason="", digest_ts=ts, digest_at=began_at)

    def _alone(self, delivery: Delivery) -> list[Delivery]:
        """The delivery as sent; empty if there is no message to update. Raises what an `Announcer` raises."""
        try:
            told = self._said(delivery)
        except MessageGone:
            told = self._posted_again(delivery)
        return [told] if told is not None else []

    def _said(self, delivery: Delivery) -> Delivery | None:
        """The delivery as sent; None if there is no message to update. Raises what an `Announcer` raises."""
        change, told = delivery.transition.change, replace(delivery, state=DeliveryState.TOLD, reason="")
        if delivery.is_direct:
            return replace(told, ts=self._tell_author(delivery))
        if change not in OF_A_PERIOD:
            return replace(told, ts=self._announcer.post(delivery))
        head = self._outbox.head(delivery)
        if head is None:
            if is_quiet(delivery):
                return None
            ts = self._announcer.post(delivery)
            return replace(told, ts=ts, head_ts=ts)
        if change is not Change.REMINDED:
            self._announcer.change(delivery, head)
        ts = None
        if delivery.digest_ts is not None:
            return replace(told, head_ts=head)
        if change in ENDS_A_PERIOD and change is not Change.GONE:
            ts = self._announcer.reply(delivery, head, broadcast=delivery.replies is not Replies.THREAD)
        elif delivery.reminder or change is Change.FAILED_AGAIN:
            ts = self._announcer.reply(delivery, head, broadcast=delivery.replies is Replies.CHANNEL)
        return replace(told, ts=ts, head_ts=head)

    def _tell_author(self, delivery: Delivery) -> str | None:
        """With the first channel's message, if one has it."""
        for each in self._authors.of_channels(delivery):
            if ts := each.head_ts or each.digest_ts:
                return self._announcer.tell_author(delivery, each.channel, ts)
        return self._announcer.tell_author(delivery, None, None)

    def _posted_again(self, delivery: Delivery) -> Delivery | None:
        """The same if the message was deleted: posts a new one, but not for a quiet change."""
        if delivery.digest_ts is not None:
            return replace(delivery, state=DeliveryState.TOLD, reason="")
        if is_quiet(delivery):
            return None
        ts = self._announcer.post(delivery)
        return replace(delivery, state=DeliveryState.TOLD, reason="", ts=ts, head_ts=ts)

    def _drop(self, old: Sequence[Delivery], why: str) -> list[Delivery] | None:
        self._count(old, "dropped")
        return self._outbox.move([(each, replace(each, state=DeliveryState.DROPPED, reason=why)) for each in old])

    def _drop_overtaken(self, old: Sequence[Delivery], quiet: Sequence[Delivery]) -> list[Delivery] | None:
        """`quiet` are dropped with them, as the channel wants it."""
        self._count([*old, *quiet], "dropped")
        now = self._clock.now()
        moves = [(each, replace(each, state=DeliveryState.DROPPED, reason="overtaken")) for each in old]
        moves += [(each, replace(each, state=DeliveryState.DROPPED)) for each in quiet]
        return self._outbox.move(moves, [decision_about(each, now, Reason.FLAKY) for each in quiet])

    def _uncertain(self, lost: Sequence[Delivery]) -> list[Delivery] | None:
        self._count(lost, "uncertain")
        now = self._clock.now()
        moves = [(each, replace(each, state=DeliveryState.UNCERTAIN)) for each in lost]
        return self._outbox.move(moves, [decision_about(each, now, Reason.UNCERTAIN) for each in lost])

    def _retry(self, claimed: Sequence[Delivery], later: RetryLater) -> None:
        lost = [each for each in claimed if later.may_have_happened and not _is_said_again(each)]
        if lost:
            self._uncertain(lost)
        again = [each for each in claimed if each not in lost]
        if not again:
            return
        now, delay_s = self._clock.now(), max(later.retry_after_s, RETRY_S)
        due_at = now + timedelta(seconds=delay_s)
        moves = [(each, _due_again(each, due_at, later)) for each in again]
        decisions = [decision_about(each, now, Reason.WAITING, due_at.isoformat()) for each in again]
        moved = self._outbox.move(moves, decisions)
        self._count(again, "retried")
        if moved:
            self._start(moved[0], delay_s=delay_s)

    def _pause(self, claimed: Sequence[Delivery], why: str, *, tells: bool) -> None:
        """Pauses the channel and tells those who subscribed it, once. It is retried for `PAUSED_FOR`."""
        now, first = self._clock.now(), claimed[0]
        waits = RETRIES_OF_PAUSED[min(first.tries, len(RETRIES_OF_PAUSED)) - 1]
        is_over = now - first.created_at > PAUSED_FOR
        due_at = now + (PAUSED_FOR * 400 if is_over else waits)
        moves = [(each, replace(each, state=DeliveryState.PAUSED, reason=why, due_at=due_at)) for each in claimed]
        self._outbox.move(moves, [decision_about(each, now, Reason.PAUSED, why) for each in claimed])
        self._count(claimed, "paused")
        paused = self._subscriptions.pause(first.channel, why)
        makers = dict.fromkeys(each.maker for each in paused if each.maker is not None)
        for maker in makers if tells else ():
            self._announcer.tell_maker(maker, first.channel, why)

    def _is_being_sent(self, delivery: Delivery, now: datetime) -> bool:
        """Whether a process that may still live has claimed it."""
        at = delivery.changed_at
        return delivery.state is DeliveryState.SENDING and at is not None and abs(now - at) < self._claimed_for

    def _count(self, deliveries: Sequence[Delivery], result: str) -> None:
        for delivery in deliveries:
            self._observe(_kind(delivery), result, None)


def _kind(delivery: Delivery) -> str:
    return OF_AUTHORS if delivery.is_direct else delivery.transition.change.value


def _is_said_again(delivery: Delivery) -> bool:
    """Whether it is sent again if Slack's response was lost."""
    return delivery.transition.change in _SAID_AGAIN and not delivery.doubtful


def _claim(delivery: Delivery) -> Delivery:
    doubtful = delivery.doubtful or delivery.state is DeliveryState.SENDING
    return replace(delivery, state=DeliveryState.SENDING, doubtful=doubtful, tries=delivery.tries + 1)


def _due_again(delivery: Delivery, due_at: datetime, later: RetryLater) -> Delivery:
    doubtful = delivery.doubtful or later.may_have_happened
    return replace(delivery, state=DeliveryState.DUE, due_at=due_at, reason=str(later), doubtful=doubtful)


def _told_how(told: Delivery, now: datetime) -> Decision:
    if told.digest_ts is not None and told.head_ts is None:
        return decision_about(told, now, Reason.DIGEST, told.digest_ts)
    return decision_about(told, now, Reason.CHANGED if told.ts is None else Reason.TOLD, told.ts or told.head_ts or "")

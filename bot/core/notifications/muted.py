"""Posts one line about what happened during a mute when it ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.core.model.follows import MessageGone, RetryLater
from bot.core.model.notifications.deliveries import ChannelRefuses, Delivery, DeliveryState
from bot.core.model.notifications.muted import Happened, WhileMuted
from bot.core.model.notifications.reasons import Reason
from bot.core.model.notifications.subscriptions import PAUSED_BY_PERSON, Mute
from bot.core.model.notifications.transitions import ENDS_A_PERIOD, Change
from bot.core.notifications.bursts import branch_of
from bot.core.notifications.ports import Announcer, Outbox, SubscriptionStore, WatchStore
from bot.core.notifications.recipients import decision_about
from bot.core.ports import Clock


def while_muted(held: Sequence[Delivery], is_broken: Callable[[Delivery], bool]) -> list[tuple[Delivery, Happened]]:
    """The newest delivery of each branch, and what happened on it; what is broken comes first. Pure.

    `held`: the deliveries that the mute held back, the oldest first. `is_broken`: the delivery's branch is broken now.
    """
    of_branch: dict[object, list[Delivery]] = {}
    for delivery in held:
        of_branch.setdefault(branch_of(delivery), []).append(delivery)
    happened = [(each[-1], _happened(each, is_broken)) for each in of_branch.values()]
    return sorted(happened, key=lambda one: one[1] is not Happened.STILL_BROKEN)


def _happened(held: Sequence[Delivery], is_broken: Callable[[Delivery], bool]) -> Happened:
    changes = [each.transition.change for each in held]
    if changes[-1] not in ENDS_A_PERIOD:
        return Happened.STILL_BROKEN if is_broken(held[-1]) else Happened.BROKE_AND_FIXED
    if all(change is Change.FLAKY for change in changes if change in ENDS_A_PERIOD):
        return Happened.FLAKY
    return Happened.BROKE_AND_FIXED if Change.BROKE in changes else Happened.FIXED


class MuteEnds:
    """Thread-safe. `announce` starts sending what was stored.

    An end is claimed before its line is posted. If the process dies before that is recorded, the line is posted again
    after `claimed_for`.
    """

    def __init__(
        self,
        *,
        subscriptions: SubscriptionStore,
        outbox: Outbox,
        watching: WatchStore,
        announcer: Announcer,
        clock: Clock,
        claimed_for: timedelta,
        announce: Callable[[Sequence[Delivery]], None],
    ) -> None:
        self._subscriptions = subscriptions
        self._outbox = outbox
        self._watching = watching
        self._announcer = announcer
        self._clock = clock
        self._claimed_for = claimed_for
        self._announce = announce

    def tell_ended(self) -> None:
        """Posts the line of each mute that has ended, unless another process has claimed it."""
        for mute in self._subscriptions.ended_mutes():
            if self._subscriptions.claim_end(mute, self._claimed_for):
                self._tell(mute)

    def _tell(self, mute: Mute) -> None:
        held = self._held(mute)
        heard = [each for each in held if self._is_heard(each)]
        ts = None
        told = WhileMuted(mute, tuple(while_muted(heard, self._is_broken)))
        if told.happened:
            try:
                ts = self._announcer.post_while_muted(told)
            except ChannelRefuses:  # the next delivery is refused, too, and pauses the channel
                pass
            except (MessageGone, RetryLater) as later:
                if not (isinstance(later, RetryLater) and later.may_have_happened):
                    return  # again when the claim has ended
        self._record(held, told, ts)
        self._subscriptions.forget(mute)

    def _held(self, mute: Mute) -> list[Delivery]:
        """The deliveries that this mute held back and no other mute still does."""
        now = self._clock.now()
        others = self._subscriptions.mutes(mute.channel)
        return [
            each
            for each in self._outbox.muted(mute.channel)
            if mute.is_about(each.transition.build.project.name)
            and not any(other.covers(each.transition.build.project.name, now) for other in others)
        ]

    def _is_heard(self, delivery: Delivery) -> bool:
        """Whether the channel is still subscribed to the repository; people's own messages need no subscription."""
        project = delivery.transition.build.project
        return delivery.subscription_id is None or any(
            each.paused != PAUSED_BY_PERSON and each.filters.has_repository(project.service, project.name)
            for each in self._subscriptions.of_channel(delivery.channel)
        )

    def _is_broken(self, delivery: Delivery) -> bool:
        build = delivery.transition.build
        project = self._watching.project(build.project.service, build.project.id)
        state = dict(project.branches).get(build.branch or "")
        return state is None or state.is_bad

    def _record(self, held: Sequence[Delivery], told: WhileMuted, ts: str | None) -> None:
        """Stores what was posted. A message that the channel has of a branch is then updated silently."""
        newest = {delivery.id for delivery, _ in told.happened} if ts is not None else set()
        now = self._clock.now()
        moves: list[tuple[Delivery, Delivery]] = []
        for each in held:
            if each.id not in newest:
                moves.append((each, replace(each, state=DeliveryState.DROPPED, reason="muted")))
                continue
            state = DeliveryState.DUE if self._outbox.head(each) is not None else DeliveryState.TOLD
            moves.append((each, replace(each, state=state, due_at=now, digest_ts=ts)))
        decisions = [decision_about(each, now, Reason.DIGEST, ts or "") for each in held if each.id in newest]
        moved = self._outbox.move(moves, decisions)
        self._announce([each for each in moved or () if each.state is DeliveryState.DUE])

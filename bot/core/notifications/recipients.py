"""Which channels get a message about a transition, and why others do not. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.model.builds import Build
from bot.core.model.notifications.deliveries import EVENT_OF, QUIET_IF_FLAKY, Delivery, DeliveryState
from bot.core.model.notifications.reasons import Decision, Reason, SeenBy
from bot.core.model.notifications.subscriptions import (
    MAX_MENTIONS,
    PAUSED_BY_PERSON,
    Event,
    Mismatch,
    Mute,
    Replies,
    Subscription,
)
from bot.core.model.notifications.transitions import (
    BEFORE_A_PERIOD,
    ENDS_A_PERIOD,
    OF_A_PERIOD,
    Change,
    Observation,
    Transition,
)

REMINDED_AT = frozenset({3, 10})
REMINDED_EVERY = 30
"""`on:still` posts at 3, 10, 30, 60, … failed commits in a row, `on:still:5` at every fifth."""
FLAKY_WITHIN = timedelta(minutes=15)
"""A failure that passes on retry within this is not posted with `flaky:quiet`."""

_NEWS = frozenset({Change.BROKE, Change.FIXED, Change.FLAKY, Change.RETIRED})
"""After one of these, no other notification says that the same build failed or passed."""
_MISMATCHES = {Mismatch.BRANCH: Reason.BRANCH, Mismatch.WORKFLOW: Reason.WORKFLOW}


@dataclass(frozen=True, slots=True)
class Audience:
    """The subscriptions that match a repository, by id, and all mutes."""

    subscriptions: Sequence[Subscription]
    mutes: Sequence[Mute]
    default_branch: str | None = None

    def hears_branch(self, branch: str | None) -> bool:
        """Whether any subscription includes the branch."""
        return any(
            subscription.filters.mismatch_within(branch, self.default_branch) is not Mismatch.BRANCH
            for subscription in self.subscriptions
        )

    def since(self, branch: str | None) -> datetime | None:
        """When the oldest subscription that includes the branch was made; None if one's time is unknown."""
        times = [
            subscription.created_at
            for subscription in self.subscriptions
            if subscription.filters.mismatch_within(branch, self.default_branch) is not Mismatch.BRANCH
        ]
        known = [time for time in times if time is not None]
        return min(known) if len(known) == len(times) and known else None


@dataclass(frozen=True, slots=True)
class Told:
    """What follows from a poll: the deliveries, and the reasons, also if there is no delivery."""

    deliveries: tuple[Delivery, ...] = ()
    decisions: tuple[Decision, ...] = ()


def decide_deliveries(observation: Observation, audience: Audience, now: datetime, seen_by: SeenBy) -> Told:
    """The deliveries for what a poll has shown of one branch: at most one for each channel and build."""
    deliveries: list[Delivery] = []
    decisions: list[Decision] = []
    for channel in dict.fromkeys(each.channel for each in audience.subscriptions):
        said: set[str] = set()
        for transition in observation.transitions:
            if transition.build.id in said and transition.change not in OF_A_PERIOD:
                continue
            found = _for_channel(channel, transition, audience, now, seen_by)
            deliveries += found.deliveries
            decisions += found.decisions
            if any(transition.change in _NEWS or each.reminder for each in found.deliveries):
                said.add(transition.build.id)
    return Told(tuple(deliveries), tuple(decisions))


def decision(
    build: Build,
    at: datetime,
    seen_by: SeenBy,
    reason: Reason,
    detail: str = "",
    *,
    channel: str | None = None,
    subscription_id: int | None = None,
) -> Decision:
    return Decision(
        at=at,
        service=build.project.service,
        project_id=build.project.id,
        branch=build.branch,
        build_id=build.id,
        seen_by=seen_by,
        reason=reason,
        detail=detail,
        channel=channel,
        subscription_id=subscription_id,
    )


def decision_about(delivery: Delivery, at: datetime, reason: Reason, detail: str = "") -> Decision:
    return decision(
        delivery.transition.build,
        at,
        delivery.seen_by,
        reason,
        detail,
        channel=delivery.channel,
        subscription_id=delivery.subscription_id,
    )


def notes(observation: Observation, builds: Iterable[Build], now: datetime, seen_by: SeenBy) -> list[Decision]:
    """The reasons why runs were no news for any channel."""
    by_id = {build.id: build for build in builds}
    return [decision(by_id[note.build_id], now, seen_by, note.reason, note.detail) for note in observation.notes]


def _for_channel(channel: str, transition: Transition, audience: Audience, now: datetime, seen_by: SeenBy) -> Told:
    """The channel's delivery; or why there is none, if its subscriptions came near to matching.

    The news of a muted channel are stored for its end.
    """
    build, event = transition.build, EVENT_OF[transition.change]
    ended = build.finished_at
    nearest: tuple[int, Reason, int | None] | None = None
    matching: list[Subscription] = []
    for subscription in audience.subscriptions:
        if subscription.channel != channel:
            continue
        mismatch = _mismatch(subscription, transition)
        if mismatch is not None:
            rank, reason = (0, _MISMATCHES[mismatch])
        elif not _wants(subscription, event):
            rank, reason = (1, Reason.EVENT)
        elif subscription.created_at is not None and ended is not None and ended < subscription.created_at:
            rank, reason = (2, Reason.YOUNGER)
        else:
            matching.append(subscription)
            continue
        if nearest is None or rank > nearest[0]:
            nearest = (rank, reason, subscription.id)
    if not matching:
        # No reason is stored for an event of a single build that no subscription includes.
        if nearest is None or (transition.change not in OF_A_PERIOD - BEFORE_A_PERIOD and nearest[0] == 1):
            return Told()
        return _untold(decision(build, now, seen_by, nearest[1], channel=channel, subscription_id=nearest[2]))
    muted = next((m for m in audience.mutes if m.channel == channel and m.covers(build.project.name, now)), None)
    first = matching[0]
    active = next((each for each in matching if each.is_active), None)
    held_back = next((each for each in matching if each.paused not in (None, PAUSED_BY_PERSON)), None)
    heard = active or held_back
    if heard is None:
        detail = PAUSED_BY_PERSON
        return _untold(decision(build, now, seen_by, Reason.PAUSED, detail, channel=channel, subscription_id=first.id))
    delivery = Delivery(
        channel=channel,
        transition=transition,
        seen_by=seen_by,
        created_at=now,
        due_at=now,
        subscription_id=heard.id,
        reminder=_has_reminder(transition, matching),
        mentions=_mentions(transition, matching),
        replies=_replies(matching),
        state=DeliveryState.DUE if active is not None else DeliveryState.PAUSED,
        reason=heard.paused or "",
    )
    if muted is None and active is not None and all(each.filters.flaky_quiet for each in matching):
        return _quiet_if_flaky(delivery, now)
    if muted is None:
        return Told((delivery,))
    why = decision_about(delivery, now, Reason.MUTED, muted.until.isoformat())
    held = replace(delivery, state=DeliveryState.MUTED, reason="", reminder=False)
    return Told((held,) if transition.change in _NEWS else (), (why,))


def _quiet_if_flaky(delivery: Delivery, now: datetime) -> Told:
    """With `flaky:quiet`, a failure waits until `FLAKY_WITHIN` has passed."""
    change = delivery.transition.change
    if change is Change.BROKE:
        due_at = max(now, (delivery.transition.build.finished_at or now) + FLAKY_WITHIN)
        held = replace(delivery, due_at=due_at, reason=QUIET_IF_FLAKY)
        return Told((held,), (decision_about(held, now, Reason.MAY_BE_FLAKY, due_at.isoformat()),))
    return Told((replace(delivery, reason=QUIET_IF_FLAKY) if change is Change.FLAKY else delivery,))


def _untold(why: Decision) -> Told:
    return Told(decisions=(why,))


def _has_reminder(transition: Transition, matching: Iterable[Subscription]) -> bool:
    is_taken = transition.period is not None and transition.period.owner is not None
    return (
        transition.change is Change.STILL
        and not is_taken
        and any(
            each.wants(Event.STILL) and _is_reminder_due(transition.in_a_row, each.filters.still_every)
            for each in matching
        )
    )


def _mentions(transition: Transition, matching: Iterable[Subscription]) -> tuple[str, ...]:
    """Whom the message of a broken period mentions."""
    if transition.change not in OF_A_PERIOD - ENDS_A_PERIOD:
        return ()
    return tuple(dict.fromkeys(id_ for each in matching for id_ in each.filters.mentions))[:MAX_MENTIONS]


def _replies(matching: Iterable[Subscription]) -> Replies | None:
    """The loudest that one of them wants."""
    wanted = {each.filters.replies for each in matching}
    return next(each for each in (Replies.CHANNEL, None, Replies.THREAD) if each in wanted)


def _mismatch(subscription: Subscription, transition: Transition) -> Mismatch | None:
    """One of the workflows that changed must match, if the service has any."""
    filters, branch = subscription.filters, transition.build.branch
    default = transition.build.project.default_branch
    reasons = [filters.mismatch_within(branch, default, (name,)) for name in transition.workflows]
    if not reasons:
        return filters.mismatch_within(branch, default)
    return None if None in reasons else reasons[0]


def _wants(subscription: Subscription, event: Event) -> bool:
    """`on:early` and `on:still` include `on:broke`."""
    if event is Event.BROKE and any(map(subscription.wants, (Event.STILL, Event.EARLY))):
        return True
    return subscription.wants(event)


def _is_reminder_due(in_a_row: int, every: int | None) -> bool:
    if every is not None:
        return in_a_row > 1 and in_a_row % every == 0
    return in_a_row in REMINDED_AT or (in_a_row > 0 and in_a_row % REMINDED_EVERY == 0)

"""Decides what a channel gets next: single messages, or one digest that is updated in place. Pure.

The first changes get messages of their own. From the third branch within a minute on, one digest takes all further ones
for five minutes. A channel gets at most one message a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.model.notifications.deliveries import QUIET_IF_FLAKY, Cause, Delivery, DeliveryState, Digest
from bot.core.model.notifications.transitions import ENDS_A_PERIOD, Change

BURST_WITHIN = timedelta(seconds=60)
BURST_BRANCHES = 3
DIGEST_FOR = timedelta(minutes=5)
DIGEST_EVERY = timedelta(seconds=20)
"""Between two changes of a digest: Slack limits the changes of a whole workspace to about fifty a minute."""
MESSAGE_EVERY = timedelta(seconds=1)
LATE_AFTER = timedelta(minutes=20)
"""No poll finds a build this late, unless the bot, the CI service or Slack was down."""

_NOT_FLAKY = frozenset({Change.STILL, Change.FAILED_AGAIN, Change.JOINED})

QUIET = frozenset({Change.STILL, Change.EASED, Change.FAILED_AGAIN, Change.ON_IT, Change.PASSED_AFTER_ALL})
"""These only update the message that a channel has."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What to send to a channel next, not before `at`: one delivery, or several in a digest.

    `digest_ts` and `began_at` are those of a digest to add to, `in_digest` the deliveries that it has.
    """

    deliveries: tuple[Delivery, ...]
    at: datetime
    is_digest: bool = False
    digest_ts: str | None = None
    began_at: datetime | None = None
    in_digest: tuple[Delivery, ...] = ()


def is_quiet(delivery: Delivery) -> bool:
    change = delivery.transition.change
    return change in (Change.REMINDED, Change.GONE) or (change in QUIET and not delivery.reminder)


def next_turn(queue: Sequence[Delivery], told: Sequence[Delivery], now: datetime) -> Turn:
    """`queue`: the channel's unsent deliveries, at least one. `told`: those sent within `DIGEST_FOR`.

    News comes before updates of older messages.
    """
    near = [each for each in told if _is_within(each.changed_at, now, DIGEST_FOR)]
    spoken_at = max((each.changed_at for each in near if each.changed_at and each.changed_at <= now), default=None)
    at = now if spoken_at is None else spoken_at + MESSAGE_EVERY
    news = [each for each in queue if each.digest_ts is None and not is_quiet(each)]
    if not news or (queue[0].state is DeliveryState.PAUSED and is_quiet(queue[0])):
        return Turn((queue[0],), now if queue[0].transition.change is Change.ON_IT else at)  # a person waits for that
    open_ones = [each for each in near if each.digest_ts and _is_within(each.digest_at, now, DIGEST_FOR)]
    if open_ones:
        newest = max(open_ones, key=lambda each: (each.digest_at or now, each.id))
        members = tuple(each for each in open_ones if each.digest_ts == newest.digest_ts)
        changed_at = max(each.changed_at or now for each in members)
        return Turn(tuple(news), changed_at + DIGEST_EVERY, True, newest.digest_ts, newest.digest_at, members)
    lately = {branch_of(each) for each in near if each.ts and _is_within(each.changed_at, now, BURST_WITHIN)}
    branches = {branch_of(each) for each in news}
    is_burst = len(lately | branches) >= BURST_BRANCHES or (_since(news, now) is not None and len(branches) > 1)
    return Turn(tuple(news), at, True) if is_burst else Turn((news[0],), at)


def digest_of(deliveries: Sequence[Delivery], now: datetime) -> Digest:
    """A digest of these deliveries (at least one, the oldest first): the current state of each branch."""
    newest: dict[tuple[str, str, str | None], Delivery] = {}
    for each in deliveries:
        newest.pop(branch_of(each), None)
        newest[branch_of(each)] = each
    shown = tuple(newest.values())
    return Digest(deliveries[0].channel, shown, _cause(shown), _since(deliveries, now))


def overtaken(queue: Sequence[Delivery]) -> list[Delivery]:
    """Deliveries to drop, since a newer state of the same broken period is due."""
    found: list[Delivery] = []
    newer: dict[object, set[Change]] = {}
    for delivery in reversed(queue):
        change, period = delivery.transition.change, delivery.transition.period
        if period is None:
            continue
        later = newer.setdefault((branch_of(delivery), period.id), set())
        is_due = not delivery.doubtful and delivery.state is not DeliveryState.SENDING
        is_over = bool(later & ENDS_A_PERIOD) if change is Change.BROKE else bool(later) and not delivery.reminder
        if is_due and is_over:
            found.append(delivery)
        later.add(change)
    return found[::-1]


def waits_for_retry(delivery: Delivery, queue: Iterable[Delivery], now: datetime) -> bool:
    """Whether it is a failure that may still pass on retry, in a channel with `flaky:quiet`.

    False once the branch has failed again.
    """
    if delivery.reason != QUIET_IF_FLAKY or delivery.due_at <= now:
        return False
    later = {each.transition.change for each in queue if branch_of(each) == branch_of(delivery)}
    return not later & _NOT_FLAKY


def flaky_and_quiet(old: Sequence[Delivery], queue: Iterable[Delivery]) -> list[Delivery]:
    """Passes on retry to drop with `old`, which has their failures: the channel has `flaky:quiet`."""
    unheard = {branch_of(each) for each in old if each.reason == QUIET_IF_FLAKY}
    return [
        each
        for each in queue
        if each.reason == QUIET_IF_FLAKY and each.transition.change is Change.FLAKY and branch_of(each) in unheard
    ]


def branch_of(delivery: Delivery) -> tuple[str, str, str | None]:
    build = delivery.transition.build
    return build.project.service, build.project.id, build.branch


def _cause(deliveries: Sequence[Delivery]) -> Cause | None:
    """What several repositories, or several branches of one, have in common."""
    changes = {each.transition.change for each in deliveries}
    if len(deliveries) < BURST_BRANCHES or changes & ENDS_A_PERIOD:
        return None
    builds = [each.transition.build for each in deliveries]
    if changes == {Change.INFRA}:
        return Cause.INFRA if len({build.project.service for build in builds}) == 1 else None
    if builds[0].commit and len({build.commit for build in builds}) == 1:
        return Cause.COMMIT
    return Cause.AUTHOR if builds[0].author and len({build.author for build in builds}) == 1 else None


def _since(deliveries: Iterable[Delivery], now: datetime) -> datetime | None:
    ends = [each.transition.build.finished_at or each.created_at for each in deliveries]
    first = min(ends)
    return first if now - first > LATE_AFTER else None


def _is_within(moment: datetime | None, now: datetime, span: timedelta) -> bool:
    """Also if the clock was set back by less than that."""
    return moment is not None and abs(now - moment) < span

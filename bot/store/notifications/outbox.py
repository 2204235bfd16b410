"""The core's `Outbox` in the database: a row for each change and channel, stored with the state it follows from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from bot.core.model.notifications.deliveries import QUIET_IF_FLAKY, UNSENT, Delivery, DeliveryState
from bot.core.model.notifications.reasons import Decision, SeenBy
from bot.core.model.notifications.subscriptions import Replies
from bot.core.model.notifications.transitions import Transition
from bot.core.ports import Clock
from bot.store.engine import Database
from bot.store.notifications.decisions import StoredDecisions
from bot.store.notifications.tables import deliveries
from bot.store.periodic import Periodic

PURGE_EVERY_S = 3600.0

_UNSENT = deliveries.c.state.in_(sorted(state.value for state in UNSENT))
_TO_BE_TOLD = sa.or_(_UNSENT, deliveries.c.state == DeliveryState.MUTED.value)
_TRANSITION = msgspec.json.Decoder(Transition)

Move = tuple[Delivery, Delivery]
"""A delivery as it was read, and as it is to be stored."""


class _Changed(Exception):
    """Another process has changed one of the deliveries: nothing is stored."""


class StoredOutbox:
    """An `Outbox`. Rows that are told or dropped are deleted when they are older than `kept`."""

    def __init__(self, database: Database, clock: Clock, decisions: StoredDecisions, kept: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._decisions = decisions
        self._kept = kept
        self._purging = Periodic(clock, PURGE_EVERY_S)

    def add(self, new: Sequence[Delivery]) -> list[Delivery]:
        with self._database.writing() as connection:
            return [one for one in (added(self._database, connection, each) for each in new) if one is not None]

    def queue(self, channel: str) -> list[Delivery]:
        query = deliveries.select().where(deliveries.c.channel == channel, _UNSENT).order_by(deliveries.c.id)
        return [_delivery(row) for row in self._database.rows(query)]

    def told(self, channel: str, since: datetime) -> list[Delivery]:
        is_told = sa.or_(deliveries.c.state == DeliveryState.TOLD.value, deliveries.c.digest_ts.is_not(None))
        query = deliveries.select().where(deliveries.c.channel == channel, deliveries.c.changed_at >= since, is_told)
        with self._database.reading() as connection:
            return [_delivery(row) for row in connection.execute(query.order_by(deliveries.c.id))]

    def move(self, moves: Sequence[Move], decisions: Sequence[Decision] = ()) -> list[Delivery] | None:
        now = self._clock.now()
        moved = [replace(to, version=delivery.version + 1, changed_at=now) for delivery, to in moves]
        try:
            with self._database.writing() as connection:
                for (before, _), to in zip(moves, moved, strict=True):
                    same = sa.and_(deliveries.c.id == before.id, deliveries.c.version == before.version)
                    if connection.execute(deliveries.update().where(same).values(_columns(to))).rowcount != 1:
                        raise _Changed
                if decisions:
                    self._decisions.add(connection, decisions)
                if self._purging.is_due():
                    old = deliveries.c.created_at < now - self._kept
                    connection.execute(deliveries.delete().where(old, sa.not_(_TO_BE_TOLD)))
        except _Changed:
            return None
        return moved

    def head(self, delivery: Delivery) -> str | None:
        build, period = delivery.transition.build, delivery.transition.period
        if period is None:
            return None
        told = sa.select(deliveries.c.head_ts).where(
            deliveries.c.channel == delivery.channel,
            deliveries.c.service == build.project.service,
            deliveries.c.project_id == build.project.id,
            deliveries.c.branch == build.branch,
            deliveries.c.period == period.id,
            deliveries.c.head_ts.is_not(None),
        )
        with self._database.reading() as connection:
            ts: str | None = connection.scalar(told.order_by(deliveries.c.id.desc()).limit(1))
            return ts

    def of_period(self, service: str, project_id: str, branch: str, period: str) -> list[Delivery]:
        is_of_it = sa.and_(
            deliveries.c.service == service,
            deliveries.c.project_id == project_id,
            deliveries.c.branch == branch,
            deliveries.c.period == period,
        )
        newest = sa.select(sa.func.max(deliveries.c.id)).where(is_of_it).group_by(deliveries.c.channel)
        query = deliveries.select().where(deliveries.c.id.in_(newest)).order_by(deliveries.c.id)
        with self._database.reading() as connection:
            return [_delivery(row) for row in connection.execute(query)]

    def waiting(self, due_before: datetime, claimed_before: datetime) -> list[Delivery]:
        is_first = sa.and_(_UNSENT, sa.not_(_waits_for_retry(due_before)))
        first = sa.select(sa.func.min(deliveries.c.id)).where(is_first).group_by(deliveries.c.channel)
        is_late = sa.or_(
            sa.and_(deliveries.c.state != DeliveryState.SENDING.value, deliveries.c.due_at <= due_before),
            sa.and_(deliveries.c.state == DeliveryState.SENDING.value, deliveries.c.changed_at <= claimed_before),
        )
        query = deliveries.select().where(deliveries.c.id.in_(first), is_late).order_by(deliveries.c.id)
        return [_delivery(row) for row in self._database.rows(query)]

    def muted(self, channel: str) -> list[Delivery]:
        is_muted = deliveries.c.state == DeliveryState.MUTED.value
        query = deliveries.select().where(deliveries.c.channel == channel, is_muted).order_by(deliveries.c.id)
        with self._database.reading() as connection:
            return [_delivery(row) for row in connection.execute(query)]

    def last_told(self, channel: str) -> datetime | None:
        posted = sa.select(sa.func.max(deliveries.c.changed_at)).where(
            deliveries.c.channel == channel,
            deliveries.c.state == DeliveryState.TOLD.value,
        )
        with self._database.reading() as connection:
            moment: datetime | None = connection.scalar(posted)
            return moment

    def depth(self) -> tuple[int, datetime | None]:
        query = sa.select(sa.func.count(), sa.func.min(deliveries.c.created_at)).where(
            deliveries.c.state.in_([DeliveryState.DUE.value, DeliveryState.SENDING.value]),
            sa.not_(_waits_for_retry(self._clock.now())),
        )
        with self._database.reading() as connection:
            count, oldest = connection.execute(query).one()
            return int(count), oldest


def _waits_for_retry(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(deliveries.c.reason == QUIET_IF_FLAKY, deliveries.c.due_at > now)


def added(database: Database, connection: sa.Connection, delivery: Delivery) -> Delivery | None:
    """Stores a new delivery in the caller's transaction. Returns it with its id; None if its key is known."""
    build, period = delivery.transition.build, delivery.transition.period
    fixed = {
        "key": delivery.key,
        "channel": delivery.channel,
        "service": build.project.service,
        "project_id": build.project.id,
        "branch": build.branch,
        "period": period.id if period else None,
        "transition": msgspec.json.encode(delivery.transition).decode(),
        "seen_by": delivery.seen_by.value,
        "created_at": delivery.created_at,
        "subscription_id": delivery.subscription_id,
        "reminder": delivery.reminder,
        "mentions": " ".join(delivery.mentions),
        "replies": delivery.replies.value if delivery.replies is not None else None,
    }
    made = replace(delivery, changed_at=delivery.created_at)
    new = database.insert(deliveries).values(**fixed, **_columns(made))
    if connection.execute(new.on_conflict_do_nothing()).rowcount != 1:
        return None
    id_ = connection.scalar(sa.select(deliveries.c.id).where(deliveries.c.key == delivery.key))
    return replace(made, id=int(id_ or 0))


def unpause(connection: sa.Connection, channel: str, now: datetime) -> None:
    """Makes the channel's paused deliveries due, in the caller's transaction."""
    paused = sa.and_(deliveries.c.channel == channel, deliveries.c.state == DeliveryState.PAUSED.value)
    due = {"state": DeliveryState.DUE.value, "reason": "", "due_at": now, "version": deliveries.c.version + 1}
    connection.execute(deliveries.update().where(paused).values(due))


def _columns(delivery: Delivery) -> dict[str, Any]:
    """The columns that change."""
    return {
        "due_at": delivery.due_at,
        "changed_at": delivery.changed_at,
        "state": delivery.state.value,
        "reason": delivery.reason,
        "ts": delivery.ts,
        "head_ts": delivery.head_ts,
        "digest_ts": delivery.digest_ts,
        "digest_at": delivery.digest_at,
        "doubtful": delivery.doubtful,
        "tries": delivery.tries,
        "version": delivery.version,
    }


def _delivery(row: Any) -> Delivery:
    return Delivery(
        channel=row.channel,
        transition=_TRANSITION.decode(row.transition),
        seen_by=SeenBy(row.seen_by),
        created_at=row.created_at,
        due_at=row.due_at,
        subscription_id=row.subscription_id,
        reminder=row.reminder,
        mentions=tuple(row.mentions.split()),
        replies=Replies(row.replies) if row.replies is not None else None,
        state=DeliveryState(row.state),
        reason=row.reason,
        ts=row.ts,
        head_ts=row.head_ts,
        digest_ts=row.digest_ts,
        digest_at=row.digest_at,
        doubtful=row.doubtful,
        tries=row.tries,
        changed_at=row.changed_at,
        version=row.version,
        id=row.id,
    )

"""The core's `SubscriptionStore` in the database.

The filters are one column of JSON, since they are only read whole. They are the key by which two subscriptions of one
channel are the same.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.core.model.builds import Actor
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.notifications.subscriptions import (
    PAUSED_BY_PERSON,
    Event,
    Filters,
    Mute,
    Origin,
    Replies,
    Subscription,
)
from bot.core.ports import Clock
from bot.store.engine import Database
from bot.store.notifications.outbox import unpause
from bot.store.notifications.tables import mutes, subscriptions


class StoredSubscriptions:
    """A `SubscriptionStore`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(self, subscription: Subscription) -> Subscription:
        with self._database.writing() as connection:
            return self._added(connection, subscription)

    def replace(self, subscription_id: int, channel: str, by: Subscription) -> Subscription | None:
        mine = sa.and_(
            subscriptions.c.id == subscription_id,
            subscriptions.c.channel == channel,
            subscriptions.c.origin == Origin.SLACK.value,
        )
        with self._database.writing() as connection:
            if connection.execute(subscriptions.delete().where(mine)).rowcount == 0:
                return None
            same = connection.execute(subscriptions.select().where(_is_same(by))).one_or_none()
            if same is not None:  # now it says what another one says already
                return _subscription(same)
            paused = PAUSED_BY_PERSON if by.paused == PAUSED_BY_PERSON else None
            values = {"id": subscription_id, **_columns(by), "paused": paused}
            connection.execute(subscriptions.insert().values(values))
            return _subscription(connection.execute(subscriptions.select().where(mine)).one())

    def all(self) -> list[Subscription]:
        return self._where(sa.true())

    def of_channel(self, channel: str) -> list[Subscription]:
        return self._where(subscriptions.c.channel == channel)

    def remove(self, ids: Sequence[int], channel: str) -> list[Subscription]:
        mine = sa.and_(
            subscriptions.c.id.in_(ids),
            subscriptions.c.channel == channel,
            subscriptions.c.origin == Origin.SLACK.value,
        )
        with self._database.writing() as connection:
            query = subscriptions.select().where(mine).order_by(subscriptions.c.id).with_for_update()
            removed = [_subscription(row) for row in connection.execute(query)]
            connection.execute(subscriptions.delete().where(mine))
            return removed

    def pause(self, channel: str, why: str) -> list[Subscription]:
        return self._set_paused(channel, subscriptions.c.paused.is_(None), why)

    def resume(self, channel: str) -> list[Subscription]:
        return self._set_paused(channel, subscriptions.c.paused != PAUSED_BY_PERSON, None)

    def pause_these(self, ids: Sequence[int], channel: str) -> list[Subscription]:
        return self._set_paused(channel, _made_in_slack(ids), PAUSED_BY_PERSON)

    def resume_these(self, ids: Sequence[int], channel: str) -> list[Subscription]:
        return self._set_paused(channel, _made_in_slack(ids), None)

    def put_file(self, wanted: Sequence[Subscription]) -> None:
        keys = {(each.channel, _filters_json(each.filters)) for each in wanted}
        with self._database.writing() as connection:
            of_file = subscriptions.select().where(subscriptions.c.origin == Origin.FILE.value)
            gone = [row.id for row in connection.execute(of_file) if (row.channel, row.filters) not in keys]
            if gone:
                connection.execute(subscriptions.delete().where(subscriptions.c.id.in_(gone)))
            for each in wanted:
                self._added(connection, each)

    def mute(self, mute: Mute) -> Mute:
        key = {"channel": mute.channel, "repositories": _pattern_json(mute.repositories)}
        values = {"until": mute.until, "maker_id": mute.maker.id, "made_at": mute.made_at, "claimed_at": None}
        new = self._database.insert(mutes).values({**key, **values})
        with self._database.writing() as connection:
            connection.execute(new.on_conflict_do_update(index_elements=list(key), set_=values))
            same = sa.and_(mutes.c.channel == key["channel"], mutes.c.repositories == key["repositories"])
            return _mute(connection.execute(mutes.select().where(same)).one())

    def unmute(self, channel: str, repositories: Sequence[NamePattern | None] | None = None) -> list[Mute]:
        mine = mutes.c.channel == channel
        if repositories is not None:
            mine = sa.and_(mine, mutes.c.repositories.in_([_pattern_json(each) for each in repositories]))
        now = self._clock.now()
        with self._database.writing() as connection:
            query = mutes.select().where(mine, mutes.c.until > now).order_by(mutes.c.until, mutes.c.id)
            ended = [_mute(row) for row in connection.execute(query)]
            connection.execute(mutes.update().where(mine, mutes.c.until > now).values(until=now))
            return ended

    def mutes(self, channel: str | None = None) -> list[Mute]:
        query = mutes.select().where(mutes.c.until > self._clock.now()).order_by(mutes.c.until, mutes.c.id)
        if channel is not None:
            query = query.where(mutes.c.channel == channel)
        return [_mute(row) for row in self._database.rows(query)]

    def muted_until(self, person: Actor, repository: str) -> datetime | None:
        return max((mute.until for mute in self.mutes(person.id) if mute.is_about(repository)), default=None)

    def ended_mutes(self) -> list[Mute]:
        query = mutes.select().where(mutes.c.until <= self._clock.now()).order_by(mutes.c.until, mutes.c.id)
        with self._database.reading() as connection:
            return [_mute(row) for row in connection.execute(query)]

    def claim_end(self, mute: Mute, claimed_for: timedelta) -> bool:
        now, at = self._clock.now(), mutes.c.claimed_at
        is_free = sa.or_(at.is_(None), at <= now - claimed_for, at > now)
        with self._database.writing() as connection:
            claimed = connection.execute(mutes.update().where(_is_mute(mute), is_free).values(claimed_at=now))
            return claimed.rowcount == 1

    def forget(self, mute: Mute) -> None:
        with self._database.writing() as connection:
            connection.execute(mutes.delete().where(_is_mute(mute)))

    def _where(self, condition: sa.ColumnElement[bool]) -> list[Subscription]:
        query = subscriptions.select().where(condition).order_by(subscriptions.c.id)
        return [_subscription(row) for row in self._database.rows(query)]

    def _added(self, connection: sa.Connection, subscription: Subscription) -> Subscription:
        new = self._database.insert(subscriptions).values(_columns(subscription))
        connection.execute(new.on_conflict_do_nothing())
        return _subscription(connection.execute(subscriptions.select().where(_is_same(subscription))).one())

    def _set_paused(self, channel: str, which: sa.ColumnElement[bool], why: str | None) -> list[Subscription]:
        query = (
            subscriptions.select()
            .where(subscriptions.c.channel == channel, which)
            .order_by(subscriptions.c.id)
            .with_for_update()
        )
        with self._database.writing() as connection:
            ids = [row.id for row in connection.execute(query)]
            of_ids = subscriptions.c.id.in_(ids)
            connection.execute(subscriptions.update().where(of_ids).values(paused=why))
            if why is None:
                unpause(connection, channel, self._clock.now())
            changed = subscriptions.select().where(of_ids).order_by(subscriptions.c.id)
            return [_subscription(row) for row in connection.execute(changed)]


def _is_mute(mute: Mute) -> sa.ColumnElement[bool]:
    return sa.and_(mutes.c.id == mute.id, mutes.c.until == mute.until)


def _made_in_slack(ids: Sequence[int]) -> sa.ColumnElement[bool]:
    return sa.and_(subscriptions.c.id.in_(ids), subscriptions.c.origin == Origin.SLACK.value)


def _is_same(subscription: Subscription) -> sa.ColumnElement[bool]:
    return sa.and_(
        subscriptions.c.channel == subscription.channel,
        subscriptions.c.origin == subscription.origin.value,
        subscriptions.c.filters == _filters_json(subscription.filters),
    )


def _columns(subscription: Subscription) -> dict[str, Any]:
    """Every column except the id."""
    return {
        "channel": subscription.channel,
        "filters": _filters_json(subscription.filters),
        "maker_id": subscription.maker.id if subscription.maker else None,
        "created_at": subscription.created_at,
        "origin": subscription.origin.value,
        "paused": subscription.paused,
    }


def _subscription(row: Any) -> Subscription:
    return Subscription(
        channel=row.channel,
        filters=_filters(row.filters),
        maker=Actor(row.maker_id) if row.maker_id is not None else None,
        created_at=row.created_at,
        origin=Origin(row.origin),
        paused=row.paused,
        id=row.id,
    )


def _mute(row: Any) -> Mute:
    return Mute(
        channel=row.channel,
        until=row.until,
        maker=Actor(row.maker_id),
        made_at=row.made_at,
        repositories=_pattern(json.loads(row.repositories)) if row.repositories else None,
        id=row.id,
    )


def _filters_json(filters: Filters) -> str:
    """Equal filters give equal text."""
    return json.dumps(
        {
            "service": filters.service,
            "repositories": _lists(filters.repositories),
            "branches": _lists(filters.branches),
            "events": sorted(filters.events),
            "workflows": _lists(filters.workflows),
            **({"still_every": filters.still_every} if filters.still_every is not None else {}),
            **({"flaky_quiet": True} if filters.flaky_quiet else {}),
            **({"remind_off": True} if filters.remind_off else {}),
            **({"mentions": list(filters.mentions)} if filters.mentions else {}),
            **({"replies": filters.replies} if filters.replies is not None else {}),
        }
    )


def _filters(text: str) -> Filters:
    fields = json.loads(text)
    return Filters(
        repositories=_pattern(fields["repositories"]),
        service=fields["service"],
        branches=_pattern(fields["branches"]),
        events=frozenset(map(Event, fields["events"])),
        still_every=fields.get("still_every"),
        flaky_quiet=fields.get("flaky_quiet", False),
        remind_off=fields.get("remind_off", False),
        workflows=_pattern(fields["workflows"]),
        mentions=tuple(fields.get("mentions", ())),
        replies=Replies(fields["replies"]) if "replies" in fields else None,
    )


def _pattern_json(pattern: NamePattern | None) -> str:
    """Empty for None."""
    return "" if pattern is None else json.dumps(_lists(pattern))


def _lists(pattern: NamePattern) -> list[list[str]]:
    return [list(pattern.patterns), list(pattern.exceptions)]


def _pattern(lists: Sequence[Sequence[str]]) -> NamePattern:
    patterns, exceptions = lists
    return NamePattern(tuple(patterns), tuple(exceptions))

"""The core's `ChannelNameStore` in the database."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from bot.core.model.builds import Actor
from bot.core.model.names.channel_names import ChannelName
from bot.store.engine import Database
from bot.store.follows import notifies
from bot.store.tables import channel_names, follows


class StoredChannelNames:
    """A `ChannelNameStore`. Thread-safe. Raises what the driver raises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, name: ChannelName) -> None:
        key = {"channel": name.channel, "alias": name.alias}
        value = {"repo": name.repo, "branch": name.branch, "set_by": name.set_by.id, "set_at": name.set_at}
        new = self._database.insert(channel_names).values(key | value)
        self._database.write(new.on_conflict_do_update(index_elements=["channel", "alias"], set_=value))

    def remove(self, channel: str, alias: str) -> bool:
        wanted = channel_names.delete().where(channel_names.c.channel == channel, channel_names.c.alias == alias)
        return self._database.write(wanted) == 1

    def of_channel(self, channel: str) -> list[ChannelName]:
        wanted = channel_names.select().where(channel_names.c.channel == channel).order_by(channel_names.c.alias)
        return [_name(row) for row in self._database.rows(wanted)]

    def of_person(self, actor: Actor, count: int) -> list[list[ChannelName]]:
        own = sa.select(channel_names.c.channel).where(channel_names.c.set_by == actor.id)
        followed = sa.select(follows.c.channel).where(notifies(actor))
        latest = sa.func.max(channel_names.c.set_at)
        theirs = (
            sa.select(channel_names.c.channel)
            .where(channel_names.c.channel.in_(own.union(followed)))
            .group_by(channel_names.c.channel)
            .order_by(latest.desc(), channel_names.c.channel)
            .limit(count)
        )
        with self._database.reading() as connection:
            channels = list(connection.scalars(theirs))
            wanted = channel_names.select().where(channel_names.c.channel.in_(channels))
            names = [_name(row) for row in connection.execute(wanted.order_by(channel_names.c.alias))]
        return [[name for name in names if name.channel == channel] for channel in channels]


def _name(row: Any) -> ChannelName:
    return ChannelName(row.channel, row.alias, row.repo, row.branch, Actor(row.set_by), row.set_at)

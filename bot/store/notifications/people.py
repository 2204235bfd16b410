"""The core's `PeopleStore` in the database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.core.model.builds import Actor
from bot.core.model.people.settings import AccountLink, NotifySettings, Scope, Way
from bot.store.engine import Database
from bot.store.notifications.tables import account_links, people


class StoredPeople:
    """A `PeopleStore`. Thread-safe. Raises what the driver raises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, login: str, person: Actor, at: datetime) -> AccountLink:
        key = account_links.c.login == login.lower()
        while True:
            with self._database.writing() as connection:
                known = connection.execute(account_links.select().where(key).with_for_update()).one_or_none()
                if known is None:
                    self._give(connection, login, person, at)
                else:
                    claimed_by = None if known.person_id == person.id else person.id
                    connection.execute(account_links.update().where(key).values(claimed_by=claimed_by))
                row = connection.execute(account_links.select().where(key)).one_or_none()
            if row is not None:  # else another process has just linked the person to another login
                return _link(row)

    def unlink(self, person: Actor, login: str | None, at: datetime) -> AccountLink | None:
        mine = account_links.c.person_id == person.id
        if login is not None:
            mine = sa.and_(mine, account_links.c.login == login.lower())
        with self._database.writing() as connection:
            row = connection.execute(account_links.select().where(mine).with_for_update()).one_or_none()
            if row is None:
                return None
            connection.execute(account_links.delete().where(account_links.c.login == row.login))
            if row.claimed_by is not None:
                self._give(connection, row.spelling, Actor(row.claimed_by), at)
            return _link(row)

    def of_login(self, login: str) -> AccountLink | None:
        return self._where(account_links.c.login == login.lower())

    def of_person(self, person: Actor) -> AccountLink | None:
        return self._where(account_links.c.person_id == person.id)

    def settings(self, person: Actor) -> NotifySettings:
        with self._database.reading() as connection:
            row = connection.execute(people.select().where(people.c.person_id == person.id)).one_or_none()
        return NotifySettings() if row is None else NotifySettings(Scope(row.scope), Way(row.way))

    def set(self, person: Actor, settings: NotifySettings) -> None:
        values = {"scope": settings.scope.value, "way": settings.way.value}
        new = self._database.insert(people).values(person_id=person.id, **values)
        with self._database.writing() as connection:
            connection.execute(new.on_conflict_do_update(index_elements=["person_id"], set_=values))

    def _give(self, connection: sa.Connection, login: str, person: Actor, at: datetime) -> None:
        """Links a login that is free, unless another process was faster. The person's earlier link ends."""
        other = sa.and_(account_links.c.person_id == person.id, account_links.c.login != login.lower())
        connection.execute(account_links.delete().where(other))
        values = {"login": login.lower(), "spelling": login, "person_id": person.id, "linked_at": at}
        connection.execute(self._database.insert(account_links).values(values).on_conflict_do_nothing())

    def _where(self, which: sa.ColumnElement[bool]) -> AccountLink | None:
        with self._database.reading() as connection:
            row = connection.execute(account_links.select().where(which)).one_or_none()
        return None if row is None else _link(row)


def _link(row: Any) -> AccountLink:
    claimed_by = Actor(row.claimed_by) if row.claimed_by is not None else None
    return AccountLink(row.spelling, Actor(row.person_id), row.linked_at, claimed_by)

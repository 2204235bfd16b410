"""The core's `ProjectStore` in the database: each service's last list, saved as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.core.model.builds import Project
from bot.store import tables
from bot.store.engine import Database


class StoredProjects:
    """A `ProjectStore`. Returns a list in the order in which it was saved."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load_projects(self, service: str) -> tuple[list[Project], datetime | None]:
        with self._database.reading() as connection:
            saved_at = connection.scalar(
                sa.select(tables.project_lists.c.saved_at).where(tables.project_lists.c.service == service)
            )
            return _stored(connection, service), saved_at

    def save_projects(self, service: str, projects: Sequence[Project], at: datetime) -> None:
        stamp = self._database.insert(tables.project_lists).values(service=service, saved_at=at)
        stamp = stamp.on_conflict_do_update(index_elements=["service"], set_={"saved_at": at})
        # A list that a power failure takes is read from the service again.
        with self._database.writing(survives_power_loss=False) as connection:
            connection.execute(stamp)  # first, because its row lock makes a second writer wait here on PostgreSQL
            if _stored(connection, service) == list(projects):
                return
            connection.execute(tables.projects.delete().where(tables.projects.c.service == service))
            rows = [
                {
                    "service": service,
                    "position": position,
                    "project_id": each.id,
                    "name": each.name,
                    "url": each.url,
                    "default_branch": each.default_branch,
                }
                for position, each in enumerate(projects)
            ]
            if rows:
                connection.execute(tables.projects.insert(), rows)


def _stored(connection: sa.Connection, service: str) -> list[Project]:
    table = tables.projects.c
    columns = sa.select(table.project_id, table.name, table.service, table.url, table.default_branch)
    return [
        Project(*row) for row in connection.execute(columns.where(table.service == service).order_by(table.position))
    ]

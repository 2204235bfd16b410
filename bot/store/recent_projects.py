"""The core's `RecentProjectStore` in the database: one row per person and repository, deleted when it is too old."""

from __future__ import annotations

from datetime import timedelta

from bot.core.model.builds import Actor, Project
from bot.core.ports import Clock
from bot.store.engine import Database
from bot.store.periodic import Periodic
from bot.store.tables import recent_projects

KEPT = timedelta(days=90)
PURGE_EVERY_S = 3600.0


class StoredRecentProjects:
    """A `RecentProjectStore`. A later `use` deletes what was used longer ago than `KEPT`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._purging = Periodic(clock, PURGE_EVERY_S)

    def use(self, actor: Actor, project: Project) -> None:
        now = self._clock.now()
        row = self._database.insert(recent_projects).values(
            actor_id=actor.id, service=project.service, project_id=project.id, used_at=now
        )
        again = row.on_conflict_do_update(index_elements=["actor_id", "service", "project_id"], set_={"used_at": now})
        self._database.write(again, survives_power_loss=False)
        if self._purging.is_due():
            old = recent_projects.c.used_at <= now - KEPT
            self._database.write(recent_projects.delete().where(old), survives_power_loss=False)

    def last(self, actor: Actor, count: int) -> list[tuple[str, str]]:
        theirs = recent_projects.select().where(recent_projects.c.actor_id == actor.id)
        query = theirs.order_by(recent_projects.c.used_at.desc(), recent_projects.c.project_id).limit(count)
        return [(row.service, row.project_id) for row in self._database.rows(query)]

"""The core's `RunHistory` in the database: one row per run, written once, deleted when it is too old."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core.model.builds import Build, Project, Status
from bot.core.ports import Clock
from bot.store.engine import Database
from bot.store.periodic import Periodic
from bot.store.tables import runs

PURGE_EVERY_S = 3600.0
_LAST = 50


class StoredRunHistory:
    """A `RunHistory`. A later `record` deletes what was recorded longer ago than `kept`."""

    def __init__(self, database: Database, clock: Clock, kept: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._kept = kept
        self._purging = Periodic(clock, PURGE_EVERY_S)

    def record(self, build: Build, run_number: int, ended_at: datetime) -> None:
        if not build.commit:
            return
        now = self._clock.now()
        new = self._database.insert(runs).values(
            service=build.project.service,
            project_id=build.project.id,
            build_id=build.id,
            run_number=run_number,
            commit_id=build.commit,
            branch=build.branch,
            status=build.status.value,
            ended_at=ended_at,
            recorded_at=now,
        )
        # A restart is recorded before it is claimed, so the claim's commit takes this one to the disk.
        self._database.write(new.on_conflict_do_nothing(), survives_power_loss=False)
        if self._purging.is_due():
            old = runs.c.recorded_at <= now - self._kept
            self._database.write(runs.delete().where(old), survives_power_loss=False)

    def of_commit(self, project: Project, commit: str, branch: str | None) -> list[Status]:
        """In the order in which they ended. Those that ended at the same moment are in the order of recording."""
        wanted = runs.select().where(
            runs.c.service == project.service,
            runs.c.project_id == project.id,
            runs.c.commit_id == commit,
            runs.c.branch == branch,
        )
        newest_first = wanted.order_by(runs.c.ended_at.desc(), runs.c.id.desc()).limit(_LAST)
        return [Status(row.status) for row in self._database.rows(newest_first)][::-1]

"""The core's `BuildHistoryStore` in the database: a row for each end of a watched build."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.core.model.builds import Project, Status
from bot.core.model.ended_builds import EndedBuild
from bot.core.ports import Clock
from bot.store.engine import Database
from bot.store.notifications.tables import ended_builds
from bot.store.periodic import Periodic

PURGE_EVERY_S = 3600.0
MAX_OF_A_BRANCH = 500
"""Older rows of a branch are deleted."""

_OF_BRANCH = (ended_builds.c.service, ended_builds.c.project_id, ended_builds.c.branch)


class StoredBuildHistory:
    """A `BuildHistoryStore`. A later `add` deletes what is older than `kept`, and a branch's oldest rows."""

    def __init__(self, database: Database, clock: Clock, kept: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._kept = kept
        self._purging = Periodic(clock, PURGE_EVERY_S)

    def add(self, builds: Sequence[EndedBuild]) -> None:
        oldest = self._clock.now() - self._kept
        rows = [
            {
                "service": build.service,
                "project_id": build.project_id,
                "branch": build.branch,
                "build_id": build.build_id,
                "commit_id": build.commit,
                "status": build.status.value,
                "started_at": build.started_at,
                "finished_at": build.finished_at,
            }
            for build in builds
            if build.finished_at > oldest
        ]
        if not rows:
            return
        with self._database.writing() as connection:
            connection.execute(self._database.insert(ended_builds).on_conflict_do_nothing(), rows)
            if self._purging.is_due():
                self._purge(connection, oldest)

    def since(self, moment: datetime, project: Project | None) -> list[EndedBuild]:
        wanted = ended_builds.select().where(ended_builds.c.finished_at >= moment)
        if project is not None:
            wanted = wanted.where(ended_builds.c.service == project.service, ended_builds.c.project_id == project.id)
        with self._database.reading() as connection:
            return [_end(row) for row in connection.execute(wanted)]

    def last_before(self, moment: datetime) -> list[EndedBuild]:
        newest_first = sa.func.row_number().over(partition_by=_OF_BRANCH, order_by=ended_builds.c.finished_at.desc())
        judged = ended_builds.c.status.in_([Status.PASSED.value, Status.FAILED.value])
        ranked = sa.select(ended_builds, newest_first.label("place"))
        ranked_before = ranked.where(ended_builds.c.finished_at < moment, judged).subquery()
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(ranked_before).where(ranked_before.c.place == 1))
            return [_end(row) for row in rows]

    def _purge(self, connection: sa.Connection, oldest: datetime) -> None:
        connection.execute(ended_builds.delete().where(ended_builds.c.finished_at <= oldest))
        newest_first = sa.func.row_number().over(partition_by=_OF_BRANCH, order_by=ended_builds.c.finished_at.desc())
        ranked = sa.select(ended_builds.c.id, newest_first.label("place")).subquery()
        too_many = sa.select(ranked.c.id).where(ranked.c.place > MAX_OF_A_BRANCH)
        connection.execute(ended_builds.delete().where(ended_builds.c.id.in_(too_many)))


def _end(row: Any) -> EndedBuild:
    return EndedBuild(
        row.service,
        row.project_id,
        row.branch,
        row.build_id,
        row.commit_id,
        Status(row.status),
        row.started_at,
        row.finished_at,
    )

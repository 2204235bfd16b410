"""The core's `WatchStore` in the database: leases, and what the last poll of each project has shown.

A poll is stored with everything that follows from it, or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from bot.core.model.notifications.deliveries import Delivery, WatchedProject
from bot.core.model.notifications.reasons import Decision
from bot.core.model.notifications.transitions import BranchState, Period
from bot.core.ports import Clock
from bot.store.engine import Database
from bot.store.notifications.decisions import StoredDecisions
from bot.store.notifications.outbox import added
from bot.store.notifications.tables import watch_leases, watched_branches, watched_projects

_STATE = msgspec.json.Decoder(BranchState)


class StoredWatching:
    """A `WatchStore`."""

    def __init__(self, database: Database, clock: Clock, decisions: StoredDecisions) -> None:
        self._database = database
        self._clock = clock
        self._decisions = decisions

    def lease(self, service: str, holder: str, for_s: float) -> bool:
        with self._database.writing() as connection:
            now = self._database.now(connection, self._clock)
            longest = now + timedelta(seconds=for_s)
            values = {"holder": holder, "expires_at": longest}
            # A lease that ends later than any can was taken before the clock was set back.
            is_free = sa.or_(
                watch_leases.c.holder == holder,
                watch_leases.c.expires_at <= now,
                watch_leases.c.expires_at > longest,
            )
            new = self._database.insert(watch_leases).values(service=service, **values)
            taken = new.on_conflict_do_update(index_elements=["service"], set_=values, where=is_free)
            return connection.execute(taken).rowcount == 1

    def release(self, service: str, holder: str) -> None:
        mine = sa.and_(watch_leases.c.service == service, watch_leases.c.holder == holder)
        with self._database.writing() as connection:
            connection.execute(watch_leases.delete().where(mine))

    def project(self, service: str, project_id: str) -> WatchedProject:
        with self._database.reading() as connection:
            row = connection.execute(watched_projects.select().where(_is(service, project_id))).one_or_none()
            if row is None:
                return WatchedProject(service, project_id)
            of_project = watched_branches.select().where(_branches_of(service, project_id))
            rows = connection.execute(of_project.order_by(watched_branches.c.branch))
            branches = tuple((one.branch, _STATE.decode(one.state)) for one in rows)
            return _project(row, branches)

    def projects(self, service: str) -> list[WatchedProject]:
        rows = self._database.rows(watched_projects.select().where(watched_projects.c.service == service))
        return [_project(row, ()) for row in rows]

    def broken(self, before: datetime) -> list[tuple[str, str, str, Period]]:
        query = watched_branches.select().where(watched_branches.c.broken_since <= before)
        with self._database.reading() as connection:
            rows = [(row, _STATE.decode(row.state).period) for row in connection.execute(query)]
        return [(row.service, row.project_id, row.branch, period) for row, period in rows if period is not None]

    def apply(
        self,
        before: WatchedProject,
        after: WatchedProject,
        deliveries: Sequence[Delivery],
        decisions: Sequence[Decision],
    ) -> list[Delivery] | None:
        with self._database.writing() as connection:
            if not self._moved(connection, before, after):
                return None
            known = dict(before.branches)
            for branch, state in after.branches:
                if known.get(branch) != state:
                    self._store_branch(connection, after, branch, state)
            gone = known.keys() - {branch for branch, _ in after.branches}
            if gone:
                of_project = _branches_of(after.service, after.project_id)
                connection.execute(watched_branches.delete().where(of_project, watched_branches.c.branch.in_(gone)))
            new = [one for one in (added(self._database, connection, each) for each in deliveries) if one is not None]
            self._decisions.add(connection, decisions)
            return new

    def _moved(self, connection: sa.Connection, before: WatchedProject, after: WatchedProject) -> bool:
        values = {"polled_at": after.polled_at, "seen_to": after.seen_to, "version": before.version + 1}
        if before.version == 0:
            key = {"service": after.service, "project_id": after.project_id}
            new = self._database.insert(watched_projects).values(**key, **values)
            return connection.execute(new.on_conflict_do_nothing()).rowcount == 1
        same = sa.and_(_is(before.service, before.project_id), watched_projects.c.version == before.version)
        return connection.execute(watched_projects.update().where(same).values(values)).rowcount == 1

    def _store_branch(
        self, connection: sa.Connection, project: WatchedProject, branch: str, state: BranchState
    ) -> None:
        key = {"service": project.service, "project_id": project.project_id, "branch": branch}
        since = state.period.since if state.period is not None else None
        columns = {"state": msgspec.json.encode(state).decode(), "broken_since": since}
        new = self._database.insert(watched_branches).values(**key, **columns)
        connection.execute(new.on_conflict_do_update(index_elements=list(key), set_=columns))


def _is(service: str, project_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(watched_projects.c.service == service, watched_projects.c.project_id == project_id)


def _branches_of(service: str, project_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(watched_branches.c.service == service, watched_branches.c.project_id == project_id)


def _project(row: Any, branches: tuple[tuple[str, BranchState], ...]) -> WatchedProject:
    return WatchedProject(row.service, row.project_id, row.polled_at, row.seen_to, branches, row.version)

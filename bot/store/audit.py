"""The core's `AuditLog` in the database. Rows are inserted, read and, once they are too old, deleted."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from bot.core.model.audit import AuditEntry, Result
from bot.core.model.builds import Actor, Location, Project
from bot.core.ports import Clock
from bot.store.engine import Database
from bot.store.periodic import Periodic
from bot.store.tables import audit

PURGE_EVERY_S = 3600.0
_ROWS_A_FETCH = 500
_NEWEST_FIRST = (audit.c.at.desc(), audit.c.id.desc())


class StoredAudit:
    """An `AuditLog`. Entries older than `kept` are never returned; a later `purge` deletes them."""

    def __init__(self, database: Database, clock: Clock, kept: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._kept = kept
        self._purging = Periodic(clock, PURGE_EVERY_S)

    def record(self, entry: AuditEntry, *, request_key: str | None) -> None:
        self._database.write(recording(self._database, entry, request_key))

    def last(self, count: int, *, of: Project | None = None) -> list[AuditEntry]:
        query = audit.select().where(audit.c.at > self._oldest())
        if of is not None:
            query = query.where(audit.c.service == of.service, audit.c.project_id == of.id)
        return [_entry(row) for row in self._database.rows(query.order_by(*_NEWEST_FIRST).limit(count))]

    def sent_since(self, moment: datetime, actions: Collection[str]) -> list[AuditEntry]:
        was_sent = audit.c.result.in_([Result.TAKEN.value, Result.UNKNOWN.value])
        query = audit.select().where(audit.c.at >= moment, audit.c.action.in_(actions), was_sent)
        with self._database.reading() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def purge(self) -> None:
        if self._purging.is_due():
            self._database.write(audit.delete().where(audit.c.at <= self._oldest()))

    def _oldest(self) -> datetime:
        return self._clock.now() - self._kept


def recording(database: Database, entry: AuditEntry, request_key: str | None, *, is_sent: bool = False) -> sa.Insert:
    """Adds the entry. Of one request the first counts; an unknown result is completed, but not by a bug.

    `is_sent`: the action is sent now. So the entry replaces one that says that nothing was done: its
    process died before it had stored its decision.
    """
    columns = _columns(entry)
    row = database.insert(audit).values(columns | {"request_hash": _hash(request_key)})
    if entry.result == Result.BUG:
        return row.on_conflict_do_nothing(index_elements=["request_hash"])
    known = {name: columns[name] for name in ("result", "reason", "project_id", "project_name", "branch", "build_id")}
    is_open = audit.c.result != Result.TAKEN.value if is_sent else audit.c.result == Result.UNKNOWN.value
    return row.on_conflict_do_update(index_elements=["request_hash"], set_=known, where=is_open)


def entries_since(connection: sa.Connection, since: datetime | None) -> Iterator[AuditEntry]:
    """Every entry, or those at or after `since`; the oldest first. Holds a few hundred rows in memory at a time."""
    query = audit.select().order_by(audit.c.at, audit.c.id)
    if since is not None:
        query = query.where(audit.c.at >= since)
    for row in connection.execution_options(yield_per=_ROWS_A_FETCH).execute(query):
        yield _entry(row)


def _hash(request_key: str | None) -> str | None:
    return None if request_key is None else sha256(request_key.encode("utf-8", "surrogatepass")).hexdigest()


def _columns(entry: AuditEntry) -> dict[str, Any]:
    return {
        "at": entry.at,
        "actor_id": entry.actor.id,
        "source": entry.source,
        "channel": entry.location.channel,
        "thread": entry.location.thread,
        "action": entry.action,
        "service": entry.service,
        "project_id": entry.project_id,
        "project_name": entry.project_name,
        "branch": entry.branch,
        "build_id": entry.build_id,
        "result": entry.result,
        "reason": entry.reason,
        "typed": entry.typed,
        "reference": entry.reference,
    }


def _entry(row: Any) -> AuditEntry:
    return AuditEntry(
        at=row.at,
        actor=Actor(row.actor_id),
        source=row.source,
        location=Location(row.channel, row.thread),
        action=row.action,
        service=row.service,
        result=row.result,
        reference=row.reference,
        project_id=row.project_id,
        project_name=row.project_name,
        branch=row.branch,
        build_id=row.build_id,
        reason=row.reason,
        typed=row.typed,
    )

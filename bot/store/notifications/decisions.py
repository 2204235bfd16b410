"""The core's `DecisionLog` in the database: the newest decisions of each branch, for two weeks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.core.model.notifications.reasons import Decision, Reason, SeenBy
from bot.core.ports import Clock
from bot.store.engine import Database
from bot.store.notifications.tables import decisions
from bot.store.periodic import Periodic

KEPT = timedelta(days=14)
MAX_PER_BRANCH = 200
MAX_READ = 50
PURGE_EVERY_S = 3600.0


class StoredDecisions:
    """A `DecisionLog`. Others write to it within their own transactions, with `add`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._purging = Periodic(clock, PURGE_EVERY_S)

    def decisions(self, service: str, project_id: str, branch: str | None, channel: str) -> list[Decision]:
        mine = sa.or_(decisions.c.channel == channel, decisions.c.channel.is_(None))
        query = decisions.select().where(_of(service, project_id), mine)
        if branch is not None:
            query = query.where(decisions.c.branch == branch)
        newest_first = query.order_by(decisions.c.at.desc(), decisions.c.id.desc()).limit(MAX_READ)
        return [_decision(row) for row in self._database.rows(newest_first)]

    def counts(self, channel: str, since: datetime) -> dict[Reason, int]:
        recent = sa.and_(decisions.c.channel == channel, decisions.c.at >= since)
        query = sa.select(decisions.c.reason, sa.func.count()).where(recent).group_by(decisions.c.reason)
        with self._database.reading() as connection:
            return {Reason(reason): int(count) for reason, count in connection.execute(query)}

    def add(self, connection: sa.Connection, made: Iterable[Decision]) -> None:
        """Adds them, and deletes what is too old or exceeds `MAX_PER_BRANCH`."""
        rows = [_columns(decision) for decision in made]
        if not rows:
            return
        connection.execute(decisions.insert(), rows)
        for service, project_id, branch in {(row["service"], row["project_id"], row["branch"]) for row in rows}:
            of_branch = sa.and_(_of(service, project_id), decisions.c.branch == branch)
            newest = sa.select(decisions.c.id).where(of_branch).order_by(decisions.c.id.desc())
            oldest_kept = connection.scalar(newest.offset(MAX_PER_BRANCH - 1).limit(1))
            if oldest_kept is not None:
                connection.execute(decisions.delete().where(of_branch, decisions.c.id < oldest_kept))
        if self._purging.is_due():
            connection.execute(decisions.delete().where(decisions.c.at < self._clock.now() - KEPT))


def _of(service: str, project_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(decisions.c.service == service, decisions.c.project_id == project_id)


def _columns(decision: Decision) -> dict[str, Any]:
    return {
        "at": decision.at,
        "service": decision.service,
        "project_id": decision.project_id,
        "branch": decision.branch,
        "build_id": decision.build_id,
        "number": decision.number,
        "workflow": decision.workflow,
        "seen_by": decision.seen_by.value,
        "reason": decision.reason.value,
        "detail": decision.detail,
        "channel": decision.channel,
        "subscription_id": decision.subscription_id,
    }


def _decision(row: Any) -> Decision:
    return Decision(
        at=row.at,
        service=row.service,
        project_id=row.project_id,
        branch=row.branch,
        build_id=row.build_id,
        seen_by=SeenBy(row.seen_by),
        reason=Reason(row.reason),
        detail=row.detail,
        number=row.number,
        workflow=row.workflow,
        channel=row.channel,
        subscription_id=row.subscription_id,
    )

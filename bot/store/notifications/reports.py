"""The core's `ReportStore` in the database: a row for each channel that gets digests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.core.model.builds import Actor
from bot.core.model.notifications.reports import Every, ReportPlan, Schedule
from bot.store.engine import Database
from bot.store.notifications.tables import report_plans


class StoredReports:
    """A `ReportStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, plan: ReportPlan) -> None:
        with self._database.writing() as connection:
            before = connection.execute(_of(plan.channel).with_for_update()).one_or_none()
            # A process that posts the earlier one must not find the version that it has read.
            version = before.version + 1 if before is not None else plan.version
            values = {**_columns(plan), "version": version}
            new = self._database.insert(report_plans).values(channel=plan.channel, **values)
            connection.execute(new.on_conflict_do_update(index_elements=["channel"], set_=values))

    def of_channel(self, channel: str) -> ReportPlan | None:
        with self._database.reading() as connection:
            row = connection.execute(_of(channel)).one_or_none()
            return None if row is None else _plan(row)

    def remove(self, channel: str) -> ReportPlan | None:
        with self._database.writing() as connection:
            row = connection.execute(_of(channel).with_for_update()).one_or_none()
            connection.execute(report_plans.delete().where(report_plans.c.channel == channel))
            return None if row is None else _plan(row)

    def due(self, now: datetime, claimed_before: datetime, count: int) -> list[ReportPlan]:
        claimed_at = report_plans.c.claimed_at
        # A claim later than any process can have made one was made before the clock was set back.
        is_free = sa.or_(claimed_at.is_(None), claimed_at < claimed_before, claimed_at > now + (now - claimed_before))
        query = report_plans.select().where(report_plans.c.due_at <= now, is_free)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(report_plans.c.due_at, report_plans.c.channel).limit(count))
            return [_plan(row) for row in rows]

    def move(self, plan: ReportPlan, to: ReportPlan) -> ReportPlan | None:
        same = sa.and_(
            report_plans.c.channel == plan.channel,
            report_plans.c.version == plan.version,
            report_plans.c.next_at == plan.next_at,  # another one if it was turned off and set again
        )
        values = {**_columns(to), "version": plan.version + 1}
        with self._database.writing() as connection:
            if connection.execute(report_plans.update().where(same).values(values)).rowcount != 1:
                return None
            return _plan(connection.execute(_of(plan.channel)).one())


def _of(channel: str) -> sa.Select[Any]:
    return report_plans.select().where(report_plans.c.channel == channel)


def _columns(plan: ReportPlan) -> dict[str, Any]:
    """Every column except the channel and the version."""
    return {
        "every": plan.schedule.every.value,
        "day": plan.schedule.day,
        "hour": plan.schedule.hour,
        "minute": plan.schedule.minute,
        "zone": plan.zone,
        "maker_id": plan.maker.id,
        "next_at": plan.next_at,
        "due_at": plan.due_at,
        "claimed_at": plan.claimed_at,
        "tries": plan.tries,
        "doubtful": plan.doubtful,
        "refused": plan.refused,
    }


def _plan(row: Any) -> ReportPlan:
    return ReportPlan(
        channel=row.channel,
        schedule=Schedule(Every(row.every), row.hour, row.minute, row.day),
        zone=row.zone,
        maker=Actor(row.maker_id),
        next_at=row.next_at,
        due_at=row.due_at,
        claimed_at=row.claimed_at,
        tries=row.tries,
        doubtful=row.doubtful,
        refused=row.refused,
        version=row.version,
    )

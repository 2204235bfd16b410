"""The core's `PollingLog` in the database: what all processes know of polls and webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.core.model.notifications.health import PollingState, WebhookResult
from bot.core.ports import Clock
from bot.store.engine import Database
from bot.store.notifications.tables import polled_services, webhook_counts, webhook_hints

COUNTED_FOR = timedelta(days=7)


class StoredPollingLog:
    """A `PollingLog`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def polled(self, service: str, began_at: datetime, every_s: float | None) -> None:
        self._store(service, {"polled_at": began_at, "every_s": every_s, "failed_at": None, "failure": ""})

    def failed(self, service: str, why: str) -> None:
        now = self._clock.now()
        since = sa.func.coalesce(polled_services.c.failed_at, now)
        self._store(service, {"failed_at": now, "failure": why}, known={"failed_at": since, "failure": why})

    def heard(self, service: str, project_id: str) -> None:
        heard = {"heard_at": self._clock.now()}
        key = {"service": service, "project_id": project_id}
        hint = self._database.insert(webhook_hints).values({**key, **heard})
        new = self._database.insert(polled_services).values({"service": service, **heard})
        with self._database.writing() as connection:
            connection.execute(hint.on_conflict_do_update(index_elements=list(key), set_=heard))
            connection.execute(new.on_conflict_do_update(index_elements=["service"], set_=heard))

    def hints(self, service: str) -> dict[str, datetime]:
        with self._database.reading() as connection:
            rows = connection.execute(webhook_hints.select().where(webhook_hints.c.service == service))
            return {row.project_id: row.heard_at for row in rows}

    def followed(self, service: str, hints: Mapping[str, datetime]) -> None:
        with self._database.writing() as connection:
            for project_id, heard_at in hints.items():
                same = sa.and_(
                    webhook_hints.c.service == service,
                    webhook_hints.c.project_id == project_id,
                    webhook_hints.c.heard_at == heard_at,
                )
                connection.execute(webhook_hints.delete().where(same))

    def counted(self, service: str, result: WebhookResult) -> None:
        today = self._clock.now().date()
        key = {"service": service, "day": today, "result": result.value}
        new = self._database.insert(webhook_counts).values({**key, "number": 1})
        one_more = {"number": webhook_counts.c.number + 1}
        with self._database.writing() as connection:
            connection.execute(new.on_conflict_do_update(index_elements=list(key), set_=one_more))
            connection.execute(webhook_counts.delete().where(webhook_counts.c.day <= today - COUNTED_FOR))

    def state(self, service: str) -> PollingState:
        recent = sa.and_(
            webhook_counts.c.service == service,
            webhook_counts.c.day > self._clock.now().date() - COUNTED_FOR,
        )
        of_result = sa.select(webhook_counts.c.result, sa.func.sum(webhook_counts.c.number)).where(recent)
        with self._database.reading() as connection:
            row = connection.execute(polled_services.select().where(polled_services.c.service == service)).one_or_none()
            counts = connection.execute(of_result.group_by(webhook_counts.c.result).order_by(webhook_counts.c.result))
            webhooks = tuple((WebhookResult(result), int(number)) for result, number in counts)
        if row is None:
            return PollingState(service, webhooks=webhooks)
        return PollingState(
            service,
            polled_at=row.polled_at,
            every_s=row.every_s,
            failed_at=row.failed_at,
            failure=row.failure,
            heard_at=row.heard_at,
            webhooks=webhooks,
        )

    def _store(self, service: str, values: Mapping[str, Any], known: Mapping[str, Any] | None = None) -> None:
        """Sets the service's columns; to `known` if it has a row."""
        new = self._database.insert(polled_services).values({"service": service, **values})
        with self._database.writing() as connection:
            connection.execute(new.on_conflict_do_update(index_elements=["service"], set_=dict(known or values)))

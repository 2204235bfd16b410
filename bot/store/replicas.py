"""Heartbeats of the processes on one database, one row each. `bot.jobs.heartbeat` decides which of them are dead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.core.ports import Clock
from bot.store.engine import Database, StoreError
from bot.store.tables import replicas

WRITE_TIMEOUT_S = 2.0
"""Seconds after which a write counts as failing. A row normally takes milliseconds."""


class StoredReplicas:
    """Compares times of one clock only: PostgreSQL's if machines share it, the machine's own for SQLite.

    The heartbeat also shows, every few seconds, whether the database can be written to, and `learn_time` is called with
    PostgreSQL's time.
    """

    def __init__(self, database: Database, clock: Clock, learn_time: Callable[[datetime], None]) -> None:
        self._database = database
        self._clock = clock
        self._learn_time = learn_time
        self._beating_since: float | None = None
        self._failure: Exception | None = None

    def beat(self, replica_id: str) -> float | None:
        """Writes a heartbeat. Returns the seconds since the last one; None if this is the first."""
        self._beating_since = self._clock.monotonic()
        try:
            silent_s = self._beat(replica_id)
        except Exception as error:
            self._failure = error
            raise
        else:
            self._failure = None
            return silent_s
        finally:
            self._beating_since = None

    def trouble(self) -> StoreError | None:
        """Why the last heartbeat failed or takes too long; None if all is well. Does no I/O."""
        since, failure = self._beating_since, self._failure
        if failure is not None:
            return self._database.error(failure)
        if since is not None and self._clock.monotonic() - since > WRITE_TIMEOUT_S:
            return StoreError(
                self._database.where, f"a write takes longer than {WRITE_TIMEOUT_S:.0f} s", "Is it locked?"
            )
        return None

    def _beat(self, replica_id: str) -> float | None:
        with self._database.writing(survives_power_loss=False) as connection:
            now = self._database.now(connection, self._clock)
            if self._database.is_postgresql:
                self._learn_time(now)
            last = connection.scalar(sa.select(replicas.c.seen_at).where(replicas.c.replica_id == replica_id))
            new = self._database.insert(replicas).values(replica_id=replica_id, started_at=now, seen_at=now)
            connection.execute(new.on_conflict_do_update(index_elements=["replica_id"], set_={"seen_at": now}))
        return None if last is None else (now - last).total_seconds()

    def alive(self, max_age_s: float) -> list[str]:
        """The replicas with a heartbeat in the last `max_age_s` seconds, by start time.

        One from the future was sent before the clock was set back, and does not count.
        """
        with self._database.reading() as connection:
            now, within = self._database.now(connection, self._clock), timedelta(seconds=max_age_s)
            lately = replicas.c.seen_at.between(now - within, now + within)
            query = sa.select(replicas.c.replica_id).where(lately)
            return list(connection.scalars(query.order_by(replicas.c.started_at, replicas.c.replica_id)))

    def leave(self, replica_id: str) -> None:
        with self._database.writing() as connection:
            connection.execute(replicas.delete().where(replicas.c.replica_id == replica_id))

    def forget(self, older_than_s: float) -> None:
        """Deletes the replicas without a heartbeat in the last `older_than_s` seconds."""
        with self._database.writing() as connection:
            before = self._database.now(connection, self._clock) - timedelta(seconds=older_than_s)
            connection.execute(replicas.delete().where(replicas.c.seen_at < before))

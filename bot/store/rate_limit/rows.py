"""The rate limit of one service as rows: a short transaction settles what a process has made, holds and wants.

No minute has more calls than the limit, for any number of processes. A call counts as held before it is made, and
as made until `COUNTED_S` after that. Nothing is granted if both together would exceed the limit. What a dead process
held counts as long as it could have made those calls, and then a minute more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.core.model.rate_limit import CLOCKS_APART, Pause, Priority, Quota, Rejected
from bot.store.engine import Database
from bot.store.tables import rate_limit_calls, rate_limit_leases, rate_limits

COUNTED_S = 62
"""Seconds that a call counts: a minute, plus what clocks and network delays may differ by."""

USABLE_S = 45
"""Seconds for which a local reserve may be used after it was last settled."""

_HELD_BY_THE_DEAD = timedelta(seconds=USABLE_S + COUNTED_S)
_UNTIL_MORE_IS_KNOWN_S = 15.0


@dataclass(frozen=True, slots=True)
class UsageReport:
    """What a process reports.

    `made`: calls by second of the epoch that were not reported before. A count is negative if calls that were reported
    turned out not to count. `local_reserve`: calls kept for later requests. `reserved`: calls reserved for requests in
    progress. `wanted`: calls for a request that waits now, with `priority`.
    """

    made: dict[int, int]
    local_reserve: int
    reserved: int
    wanted: int = 0
    priority: Priority = Priority.PEOPLE


@dataclass(frozen=True, slots=True)
class Grant:
    """What applies from now on. `refused` is None if `wanted` was granted. `more_reserve` joins the local reserve.

    `free`: calls that are neither made nor held. `scarce`: people's requests already use the reserve, so a process
    should keep none of its own.
    """

    refused: Rejected | None
    more_reserve: int
    free: int
    scarce: bool
    processes: int
    pause: Pause


class RateLimitRows:
    """The rows of `service`, counted over all holders; `holder` is this process. Raises what the driver raises."""

    def __init__(self, database: Database, service: str, quota: Quota, holder: str) -> None:
        self._database = database
        self._service = service
        self._shares = quota
        self._holder = holder

    def settle(self, report: UsageReport, now: datetime) -> Grant:
        with self._database.writing(survives_power_loss=False) as connection:
            pause = self._locked(connection)
            self._write_down(connection, report.made)
            self._forget(connection, now)
            made = self._made(connection)
            others, processes = self._held_by_others(connection)
            used, held = sum(made.values()), others + report.local_reserve + report.reserved
            rejected = self._refused(report, pause, made, held, now) if report.wanted else None
            if rejected is None:
                held += report.wanted
            calm = pause.refuses(Priority.PEOPLE, now) is None
            more = self._shares.to_keep(report.local_reserve, used=used, held=held) if calm else 0
            self._hold(connection, held + more - others, now)
        scarce = used > self._shares.calls - self._shares.reserve
        return Grant(rejected, more, self._shares.calls - used - held - more, scarce, processes + 1, pause)

    def pause(self, retry_after_s: float | None, now: datetime) -> Pause:
        """Starts a pause for every process, or extends the current one."""
        with self._database.writing() as connection:
            pause = self._locked(connection).after_refusal(now, retry_after_s)
            values = {"paused_until": pause.until, "paused_at": pause.began, "pauses": pause.count}
            connection.execute(rate_limits.update().where(rate_limits.c.service == self._service).values(values))
        return pause

    def paused(self) -> Pause:
        """The current pause. Reads only, and waits for no lock."""
        return next(map(_pause, self._database.rows(self._query())), Pause())

    def leave(self, made: dict[int, int]) -> None:
        """Reports the last calls and releases everything this process holds."""
        mine = sa.and_(rate_limit_leases.c.service == self._service, rate_limit_leases.c.holder == self._holder)
        with self._database.writing() as connection:
            self._locked(connection)
            self._write_down(connection, made)
            connection.execute(rate_limit_leases.delete().where(mine))

    def why(self, error: Exception) -> str:
        """The driver's error as a sentence for the log, without a password."""
        return str(self._database.error(error))

    def _locked(self, connection: sa.Connection) -> Pause:
        """Locks this service's count until the end of the transaction."""
        query = self._query().with_for_update()
        row = connection.execute(query).one_or_none()
        if row is None:
            new = self._database.insert(rate_limits).values(service=self._service, paused_until=None, pauses=0)
            connection.execute(new.on_conflict_do_nothing())
            row = connection.execute(query).one_or_none()
        return Pause() if row is None else _pause(row)

    def _query(self) -> sa.Select[Any]:
        columns = sa.select(rate_limits.c.paused_until, rate_limits.c.pauses, rate_limits.c.paused_at)
        return columns.where(rate_limits.c.service == self._service)

    def _forget(self, connection: sa.Connection, now: datetime) -> None:
        old = sa.and_(
            rate_limit_calls.c.service == self._service, rate_limit_calls.c.second <= _second(now) - COUNTED_S
        )
        dead = sa.and_(rate_limit_leases.c.service == self._service, rate_limit_leases.c.counts_until <= now)
        connection.execute(rate_limit_calls.delete().where(old))
        connection.execute(rate_limit_leases.delete().where(dead))
        # What is further ahead than it can be was written before the clock was set back: it would count for too long.
        ahead = now + CLOCKS_APART
        of_calls, of_leases = rate_limit_calls.c.service, rate_limit_leases.c.service
        too_late = rate_limit_calls.c.second > _second(ahead)
        held_too_long = rate_limit_leases.c.counts_until > ahead + _HELD_BY_THE_DEAD
        connection.execute(rate_limit_calls.delete().where(of_calls == self._service, too_late))
        connection.execute(rate_limit_leases.delete().where(of_leases == self._service, held_too_long))

    def _write_down(self, connection: sa.Connection, made: dict[int, int]) -> None:
        for second, calls in made.items():
            new = self._database.insert(rate_limit_calls).values(service=self._service, second=second, calls=calls)
            more = new.on_conflict_do_update(
                index_elements=["service", "second"], set_={"calls": rate_limit_calls.c.calls + calls}
            )
            connection.execute(more)

    def _made(self, connection: sa.Connection) -> dict[int, int]:
        """Calls that still count, by second, the oldest first."""
        query = sa.select(rate_limit_calls.c.second, rate_limit_calls.c.calls).where(
            rate_limit_calls.c.service == self._service
        )
        rows = connection.execute(query.order_by(rate_limit_calls.c.second))
        return {row.second: row.calls for row in rows}

    def _held_by_others(self, connection: sa.Connection) -> tuple[int, int]:
        """How many calls other processes hold, and how many such processes there are."""
        query = sa.select(sa.func.coalesce(sa.func.sum(rate_limit_leases.c.held), 0), sa.func.count())
        others = sa.and_(rate_limit_leases.c.service == self._service, rate_limit_leases.c.holder != self._holder)
        held, processes = connection.execute(query.where(others)).one()
        return int(held), int(processes)

    def _hold(self, connection: sa.Connection, held: int, now: datetime) -> None:
        values = {"held": held, "counts_until": now + _HELD_BY_THE_DEAD}
        mine = self._database.insert(rate_limit_leases).values(service=self._service, holder=self._holder, **values)
        connection.execute(mine.on_conflict_do_update(index_elements=["service", "holder"], set_=values))

    def _refused(
        self, report: UsageReport, pause: Pause, made: dict[int, int], held: int, now: datetime
    ) -> Rejected | None:
        paused = pause.refuses(report.priority, now)
        if paused is not None:
            return paused
        used = sum(made.values())
        missing = self._shares.missing(report.wanted, report.priority, used=used, held=held)
        if missing <= 0:
            return None
        for second, calls in made.items():
            missing -= calls
            if missing <= 0:
                free_at = datetime.fromtimestamp(second + COUNTED_S, UTC)
                return Rejected(max(1.0, (free_at - now).total_seconds()))
        return Rejected(_UNTIL_MORE_IS_KNOWN_S)  # other processes hold the calls and may release them


def _pause(row: Any) -> Pause:
    return Pause(row.paused_until, row.pauses, row.paused_at)


def second_of(now: datetime) -> int:
    """The second of the epoch, rounded up."""
    return math.ceil(now.timestamp())


def _second(now: datetime) -> int:
    return math.floor(now.timestamp())

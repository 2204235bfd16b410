"""The core's `ClaimStore` in the database: one row per run and kind. Each write is conditional on the state the caller
saw.

What the states mean is defined in `bot.core.model.claims`; this module only compares and writes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from bot.core.model.actions.values import PostRecord
from bot.core.model.audit import RequestEntry
from bot.core.model.builds import Actor, Location, Run
from bot.core.model.claims import Claim, ClaimKind, ClaimState
from bot.core.ports import Clock
from bot.store.audit import recording
from bot.store.engine import Database
from bot.store.periodic import Periodic
from bot.store.tables import claims

PURGE_EVERY_S = 3600.0
_FREE = [state.value for state in ClaimState if state.is_free]
_OVER = [*_FREE, ClaimState.ENDED.value]
_IDS_A_QUERY = 50
_IDS = sa.bindparam("ids", type_=claims.c.build_id.type, expanding=True)
_NAMED = claims.select().where(
    claims.c.service == sa.bindparam("service"),
    claims.c.kind == sa.bindparam("kind"),
    claims.c.build_id.in_(_IDS) | claims.c.new_build_id.in_(_IDS),
)
"""Built once: building this query takes longer than running it, and every displayed build runs it."""


class StoredClaims:
    """A `ClaimStore`.

    That only one claim wins is due to the table's unique constraint and to conditional UPDATEs. Both hold between
    threads, processes and machines. A later claim deletes those that ended longer ago than `kept`.
    """

    def __init__(self, database: Database, clock: Clock, kept: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._kept = kept
        self._purging = Periodic(clock, PURGE_EVERY_S)

    def claim(self, wanted: Claim) -> Claim | None:
        if self._purging.is_due():
            self._purge()
        new = self._database.insert(claims).values(_run(wanted) | {"attempt": 1} | _columns(wanted))
        again = claims.update().where(_same_run(wanted), claims.c.state.in_(_FREE)).values(_next(wanted))
        return self._won(new.on_conflict_do_nothing()) or self._won(again)

    def claim_again(self, wanted: Claim, *, instead_of: int, attempt: int) -> Claim | None:
        is_unknown = claims.c.state == ClaimState.UNKNOWN.value
        same = sa.and_(_same_run(wanted), _known_as(instead_of, attempt))
        if wanted.kind is ClaimKind.RESTART:
            same = sa.and_(same, is_unknown)
        return self._won(claims.update().where(same).values(_next(wanted)))

    def _won(self, statement: sa.Insert | sa.Update) -> Claim | None:
        """The claim that `statement` wrote; None if it wrote nothing, since another request was first."""
        return next(map(_claim, self._database.written(statement.returning(claims))), None)

    def move(self, claim: Claim, to: Claim, *, audit: RequestEntry | None = None) -> bool:
        same = sa.and_(_known_as(claim.id, claim.attempt), claims.c.state == claim.state.value)
        change = claims.update().where(same).values(_progress(to))
        if audit is None:
            return self._database.write(change) == 1
        with self._database.writing() as connection:
            if connection.execute(change).rowcount != 1:
                return False
            is_sent = to.state is ClaimState.SENT
            connection.execute(recording(self._database, audit.entry, audit.request_key, is_sent=is_sent))
            return True

    def of_request(self, key: str) -> Claim | None:
        if not key:  # rows without a request have an empty key
            return None
        query = claims.select().where(claims.c.key == key).order_by(claims.c.id.desc()).limit(1)
        return next(map(_claim, self._database.rows(query)), None)

    def newest(self, service: str, build_ids: Sequence[str], kind: ClaimKind = ClaimKind.RESTART) -> list[Claim]:
        """In the order of `build_ids`, without duplicates. A build's own claim wins over the one that created the
        build.
        """
        ids = list(dict.fromkeys(build_ids))
        found: list[Claim] = []
        for start in range(0, len(ids), _IDS_A_QUERY):
            some = ids[start : start + _IDS_A_QUERY]
            found += map(_claim, self._database.rows(_NAMED, {"service": service, "kind": kind.value, "ids": some}))
        found.sort(key=lambda claim: (claim.run_number, claim.id))
        sprung_from = {claim.new_build_id: claim for claim in found if claim.new_build_id is not None}
        newest = sprung_from | {claim.build_id: claim for claim in found}
        return list({newest[id].id: newest[id] for id in ids if id in newest}.values())

    def _purge(self) -> None:
        """Runs in its own transaction: one that also waited for a run's row could deadlock with another purging
        process.
        """
        old = claims.c.changed_at <= self._clock.now() - self._kept
        self._database.write(claims.delete().where(old, claims.c.state.in_(_OVER)), survives_power_loss=False)


def _run(claim: Claim) -> dict[str, Any]:
    return {
        "service": claim.service,
        "build_id": claim.build_id,
        "run_number": claim.run_number,
        "kind": claim.kind.value,
    }


def _same_run(claim: Claim) -> sa.ColumnElement[bool]:
    return sa.and_(*(claims.c[name] == value for name, value in _run(claim).items()))


def _known_as(claim_id: int, attempt: int) -> sa.ColumnElement[bool]:
    return sa.and_(claims.c.id == claim_id, claims.c.attempt == attempt)


def _next(claim: Claim) -> dict[str, Any]:
    """The columns that a new claim on the same run overwrites."""
    return {"attempt": claims.c.attempt + 1} | _columns(claim)


def _columns(claim: Claim) -> dict[str, Any]:
    return {
        "project_id": claim.project_id,
        "actor_id": claim.actor.id,
        "channel": claim.location.channel,
        "thread": claim.location.thread,
        "replaced_status_word": claim.replaced.status_word,
        "replaced_started_at": claim.replaced.started_at,
        "replaced_finished_at": claim.replaced.finished_at,
        "replaced_attempts": claim.replaced.attempts,
        "requested_at": claim.requested_at,
        "key": claim.key,
        "failed_jobs_only": claim.failed_jobs_only,
    } | _progress(claim)


def _progress(claim: Claim) -> dict[str, Any]:
    return {
        "state": claim.state.value,
        "changed_at": claim.changed_at or claim.requested_at,
        "seen_running": claim.seen_running,
        "new_build_id": claim.new_build_id,
        "posts": msgspec.json.encode(_Sends(claim.posts, claim.left)).decode(),
    }


class _Sends(msgspec.Struct):
    """What a claim sends, as its row has it. Fields are only added, with defaults."""

    posts: tuple[PostRecord, ...] = ()
    left: tuple[str, ...] = ()


_SENDS = msgspec.json.Decoder(_Sends)


def _claim(row: Any) -> Claim:
    sends = _SENDS.decode(row.posts)
    return Claim(
        service=row.service,
        project_id=row.project_id,
        build_id=row.build_id,
        run_number=row.run_number,
        actor=Actor(row.actor_id),
        location=Location(row.channel, row.thread),
        replaced=Run(
            row.replaced_status_word, row.replaced_started_at, row.replaced_finished_at, row.replaced_attempts
        ),
        requested_at=row.requested_at,
        id=row.id,
        attempt=row.attempt,
        state=ClaimState(row.state),
        changed_at=row.changed_at,
        seen_running=row.seen_running,
        new_build_id=row.new_build_id,
        key=row.key,
        failed_jobs_only=row.failed_jobs_only,
        kind=ClaimKind(row.kind),
        posts=sends.posts,
        left=sends.left,
    )

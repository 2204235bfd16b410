"""The core's `FollowStore` in the database: live messages, and the chains of polls for their projects.

A chain is one row per project: the number of its latest poll, and whether it is active. A follow is stored first, and
its chain is started in a second transaction. A chain that ends checks for open follows last, under its row's lock. So
the later of the two sees the other: either the chain goes on, or the follow starts a new one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from bot.core.model.builds import Actor, Location, Run, Status
from bot.core.model.follows import Follow, FollowState, LiveRun, PollChain, ReplyState
from bot.core.ports import Clock
from bot.store.engine import Database
from bot.store.periodic import Periodic
from bot.store.tables import follows, live_claims, poll_chains

PURGE_EVERY_S = 3600.0

_AHEAD = timedelta(seconds=5)
"""A chain that moved further in the future moved before the clock was set back, so its next poll is late."""

CLAIM_KEPT = timedelta(seconds=20)
"""By then a request has posted its live message and stored its follow, or its process died."""

_FIRST = 1
_NEW_CHAIN = 2
"""How much a new chain's number exceeds the last one's.

The number in between is what the old chain's next poll would have had. A row with that number says that this poll
happened, and no other number does.
"""


class StoredFollows:
    """A `FollowStore`.

    A later `add` deletes follows that began longer ago than `kept` and are not open. Chains are never deleted, since
    their numbers must not be reused.
    """

    def __init__(self, database: Database, clock: Clock, kept: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._kept = kept
        self._purging = Periodic(clock, PURGE_EVERY_S)

    def add(self, follow: Follow) -> Follow:
        new = self._database.insert(follows).values({"key": follow.key, "version": follow.version} | _columns(follow))
        # A power failure also undoes the end of the job that follows the build, so the job does this again.
        added = new.on_conflict_do_nothing().returning(follows)
        rows = self._database.written(added, survives_power_loss=False)
        rows = rows or self._database.rows(follows.select().where(follows.c.key == follow.key))
        if self._purging.is_due():
            old = follows.c.began_at <= self._clock.now() - self._kept
            over = follows.c.state != FollowState.OPEN.value
            self._database.write(follows.delete().where(old, over), survives_power_loss=False)
            self._database.write(live_claims.delete().where(sa.not_(self._holds())), survives_power_loss=False)
        return _follow(rows[0])

    def claim(self, run: LiveRun, key: str) -> bool:
        now = self._clock.now()
        new = self._database.insert(live_claims).values(
            channel=run.channel,
            service=run.service,
            build_id=run.build_id,
            run_number=run.run_number,
            key=key,
            claimed_at=now,
        )
        mine = new.on_conflict_do_update(
            index_elements=["channel", "service", "build_id", "run_number"],
            set_={"key": key, "claimed_at": now},
            where=sa.or_(live_claims.c.key == key, sa.not_(self._holds())),
        )
        return self._database.write(mine, survives_power_loss=False) == 1  # its process would be gone, too

    def is_claimed(self, run: LiveRun, *, but_by: str) -> bool:
        wanted = [
            live_claims.c.channel == run.channel,
            live_claims.c.service == run.service,
            live_claims.c.build_id == run.build_id,
            live_claims.c.key != but_by,
            self._holds(),
        ]
        if run.run_number is not None:
            wanted.append(live_claims.c.run_number == run.run_number)
        return bool(self._database.rows(sa.select(live_claims.c.key).where(*wanted).limit(1)))

    def release(self, key: str) -> None:
        self._database.write(live_claims.delete().where(live_claims.c.key == key), survives_power_loss=False)

    def _holds(self) -> sa.ColumnElement[bool]:
        """A claim from the future was made before the clock was set back."""
        now = self._clock.now()
        return live_claims.c.claimed_at.between(now - CLAIM_KEPT, now + _AHEAD)

    def open_in(self, channel: str, service: str, build_id: str) -> list[Follow]:
        wanted = [_is_open_in(channel), follows.c.build_id == build_id, follows.c.service == service]
        query = follows.select().where(*wanted).order_by(follows.c.began_at, follows.c.id)
        return [_follow(row) for row in self._database.rows(query)]

    def open_at(self, channel: str, message_ts: str) -> Follow | None:
        query = follows.select().where(_is_open_in(channel), follows.c.message_ts == message_ts)
        rows = self._database.rows(query.order_by(follows.c.id).limit(1))
        return _follow(rows[0]) if rows else None

    def open_of(self, service: str, project_id: str) -> list[Follow]:
        query = follows.select().where(_is_open(service, project_id)).order_by(follows.c.began_at, follows.c.id)
        return [_follow(row) for row in self._database.rows(query)]

    def open_for(self, actor: Actor, count: int) -> list[Follow]:
        wanted = sa.and_(notifies(actor), follows.c.state == FollowState.OPEN.value)
        query = follows.select().where(wanted).order_by(follows.c.began_at.desc(), follows.c.id.desc()).limit(count)
        return [_follow(row) for row in self._database.rows(query)]

    def move(self, follow: Follow, to: Follow) -> bool:
        same = sa.and_(follows.c.key == follow.key, follows.c.version == follow.version)
        after = {"version": follow.version + 1} | _columns(to)
        return self._database.write(follows.update().where(same).values(after)) == 1

    def begin_polling(self, service: str, project_id: str) -> int:
        now = self._clock.now()
        first = self._database.insert(poll_chains).values(
            service=service, project_id=project_id, number=_FIRST, active=True, touched_at=now
        )
        again = first.on_conflict_do_update(
            index_elements=["service", "project_id"],
            set_={"number": poll_chains.c.number + _NEW_CHAIN, "active": True, "touched_at": now},
            where=poll_chains.c.active.is_(False),
        )
        begun = self._database.written(again.returning(poll_chains.c.number), survives_power_loss=False)
        # Without a row it was active.
        rows = begun or self._database.rows(sa.select(poll_chains.c.number).where(_chain(service, project_id)))
        return int(rows[0].number)

    def next_poll(self, service: str, project_id: str, number: int) -> int | None:
        chain = _chain(service, project_id)
        with self._database.writing() as connection:
            # A separate statement locks the row before anything else is read. On PostgreSQL a statement sees what
            # existed when it began, and a follow may be added while this one waits for the lock.
            row = connection.execute(poll_chains.select().where(chain).with_for_update()).one_or_none()
            if row is not None and row.number == number + 1:
                return number + 1  # the same number was requested before
            if row is None or row.number != number or not row.active:
                return None
            goes_on = connection.scalar(sa.select(sa.exists().where(_is_open(service, project_id))))
            now = self._clock.now()
            after = {"number": number + 1, "touched_at": now} if goes_on else {"active": False}
            connection.execute(poll_chains.update().where(chain).values(after))
            return number + 1 if goes_on else None

    def quiet_chains(self, after_s: float) -> list[PollChain]:
        now, touched = self._clock.now(), poll_chains.c.touched_at
        is_quiet = sa.or_(touched < now - timedelta(seconds=after_s), touched > now + _AHEAD)
        query = poll_chains.select().where(poll_chains.c.active.is_(True), is_quiet)
        with self._database.reading() as connection:
            return [
                PollChain(row.service, row.project_id, row.number, (now - row.touched_at).total_seconds())
                for row in connection.execute(query.order_by(poll_chains.c.service, poll_chains.c.project_id))
            ]

    def restart_chain(self, chain: PollChain) -> int | None:
        is_same = (poll_chains.c.number == chain.number, poll_chains.c.active.is_(True))
        of_project = poll_chains.update().where(_chain(chain.service, chain.project_id), *is_same)
        after = chain.number + _NEW_CHAIN
        with self._database.writing() as connection:
            moved = connection.execute(of_project.values(number=after, touched_at=self._clock.now()))
            return after if moved.rowcount == 1 else None


def notifies(actor: Actor) -> sa.ColumnElement[bool]:
    """Whether the person is notified at the end."""
    return sa.or_(follows.c.asker_id == actor.id, follows.c.others.contains(f" {actor.id} ", autoescape=True))


def _is_open(service: str, project_id: str) -> sa.ColumnElement[bool]:
    of_project = sa.and_(follows.c.service == service, follows.c.project_id == project_id)
    return sa.and_(of_project, follows.c.state == FollowState.OPEN.value)


def _is_open_in(channel: str) -> sa.ColumnElement[bool]:
    return sa.and_(follows.c.channel == channel, follows.c.state == FollowState.OPEN.value)


def _chain(service: str, project_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(poll_chains.c.service == service, poll_chains.c.project_id == project_id)


def _columns(follow: Follow) -> dict[str, Any]:
    """Every column except the key and the version."""
    before = follow.before
    return {
        "service": follow.service,
        "project_id": follow.project_id,
        "build_id": follow.build_id,
        "run_number": follow.run_number,
        "branch": follow.branch,
        "asker_id": follow.asker.id,
        "channel": follow.location.channel,
        "thread": follow.location.thread,
        "message_ts": follow.message_ts,
        "began_at": follow.began_at,
        "restarted": follow.restarted,
        "before_status_word": before.status_word if before else None,
        "before_started_at": before.started_at if before else None,
        "before_finished_at": before.finished_at if before else None,
        "before_attempts": before.attempts if before else "",
        "before_status": follow.before_status.value if follow.before_status else None,
        "cancelled": follow.cancelled,
        "others": "".join(f" {actor.id} " for actor in follow.others),
        "state": follow.state.value,
        "reply": follow.reply.value,
        "shown": follow.shown,
        "shown_at": follow.shown_at,
        "polled_at": follow.polled_at,
    }


def _follow(row: Any) -> Follow:
    has_before = row.before_status_word is not None
    return Follow(
        key=row.key,
        service=row.service,
        project_id=row.project_id,
        build_id=row.build_id,
        run_number=row.run_number,
        branch=row.branch,
        asker=Actor(row.asker_id),
        location=Location(row.channel, row.thread),
        message_ts=row.message_ts,
        began_at=row.began_at,
        restarted=row.restarted,
        before=Run(row.before_status_word, row.before_started_at, row.before_finished_at, row.before_attempts)
        if has_before
        else None,
        before_status=Status(row.before_status) if row.before_status is not None else None,
        cancelled=row.cancelled,
        others=tuple(map(Actor, row.others.split())),
        state=FollowState(row.state),
        reply=ReplyState(row.reply),
        shown=row.shown,
        shown_at=row.shown_at,
        polled_at=row.polled_at,
        version=row.version,
    )

"""Opens the database, migrates its schema to the newest version, and hands out what implements the core's ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.core.model.rate_limit import Quota
from bot.core.notifications.ports import PollingLog, SubscriptionStore, WatchStore
from bot.core.people.ports import PeopleStore
from bot.core.ports import (
    AuditLog,
    BuildHistoryStore,
    ChannelNameStore,
    ClaimStore,
    Clock,
    FollowStore,
    IdempotencyKeys,
    ProjectStore,
    RecentProjectStore,
    RunHistory,
)
from bot.core.reports.ports import ReportStore
from bot.store.audit import StoredAudit
from bot.store.channel_names import StoredChannelNames
from bot.store.claims import StoredClaims
from bot.store.engine import DRIVER_ERRORS, Database, StoreError, is_outage
from bot.store.follows import StoredFollows
from bot.store.idempotency import StoredIdempotencyKeys
from bot.store.notifications.build_history import StoredBuildHistory
from bot.store.notifications.decisions import StoredDecisions
from bot.store.notifications.outbox import StoredOutbox
from bot.store.notifications.people import StoredPeople
from bot.store.notifications.polling_log import StoredPollingLog
from bot.store.notifications.reports import StoredReports
from bot.store.notifications.subscriptions import StoredSubscriptions
from bot.store.notifications.watching import StoredWatching
from bot.store.projects import StoredProjects
from bot.store.rate_limit.shared import Observe, SharedRateLimit, unobserved
from bot.store.recent_projects import StoredRecentProjects
from bot.store.replicas import StoredReplicas
from bot.store.response_urls import StoredResponseUrls
from bot.store.run_history import StoredRunHistory
from bot.store.schema import ForeignSchema, bring_to_head, stored_version
from bot.store.tables import idempotency_keys

AUDIT_KEPT = timedelta(days=365)
_KEPT = timedelta(days=90)
"""How long finished restarts, finished live messages and ended runs are kept."""


class Store:
    """One open database. Every part is thread-safe; `close` closes them all."""

    def __init__(
        self, database: Database, clock: Clock, audit_kept: timedelta, learn_time: Callable[[datetime], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self.claims: ClaimStore = StoredClaims(database, clock, _KEPT)
        self.follows: FollowStore = StoredFollows(database, clock, _KEPT)
        self.history: RunHistory = StoredRunHistory(database, clock, _KEPT)
        self.build_history: BuildHistoryStore = StoredBuildHistory(database, clock, _KEPT)
        self.subscriptions: SubscriptionStore = StoredSubscriptions(database, clock)
        self.decisions = StoredDecisions(database, clock)
        self.outbox = StoredOutbox(database, clock, self.decisions, _KEPT)
        self.reports: ReportStore = StoredReports(database)
        self.watching: WatchStore = StoredWatching(database, clock, self.decisions)
        self.polling_log: PollingLog = StoredPollingLog(database, clock)
        self.people: PeopleStore = StoredPeople(database)
        self.channel_names: ChannelNameStore = StoredChannelNames(database)
        self.projects: ProjectStore = StoredProjects(database)
        self.recent_projects: RecentProjectStore = StoredRecentProjects(database, clock)
        self.idempotency_keys: IdempotencyKeys = StoredIdempotencyKeys(database, clock)
        self.response_urls = StoredResponseUrls(database, clock)
        self.replicas = StoredReplicas(database, clock, learn_time)
        self.audit: AuditLog = StoredAudit(database, clock, audit_kept)

    def check(self) -> str:
        """Describes the open database: `SQLite 3.40 at data/bot.sqlite3, schema 0001`. Raises StoreError."""
        try:
            with self._database.reading() as connection:
                return f"{self._database.describe(connection)}, schema {stored_version(connection)}"
        except DRIVER_ERRORS as error:
            raise self._database.error(error) from None

    def trouble(self) -> str | None:
        """Why the database cannot be written to, as of the last few seconds; None if it can. Does no I/O."""
        trouble = self.replicas.trouble()
        return None if trouble is None else str(trouble)

    def explain(self, error: BaseException) -> StoreError | None:
        """Explains an error that means the database is full, locked or away; None for any other error."""
        return self._database.error(error) if is_outage(error) else None

    def rate_limit(self, service: str, calls_per_minute: int, observe: Observe = unobserved) -> SharedRateLimit:
        """This process's share of the calls of `service`. The caller starts it, and closes it before the store."""
        return SharedRateLimit(self._database, self._clock, service, Quota.of(calls_per_minute), observe)

    @contextmanager
    def told_of_failures(self) -> Iterator[None]:
        """Turns a driver's errors into StoreError, with the cause and without the password of any address."""
        try:
            yield
        except DRIVER_ERRORS as error:
            raise self._database.error(error) from None

    def close(self) -> None:
        self._database.close()


def _unlearned(_now: datetime) -> None:
    """For a caller that has no other replicas to agree with."""


def open_store(
    database_url: str,
    clock: Clock,
    *,
    audit_kept: timedelta = AUDIT_KEPT,
    learn_time: Callable[[datetime], None] = _unlearned,
) -> Store:
    """Opens and migrates the database; several processes may do so at once. Raises StoreError with cause
    and next step.

    `learn_time` is called with PostgreSQL's time, now and with each heartbeat.
    """
    database = Database.at(database_url)
    try:
        database.prepare()
        with database.writing() as connection:
            bring_to_head(connection)
            # Changes nothing, but fails if the database is read-only. SQLite begins a transaction even on a read-only
            # file.
            connection.execute(idempotency_keys.delete().where(sa.false()))
            if database.is_postgresql:
                learn_time(database.now(connection, clock))
    except ForeignSchema as error:
        database.close()
        why = f"it belongs to another program (its schema is {error})"
        raise StoreError(database.where, why, "Set DATABASE_URL to a database of the bot's own.") from None
    except DRIVER_ERRORS as error:
        database.close()
        # The driver's error is not chained: it may quote the whole address, including the password.
        raise database.error(error) from None
    return Store(database, clock, audit_kept, learn_time)

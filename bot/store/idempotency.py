"""The core's `IdempotencyKeys` in the database. A row holds only the key's hash and the time when it expires."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from bot.core.ports import Clock
from bot.store.engine import Database
from bot.store.periodic import Periodic
from bot.store.tables import idempotency_keys

PURGE_EVERY_S = 600.0


class StoredIdempotencyKeys:
    """An `IdempotencyKeys`. A row has the same size for every key. A later `add` deletes expired rows."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._purging = Periodic(clock, PURGE_EVERY_S)

    def add(self, key: str, *, keep_s: float) -> bool:
        now = self._clock.now()
        expires_at = now + timedelta(seconds=keep_s)
        key_hash = sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        mine = self._database.insert(idempotency_keys).values(key_hash=key_hash, expires_at=expires_at)
        mine = mine.on_conflict_do_update(
            index_elements=["key_hash"], set_={"expires_at": expires_at}, where=idempotency_keys.c.expires_at <= now
        )
        with self._database.writing() as connection:
            if self._purging.is_due():
                connection.execute(idempotency_keys.delete().where(idempotency_keys.c.expires_at <= now))
            return connection.execute(mine).rowcount == 1

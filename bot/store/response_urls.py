"""Slack's response URLs while they work. They are secrets: stored nowhere else, and deleted when they expire."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import sqlalchemy as sa

from bot.core.ports import Clock
from bot.store.engine import Database
from bot.store.tables import response_urls

VALID_FOR = timedelta(minutes=30)


class StoredResponseUrls:
    """Thread-safe. Raises what the driver raises."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._none_after = clock.now() + VALID_FOR
        """No row expires later than this, as far as this process knows."""

    def put(self, url: str) -> str:
        """Stores the URL for 30 minutes from the first time. Returns its key, which gives nothing away."""
        key, now = sha256(url.encode("utf-8", "surrogatepass")).hexdigest(), self._clock.now()
        expires_at = self._none_after = now + VALID_FOR
        row = self._database.insert(response_urls).values(key=key, url=url, expires_at=expires_at)
        with self._database.writing() as connection:
            connection.execute(row.on_conflict_do_nothing(index_elements=["key"]))
        return key

    def get(self, key: str) -> str | None:
        """None if it expired."""
        query = sa.select(response_urls.c.url).where(
            response_urls.c.key == key, response_urls.c.expires_at > self._clock.now()
        )
        with self._database.reading() as connection:
            url: str | None = connection.scalar(query)
        return url

    def purge(self) -> None:
        """Deletes what expired; called every minute or so. Does no I/O if nothing can be there."""
        now, none_after = self._clock.now(), self._none_after
        if now < none_after + VALID_FOR:
            with self._database.writing() as connection:
                connection.execute(response_urls.delete().where(response_urls.c.expires_at <= now))

"""Slack's response URLs while they work. They are secrets: stored nowhere else, and deleted when they expire."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock

import sqlalchemy as sa

from bot.core.ports import Clock
from bot.store.engine import Database
from bot.store.tables import response_urls

VALID_FOR = timedelta(minutes=30)
MAX_IN_MEMORY = 200


class StoredResponseUrls:
    """Thread-safe. Raises what the driver raises."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._put_here: OrderedDict[str, tuple[str, datetime]] = OrderedDict()
        self._lock = Lock()
        self._none_after = clock.now() + VALID_FOR
        """No row expires later than this, as far as this process knows."""

    def put(self, url: str) -> str:
        """Stores the URL for 30 minutes from the first time. Returns its key, which gives nothing away."""
        key, now = sha256(url.encode("utf-8", "surrogatepass")).hexdigest(), self._clock.now()
        expires_at = self._none_after = now + VALID_FOR
        row = self._database.insert(response_urls).values(key=key, url=url, expires_at=expires_at)
        # The job that needs the URL is stored next, and its commit takes this one to the disk.
        self._database.write(row.on_conflict_do_nothing(index_elements=["key"]), survives_power_loss=False)
        with self._lock:
            self._put_here.setdefault(key, (url, expires_at))
            while len(self._put_here) > MAX_IN_MEMORY:
                self._put_here.popitem(last=False)
        return key

    def get(self, key: str) -> str | None:
        """None if it expired. Needs no query if this process has stored it lately."""
        with self._lock:
            url, expires_at = self._put_here.get(key, ("", self._clock.now()))
        if expires_at > self._clock.now():
            return url
        query = sa.select(response_urls.c.url).where(
            response_urls.c.key == key, response_urls.c.expires_at > self._clock.now()
        )
        return next((row.url for row in self._database.rows(query)), None)

    def purge(self) -> None:
        """Deletes what expired; called every minute or so. Does no I/O if nothing can be there."""
        now, none_after = self._clock.now(), self._none_after
        if now < none_after + VALID_FOR:
            self._database.write(response_urls.delete().where(response_urls.c.expires_at <= now))

"""New SQLite databases in the tests' process start as copies of a migrated one, and share compiled statements.

Copying takes two milliseconds. Migrating takes thirty for the bot's tables, and as long again for DBOS's. Compiling a
statement takes one, for each engine that executes it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa


class CompiledStatements(dict[tuple[Any, ...], Any]):
    """Compiled statements of one kind of database. SQLAlchemy's keys begin with the engine's own dialect."""

    def __setitem__(self, key: tuple[Any, ...], value: Any) -> None:
        super().__setitem__(key[1:], value)

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get(key[1:], default)


class NewDatabases:
    """Listens to all of SQLAlchemy's connections. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._migrated = b""
        self._are_copies = True
        self._compiled = CompiledStatements()
        sa.event.listen(sa.Engine, "connect", self._on_connect)
        sa.event.listen(sa.Engine, "engine_connect", self._share_compiled)

    @contextmanager
    def empty(self) -> Iterator[None]:
        """Meanwhile new databases are empty and wait for the disk, as in production."""
        self._are_copies = False
        try:
            yield
        finally:
            self._are_copies = True

    def _share_compiled(self, connection: sa.Connection) -> None:
        if connection.dialect.name == "sqlite":
            connection.execution_options(compiled_cache=self._compiled)

    def _on_connect(self, connection: object, _record: object) -> None:
        if not isinstance(connection, sqlite3.Connection):
            return
        if not self._are_copies:
            return
        connection.execute("PRAGMA synchronous = OFF")  # nothing here outlives the tests, so nothing need reach a disk
        with self._lock:
            if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                self._fill(connection)

    def _fill(self, new: sqlite3.Connection) -> None:
        if not self._migrated:
            with self.empty():
                self._migrated = _migrated()
        with closing(sqlite3.connect(":memory:")) as source:
            source.deserialize(self._migrated)
            source.backup(new)


def _migrated() -> bytes:
    """A database with all tables and no rows."""
    from dbos import DBOS

    from bot.app.clock import SystemClock
    from bot.store import open_store

    with TemporaryDirectory() as folder:
        url, copy = f"sqlite:///{folder}/bot.sqlite3", Path(folder, "copy.sqlite3")
        open_store(url, SystemClock()).close()
        DBOS.migrate(url)
        with closing(sqlite3.connect(Path(folder, "bot.sqlite3"))) as database:
            database.execute("VACUUM INTO ?", [str(copy)])  # without a write-ahead log, which memory cannot have
        return copy.read_bytes()

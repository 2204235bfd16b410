"""From a DATABASE_URL to transactions, and from driver errors to sentences. Knows none of the bot's tables.

All transactions begin here. Python's own SQLite driver would begin one late and as a reader. SQLite cannot always
turn such a transaction into a writer. So writers take the lock first, and wait for it. A single statement needs no
transaction of its own: that saves two of three round trips to PostgreSQL.

SQLite stores all commits in one log, in order. One that is written to disk takes all earlier ones with it. So a
commit that may be lost in a power failure is never lost alone: everything after it is lost, too.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from bot.core.ports import Clock

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

LOCK_WAIT_S = 8
"""Seconds that a writer waits for another one. The bot's writes take milliseconds; a whole reply may take 20 s."""

IDLE_S = 1.0
"""Seconds without use after which a connection to PostgreSQL is tested before it is used to write."""

_OPEN_ATTEMPTS = 50


DRIVER_ERRORS = (DBAPIError, sqlite3.Error, sa.exc.TimeoutError, OSError)
"""What a driver raises if the database cannot be used."""


UNUSABLE = "My database cannot be used at the moment."
FULL = "The disk of my database is full."
LOCKED = "Another program keeps my database locked."


class StoreError(Exception):
    """The database cannot be used. `str()` says why and what to do next, and holds no password."""

    def __init__(self, where: str, why: str, next_step: str, *, for_people: str = UNUSABLE) -> None:
        super().__init__(f"The database {where} cannot be used: {why}. {next_step}")
        self.for_people = for_people
        """A sentence for people in Slack, without the database's address."""


class Database:
    """Transactions on one database, for any number of threads."""

    def __init__(self, url: URL) -> None:
        """Connects to nothing yet. Raises StoreError if the address cannot be used."""
        self.where = _where(url)
        self._url = url
        engine = _engine(url, self.where)
        postgresql = engine.dialect.name == "postgresql"
        # Set explicitly on PostgreSQL, since an operator may change its default. As on SQLite, a reader sees one
        # snapshot. A writer that waited for a row continues with what it then finds there.
        self._reader = engine.execution_options(isolation_level="REPEATABLE READ") if postgresql else engine
        writes = {"isolation_level": "READ COMMITTED"} if postgresql else {"begins": "IMMEDIATE"}
        self._writer = engine.execution_options(**writes)
        self._single = engine.execution_options(**({"isolation_level": "AUTOCOMMIT"} if postgresql else {"begins": ""}))

    @classmethod
    def at(cls, database_url: str) -> Database:
        try:
            # Hosting services write postgres://, which SQLAlchemy no longer reads.
            url = make_url(database_url.replace("postgres://", "postgresql://", 1))
        except (ArgumentError, ValueError):
            # The original error is not chained: its address may hold a password.
            raise StoreError(
                "of DATABASE_URL", "it is not an address", "Write it like sqlite:///data/bot.sqlite3."
            ) from None
        return cls(url)

    @property
    def is_postgresql(self) -> bool:
        return self._reader.dialect.name == "postgresql"

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """A transaction that sees one snapshot and never waits for a lock."""
        return self._begun(self._reader)

    def writing(self, *, survives_power_loss: bool = True) -> AbstractContextManager[sa.Connection]:
        """A transaction that is committed at its end. On SQLite it is the only writer until then.

        Survives the death of the process in any case.
        """
        return self._begun(self._writer, survives_power_loss)

    def rows(self, query: sa.Select[Any], parameters: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """The rows of one query, without a transaction. Repeated once if the server has closed the connection."""
        try:
            return self._rows(query, parameters)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            return self._rows(query, parameters)

    def write(self, statement: sa.UpdateBase, *, survives_power_loss: bool = True) -> int:
        """Runs one statement, which is a transaction by itself. Returns how many rows it wrote."""
        with self._begun(self._single, survives_power_loss) as connection:
            return connection.execute(statement).rowcount

    def written(self, statement: sa.UpdateBase, *, survives_power_loss: bool = True) -> Sequence[Any]:
        """The same for a statement with RETURNING. Returns the rows that it wrote."""
        with self._begun(self._single, survives_power_loss) as connection:
            return connection.execute(statement).all()

    def insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that supports ON CONFLICT, and whose `rowcount` says whether it wrote a row."""
        statement: sqlite.Insert | postgresql.Insert
        if self.is_postgresql:
            from sqlalchemy.dialects import postgresql

            statement = postgresql.insert(table)
        else:
            from sqlalchemy.dialects import sqlite

            statement = sqlite.insert(table)
        # Inline: RETURNING a new id would hide the row count, and needs SQLite 3.35.
        return statement.inline().execution_options(preserve_rowcount=True)

    def now(self, connection: sa.Connection, clock: Clock) -> datetime:
        """The time that processes compare with: PostgreSQL's own, since machines share it; with SQLite `clock`'s."""
        if not self.is_postgresql:
            return clock.now()
        now: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        return now

    def is_there(self) -> bool:
        """Whether the SQLite file exists, which connecting would create. Always True for PostgreSQL."""
        file = None if self.is_postgresql else _file(self._url)
        return file is None or file.exists()

    def prepare(self) -> None:
        """Call once at the start, before the first transaction. Raises what the driver raises.

        A new file can be read by its owner only; SQLite gives the -wal and -shm files the same mode.
        """
        if not self.is_postgresql:
            file = _file(self._url)
            if file is not None and not str(file).startswith("file:"):
                _make_private(file)
            self._use_write_ahead_log()

    def describe(self, connection: sa.Connection) -> str:
        name = "PostgreSQL" if self.is_postgresql else "SQLite"
        version = connection.dialect.server_version_info or ()
        return f"{name} {'.'.join(str(part) for part in version[:2])} {self.where}"

    def error(self, error: BaseException) -> StoreError:
        """The driver's `error` as the sentence that the operator reads."""
        cause = getattr(error, "orig", None) or error
        for_people = FULL if is_full(cause) else LOCKED if _is_locked(cause) else UNUSABLE
        return StoreError(self.where, *_reason(self._url, cause), for_people=for_people)

    def close(self) -> None:
        self._reader.dispose()

    def _rows(self, query: sa.Select[Any], parameters: Mapping[str, Any] | None) -> Sequence[Any]:
        with self._single.connect() as connection:
            return connection.execute(query, parameters).all()

    @contextmanager
    def _begun(self, engine: sa.Engine, survives_power_loss: bool = True) -> Iterator[sa.Connection]:
        with engine.connect() as connection:
            if self.is_postgresql:
                _replace_if_closed(connection)
            else:
                _set_synchronous(connection, "FULL" if survives_power_loss else "NORMAL")
            with connection.begin():
                yield connection

    def _use_write_ahead_log(self) -> None:
        """Lets readers run next to a writer. The file stores this mode, so it applies to every process from now on."""
        with closing(self._reader.raw_connection()) as connection:
            cursor = connection.cursor()
            for _ in range(_OPEN_ATTEMPTS):
                if _in_write_ahead_mode(cursor):
                    return
                # SQLite does not wait for the lock there. BEGIN IMMEDIATE does, until the other process releases it.
                cursor.execute("BEGIN IMMEDIATE")
                cursor.execute("ROLLBACK")
            cursor.execute("PRAGMA journal_mode=WAL")


def _make_private(file: Path) -> None:
    """Creates the file with mode 0600. An existing file keeps its mode: a group may be meant to read it."""
    with suppress(OSError):  # SQLite reports next, in more detail, what is wrong with the path
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _in_write_ahead_mode(cursor: DBAPICursor) -> bool:
    """Sets the mode; False if another process, starting at the same time, has locked the file."""
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname.startswith("SQLITE_BUSY"):
            return False
        raise
    return True


def _engine(url: URL, where: str) -> sa.Engine:
    options: dict[str, Any] = {"hide_parameters": True}  # keeps values out of logs
    name = url.get_backend_name()
    if name == "sqlite":
        options["connect_args"] = {"isolation_level": None, "timeout": LOCK_WAIT_S}
        if not _file(url):  # in memory the data lives in the connection: there is one, and threads take turns
            options |= {"poolclass": sa.QueuePool, "pool_size": 1, "max_overflow": 0}
            options["connect_args"]["check_same_thread"] = False
    elif name == "postgresql":
        options |= {"connect_args": {"connect_timeout": LOCK_WAIT_S}, "pool_use_lifo": True}
    else:
        raise StoreError(where, f"“{name}” is not a kind known here", "Known are sqlite and postgresql.")
    try:
        engine = sa.create_engine(url, pool_timeout=LOCK_WAIT_S, **options)
    except ModuleNotFoundError as error:
        raise StoreError(where, f"the package {error.name} is missing", f"pip install {error.name}") from None
    except (ArgumentError, NoSuchModuleError):
        # The original error is not chained: its address may hold a password.
        raise StoreError(where, "DATABASE_URL is malformed", "Write it like sqlite:///data/bot.sqlite3.") from None
    if name == "sqlite":
        event.listen(engine, "begin", _begin)
    else:
        event.listen(engine, "connect", _prepare_session)
    return engine


def _prepare_session(connection: DBAPIConnection, _: object) -> None:
    """Sets what must not depend on the server's defaults.

    Python has no year 10000. In a zone ahead of UTC, the last hours of 9999 would fall into it.
    """
    cursor = connection.cursor()
    cursor.execute("SET TIME ZONE 'UTC'")
    cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED")
    # A server may ask for more than "on", such as a commit that standbys have applied, but not for less.
    cursor.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
    cursor.close()
    connection.commit()


def _replace_if_closed(connection: sa.Connection) -> None:
    """Costs a round trip, so only for a connection that was idle, and not for single reads: they can be repeated."""
    now = monotonic()
    is_idle = now - connection.info.get("used_at", 0.0) > IDLE_S
    connection.info["used_at"] = now
    if not is_idle:
        return
    try:
        connection.dialect.do_ping(connection.connection.dbapi_connection)  # type: ignore[arg-type]
    except connection.dialect.loaded_dbapi.Error:
        connection.invalidate()  # the next statement opens a new one


def _set_synchronous(connection: sa.Connection, level: str) -> None:
    if connection.info.get("synchronous") != level:
        connection.connection.dbapi_connection.execute(f"PRAGMA synchronous={level}")  # type: ignore[union-attr]
        connection.info["synchronous"] = level


def _begin(connection: sa.Connection) -> None:
    begins = connection.get_execution_options().get("begins", "DEFERRED")
    if begins:
        connection.exec_driver_sql(f"BEGIN {begins}")


def _file(url: URL) -> Path | None:
    return None if url.database in (None, "", ":memory:") else Path(str(url.database))


def sqlite_file(database_url: str) -> Path | None:
    """The file of an SQLite address; None for PostgreSQL and for a database in memory. Raises if it is no address."""
    url = make_url(database_url)
    return _file(url) if url.get_backend_name() == "sqlite" else None


def _where(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return f"at {_file(url)}" if _file(url) else "in memory"
    port = f":{url.port}" if url.port else ""
    return f"at {url.host or 'localhost'}{port}/{url.database or ''}"


def is_full(error: BaseException) -> bool:
    """Whether the driver says that the disk is full."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOSPC
    return getattr(error, "sqlite_errorname", "") == "SQLITE_FULL" or getattr(error, "sqlstate", None) == "53100"


def _is_locked(error: BaseException) -> bool:
    return getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY")


def is_outage(error: BaseException) -> bool:
    """Whether the database is full, locked or away. Such an error passes and is not a bug."""
    cause = getattr(error, "orig", None) or error
    is_away = getattr(error, "connection_invalidated", False) or isinstance(error, sa.exc.TimeoutError)
    return is_away or is_full(cause) or _is_locked(cause)


def _reason(url: URL, error: BaseException) -> tuple[str, str]:
    """The cause, and the next step."""
    elsewhere = "or set DATABASE_URL to another place"
    if is_full(error):
        return "its disk is full", f"Make room there, {elsewhere}."
    file, code = _file(url), getattr(error, "sqlite_errorname", "")
    if code and file:
        try:
            has_directory, is_directory = file.parent.exists(), file.is_dir() or file.parent.is_file()
        except PermissionError:
            has_directory, is_directory = True, False
        if not has_directory:
            return f"there is no directory {file.parent}", f"Create it (mkdir -p {file.parent}), {elsewhere}."
        if is_directory:
            return "its path takes a directory for a file, or a file for a directory", f"Correct it, {elsewhere}."
        if code.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")):
            return "the bot may not write there", f"Let its user write {file.parent} and the files in it, {elsewhere}."
        if code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
            return "the file is not a whole SQLite database", f"Move it away or bring back a copy, {elsewhere}."
        if code.startswith("SQLITE_BUSY"):
            return "another program keeps it locked", "Close that program, and start again."
    text = " ".join(str(error).split()) or type(error).__name__
    if url.password:
        text = text.replace(str(url.password), "***")
    return text, f"See that it can be reached and has room, {elsewhere}."

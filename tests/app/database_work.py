"""Counts what the assembled bot does to its database: exactly, and without the work of its background threads."""

from __future__ import annotations

import os
import re
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import make_url

from bot.app.timeouts import Timeouts
from bot.jobs import JobTimings
from playground.clock import SandboxClock
from playground.sandbox import Sandbox

QUIET = Timeouts(jobs=JobTimings(beat_s=600, sweep_s=600, poll_s=600), maintenance_s=600)
"""Background threads that start no work during a test."""

_TABLE = re.compile(r"(?:INSERT INTO|UPDATE|FROM)\s+(?:\"?\w+\"?\.)?\"?(\w+)", re.IGNORECASE)
BESIDE = ("rate_limit", "replicas", "recent_projects", "project_lists", "subscriptions", "watch", "webhook", "mutes")
"""Tables that the bot uses at its own times."""

ARE_JOBS_LEFT = "select workflow_status"
"""How the sandbox asks whether jobs are left. Within a longer transaction it is a part of the work."""


def named(statement: str) -> str:
    """The verb and the table, as in `insert claims`."""
    verb = statement.split(None, 1)[0].lower()
    found = _TABLE.search(statement)
    return f"{verb} {found[1]}" if found else verb


@dataclass
class Statements:
    """What SQLAlchemy has sent to SQLite, and each commit that wrote something with its `synchronous` setting."""

    sent: list[str] = field(default_factory=list)
    commits: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def recorded() -> Iterator[Statements]:
    """Records all engines of this process, without `BESIDE`."""
    found = Statements()

    def executed(connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
        name = named(statement)
        if name.startswith("begin"):
            connection.info["began"] = True
            return
        if connection.info.pop("began", False) and not any(word in name for word in BESIDE):
            found.sent.append("begin")
        if any(word in name for word in BESIDE):
            connection.info["beside"] = True
        elif "beside" not in connection.info and name != ARE_JOBS_LEFT:
            found.sent.append(name)
        if not name.startswith("select"):
            connection.info.setdefault("wrote", name)

    def given_back(raw: Any, record: Any) -> None:
        name, is_beside = record.info.pop("wrote", None), record.info.pop("beside", False)
        record.info.pop("began", None)
        before, record.info["changes"] = record.info.get("changes", 0), raw.total_changes
        if name is not None and not is_beside and raw.total_changes > before:
            (level,) = raw.execute("PRAGMA synchronous").fetchone()
            found.commits.append((name, {1: "NORMAL", 2: "FULL"}[level]))

    event.listen(sa.Engine, "before_cursor_execute", executed)
    event.listen(sa.Pool, "checkin", given_back)
    try:
        yield found
    finally:
        event.remove(sa.Engine, "before_cursor_execute", executed)
        event.remove(sa.Pool, "checkin", given_back)


def types(sandbox: Sandbox, verb: str, branch: str = "main") -> None:
    sandbox.workspace.types("ada", "builds", f"/codeship {verb} acme/web {branch}")
    assert sandbox.bot is not None
    assert sandbox.bot.workers.wait_idle(20.0) if verb == "status" else sandbox.settle()


@contextmanager
def warm(database_url: str | None = None) -> Iterator[Sandbox]:
    """A bot that has done everything once: its hourly clean-ups are over."""
    with Sandbox(SandboxClock(), database_url=database_url, timeouts=QUIET) as sandbox:
        sandbox.workspace.types("ada", "builds", "/codeship restart acme/api main")
        assert sandbox.settle()
        types(sandbox, "status")
        yield sandbox


class Wire:
    """A proxy before PostgreSQL that counts round trips: each time a client sends after it was answered."""

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._trips: list[tuple[int, bytes]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def clear(self) -> None:
        with self._lock:
            self._trips.clear()

    def trips(self) -> list[str]:
        """Each round trip since `clear`, named by its statement, but `BESIDE` and how connections begin.

        A transaction is listed as a whole. "ping" is any trip without a statement's text.
        """
        with self._lock:
            trips = list(self._trips)
        found: list[list[str]] = []
        open_of: dict[int, list[str]] = {}
        for number, sent in trips:
            name = _named_trip(sent)
            if name == "begin":
                open_of[number] = []
                found.append(open_of[number])
            if number in open_of:
                open_of[number].append(name)
            elif name not in ("select", "commit", "rollback"):
                found.append([name])
            if name in ("commit", "rollback"):
                open_of.pop(number, None)
        unfinished = list(open_of.values())  # of the background: the request has ended
        return [name for names in found if names not in unfinished and not _is_beside(names) for name in names]

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        number = 0
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
                number += 1
                for source, target, is_client in ((client, server, True), (server, client, False)):
                    arguments = (number, source, target, is_client)
                    threading.Thread(target=self._pump, args=arguments, daemon=True).start()

    def _pump(self, number: int, source: socket.socket, target: socket.socket, is_client: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if is_client:
                    with self._lock:
                        self._trips.append((number, data))
                target.sendall(data)
        for end in (source, target):
            end.close()


def _is_beside(names: list[str]) -> bool:
    """Whether these round trips, of one transaction, are no part of the request's work."""
    statements = [name for name in names if name not in ("begin", "ping", "commit", "rollback")]
    return statements == [ARE_JOBS_LEFT] or any(word in name for name in names for word in BESIDE)


def _named_trip(sent: bytes) -> str:
    text = sent.decode("latin-1")
    found = re.search(r"(BEGIN|COMMIT|ROLLBACK|INSERT|SELECT|UPDATE|DELETE|WITH)\b.*", text, re.DOTALL)
    return "ping" if found is None else named(found[0].replace("\0", " "))


def main() -> None:
    """A restart that marks its moments with system calls that fail, for strace."""

    def mark(moment: str) -> None:
        os.access(f"/marked/{moment}", os.F_OK)

    def given_back(_raw: Any, record: Any) -> None:
        if record.info.pop("claimed", False):
            mark("claimed")

    def executed(connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if named(statement) == "insert claims":
            connection.info["claimed"] = True

    with warm() as sandbox:
        event.listen(sa.Pool, "checkin", given_back)
        event.listen(sa.Engine, "before_cursor_execute", executed)
        with sqlite3.connect(make_url(sandbox.settings().database_url.reveal()).database or "") as connection:
            # Else a checkpoint may be due, or the first write after one: both wait for the disk, too.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("CREATE TABLE written (once INTEGER)")
        mark("typed")
        sandbox.workspace.types("ada", "builds", "/codeship restart acme/web main")
        mark("acknowledged")
        sandbox.settle()
        mark("settled")


if __name__ == "__main__":
    main()

"""Bots to be killed. Run as a program, this module imports everything once and forks a bot for each order.

Such a bot is that of `python -m bot`, assembled by `bot.app.bot` with nothing replaced, but with shorter timeouts. It
reports over its own connection what it has written: SQLAlchemy's public events say which transaction was committed. The
bot then waits until the test lets it continue.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from bot import logs
from bot.app.bot import Bot
from bot.app.clock import SystemClock
from bot.app.settings import Settings
from bot.app.timeouts import TIMEOUTS, Timeouts
from bot.core.polling.poller import PollInterval
from bot.jobs import JobTimings
from bot.jobs import dbos_engine as engine

_WRITES = re.compile(r"\s*(?:WITH\b.*?\b)?(INSERT INTO|UPDATE|DELETE FROM)\s+([\w.\"]+)", re.IGNORECASE | re.DOTALL)
_VERBS = {"INSERT INTO": "insert", "UPDATE": "update", "DELETE FROM": "delete"}

assert engine  # imported here, since it costs half a second in each process that does


class Line:
    """The connection to the test: one line each way."""

    def __init__(self, port: int) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port))
        self._file = self._connection.makefile("rw", encoding="utf-8")
        self._lock = threading.Lock()

    def tell(self, what: str) -> None:
        """Returns when the test lets it continue. If the test is gone, this process exits."""
        with self._lock:
            try:
                self._file.write(what + "\n")
                self._file.flush()
                answer = self._file.readline()
            except OSError:
                answer = ""
        if not answer:
            os._exit(3)


def tell_commits(line: Line) -> None:
    """Reports each transaction that wrote something once it is committed."""

    def executed(connection: sa.Connection, cursor: Any, statement: str, *_: Any) -> None:
        found = _WRITES.match(statement)
        if found is None or (connection.dialect.name != "sqlite" and cursor.rowcount == 0):
            return
        what = f"{_VERBS[found[1].upper()]} {found[2].replace(chr(34), '').rpartition('.')[2]}"
        connection.info["last"] = what

    def executes(connection: sa.Connection, *_: Any) -> None:
        _settle(connection)

    def committed(connection: sa.Connection) -> None:
        _settle(connection)
        connection.info["committed"] = connection.info.pop("wrote", {})

    def rolled_back(connection: sa.Connection) -> None:
        _settle(connection)
        connection.info.pop("wrote", None)

    def given_back(_connection: Any, record: Any) -> None:
        done = record.info.pop("committed", None)
        if done:
            line.tell("commit " + ", ".join(done))

    event.listen(sa.Engine, "before_cursor_execute", executes)
    event.listen(sa.Engine, "after_cursor_execute", executed)
    event.listen(sa.Engine, "commit", committed)
    event.listen(sa.Engine, "rollback", rolled_back)
    event.listen(sa.Pool, "checkin", given_back)


def _settle(connection: sa.Connection) -> None:
    """Records whether the last statement wrote anything.

    SQLite counts only after the statement, and the cursor of one with RETURNING never ends it.
    """
    what = connection.info.pop("last", None)
    if connection.dialect.name == "sqlite":
        before = connection.info.get("changes", 0)
        now = connection.info["changes"] = connection.connection.driver_connection.total_changes  # type: ignore[union-attr]
        if now == before:
            return
    if what is not None:
        connection.info.setdefault("wrote", {})[what] = None


def timeouts(little: dict[str, float]) -> Timeouts:
    if "as_in_production" in little:
        return TIMEOUTS
    jobs = JobTimings(beat_s=0.3, dead_after_s=little.get("dead_after_s", 1.2), sweep_s=0.3, poll_s=0.1)
    claims = {name: little[name] for name in ("claimed_s", "late_s") if name in little}
    return Timeouts(jobs=jobs, pace=PollInterval(3.1, 3.1, 3.1), maintenance_s=1.0, **claims)


class WrongClock(SystemClock):
    """A machine's clock that is `ahead_s` ahead. SIGUSR1 sets it back by four minutes."""

    def __init__(self, ahead_s: float) -> None:
        real, self._ahead_s = time.time, ahead_s
        time.time = lambda: real() + self._ahead_s
        signal.signal(signal.SIGUSR1, lambda *_: self._set_back())

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC)

    def _set_back(self) -> None:
        self._ahead_s -= 240


def run(order: dict[str, Any]) -> None:
    """Runs one bot until it is killed or gets the order to stop."""
    clock = WrongClock(order["ahead_s"]) if "ahead_s" in order else SystemClock()
    settings = Settings.read(order["environ"])
    logs.configure("INFO", "json", settings.secrets())
    line = Line(order["port"])
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    if order.get("tells_commits"):
        tell_commits(line)
    bot = Bot(settings, clock, {}, on_dead=ending.set, timeouts=timeouts(order.get("timeouts", {})))
    bot.start()
    line.tell(f"ready {bot.web.port if bot.web else 0}")
    ending.wait()
    os._exit(1 if bot.stop() else 0)


def main() -> None:
    children: list[int] = []
    for text in sys.stdin:
        order = json.loads(text)
        child = os.fork()
        if child == 0:
            with open(order["log"], "ab") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            with open(os.devnull, "rb") as nothing:
                os.dup2(nothing.fileno(), 0)
            try:
                run(order)
            finally:
                import traceback

                traceback.print_exc()
                sys.stderr.flush()
                os._exit(2)
        children.append(child)
        print(child, flush=True)
    for child in children:  # not yet waited for, so these are still ours
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()

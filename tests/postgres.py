"""A PostgreSQL server for the tests: on loopback, in its own directory, deleted at the end.

Its programs are searched where Debian and others install them. A server that already runs is not used.
"""

from __future__ import annotations

import glob
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

MISSING = "PostgreSQL is not installed (Debian: apt-get install postgresql)"

_PLACES = ["/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/bin"]
_ADMIN = "bot"
_PATIENCE_S = 60
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "''",
    "max_connections": "200",
    "timezone": "Pacific/Kiritimati",  # far from UTC, so that a time without its zone shows
    "fsync": "off",  # nothing here outlives the tests, so nothing need reach a disk
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


class Server:
    """A server that runs, unless it is stopped. `pg_ctl` calls that program with an action and its arguments."""

    def __init__(self, port: int, password: str, pg_ctl: Callable[..., None]) -> None:
        self._port = port
        self._password = password
        self._pg_ctl = pg_ctl
        self._numbers = count(1)
        self._is_up = False

    def start(self) -> None:
        """Starts it, also after a stop. Returns when it takes connections."""
        if not self._is_up:
            self._pg_ctl("start")
            self._is_up = True

    def stop(self) -> None:
        """Stops it as a crash would: connections break, and what was not committed is gone."""
        if self._is_up:
            self._pg_ctl("stop", "-m", "immediate")
            self._is_up = False

    def new_database(self, like: str | None = None) -> str:
        """The address of a database that is new: empty, or a copy of the one with the name `like`."""
        name = f"test_{next(self._numbers)}"
        template = f' TEMPLATE "{like}"' if like else ""
        server = {"host": "127.0.0.1", "port": self._port, "user": _ADMIN, "password": self._password}
        with psycopg.connect(**server, dbname="postgres", autocommit=True) as connection:  # type: ignore[arg-type]
            connection.execute(f'CREATE DATABASE "{name}"{template}'.encode())
        return f"postgresql+psycopg://{_ADMIN}:{self._password}@127.0.0.1:{self._port}/{name}"


def programs() -> Path | None:
    """The directory of initdb and pg_ctl; None if they are not installed."""
    linked = shutil.which("initdb")
    known = [Path(linked).resolve().parent] if linked else []
    known += [Path(place) for pattern in _PLACES for place in sorted(glob.glob(pattern), reverse=True)]
    return next((place for place in known if all((place / name).exists() for name in ("initdb", "pg_ctl"))), None)


@contextmanager
def running(found: Path, **more: str) -> Iterator[Server]:
    """Starts a server with these programs, and at the end stops it and deletes its data. `more` are settings."""
    home = Path(tempfile.mkdtemp(prefix="bot-postgres-"))  # not pytest's directory, which only its owner may enter
    data, log, password, port = str(home / "data"), home / "log", secrets.token_urlsafe(12), _free_port()
    user = _unprivileged()
    (home / "password").write_text(password, encoding="utf-8")
    if user is not None:
        shutil.chown(home, user)

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [found / program, *arguments],
            user=user,
            cwd=home,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdout=subprocess.DEVNULL,  # the server inherits it, so a pipe would not end
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE_S,
            check=False,
        )
        told = log.read_text(encoding="utf-8", errors="replace")[-4000:] if log.exists() else ""
        assert done.returncode == 0, f"{program} failed: {told}"

    def pg_ctl(action: str, *arguments: str) -> None:
        options = ("-l", str(log), "-o", f"-p {port} {settings}") if action == "start" else ()
        run("pg_ctl", action, "-D", data, "-w", *options, *arguments)

    settings = " ".join(f"-c {name}={value}" for name, value in (_SETTINGS | more).items())
    secured = ("-A", "scram-sha-256", "--pwfile", str(home / "password"))
    try:
        run("initdb", "-D", data, "-U", _ADMIN, *secured, "-E", "UTF8", "--no-sync")
        server = Server(port, password, pg_ctl)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _unprivileged() -> str | None:
    """Who is to run it: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    return "postgres" if "postgres" in {user.pw_name for user in pwd.getpwall()} else "nobody"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])

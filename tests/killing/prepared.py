"""Databases that a bot has started on once, as copies: faster than migrating each time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.app.clock import SystemClock
from bot.core.model.builds import Build, Project, Status
from bot.store import open_store
from tests.killing.theatre import Mould, Process, Steps, Theatre, wait_until
from tests.postgres import Server


def prepare(mould: Mould, url: str, folder: Path) -> None:
    """The bot has read CodeShip's list, and remembers a failed run of the commit that is followed."""
    theatre = Theatre(url, Steps())
    theatre.start()
    process = Process(mould, theatre.environ, folder / "preparing.txt", lambda _: False)
    process.wait_ready()
    store = open_store(url, SystemClock())
    assert wait_until(lambda: store.projects.load_projects("codeship")[0]), process.log
    build = theatre.codeship.newest("acme/web", "feature/login")
    project = Project(str(build.project_id), "acme/web", "codeship")
    failed = Build("1", project, Status.FAILED, "error", branch=build.branch, commit=build.commit_id)
    store.history.record(failed, 1, datetime.now(UTC) - timedelta(hours=1))
    store.close()
    process.terminate()
    theatre.stop()


class Databases:
    """On PostgreSQL if there is a `server`, else SQLite files. `prepare` fills the first. Thread-safe."""

    def __init__(
        self,
        mould: Mould,
        folder: Path,
        server: Server | None,
        prepare: Callable[[Mould, str, Path], None] = prepare,
    ) -> None:
        self.kind = "postgresql" if server else "sqlite"
        self._server = server
        self._file = folder / "prepared.sqlite3"
        url = server.new_database() if server else f"sqlite:///{self._file}"
        self._name = url.rpartition("/")[2]
        prepare(mould, url, folder)

    def new(self, folder: Path) -> str:
        """The address of one more."""
        if self._server:
            return self._server.new_database(like=self._name)
        shutil.copy(self._file, folder / "bot.sqlite3")
        return f"sqlite:///{folder}/bot.sqlite3"

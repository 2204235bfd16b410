"""The database goes while a restart is under way: one true sentence, and everything else later."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.slack.incoming.workers import NOT_WRITTEN
from bot.store.tables import audit
from tests.killing.prepared import Databases
from tests.killing.theatre import Mould, Process, Theatre, wait_until
from tests.postgres import Server, programs, running

pytestmark = pytest.mark.serial

RESTART = "/codeship restart acme/web main"
AWAY_S = 30


class Cut:
    """A `Watcher` that stops the server when a restart was accepted and not answered yet."""

    def __init__(self, server: Server | None) -> None:
        self._server = server

    def reach(self, name: str, landmark: str | None = None) -> bool:
        if self._server is not None and name == "POST restart not answered yet" and landmark:
            self._server.stop()
            self._server = None
        return False


class World:
    """A bot on a database, and what it lives in."""

    def __init__(
        self, stack: ExitStack, folder: Path, server: Server | None, is_cut: bool = True, **order: Any
    ) -> None:
        mould = Mould()
        stack.callback(mould.stop)
        self.url = Databases(mould, folder, server).new(folder)
        cut = Cut(server if is_cut else None)
        self.theatre = Theatre(self.url, cut)
        self.theatre.start()
        stack.callback(self.theatre.stop)
        self.process = Process(mould, self.theatre.environ, folder / "log.txt", cut.reach, **order)
        stack.callback(self.process.end)
        self.theatre.deliver_to(self.process.wait_ready())
        self.build = self.theatre.codeship.newest("acme/web", "main")

    def asks(self, person: str) -> None:
        assert self.theatre.workspace.types(person, "#builds", "/codeship restart acme/web main")

    def sees(self, words: str) -> bool:
        return wait_until(lambda: any(words in text for text in self.theatre.texts()), 60)

    @property
    def posts(self) -> int:
        return self.theatre.codeship.restarts_asked(self.build)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_postgresql_stopped_between_the_post_and_its_record_is_told_and_followed_later(
    stack: ExitStack, tmp_path: Path, postgres: Server
) -> None:
    del postgres  # another server than this one, since it is stopped
    found = programs()
    assert found is not None
    server = stack.enter_context(running(found, synchronous_commit="on"))
    world = World(stack, tmp_path, server)
    world.asks("ada")
    assert wait_until(world.theatre.texts), world.process.log
    (told,) = world.theatre.texts()
    assert "*Restart of acme/web main was accepted*" in told
    assert "I couldn’t store the result: my database is unavailable." in told
    server.start()
    assert world.sees("acme/web main restarted"), world.process.log
    with closing(sa.create_engine(world.url, poolclass=sa.NullPool).connect()) as connection:
        rows = connection.execute(sa.select(audit.c.action, audit.c.result, audit.c.build_id)).all()
    assert [tuple(row) for row in rows] == [("restart", "accepted", str(world.build.id))]
    world.theatre.codeship.finish(world.build, "success")
    assert world.sees("flaky"), world.process.log
    assert world.posts == 1


def test_a_followed_build_is_polled_again_within_30_s_once_the_database_is_back(
    stack: ExitStack, tmp_path: Path, postgres: Server
) -> None:
    """With the timeouts of production. The outage is long enough for retries to have come to long pauses."""
    del postgres  # another server than this one, since it is stopped
    found = programs()
    assert found is not None
    server = stack.enter_context(running(found, synchronous_commit="on"))
    world = World(stack, tmp_path, server, is_cut=False, timeouts={"as_in_production": 1})
    world.asks("ada")
    assert world.sees("acme/web main restarted"), world.process.log
    calls = len(world.theatre.codeship.requests)
    assert wait_until(lambda: len(world.theatre.codeship.requests) > calls), "it is polled"
    server.stop()
    assert not wait_until(lambda: False, AWAY_S)
    world.theatre.codeship.finish(world.build, "success")
    server.start()
    began_s = time.monotonic()
    assert world.sees("flaky"), world.process.log
    assert time.monotonic() - began_s < 30


def test_what_was_told_to_be_asked_again_is_not_sent_when_the_lock_is_gone(stack: ExitStack, tmp_path: Path) -> None:
    world = World(stack, tmp_path, None)
    with closing(sqlite3.connect(world.url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for person in ("ada", "bob", "ada", "bob"):
            world.asks(person)
        told = world.theatre.texts("ada") + world.theatre.texts("bob")
        assert len(told) == 4
        assert all(NOT_WRITTEN in text for text in told), told
        assert not wait_until(lambda: world.posts, 40), "while it is locked"
        other.execute("ROLLBACK")
    assert not wait_until(lambda: world.posts, 10), "what was withdrawn stays withdrawn"
    world.asks("ada")
    assert wait_until(lambda: world.posts == 1), world.process.log

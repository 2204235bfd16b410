"""What the store knows about a database that cannot be written to, without any I/O."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from bot.store import open_store
from bot.store.replicas import WRITE_TIMEOUT_S

PAGES = 150
"""More than the empty schema has, at 4 kB each."""


@pytest.fixture
def a_small_disk() -> Iterator[None]:
    def bound(connection: Any, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {PAGES}")

    event.listen(sa.Engine, "connect", bound)
    yield
    event.remove(sa.Engine, "connect", bound)


def test_there_is_no_trouble_before_and_after_the_first_write(tmp_path: Path, clock: Any) -> None:
    store = open_store(f"sqlite:///{tmp_path}/bot.sqlite3", clock)
    assert store.trouble() is None
    store.replicas.beat("one")
    assert store.trouble() is None
    store.close()


@pytest.mark.usefixtures("a_small_disk")
def test_a_full_disk_is_named_until_there_is_room_again(tmp_path: Path, clock: Any) -> None:
    store = open_store(f"sqlite:///{tmp_path}/bot.sqlite3", clock)
    with pytest.raises(DBAPIError, match="full") as raised:
        all(store.replicas.beat(f"{number}-{'x' * 4_000}") is None for number in range(PAGES * 10))
    assert store.trouble() == (
        f"The database at {tmp_path}/bot.sqlite3 cannot be used: its disk is full. "
        "Make room there, or set DATABASE_URL to another place."
    )
    explained = store.explain(raised.value)
    assert explained is not None
    assert (explained.for_people, str(explained)) == ("The disk of my database is full.", store.trouble())
    store.replicas.beat("0-" + "x" * 4_000)
    assert store.trouble() is None
    store.close()


def test_a_locked_database_is_named_while_a_write_waits_for_it(tmp_path: Path, clock: Any) -> None:
    store = open_store(f"sqlite:///{tmp_path}/bot.sqlite3", clock)
    store.replicas.beat("one")

    def beat() -> None:
        with suppress(DBAPIError):
            store.replicas.beat("one")

    with closing(sqlite3.connect(tmp_path / "bot.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = threading.Thread(target=beat)
        waiting.start()
        assert waiting.is_alive()
        waiting.join(0.2)
        clock.wait(WRITE_TIMEOUT_S + 1)
        assert "a write takes longer than 2 s. Is it locked?" in str(store.trouble())
        other.execute("ROLLBACK")
    waiting.join(10)
    assert store.trouble() is None
    store.close()


@pytest.mark.parametrize(
    ("error", "is_ours"), [(OSError(28, "No space left"), True), (OSError(5, "x"), False), (KeyError(), False)]
)
def test_only_errors_of_the_database_are_explained(tmp_path: Path, clock: Any, error: Exception, is_ours: bool) -> None:
    store = open_store(f"sqlite:///{tmp_path}/bot.sqlite3", clock)
    assert (store.explain(error) is not None) is is_ours
    store.close()

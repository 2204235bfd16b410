"""Stores in a file, in memory and on PostgreSQL, a fixed clock, and claims to store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from bot.core.model.builds import Actor, Location, Run
from bot.core.model.claims import Claim
from bot.store import Store, open_store
from bot.store.tables import metadata
from tests.postgres import Server

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, UTC)


@dataclass
class HeldClock:
    """Does not move by itself."""

    time: datetime = NOON

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return (self.time - NOON).total_seconds()

    def wait(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture(params=["file", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, of either kind."""
    if request.param == "file":
        return f"sqlite:///{tmp_path}/bot.sqlite3"
    return str(request.getfixturevalue("empty_postgres"))


@pytest.fixture(params=["file", "memory", pytest.param("postgresql", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: HeldClock) -> Iterator[Store]:
    """For what must hold in each."""
    urls = {"file": f"sqlite:///{tmp_path}/bot.sqlite3", "memory": "sqlite:///:memory:"}
    opened = open_store(urls.get(request.param) or request.getfixturevalue("new_postgres"), clock)
    yield opened
    opened.close()


# A PostgreSQL database has some 300 files: to empty one is much faster than to make one for each test.


@pytest.fixture(scope="session")
def some_postgres(postgres: Server) -> str:
    return postgres.new_database()


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Server) -> str:
    url = postgres.new_database()
    open_store(url, HeldClock()).close()
    return url


@pytest.fixture
def empty_postgres(some_postgres: str) -> str:
    """A PostgreSQL database without tables."""
    do(some_postgres, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return some_postgres


@pytest.fixture
def new_postgres(migrated_postgres: str) -> str:
    """A PostgreSQL database with the newest tables, and nothing in them."""
    do(migrated_postgres, f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY")
    return migrated_postgres


def do(url: str, statements: str) -> None:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(statements.encode())


@pytest.fixture
def opened(url: str, clock: HeldClock) -> Iterator[Callable[[], Store]]:
    """Opens the database at `url`, again for each call."""
    stores: list[Store] = []

    def open_again() -> Store:
        stores.append(open_store(url, clock))
        return stores[-1]

    yield open_again
    for each in stores:
        each.close()


@pytest.fixture(scope="session")
def wanted() -> Callable[..., Claim]:
    """A claim that is not stored yet."""

    def make(build_id: str = "7", run_number: int = 1, actor: str = "UADA", **other: object) -> Claim:
        fields: dict[str, object] = {
            "service": "codeship",
            "project_id": "3",
            "build_id": build_id,
            "run_number": run_number,
            "actor": Actor(actor),
            "location": Location("C1", "1700000000.000100"),
            "replaced": Run("error", NOON - timedelta(minutes=9), NOON - timedelta(minutes=5)),
            "requested_at": NOON,
        }
        return Claim(**(fields | other))  # type: ignore[arg-type]

    return make

"""A store in a file and one in memory, a clock that is held, and claims to store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.claims import Claim
from bot.core.model import Actor, Place, Run
from bot.store import Store, open_store

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, UTC)


@dataclass
class HeldClock:
    """Stands still until it is moved."""

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


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/bot.sqlite3"


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, url: str, clock: HeldClock) -> Iterator[Store]:
    """For what must hold in either."""
    opened = open_store(url if request.param == "file" else "sqlite:///:memory:", clock)
    yield opened
    opened.close()


@pytest.fixture
def opened(url: str, clock: HeldClock) -> Iterator[Callable[[], Store]]:
    """Opens the file at `url`, again for each call."""
    stores: list[Store] = []

    def open_again() -> Store:
        stores.append(open_store(url, clock))
        return stores[-1]

    yield open_again
    for each in stores:
        each.close()


@pytest.fixture(scope="session")
def wanted() -> Callable[..., Claim]:
    """A claim that nobody has stored yet."""

    def make(build_id: str = "7", run_number: int = 1, actor: str = "UADA", **other: object) -> Claim:
        fields: dict[str, object] = {
            "service": "codeship",
            "project_id": "3",
            "build_id": build_id,
            "run_number": run_number,
            "actor": Actor(actor),
            "place": Place("C1", "1700000000.000100"),
            "replaced": Run("error", NOON - timedelta(minutes=9), NOON - timedelta(minutes=5)),
            "asked_at": NOON,
        }
        return Claim(**(fields | other))  # type: ignore[arg-type]

    return make

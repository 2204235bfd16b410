"""The rate limit while its database is away or slow: people still get replies, from this process's share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
import structlog

from bot.core.model.rate_limit import Priority, Rejected
from bot.store import Store
from bot.store.engine import Database
from bot.store.rate_limit.rows import COUNTED_S, USABLE_S
from bot.store.rate_limit.shared import SETTLED_EVERY_S, SharedRateLimit
from bot.store.tables import metadata
from tests.store.conftest import HeldClock
from tests.store.rate_limit.test_shared import BACKGROUND, PEOPLE, counted, made, renewed

TABLES = [table for name, table in metadata.tables.items() if name.startswith("rate_limit")]


class Fragile:
    """Processes on one database that can be taken away from them."""

    def __init__(self, opened: Callable[[], Store], url: str) -> None:
        self._opened = opened
        self._database = Database.at(url)
        self.said: list[tuple[Priority, str]] = []
        self.rate_limits: list[SharedRateLimit] = []

    def replica(self, calls_per_minute: int = 60) -> SharedRateLimit:
        rate_limit = self._opened().rate_limit("codeship", calls_per_minute, lambda *said: self.said.append(said))
        self.rate_limits.append(rate_limit)
        renewed(rate_limit)
        return rate_limit

    def breaks(self) -> None:
        with self._database.writing() as connection:
            metadata.drop_all(connection, TABLES)

    def is_back(self) -> None:
        with self._database.writing() as connection:
            metadata.create_all(connection, TABLES)

    def close(self) -> None:
        for rate_limit in self.rate_limits:
            rate_limit.close()
        self._database.close()


@pytest.fixture
def fragile(opened: Callable[[], Store], url: str) -> Iterator[Fragile]:
    made = Fragile(opened, url)
    yield made
    made.close()


@pytest.fixture
def logged() -> Iterator[list[structlog.typing.EventDict]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


def test_one_process_stays_within_its_rate_limit_without_the_database(fragile: Fragile, clock: HeldClock) -> None:
    rate_limit = fragile.replica(60)
    assert made(rate_limit, at_most=20) == 20
    counted(rate_limit)
    fragile.breaks()
    assert made(rate_limit) == 40
    refused = rate_limit.reserve(1, PEOPLE)
    assert isinstance(refused, Rejected)
    clock.wait(refused.retry_after_s)
    assert made(rate_limit) == 60


def test_several_processes_use_an_equal_share_each(fragile: Fragile, clock: HeldClock) -> None:
    replicas = [fragile.replica(60) for _ in range(3)]
    for rate_limit in replicas:
        clock.wait(SETTLED_EVERY_S)
        renewed(rate_limit)
    fragile.breaks()
    clock.wait(USABLE_S)
    for _ in range(3):
        assert [made(rate_limit) for rate_limit in replicas] == [20, 20, 20]
        clock.wait(COUNTED_S)


def test_background_work_leaves_peoples_share_without_the_database(fragile: Fragile, clock: HeldClock) -> None:
    rate_limit = fragile.replica(60)
    fragile.breaks()
    clock.wait(USABLE_S)
    assert (made(rate_limit, BACKGROUND), made(rate_limit)) == (45, 15)


def test_calls_made_without_the_database_are_reported_once_it_is_back(fragile: Fragile, clock: HeldClock) -> None:
    one, other = fragile.replica(60), fragile.replica(60)
    clock.wait(SETTLED_EVERY_S)
    renewed(one)
    renewed(other)
    fragile.breaks()
    alone = made(one)
    assert alone == 30
    fragile.is_back()
    renewed(one)
    assert made(other) == 60 - alone - 5
    assert fragile.said[-1] == (PEOPLE, "refused")


def test_an_outage_and_its_end_are_logged_once_each(fragile: Fragile, logged: list[structlog.typing.EventDict]) -> None:
    rate_limit = fragile.replica(60)
    fragile.breaks()
    made(rate_limit)
    renewed(rate_limit)
    [entry] = logged
    assert entry["event"] == "rate_limit_counted_locally"
    assert (entry["log_level"], entry["calls_per_minute"]) == ("warning", 60)
    assert entry["why"].startswith("The database at ")
    fragile.is_back()
    renewed(rate_limit)
    assert [entry["event"] for entry in logged] == ["rate_limit_counted_locally", "rate_limit_shared_again"]


def test_a_call_that_the_service_does_not_count_is_refunded_without_the_database(
    fragile: Fragile, clock: HeldClock
) -> None:
    rate_limit = fragile.replica(10)
    fragile.breaks()
    clock.wait(USABLE_S)
    assert made(rate_limit) == 10
    rate_limit.refund()
    assert made(rate_limit) == 1
    fragile.is_back()
    renewed(rate_limit)
    assert made(rate_limit) == 0


def test_a_pause_holds_if_it_cannot_be_shared(fragile: Fragile) -> None:
    rate_limit = fragile.replica(60)
    fragile.breaks()
    rate_limit.pause(20)
    counted(rate_limit)
    assert rate_limit.reserve(1, PEOPLE) == Rejected(20, paused=True)


def test_no_request_waits_long_for_a_hanging_database(fragile: Fragile) -> None:
    """One request waits a second. Those that the local reserve covers, and all later ones, do not wait."""
    rate_limit = fragile.replica(60)
    with fragile._database.writing() as connection:
        connection.execute(sa.text("UPDATE rate_limits SET pauses = pauses"))
        assert made(rate_limit, at_most=20) == 20
        from_reserve, alone = [(PEOPLE, "local")] * 5, [(PEOPLE, "fallback")] * 15
        assert fragile.said == from_reserve + alone
    renewed(rate_limit)
    assert (made(rate_limit), fragile.said[-1]) == (40, (PEOPLE, "refused"))

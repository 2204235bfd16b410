"""Which replicas count as dead, and which may decide that."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.jobs.heartbeat import Heartbeat, new_replica_id
from bot.store import Store, open_store
from tests.held_clock import HeldClock
from tests.jobs.conftest import Told

DEAD_AFTER_S = 20.0


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def store(tmp_path: Path, clock: HeldClock) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path}/bot.sqlite3", clock)
    yield store
    store.close()


def present(store: Store, clock: HeldClock, name: str) -> Heartbeat:
    """Its thread does nothing within a test: heartbeats are written by hand."""
    return Heartbeat(store.replicas, name, clock, every_s=3600.0, dead_after_s=DEAD_AFTER_S, on_error=Told())


def pass_time(clock: HeldClock, seconds: float, *living: Heartbeat) -> None:
    for _ in range(int(seconds)):
        clock.advance(1)
        for each in living:
            each.beat()


def test_ids_are_unique_even_in_one_process() -> None:
    assert len({new_replica_id() for _ in range(100)}) == 100


def test_a_replica_without_heartbeats_is_dead_and_one_with_them_is_not(store: Store, clock: HeldClock) -> None:
    first, second = present(store, clock, "first"), present(store, clock, "second")
    first.start()
    second.start()
    assert second.alive() == ["first", "second"]
    assert (first.is_eldest(), second.is_eldest()) == (True, False)
    pass_time(clock, DEAD_AFTER_S + 1, second)
    assert second.alive() == ["second"]
    assert second.is_eldest()
    for each in (first, second):
        each.stop(5, leaves_nothing=True)


def test_after_a_pause_of_all_replicas_the_first_waits_for_the_others(store: Store, clock: HeldClock) -> None:
    """A database that was away, or a machine that slept: every last heartbeat is old."""
    first, second = present(store, clock, "first"), present(store, clock, "second")
    first.start()
    second.start()
    clock.advance(300)
    assert first.alive() is None
    assert not first.is_eldest()
    pass_time(clock, DEAD_AFTER_S - 1, first)
    assert first.alive() is None
    second.beat()
    pass_time(clock, 1, first, second)
    assert first.alive() == ["first", "second"]
    for each in (first, second):
        each.stop(5, leaves_nothing=True)


@pytest.mark.parametrize(("leaves_nothing", "alive"), [(True, []), (False, ["first"])])
def test_a_replica_that_leaves_no_work_is_dead_at_once(
    store: Store, clock: HeldClock, leaves_nothing: bool, alive: list[str]
) -> None:
    presence = present(store, clock, "first")
    presence.start()
    presence.stop(5, leaves_nothing=leaves_nothing)
    assert store.replicas.alive(DEAD_AFTER_S) == alive


def test_a_database_outage_is_reported_once_and_heartbeats_continue(clock: HeldClock) -> None:
    class Away:
        """Fails twice, then succeeds, then fails again."""

        def __init__(self) -> None:
            self.calls = 0
            self.enough = threading.Event()

        def beat(self, replica_id: str) -> float | None:
            self.calls += 1
            if self.calls >= 6:
                self.enough.set()
            if self.calls in (2, 3, 5):
                raise OSError("away")
            return None

        def alive(self, max_age_s: float) -> list[str]:
            return []

        def leave(self, replica_id: str) -> None: ...

        def forget(self, older_than_s: float) -> None: ...

    away, told = Away(), Told()
    presence = Heartbeat(away, "first", clock, every_s=0.001, dead_after_s=DEAD_AFTER_S, on_error=told)
    presence.start()
    assert away.enough.wait(20)
    presence.stop(5, leaves_nothing=True)
    assert [(name, str(error)) for name, error in told] == [("heartbeat", "away")] * 2
    assert presence.alive() == ["first"]


def test_dead_replicas_are_found_within_half_a_minute_after_the_clock_was_set_back(
    store: Store, clock: HeldClock
) -> None:
    living, dead = present(store, clock, "living"), present(store, clock, "dead")
    living.beat()
    dead.beat()
    clock._now -= timedelta(seconds=240)
    assert living.alive() is None, "it gives the others time to give a sign by the clock as it is now"
    pass_time(clock, 30, living)
    assert living.alive() == ["living"]

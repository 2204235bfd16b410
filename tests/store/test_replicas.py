"""Heartbeats: which replicas are alive, and which are gone."""

from __future__ import annotations

import time

from bot.store import Store, open_store
from tests.store.conftest import HeldClock


def test_a_heartbeat_returns_how_long_ago_the_last_one_was(url: str, clock: HeldClock) -> None:
    store = open_store(url, clock)
    assert store.replicas.beat("a") is None
    clock.wait(7.5)
    silent_s = store.replicas.beat("a")
    assert silent_s is not None
    if url.startswith("sqlite"):
        assert silent_s == 7.5
    else:  # machines share it, so it goes by its own clock alone
        assert 0 <= silent_s < 5
    store.close()


def test_replicas_with_a_recent_heartbeat_are_alive_by_start_time(store: Store) -> None:
    for replica in ("b", "a", "c", "b"):
        store.replicas.beat(replica)
        _later(store)
    assert store.replicas.alive(60) == ["b", "a", "c"]
    store.replicas.leave("b")
    store.replicas.leave("unknown")
    assert store.replicas.alive(60) == ["a", "c"]
    store.replicas.beat("b")
    assert store.replicas.alive(60) == ["a", "c", "b"]


def test_a_replica_without_heartbeats_is_dead_and_deleted_after_long(store: Store) -> None:
    store.replicas.beat("a")
    _later(store)
    assert store.replicas.alive(0.0) == []
    assert store.replicas.beat("a") is not None
    store.replicas.forget(60)
    assert store.replicas.alive(60) == ["a"]
    _later(store)
    store.replicas.forget(0.0)
    assert store.replicas.alive(60) == []
    assert store.replicas.beat("a") is None


def _later(store: Store) -> None:
    """A moment passes, by whichever clock counts."""
    clock = store._clock
    if isinstance(clock, HeldClock):
        clock.wait(0.01)
    until = time.monotonic() + 0.002
    while time.monotonic() < until:
        pass

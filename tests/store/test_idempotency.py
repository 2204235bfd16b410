"""What the core's `IdempotencyKeys` guarantees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from bot.store import Store
from bot.store.engine import Database


def rows(url: str) -> list[Any]:
    database = Database.at(url)
    with database.reading() as connection:
        found = list(connection.execute(sa.text("SELECT key_hash FROM idempotency_keys")))
    database.close()
    return [row.key_hash for row in found]


@pytest.mark.parametrize(("passed_s", "first"), [(0, False), (59.999999, False), (60, True), (86_400, True)], ids=str)
def test_a_key_counts_until_it_expires(store: Store, clock: Any, passed_s: float, first: bool) -> None:
    assert store.idempotency_keys.add("Ev1", keep_s=60)
    clock.wait(passed_s)
    assert store.idempotency_keys.add("Ev1", keep_s=60) is first
    assert not store.idempotency_keys.add("Ev1", keep_s=60)


def test_a_later_call_does_not_extend_the_time(store: Store, clock: Any) -> None:
    store.idempotency_keys.add("Ev1", keep_s=60)
    clock.wait(30)
    store.idempotency_keys.add("Ev1", keep_s=60)
    clock.wait(30)
    assert store.idempotency_keys.add("Ev1", keep_s=60)


@pytest.mark.parametrize("other", ["ev1", "Ev1 ", "", "Ev1\x00", "\ud800", "Ev1" * 10_000], ids=ascii)
def test_keys_are_distinguished(store: Store, other: str) -> None:
    assert store.idempotency_keys.add("Ev1", keep_s=60)
    assert store.idempotency_keys.add(other, keep_s=60)
    assert not store.idempotency_keys.add(other, keep_s=60)


def test_a_key_survives_a_restart_of_the_process(opened: Callable[[], Store]) -> None:
    before = opened()
    before.idempotency_keys.add("Ev1", keep_s=60)
    before.close()
    assert not opened().idempotency_keys.add("Ev1", keep_s=60)


def test_expired_keys_are_deleted(opened: Callable[[], Store], url: str, clock: Any) -> None:
    once = opened().idempotency_keys
    once.add("kept", keep_s=3600)
    for number in range(5):
        once.add(f"gone {number}", keep_s=60)
    clock.wait(599)
    once.add("too early to tidy up", keep_s=60)
    assert len(rows(url)) == 7
    clock.wait(1)
    once.add("time to tidy up", keep_s=60)
    assert len(rows(url)) == 3
    assert not once.add("kept", keep_s=3600)


def test_the_key_is_stored_only_as_a_hash(opened: Callable[[], Store], url: str) -> None:
    opened().idempotency_keys.add("xoxb-secret", keep_s=60)
    (row,) = rows(url)
    assert len(row) == 64
    assert "secret" not in row

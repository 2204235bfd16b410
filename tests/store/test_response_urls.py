"""Response URLs are secrets: they are stored for as long as they work, and under a key that gives nothing away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from bot.store import Store
from bot.store.engine import Database

URL = "https://hooks.slack.com/commands/T0ACME/1/kSq2Vb9Xq"


def stored(url: str) -> int:
    database = Database.at(url)
    with database.reading() as connection:
        count = connection.scalar(sa.text("SELECT count(*) FROM response_urls"))
    database.close()
    return int(count)


@pytest.mark.parametrize(("passed_s", "is_there"), [(0, True), (1799, True), (1800, False)])
def test_a_url_can_be_read_for_thirty_minutes(store: Store, clock: Any, passed_s: float, is_there: bool) -> None:
    key = store.response_urls.put(URL)
    clock.wait(passed_s)
    assert store.response_urls.get(key) == (URL if is_there else None)
    assert "kSq2Vb9Xq" not in key


def test_storing_it_again_does_not_extend_its_time(store: Store, clock: Any) -> None:
    key = store.response_urls.put(URL)
    clock.wait(1000)
    assert store.response_urls.put(URL) == key
    clock.wait(800)
    assert store.response_urls.get(key) is None


def test_an_unknown_key_has_no_url(store: Store) -> None:
    assert store.response_urls.get("unknown") is None


def test_expired_urls_are_deleted_even_an_earlier_processs(opened: Callable[[], Store], url: str, clock: Any) -> None:
    before = opened()
    before.response_urls.put(URL)
    before.close()
    after = opened()
    clock.wait(1799)
    after.response_urls.purge()
    assert stored(url) == 1
    clock.wait(1)
    after.response_urls.purge()
    assert stored(url) == 0

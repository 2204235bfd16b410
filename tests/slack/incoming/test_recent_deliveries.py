"""This process recognises recent deliveries, within limits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from bot.slack.incoming.recent_deliveries import RecentDeliveries
from tests.held_clock import HeldClock


def test_a_key_is_new_once_and_again_when_its_time_is_over() -> None:
    clock = HeldClock()
    lately = RecentDeliveries(clock)
    assert [lately.add("a", keep_s=60) for _ in range(2)] == [True, False]
    clock.advance(59)
    assert not lately.add("a", keep_s=60)
    clock.advance(1)
    assert lately.add("a", keep_s=60)


def test_the_oldest_are_forgotten_first() -> None:
    lately = RecentDeliveries(HeldClock(), max_size=2)
    assert all(lately.add(key, keep_s=60) for key in "abc")
    assert not lately.add("c", keep_s=60)
    assert lately.add("a", keep_s=60)


def test_of_concurrent_identical_deliveries_one_is_the_first() -> None:
    lately = RecentDeliveries(HeldClock())
    with ThreadPoolExecutor(16) as threads:
        firsts = list(threads.map(lambda _: lately.add("a", keep_s=60), range(200)))
    assert firsts.count(True) == 1

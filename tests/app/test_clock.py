"""Replicas agree on the time, whatever their machines' clocks say."""

from __future__ import annotations

from datetime import timedelta

from bot.app.clock import SharedClock
from tests.held_clock import NOON, HeldClock


def test_without_a_database_that_has_a_clock_the_machines_counts() -> None:
    machine = HeldClock()
    clock = SharedClock(machine)
    machine.advance(60)
    assert (clock.now(), clock.ahead_s) == (NOON + timedelta(seconds=60), 0.0)


def test_once_it_is_known_the_time_of_the_database_goes_on_by_the_monotonic_clock() -> None:
    machine = HeldClock()
    clock = SharedClock(machine)
    clock.learn(NOON + timedelta(hours=1))
    machine.advance(5)
    machine._now -= timedelta(minutes=4)
    assert clock.now() == NOON + timedelta(hours=1, seconds=5)
    assert clock.ahead_s == 3600 + 240

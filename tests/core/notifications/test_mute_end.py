"""When a mute ends: the next such time, over midnight, weeks and the change of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.core.model.notification_commands.values import Until
from bot.core.notifications.mute_end import next_time, zone_named

MONDAY = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("until", "zone", "expected"),
    [
        (Until(17, 30), "UTC", "2026-03-02 17:30"),
        (Until(12, 0), "UTC", "2026-03-03 12:00"),
        (Until(9, 0), "UTC", "2026-03-03 09:00"),
        (Until(13, 0), "Europe/Berlin", "2026-03-03 12:00"),
        (Until(13, 1), "Europe/Berlin", "2026-03-02 12:01"),
        (Until(9, 0, "tomorrow"), "UTC", "2026-03-03 09:00"),
        (Until(1, 0, "tomorrow"), "Pacific/Auckland", "2026-03-03 12:00"),
        (Until(17, 0, "mon"), "UTC", "2026-03-02 17:00"),
        (Until(9, 0, "mon"), "UTC", "2026-03-09 09:00"),
        (Until(9, 0, "sun"), "UTC", "2026-03-08 09:00"),
        (Until(9, 0, "tue"), "America/New_York", "2026-03-03 14:00"),
    ],
)
def test_it_is_the_next_time_after_now(until, zone, expected):
    assert f"{next_time(until, MONDAY, ZoneInfo(zone)):%Y-%m-%d %H:%M}" == expected


def test_it_is_the_wall_clock_that_counts_over_the_change_of_the_clocks():
    friday = datetime(2026, 3, 27, 12, 0, tzinfo=UTC)
    end = next_time(Until(9, 0, "mon"), friday, ZoneInfo("Europe/Berlin"))
    assert f"{end:%Y-%m-%d %H:%M}" == "2026-03-30 07:00"  # two hours from UTC since Sunday


@pytest.mark.parametrize("name", ["Europe/Belin", "", "../etc/passwd", "/etc/localtime", "Europe"])
def test_what_is_no_zone_is_none(name):
    assert zone_named(name) is None
    assert zone_named("Europe/Berlin") == ZoneInfo("Europe/Berlin")

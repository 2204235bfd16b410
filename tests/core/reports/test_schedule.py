"""When a digest is due: by the wall clock, over weeks and changes of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.model.notification_commands.values import WEEKDAYS
from bot.core.model.notifications.reports import Every, Schedule
from bot.core.reports.schedule import last_until, next_after, previous

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
MONDAYS, DAYS = Schedule(Every.WEEKLY, 9, 0, "mon"), Schedule(Every.DAILY, 9, 0)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def said(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("schedule", "zone", "now", "expected"),
    [
        (MONDAYS, BERLIN, "2026-03-02 12:00", "2026-03-09 08:00"),
        (MONDAYS, BERLIN, "2026-03-02 07:59", "2026-03-02 08:00"),
        (MONDAYS, BERLIN, "2026-03-02 08:00", "2026-03-09 08:00"),
        (MONDAYS, BERLIN, "2026-03-27 12:00", "2026-03-30 07:00"),  # summer time since Sunday
        (MONDAYS, BERLIN, "2026-10-24 12:00", "2026-10-26 08:00"),
        (MONDAYS, NEW_YORK, "2026-03-08 03:00", "2026-03-09 13:00"),
        (MONDAYS, ZoneInfo("Pacific/Auckland"), "2026-03-01 19:59", "2026-03-01 20:00"),  # Monday there
        (DAYS, BERLIN, "2026-03-28 12:00", "2026-03-29 07:00"),
        (DAYS, BERLIN, "2026-03-02 08:00", "2026-03-03 08:00"),
        # The clocks go from 2:00 to 3:00: what is skipped comes an hour later on the wall, at the usual distance.
        (Schedule(Every.DAILY, 2, 30), BERLIN, "2026-03-28 12:00", "2026-03-29 01:30"),
        (Schedule(Every.DAILY, 2, 30), BERLIN, "2026-03-29 01:30", "2026-03-30 00:30"),
        # They go from 3:00 back to 2:00: of two times the first counts.
        (Schedule(Every.DAILY, 2, 30), BERLIN, "2026-10-24 12:00", "2026-10-25 00:30"),
        (Schedule(Every.DAILY, 2, 30), BERLIN, "2026-10-25 00:30", "2026-10-26 01:30"),
    ],
)
def test_the_next_time_is_by_the_wall_clock(schedule: Schedule, zone: ZoneInfo, now: str, expected: str) -> None:
    assert said(next_after(schedule, zone, utc(now))) == expected


def test_a_week_with_a_change_of_the_clocks_is_an_hour_shorter_or_longer() -> None:
    spring, autumn = utc("2026-03-30 07:00"), utc("2026-10-26 08:00")
    assert spring - previous(MONDAYS, BERLIN, spring) == timedelta(days=7, hours=-1)
    assert autumn - previous(MONDAYS, BERLIN, autumn) == timedelta(days=7, hours=1)


SCHEDULES = st.builds(
    lambda day, hour, minute: Schedule(Every.WEEKLY if day else Every.DAILY, hour, minute, day),
    st.none() | st.sampled_from(WEEKDAYS),
    st.integers(0, 23),
    st.integers(0, 59),
)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
MOMENTS = st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: utc("2026-01-01") + timedelta(minutes=minutes))


@settings(max_examples=100, deadline=None)
@given(schedule=SCHEDULES, zone=ZONES.map(ZoneInfo), now=MOMENTS)
def test_times_follow_each_other_without_gap_and_show_the_same_on_the_wall(
    schedule: Schedule, zone: ZoneInfo, now: datetime
) -> None:
    last, following = last_until(schedule, zone, now), next_after(schedule, zone, now)
    assert last <= now < following
    assert next_after(schedule, zone, last) == following
    assert previous(schedule, zone, following) == last
    days = 7 if schedule.day else 1
    assert abs(following - last - timedelta(days=days)) <= timedelta(hours=1)
    local = following.astimezone(zone)
    off_by = (local.hour * 60 + local.minute) - (schedule.hour * 60 + schedule.minute)
    assert off_by in (0, 30, 60)  # later only if the clocks skip it
    assert schedule.day in (None, WEEKDAYS[local.weekday()])

"""When a digest is due: the same time on the wall clock of its zone, over every change of the clocks. Pure.

A time that the clocks skip counts as if they had not been changed: 2:30 is then at 3:30. Of a time that comes twice the
first counts.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.core.model.notification_commands.values import WEEKDAYS
from bot.core.model.notifications.reports import Every, Schedule

STEP = {Every.DAILY: timedelta(days=1), Every.WEEKLY: timedelta(days=7)}


def next_after(schedule: Schedule, zone: ZoneInfo, moment: datetime) -> datetime:
    """The first scheduled time after `moment`, in UTC."""
    day = moment.astimezone(zone).date() - timedelta(days=1)  # on a day of a change, a time of it may be past or not
    while True:
        at = _on(schedule, zone, day)
        if _fits(schedule, day) and at > moment:
            return at
        day += timedelta(days=1)


def last_until(schedule: Schedule, zone: ZoneInfo, moment: datetime) -> datetime:
    """The last scheduled time that is not after `moment`, in UTC."""
    day = moment.astimezone(zone).date() + timedelta(days=1)
    while True:
        at = _on(schedule, zone, day)
        if _fits(schedule, day) and at <= moment:
            return at
        day -= timedelta(days=1)


def previous(schedule: Schedule, zone: ZoneInfo, at: datetime) -> datetime:
    """The last scheduled time before `at`, in UTC."""
    return last_until(schedule, zone, at - timedelta(microseconds=1))


def _on(schedule: Schedule, zone: ZoneInfo, day: date) -> datetime:
    return datetime.combine(day, time(schedule.hour, schedule.minute), zone).astimezone(UTC)


def _fits(schedule: Schedule, day: date) -> bool:
    return schedule.day is None or WEEKDAYS[day.weekday()] == schedule.day

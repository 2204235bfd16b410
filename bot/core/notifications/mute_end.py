"""When a mute ends: the next such time in a time zone; and the zones that words name. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from bot.core.model.errors import NotUnderstood
from bot.core.model.notification_commands.values import TOMORROW, WEEKDAYS, MuteCommand, SetReport, Until


def zone_named(name: str) -> ZoneInfo | None:
    """None if there is no such time zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def zone_of(command: MuteCommand | SetReport, name: str | None, default: ZoneInfo) -> ZoneInfo:
    """The zone of that name, the command's last word; the default one for None. Raises NotUnderstood."""
    if name is None:
        return default
    zone = zone_named(name)
    if zone is None:
        nearest = get_close_matches(name, available_timezones(), n=1, cutoff=0.6)
        *before, _zone = command.words
        instead = " ".join([command.verb, *before, *nearest])
        raise NotUnderstood(f"No time zone called “{name}”.", command.verb, instead=instead)
    return zone


def next_time(until: Until, now: datetime, zone: ZoneInfo) -> datetime:
    """The next moment after `now` that fits, in UTC."""
    today = now.astimezone(zone).date()
    if until.day == TOMORROW:
        days = range(1, 2)
    elif until.day is None:
        days = range(2)
    else:
        first = (WEEKDAYS.index(until.day) - today.weekday()) % 7
        days = range(first, first + 8, 7)
    at = time(until.hour, until.minute)
    moments = [datetime.combine(today + timedelta(days=day), at, zone).astimezone(UTC) for day in days]
    return next((moment for moment in moments if moment > now), moments[-1])

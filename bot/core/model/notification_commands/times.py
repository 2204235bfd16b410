"""Times of the day, weekdays and time zones in typed words. Pure."""

from __future__ import annotations

import re

from bot.core.model.notification_commands.values import WEEKDAYS

_TIME = re.compile(r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?(?P<half>am|pm)?", re.IGNORECASE)
_ZONE = re.compile(r"UTC|GMT|[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_+\-0-9]*)+")
LONG_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def clock_time(text: str) -> tuple[int, int] | None:
    """Hour and minute of `9`, `9:00`, `17.30` or `5pm`; None for anything else."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    hour, minute, half = int(found["hour"]), int(found["minute"] or 0), (found["half"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    return (hour, minute) if hour < 24 and minute < 60 else None


def weekday(text: str) -> str | None:
    """The one of `WEEKDAYS` that `mon` or `Monday` means; None for anything else."""
    word = text.lower()
    return word[:3] if word in WEEKDAYS or word in LONG_WEEKDAYS else None


def zone_name(text: str) -> str | None:
    """What has the form of a time zone's name, with or without brackets; None for anything else."""
    bare = text.strip("[]()")
    return bare if _ZONE.fullmatch(bare) else None

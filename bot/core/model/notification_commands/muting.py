"""How the words of `mute` and `unmute` are read. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.core.model.command_values import Verb, Word
from bot.core.model.errors import NotUnderstood
from bot.core.model.notification_commands.spelling import pattern_in, texts_of
from bot.core.model.notification_commands.values import ALL, TOMORROW, WEEKDAYS, MuteCommand, UnmuteCommand, Until

MAX_MUTE_MINUTES = 90 * 24 * 60

_DURATION = re.compile(r"(?:(?P<d>\d{1,3})d)?(?:(?P<h>\d{1,4})h)?(?:(?P<m>\d{1,5})m(?:in)?)?", re.IGNORECASE)
_TIME = re.compile(r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?(?P<half>am|pm)?", re.IGNORECASE)
_ZONE = re.compile(r"UTC|GMT|[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_+\-0-9]*)+")
_LONG_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def mute_command(verb: Verb, words: Sequence[Word]) -> MuteCommand:
    """Raises NotUnderstood."""
    texts = [text for text in texts_of(words) if text.lower() != "for"]
    names: list[str] = []
    minutes: int | None = None
    until: Until | None = None
    while texts:
        text = texts.pop(0)
        duration = _minutes(text)
        if text.lower() == "until":
            until = _until(texts, names, verb)
        elif duration is not None:
            minutes = (minutes or 0) + duration
        else:
            names.append(text)
    about = " ".join(["", *names])
    if minutes is None and until is None:
        raise NotUnderstood("For how long?", verb, instead=f"{verb}{about} 2h")
    if minutes is not None and until is not None:
        raise NotUnderstood("A mute takes a duration or an end, not both.", verb, instead=f"{verb}{about} 2h")
    if minutes is not None and not 0 < minutes <= MAX_MUTE_MINUTES:
        raise NotUnderstood("A mute lasts between a minute and 90 days.", verb, instead=f"{verb}{about} 30d")
    return MuteCommand(pattern_in(names, verb) if names else None, minutes, until)


def unmute_command(verb: Verb, words: Sequence[Word]) -> UnmuteCommand:
    """Raises NotUnderstood."""
    names = [text for text in texts_of(words) if text.lower() != ALL]
    return UnmuteCommand(pattern_in(names, verb) if names else None)


def _until(texts: list[str], names: Sequence[str], verb: Verb) -> Until:
    """Takes its words from the beginning of `texts`. Raises NotUnderstood."""
    start = " ".join([verb, *names, "until"])
    day = None
    if texts and (named := _day(texts[0])):
        day = named
        del texts[0]
    found = _TIME.fullmatch(texts[0]) if texts else None
    time = _clock_time(found) if found else None
    if time is None:
        raise NotUnderstood("Until which time?", verb, instead=" ".join(filter(None, [start, day, "9:00"])))
    del texts[0]
    zone = None
    if texts and _ZONE.fullmatch(bare := texts[0].strip("[]()")):
        zone = bare
        del texts[0]
    return Until(*time, day, zone)


def _clock_time(found: re.Match[str]) -> tuple[int, int] | None:
    hour, minute, half = int(found["hour"]), int(found["minute"] or 0), (found["half"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    return (hour, minute) if hour < 24 and minute < 60 else None


def _day(text: str) -> str | None:
    word = text.lower()
    if word == TOMORROW:
        return TOMORROW
    return word[:3] if word in WEEKDAYS or word in _LONG_WEEKDAYS else None


def _minutes(text: str) -> int | None:
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    return int(found["d"] or 0) * 1440 + int(found["h"] or 0) * 60 + int(found["m"] or 0)

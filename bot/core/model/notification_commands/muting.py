"""How the words of `mute` and `unmute` are read. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.core.model.command_values import Verb, Word
from bot.core.model.errors import NotUnderstood
from bot.core.model.notification_commands.spelling import pattern_in, texts_of
from bot.core.model.notification_commands.times import clock_time, weekday, zone_name
from bot.core.model.notification_commands.values import ALL, ME, TOMORROW, MuteCommand, UnmuteCommand, Until

MAX_MUTE_MINUTES = 90 * 24 * 60

_DURATION = re.compile(r"(?:(?P<d>\d{1,3})d)?(?:(?P<h>\d{1,4})h)?(?:(?P<m>\d{1,5})m(?:in)?)?", re.IGNORECASE)


def mute_command(verb: Verb, words: Sequence[Word]) -> MuteCommand:
    """Raises NotUnderstood."""
    texts = [text for text in texts_of(words) if text.lower() != "for"]
    names: list[str] = []
    minutes: int | None = None
    until: Until | None = None
    is_personal = False
    while texts:
        text = texts.pop(0)
        duration = _minutes(text)
        if text.lower() == ME:
            is_personal = True
        elif text.lower() == "until":
            until = _until(texts, names, verb)
        elif duration is not None:
            minutes = (minutes or 0) + duration
        else:
            names.append(text)
    about = " ".join(["", *([ME] if is_personal else []), *names])
    if minutes is None and until is None:
        raise NotUnderstood("For how long?", verb, instead=f"{verb}{about} 2h")
    if minutes is not None and until is not None:
        raise NotUnderstood("A mute takes a duration or an end, not both.", verb, instead=f"{verb}{about} 2h")
    if minutes is not None and not 0 < minutes <= MAX_MUTE_MINUTES:
        raise NotUnderstood("A mute lasts between a minute and 90 days.", verb, instead=f"{verb}{about} 30d")
    return MuteCommand(pattern_in(names, verb) if names else None, minutes, until, is_personal)


def unmute_command(verb: Verb, words: Sequence[Word]) -> UnmuteCommand:
    """Raises NotUnderstood."""
    texts = texts_of(words)
    names = [text for text in texts if text.lower() not in (ALL, ME)]
    is_personal = any(text.lower() == ME for text in texts)
    return UnmuteCommand(pattern_in(names, verb) if names else None, is_personal)


def _until(texts: list[str], names: Sequence[str], verb: Verb) -> Until:
    """Takes its words from the beginning of `texts`. Raises NotUnderstood."""
    start = " ".join([verb, *names, "until"])
    day = None
    if texts and (named := _day(texts[0])):
        day = named
        del texts[0]
    time = clock_time(texts[0]) if texts else None
    if time is None:
        raise NotUnderstood("Until which time?", verb, instead=" ".join(filter(None, [start, day, "9:00"])))
    del texts[0]
    zone = zone_name(texts[0]) if texts else None
    if zone is not None:
        del texts[0]
    return Until(*time, day, zone)


def _day(text: str) -> str | None:
    return TOMORROW if text.lower() == TOMORROW else weekday(text)


def _minutes(text: str) -> int | None:
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    return int(found["d"] or 0) * 1440 + int(found["h"] or 0) * 60 + int(found["m"] or 0)

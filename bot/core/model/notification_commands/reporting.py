"""How the words of `digest` are read. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from bot.core.model.command_values import Verb, Word
from bot.core.model.errors import NotUnderstood
from bot.core.model.notification_commands.spelling import texts_of
from bot.core.model.notification_commands.times import LONG_WEEKDAYS, clock_time, weekday, zone_name
from bot.core.model.notification_commands.values import (
    NOW,
    OFF,
    WEEKDAYS,
    ReportCommand,
    SetReport,
    ShowReport,
    StopReport,
)
from bot.core.model.notifications.reports import Every, Schedule

USUAL_DAY, USUAL_TIME = WEEKDAYS[0], (9, 0)
"""Without others: Monday at 9:00."""
_FILLERS = frozenset({"on", "at", "every"})
_FIRST = {"week": Every.WEEKLY, "weekly": Every.WEEKLY, "day": Every.DAILY, "daily": Every.DAILY}
_KNOWN = (*Every, OFF, NOW, *LONG_WEEKDAYS)


def report_command(verb: Verb, words: Sequence[Word]) -> ReportCommand:
    """Raises NotUnderstood."""
    texts = [text for text in texts_of(words) if text.lower() not in _FILLERS]
    said = [text.lower() for text in texts]
    if not said:
        return ShowReport()
    if said == [NOW]:
        return ShowReport(now=True)
    if said in ([OFF], ["none"]):
        return StopReport()
    return _schedule(verb, texts)


def _schedule(verb: Verb, texts: Sequence[str]) -> SetReport:
    """The words after `digest`, each at most once, in any order."""
    every: Every | None = None
    day: str | None = None
    time: tuple[int, int] | None = None
    zone: str | None = None
    for text in texts:
        if every is None and text.lower() in _FIRST:
            every = _FIRST[text.lower()]
        elif day is None and (named := weekday(text)):
            day = named
        elif time is None and (at := clock_time(text)):
            time = at
        elif zone is None and (in_zone := zone_name(text)):
            zone = in_zone
        else:
            raise _unknown(verb, texts, text)
    if every is None:
        every = Every.WEEKLY if day is not None else Every.DAILY
    if every is Every.DAILY and day is not None:
        instead = SetReport(Schedule(Every.WEEKLY, *(time or USUAL_TIME), day), zone)
        raise NotUnderstood("A daily digest has no weekday.", verb, instead=" ".join([verb, *instead.words]))
    on = (day or USUAL_DAY) if every is Every.WEEKLY else None
    return SetReport(Schedule(every, *(time or USUAL_TIME), on), zone)


def _unknown(verb: Verb, texts: Sequence[str], text: str) -> NotUnderstood:
    is_known = weekday(text) is not None or text.lower() in (*_FIRST, OFF, NOW)
    nearest = [] if is_known else get_close_matches(text.lower(), _KNOWN, n=1, cutoff=0.6)
    corrected = " ".join([verb, *(nearest[0] if each == text else each for each in texts)]) if nearest else None
    why = f"“{text}” is no part of a digest’s time, such as weekly mon 9:00 Europe/Berlin."
    return NotUnderstood(why, verb, instead=corrected)

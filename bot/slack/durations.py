"""Lengths of time as people read them. Pure; a length is never negative, since clocks disagree."""

from __future__ import annotations

import math

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_LONGEST_S = 3650 * _DAY


def length(seconds: float) -> str:
    """Two units at most: `58 s`, `4 min 07 s`, `1 h 02 min`, `2 d 3 h`. Below zero counts as zero."""
    whole = _whole(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def ago(seconds: float) -> str:
    """One unit, since it is read later than it is written: `8 s ago`, `4 min ago`; under a second `just now`."""
    whole = _whole(seconds)
    if whole < 1:
        return "just now"
    return f"{_rough(whole)} ago"


def old(seconds: float) -> str:
    """`12 min old`; under a second `new`."""
    whole = _whole(seconds)
    return f"{_rough(whole)} old" if whole else "new"


def wait(seconds: float | None) -> str | None:
    """What to wait, rounded up; None where that is not known or not a time that anyone can wait for."""
    if seconds is None or not math.isfinite(seconds) or seconds > _LONGEST_S:
        return None
    return length(max(1, math.ceil(seconds)))


def _rough(whole: int) -> str:
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if whole >= unit:
            return f"{whole // unit} {name}"
    return f"{whole} s"


def _whole(seconds: float) -> int:
    """Bounded, so that neither an infinite nor an absurd number is printed at length."""
    if math.isnan(seconds):
        return 0
    return int(min(max(seconds, 0), _LONGEST_S))

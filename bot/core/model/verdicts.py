"""What the end of a restarted build means. Pure.

failed → passed, same commit     flaky
passed → failed, same commit     flaky, too
failed → failed                  real, with how often in a row
anything else                    no verdict, and the reply says so: a cancelled build or a broken machine proves nothing
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from bot.core.model.builds import Status


class Meaning(Enum):
    FLAKY = "flaky"
    REAL = "real"
    STEADY = "steady"
    NONE = "no verdict"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`runs` counts the known runs of the commit, including this one. `in_a_row`: how many at the end had the same
    result.
    """

    meaning: Meaning
    before: Status | None
    after: Status
    runs: int
    in_a_row: int


_TELLING = (Status.PASSED, Status.FAILED)


def verdict_on(earlier: Sequence[Status], after: Status) -> Verdict:
    """The verdict. `earlier` are the known runs of the same commit before this one, the oldest first."""
    before = earlier[-1] if earlier else None
    runs = [*earlier, after]
    in_a_row = 0
    for status in reversed(runs):
        if status is not after:
            break
        in_a_row += 1
    return Verdict(_meaning(before, after), before, after, len(runs), in_a_row)


def _meaning(before: Status | None, after: Status) -> Meaning:
    if before not in _TELLING or after not in _TELLING:
        return Meaning.NONE
    if before is not after:
        return Meaning.FLAKY
    return Meaning.REAL if after is Status.FAILED else Meaning.STEADY

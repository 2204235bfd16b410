"""Daily and weekly digests of a channel: when they are due, and their figures. Values.

In code they are reports, since `Digest` is one message about many changes that happen at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.model.builds import Actor, Project
from bot.core.model.ended_builds import FlakyBranch, SlowBranch


class Every(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A time of the day, in a zone that is named elsewhere. `day` is one of `WEEKDAYS`; None for each day."""

    every: Every
    hour: int
    minute: int
    day: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for word in (self.every.value, self.day, f"{self.hour}:{self.minute:02}") if word)


@dataclass(frozen=True, slots=True)
class ReportPlan:
    """The digests of one channel. `zone` is the name of a time zone.

    `next_at` is the next scheduled time, `due_at` when to try it: later than `next_at` after a failure. `claimed_at` is
    when a process began to post it; None if none is at it. `tries` counts the attempts for `next_at`. `doubtful`: an
    attempt may have reached Slack. `refused` is Slack's error while the channel takes no messages, else empty.
    `version` grows with each change of the row.
    """

    channel: str
    schedule: Schedule
    zone: str
    maker: Actor
    next_at: datetime
    due_at: datetime
    claimed_at: datetime | None = None
    tries: int = 0
    doubtful: bool = False
    refused: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True)
class Rate:
    """How many builds passed, of those that passed or failed."""

    passed: int = 0
    builds: int = 0


@dataclass(frozen=True, slots=True)
class DayRate:
    """The same of one day, such as `Mon 23`."""

    day: str
    rate: Rate


@dataclass(frozen=True, slots=True)
class RedBranch:
    """A branch that was broken for `red_s` seconds of the period. It broke `times` times within it; `is_red`: it still
    is."""

    project: Project
    branch: str
    red_s: float
    times: int
    is_red: bool


@dataclass(frozen=True, slots=True)
class RestartCount:
    """How many restarts the bot sent, and of which branch most; None if none. `before`: in the period before."""

    count: int = 0
    before: int = 0
    most: Project | None = None
    most_branch: str = ""
    most_count: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a channel's branches from `start` until `end`. Times are to be shown in `zone`.

    `before` is about as long a period before; without builds if none are on record. The lists are cut, their totals
    are not. `still_red`: how many branches are broken at `end`. `subscriptions`: how many the channel has.
    """

    channel: str
    every: Every
    zone: str
    start: datetime
    end: datetime
    subscriptions: int
    rate: Rate
    before: Rate
    days: tuple[DayRate, ...]
    red: tuple[RedBranch, ...]
    red_total: int
    still_red: int
    flaky: tuple[FlakyBranch, ...]
    flaky_total: int
    slow: tuple[SlowBranch, ...]
    slow_total: int
    restarts: RestartCount

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened, and nothing was broken."""
        return not self.rate.builds and not self.red_total and not self.restarts.count


@dataclass(frozen=True, slots=True)
class ReportSet:
    """The channel gets digests from now on. `subscriptions`: how many it has."""

    plan: ReportPlan
    subscriptions: int


@dataclass(frozen=True, slots=True)
class ReportOff:
    """The channel gets none any more. `was` is None if it got none before."""

    was: ReportPlan | None


@dataclass(frozen=True, slots=True)
class ReportPlanShown:
    """What is set for the channel; None if nothing is. `zone` is the time zone of times without one."""

    plan: ReportPlan | None
    zone: str


@dataclass(frozen=True, slots=True)
class ReportShown:
    """A digest on demand, up to now."""

    report: Report


ReportOutcome = ReportSet | ReportOff | ReportPlanShown | ReportShown

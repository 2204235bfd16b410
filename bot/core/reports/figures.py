"""The figures of a digest, from how builds ended and which restarts were sent. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from bot.core.build_history import flaky_branches, slow_branches
from bot.core.model.builds import Project, Status
from bot.core.model.ended_builds import EndedBuild
from bot.core.model.notifications.reports import DayRate, Every, Rate, RedBranch, Report, RestartCount

ROWS = 10
"""The length of each list. The rest is only counted."""

JUDGED = (Status.PASSED, Status.FAILED)
"""Other ends, such as a cancelled build, say nothing about the code."""

BranchKey = tuple[str, str, str]
"""Service, project id and branch."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` until `end`, and the period before, which begins at `earlier`. Days are those of `zone`."""

    every: Every
    earlier: datetime
    start: datetime
    end: datetime
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Restart:
    """A restart that was sent to the CI service."""

    branch: BranchKey
    at: datetime


def report(
    channel: str,
    span: Span,
    projects: dict[tuple[str, str], Project],
    ends: Iterable[EndedBuild],
    standing: Iterable[EndedBuild],
    restarts: Iterable[Restart],
    subscriptions: int,
) -> Report:
    """`projects` by service and id; of other projects nothing may be passed.

    `ends` are those since `span.earlier`. `standing` has for each branch the last end before `span.start` that passed
    or failed.
    """
    ends = [end for end in ends if end.finished_at < span.end]
    recent = [end for end in ends if end.finished_at >= span.start]
    red = red_branches(recent, standing, projects, span.start, span.end)
    flaky = flaky_branches(recent, projects)
    slow = slow_branches(ends, projects, span.start)
    return Report(
        channel=channel,
        every=span.every,
        zone=span.zone.key,
        start=span.start,
        end=span.end,
        subscriptions=subscriptions,
        rate=rate(recent),
        before=rate(end for end in ends if end.finished_at < span.start),
        days=_days(recent, span),
        red=tuple(red[:ROWS]),
        red_total=len(red),
        still_red=sum(each.is_red for each in red),
        flaky=tuple(flaky[:ROWS]),
        flaky_total=len(flaky),
        slow=tuple(slow[:ROWS]),
        slow_total=len(slow),
        restarts=_restarts(restarts, projects, span),
    )


def rate(ends: Iterable[EndedBuild]) -> Rate:
    """Each run of a build that was restarted counts."""
    judged = [end.status is Status.PASSED for end in ends if end.status in JUDGED]
    return Rate(sum(judged), len(judged))


def red_branches(
    recent: Iterable[EndedBuild],
    standing: Iterable[EndedBuild],
    projects: dict[tuple[str, str], Project],
    start: datetime,
    end: datetime,
) -> list[RedBranch]:
    """The branches that were broken at some time from `start` until `end`, those that were so longest first."""
    judged = [one for one in (*standing, *recent) if one.status in JUDGED]
    judged.sort(key=lambda one: (_key(one), one.finished_at))
    found = []
    for (service, project_id, branch), ends in groupby(judged, _key):
        red_s, times, is_red = _red(ends, start, end)
        if red_s or times:
            found.append(RedBranch(projects[service, project_id], branch, red_s, times, is_red))
    return sorted(found, key=lambda one: (-one.red_s, one.project.name, one.branch))


def _red(ends: Iterable[EndedBuild], start: datetime, end: datetime) -> tuple[float, int, bool]:
    """How long a branch was broken, in seconds, how often it broke, and whether it is broken at the end.

    `ends` in the order of their times. The newest build decides, by number: an older one that ends later, such as a
    restart of it, changes nothing.
    """
    red_s, times, newest = 0.0, 0, 0
    since: datetime | None = None
    for one in ends:
        number = int(one.build_id) if one.build_id.isdecimal() else 0
        if number < newest:
            continue
        newest = number
        at = max(one.finished_at, start)
        if one.status is Status.FAILED and since is None:
            since = at
            times += one.finished_at >= start
        elif one.status is Status.PASSED and since is not None:
            red_s += (at - since).total_seconds()
            since = None
    if since is not None:
        red_s += (end - since).total_seconds()
    return red_s, times, since is not None


def _days(ends: Iterable[EndedBuild], span: Span) -> tuple[DayRate, ...]:
    """The calendar days of the period, in order."""
    by_day: dict[date, list[EndedBuild]] = {}
    day = span.start.astimezone(span.zone).date()
    last = (span.end - timedelta(microseconds=1)).astimezone(span.zone).date()
    while day <= last:
        by_day[day] = []
        day += timedelta(days=1)
    for one in ends:
        by_day[one.finished_at.astimezone(span.zone).date()].append(one)
    return tuple(DayRate(f"{day:%a} {day.day}", rate(of_day)) for day, of_day in by_day.items())


def _restarts(sent: Iterable[Restart], projects: dict[tuple[str, str], Project], span: Span) -> RestartCount:
    sent = [one for one in sent if one.at < span.end]
    recent = Counter(one.branch for one in sent if one.at >= span.start)
    before = len(sent) - recent.total()
    if not recent:
        return RestartCount(before=before)
    (service, project_id, branch), most = min(recent.items(), key=lambda one: (-one[1], one[0]))
    return RestartCount(recent.total(), before, projects[service, project_id], branch, most)


def _key(end: EndedBuild) -> BranchKey:
    return end.service, end.project_id, end.branch

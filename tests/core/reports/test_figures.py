"""The figures of a digest, from sequences of ended builds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.core.model.builds import Project, Status
from bot.core.model.ended_builds import EndedBuild
from bot.core.model.notifications.reports import DayRate, Every, Rate, Report, RestartCount
from bot.core.reports.figures import ROWS, Restart, Span, report
from tests.held_clock import NOON

START, END = NOON, NOON + timedelta(hours=100)
SPAN = Span(Every.WEEKLY, NOON - timedelta(hours=100), START, END, ZoneInfo("UTC"))
WEB, API = Project("3", "acme/web", "codeship"), Project("4", "acme/api", "codeship")
PROJECTS = {("codeship", "3"): WEB, ("codeship", "4"): API}
STATUSES = {"p": Status.PASSED, "f": Status.FAILED, "s": Status.STOPPED, "i": Status.INFRASTRUCTURE_FAILURE}


def ends(text: str, branch: str = "main", of: Project = WEB, took_s: float = 60) -> list[EndedBuild]:
    """`5f` failed five hours after the start, `-5f` five hours before; each is a build, `5f#1` is a run of build 1."""
    found = []
    for number, word in enumerate(text.split(), 1):
        what, _, id_ = word.partition("#")
        at = START + timedelta(hours=float(what[:-1]))
        began = at - timedelta(seconds=took_s)
        build_id = id_ or str(number)
        commit = f"c{build_id}"
        found.append(EndedBuild(of.service, of.id, branch, build_id, commit, STATUSES[what[-1]], began, at))
    return found


def reported(
    recent: list[EndedBuild], standing: list[EndedBuild] | None = None, restarts: list[Restart] | None = None
) -> Report:
    return report("C1", SPAN, PROJECTS, recent, standing or [], restarts or [], 1)


@pytest.mark.parametrize(
    ("text", "before", "expected"),
    [
        ("", "", None),
        ("5p 6p", "", None),
        ("10f 15p", "", (5, 1, False)),
        ("10f 12f 15p", "", (5, 1, False)),
        ("10f 15p 20f 21p", "", (6, 2, False)),
        ("90f", "", (10, 1, True)),
        ("90f 95s 96i", "", (10, 1, True)),  # neither says anything of the code
        ("5p", "-3f", (5, 0, False)),
        ("", "-3f", (100, 0, True)),
        ("5f", "-3f", (100, 0, True)),
        ("", "-3p", None),
        ("10f#2 11p#1 20p#3", "", (10, 1, False)),  # an older build that ends later changes nothing
        ("10f#2 11p#2", "", (1, 1, False)),  # its own restart does
    ],
)
def test_a_branch_is_red_from_a_failed_build_to_the_next_that_passes(
    text: str, before: str, expected: tuple[float, int, bool] | None
) -> None:
    made = reported(ends(text), [replace(one, build_id="0") for one in ends(before)])
    red = [(one.red_s / 3600, one.times, one.is_red) for one in made.red]
    assert red == ([] if expected is None else [expected])
    assert (made.red_total, made.still_red) == (len(red), sum(one.is_red for one in made.red))


def test_the_longest_red_branches_come_first_and_the_list_is_cut() -> None:
    recent = [end for n in range(12) for end in ends(f"10f {11 + n}p", f"b{n:02}")]
    made = reported(recent)
    assert [one.branch for one in made.red] == [f"b{11 - n:02}" for n in range(ROWS)]
    assert made.red_total == 12


def test_builds_that_passed_are_counted_and_compared_with_the_period_before() -> None:
    made = reported([*ends("-9p -8f -7s"), *ends("1p 2p 3f 4s 5i"), *ends("6p", of=API)])
    assert (made.rate, made.before) == (Rate(3, 4), Rate(1, 2))
    assert not made.is_empty


def test_days_are_those_of_the_zone_and_all_that_the_period_touches() -> None:
    tokyo = Span(Every.WEEKLY, SPAN.earlier, START, START + timedelta(hours=36), ZoneInfo("Asia/Tokyo"))
    made = report("C1", tokyo, PROJECTS, ends("1p 3f 4p"), [], [], 1)
    assert made.days == (  # from Monday 21:00 to Wednesday 9:00
        DayRate("Mon 2", Rate(1, 1)),
        DayRate("Tue 3", Rate(1, 2)),
        DayRate("Wed 4", Rate()),
    )


def test_what_passed_only_on_retry_and_what_is_slow_is_of_the_period() -> None:
    slow = [*ends("-3p -2p -1p", took_s=60), *ends("1p 2p 3p", took_s=90)]
    made = reported([*slow, *ends("4f#9 5p#9", "dev")])
    assert [(one.branch, one.flaky) for one in made.flaky] == [("dev", 1)]
    assert [(one.branch, one.median_s, one.before_s) for one in made.slow] == [("main", 90, 60)]
    assert (made.flaky_total, made.slow_total) == (1, 1)


def sent(branch: str, *hours: float) -> list[Restart]:
    return [Restart(("codeship", "3", branch), START + timedelta(hours=hour)) for hour in hours]


@pytest.mark.parametrize(
    ("restarts", "expected"),
    [
        ([], RestartCount()),
        (sent("main", -1), RestartCount(before=1)),
        (sent("main", -1, 1, 2, 101) + sent("dev", 3), RestartCount(3, 1, WEB, "main", 2)),
    ],
)
def test_restarts_are_counted(restarts: list[Restart], expected: RestartCount) -> None:
    made = reported([], [], restarts)
    assert made.restarts == expected
    assert made.is_empty == (expected.count == 0)


def test_what_ends_later_is_left_out() -> None:
    assert reported(ends("100f 101p")).is_empty

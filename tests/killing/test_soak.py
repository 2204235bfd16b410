"""The short form of `make soak`, and what it counts as a fault."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.killing.soak import soak
from tests.killing.soak_report import Judged, Report
from tests.postgres import Server

GOOD = Judged("restart acme/web main", 2, 0, posts=1, may_post=True, is_audited=True, unanswered=())


@pytest.mark.serial
def test_under_load_a_few_kills_lose_and_repeat_nothing(postgres: Server, tmp_path: Path) -> None:
    reports = soak(6, 1, tmp_path, stopped_every=2)
    assert [problem for report in reports for problem in report.problems] == []
    assert [report.stops for report in reports] == [0, 1]
    assert all(case.requests for report in reports for case in report.cases)
    verbs = {case.name.partition(" ")[0] for report in reports for case in report.cases}
    assert verbs == {"restart", "follow", "cancel"}


@pytest.mark.parametrize(
    ("case", "problem"),
    [
        (replace(GOOD, posts=2), "sent 2 times"),
        (replace(GOOD, may_post=False), "sent 1 times"),
        (replace(GOOD, elsewhere=1), "1 sent to another build"),
        (replace(GOOD, is_audited=False), "no audit entry"),
        (replace(GOOD, unanswered=("ada",)), "no answer to ada"),
    ],
)
def test_a_fault_is_found(case: Judged, problem: str) -> None:
    report = Report("SQLite", 1, 0, [GOOD, case])
    assert report.problems == [f"restart acme/web main: {problem}"]


def test_jobs_that_never_end_are_a_fault_and_the_rest_is_none() -> None:
    assert Report("SQLite", 1, 0, [GOOD], left=1).problems == ["1 jobs or follows were not finished"]
    assert Report("SQLite", 1, 0, [GOOD, replace(GOOD, posts=0, is_audited=False)]).problems == []
    assert "2 kills, 0 database stops, 2 requests (0 of them never acknowledged), 1 actions, 0 duplicates" in (
        Report("SQLite", 2, 0, [GOOD]).line()
    )

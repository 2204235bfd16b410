"""What changes on a branch, over sequences of looks at it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.model.builds import Workflow
from bot.core.model.notifications.transitions import BranchState
from bot.core.notifications.transitions import missing, observe
from tests.core.notifications.sequences import NOON, builds_told, changes, look, seen

BRANCH = {
    # First sight
    "a branch first seen green": ("10 ok | 10 ok", "-"),
    "a branch first seen red": ("10 bad | 10 bad", "-"),
    "a branch first seen without builds, then red": (" | 10 bad", "-"),
    "a branch first seen running, then red": ("10 run | 10 bad", "-"),
    "a branch first seen running, then green, then red": ("10 run | 10 ok | 11 bad ; 10 ok", "- | broke"),
    "a branch first seen red, then green": ("10 bad | 11 ok ; 10 bad", "fixed"),
    "a branch first seen red, then red again": ("10 bad | 11 bad ; 10 bad", "still"),
    "the first look takes the newest": ("11 bad ; 10 ok | 12 ok ; 11 bad", "fixed"),
    "only cancelled builds, then red": ("10 stopped | 11 bad ; 10 stopped", "-"),
    # Broke and fixed
    "green, then red": ("10 ok | 11 bad ; 10 ok", "broke"),
    "green, then green": ("10 ok | 11 ok ; 10 ok", "-"),
    "red, then green": ("10 ok | 11 bad | 12 ok ; 11 bad", "broke | fixed"),
    "broke twice": ("10 ok | 11 bad | 12 ok | 13 bad | 14 ok", "broke | fixed | broke | fixed"),
    "told once, however often it is seen": ("10 ok | 11 bad | 11 bad | 11 bad", "broke | - | -"),
    "running builds change nothing": ("10 ok | 11 run ; 10 ok | 11 bad ; 10 ok", "- | broke"),
    "queued builds change nothing": ("10 bad | 11 queued ; 10 bad | 11 ok ; 10 bad", "- | fixed"),
    # Still
    "a second commit fails": ("10 ok | 11 bad | 12 bad", "broke | still"),
    "a third commit fails": ("10 ok | 11 bad | 12 bad | 13 bad", "broke | still | still"),
    "another build of the same commit fails": ("10 ok | 11 bad | 12 bad @11", "broke | failed again"),
    # While a build runs
    "a job fails, then its run": ("ci:10 ok | ci:11 failing | ci:11 failing | ci:11 bad", "failing | - | broke"),
    "a job fails and its run passes": ("ci:10 ok | ci:11 failing | ci:11 ok", "failing | passed after all"),
    "a job fails and its run is cancelled": ("ci:10 ok | ci:11 failing | ci:11 stopped", "failing | passed after all"),
    "a job fails and its run is overtaken": ("ci:10 ok | ci:11 failing | ci:12 ok", "failing | passed after all"),
    "a job fails of a broken branch": ("ci:10 ok | ci:21 bad | ci:32 failing | ci:32 bad", "broke | - | still"),
    "a job fails of an older run": ("ci:12 ok | ci:11 failing ; ci:12 ok", "-"),
    "a job fails of a restart": ("ci:12 ok | ci:12' failing | ci:12' bad", "failing | broke"),
    "a job fails at the first sight": ("ci:12 failing | ci:12 bad", "-"),
    "a job fails of a workflow that was never seen": ("ci:12 ok | lint:13 failing | lint:13 bad", "- | -"),
    "another workflow breaks first": (
        "ci:10 ok, lint:11 ok | ci:12 failing, lint:13 run | ci:12 failing, lint:13 bad | ci:12 bad, lint:13 bad",
        "failing | broke | joined",
    ),
    # Between two looks
    "two red builds at once": ("10 ok | 12 bad ; 11 bad ; 10 ok", "broke"),
    "red and green at once": ("10 ok | 12 ok ; 11 bad ; 10 ok", "-"),
    "green and red at once, from red": ("10 bad | 12 bad ; 11 ok ; 10 bad", "still"),
    "green and green at once, from red": ("10 bad | 12 ok ; 11 ok ; 10 bad", "fixed"),
    "broke and restarted to green between two looks": ("10 ok | 11' ok ; 10 ok", "-"),
    # By number, not by end
    "an older build ends later": ("10 ok | 12 ok ; 11 run ; 10 ok | 12 ok ; 11 bad ; 10 ok", "- | -"),
    "an older build passes later": ("10 ok | 12 bad ; 11 run | 12 bad ; 11 ok", "broke | -"),
    "an older build is listed late": ("10 ok | 12 ok ; 10 ok | 12 ok ; 11 bad ; 10 ok", "- | -"),
    "a newer build runs, the older one ends": ("10 ok | 12 run ; 11 run | 12 run ; 11 bad", "- | broke"),
    "the newer one passes after that": ("10 ok | 12 run ; 11 bad | 12 ok ; 11 bad", "broke | fixed"),
    "the list is in another order": ("10 ok | 10 ok ; 11 bad | 11 bad ; 10 ok", "broke | -"),
    # Neutral ends
    "cancelled after green": ("10 ok | 11 stopped ; 10 ok", "-"),
    "cancelled after red": ("10 bad | 11 stopped ; 10 bad", "-"),
    "skipped between red and green": ("10 ok | 11 bad | 12 skipped | 13 ok", "broke | - | fixed"),
    "ignored between green and red": ("10 ok | 11 ignored | 12 bad", "- | broke"),
    "blocked": ("10 ok | 11 blocked | 12 ok", "- | -"),
    "an unknown status": ("10 ok | 11 odd | 12 bad", "- | broke"),
    "an approval is waited for": ("10 ok | 11 waits | 11' bad", "- | broke"),
    "an infrastructure failure never breaks": ("10 ok | 11 infra", "-"),
    "an infrastructure failure never fixes": ("10 bad | 11 infra | 12 ok", "- | fixed"),
    "cancelled builds do not hide who broke it": ("10 ok | 12 stopped ; 11 bad ; 10 ok", "broke"),
    # Re-runs of the newest build
    "the newest passes on retry": ("10 ok | 11 bad | 11' ok", "broke | flaky"),
    "the newest passes on retry, seen running": ("10 ok | 11 bad | 11' run | 11' ok", "broke | - | flaky"),
    "the newest fails on retry": ("10 ok | 11 bad | 11' bad", "broke | failed again"),
    "the newest fails, fails, passes": ("10 ok | 11 bad | 11' bad | 11'' ok", "broke | failed again | flaky"),
    "the newest passes, then fails on retry": ("10 ok | 11 ok | 11' bad", "- | broke"),
    "the retry is cancelled": ("10 ok | 11 bad | 11' stopped | 12 ok", "broke | - | fixed"),
    "the retry has an infrastructure failure": ("10 ok | 11 bad | 11' infra | 11'' ok", "broke | - | flaky"),
    "the list still shows the run before": ("10 ok | 11 bad | 11' ok | 11 bad", "broke | flaky | -"),
    "a restart under a new id": ("10 ok | 11 bad | 12 ok @11 ; 11 bad", "broke | flaky"),
    "a cancelled newest build is restarted and fails": ("10 ok | 11 stopped ; 10 ok | 11' bad ; 10 ok", "- | broke"),
    "a retry after the fix is an older build": (
        "10 ok | 11 bad | 12 ok ; 11 bad | 12 ok ; 11' ok",
        "broke | fixed | -",
    ),
    # Re-runs of older builds
    "an older build passes on retry": ("10 ok | 12 bad ; 11 bad | 12 bad ; 11' ok", "broke | -"),
    "an older build fails on retry": ("10 ok | 12 ok ; 11 ok | 12 ok ; 11' bad", "- | -"),
    "an older build is seen running again": ("12 ok ; 11 bad | 12 ok ; 11' run | 12 ok ; 11' bad", "- | -"),
    # What leaves the list
    "a running build is never seen again": ("10 ok | 11 run ; 10 ok | 12 ok ; 10 ok", "- | -"),
    "a running build leaves, the next one fails": ("10 ok | 11 run | 12 bad", "- | broke"),
    "an empty list changes nothing": ("10 ok | 11 bad | | 12 ok", "broke | - | fixed"),
    "an old list after a newer one": ("10 ok | 11 bad ; 10 ok | 10 ok", "broke | -"),
    # Several workflows
    "one of two fails": ("ci:10 ok, lint:11 ok | ci:20 bad, lint:21 ok", "broke"),
    "the second one fails later": (
        "ci:10 ok, lint:11 ok | ci:20 bad, lint:21 run | ci:20 bad, lint:21 bad",
        "broke | joined",
    ),
    "both fail at once": ("ci:10 ok, lint:11 ok | ci:20 bad, lint:21 bad", "broke"),
    "fixed only when all are": (
        "ci:10 ok, lint:11 ok | ci:20 bad, lint:21 bad | ci:30 ok, lint:31 bad | ci:40 ok, lint:41 ok",
        "broke | still | fixed",
    ),
    "one is fixed on retry, the other still fails": (
        "ci:10 ok, lint:11 ok | ci:20 bad, lint:21 bad | ci:20' ok, lint:21 bad",
        "broke | eased",
    ),
    "both pass on retry": (
        "ci:10 ok, lint:11 ok | ci:20 bad, lint:21 bad | ci:20' ok, lint:21' ok",
        "broke | flaky",
    ),
    "one did not run for the newest commit": (
        "ci:10 ok, lint:11 bad | ci:20 ok, lint:11 bad @1 | ci:30 bad, lint:11 bad @1",
        "- | joined",
    ),
    "a new workflow is a baseline": ("ci:10 ok | ci:20 ok, lint:21 bad", "-"),
    "a new workflow passes, then fails": ("ci:10 ok | ci:20 ok, lint:21 ok | ci:30 ok, lint:31 bad", "- | broke"),
    "the failing workflow no longer runs": (
        "ci:10 ok, lint:11 ok | ci:20 ok, lint:21 bad | ci:30 ok",
        "broke | retired",
    ),
    "a green workflow no longer runs": ("ci:10 ok, lint:11 ok | ci:20 ok", "-"),
    "a failing workflow no longer runs, another fails": (
        "ci:10 ok, lint:11 ok | ci:20 bad, lint:21 bad | ci:30 bad",
        "broke | still",
    ),
    "a workflow is missing while the newest build runs": (
        "ci:10 ok, lint:11 bad | ci:20 run | ci:20 ok, lint:21 bad",
        "- | still",
    ),
    "one waits for an approval": ("ci:10 ok, ship:11 ok | ci:20 bad, ship:21 waits", "broke"),
    "a second attempt of one workflow": (
        "ci:10 ok, lint:11 ok | ci:20 bad, lint:21 ok | ci:20' bad, lint:21 ok",
        "broke | failed again",
    ),
}

BUILDS = {
    "starts and passes": ("10 ok | 11 run ; 10 ok | 11 ok ; 10 ok", "started 11 | passed 11"),
    "fails without being seen to run": ("10 ok | 11 bad ; 10 ok", "failed 11"),
    "several end at once": ("10 ok | 12 ok ; 11 bad", "failed 11, passed 12"),
    "is cancelled": ("10 ok | 11 run | 11 stopped", "started 11 | stopped 11"),
    "has an infrastructure failure": ("10 ok | 11 infra", "infra 11"),
    "is not told of again": ("10 ok | 11 bad | 11 bad", "failed 11 | -"),
    "runs again": ("10 ok | 11 bad | 11' run | 11' ok", "failed 11 | started 11 | passed 11"),
    "an older one that ran ends": ("10 ok | 12 ok ; 11 run | 12 ok ; 11 bad", "started 11, passed 12 | failed 11"),
    "an old one that is listed late is no news": ("12 ok | 12 ok ; 11 bad", "-"),
    "the first look tells nothing": ("11 run ; 10 bad | 11 run ; 10 bad", "-"),
}


@pytest.mark.parametrize("name", BRANCH)
def test_a_branch_changes(name: str) -> None:
    looks, expected = BRANCH[name]
    assert changes(looks) == expected


def test_an_attempt_whose_end_is_told_later_is_no_news() -> None:
    """GitHub moves the time by which a run seems to have ended long after it did."""
    first = look("ci:20 bad")
    later = [replace(build, workflows=tuple(map(_ended_later, build.workflows))) for build in first]
    state = observe(observe(None, look("ci:10 ok"), NOON).state, first, NOON).state
    assert observe(state, later, NOON).transitions == ()


def _ended_later(run: Workflow) -> Workflow:
    assert run.finished_at is not None
    return replace(run, finished_at=run.finished_at + timedelta(hours=1))


def test_there_are_at_least_sixty_sequences() -> None:
    assert len(BRANCH) + len(BUILDS) >= 60


@pytest.mark.parametrize("name", BUILDS)
def test_a_build_is_told_of(name: str) -> None:
    looks, expected = BUILDS[name]
    assert builds_told(looks) == expected


def test_a_period_says_who_broke_it_since_when_and_who_else_may_have() -> None:
    state, (broke, *_) = seen("10 ok | 13 bad ; 12 stopped ; 11 stopped ; 10 ok")[1]
    assert broke.period == state.period
    assert broke.period is not None
    assert broke.period.broken_by.id == "13"
    assert broke.period.since == broke.period.broken_by.finished_at
    assert [(one.build_id, one.author) for one in broke.period.suspects] == [("12", "author 12"), ("11", "author 11")]
    assert broke.last_good is not None
    assert broke.last_good.build_id == "10"


def test_the_build_that_broke_the_branch_is_the_first_that_failed() -> None:
    _, (broke, *_) = seen("10 ok | 12 bad ; 11 bad ; 10 ok")[1]
    assert broke.build.id == "12"
    assert broke.period is not None
    assert broke.period.broken_by.id == "11"
    assert broke.in_a_row == 2


def test_a_retry_does_not_count_as_one_more_commit() -> None:
    counts = [transitions[0].in_a_row for _, transitions in seen("10 ok | 11 bad | 11' bad | 12 bad | 13 bad")[1:]]
    assert counts == [1, 1, 2, 3]


def test_each_period_has_an_id_of_its_own() -> None:
    periods = [state.period and state.period.id for state, _ in seen("10 ok | 11 bad | 11' ok | 11'' bad | 12 bad")]
    assert periods[0] is periods[2] is None
    assert periods[1] != periods[3] == periods[4]


def test_all_changes_of_a_period_name_it() -> None:
    looks = "10 ok | 11 bad | 11' bad | 12 bad | 13 ok"
    ids = {transitions[0].period and transitions[0].period.id for _, transitions in seen(looks)[1:]}
    assert len(ids) == 1


def test_a_branch_that_was_failing_early_keeps_its_period_when_it_breaks() -> None:
    looks = seen("ci:10 ok | ci:11 failing | ci:11 bad | ci:22 ok")[1:]
    ids = [transitions[0].period and transitions[0].period.id for _, transitions in looks]
    assert ids == ["11.1.early"] * 3


def test_a_run_that_is_no_longer_listed_is_missing() -> None:
    state = observe(None, look("11 run ; 10 ok"), NOON).state
    assert missing(state, look("30 ok ; 29 ok"))
    assert not missing(state, look("12 ok ; 11 bad"))
    assert not missing(BranchState(), [])


def test_a_look_that_shows_the_same_changes_no_state() -> None:
    (first, _), (second, _), (third, _) = seen("11 bad ; 10 ok | 11 bad ; 10 ok | 11 bad ; 10 ok")
    assert first == second == third

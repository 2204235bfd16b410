"""What a build's properties say if fields are missing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model.builds import Build, Location, Project, Run, Status
from tests.held_clock import NOON

WEB = Project("1", "acme/web", "codeship")
LATER = NOON + timedelta(minutes=4)


def build(status: Status, started_at: datetime | None = NOON, finished_at: datetime | None = LATER) -> Build:
    return Build("7", WEB, status, status.value, started_at=started_at, finished_at=finished_at)


@pytest.mark.parametrize("finished_at", [None, LATER])
@pytest.mark.parametrize(
    ("status", "under_way", "ended"),
    [
        (Status.QUEUED, True, False),
        (Status.RUNNING, True, False),
        (Status.PASSED, False, True),
        (Status.FAILED, False, True),
        (Status.STOPPED, False, True),
        (Status.SKIPPED, False, True),
        (Status.IGNORED, False, True),
        (Status.BLOCKED, False, True),
        (Status.INFRASTRUCTURE_FAILURE, False, True),
    ],
)
def test_the_status_decides_and_not_the_times(
    status: Status, under_way: bool, ended: bool, finished_at: datetime | None
) -> None:
    shown = build(status, finished_at=finished_at)
    assert (shown.is_under_way, shown.has_ended) == (under_way, ended)


def test_a_build_with_an_unknown_status_has_ended_if_it_has_an_end_time() -> None:
    assert build(Status.UNKNOWN).has_ended
    assert not build(Status.UNKNOWN, finished_at=None).has_ended
    assert not build(Status.UNKNOWN, finished_at=None).is_under_way


@pytest.mark.parametrize(
    ("status", "started_at", "finished_at", "took"),
    [
        (Status.PASSED, NOON, LATER, timedelta(minutes=4)),
        (Status.PASSED, NOON, NOON, timedelta(0)),
        (Status.PASSED, None, LATER, None),
        (Status.PASSED, NOON, None, None),
        (Status.PASSED, LATER, NOON, None),
        (Status.RUNNING, NOON, LATER, None),
        (Status.UNKNOWN, NOON, LATER, timedelta(minutes=4)),
    ],
)
def test_the_duration_needs_both_times_in_order(
    status: Status, started_at: datetime | None, finished_at: datetime | None, took: timedelta | None
) -> None:
    assert build(status, started_at, finished_at).took == took


def test_two_runs_differ_by_their_status_word_and_times() -> None:
    assert build(Status.FAILED).run == Run("failed", NOON, LATER)
    assert build(Status.FAILED).run != build(Status.PASSED).run
    assert build(Status.FAILED).run != build(Status.FAILED, finished_at=None).run


MOMENTS = st.none() | st.datetimes(timezones=st.just(NOON.tzinfo))


@given(st.sampled_from(Status), MOMENTS, MOMENTS)
def test_no_build_is_both_under_way_and_ended(
    status: Status, started_at: datetime | None, finished_at: datetime | None
) -> None:
    shown = build(status, started_at, finished_at)
    assert not (shown.is_under_way and shown.has_ended)
    assert shown.took is None or (shown.has_ended and shown.took >= timedelta(0))


@pytest.mark.parametrize(("channel", "between_two"), [("D024BE91L", True), ("C024BE91L", False), ("G024BE91L", False)])
def test_no_one_can_be_invited_into_a_direct_message(channel: str, between_two: bool) -> None:
    assert Location(channel, "1.2").is_between_two is between_two

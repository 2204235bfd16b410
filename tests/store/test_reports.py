"""What the core's `ReportStore` guarantees, and what digests read of the other stores."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.model.audit import AuditEntry, Result
from bot.core.model.builds import Actor, Location, Status
from bot.core.model.ended_builds import EndedBuild
from bot.core.model.notifications.reports import Every, ReportPlan, Schedule
from bot.store import Store
from tests.store.conftest import NOON
from tests.store.racing import ROUNDS, in_threads

ADA = Actor("U0ADA")
PLAN = ReportPlan("C1", Schedule(Every.WEEKLY, 9, 0, "mon"), "Europe/Berlin", ADA, NOON, NOON)
CLAIMED_BEFORE = NOON - timedelta(minutes=1)


def test_a_channel_has_one_plan(store: Store) -> None:
    assert store.reports.of_channel("C1") is None
    store.reports.put(PLAN)
    assert store.reports.of_channel("C1") == PLAN
    daily = replace(PLAN, schedule=Schedule(Every.DAILY, 7, 30), claimed_at=NOON, tries=2, doubtful=True, refused="x")
    store.reports.put(daily)
    assert store.reports.of_channel("C1") == replace(daily, version=2)
    assert store.reports.of_channel("C2") is None
    assert store.reports.remove("C1") == replace(daily, version=2)
    assert store.reports.remove("C1") is None


def test_what_has_changed_since_it_was_read_is_not_stored(store: Store) -> None:
    store.reports.put(PLAN)
    claimed = store.reports.move(PLAN, replace(PLAN, claimed_at=NOON))
    assert claimed == replace(PLAN, claimed_at=NOON, version=2)
    assert store.reports.move(PLAN, replace(PLAN, tries=1)) is None
    store.reports.put(PLAN)
    assert store.reports.move(claimed, PLAN) is None
    store.reports.remove("C1")
    assert store.reports.move(claimed, PLAN) is None
    store.reports.put(replace(PLAN, next_at=NOON + timedelta(days=7)))
    assert store.reports.move(PLAN, replace(PLAN, claimed_at=NOON)) is None


@pytest.mark.slow
def test_one_thread_claims_a_digest(store: Store) -> None:
    for number in range(ROUNDS):
        plan = replace(PLAN, channel=f"C{number}")
        store.reports.put(plan)
        moved = in_threads(lambda _, plan=plan: store.reports.move(plan, replace(plan, claimed_at=NOON)))
        assert sum(each is not None for each in moved) == 1


@pytest.mark.parametrize(
    ("seconds", "is_due"),
    [(None, True), (0, False), (-59, False), (-61, True), (59, False), (61, True)],
    ids=["free", "claimed", "a while ago", "too long ago", "by a clock ahead", "before the clock was set back"],
)
def test_one_that_a_process_is_at_is_not_due(store: Store, seconds: int | None, is_due: bool) -> None:
    at = None if seconds is None else NOON + timedelta(seconds=seconds)
    store.reports.put(replace(PLAN, claimed_at=at))
    assert [plan.channel for plan in store.reports.due(NOON, CLAIMED_BEFORE, 10)] == (["C1"] if is_due else [])


def test_those_that_wait_longest_come_first_and_later_ones_not_yet(store: Store) -> None:
    for number, minutes in enumerate((-5, -10, 1, 0)):
        store.reports.put(replace(PLAN, channel=f"C{number}", due_at=NOON + timedelta(minutes=minutes)))
    assert [plan.channel for plan in store.reports.due(NOON, CLAIMED_BEFORE, 10)] == ["C1", "C0", "C3"]
    assert [plan.channel for plan in store.reports.due(NOON, CLAIMED_BEFORE, 2)] == ["C1", "C0"]


END = EndedBuild("codeship", "3", "main", "7", "d18144e", Status.FAILED, NOON - timedelta(minutes=5), NOON)


def test_the_last_result_of_each_branch_before_a_time(store: Store) -> None:
    earlier = replace(END, build_id="6", finished_at=NOON - timedelta(hours=1), status=Status.PASSED)
    stopped = replace(END, build_id="8", finished_at=NOON + timedelta(seconds=1), status=Status.STOPPED)
    other = replace(END, branch="dev", finished_at=NOON - timedelta(days=1))
    store.build_history.add([END, earlier, stopped, other])
    hour_later = store.build_history.last_before(NOON + timedelta(hours=1))
    assert sorted(hour_later, key=lambda end: end.branch) == [other, END]
    assert sorted(store.build_history.last_before(NOON), key=lambda end: end.branch) == [other, earlier]


def test_only_restarts_that_were_sent_are_counted(store: Store) -> None:
    made = AuditEntry(NOON, ADA, "command", Location("C1"), "restart", "codeship", Result.TAKEN, "r1", "3", "acme/web")
    others = (
        replace(made, result=Result.UNKNOWN, action="try again"),
        replace(made, result=Result.ALREADY),
        replace(made, action="cancel"),
        replace(made, at=NOON - timedelta(seconds=1)),
    )
    for number, entry in enumerate((made, *others)):
        store.audit.record(entry, request_key=str(number))
    found = store.audit.sent_since(NOON, ["restart", "try again"])
    assert sorted(entry.action for entry in found) == ["restart", "try again"]

"""What the core's `BuildHistoryStore` guarantees."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.core.model.builds import Project, Status
from bot.core.model.ended_builds import EndedBuild
from bot.store import Store
from bot.store.notifications.build_history import MAX_OF_A_BRANCH
from tests.store.conftest import NOON, HeldClock

LONG_AGO = NOON - timedelta(days=365)
WEB, SHOP = Project("3", "acme/web", "codeship"), Project("3", "acme/shop", "github")
END = EndedBuild("codeship", "3", "main", "7", "d18144e", Status.FAILED, NOON - timedelta(minutes=5), NOON)


def test_each_end_of_a_build_is_stored_once(store: Store) -> None:
    again = replace(END, status=Status.PASSED, finished_at=NOON + timedelta(minutes=5))
    for _ in range(2):
        store.build_history.add([END, again])
    assert sorted(store.build_history.since(LONG_AGO, WEB), key=lambda end: end.finished_at) == [END, again]


def test_it_is_read_by_time_and_project(store: Store) -> None:
    other = replace(END, service="github", started_at=None, commit=None)
    store.build_history.add([END, other])
    assert store.build_history.since(NOON, SHOP) == [other]
    assert len(store.build_history.since(NOON, None)) == 2
    assert store.build_history.since(NOON + timedelta(seconds=1), None) == []


def test_old_ends_are_deleted_and_not_stored(store: Store, clock: HeldClock) -> None:
    store.build_history.add([END, replace(END, build_id="old", finished_at=NOON - timedelta(days=91))])
    assert store.build_history.since(LONG_AGO, None) == [END]
    clock.time += timedelta(days=91)
    store.build_history.add([replace(END, finished_at=clock.time)])
    assert [end.finished_at for end in store.build_history.since(LONG_AGO, None)] == [clock.time]


def test_a_branch_keeps_its_newest_ends(store: Store, clock: HeldClock) -> None:
    busy = [
        replace(END, build_id=str(number), finished_at=NOON - timedelta(seconds=number))
        for number in range(MAX_OF_A_BRANCH + 20)
    ]
    store.build_history.add(busy)
    clock.wait(7200)
    store.build_history.add([replace(END, branch="develop", build_id="other")])
    stored = store.build_history.since(LONG_AGO, None)
    assert len(stored) == MAX_OF_A_BRANCH + 1
    assert min(end.finished_at for end in stored if end.branch == "main") == busy[MAX_OF_A_BRANCH - 1].finished_at

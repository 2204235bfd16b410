"""What the core's `RunHistory` guarantees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.core.model.builds import Build, Project, Status
from bot.store import Store
from bot.store.engine import Database
from tests.store.conftest import NOON, HeldClock

WEB = Project("3", "acme/web", "codeship")
BUILD = Build("7", WEB, Status.FAILED, "error", branch="main", commit="4f2c1e9")


def record(store: Store, run_number: int = 1, minute: float = 0, **other: Any) -> None:
    store.history.record(replace(BUILD, **other), run_number, NOON + timedelta(minutes=minute))


def ended(store: Store, project: Project = WEB, commit: str = "4f2c1e9", branch: str | None = "main") -> list[Status]:
    return store.history.of_commit(project, commit, branch)


@pytest.mark.parametrize("status", list(Status))
def test_a_run_is_stored_as_it_ended(store: Store, status: Status) -> None:
    record(store, status=status)
    assert ended(store) == [status]


def test_a_run_is_stored_once_as_first_recorded(store: Store) -> None:
    record(store)
    record(store, minute=5, status=Status.PASSED)
    assert ended(store) == [Status.FAILED]


def test_runs_come_in_the_order_in_which_they_ended(store: Store) -> None:
    record(store, run_number=2, minute=20, status=Status.PASSED)
    record(store, run_number=1, minute=10)
    record(store, id="8", minute=15, status=Status.STOPPED)
    assert ended(store) == [Status.FAILED, Status.STOPPED, Status.PASSED]


def test_runs_that_ended_at_one_moment_come_in_the_order_of_recording(store: Store) -> None:
    for run_number, status in enumerate((Status.FAILED, Status.PASSED, Status.STOPPED), 1):
        record(store, run_number, status=status)
    assert ended(store) == [Status.FAILED, Status.PASSED, Status.STOPPED]


def test_the_last_fifty_runs_are_returned(store: Store) -> None:
    for run_number in range(1, 61):
        record(store, run_number, minute=run_number, status=Status.PASSED if run_number in (11, 60) else Status.FAILED)
    assert ended(store) == [Status.PASSED, *[Status.FAILED] * 48, Status.PASSED]


@pytest.mark.parametrize(
    ("project", "commit", "branch", "is_same"),
    [
        (WEB, "4f2c1e9", "main", True),
        (replace(WEB, name="acme/renamed", url="https://ci.example"), "4f2c1e9", "main", True),
        (replace(WEB, id="4"), "4f2c1e9", "main", False),
        (replace(WEB, service="another"), "4f2c1e9", "main", False),
        (WEB, "4F2C1E9", "main", False),
        (WEB, "4f2c1e9", "Main", False),
        (WEB, "4f2c1e9", "", False),
        (WEB, "4f2c1e9", None, False),
    ],
)
def test_history_is_per_project_and_branch(
    store: Store, project: Project, commit: str, branch: str | None, is_same: bool
) -> None:
    record(store)
    assert bool(ended(store, project, commit, branch)) is is_same


def test_builds_without_a_branch_share_a_history(store: Store) -> None:
    record(store, branch=None)
    assert (ended(store), ended(store, branch=None)) == ([], [Status.FAILED])


def test_a_build_without_a_commit_is_left_out(store: Store) -> None:
    record(store, commit=None)
    record(store, commit="")
    assert ended(store) == []
    assert ended(store, commit="") == []


def test_history_survives_the_process(opened: Callable[[], Store]) -> None:
    before = opened()
    record(before)
    before.close()
    assert ended(opened()) == [Status.FAILED]


def test_records_are_deleted_after_ninety_days(opened: Callable[[], Store], url: str, clock: HeldClock) -> None:
    store = opened()
    record(store, run_number=1)
    record(store, run_number=2, minute=-(10**6))
    record(store, run_number=3, minute=10**6)
    clock.wait(timedelta(days=90).total_seconds() - 1)
    record(store, run_number=4)
    assert recorded(url) == [1, 2, 3, 4]
    clock.wait(3600)
    record(store, run_number=5, minute=-(10**6))
    assert recorded(url) == [4, 5]
    assert ended(store) == [Status.FAILED] * 2


def recorded(url: str) -> list[int]:
    database = Database.at(url)
    with database.reading() as connection:
        found = [row.run_number for row in connection.execute(sa.text("SELECT run_number FROM runs ORDER BY 1"))]
    database.close()
    return found

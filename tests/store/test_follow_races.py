"""Follows and chains of polls with concurrent threads and processes: none is lost, nothing is started twice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from bot.core.model.builds import Build, Project, Status
from bot.core.model.follows import FollowState
from bot.store import Store, open_store
from bot.store.engine import Database
from bot.store.tables import poll_chains
from tests.store.followed import BARE, restarted
from tests.store.racing import ROUNDS, THREADS, in_threads, raced

pytestmark = pytest.mark.slow

FOLLOWS = """
store = open_store(url, Clock)
go()
for project in map(str, range(40)):
    key = f"{os.getpid()} {project}"
    store.follows.add(Follow(key, "codeship", project, "7", 1, None, Actor("U1"), Location("C1"), "1.2", Clock.now()))
    number: int | None = store.follows.begin_polling("codeship", project)
    while number is not None:
        for follow in store.follows.open_of("codeship", project):
            store.follows.move(follow, replace(follow, state=FollowState.ENDED))
        number = store.follows.next_poll("codeship", project, number)
print("done")
"""


def test_no_follow_of_any_process_is_left_without_a_chain(opened: Callable[[], Store], url: str) -> None:
    store = opened()
    assert raced(FOLLOWS, url, 2) == ["done"] * 2
    projects = [str(number) for number in range(40)]
    assert [project for project in projects if store.follows.open_of("codeship", project)] == []
    assert restarted(store, -1.0) == []


def test_no_follow_of_any_thread_is_left_without_a_chain(store: Store) -> None:
    """Each thread adds one; one that starts a chain polls until none is open."""

    def follow_to_the_end(who: int) -> int | None:
        for number in range(ROUNDS):
            store.follows.add(replace(BARE, key=f"{who} {number}"))
            snapshot: int | None = store.follows.begin_polling("codeship", "3")
            while snapshot is not None:
                for follow in store.follows.open_of("codeship", "3"):
                    store.follows.move(follow, replace(follow, state=FollowState.ENDED))
                snapshot = store.follows.next_poll("codeship", "3", snapshot)
        return snapshot

    in_threads(follow_to_the_end)
    assert store.follows.open_of("codeship", "3") == []
    assert restarted(store, -1.0) == []


def test_a_chain_that_waited_for_a_follow_to_be_added_sees_it(new_postgres: str, clock: Any) -> None:
    """The one order of things that threads left to themselves hardly ever hit, and SQLite does not have."""
    store, adder = open_store(new_postgres, clock), Database.at(new_postgres)
    number = store.follows.begin_polling("codeship", "3")
    with ThreadPoolExecutor(1) as pool:
        with adder.writing() as connection:  # as `begin_polling` holds the row when the chain is active
            connection.execute(sa.select(poll_chains).with_for_update()).all()
            look = pool.submit(store.follows.next_poll, "codeship", "3", number)
            wait_for_a_lock(new_postgres)
            store.follows.add(BARE)
        assert look.result(timeout=10) == number + 1
    adder.close()
    store.close()


def wait_for_a_lock(url: str) -> None:
    """Waits until a connection waits for a lock in this database."""
    waiting = b"SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = %s"
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for _ in range(20_000):
            if connection.execute(waiting, [connection.info.dbname]).fetchone():
                return
    pytest.fail("nobody waits")


def test_one_thread_begins_a_chain_and_one_restarts_a_stalled_one(store: Store, clock: Any) -> None:
    for number in range(ROUNDS):
        project = str(number)
        begun = in_threads(lambda _, project=project: store.follows.begin_polling("codeship", project))
        assert begun == [1] * THREADS
        clock.wait(1)
        found = in_threads(lambda _: restarted(store, 0.5))
        assert [each for each in found if each] == [[("codeship", project, 3)]]
        clock.wait(-1)
        store.follows.next_poll("codeship", project, 3)


def test_a_poll_repeated_in_every_thread_continues_once(store: Store) -> None:
    store.follows.add(BARE)
    number: int | None = store.follows.begin_polling("codeship", "3")
    for _ in range(ROUNDS):
        assert number is not None
        answers = in_threads(lambda _, number=number: store.follows.next_poll("codeship", "3", number))
        assert answers == [number + 1] * THREADS
        number += 1


def test_one_thread_moves_a_follow(store: Store) -> None:
    follow = store.follows.add(BARE)
    for _ in range(ROUNDS):
        said = replace(follow, shown="passed")
        moved = in_threads(lambda _, follow=follow, said=said: store.follows.move(follow, said))
        assert sorted(moved) == [False] * (THREADS - 1) + [True]
        (follow,) = store.follows.open_of("codeship", "3")


def test_a_follow_added_by_all_threads_is_stored_once(store: Store) -> None:
    build = Build("7", Project("3", "acme/web", "codeship"), Status.FAILED, "error", commit="4f2c1e9")
    for number in range(ROUNDS):
        added = in_threads(lambda who, key=str(number): store.follows.add(replace(BARE, key=key, shown=str(who))))
        assert added == [added[0]] * THREADS
        in_threads(lambda _, number=number: store.history.record(build, number, BARE.began_at))
    assert len(store.follows.open_of("codeship", "3")) == ROUNDS
    assert len(store.history.of_commit(build.project, "4f2c1e9", None)) == ROUNDS

"""What the core's `FollowStore` guarantees for chains of polls, without concurrency."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.store import Store, open_store
from tests.store.conftest import HeldClock
from tests.store.followed import BARE, ENDED, WHOLE, moved, open_of, restarted

numbers = count(1)


@pytest.fixture(scope="module")
def shared_clock() -> HeldClock:
    return HeldClock()


@pytest.fixture(scope="module")
def shared(shared_clock: HeldClock) -> Iterator[Store]:
    """One for all the examples of a property."""
    opened = open_store("sqlite:///:memory:", shared_clock)
    yield opened
    opened.close()


def begun(store: Store, project_id: str = "3") -> int:
    return store.follows.begin_polling("codeship", project_id)


def next_look(store: Store, number: int, project_id: str = "3") -> int | None:
    return store.follows.next_poll("codeship", project_id, number)


def test_a_chain_continues_while_a_follow_is_open_and_then_ends(store: Store) -> None:
    follow = store.follows.add(BARE)
    first = begun(store)
    second = next_look(store, first)
    assert second is not None
    moved(store, follow, **ENDED)
    third = next_look(store, second)
    assert third is None
    store.follows.add(WHOLE)
    assert begun(store) > second


@pytest.mark.parametrize("begins_first", [True, False])
def test_one_chain_serves_all_follows_of_a_project(store: Store, begins_first: bool) -> None:
    store.follows.add(BARE)
    number = begun(store)
    if not begins_first:
        store.follows.add(WHOLE)
    assert begun(store) == number
    assert next_look(store, number) == number + 1
    assert begun(store) == number + 1


def test_each_project_has_its_own_chain(store: Store) -> None:
    store.follows.add(BARE)
    store.follows.add(replace(WHOLE, project_id="4"))
    assert (begun(store, "3"), begun(store, "4")) == (1, 1)
    assert store.follows.begin_polling("another", "3") == 1
    moved(store, BARE, **ENDED)
    assert next_look(store, 1, "3") is None
    assert next_look(store, 1, "4") == 2


def test_a_repeated_poll_gets_the_same_number(store: Store) -> None:
    follow = store.follows.add(BARE)
    first = begun(store)
    second = next_look(store, first)
    assert second is not None
    moved(store, follow, **ENDED)
    assert next_look(store, first) == second
    assert next_look(store, second) is None
    assert next_look(store, first) == second
    store.follows.add(WHOLE)
    assert next_look(store, second) is None  # it ended the chain: who added the follow begins another
    begun(store)
    assert next_look(store, second) is None


def test_an_overtaken_poll_has_no_next_one(store: Store, clock: HeldClock) -> None:
    store.follows.add(BARE)
    lost = begun(store)
    clock.wait(121)
    ((_, _, instead),) = restarted(store, 120.0)
    assert next_look(store, lost) is None
    following = next_look(store, instead)
    assert following is not None
    assert next_look(store, lost) is None
    assert next_look(store, following) is not None
    assert next_look(store, instead) is None


@pytest.mark.parametrize("number", [2, 3, 99, -1])
def test_an_unknown_number_has_no_next_poll(store: Store, number: int) -> None:
    assert next_look(store, number) is None
    store.follows.add(BARE)
    assert begun(store) == 1
    assert next_look(store, number) is None
    assert next_look(store, 1) == 2


@pytest.mark.parametrize(("passed_s", "is_stalled"), [(119.999999, False), (120, False), (120.000001, True)])
@pytest.mark.parametrize("touch", ["begun", "begun again", "gone on", "moved on"])
def test_a_chain_that_has_not_moved_is_stalled(
    store: Store, clock: HeldClock, touch: str, passed_s: float, is_stalled: bool
) -> None:
    follow = store.follows.add(BARE)
    number = begun(store)
    clock.wait(1000)
    if touch == "begun":
        number = begun(store, "4")
        restarted(store, -1.0)
    elif touch == "begun again":
        moved(store, follow, **ENDED)
        next_look(store, number)
        number = begun(store)
    elif touch == "gone on":
        number = next_look(store, number) or 0
    else:
        ((_, _, number),) = restarted(store, -1.0)
    clock.wait(passed_s)
    project = "4" if touch == "begun" else "3"
    found = restarted(store, 120.0)
    mine = [number for service, project_id, number in found if (service, project_id) == ("codeship", project)]
    assert [now > number for now in mine] == ([True] if is_stalled else [])
    assert restarted(store, 120.0) == []


def test_a_chain_that_has_ended_is_not_stalled(store: Store, clock: HeldClock) -> None:
    assert next_look(store, begun(store)) is None
    clock.wait(1000)
    assert restarted(store, -1.0) == []


def test_every_stalled_chain_is_returned(store: Store, clock: HeldClock) -> None:
    for project_id in ("9", "10", "3"):
        begun(store, project_id)
    store.follows.begin_polling("another", "3")
    clock.wait(1)
    found = restarted(store, -1.0)
    assert {(service, project_id) for service, project_id, _ in found} == {
        ("another", "3"),
        ("codeship", "3"),
        ("codeship", "9"),
        ("codeship", "10"),
    }
    assert len(found) == 4


@pytest.mark.slow
@given(st.lists(st.sampled_from(["add", "end", "begin", "next", "again", "stalled"]), max_size=30), st.randoms())
def test_no_number_is_used_twice_and_no_result_changes(
    shared: Store, shared_clock: HeldClock, acts: list[str], random: Any
) -> None:
    store, clock, project_id = shared, shared_clock, f"of example {next(numbers)}"
    looks, answers = [0], dict[int, int | None]()
    for act in acts:
        clock.wait(1)
        new: list[int | None] = []
        if act == "add":
            store.follows.add(replace(BARE, key=str(next(numbers)), project_id=project_id))
            new = [store.follows.begin_polling("codeship", project_id)]
        elif act == "end":
            for follow in open_of(store, project_id):
                moved(store, follow, **ENDED)
        elif act == "begin":
            new = [store.follows.begin_polling("codeship", project_id)]
        elif act == "stalled":
            new = [number for _, of, number in restarted(store, -1.0) if of == project_id]
        elif looks[1:]:
            number = looks[-1] if act == "next" else random.choice(looks[1:])
            answer = next_look(store, number, project_id)
            if number in answers:
                assert answer in (answers[number], None)
            else:
                new = [answer]
            answers.setdefault(number, answer)
        for issued in filter(None, new):
            if act in ("add", "begin") and issued == looks[-1]:
                continue  # the chain continues and waits for that poll
            assert issued > looks[-1]
            looks.append(issued)


def test_only_a_chain_that_has_not_moved_since_it_was_read_is_restarted(store: Store, clock: HeldClock) -> None:
    store.follows.add(BARE)
    number = begun(store)
    clock.wait(13)
    (chain,) = store.follows.quiet_chains(12.0)
    assert (chain.number, chain.quiet_s) == (number, 13)
    assert next_look(store, number) == number + 1
    assert store.follows.restart_chain(chain) is None
    assert store.follows.quiet_chains(12.0) == []


def test_chains_survive_the_process(opened: Callable[[], Store]) -> None:
    before = opened()
    before.follows.add(BARE)
    number = begun(before)
    before.close()
    assert next_look(opened(), number) == number + 1
    assert begun(opened()) == number + 1


def test_a_chain_that_moved_before_the_clock_was_set_back_is_continued(store: Store, clock: HeldClock) -> None:
    number = store.follows.begin_polling(WHOLE.service, WHOLE.project_id)
    store.follows.add(WHOLE)
    assert restarted(store, 120.0) == []
    clock.time -= timedelta(minutes=4)
    ((_, _, instead),) = restarted(store, 120.0)
    assert instead > number
    assert restarted(store, 120.0) == []

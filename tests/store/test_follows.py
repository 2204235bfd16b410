"""What the core's `FollowStore` guarantees for live messages, without concurrency."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.core.model.builds import Actor, Location, Run
from bot.core.model.follows import Follow, FollowState, LiveRun
from bot.store import Store
from bot.store.engine import Database
from bot.store.follows import CLAIM_KEPT
from tests.store.conftest import NOON, HeldClock
from tests.store.followed import BARE, ENDED, WHOLE, moved, open_of


@pytest.mark.parametrize(
    "follow",
    [
        BARE,
        WHOLE,
        replace(WHOLE, before=Run("", None, None), before_status=None),
        replace(WHOLE, before=Run("failure", None, None, "101.1 102.3")),
    ],
    ids=["bare", "whole", "empty word", "with attempts"],
)
def test_a_follow_is_returned_as_stored(store: Store, follow: Follow) -> None:
    assert store.follows.add(follow) == follow
    assert open_of(store) == [follow]


def test_a_repeated_request_adds_nothing_and_returns_the_stored_follow(store: Store) -> None:
    stored = moved(store, store.follows.add(BARE), shown="running")
    assert store.follows.add(replace(BARE, build_id="8", message_ts="another")) == stored
    assert open_of(store) == [stored]


@pytest.mark.parametrize("state", list(FollowState))
def test_only_open_follows_are_polled(store: Store, state: FollowState) -> None:
    stored = moved(store, store.follows.add(BARE), state=state)
    assert open_of(store) == ([stored] if state is FollowState.OPEN else [])
    assert store.follows.add(BARE) == stored


def test_a_projects_follows_come_oldest_first(store: Store) -> None:
    minutes = {"a": 2, "b": 0, "c": 1, "d": 0}
    for key, minute in minutes.items():
        store.follows.add(replace(BARE, key=key, began_at=NOON + timedelta(minutes=minute)))
    store.follows.add(replace(BARE, key="another project", project_id="4"))
    store.follows.add(replace(BARE, key="another service", service="another"))
    assert [follow.key for follow in open_of(store)] == ["b", "d", "c", "a"]


def test_a_live_message_is_found_by_its_build_and_by_itself(store: Store) -> None:
    first = store.follows.add(BARE)
    second = store.follows.add(replace(BARE, key="second", run_number=2, message_ts="1.9"))
    store.follows.add(replace(BARE, key="elsewhere", location=Location("C9")))
    store.follows.add(replace(BARE, key="another", build_id="8", message_ts="1.8"))
    store.follows.add(replace(BARE, key="another service", service="another", message_ts="1.7"))
    moved(store, store.follows.add(replace(BARE, key="ended", message_ts="1.6")), state=FollowState.ENDED)
    channel = BARE.location.channel
    assert store.follows.open_in(channel, BARE.service, BARE.build_id) == [first, second]
    assert store.follows.open_at(channel, "1.9") == second
    assert store.follows.open_at(channel, "1.6") is None
    assert store.follows.open_at("C9", "1.9") is None


RUN = LiveRun("C1", "codeship", "7", 1)


def test_one_request_may_post_the_live_message_of_a_run(store: Store, clock: HeldClock) -> None:
    assert [store.follows.claim(RUN, key) for key in ("a", "b", "a")] == [True, False, True]
    assert store.follows.claim(replace(RUN, channel="C2"), "b")
    assert store.follows.claim(replace(RUN, run_number=2), "b")
    assert store.follows.is_claimed(RUN, but_by="b")
    assert store.follows.is_claimed(replace(RUN, run_number=None), but_by="a")
    assert not store.follows.is_claimed(RUN, but_by="a")
    store.follows.release("a")
    assert not store.follows.is_claimed(RUN, but_by="b")


def test_a_claim_ends_by_itself(store: Store, clock: HeldClock) -> None:
    assert store.follows.claim(RUN, "b")
    clock.wait(CLAIM_KEPT.total_seconds() + 1)
    assert not store.follows.is_claimed(RUN, but_by="c")
    assert store.follows.claim(RUN, "c")
    clock.wait(-3600.0)
    assert store.follows.claim(RUN, "d"), "the clock was set back"


def test_a_move_writes_everything_with_the_next_version(store: Store) -> None:
    store.follows.add(replace(BARE, key=WHOLE.key))
    assert store.follows.move(replace(BARE, key=WHOLE.key), WHOLE)
    assert open_of(store) == [replace(WHOLE, version=BARE.version + 1)]


@pytest.mark.parametrize("stale", [{"version": 1}, {"version": 3}, {"key": "ask 9"}], ids=str)
def test_a_follow_that_has_moved_on_is_not_moved(store: Store, stale: dict[str, Any]) -> None:
    stored = moved(store, store.follows.add(BARE), shown="running")
    known: Follow = replace(stored, **stale)
    assert not store.follows.move(known, replace(known, shown="passed", **ENDED))
    assert open_of(store) == [stored]


def test_follows_survive_the_process(opened: Callable[[], Store]) -> None:
    before = opened()
    before.follows.add(WHOLE)
    before.close()
    assert open_of(opened()) == [WHOLE]


def test_ended_follows_are_deleted_after_ninety_days(opened: Callable[[], Store], url: str, clock: HeldClock) -> None:
    store = opened()
    for key, state in {"ended": "ended", "given up": "given up", "lost": "lost", "open": "open"}.items():
        moved(store, store.follows.add(replace(BARE, key=key)), state=FollowState(state))
    clock.wait(timedelta(days=90).total_seconds() - 1)
    moved(store, store.follows.add(replace(BARE, key="of late", began_at=clock.now())), **ENDED)
    assert len(keys(url)) == 5
    clock.wait(3600)
    store.follows.add(replace(BARE, key="new", began_at=clock.now()))
    assert keys(url) == {"open", "of late", "new"}


def keys(url: str) -> set[str]:
    database = Database.at(url)
    with database.reading() as connection:
        found = {row.key for row in connection.execute(sa.text("SELECT key FROM follows"))}
    database.close()
    return found


def test_the_asker_and_those_who_want_to_be_notified_find_the_follow(store: Store) -> None:
    store.follows.add(WHOLE)
    for person, found in (("UADA", [WHOLE]), ("UBOB", [WHOLE]), ("UCAROL", [WHOLE]), ("UBO", []), ("%", [])):
        assert store.follows.open_for(Actor(person), 9) == found

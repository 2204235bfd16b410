"""Concurrent threads and processes claim the same: one succeeds, none gets an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from bot.core.model.builds import Actor, Project
from bot.core.model.claims import Claim, ClaimState
from bot.store import Store, open_store
from bot.store.engine import Database
from bot.store.tables import idempotency_keys
from tests.store.conftest import do
from tests.store.followed import BARE
from tests.store.racing import ROUNDS, THREADS, in_threads, processes, raced

pytestmark = pytest.mark.slow

OPENS = """
go()
store = open_store(url, Clock)
print(store.check().endswith(HEAD))
"""

CLAIMS = """
store = open_store(url, Clock)
go()
print(*(number for number in range(60) if store.claims.claim(wanted(number))))
"""

SAYS_KEYS = """
store = open_store(url, Clock)
go()
print(*(number for number in range(60) if store.idempotency_keys.add(str(number), keep_s=60)))
"""

DIES_WRITING = """
store = open_store(url, Clock)
store.claims.claim(wanted(1))
with Database.at(url).writing() as connection:
    connection.execute(text("UPDATE claims SET state = 'taken'"))
    connection.execute(text("INSERT INTO idempotency_keys VALUES ('key', '2026-03-01 00:00:00.000000')"))
    go()
"""


def test_processes_that_start_together_on_a_new_file_all_open_it(url: str) -> None:
    assert raced(OPENS, url, 4) == ["True"] * 4


@pytest.mark.parametrize("script", [CLAIMS, SAYS_KEYS], ids=["claims", "keys"])
def test_one_of_two_processes_wins(opened: Callable[[], Store], url: str, script: str) -> None:
    opened()
    one, other = (set(line.split()) for line in raced(script, url, 2))
    assert not one & other
    assert one | other == {str(number) for number in range(60)}


def test_a_process_killed_during_a_write_leaves_the_old_data(
    opened: Callable[[], Store], url: str, wanted: Callable[..., Claim]
) -> None:
    with processes(DIES_WRITING, url, 1) as (dying,):
        dying.kill()
        dying.wait(timeout=10)
        store = opened()
        (claim,) = store.claims.newest("codeship", ["1"])
        assert claim.state is ClaimState.CLAIMED
        assert store.claims.move(claim, replace(claim, state=ClaimState.NOT_SENT))
        assert store.claims.claim(wanted("1")) is not None


def test_one_thread_wins_a_run_that_was_never_claimed(store: Store, wanted: Callable[..., Claim]) -> None:
    for number in range(ROUNDS):
        won = in_threads(lambda actor, build=str(number): store.claims.claim(wanted(build, actor=f"U{actor}")))
        (winner,) = filter(None, won)
        assert store.claims.newest("codeship", [str(number)]) == [winner]


def test_one_thread_wins_a_run_that_is_free_again(store: Store, wanted: Callable[..., Claim]) -> None:
    claim = store.claims.claim(wanted())
    assert claim is not None
    for attempt in range(2, ROUNDS):
        assert store.claims.move(claim, replace(claim, state=ClaimState.REFUSED))
        (claim,) = filter(None, in_threads(lambda actor: store.claims.claim(wanted(actor=f"U{actor}"))))
        assert claim.attempt == attempt


def test_one_thread_replaces_an_unknown_claim(store: Store, wanted: Callable[..., Claim]) -> None:
    claim = store.claims.claim(wanted())
    for attempt in range(1, ROUNDS):
        assert claim is not None
        assert store.claims.move(claim, replace(claim, state=ClaimState.UNKNOWN))
        won = in_threads(
            lambda actor, id=claim.id, attempt=attempt: store.claims.claim_again(
                wanted(actor=f"U{actor}"), instead_of=id, attempt=attempt
            )
        )
        (claim,) = filter(None, won)


def test_one_thread_moves_a_claim(store: Store, wanted: Callable[..., Claim]) -> None:
    for number in range(ROUNDS):
        claim = store.claims.claim(wanted(str(number)))
        assert claim is not None
        sent = replace(claim, state=ClaimState.SENT)
        moved = in_threads(lambda _, claim=claim, sent=sent: store.claims.move(claim, sent))
        assert sorted(moved) == [False] * (THREADS - 1) + [True]


def test_one_thread_wins_under_stricter_isolation(new_postgres: str, clock: Any) -> None:
    """An operator's setting. PostgreSQL would then fail a transaction that waited for a changed row."""
    with isolating(new_postgres):
        store = open_store(new_postgres, clock)
        follow = store.follows.add(BARE)
        for _ in range(ROUNDS):
            moved = in_threads(lambda _, follow=follow: store.follows.move(follow, replace(follow, shown="passed")))
            assert sorted(moved) == [False] * (THREADS - 1) + [True]
            (follow,) = store.follows.open_of("codeship", "3")
        store.close()


@contextmanager
def isolating(url: str) -> Iterator[None]:
    database = url.rpartition("/")[2]
    do(url, f"ALTER DATABASE {database} SET default_transaction_isolation = 'serializable'")
    try:
        yield
    finally:
        do(url, f"ALTER DATABASE {database} RESET default_transaction_isolation")


def test_a_reader_sees_one_snapshot(opened: Callable[[], Store], url: str) -> None:
    store, reader = opened(), Database.at(url)
    with reader.reading() as connection:
        for _ in range(2):
            assert connection.scalar(sa.select(sa.func.count()).select_from(idempotency_keys)) == 0
            store.idempotency_keys.add("key", keep_s=60)
    reader.close()


def test_one_thread_is_first_to_add_a_key(store: Store) -> None:
    for number in range(ROUNDS):
        said = in_threads(lambda _, key=str(number): store.idempotency_keys.add(key, keep_s=60))
        assert sorted(said) == [False] * (THREADS - 1) + [True]


def test_a_list_is_never_a_mixture_of_two(store: Store) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    lists = [[Project(str(n), f"acme/{who}-{n}", "codeship") for n in range(50 + who)] for who in range(THREADS)]

    def save_and_load(who: int) -> bool:
        seen = []
        for _ in range(ROUNDS):
            store.projects.save_projects("codeship", lists[who], at)
            seen.append(store.projects.load_projects("codeship")[0] in lists)
        return all(seen)

    assert all(in_threads(save_and_load))


def test_logins_that_one_person_links_at_once_leave_one(store: Store, clock: Any) -> None:
    ada = Actor("U0ADA")
    for number in range(ROUNDS):
        linked = in_threads(lambda thread, n=number: store.people.claim(f"ada-{n}-{thread}", ada, clock.now()))
        assert len({link.login for link in linked}) == THREADS
        assert store.people.of_person(ada) in linked

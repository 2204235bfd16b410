"""What the core's `ClaimStore` guarantees, without concurrency."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.model.builds import Actor, Location, Run
from bot.core.model.claims import Claim, ClaimState
from bot.store import Store
from tests.store.conftest import HeldClock

Wanted = Callable[..., Claim]


def claimed(store: Store, claim: Claim) -> Claim:
    got = store.claims.claim(claim)
    assert got is not None
    return got


def moved(store: Store, claim: Claim, **to: object) -> Claim:
    after = replace(claim, **to)  # type: ignore[arg-type]
    assert store.claims.move(claim, after)
    return after


def test_a_claim_is_returned_as_stored_with_its_id(store: Store, wanted: Wanted) -> None:
    got = claimed(store, wanted())
    assert got.id > 0
    assert got == replace(wanted(), id=got.id, attempt=1, changed_at=wanted().requested_at)
    assert store.claims.newest("codeship", ["7"]) == [got]


def test_every_optional_field_may_be_none(store: Store, wanted: Wanted) -> None:
    bare = wanted(location=Location("C1"), replaced=Run("", None, None))
    got = claimed(store, bare)
    assert (got.location, got.replaced, got.new_build_id) == (Location("C1"), Run("", None, None), None)


def test_the_attempts_and_posts_of_workflows_are_stored(store: Store, wanted: Wanted) -> None:
    got = claimed(store, wanted(replaced=Run("failure", None, None, "101.1 102.3"), failed_jobs_only=True))
    (kept,) = store.claims.newest("codeship", ["7"])
    assert (kept, kept.replaced.attempts, kept.failed_jobs_only) == (got, "101.1 102.3", True)


@pytest.mark.parametrize(
    ("other", "wins"),
    [
        ({}, False),
        ({"project_id": "another", "actor": "UBOB"}, False),
        ({"run_number": 2}, True),
        ({"build_id": "8"}, True),
        ({"build_id": "07"}, True),
        ({"service": "another"}, True),
    ],
)
def test_a_run_has_one_claim(store: Store, wanted: Wanted, other: dict[str, object], wins: bool) -> None:
    claimed(store, wanted())
    assert (store.claims.claim(wanted(**other)) is not None) is wins


@pytest.mark.parametrize("state", list(ClaimState))
def test_only_a_refused_or_unsent_claim_frees_its_run(store: Store, wanted: Wanted, state: ClaimState) -> None:
    first = moved(store, claimed(store, wanted()), state=state, seen_running=True, new_build_id="9")
    by_bob = wanted(
        actor="UBOB", location=Location("D2"), replaced=Run("stopped", None, None), requested_at=later(first, 40)
    )
    got = store.claims.claim(by_bob)
    if state in (ClaimState.REFUSED, ClaimState.NOT_SENT):
        assert got == replace(by_bob, id=first.id, attempt=2, changed_at=by_bob.requested_at)
        assert store.claims.newest("codeship", ["7", "9"]) == [got]
    else:
        assert got is None
        assert store.claims.newest("codeship", ["7"]) == [first]


@pytest.mark.parametrize("state", list(ClaimState))
def test_only_an_unknown_claim_is_claimed_again(store: Store, wanted: Wanted, state: ClaimState) -> None:
    first = moved(store, claimed(store, wanted()), state=state)
    by_bob = wanted(actor="UBOB", requested_at=later(first, 130))
    got = store.claims.claim_again(by_bob, instead_of=first.id, attempt=1)
    if state is ClaimState.UNKNOWN:
        assert got == replace(by_bob, id=first.id, attempt=2, changed_at=by_bob.requested_at)
        assert store.claims.claim_again(by_bob, instead_of=first.id, attempt=1) is None
    else:
        assert got is None


@pytest.mark.parametrize(
    ("build_id", "id_off", "attempt"), [("7", 0, 2), ("7", 0, 0), ("7", 1, 1), ("8", 0, 1)], ids=str
)
def test_claiming_again_names_the_claim_that_it_replaces(
    store: Store, wanted: Wanted, build_id: str, id_off: int, attempt: int
) -> None:
    first = moved(store, claimed(store, wanted()), state=ClaimState.UNKNOWN)
    assert store.claims.claim_again(wanted(build_id), instead_of=first.id + id_off, attempt=attempt) is None
    assert store.claims.newest("codeship", ["7"]) == [first]


def test_a_move_writes_what_a_fetch_showed_and_nothing_else(store: Store, wanted: Wanted) -> None:
    first = claimed(store, wanted())
    found = {"state": ClaimState.TAKEN, "seen_running": True, "new_build_id": "9", "changed_at": later(first, 3)}
    assert store.claims.move(first, replace(first, actor=Actor("UBOB"), **found))  # type: ignore[arg-type]
    assert store.claims.newest("codeship", ["7"]) == [replace(first, **found)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "stale", [{"id": 1000}, {"attempt": 2}, {"state": ClaimState.CLAIMED}, {"state": ClaimState.TAKEN}], ids=str
)
def test_a_claim_that_has_moved_on_is_not_moved(store: Store, wanted: Wanted, stale: dict[str, object]) -> None:
    now = moved(store, claimed(store, wanted()), state=ClaimState.SENT)
    known: Claim = replace(now, **stale)  # type: ignore[arg-type]
    assert not store.claims.move(known, replace(known, state=ClaimState.REFUSED))
    assert store.claims.newest("codeship", ["7"]) == [now]


def test_a_response_after_the_next_claim_changes_nothing(store: Store, wanted: Wanted) -> None:
    lost = moved(store, claimed(store, wanted()), state=ClaimState.NOT_SENT)
    second = claimed(store, wanted(actor="UBOB"))
    assert not store.claims.move(replace(lost, state=ClaimState.CLAIMED), replace(lost, state=ClaimState.TAKEN))
    assert store.claims.newest("codeship", ["7"]) == [second]


def test_a_request_finds_the_claim_that_it_made(store: Store, wanted: Wanted) -> None:
    claimed(store, wanted("6", key="ask 1"))
    claimed(store, wanted("7", key="ask 2"))
    claimed(store, wanted("8"))
    last = moved(store, claimed(store, wanted("5", key="ask 1")), state=ClaimState.SENT)
    assert store.claims.of_request("ask 1") == last
    assert store.claims.of_request("ask 3") is None
    assert store.claims.of_request("") is None


def test_a_run_that_is_claimed_again_belongs_to_the_request_that_did_so(store: Store, wanted: Wanted) -> None:
    first = moved(store, claimed(store, wanted(key="ask 1")), state=ClaimState.REFUSED)
    second = moved(store, claimed(store, wanted(key="ask 2")), state=ClaimState.UNKNOWN)
    assert (store.claims.of_request("ask 1"), store.claims.of_request("ask 2")) == (None, second)
    third = store.claims.claim_again(wanted(key="ask 3"), instead_of=first.id, attempt=2)
    assert (store.claims.of_request("ask 2"), store.claims.of_request("ask 3")) == (None, third)


@pytest.mark.parametrize("state", list(ClaimState))
def test_ended_claims_are_deleted_after_ninety_days(
    store: Store, wanted: Wanted, clock: HeldClock, state: ClaimState
) -> None:
    """Counted from its end, and not while a restart may still run."""
    kept = moved(store, claimed(store, wanted("6", key="ask")), state=state, changed_at=later(wanted(), 3601))
    gone = moved(store, claimed(store, wanted("7")), state=state)
    clock.wait(timedelta(days=90).total_seconds() - 1)
    claimed(store, wanted("8"))
    assert store.claims.newest("codeship", ["6", "7"]) == [kept, gone]
    clock.wait(3600)
    claimed(store, wanted("9"))
    is_over = state in (ClaimState.ENDED, ClaimState.REFUSED, ClaimState.NOT_SENT)
    assert store.claims.newest("codeship", ["6", "7"]) == ([kept] if is_over else [kept, gone])


def test_newest_returns_one_claim_per_build_in_the_requested_order(store: Store, wanted: Wanted) -> None:
    for build_id, run_number in [("7", 2), ("7", 10), ("7", 9), ("8", 1), ("6", 1)]:
        claimed(store, wanted(build_id, run_number))
    claimed(store, wanted("7", 11, service="another"))
    found = store.claims.newest("codeship", ["8", "none", "7", "8"])
    assert [(each.build_id, each.run_number) for each in found] == [("8", 1), ("7", 10)]
    assert store.claims.newest("codeship", []) == []


def test_newest_finds_a_build_by_the_restart_that_created_it(store: Store, wanted: Wanted) -> None:
    made = moved(store, claimed(store, wanted("7", 5)), state=ClaimState.TAKEN, new_build_id="9")
    assert store.claims.newest("codeship", ["9"]) == [made]
    assert store.claims.newest("codeship", ["9", "7"]) == [made]


def test_a_builds_own_claim_hides_the_one_that_created_it(store: Store, wanted: Wanted) -> None:
    moved(store, claimed(store, wanted("7", 5)), state=ClaimState.ENDED, new_build_id="9")
    own = claimed(store, wanted("9", 1))
    assert store.claims.newest("codeship", ["9"]) == [own]


def test_newest_accepts_more_builds_than_one_query_can_name(store: Store, wanted: Wanted) -> None:
    for number in range(0, 130, 40):
        claimed(store, wanted(f"b{number}"))
    found = store.claims.newest("codeship", [f"b{number}" for number in range(130)])
    assert [each.build_id for each in found] == ["b0", "b40", "b80", "b120"]


def test_claims_survive_the_process(opened: Callable[[], Store], wanted: Wanted) -> None:
    before = opened()
    first = moved(before, claimed(before, wanted()), state=ClaimState.SENT)
    before.close()
    assert opened().claims.newest("codeship", ["7"]) == [first]
    assert opened().claims.claim(wanted()) is None


def later(claim: Claim, seconds: float) -> datetime:
    return claim.requested_at.astimezone(UTC) + timedelta(seconds=seconds)

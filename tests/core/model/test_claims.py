"""The states of a claim: what each fetch proves, as a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.core.model.builds import Build, Status
from bot.core.model.claims import NO_RESTART, Claim, ClaimState, RestartState, after_look, restart_state_of
from tests.core.world import ADA, BUILDS, NOON, build, project

WEB = project(1, "acme/web")
OLD = build(7, WEB)
RUNNING = replace(OLD, status=Status.RUNNING, status_word="testing", started_at=NOON, finished_at=None)
ENDED_AGAIN = replace(OLD, started_at=NOON, finished_at=NOON + timedelta(minutes=4))
ODD = replace(OLD, status=Status.UNKNOWN, status_word="frozen", finished_at=None)
WITHOUT_TIMES = replace(OLD, started_at=None, finished_at=None)

SOON, LATE = timedelta(seconds=5), timedelta(minutes=5)


def claim(state: ClaimState, **fields: object) -> Claim:
    made = Claim("codeship", "1", "7", 1, ADA, BUILDS, OLD.run, NOON, id=1, state=state, changed_at=NOON)
    return replace(made, **fields)  # type: ignore[arg-type]


C, S, T, R, N, U, E = (
    ClaimState.CLAIMED,
    ClaimState.SENT,
    ClaimState.TAKEN,
    ClaimState.REFUSED,
    ClaimState.NOT_SENT,
    ClaimState.UNKNOWN,
    ClaimState.ENDED,
)


@pytest.mark.parametrize(
    ("state", "shown", "after", "becomes"),
    [
        (C, OLD, SOON, C),
        (C, RUNNING, SOON, C),
        (C, OLD, LATE, N),  # died before it sent
        (S, OLD, SOON, S),
        (S, RUNNING, SOON, S),  # its own answer is still to come
        (S, OLD, LATE, U),  # died before it stored the result
        (S, RUNNING, LATE, T),
        (S, ENDED_AGAIN, LATE, E),
        (T, OLD, SOON, T),  # the list is stale
        (T, RUNNING, SOON, T),
        (T, ENDED_AGAIN, SOON, E),
        (T, ODD, SOON, T),
        (T, OLD, LATE, E),  # no list is stale for so long
        (U, OLD, SOON, U),
        (U, OLD, LATE, U),  # only a person's own press continues from here
        (U, RUNNING, SOON, T),
        (U, ENDED_AGAIN, SOON, E),
        (R, RUNNING, LATE, R),
        (N, RUNNING, LATE, N),
        (E, RUNNING, LATE, E),
    ],
)
def test_what_a_fetch_proves(state: ClaimState, shown: Build, after: timedelta, becomes: ClaimState) -> None:
    assert after_look(claim(state), shown, NOON + after).state is becomes


def test_a_run_without_times_ends_once_it_has_been_seen_to_run() -> None:
    taken = claim(T, replaced=WITHOUT_TIMES.run)
    assert after_look(taken, WITHOUT_TIMES, NOON + SOON).state is T
    seen = after_look(taken, replace(RUNNING, started_at=None), NOON + SOON)
    assert (seen.state, seen.seen_running) == (T, True)
    assert after_look(seen, WITHOUT_TIMES, NOON + 2 * SOON).state is E


def test_a_fetch_that_began_before_the_response_proves_nothing() -> None:
    taken = claim(T, changed_at=NOON + SOON)
    assert after_look(taken, RUNNING, NOON) == taken
    assert after_look(taken, ENDED_AGAIN, NOON) == taken


def test_a_restart_with_an_id_of_its_own_leaves_the_old_build_claimed_for_good() -> None:
    taken = claim(T, new_build_id="8")
    assert after_look(taken, OLD, NOON + LATE) == taken
    assert restart_state_of(taken, OLD) == RestartState(1, taken)


def test_the_new_build_of_such_a_restart_is_claimed_while_it_runs_and_free_afterwards() -> None:
    taken = claim(T, new_build_id="8")
    assert restart_state_of(taken, replace(RUNNING, id="8")) == RestartState(1, taken)
    assert restart_state_of(taken, replace(ENDED_AGAIN, id="8")) == RestartState(1, previous=taken)


@pytest.mark.parametrize("state", [R, N])
def test_a_refused_or_unsent_claim_frees_its_run_at_once(state: ClaimState) -> None:
    assert restart_state_of(claim(state), OLD) == RestartState(1)


def test_after_an_ended_claim_the_build_is_in_its_next_run() -> None:
    ended = claim(E, run_number=3)
    assert restart_state_of(ended, OLD) == RestartState(4, previous=ended)


def test_a_build_that_was_never_restarted_is_in_its_first_run() -> None:
    assert restart_state_of(None, OLD) is NO_RESTART


def test_nothing_is_written_if_a_fetch_shows_nothing_new() -> None:
    first = after_look(claim(T), RUNNING, NOON + SOON)
    later: datetime = NOON + 2 * SOON
    assert after_look(first, RUNNING, later) is first


@pytest.mark.parametrize(
    ("state", "shown", "becomes"), [(C, OLD, N), (S, OLD, U), (T, RUNNING, T), (T, ENDED_AGAIN, E), (U, ENDED_AGAIN, E)]
)
def test_a_clock_set_back_by_minutes_delays_no_claim(state: ClaimState, shown: Build, becomes: ClaimState) -> None:
    """The claim was made by the old clock; what is seen now seems to be from before it."""
    seen = after_look(claim(state, seen_running=True), shown, NOON - timedelta(minutes=4))
    assert seen.state is becomes


def test_after_the_clock_was_set_back_a_run_that_seems_to_have_ended_before_its_request_is_the_new_one() -> None:
    """The request has the old clock's time, and the run that of CI."""
    ago = replace(ENDED_AGAIN, started_at=NOON - timedelta(minutes=3), finished_at=NOON - timedelta(minutes=2))
    assert after_look(claim(T), ago, NOON + SOON).state is T
    assert after_look(claim(T), ago, NOON - timedelta(minutes=1)).state is E

"""A durable request that was interrupted and runs again finds its own claim, and finishes what it started."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.model.actions.decisions import Decision
from bot.core.model.actions.values import ActionPlan, PostRecord, RunTarget
from bot.core.model.builds import Status
from bot.core.model.claims import Claim, ClaimKind, ClaimState
from bot.core.model.errors import CIError, NotPossible, Unreachable
from bot.core.model.outcomes import AlreadyRestarted, CouldNotTell, Outcome, Restarted, RunAgainSince, StillRunning
from bot.core.request import UserRequest
from tests.core.actions.ada_restarts import MAIN, OLD, posts, state
from tests.core.world import ADA, BOB, BUILDS, World, status
from tests.held_clock import NOON

KEY = "command:1"
POSTS = (PostRecord(RunTarget("7")),)


def died(web: World, state: ClaimState, key: str = KEY) -> Claim:
    """The process died with its claim in that state."""
    claim = Claim("codeship", OLD.project.id, "7", 1, ADA, BUILDS, OLD.run, web.clock.now(), key=key, posts=POSTS)
    stored = web.store.claims.claim(claim)
    assert stored is not None
    after = replace(stored, state=state, changed_at=web.clock.now())
    assert web.store.claims.move(stored, after)
    return after


DECISION = Decision(ClaimKind.RESTART, OLD, 1, ActionPlan((RunTarget("7"),)), NOON, ("7",))
"""What the request was about, as it was stored before the crash."""


def again(web: World, *, late: bool = False) -> Outcome:
    """The same request, continued by another process."""
    made_at = NOON if late else None
    request = UserRequest(ADA, BUILDS, web.clock, web.clock.monotonic() + 16, KEY, made_at=made_at)
    return web.operations.act(DECISION, request)


def test_a_claim_that_was_not_sent_is_sent_after_a_crash(web: World) -> None:
    died(web, ClaimState.CLAIMED)
    assert isinstance(again(web), Restarted)
    assert posts(web) == 1


@pytest.mark.parametrize(("free", "told"), [(ClaimState.REFUSED, NotPossible), (ClaimState.NOT_SENT, Unreachable)])
def test_a_refused_or_unsent_claim_is_reported_and_not_repeated(
    web: World, free: ClaimState, told: type[CIError]
) -> None:
    died(web, free)
    with pytest.raises(told):
        again(web)
    assert posts(web) == 0


def test_the_build_that_was_decided_on_is_restarted_even_if_a_newer_one_exists(web: World) -> None:
    web.ci.all_builds = [replace(OLD, id="8", started_at=NOON), OLD]
    assert isinstance(again(web, late=True), Restarted)
    assert web.ci.posts == [("7", 1, False)]


def test_a_build_that_another_restart_has_run_meanwhile_is_not_restarted(web: World) -> None:
    assert isinstance(web.ask(MAIN, BOB), Restarted)
    web.clock.advance(10)
    web.ci.ends("7", Status.FAILED, "error")
    assert isinstance(again(web, late=True), RunAgainSince)
    assert posts(web) == 1


def test_a_decision_older_than_a_finished_restart_sends_nothing(web: World) -> None:
    assert isinstance(web.ask(MAIN, BOB), Restarted)
    web.clock.advance(10)
    web.ci.ends("7", Status.FAILED, "error")
    web.ask(status("acme/web", "main"))
    assert isinstance(again(web), RunAgainSince)
    assert posts(web) == 1


@pytest.mark.parametrize("sent", [ClaimState.SENT, ClaimState.UNKNOWN])
def test_a_claim_that_may_have_been_sent_is_looked_up_and_not_sent_again(web: World, sent: ClaimState) -> None:
    died(web, sent)
    assert isinstance(again(web), CouldNotTell)
    assert posts(web) == 0
    assert state(web) is ClaimState.UNKNOWN


@pytest.mark.parametrize("sent", [ClaimState.SENT, ClaimState.UNKNOWN])
def test_a_sent_restart_that_runs_is_found(web: World, sent: ClaimState) -> None:
    died(web, sent)
    web.clock.advance(2)
    web.ci.becomes("7", Status.RUNNING, "testing")
    outcome = again(web)
    assert isinstance(outcome, Restarted)
    assert outcome.seen
    assert posts(web) == 0


def test_an_accepted_restart_is_reported_as_accepted(web: World) -> None:
    died(web, ClaimState.TAKEN)
    assert isinstance(again(web), Restarted)
    assert posts(web) == 0


def test_a_claim_that_was_never_sent_does_not_count_a_run_that_others_started(web: World) -> None:
    """On CodeShip's own page, say, between the crash and now."""
    died(web, ClaimState.CLAIMED)
    began = web.clock.now() + timedelta(seconds=1)
    web.clock.advance(2)
    web.ci.all_builds = [replace(OLD, status=Status.RUNNING, status_word="testing", started_at=began, finished_at=None)]
    assert isinstance(again(web), StillRunning)
    assert posts(web) == 0
    assert state(web) is ClaimState.NOT_SENT


def test_a_claim_that_was_not_sent_stays_unsent_while_the_service_is_down(web: World) -> None:
    died(web, ClaimState.CLAIMED)
    web.ci.failures["builds"] = [Unreachable("CodeShip")]
    with pytest.raises(Unreachable):
        again(web)
    assert (posts(web), state(web)) == (0, ClaimState.NOT_SENT)


def test_another_request_does_not_continue_it(web: World) -> None:
    died(web, ClaimState.TAKEN, key="command:2")
    assert isinstance(web.ask(MAIN, BOB), AlreadyRestarted)
    assert isinstance(again(web), AlreadyRestarted)

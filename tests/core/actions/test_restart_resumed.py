"""A durable ask that was cut off and is done again finds its own claim, and ends what it began."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.model.builds import Status
from bot.core.model.claims import Claim, ClaimState
from bot.core.model.errors import Unreachable
from bot.core.model.outcomes import AlreadyRestarted, CouldNotTell, Outcome, Restarted, StillRunning
from bot.core.request import UserRequest
from tests.core.actions.ada_restarts import MAIN, OLD, posts, state
from tests.core.world import ADA, BOB, BUILDS, World

KEY = "command:1"


def died(web: World, state: ClaimState, key: str = KEY) -> Claim:
    """The process died with its claim in that state."""
    claim = Claim("codeship", OLD.project.id, "7", 1, ADA, BUILDS, OLD.run, web.clock.now(), key=key)
    stored = web.store.claims.claim(claim)
    assert stored is not None
    after = replace(stored, state=state, changed_at=web.clock.now())
    assert web.store.claims.move(stored, after)
    return after


def again(web: World) -> Outcome:
    """The same ask, done again."""
    return web.operations.execute(MAIN, UserRequest(ADA, BUILDS, web.clock, web.clock.monotonic() + 16, KEY))


def test_what_was_claimed_and_not_sent_is_sent_now(web: World) -> None:
    died(web, ClaimState.CLAIMED)
    assert isinstance(again(web), Restarted)
    assert posts(web) == 1


@pytest.mark.parametrize("free", [ClaimState.REFUSED, ClaimState.NOT_SENT])
def test_what_is_free_again_is_requested_again(web: World, free: ClaimState) -> None:
    died(web, free)
    assert isinstance(again(web), Restarted)
    assert posts(web) == 1


@pytest.mark.parametrize("sent", [ClaimState.SENT, ClaimState.UNKNOWN])
def test_what_may_have_been_sent_is_looked_for_and_not_sent_again(web: World, sent: ClaimState) -> None:
    died(web, sent)
    assert isinstance(again(web), CouldNotTell)
    assert posts(web) == 0
    assert state(web) is ClaimState.UNKNOWN


@pytest.mark.parametrize("sent", [ClaimState.SENT, ClaimState.UNKNOWN])
def test_what_was_sent_and_runs_is_found(web: World, sent: ClaimState) -> None:
    died(web, sent)
    web.clock.advance(2)
    web.ci.becomes("7", Status.RUNNING, "testing")
    outcome = again(web)
    assert isinstance(outcome, Restarted)
    assert outcome.seen
    assert posts(web) == 0


def test_what_was_taken_is_reported_as_that(web: World) -> None:
    died(web, ClaimState.TAKEN)
    assert isinstance(again(web), Restarted)
    assert posts(web) == 0


def test_what_was_never_sent_is_not_taken_for_a_run_that_others_began(web: World) -> None:
    """On CodeShip's own page, say, between the crash and now."""
    died(web, ClaimState.CLAIMED)
    began = web.clock.now() + timedelta(seconds=1)
    web.clock.advance(2)
    web.ci.all_builds = [replace(OLD, status=Status.RUNNING, status_word="testing", started_at=began, finished_at=None)]
    assert isinstance(again(web), StillRunning)
    assert posts(web) == 0
    assert state(web) is ClaimState.NOT_SENT


def test_while_the_service_is_down_nothing_is_sent_for_what_was_only_claimed(web: World) -> None:
    died(web, ClaimState.CLAIMED)
    web.ci.failures["builds"] = [Unreachable("CodeShip")]
    with pytest.raises(Unreachable):
        again(web)
    assert (posts(web), state(web)) == (0, ClaimState.NOT_SENT)


def test_another_ask_does_not_go_on_with_it(web: World) -> None:
    died(web, ClaimState.TAKEN, key="command:2")
    assert isinstance(web.ask(MAIN, BOB), AlreadyRestarted)
    assert isinstance(again(web), AlreadyRestarted)

"""What the response to a restart means: none, a refusal, a late one; and Try again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from bot.core.model.builds import Actor, Status
from bot.core.model.claims import Claim, ClaimState
from bot.core.model.errors import CIError, Forbidden, InvalidResponse, NotFound, OverLimit, Unauthorized, Unreachable
from bot.core.model.outcomes import AlreadyRestarted, BuildShown, CouldNotTell, Outcome, Restarted, RunAgainSince
from tests.core.actions.ada_restarts import LOST, MAIN, OLD, WEB, could_not_tell, posts, state
from tests.core.world import ADA, BOB, PATIENCE_S, World, build, press, restart, status


def test_an_accepted_restart_without_a_response_is_found_running(web: World) -> None:
    web.ci.failures["restart"] = [LOST]
    outcome = web.ask(MAIN)
    assert isinstance(outcome, Restarted)
    assert (outcome.seen, outcome.build.is_under_way) == (True, True)
    assert (state(web), web.claim_on("7").seen_running) == (ClaimState.TAKEN, True)
    assert web.ci.calls == ["builds", "restart", "builds"]


def test_an_accepted_restart_without_a_response_that_ended_at_once_is_found(web: World) -> None:
    web.ci.failures["restart"] = [LOST]
    held = web.ci.hold("restart answered")
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(web.ask, MAIN)
        held.wait_for()
        web.ci.ends("7")
        held.let_go()
        outcome = asked.result(PATIENCE_S)
    assert isinstance(outcome, Restarted)
    assert outcome.seen
    assert state(web) is ClaimState.ENDED


def test_an_accepted_restart_without_a_response_is_found_under_its_own_id(web: World) -> None:
    web.ci.new_id = "8"
    web.ci.failures["restart"] = [LOST]
    outcome = web.ask(MAIN)
    assert isinstance(outcome, Restarted)
    assert (outcome.seen, outcome.build.id, outcome.claim.new_build_id) == (True, "8", "8")
    assert web.claim_on("8").build_id == "7"


def test_a_list_that_lags_is_fetched_until_it_shows_the_restart(web: World) -> None:
    web.ci.failures["restart"] = [LOST]
    web.ci.restart_shows = False
    web.ci.failures["builds"] = [None, None, Unreachable("CodeShip")]
    waited = web.clock.wait

    def wait(seconds: float) -> None:
        waited(seconds)
        if len(web.clock.waits) == 3:
            web.ci.catch_up()

    web.clock.wait = wait  # type: ignore[method-assign]
    outcome = web.ask(MAIN)
    assert isinstance(outcome, Restarted)
    assert outcome.seen
    assert web.clock.waits == [0.5, 1.5, 3.0]


def test_a_restart_without_a_response_and_without_effect_is_unknown(web: World) -> None:
    outcome = could_not_tell(web)
    assert (outcome.found, outcome.shown, outcome.looked, outcome.ago_s) == (OLD, OLD, None, 5.0)
    assert outcome.claim == web.claim_on("7")
    assert outcome.claim.state is ClaimState.UNKNOWN


def test_if_the_fetch_after_a_lost_response_fails_the_reply_says_why(web: World) -> None:
    web.ci.failures["restart"] = [LOST]
    down = Unreachable("CodeShip")
    web.ci.failures["builds"] = [None, down, down, down]
    outcome = web.ask(MAIN)
    assert isinstance(outcome, CouldNotTell)
    assert (outcome.found, outcome.looked) == (None, down)


def test_the_search_for_the_result_ends_at_the_request_timeout(web: World) -> None:
    web.ci.restart_takes = False
    web.ci.failures["restart"] = [LOST]
    outcome = web.ask(MAIN, timeout_s=4.0)
    assert isinstance(outcome, CouldNotTell)
    assert web.clock.waits == [0.5, 1.5]


def test_an_older_build_of_the_same_commit_is_not_mistaken_for_the_new_run(web: World) -> None:
    older = build(3, WEB)
    elsewhere = [build(number, WEB, "dev", commit="a" * 40) for number in range(20, 11, -1)]
    web.has(*elsewhere, OLD, older)  # ten are listed: only a fetch of the branch shows the older one
    web.ci.restart_takes = False
    web.ci.failures["restart"] = [LOST]
    outcome = web.ask(restart("https://ci.example/projects/1/builds/7"))
    assert isinstance(outcome, CouldNotTell)
    assert web.store.claims.newest("codeship", ["3"]) == []


def test_a_request_after_one_with_an_unknown_result_says_so_and_sends_nothing(web: World) -> None:
    first = could_not_tell(web)
    web.clock.advance(600)
    for again in (MAIN, press(OLD)):
        outcome = web.ask(again, BOB)
        assert isinstance(outcome, CouldNotTell)
        assert (outcome.claim.id, outcome.claim.actor, outcome.found) == (first.claim.id, ADA, OLD)
    assert posts(web) == 1


def test_a_request_after_one_with_an_unknown_result_finds_it_running(web: World) -> None:
    could_not_tell(web)
    web.clock.advance(5)
    web.ci.becomes("7", Status.RUNNING, "testing")
    outcome = web.ask(MAIN, BOB)
    assert isinstance(outcome, AlreadyRestarted)
    assert (outcome.claim.actor, outcome.claim.state) == (ADA, ClaimState.TAKEN)


def test_try_again_sends_one_more_restart(web: World) -> None:
    first = could_not_tell(web)
    web.clock.advance(20)
    outcome = web.ask(press(OLD, instead_of=first.claim), BOB)
    assert isinstance(outcome, Restarted)
    assert (outcome.claim.actor, outcome.claim.attempt, outcome.claim.id) == (BOB, 2, first.claim.id)
    assert posts(web) == 2


def test_two_concurrent_try_again_send_one_post(web: World) -> None:
    first = could_not_tell(web)
    for number in range(5):
        web.ci.failures["restart"] = [LOST]
        barrier = Barrier(2)
        claim = web.claim_on("7")

        def again(actor: Actor, barrier: Barrier = barrier, claim: Claim = claim) -> Outcome:
            barrier.wait(PATIENCE_S)
            return web.ask(press(OLD, instead_of=claim), actor)

        before = posts(web)
        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(again, [ADA, BOB]))
        assert posts(web) == before + 1, number
        assert all(isinstance(outcome, CouldNotTell | AlreadyRestarted) for outcome in outcomes)
    assert web.claim_on("7").attempt == first.claim.attempt + 5


def test_a_stale_try_again_sends_nothing(web: World) -> None:
    first = could_not_tell(web)
    web.ci.failures["restart"] = [LOST]
    assert isinstance(web.ask(press(OLD, instead_of=first.claim), BOB), CouldNotTell)
    outcome = web.ask(press(OLD, instead_of=first.claim))
    assert isinstance(outcome, CouldNotTell)
    assert (outcome.claim.attempt, outcome.claim.actor) == (2, BOB)
    assert posts(web) == 2


def test_try_again_for_a_running_restart_sends_nothing(web: World) -> None:
    first = could_not_tell(web)
    web.clock.advance(5)
    web.ci.becomes("7", Status.RUNNING, "testing")
    outcome = web.ask(press(OLD, instead_of=first.claim), BOB)
    assert isinstance(outcome, AlreadyRestarted)
    assert posts(web) == 1


def test_try_again_for_a_finished_restart_sends_nothing(web: World) -> None:
    first = could_not_tell(web)
    web.clock.advance(60)
    now = web.clock.now()
    web.ci.all_builds = [replace(OLD, started_at=now, finished_at=now)]
    outcome = web.ask(press(OLD, instead_of=first.claim), BOB)
    assert isinstance(outcome, RunAgainSince)
    assert posts(web) == 1


def test_try_again_after_an_accepted_restart_sends_nothing(web: World) -> None:
    first = could_not_tell(web)
    web.ci.restart_takes = True
    assert isinstance(web.ask(press(OLD, instead_of=first.claim)), Restarted)
    assert isinstance(web.ask(press(OLD, instead_of=first.claim), BOB), AlreadyRestarted)
    ran = web.clock
    ran.advance(60)
    web.ci.ends("7")
    assert isinstance(web.ask(press(OLD, instead_of=first.claim), BOB), RunAgainSince)
    assert posts(web) == 2


def test_try_again_for_an_unknown_claim_is_an_ordinary_request(web: World) -> None:
    first = could_not_tell(web)
    other = replace(first.claim, id=999)
    assert isinstance(web.ask(press(OLD, instead_of=other), BOB), CouldNotTell)
    assert posts(web) == 1


@pytest.mark.parametrize("failure", [OverLimit("CodeShip"), Unauthorized("CodeShip"), Unreachable("CodeShip")])
def test_a_refused_try_again_leaves_the_first_restart_unknown(web: World, failure: CIError) -> None:
    first = could_not_tell(web)
    web.ci.failures["restart"] = [failure]
    with pytest.raises(type(failure)):
        web.ask(press(OLD, instead_of=first.claim), BOB)
    assert posts(web) == 2
    outcome = web.ask(MAIN)  # a second restart if the first was taken and the list is behind
    assert isinstance(outcome, CouldNotTell)
    assert posts(web) == 2
    assert isinstance(web.ask(press(OLD, instead_of=outcome.claim)), Restarted)


@pytest.mark.parametrize(
    ("failure", "becomes"),
    [
        (Unauthorized("CodeShip"), ClaimState.REFUSED),
        (Forbidden("CodeShip"), ClaimState.REFUSED),
        (NotFound("CodeShip"), ClaimState.REFUSED),
        (OverLimit("CodeShip", retry_after_s=9.0), ClaimState.REFUSED),
        (InvalidResponse("CodeShip"), ClaimState.REFUSED),
        (Unreachable("CodeShip"), ClaimState.NOT_SENT),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_refused_restart_is_reported_and_frees_the_run_at_once(
    web: World, failure: CIError, becomes: ClaimState
) -> None:
    web.ci.failures["restart"] = [failure]
    with pytest.raises(type(failure)) as caught:
        web.ask(MAIN)
    assert caught.value is failure
    assert state(web) is becomes
    shown = web.ask(status("acme/web", "main"))
    assert isinstance(shown, BuildShown)
    assert shown.restart_state.claim is None
    assert isinstance(web.ask(press(OLD), BOB), Restarted)
    assert (web.claim_on("7").attempt, web.claim_on("7").actor) == (2, BOB)

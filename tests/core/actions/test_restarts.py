"""A run is restarted once, no matter how many people ask and how often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest

from bot.core.actions.service import TIME_TO_SEND_S
from bot.core.model.builds import Actor, Status
from bot.core.model.claims import UNCHANGED_AFTER, ClaimState
from bot.core.model.errors import NoResponse
from bot.core.model.outcomes import AlreadyRestarted, Outcome, Restarted, RunAgainSince, StateNotKnown, StillRunning
from tests.core.actions.ada_restarts import MAIN, OLD, TIMELESS, WEB, ask, look, posts, restarted
from tests.core.world import ADA, BOB, PATIENCE_S, World, build, press, restart


@pytest.mark.parametrize("actor", [ADA, BOB])
@pytest.mark.parametrize(
    "again", [MAIN, restart("web"), press(OLD), press(OLD, None)], ids=lambda way: type(way).__name__
)
def test_a_second_request_for_the_same_run_names_the_first_and_sends_nothing(
    web: World, again: Any, actor: Actor
) -> None:
    assert isinstance(web.ask(MAIN), Restarted)
    web.clock.advance(8)
    outcome = web.ask(again, actor)
    assert isinstance(outcome, AlreadyRestarted)
    assert (outcome.claim.actor, outcome.ago_s, outcome.claim.state) == (ADA, 8.0, ClaimState.TAKEN)
    assert outcome.build.is_under_way
    assert posts(web) == 1


def test_an_outdated_list_causes_no_second_restart(web: World) -> None:
    web.ci.restart_shows = False
    web.ask(MAIN)
    for _ in range(5):
        web.clock.advance(3)
        outcome = web.ask(MAIN, BOB)
        assert isinstance(outcome, AlreadyRestarted)
        assert outcome.build == OLD
    assert posts(web) == 1


def test_a_list_that_alternates_ends_no_run_and_causes_no_second_restart(web: World) -> None:
    web.ask(MAIN)
    running = web.ci.all_builds
    for shown in (running, [OLD], running, [OLD]):
        web.clock.advance(2)
        web.ci.all_builds = shown
        assert isinstance(web.ask(MAIN, BOB), AlreadyRestarted)
    assert posts(web) == 1


def test_an_end_time_that_appears_late_is_not_mistaken_for_the_new_run(web: World) -> None:
    web.has(replace(OLD, finished_at=None))
    web.ci.restart_shows = False
    web.ask(MAIN)
    web.clock.advance(3)
    web.ci.all_builds = [OLD]
    assert isinstance(web.ask(MAIN, BOB), AlreadyRestarted)
    assert posts(web) == 1


def test_a_second_request_while_the_first_is_being_sent_says_so(web: World) -> None:
    held = web.ci.hold("restart")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(web.ask, MAIN)
        held.wait_for()
        web.clock.advance(2)
        outcome = web.ask(press(OLD), BOB)
        held.let_go()
        assert isinstance(first.result(PATIENCE_S), Restarted)
    assert isinstance(outcome, AlreadyRestarted)
    assert (outcome.claim.state, outcome.claim.actor, outcome.ago_s) == (ClaimState.SENT, ADA, 2.0)
    assert posts(web) == 1


def test_of_twenty_concurrent_requests_one_restarts_and_the_others_name_its_asker(web: World) -> None:
    barrier = Barrier(20)

    def ask(number: int) -> Outcome:
        barrier.wait(PATIENCE_S)
        return web.ask(press(OLD) if number % 2 else MAIN, Actor(f"U{number}"))

    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(ask, range(20)))
    [winner] = [outcome.claim.actor for outcome in outcomes if isinstance(outcome, Restarted)]
    others = [outcome for outcome in outcomes if isinstance(outcome, AlreadyRestarted)]
    assert {other.claim.actor for other in others} == {winner}
    assert (len(others), posts(web)) == (19, 1)


def test_a_fetch_that_began_before_another_persons_restart_causes_no_second_one(web: World) -> None:
    before = look(web)
    web.ask(MAIN)
    web.ci.ends("7")
    web.clock.advance(60)
    outcome = restarted(web.restarts, OLD, before, ask(web, BOB))
    assert isinstance(outcome, AlreadyRestarted)
    assert posts(web) == 1


@pytest.mark.parametrize("how", [Status.RUNNING, Status.QUEUED])
def test_a_build_that_runs_without_a_restart_by_the_bot_is_shown(world: World, how: Status) -> None:
    running = build(7, WEB, status=how)
    world.has(running)
    assert world.ask(MAIN) == StillRunning(running)
    assert posts(world) == 0


def test_a_build_with_an_unknown_status_is_not_restarted(world: World) -> None:
    odd = build(7, WEB, status=Status.UNKNOWN, status_word="frozen", finished_at=None)
    world.has(odd)
    assert world.ask(MAIN) == StateNotKnown(odd)
    assert posts(world) == 0


def test_a_build_with_an_unknown_status_is_restarted_if_it_has_an_end_time(world: World) -> None:
    world.has(build(7, WEB, status=Status.UNKNOWN, status_word="melted"))
    assert isinstance(world.ask(MAIN), Restarted)


def test_with_too_little_time_left_nothing_is_sent(web: World) -> None:
    with pytest.raises(NoResponse):
        web.ask(MAIN, timeout_s=TIME_TO_SEND_S - 0.1)
    assert web.ci.calls == ["builds"]
    assert web.store.claims.newest("codeship", ["7"]) == []
    assert isinstance(web.ask(MAIN, timeout_s=TIME_TO_SEND_S), Restarted)


def ran_again(world: World) -> None:
    """Ada's restart was accepted, ran, and has ended."""
    assert isinstance(world.ask(MAIN), Restarted)
    world.clock.advance(60)
    world.ci.ends("7", Status.FAILED, "error")


def test_an_ended_run_can_be_restarted_again(web: World) -> None:
    ran_again(web)
    assert isinstance(web.ask(MAIN, BOB), Restarted)
    assert web.ci.posts == [("7", 1, False), ("7", 2, False)]


def test_a_button_of_an_earlier_run_restarts_nothing_and_names_who_started_the_current_one(web: World) -> None:
    ran_again(web)
    web.clock.advance(5)
    outcome = web.ask(press(OLD), BOB)
    assert isinstance(outcome, RunAgainSince)
    assert outcome.restart_state.previous is not None
    assert (outcome.restart_state.previous.actor, outcome.ago_s, outcome.restart_state.run_number) == (ADA, 65.0, 2)
    assert outcome.build.has_ended
    assert posts(web) == 1


def test_a_button_of_the_current_run_restarts_it(web: World) -> None:
    ran_again(web)
    [now] = look(web).builds
    assert isinstance(web.ask(press(now, 2), BOB), Restarted)
    assert posts(web) == 2


def test_a_button_of_a_build_that_was_restarted_elsewhere_restarts_nothing(web: World) -> None:
    web.ci.all_builds = [replace(OLD, started_at=web.clock.now(), finished_at=web.clock.now())]
    outcome = web.ask(press(OLD), BOB)
    assert isinstance(outcome, RunAgainSince)
    assert (outcome.restart_state.previous, outcome.ago_s) == (None, None)
    assert posts(web) == 0


def test_runs_without_times_are_counted(world: World) -> None:
    world.has(TIMELESS)
    world.ask(MAIN)
    world.clock.advance(10)
    world.ci.all_builds = [replace(TIMELESS, status=Status.RUNNING, status_word="testing")]
    assert isinstance(world.ask(MAIN, BOB), AlreadyRestarted)
    world.clock.advance(60)
    world.ci.all_builds = [TIMELESS]
    assert isinstance(world.ask(press(TIMELESS, 1), BOB), RunAgainSince)
    assert isinstance(world.ask(press(TIMELESS, 2), BOB), Restarted)
    assert posts(world) == 2


def test_a_run_without_times_that_was_never_seen_counts_as_ended_after_a_while(world: World) -> None:
    world.has(TIMELESS)
    world.ci.restart_shows = False
    world.ask(MAIN)
    world.clock.advance(UNCHANGED_AFTER.total_seconds())
    assert isinstance(world.ask(MAIN, BOB), AlreadyRestarted)
    world.clock.advance(1)
    assert isinstance(world.ask(press(TIMELESS, 1), BOB), RunAgainSince)
    assert isinstance(world.ask(MAIN, BOB), Restarted)

"""Restarts while the facts change: another person is faster, or the service gives the run its own id."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from bot.core.actions.sender import ActionSender
from bot.core.actions.service import ActionService
from bot.core.model.builds import Actor, Status
from bot.core.model.claims import Claim, ClaimKind
from bot.core.model.outcomes import AlreadyRestarted, BuildShown, CouldNotTell, Restarted
from bot.core.ports import ClaimStore
from tests.core.actions.ada_restarts import MAIN, OLD, ask, could_not_tell, look, posts, restarted
from tests.core.world import ADA, BOB, PATIENCE_S, World, press, status


def ran_again(world: World) -> None:
    """Ada's restart was accepted, ran, and has ended."""
    assert isinstance(world.ask(MAIN), Restarted)
    world.clock.advance(60)
    world.ci.ends("7", Status.FAILED, "error")


def test_two_concurrent_restarts_of_an_ended_run_send_one_and_the_slower_names_the_faster(web: World) -> None:
    ran_again(web)
    shown = look(web)
    stale = StaleOnce(web, web.claim_on("7"))
    carol = Actor("U0CAROL")
    assert isinstance(web.ask(MAIN, BOB), Restarted)
    slower = restarts_on(stale, web)
    outcome = restarted(slower, shown.builds[0], shown, ask(web, carol))
    assert isinstance(outcome, AlreadyRestarted)
    assert outcome.claim.actor == BOB
    assert posts(web) == 2


@pytest.mark.parametrize("began", ["before the restart was sent", "while it was on its way"])
def test_a_fetch_that_may_not_show_a_restart_is_not_shared_with_later_requests(web: World, began: str) -> None:
    shown = look(web)
    with ThreadPoolExecutor(2) as pool:
        old_look = web.ci.hold("builds answered")
        answer = web.ci.hold("restart answered" if began.startswith("before") else "restart")
        if began.startswith("before"):
            pool.submit(look, web)
            old_look.wait_for()
        restarting = pool.submit(restarted, web.restarts, OLD, shown, ask(web))
        answer.wait_for()
        if began.startswith("while"):
            pool.submit(look, web)
            old_look.wait_for()
            answer.let_go()
            assert isinstance(restarting.result(PATIENCE_S), Restarted)
        web.ci.hold_no_more("builds answered")
        assert look(web).builds[0].is_under_way
        answer.let_go()
        old_look.let_go()


class StaleOnce:
    """The claims of `world`; the first result of `newest` is outdated."""

    def __init__(self, world: World, overtaken: Claim | None) -> None:
        self._claims = world.store.claims
        self._first: list[list[Claim]] = [[overtaken] if overtaken else []]

    def newest(self, service: str, build_ids: Sequence[str], kind: ClaimKind = ClaimKind.RESTART) -> list[Claim]:
        return self._first.pop() if self._first else self._claims.newest(service, build_ids, kind)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._claims, name)


def restarts_on(claims: StaleOnce, world: World) -> ActionService:
    stored = cast(ClaimStore, claims)
    sending = ActionSender(world.ci, world.fetcher, stored, world.executor, world.clock)
    return ActionService(world.ci, world.fetcher, stored, world.store.history, sending, world.clock)


def test_losing_a_race_to_a_restart_with_an_unknown_result_is_reported(web: World) -> None:
    shown = look(web)
    first = could_not_tell(web)
    slower = restarts_on(StaleOnce(web, None), web)
    outcome = restarted(slower, OLD, shown, ask(web, BOB))
    assert isinstance(outcome, CouldNotTell)
    assert outcome.claim.id == first.claim.id
    assert posts(web) == 1


@pytest.fixture
def renumbering(web: World) -> World:
    """The service gives the restart of build 7 the id 8, and Ada has requested it."""
    web.ci.new_id = "8"
    outcome = web.ask(MAIN)
    assert isinstance(outcome, Restarted)
    assert outcome.claim.new_build_id == "8"
    web.ci.new_id = None
    return web


def test_the_old_build_stays_claimed_for_good(renumbering: World) -> None:
    for _ in range(3):
        renumbering.clock.advance(3600)
        assert isinstance(renumbering.ask(press(OLD), BOB), AlreadyRestarted)
    renumbering.ci.ends("8")
    assert isinstance(renumbering.ask(press(OLD), BOB), AlreadyRestarted)
    assert posts(renumbering) == 1


def test_the_new_build_shows_who_restarted_it_while_it_runs(renumbering: World) -> None:
    outcome = renumbering.ask(MAIN, BOB)
    assert isinstance(outcome, AlreadyRestarted)
    assert (outcome.claim.actor, outcome.build.id) == (ADA, "8")


def test_the_new_build_is_free_after_its_end(renumbering: World) -> None:
    renumbering.clock.advance(60)
    renumbering.ci.ends("8")
    shown = renumbering.ask(status("acme/web", "main"))
    assert isinstance(shown, BuildShown)
    assert shown.restart_state.claim is None
    assert shown.restart_state.previous is not None
    assert isinstance(renumbering.ask(press(shown.build, shown.restart_state.run_number), BOB), Restarted)
    assert renumbering.claim_on("8").build_id == "8"


def test_a_builds_own_claim_wins_over_the_one_that_created_it(renumbering: World) -> None:
    renumbering.ci.ends("8")
    renumbering.ask(MAIN, BOB)
    shown = look(renumbering)
    standings = renumbering.restarts.restart_states(shown, shown.builds)
    assert {id: standing.claim and standing.claim.actor for id, standing in standings.items()} == {"8": BOB, "7": ADA}
    backwards = renumbering.restarts.restart_states(shown, shown.builds[::-1])
    assert backwards == standings


def test_a_list_that_does_not_show_the_new_build_yet_restarts_nothing_again(web: World) -> None:
    web.ci.new_id, web.ci.restart_shows = "8", False
    web.ask(MAIN)
    web.clock.advance(3)
    assert isinstance(web.ask(MAIN, BOB), AlreadyRestarted)
    web.ci.catch_up()
    assert isinstance(web.ask(MAIN, BOB), AlreadyRestarted)
    assert posts(web) == 1

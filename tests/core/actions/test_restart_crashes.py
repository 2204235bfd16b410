"""Restarts without a waiting person: the time ran out, the process died, or a bug occurred."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.actions.sender import ActionSender
from bot.core.actions.service import ActionService
from bot.core.model.actions.decisions import Decision
from bot.core.model.actions.values import RunTarget
from bot.core.model.builds import Build, Status
from bot.core.model.claims import LOST_AFTER, Claim, ClaimState
from bot.core.model.errors import NoResponse
from bot.core.model.outcomes import AlreadyRestarted, BuildShown, CouldNotTell, Restarted, RunAgainSince
from tests.core.actions.ada_restarts import MAIN, OLD, ask, look, posts, state
from tests.core.world import ADA, BOB, BUILDS, World, press, status


class Sender(Executor):
    """The service has accepted it, but its response is held until the request timeout."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._held = world.ci.hold("restart answered")

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = self._world.executor.submit(fn, *args, **kwargs)
        self._held.wait_for()
        self._world.clock.advance(16)
        return future

    def let_go(self) -> None:
        """Releases the response, and waits until it has been handled."""
        self._held.let_go()
        self._world.executor.shutdown()


class Jammed(Executor):
    """Has no free thread until the request timeout."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.queued: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.queued.append((future, lambda: fn(*args, **kwargs)))
        self._world.clock.advance(16)
        return future

    def a_thread_is_free(self) -> None:
        for future, work in self.queued:
            if future.set_running_or_notify_cancel():
                future.set_result(work())


@contextmanager
def slow_answers() -> Iterator[tuple[World, Sender]]:
    world = World(sending=Sender)
    world.has(OLD)
    assert isinstance(world.sender, Sender)
    yield world, world.sender
    world.close()


def test_a_response_after_the_request_timeout_is_still_stored() -> None:
    with slow_answers() as (world, sender):
        outcome = world.ask(MAIN)
        assert isinstance(outcome, CouldNotTell)
        assert (outcome.found, type(outcome.looked), outcome.ago_s) == (None, NoResponse, 16.0)
        assert state(world) is ClaimState.SENT
        assert isinstance(world.ask(press(OLD, instead_of=outcome.claim), BOB), AlreadyRestarted)
        sender.let_go()
        assert state(world) is ClaimState.TAKEN
        assert posts(world) == 1


def test_a_far_too_late_response_changes_no_later_decision() -> None:
    with slow_answers() as (world, sender):
        world.ci.restart_shows = False
        assert isinstance(world.ask(MAIN), CouldNotTell)
        world.clock.advance(LOST_AFTER.total_seconds())
        assert isinstance(world.ask(status("acme/web", "main")), BuildShown)
        assert state(world) is ClaimState.UNKNOWN
        sender.let_go()
        assert state(world) is ClaimState.UNKNOWN


def test_a_restart_that_waited_for_a_thread_past_the_timeout_is_never_sent() -> None:
    world = World(sending=Jammed)
    world.has(OLD)
    with pytest.raises(NoResponse):
        world.ask(MAIN)
    assert state(world) is ClaimState.NOT_SENT
    assert isinstance(world.sender, Jammed)
    world.sender.a_thread_is_free()
    assert posts(world) == 0
    world.close()


def test_a_try_again_that_waited_too_long_for_a_thread_leaves_the_claim_unknown() -> None:
    world = World(sending=Jammed)
    world.has(OLD)
    with pytest.raises(NoResponse):
        world.ask(press(OLD, instead_of=left_behind(world, ClaimState.UNKNOWN)), BOB)
    assert state(world) is ClaimState.UNKNOWN
    assert isinstance(world.ask(MAIN), CouldNotTell)
    world.close()


def left_behind(world: World, state: ClaimState, run_number: int = 1) -> Claim:
    """The claim that a process leaves if it dies during Ada's restart."""
    wanted = Claim("codeship", "1", "7", run_number, ADA, BUILDS, OLD.run, world.clock.now())
    claim = world.store.claims.claim(wanted)
    assert claim is not None
    if state is not ClaimState.CLAIMED:
        assert world.store.claims.move(claim, replace(claim, state=state))
    return world.claim_on("7")


@pytest.mark.parametrize("died", [ClaimState.CLAIMED, ClaimState.SENT])
def test_a_dead_processs_claim_blocks_the_run_until_the_process_is_surely_gone(web: World, died: ClaimState) -> None:
    left_behind(web, died)
    web.clock.advance(LOST_AFTER.total_seconds())
    outcome = web.ask(MAIN, BOB)
    assert isinstance(outcome, AlreadyRestarted)
    assert outcome.claim.state is died
    assert posts(web) == 0


def test_a_claim_that_was_never_sent_is_freed_after_a_crash(web: World) -> None:
    left_behind(web, ClaimState.CLAIMED)
    web.clock.advance(LOST_AFTER.total_seconds() + 1)
    assert isinstance(web.ask(MAIN, BOB), Restarted)
    assert posts(web) == 1


def test_a_slow_process_sends_nothing_after_its_claim_was_given_up(web: World) -> None:
    claim = left_behind(web, ClaimState.CLAIMED)
    web.clock.advance(LOST_AFTER.total_seconds() + 1)
    web.ask(status("acme/web", "main"))
    sent = web.sending._send_once(claim, decided(web.restarts, web), ask(web))
    assert sent.is_taken_over
    assert posts(web) == 0


def decided(actions: ActionService, world: World, instead_of: tuple[int, int] | None = None) -> Decision:
    decision = actions.decide_restart(OLD, look(world), ask(world), instead_of=instead_of)
    assert isinstance(decision, Decision)
    return decision


def test_after_a_crash_between_send_and_response_the_result_is_unknown_and_try_again_is_offered(web: World) -> None:
    claim = left_behind(web, ClaimState.SENT)
    web.clock.advance(LOST_AFTER.total_seconds() + 1)
    outcome = web.ask(MAIN, BOB)
    assert isinstance(outcome, CouldNotTell)
    assert (outcome.claim.actor, outcome.claim.id, outcome.claim.state) == (ADA, claim.id, ClaimState.UNKNOWN)
    assert posts(web) == 0
    assert isinstance(web.ask(press(OLD, instead_of=outcome.claim), BOB), Restarted)


def test_a_crashed_try_again_leaves_the_claim_unknown(web: World) -> None:
    claim = left_behind(web, ClaimState.UNKNOWN)

    class Dead(Executor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            raise SystemExit

    sending = ActionSender(web.ci, web.fetcher, web.store.claims, Dead(), web.clock)
    dying = ActionService(web.ci, web.fetcher, web.store.claims, web.store.history, sending, web.clock)
    with pytest.raises(SystemExit):
        dying.act(decided(dying, web, (claim.id, claim.attempt)), ask(web))
    web.clock.advance(LOST_AFTER.total_seconds() + 1)
    assert isinstance(web.ask(MAIN, BOB), CouldNotTell)
    assert posts(web) == 0


def test_a_sent_claim_counts_as_accepted_if_the_build_runs(web: World) -> None:
    left_behind(web, ClaimState.SENT)
    web.ci.becomes("7", Status.RUNNING, "testing")
    web.clock.advance(LOST_AFTER.total_seconds() + 1)
    outcome = web.ask(MAIN, BOB)
    assert isinstance(outcome, AlreadyRestarted)
    assert outcome.claim.state is ClaimState.TAKEN


def test_a_sent_claim_counts_as_ended_if_the_build_has_run_again(web: World) -> None:
    left_behind(web, ClaimState.SENT)
    web.clock.advance(LOST_AFTER.total_seconds() + 1)
    web.ci.ends("7", Status.FAILED, "error")
    assert isinstance(web.ask(press(OLD, 1), BOB), RunAgainSince)
    assert isinstance(web.ask(MAIN, BOB), Restarted)


def test_a_claim_of_another_service_on_the_same_id_blocks_nothing(web: World) -> None:
    wanted = Claim("another", "1", "7", 1, ADA, BUILDS, OLD.run, web.clock.now() - timedelta(seconds=1))
    assert web.store.claims.claim(wanted) is not None
    assert isinstance(web.ask(MAIN), Restarted)


class Broken(Exception):
    """A bug in a provider."""


def test_a_bug_while_sending_is_raised_reported_and_leaves_the_run_unknown(web: World) -> None:
    def breaks(build: Build, target: RunTarget, *, failed_jobs_only: bool) -> str:
        raise Broken

    web.ci.restart = breaks  # type: ignore[method-assign]
    with pytest.raises(Broken):
        web.ask(MAIN)
    web.executor.shutdown()
    assert [type(bug) for bug in web.executor.reported] == [Broken]
    assert state(web) is ClaimState.UNKNOWN

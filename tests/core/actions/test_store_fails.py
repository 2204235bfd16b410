"""The store fails during an action: a POST that was sent is never reported as not sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from bot.core.actions.sender import ActionSender
from bot.core.actions.service import ActionService
from bot.core.model.claims import Claim, ClaimState
from bot.core.model.errors import NotRecorded
from bot.core.ports import ClaimStore
from tests.core.actions.ada_restarts import LOST, OLD, ask, look, posts, restarted
from tests.core.world import World


class Gone(Exception):
    """The error of the database."""


class Failing:
    """The claims of `world`; a move fails if `fails` returns True for the new state."""

    def __init__(self, world: World, fails: Callable[[ClaimState], bool]) -> None:
        self._claims = world.store.claims
        self._fails = fails

    def move(self, claim: Claim, to: Claim, **options: Any) -> bool:
        if self._fails(to.state):
            raise Gone
        return self._claims.move(claim, to, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._claims, name)


def failing(world: World, *states: ClaimState) -> ActionService:
    stored = cast(ClaimStore, Failing(world, lambda state: state in states))
    sender = ActionSender(world.ci, world.fetcher, stored, world.executor, world.clock)
    return ActionService(world.ci, world.fetcher, stored, world.store.history, sender, world.clock)


def test_an_action_that_cannot_be_stored_as_sent_is_not_sent(web: World) -> None:
    with pytest.raises(Gone):
        restarted(failing(web, ClaimState.SENT), OLD, look(web), ask(web))
    assert posts(web) == 0


def test_the_reply_says_that_a_result_could_not_be_stored(web: World) -> None:
    with pytest.raises(NotRecorded) as told:
        restarted(failing(web, ClaimState.TAKEN), OLD, look(web), ask(web))
    assert (posts(web), told.value.is_accepted, told.value.build) == (1, True, OLD)


def test_a_restart_without_a_response_is_never_reported_as_not_sent(web: World) -> None:
    web.ci.failures["restart"] = [LOST]
    with pytest.raises(NotRecorded) as told:
        restarted(failing(web, ClaimState.TAKEN), OLD, look(web), ask(web))
    assert (posts(web), told.value.is_accepted) == (1, False)

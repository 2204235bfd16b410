"""Shared by the tests of restarts: Ada's restart of a failed build, and its state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.core.actions.service import ActionService
from bot.core.build_fetcher import Snapshot
from bot.core.model.actions.decisions import Decision
from bot.core.model.builds import Actor, Build
from bot.core.model.claims import ClaimState
from bot.core.model.errors import NoResponse
from bot.core.model.outcomes import CouldNotTell, Outcome
from bot.core.request import UserRequest
from tests.core.world import ADA, BUILDS, PATIENCE_S, World, build, project, restart

WEB = project(1, "acme/web")
OLD = build(7, WEB)
TIMELESS = replace(OLD, started_at=None, finished_at=None)
MAIN = restart("acme/web", "main")
LOST = NoResponse("CodeShip", "cut off")


def posts(world: World) -> int:
    return len(world.ci.posts)


def state(world: World, build_id: str = "7") -> ClaimState:
    return world.claim_on(build_id).state


def look(world: World) -> Snapshot:
    return world.fetcher.builds(WEB, "main", timeout_s=PATIENCE_S)


def ask(world: World, actor: Actor = ADA, timeout_s: float = 16.0) -> UserRequest:
    return UserRequest(actor, BUILDS, world.clock, world.clock.monotonic() + timeout_s)


def could_not_tell(world: World) -> CouldNotTell:
    """A restart whose response was lost, and which was not accepted."""
    world.ci.restart_takes = False
    world.ci.failures["restart"] = [LOST]
    outcome = world.ask(MAIN)
    assert isinstance(outcome, CouldNotTell)
    return outcome


def restarted(
    actions: ActionService, build: Build, snapshot: Snapshot, request: UserRequest, **options: Any
) -> Outcome:
    """Decides and acts, as one request does."""
    decision = actions.decide_restart(build, snapshot, request, **options)
    return actions.act(decision, request) if isinstance(decision, Decision) else decision

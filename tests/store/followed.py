"""Follows to store, and helpers for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.core.model.builds import Actor, Location, Run, Status
from bot.core.model.follows import Follow, FollowState, ReplyState
from bot.store import Store
from tests.store.conftest import NOON

BARE = Follow("ask 1", "codeship", "3", "7", 1, None, Actor("UADA"), Location("C1"), "1700000000.000100", NOON)
WHOLE = Follow(
    key="ask \x00 2",
    service="codeship",
    project_id="3",
    build_id="7",
    run_number=2,
    branch="feature/\ud800",
    asker=Actor("UADA"),
    location=Location("C1", "1700000000.000100"),
    message_ts="1700000000.000200",
    began_at=NOON,
    restarted=True,
    before=Run("error", NOON - timedelta(minutes=9), None),
    before_status=Status.FAILED,
    cancelled=True,
    others=(Actor("UBOB"), Actor("UCAROL")),
    state=FollowState.OPEN,
    reply=ReplyState.BEGUN,
    shown="open running",
    shown_at=NOON + timedelta(seconds=1),
    polled_at=NOON + timedelta(seconds=2),
    version=4,
)

ENDED = {"state": FollowState.ENDED}


def open_of(store: Store, project_id: str = "3") -> list[Follow]:
    return store.follows.open_of("codeship", project_id)


def restarted(store: Store, after_s: float) -> list[tuple[str, str, int]]:
    """Restarts the chains that have not moved for so long. Service, project and the number it waits for now."""
    found = [(chain, store.follows.restart_chain(chain)) for chain in store.follows.quiet_chains(after_s)]
    return [(chain.service, chain.project_id, number) for chain, number in found if number is not None]


def moved(store: Store, follow: Follow, **to: Any) -> Follow:
    assert store.follows.move(follow, replace(follow, **to))
    return replace(follow, version=follow.version + 1, **to)

"""The stages of a request that changes something, as a pure state machine for the handler and the action service.

    decide ──▶ act (claim ──▶ send ──▶ record) ──▶ reply ──▶ follow ──▶ tidy up

Each stage's result is stored before the next one begins, so a crash repeats at most one stage. A repeated stage finds
what it has stored: a claim under the request's key says how far its action came.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from bot.core.model.claims import ClaimState


class Stage(Enum):
    """What a request does next. The value is the name of the durable step."""

    DECIDE = "decide"
    ACT = "act"
    FIND_OUT = "find out"
    REPLY = "reply"
    FOLLOW = "follow"
    TIDY_UP = "update pressed message"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Progress:
    """What is stored of a request. `needs_action`: its decision names a build to act on.

    `is_unrecorded`: the action may have been sent, but its result could not be stored.
    """

    is_decided: bool = False
    needs_action: bool = False
    is_done: bool = False
    is_unrecorded: bool = False
    is_delivered: bool | None = None
    is_followed: bool = False
    is_tidy: bool = False


def next_stage(progress: Progress) -> Stage:
    """The next stage. A reply that was not delivered ends the request: only the reply is retried later."""
    if not progress.is_decided:
        return Stage.DECIDE
    if progress.needs_action and not progress.is_done:
        return Stage.ACT
    if progress.is_unrecorded:
        return Stage.FIND_OUT
    if progress.is_delivered is None:
        return Stage.REPLY
    if progress.is_delivered is False:
        return Stage.DONE
    if not progress.is_followed:
        return Stage.FOLLOW
    return Stage.DONE if progress.is_tidy else Stage.TIDY_UP


class Move(Enum):
    """What the stage ACT does next with the request's own claim."""

    CLAIM = "claim"
    SEND = "send"
    FETCH = "fetch"
    REPORT = "report"


def next_move(own: ClaimState | None) -> Move:
    """`own` is the state of the request's own claim; None if it has none.

    A claim is sent only if certainly nothing was sent for it. One that was refused or not sent is reported, not
    repeated.
    """
    match own:
        case None:
            return Move.CLAIM
        case ClaimState.CLAIMED:
            return Move.SEND
        case ClaimState.SENT | ClaimState.UNKNOWN:
            return Move.FETCH
        case _:
            return Move.REPORT

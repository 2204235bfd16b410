"""Sends the POSTs of one action, each at most once and each with its own record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.core.model.actions.values import PostRecord, PostState, RunTarget
from bot.core.model.errors import (
    CIError,
    Forbidden,
    InvalidResponse,
    NoResponse,
    NotConfirmed,
    NotFound,
    NotPossible,
    OverLimit,
    RateLimitExhausted,
    RateLimitPaused,
    SignOnRequired,
    Unauthorized,
    Unreachable,
)

SEND_FOR_S = 12.0
"""In seconds. No POST begins later than this after the action's first one."""

_OF_ONE_RUN = (NotPossible, NotFound, InvalidResponse, NoResponse)
"""Errors that say nothing about the next run. After any other error nothing more is sent."""

NO_TIME = "not sent: the ones before it took too long"


@dataclass(frozen=True, slots=True)
class PostsResult:
    """`failure`: the whole action's error; None if a POST was accepted. `build_id`: the running build's, if known."""

    posts: tuple[PostRecord, ...]
    failure: CIError | None = None
    build_id: str | None = None


def send_posts(
    posts: Sequence[PostRecord],
    send: Callable[[RunTarget], str | None],
    note: Callable[[tuple[PostRecord, ...]], bool],
    monotonic: Callable[[], float],
) -> PostsResult:
    """Sends the POSTs that were not sent, in order. Each is stored as sent before it leaves.

    `note` stores the records. It returns False if another process has taken the action over: then nothing more is sent.
    Raises what `send` raises, except CIError.
    """
    records, failures, build_id = list(posts), list[CIError](), None
    began_s = monotonic()
    for at, post in enumerate(records):
        if at and monotonic() - began_s > SEND_FOR_S:
            records[at] = replace(post, reason=NO_TIME)
            continue
        if failures and not isinstance(failures[-1], _OF_ONE_RUN):
            records[at] = replace(post, reason=reason_of(failures[-1]))
            continue
        records[at] = replace(post, state=PostState.SENT)
        if not note(tuple(records)):
            records[at] = post
            break
        try:
            build_id = send(post.target) or build_id
        except CIError as error:
            failures.append(error)
            records[at] = replace(post, state=state_after(error), reason=reason_of(error))
        else:
            records[at] = replace(post, state=PostState.ACCEPTED)
    if any(post.state is PostState.ACCEPTED for post in records):
        return PostsResult(tuple(records), None, build_id)
    failure = next((error for error in failures if error.may_have_taken), failures[0] if failures else None)
    return PostsResult(tuple(records), failure, build_id)


def state_after(error: CIError) -> PostState:
    """The state of a POST that ended with `error`."""
    if error.may_have_taken:
        return PostState.UNKNOWN
    return (
        PostState.NOT_SENT
        if isinstance(error, Unreachable | RateLimitExhausted | RateLimitPaused)
        else PostState.REFUSED
    )


def reason_of(error: CIError) -> str:
    """Why one of several POSTs was not accepted, as words that follow a workflow's name and a colon."""
    match error:
        case NotPossible():
            return error.detail
        case NotConfirmed():
            return f"not confirmed: {error.service} {error.detail}"
        case NoResponse():
            return f"not confirmed: {error.service} didn’t respond"
        case NotFound():
            return f"{error.service} no longer lists this run"
        case SignOnRequired():
            return f"{error.service} requires single sign-on, and the bot’s API key isn’t authorized for it"
        case Forbidden():
            return "the bot’s API key lacks permission for this"
        case Unauthorized():
            return f"{error.service} rejected the bot’s API key"
        case RateLimitExhausted():
            return f"not sent: the bot’s own limit of calls to {error.service} is reached"
        case OverLimit():
            return f"{error.service}’s rate limit is reached"
        case Unreachable():
            return f"not sent: {error.service} can’t be reached"
    return (
        error.said if isinstance(error, InvalidResponse) and error.said else f"unexpected response from {error.service}"
    )

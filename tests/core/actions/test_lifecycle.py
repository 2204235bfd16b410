"""Every course of a request, with a crash, a lost response and a second replica at every step.

The world below does what the handler, the action service and the sender do, one effect at a time. The process may die
between any two. `bot.core.actions.lifecycle` says what comes next, as in the real code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from bot.core.actions.lifecycle import Move, Progress, Stage, next_move, next_stage
from bot.core.model.actions.values import PostRecord, PostState, RunTarget
from bot.core.model.claims import ClaimState, state_of

CRASHES = 2
MEANT, NEWER = 1, 2
"""The build that was newest when the request was made, and the one that may appear at any time after it."""

ANSWERS = (PostState.ACCEPTED, PostState.REFUSED, PostState.UNKNOWN)


@dataclass(frozen=True)
class Replica:
    """A process that works on the request; its memory is lost when it dies. `at` is its position."""

    at: str = "next"
    looked: int = 0
    answer: PostState | None = None
    outcome: str = ""


@dataclass(frozen=True)
class World:
    """What is stored or has left, and the replicas. `owner` is the one that the engine lets store results."""

    newest: int = MEANT
    decided: int | str | None = None
    claim: ClaimState | None = None
    posts: tuple[int, ...] = ()
    result: str | None = None
    replies: tuple[str, ...] = ()
    is_delivered: bool = False
    replicas: tuple[Replica | None, ...] = (Replica(), None)
    owner: int = 0
    crashes: int = 0

    @property
    def progress(self) -> Progress:
        return Progress(
            is_decided=self.decided is not None,
            needs_action=isinstance(self.decided, int),
            is_done=self.result is not None,
            is_delivered=True if self.is_delivered else None,
            is_followed=self.is_delivered,
            is_tidy=self.is_delivered,
        )

    def having(self, who: int, replica: Replica | None, **changes: object) -> World:
        replicas = tuple(replica if at == who else each for at, each in enumerate(self.replicas))
        return replace(self, replicas=replicas, **changes)  # type: ignore[arg-type]

    def stored_by(self, who: int, **changes: object) -> World:
        """Stores a step's result. A replica that has been replaced stores nothing, and stops."""
        if self.owner != who:
            return self.having(who, None)
        return self.having(who, Replica(), **changes)


def successors(world: World) -> Iterator[World]:
    if world.newest == MEANT:
        yield replace(world, newest=NEWER)
    for who, replica in enumerate(world.replicas):
        if replica is None:
            if next_stage(world.progress) is not Stage.DONE:
                yield world.having(who, Replica(), owner=who)  # it takes the other for dead, which may be wrong
            continue
        if world.crashes < CRASHES:
            yield world.having(who, None, crashes=world.crashes + 1)
        yield from steps(world, who, replica)


def steps(world: World, who: int, replica: Replica) -> Iterator[World]:
    match replica.at:
        case "next":
            match next_stage(world.progress):
                case Stage.DECIDE:
                    yield world.having(who, replace(replica, at="looked", looked=world.newest))
                case Stage.ACT:
                    yield from act(world, who, replica)
                case Stage.REPLY:
                    said = world.result if isinstance(world.decided, int) else str(world.decided)
                    yield world.having(who, replace(replica, at="replied"), replies=(*world.replies[-2:], said or ""))
                case _:
                    yield world.having(who, None)
        case "looked":  # what may not have existed at the request is offered, not acted on
            yield world.stored_by(who, decided=MEANT if replica.looked == MEANT else "what is newest now")
        case "send":
            if world.claim is ClaimState.CLAIMED:
                yield world.having(who, replace(replica, at="post"), claim=ClaimState.SENT)
            else:
                yield from look(world, who, replica)
        case "post":
            assert isinstance(world.decided, int)
            for answer in ANSWERS:
                posted = replace(replica, at="record", answer=answer)
                yield world.having(who, posted, posts=(*world.posts, world.decided))
        case "record":
            assert replica.answer is not None
            after = state_of([PostRecord(RunTarget("7"), replica.answer)])
            if world.claim is ClaimState.SENT:
                yield world.having(who, replace(replica, at="done", outcome=told(after)), claim=after)
            else:
                yield from look(world, who, replica)
        case "done":
            yield world.stored_by(who, result=replica.outcome)
        case "replied":
            yield world.stored_by(who, is_delivered=True)


def act(world: World, who: int, replica: Replica) -> Iterator[World]:
    match next_move(world.claim):
        case Move.CLAIM:
            yield world.having(who, replace(replica, at="send"), claim=ClaimState.CLAIMED)
        case Move.SEND:
            yield world.having(who, replace(replica, at="send"))
        case Move.FETCH:
            yield from look(world, who, replica)
        case Move.REPORT:
            assert world.claim is not None
            yield world.having(who, replace(replica, at="done", outcome=told(world.claim)))


def look(world: World, who: int, replica: Replica) -> Iterator[World]:
    """Finds out what a sent claim did. The service may show it or not."""
    assert world.claim is not None
    if world.claim not in (ClaimState.SENT, ClaimState.UNKNOWN):
        yield world.having(who, replace(replica, at="done", outcome=told(world.claim)))
        return
    yield world.having(who, replace(replica, at="done", outcome="not known"), claim=ClaimState.UNKNOWN)
    if world.posts:
        yield world.having(who, replace(replica, at="done", outcome="accepted"), claim=ClaimState.TAKEN)


def told(state: ClaimState) -> str:
    return {ClaimState.TAKEN: "accepted", ClaimState.UNKNOWN: "not known"}.get(state, "refused")


def explored() -> tuple[set[World], set[World]]:
    """All reachable worlds, and those in which nothing more happens."""
    seen, ends, waiting = {World()}, set[World](), [World()]
    while waiting:
        world = waiting.pop()
        after = list(successors(world))
        if all(each.replicas == world.replicas for each in after):
            ends.add(world)
        for each in after:
            if each not in seen:
                seen.add(each)
                waiting.append(each)
    return seen, ends


@pytest.fixture(scope="module")
def worlds() -> tuple[set[World], set[World]]:
    return explored()


def test_no_action_is_sent_twice_or_on_another_build(worlds: tuple[set[World], set[World]]) -> None:
    assert {world.posts for world in worlds[0]} == {(), (MEANT,)}


def test_no_request_ends_without_a_reply(worlds: tuple[set[World], set[World]]) -> None:
    assert worlds[1]
    assert all(world.replies for world in worlds[1])


def test_every_reply_is_true(worlds: tuple[set[World], set[World]]) -> None:
    for world in worlds[0]:
        for reply in world.replies:
            assert reply != "accepted" or world.posts
            assert reply != "what is newest now" or not world.posts
    assert {reply for world in worlds[1] for reply in world.replies} == {
        "accepted",
        "refused",
        "not known",
        "what is newest now",
    }


def test_the_exploration_covers_every_crash_and_both_replicas(worlds: tuple[set[World], set[World]]) -> None:
    assert len(worlds[0]) > 500
    assert any(all(world.replicas) for world in worlds[0])
    assert {world.crashes for world in worlds[0]} == set(range(CRASHES + 1))


@pytest.mark.parametrize(
    ("own", "move"),
    [
        (None, Move.CLAIM),
        (ClaimState.CLAIMED, Move.SEND),
        (ClaimState.SENT, Move.FETCH),
        (ClaimState.UNKNOWN, Move.FETCH),
        (ClaimState.TAKEN, Move.REPORT),
        (ClaimState.ENDED, Move.REPORT),
        (ClaimState.REFUSED, Move.REPORT),
        (ClaimState.NOT_SENT, Move.REPORT),
    ],
)
def test_only_what_was_certainly_not_sent_is_sent(own: ClaimState | None, move: Move) -> None:
    assert next_move(own) is move


def test_a_reply_that_was_not_delivered_ends_the_request() -> None:
    done = Progress(is_decided=True, needs_action=True, is_done=True)
    assert next_stage(done) is Stage.REPLY
    assert next_stage(replace(done, is_delivered=False)) is Stage.DONE
    assert next_stage(replace(done, is_unrecorded=True)) is Stage.FIND_OUT

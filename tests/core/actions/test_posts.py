"""The POSTs of one action: each once, each with its own result, and none after another process has taken over."""

from __future__ import annotations

import pytest

from bot.core.actions.posts import NO_TIME, reason_of, send_posts
from bot.core.model.actions.values import PostRecord, PostState, RunTarget, result_of
from bot.core.model.claims import ClaimState, state_of
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
    Unauthorized,
    Unreachable,
)

CI, LINT, DOCS = (RunTarget(str(number), name=name) for number, name in enumerate(("CI", "Lint", "Docs"), 1))
ALL = tuple(map(PostRecord, (CI, LINT, DOCS)))
SENT, NOT_SENT, ACCEPTED = PostState.SENT, PostState.NOT_SENT, PostState.ACCEPTED
REFUSED, UNKNOWN = PostState.REFUSED, PostState.UNKNOWN


class Service:
    """Answers each POST with the next of `answers`; `noted` is what was stored before each left."""

    def __init__(self, *answers: CIError | None, taken_over_at: int = 9) -> None:
        self.answers, self.posted, self.seconds = list(answers), list[RunTarget](), 0.0
        self.noted = list[tuple[PostState, ...]]()
        self.taken_over_at = taken_over_at

    def send(self, target: RunTarget) -> str:
        self.posted.append(target)
        self.seconds += 5
        if (error := self.answers.pop(0)) is not None:
            raise error
        return "b1"

    def note(self, posts: tuple[PostRecord, ...]) -> bool:
        self.noted.append(tuple(post.state for post in posts))
        return len(self.noted) <= self.taken_over_at

    def states(self) -> tuple[PostState, ...]:
        self.result = send_posts(ALL, self.send, self.note, lambda: self.seconds)
        return tuple(post.state for post in self.result.posts)


def test_each_is_stored_as_sent_before_it_leaves() -> None:
    service = Service(None, None, None)
    assert service.states() == (ACCEPTED, ACCEPTED, ACCEPTED)
    assert service.noted == [(SENT, NOT_SENT, NOT_SENT), (ACCEPTED, SENT, NOT_SENT), (ACCEPTED, ACCEPTED, SENT)]
    assert service.result.build_id == "b1"


def test_a_failed_post_does_not_stop_the_others() -> None:
    service = Service(NotPossible("GitHub", "too old"), None, NoResponse("GitHub"))
    assert service.states() == (REFUSED, ACCEPTED, UNKNOWN)
    assert service.result.failure is None
    told = result_of(service.result.posts, "b1", ["E2E"])
    assert (told.done, told.left) == (("Lint",), ("E2E",))
    assert told.refused == (("CI", "too old"), ("Docs", "not confirmed: GitHub didn’t respond"))


def test_after_an_error_of_the_whole_service_nothing_more_is_sent() -> None:
    service = Service(Unauthorized("GitHub"))
    assert service.states() == (REFUSED, NOT_SENT, NOT_SENT)
    assert isinstance(service.result.failure, Unauthorized)
    assert service.posted == [CI]


def test_nothing_is_sent_after_another_process_has_taken_over() -> None:
    service = Service(None, taken_over_at=1)
    assert service.states() == (ACCEPTED, NOT_SENT, NOT_SENT)
    assert service.posted == [CI]


def test_a_post_that_would_begin_long_after_the_first_is_not_sent() -> None:
    service = Service(None, None, None)
    service.seconds = 0.0
    slow, send = service, service.send

    def late(target: RunTarget) -> str:
        slow.seconds += 10
        return send(target)

    result = send_posts(ALL, late, service.note, lambda: slow.seconds)
    assert [(post.state, post.reason) for post in result.posts] == [
        (ACCEPTED, ""),
        (NOT_SENT, NO_TIME),
        (NOT_SENT, NO_TIME),
    ]


def test_a_failure_with_an_unknown_result_is_reported_first() -> None:
    service = Service(NotPossible("GitHub", "too old"), NoResponse("GitHub"), NotPossible("GitHub", "too old"))
    service.states()
    assert isinstance(service.result.failure, NoResponse)


@pytest.mark.parametrize(
    ("states", "claim"),
    [
        ((ACCEPTED, UNKNOWN), ClaimState.TAKEN),
        ((REFUSED, UNKNOWN), ClaimState.UNKNOWN),
        ((REFUSED, SENT), ClaimState.UNKNOWN),
        ((REFUSED, NOT_SENT), ClaimState.REFUSED),
        ((NOT_SENT,), ClaimState.NOT_SENT),
    ],
)
def test_the_state_of_a_claim_follows_from_its_posts(states: tuple[PostState, ...], claim: ClaimState) -> None:
    assert state_of([PostRecord(CI, state) for state in states]) is claim


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NotPossible("GitHub", "too old"), "too old"),
        (NoResponse("GitHub", "late"), "not confirmed: GitHub didn’t respond"),
        (NotConfirmed("GitHub", "answered 200"), "not confirmed: GitHub answered 200"),
        (NotFound("GitHub"), "GitHub no longer lists this run"),
        (Forbidden("GitHub"), "the bot’s API key lacks permission for this"),
        (Forbidden("GitHub", "SAML"), "the bot’s API key lacks permission for this"),
        (Unauthorized("GitHub"), "GitHub rejected the bot’s API key"),
        (RateLimitExhausted("GitHub"), "not sent: the bot’s own limit of calls to GitHub is reached"),
        (RateLimitPaused("GitHub"), "GitHub’s rate limit is reached"),
        (OverLimit("GitHub"), "GitHub’s rate limit is reached"),
        (Unreachable("GitHub", "no such name"), "not sent: GitHub can’t be reached"),
        (InvalidResponse("GitHub"), "unexpected response from GitHub"),
    ],
)
def test_the_reason_of_a_refused_post_is_given_in_words(error: CIError, words: str) -> None:
    assert reason_of(error) == words

"""What a live message says and offers in each state; and of any text. `golden/live.txt` holds the whole of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model import errors
from bot.core.model.builds import Actor, Location, Status
from bot.core.model.claims import Claim
from bot.core.model.follows import Follow, FollowState, FollowView
from bot.core.model.outcomes import Followed, NothingToFollow
from bot.core.model.verdicts import Meaning, Verdict, verdict_on
from bot.slack.blocks.button_values import command_of
from bot.slack.blocks.message import Message
from bot.slack.blocks.rich_text import spoken
from bot.slack.messages.live import live, lost, reply, verdict_words, why_inconclusive
from bot.slack.messages.render import render
from tests.examples import examples
from tests.slack.messages.any_text import (
    builds,
    claims,
    failures,
    hold,
    maybe,
    maybe_moment,
    moments,
    seconds,
    standings,
    texts,
)
from tests.slack.messages.drawn import buttons, labels
from tests.slack.messages.live_drawn import ENDED, FOLLOW, GIVEN_UP, MESSAGES, F, P
from tests.slack.messages.one_service import CLAIM, FAILED, HOW
from tests.slack.messages.test_any_text import LONG


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("queued", ["Open build"]),
        ("running", ["Open build"]),
        ("late", ["Open build"]),
        ("flaky", ["Restart", "Open build"]),
        ("unseen", ["Restart", "Open build"]),
        ("overtaken", ["Refresh", "Open build"]),
        ("given_up", ["Keep following", "Refresh", "Open build"]),
        ("given_up_out_of_sight", ["Keep following", "Refresh", "Open build"]),
        ("given_up_since_it_is_gone", []),
        ("first_word", ["Open build"]),
        ("reply_flaky", []),
    ],
)
def test_a_live_message_has_no_button_that_would_replace_it(name: str, offered: list[str]) -> None:
    assert labels(MESSAGES[name]) == offered


def test_keep_following_names_the_build_and_the_run_that_was_followed() -> None:
    (follow,) = [one for one in buttons(MESSAGES["given_up"]) if one["action_id"] == "follow"]
    target = command_of("follow", follow["value"]).target  # type: ignore[union-attr]
    assert (target.build_id, target.run_number, target.branch) == (FAILED.id, 2, "main")


def test_a_running_time_that_would_be_outdated_at_once_is_not_shown() -> None:
    assert "running for" not in MESSAGES["running"].text
    assert "started" in MESSAGES["running"].text


@pytest.mark.parametrize(
    ("verdict", "words", "why_not"),
    [
        (None, "", ""),
        (Verdict(Meaning.FLAKY, F, P, 2, 1), " on retry (flaky)", ""),
        (Verdict(Meaning.FLAKY, F, P, 4, 1), " on retry 3 (flaky)", ""),
        (Verdict(Meaning.FLAKY, P, F, 2, 1), " after passing on the same commit (flaky)", ""),
        (Verdict(Meaning.REAL, F, F, 2, 2), ", twice in a row", ""),
        (Verdict(Meaning.STEADY, P, P, 5, 3), ", 3 times in a row", ""),
        (verdict_on([], P), "", "Not conclusive: no earlier run of this commit is known"),
        (verdict_on([Status.STOPPED], P), "", "Not conclusive: the previous run was cancelled"),
        (verdict_on([P], Status.STOPPED), "", "Not conclusive: the run was cancelled"),
        (verdict_on([F], Status.UNKNOWN), "", "Not conclusive: the run was of unknown status"),
    ],
)
def test_a_verdict_is_for_the_headline_and_no_verdict_has_its_reason(
    verdict: Verdict | None, words: str, why_not: str
) -> None:
    assert (verdict_words(verdict), spoken(why_inconclusive(verdict))) == (words, why_not)


# Of any text.

follows = st.builds(
    Follow,
    key=texts,
    service=texts,
    project_id=texts,
    build_id=texts,
    run_number=st.integers(-1, 2**40),
    branch=maybe,
    asker=st.builds(Actor, texts | st.just("U0ADA")),
    location=st.builds(Location, texts | st.sampled_from(["C0DEV", "D0ADA"]), maybe),
    message_ts=texts,
    began_at=moments,
    restarted=st.booleans(),
    state=st.sampled_from(FollowState),
    shown=texts,
    shown_at=maybe_moment,
)
verdicts = st.builds(verdict_on, st.lists(st.sampled_from(Status), max_size=60), st.sampled_from(Status))
shown = st.builds(
    FollowView,
    follows,
    builds,
    st.none() | verdicts,
    st.none() | seconds,
    st.none() | failures,
    st.booleans(),
    st.none() | claims,
    st.booleans(),
)


@examples(10, 300, shown)
def test_any_live_message_can_be_shown(shown: FollowView) -> None:
    hold(live(shown, HOW))
    hold(reply(shown, HOW))


@examples(10, 100, shown, texts)
def test_any_lost_message_can_be_reported(shown: FollowView, why: str) -> None:
    drawn = lost(shown, why, HOW)
    hold(drawn)
    assert not drawn.in_public


@given(st.one_of(st.builds(Followed, builds, st.integers()), st.builds(NothingToFollow, builds, standings)))
def test_any_first_word_can_be_shown(outcome: Followed | NothingToFollow) -> None:
    hold(render(outcome, context=HOW))


LONG_CLAIM: Claim = replace(CLAIM, actor=Actor("U" * 40))
FULL: list[Callable[[], Message]] = [
    lambda: live(FollowView(FOLLOW, LONG, late_s=1e9, late_because=errors.NoResponse("C" * 400, "d" * 4000)), HOW),
    lambda: live(FollowView(GIVEN_UP, LONG), HOW),
    lambda: live(FollowView(ENDED, LONG, overtaken=True, overtaken_by=LONG_CLAIM), HOW),
    lambda: lost(FollowView(FOLLOW, LONG), "w" * 60, HOW),
]


@pytest.mark.parametrize("drawing", FULL)
def test_the_largest_live_message_fits_and_keeps_its_head(drawing: Callable[[], Message]) -> None:
    drawn = drawing()
    hold(drawn)
    assert "nnn" in drawn.text

"""What a live message says in each of its states, kept in `golden_live/` (`pytest --update`); and of any text."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import errors
from bot.core.claims import Claim
from bot.core.follows import Follow, FollowShown, FollowState
from bot.core.model import Actor, Place, Status
from bot.core.outcomes import Followed, NothingToFollow
from bot.core.verdicts import Meaning, Verdict, verdict_on
from bot.playground.blocks import message_faults
from bot.slack.buttons import command_of
from bot.slack.drawing import Message
from bot.slack.follows_told import followed, live, lost, not_followed, reply, verdict_told
from bot.slack.messages import draw
from tests.slack.any_text import (
    builds,
    claims,
    failures,
    hold,
    maybe,
    maybe_moment,
    moments,
    parts,
    seconds,
    standings,
    texts,
)
from tests.slack.test_messages import BARE, CLAIM, FAILED, HOSTILE, HOW, NOW, PASSED, QUEUED, RUNNING, UNKNOWN, WEB
from tests.slack.test_messages_of_any_text import LONG

GOLDEN = Path(__file__).parent / "golden_live"
ADA, BOB = Actor("U0ADA"), Actor("U0BOB")
P, F = Status.PASSED, Status.FAILED
FOLLOW = Follow(
    key="command:1",
    service="codeship",
    project_id=WEB.id,
    build_id=FAILED.id,
    run_number=2,
    branch="main",
    asker=ADA,
    place=Place("C0BUILDS"),
    message_ts="1418738832.000100",
    began_at=NOW - timedelta(minutes=4),
    restarted=True,
)
OF_ANY = replace(FOLLOW, restarted=False, run_number=1)
ENDED, GIVEN_UP = replace(FOLLOW, state=FollowState.ENDED), replace(FOLLOW, state=FollowState.GIVEN_UP)
PASSES = replace(PASSED, id=FAILED.id, branch="main")
BROKEN = replace(FAILED, status=Status.INFRASTRUCTURE_FAILURE, status_word="infrastructure_failure")
NAMELESS = replace(BARE, project=WEB, branch="main", status=Status.UNKNOWN, status_word="")
DOWN = errors.Unreachable("CodeShip")
SHOWN: dict[str, FollowShown] = {
    "queued": FollowShown(FOLLOW, QUEUED),
    "running": FollowShown(FOLLOW, RUNNING),
    "running_followed": FollowShown(OF_ANY, RUNNING),
    "list_lags": FollowShown(FOLLOW, FAILED),
    "unknown_word": FollowShown(FOLLOW, UNKNOWN),
    "late": FollowShown(FOLLOW, RUNNING, late_s=180.0, late_because=DOWN),
    "late_and_nothing_known": FollowShown(FOLLOW, NAMELESS, late_s=180.0, late_because=errors.BudgetSpent("CodeShip")),
    "flaky": FollowShown(ENDED, PASSES, verdict_on([F], P)),
    "flaky_the_other_way": FollowShown(ENDED, FAILED, verdict_on([P], F)),
    "real": FollowShown(ENDED, FAILED, verdict_on([P, F, F], F)),
    "steady": FollowShown(ENDED, PASSES, verdict_on([P], P)),
    "infrastructure_failure": FollowShown(ENDED, BROKEN, verdict_on([F], Status.INFRASTRUCTURE_FAILURE)),
    "after_a_stopped_run": FollowShown(ENDED, PASSES, verdict_on([Status.STOPPED], P)),
    "no_earlier_run": FollowShown(ENDED, PASSES, verdict_on([], P)),
    "first_run": FollowShown(replace(OF_ANY, state=FollowState.ENDED), PASSES),
    "unseen": FollowShown(ENDED, FAILED, unseen=True),
    "overtaken": FollowShown(ENDED, RUNNING, overtaken=True, overtaken_by=replace(CLAIM, actor=BOB)),
    "overtaken_by_nobody_knows_whom": FollowShown(ENDED, PASSES, overtaken=True),
    "given_up": FollowShown(GIVEN_UP, RUNNING),
    "given_up_out_of_sight": FollowShown(GIVEN_UP, RUNNING, late_s=9000.0, late_because=errors.KeyRefused("CodeShip")),
    "given_up_since_it_is_gone": FollowShown(
        GIVEN_UP, NAMELESS, late_s=130.0, late_because=errors.NotThere("CodeShip")
    ),
    "hostile": FollowShown(ENDED, HOSTILE, verdict_on([F], F)),
}
MESSAGES: dict[str, Message] = {
    **{name: live(shown, HOW) for name, shown in SHOWN.items()},
    **{
        f"reply_{name}": reply(SHOWN[name], HOW)
        for name in ("flaky", "real", "infrastructure_failure", "first_run", "unseen", "overtaken")
    },
    "first_word": followed(RUNNING, HOW),
    "first_word_on_one_that_was_restarted": followed(FAILED, HOW),
    "not_followed": not_followed(),
    "lost": lost(SHOWN["flaky"], "is_archived", HOW),
    "lost_in_a_direct_message": lost(
        replace(SHOWN["running"], follow=replace(FOLLOW, place=Place("D0ADA"))), "restricted_action", HOW
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_live_message_looks_as_it_is_kept(name: str, update: bool) -> None:
    drawn, kept = MESSAGES[name], GOLDEN / f"{name}.json"
    seen = json.dumps({"text": drawn.text, "blocks": drawn.blocks}, ensure_ascii=False, indent=1) + "\n"
    if update:
        GOLDEN.mkdir(exist_ok=True)
        kept.write_text(seen, encoding="utf-8")
    assert kept.read_text(encoding="utf-8") == seen


def test_nothing_is_kept_that_is_no_longer_drawn() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(MESSAGES)


@pytest.mark.parametrize("name", MESSAGES)
def test_slack_takes_every_live_message(name: str) -> None:
    assert message_faults(MESSAGES[name].text, [*MESSAGES[name].blocks]) == []


def labels(drawn: Message) -> list[str]:
    return [part["text"]["text"] for block in drawn.blocks for part in parts(block) if part.get("type") == "button"]


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("queued", ["Open build"]),
        ("running", ["Open build"]),
        ("late", ["Open build"]),
        ("flaky", ["Restart", "Open build"]),
        ("unseen", ["Restart", "Open build"]),
        ("overtaken", ["Refresh", "Open build"]),
        ("given_up", ["Go on", "Refresh", "Open build"]),
        ("given_up_out_of_sight", ["Go on", "Refresh", "Open build"]),
        ("given_up_since_it_is_gone", []),
        ("first_word", ["Open build"]),
        ("reply_flaky", []),
    ],
)
def test_a_live_message_offers_nothing_that_would_put_something_else_in_its_place(
    name: str, offered: list[str]
) -> None:
    assert labels(MESSAGES[name]) == offered


def test_go_on_names_the_build_and_the_run_that_was_followed() -> None:
    (go_on,) = [
        part
        for block in MESSAGES["given_up"].blocks
        for part in parts(block)
        if part.get("action_id") == "follow" and "value" in part
    ]
    target = command_of("follow", go_on["value"]).target  # type: ignore[union-attr]
    assert (target.build_id, target.run_number, target.branch) == (FAILED.id, 2, "main")


def test_a_running_time_that_would_be_old_at_once_is_not_told() -> None:
    assert "running for" not in MESSAGES["running"].text
    assert "started" in MESSAGES["running"].text


@pytest.mark.parametrize(
    ("count", "word"),
    [(2, "second"), (8, "eighth"), (9, "9th"), (11, "11th"), (13, "13th"), (21, "21st"), (22, "22nd"), (23, "23rd")],
)
def test_runs_are_counted_as_people_do(count: int, word: str) -> None:
    (said,) = verdict_told(Verdict(Meaning.FLAKY, F, P, count, 1))
    assert f"the {word} run" in said.text


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
    place=st.builds(Place, texts | st.sampled_from(["C0DEV", "D0ADA"]), maybe),
    message_ts=texts,
    began_at=moments,
    restarted=st.booleans(),
    state=st.sampled_from(FollowState),
    said=texts,
    said_at=maybe_moment,
)
verdicts = st.builds(verdict_on, st.lists(st.sampled_from(Status), max_size=60), st.sampled_from(Status))
shown = st.builds(
    FollowShown,
    follows,
    builds,
    st.none() | verdicts,
    st.none() | seconds,
    st.none() | failures,
    st.booleans(),
    st.none() | claims,
    st.booleans(),
)


@settings(deadline=None, max_examples=300)
@given(shown)
def test_any_live_message_can_be_shown(shown: FollowShown) -> None:
    hold(live(shown, HOW))
    hold(reply(shown, HOW))


@settings(deadline=None)
@given(shown, texts)
def test_any_loss_can_be_told(shown: FollowShown, why: str) -> None:
    drawn = lost(shown, why, HOW)
    hold(drawn)
    assert not drawn.in_public


@settings(deadline=None)
@given(st.one_of(st.builds(Followed, builds, st.integers()), st.builds(NothingToFollow, builds, standings)))
def test_any_first_word_can_be_shown(outcome: Followed | NothingToFollow) -> None:
    hold(draw(outcome, words=HOW))


LONG_CLAIM: Claim = replace(CLAIM, actor=Actor("U" * 40))
FULL: list[Callable[[], Message]] = [
    lambda: live(FollowShown(FOLLOW, LONG, late_s=1e9, late_because=errors.NoAnswer("C" * 400, "d" * 4000)), HOW),
    lambda: live(FollowShown(GIVEN_UP, LONG), HOW),
    lambda: live(FollowShown(ENDED, LONG, overtaken=True, overtaken_by=LONG_CLAIM), HOW),
    lambda: lost(FollowShown(FOLLOW, LONG), "w" * 60, HOW),
]


@pytest.mark.parametrize("drawing", FULL)
def test_a_live_message_at_its_fullest_keeps_its_head_and_fits(drawing: Callable[[], Message]) -> None:
    drawn = drawing()
    hold(drawn)
    assert "nnn" in drawn.text

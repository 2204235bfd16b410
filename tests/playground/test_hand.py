"""The world's hand: every gesture that it knows, and what it says where it knows none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.playground.hand import GESTURES, wave
from bot.playground.slack_records import CannotDo
from bot.playground.stage import Stage
from tests.held_clock import HeldClock

SAID = [
    ("acme/web main starts", "testing"),
    ("acme/web main passes", "success"),
    ("acme/web main fails", "error"),
    ("acme/web main is stopped", "stopped"),
    ("acme/web main is ignored", "ignored"),
    ("acme/web main is blocked", "blocked"),
    ("acme/web main breaks down", "infrastructure_failure"),
    ("acme/web main is “quarantined”", "quarantined"),
    ("carol pushes acme/web main “Fix it”", "initiated"),
]
ARRANGED = [
    "CodeShip is down",
    "CodeShip is fine",
    "CodeShip is slow",
    "CodeShip refuses the key",
    "CodeShip gives no rights",
    "CodeShip is over its limit",
    "CodeShip answers with a web page",
    "CodeShip loses the answer to a restart",
    "CodeShip loses a restart",
    "CodeShip shows the old run for 3 calls",
    "CodeShip gives restarts new ids",
    "the bot is invited to #random",
    "the bot is thrown out of #random",
    "#random is archived",
    "builds take 4 hours",
    "bob joins S0DEPLOY",
    "bob leaves S0DEPLOY",
    "the bot is restarted",
]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage(HeldClock(), ack_within_s=30.0) as made:
        assert made.settle()
        yield made


@pytest.mark.parametrize(("words", "status"), SAID)
def test_what_happens_to_a_build(stage: Stage, words: str, status: str) -> None:
    wave(stage, words)
    assert stage.codeship.newest("acme/web", "main").status == status


@pytest.mark.parametrize("words", ARRANGED)
def test_what_is_arranged(stage: Stage, words: str) -> None:
    wave(stage, f"  {words} ")
    assert stage.settle()


def test_slack_delivers_again_what_it_has_delivered(stage: Stage) -> None:
    stage.workspace.types("ada", "#builds", "/codeship help")
    assert stage.settle()
    before = len(stage.workspace.deliveries)
    wave(stage, "Slack delivers again")
    assert len(stage.workspace.deliveries) == before + 1
    assert stage.settle()


def test_what_the_bot_said_last_can_be_deleted(stage: Stage) -> None:
    stage.workspace.types("ada", "#builds", "/codeship status acme/web main")
    assert stage.settle()
    last = [message for message in stage.workspace.conversation("#builds", "ada") if message.bot_id][-1]
    wave(stage, "the bot’s last message is deleted")
    assert last.ts not in [message.ts for message in stage.workspace.conversation("#builds", "ada")]


def test_every_gesture_is_tried_here() -> None:
    said = [*(words for words, _ in SAID), *ARRANGED, "Slack delivers again", "the bot’s last message is deleted"]
    untried = [gesture.usage for gesture in GESTURES if not any(gesture.pattern.fullmatch(words) for words in said)]
    assert untried == []


@pytest.mark.parametrize("words", ["", "acme/web explodes", "CodeShip is happy", "acme/web main", "the bot is invited"])
def test_what_it_does_not_know_is_answered_with_what_it_does(stage: Stage, words: str) -> None:
    with pytest.raises(CannotDo) as refusal:
        wave(stage, words)
    for gesture in GESTURES:
        assert gesture.usage in str(refusal.value)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("acme/nothing main passes", "acme/nothing"),
        ("acme/web nothing passes", "no build of acme/web nothing"),
        ("ada pushes acme/nothing main “x”", "acme/nothing"),
        ("the bot is invited to #nothing", "#nothing"),
    ],
)
def test_what_is_not_there_is_named(stage: Stage, words: str, why: str) -> None:
    with pytest.raises(CannotDo, match=why):
        wave(stage, words)

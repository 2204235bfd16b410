"""Transcripts: how a script is parsed and rewritten, and the errors for impossible steps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.codeship import faults as moods
from playground.play.transcript import Play, Step, rewritten, settings_of, steps_of
from playground.sandbox import Sandbox
from playground.slack.model import CannotDo
from tests.held_clock import HeldClock

SCRIPT = """\
# What it shows,
# in two lines.

ada> /codeship status acme/web main
:x: *acme/web*
  [Restart]

! acme/web main passes

# Between two steps.
bob in thread> [Restart]
(only bob sees this) No.
! 8 s later
bob with @codeship> help
"""


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def play(clock: HeldClock) -> Iterator[Play]:
    with Sandbox(clock, ack_within_s=30.0) as stage:
        yield Play(stage, clock.advance)


def test_a_script_is_read_as_steps_with_what_was_seen_after_each() -> None:
    assert list(steps_of(SCRIPT)) == [
        Step("ada> /codeship status acme/web main", (":x: *acme/web*", "  [Restart]")),
        Step("! acme/web main passes", ()),
        Step("bob in thread> [Restart]", ("(only bob sees this) No.",)),
        Step("! 8 s later", ()),
        Step("bob with @codeship> help", ()),
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "# Only a comment.\n", "seen before any step\n"])
def test_a_script_without_steps_has_none(text: str) -> None:
    assert list(steps_of(text)) == []


@pytest.mark.parametrize(
    "line",
    [
        "Ada> hi",
        "ada>hi",
        "ada says> hi",
        "ada in builds> hi",
        "ada with codeship> hi",
        "!passes",
        "  ada> hi",
        "(only ada> sees)",
    ],
)
def test_what_only_looks_like_a_step_counts_as_seen(line: str) -> None:
    assert list(steps_of(f"ada> hi\n{line}\n")) == [Step("ada> hi", (line,))]


def test_what_is_seen_now_takes_the_place_of_what_was_seen_then() -> None:
    seen = [("new", "  lines"), (), ("changed",), (), ("help",)]
    assert (
        rewritten(SCRIPT, seen)
        == """\
# What it shows,
# in two lines.

ada> /codeship status acme/web main
new
  lines

! acme/web main passes

# Between two steps.

bob in thread> [Restart]
changed

! 8 s later

bob with @codeship> help
help
"""
    )


def test_written_again_with_the_same_it_stays_the_same() -> None:
    seen = [step.seen for step in steps_of(SCRIPT)]
    once = rewritten(SCRIPT, seen)
    assert rewritten(once, seen) == once
    assert [step.seen for step in steps_of(once)] == seen


# Played.


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("not a step", "not a step: not a step"),
        ("ada> [Restart]", "ada sees no button [Restart]"),
        ("eve> hi", "there is no person called eve"),
        ("ada in #nowhere> hi", "ada cannot see #nowhere"),
        ("ada in thread> hi", "the bot has not posted yet"),
        ("guest in #random> hi", "guest is not in #random"),
        ("! acme/web main explodes", "unknown event. Events: "),
        ("! acme/nothing main passes", "no build of acme/nothing|no project acme/nothing"),
    ],
)
def test_a_step_that_cannot_be_taken_says_why(play: Play, line: str, why: str) -> None:
    with pytest.raises(CannotDo) as refusal:
        play.step(line)
    assert any(str(refusal.value).startswith(each) for each in why.split("|")), str(refusal.value)


def test_each_message_is_seen_once_and_again_when_it_changes(play: Play) -> None:
    first = play.step("ada> /codeship status acme/web main")
    assert first[0].startswith(":x: *acme/web main")
    assert play.step("! acme/web main passes") == ()
    again = play.step("bob> [Refresh]")
    assert again[0].startswith("(changed) :white_check_mark: *acme/web main")


def test_the_last_button_of_a_name_is_the_one_that_is_pressed(play: Play) -> None:
    play.step("ada> /codeship status acme/web main")
    play.step("ada> /codeship status acme/api main")
    assert "acme/api" in play.step("ada> [Refresh]")[0]


def test_what_one_person_sees_is_not_anothers_to_press(play: Play) -> None:
    assert play.step("ada> /codeship restart acme/web")[-1].strip().startswith("[")
    with pytest.raises(CannotDo, match=r"bob sees no button \[main\]"):
        play.step("bob> [main]")


@pytest.mark.parametrize(("words", "seconds"), [("8 s", 8), ("4 min", 240), ("2 h", 7200)])
def test_time_passes_when_it_is_said(play: Play, clock: HeldClock, words: str, seconds: float) -> None:
    before = clock.now()
    play.step(f"! {words} later")
    assert (clock.now() - before).total_seconds() == seconds


def test_the_first_list_of_projects_is_read_before_the_first_step(clock: HeldClock) -> None:
    """Else what the first step does to CodeShip may or may not be met by it, as threads have it."""
    with Sandbox(clock) as stage:
        stage.stop_bot()
        stage.codeship.mood = moods.slow(0.2, on="list")
        before = len(stage.codeship.requests)
        stage.start_bot()
        play = Play(stage, clock.advance)
        assert len(stage.codeship.requests) == before + 1
        play.step("! CodeShip gives no rights")
        assert "lacks permission for this" in play.step("ada> /codeship restart acme/web main")[0]
        play.step("! CodeShip refuses the key")
        assert "rejected the bot’s API key" in play.step("ada> /codeship restart acme/web main")[0]


def test_a_bot_that_stays_busy_is_not_taken_for_one_that_has_answered(clock: HeldClock) -> None:
    class Busy(Sandbox):
        """One whose patience ends at once."""

        def settle(self, timeout_s: float = 0.0) -> bool:
            return super().settle(0.0)

    with Busy(clock) as stage:
        assert Sandbox.settle(stage)
        play = Play(stage, clock.advance)
        stage.codeship.mood = moods.hang()
        with pytest.raises(TimeoutError, match="still busy"):
            play.step("ada> /codeship status acme/web main")
        assert stage.codeship.wait_until(lambda: stage.codeship.held == 1)
        stage.codeship.release()
        assert Sandbox.settle(stage)


def test_settings_are_read_from_the_comments_and_files_are_relative_to_the_project() -> None:
    text = "# What it shows. A=b\n# POLICY=rules.toml\n# SLACK_COMMAND=/ci\n\nada> # POLICY=other.toml\n"
    assert settings_of(text, Path("/project")) == {"POLICY": "/project/rules.toml", "SLACK_COMMAND": "/ci"}

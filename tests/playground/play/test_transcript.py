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
    with Sandbox(clock, ack_timeout_s=30.0) as stage:
        yield Play(stage, clock.advance)


def test_a_script_is_parsed_into_steps_and_what_was_seen() -> None:
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
def test_a_line_that_only_looks_like_a_step_counts_as_seen(line: str) -> None:
    assert list(steps_of(f"ada> hi\n{line}\n")) == [Step("ada> hi", (line,))]


def test_rewriting_replaces_what_was_seen() -> None:
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


def test_rewriting_with_the_same_lines_changes_nothing() -> None:
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
def test_an_impossible_step_says_why(play: Play, line: str, why: str) -> None:
    with pytest.raises(CannotDo) as refusal:
        play.step(line)
    assert any(str(refusal.value).startswith(each) for each in why.split("|")), str(refusal.value)


def test_each_message_is_seen_once_and_after_each_change(play: Play) -> None:
    first = play.step("ada> /codeship status acme/web main")
    assert first[0].startswith(":x: *acme/web main")
    assert play.step("! acme/web main passes") == ()
    again = play.step("bob> [Refresh]")
    assert again[0].startswith("(changed) :white_check_mark: *acme/web main")


def test_the_last_button_with_the_label_is_pressed(play: Play) -> None:
    play.step("ada> /codeship status acme/web main")
    play.step("ada> /codeship status acme/api main")
    assert "acme/api" in play.step("ada> [Refresh]")[0]


def test_a_person_cannot_press_another_persons_ephemeral_button(play: Play) -> None:
    assert play.step("ada> /codeship restart acme/web")[-1].strip().startswith("[")
    with pytest.raises(CannotDo, match=r"bob sees no button \[main\]"):
        play.step("bob> [main]")


@pytest.mark.parametrize(("words", "seconds"), [("8 s", 8), ("4 min", 240), ("2 h", 7200)])
def test_time_passes_only_in_a_step_that_says_so(play: Play, clock: HeldClock, words: str, seconds: float) -> None:
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


def test_a_busy_bot_is_not_mistaken_for_one_that_has_answered(clock: HeldClock) -> None:
    class Busy(Sandbox):
        """A sandbox that never settles."""

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

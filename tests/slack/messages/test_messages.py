"""What messages say and offer if one CI service stands behind the bot. `golden/` holds the whole of each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.model import errors
from bot.core.model.builds import Status
from bot.core.model.commands import TABLE, BranchCommand, BuildCommand, Command, Verb, Word
from bot.core.model.outcomes import AlreadyRestarted, BuildsShown
from bot.slack.blocks.button_values import command_of
from bot.slack.messages.builds import SIGNS, WORDS, target_of
from bot.slack.messages.errors import render_error
from bot.slack.messages.render import render
from tests.slack.messages.drawn import buttons, dialogs, labels, pressed
from tests.slack.messages.one_service import (
    CLAIM,
    ERRORS,
    FAILED,
    HOSTILE,
    HOW,
    MESSAGES,
    OUTCOMES,
    PASSED,
    RUNNING,
    STATUS,
    WEB,
    known,
)
from tests.slack.several import NOW


def test_results_of_builds_are_public_and_the_rest_is_for_the_asker() -> None:
    hidden = {name for name, outcome in OUTCOMES.items() if not render(outcome, context=HOW).in_public}
    assert hidden == {name for name in OUTCOMES if name.startswith(("help", "projects"))}
    assert not any(MESSAGES[name].in_public for name in (*ERRORS, "bug", "bug_in_a_restart"))


def test_every_status_has_its_own_emoji_and_word() -> None:
    assert set(SIGNS) == set(Status)
    assert len(set(SIGNS.values())) == len(Status)
    assert {*WORDS, Status.UNKNOWN} == set(Status)
    assert len(set(WORDS.values())) == len(WORDS)


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("build_failed", ["Restart", "Refresh", "Open build"]),
        ("build_running", ["Refresh", "Open build"]),
        ("build_unknown", ["Refresh", "Open build"]),
        ("build_bare", ["Restart", "Refresh"]),
        ("build_restarted_list_lags", ["Refresh", "Open build"]),
        ("build_restart_hangs", ["Try again", "Refresh", "Open build"]),
        ("could_not_tell", ["Try again", "Refresh", "Open build"]),
        ("restarted", ["Refresh", "Open build"]),
        ("restarted_under_another_id", ["Refresh"]),
        ("already_restarted", ["Refresh", "Open build"]),
        ("still_running", ["Refresh", "Open build"]),
        ("projects", ["Previous", "Next"]),
        ("branches", ["main", "release/1.2.io"]),
        ("which_branch", [f"b{n}" for n in range(10)]),
    ],
)
def test_only_what_can_be_done_is_offered(name: str, drawn: list[str]) -> None:
    assert labels(MESSAGES[name]) == drawn


@pytest.mark.parametrize(
    ("name", "label", "command"),
    [
        ("build_failed", "Restart", BuildCommand(Verb.RESTART, target_of(FAILED, 1), confirmed=True)),
        ("build_in_its_second_run", "Restart", BuildCommand(Verb.RESTART, target_of(PASSED, 2), confirmed=True)),
        ("could_not_tell", "Try again", BuildCommand(Verb.RESTART, target_of(FAILED, 1), (17, 1), confirmed=True)),
        (
            "restarted_under_another_id",
            "Refresh",
            BuildCommand(Verb.STATUS, replace(target_of(FAILED), build_id="3277310", started_at=None)),
        ),
        (
            "no_such_project",
            "acme/web",
            BranchCommand(Verb.RESTART, Word.of("acme/web"), Word.of("“main”", "main"), confirmed=True),
        ),
        (
            "no_such_branch_of_a_restart",
            "main",
            BranchCommand(Verb.RESTART, Word.of("acme/web"), Word.of("main"), confirmed=True),
        ),
        ("no_such_branch_of_a_restart", "dev", BranchCommand(Verb.RESTART, Word.of("acme/web"), Word.of("dev"))),
        ("needs_confirmation", "Restart", BuildCommand(Verb.RESTART, target_of(FAILED, 2), confirmed=True)),
        (
            "needs_confirmation_of_a_try_again",
            "Try again",
            BuildCommand(Verb.RESTART, target_of(HOSTILE, 1), (17, 1), confirmed=True),
        ),
        ("no_such_branch", "dev", BranchCommand(Verb.BUILDS, Word.of("acme/web"), Word.of("dev"))),
        ("which_branch", "b3", BranchCommand(Verb.RESTART, Word.of("acme/web"), Word.of("b3"))),
        ("ambiguous_project", "umbrella/web", BranchCommand(Verb.STATUS, Word.of("umbrella/web"), Word.of("main"))),
    ],
)
def test_a_button_does_what_the_message_offers(name: str, label: str, command: Command) -> None:
    assert pressed(MESSAGES[name], label) == command


def test_text_says_everything_by_itself() -> None:
    text = MESSAGES["build_restarted_list_lags"].text
    for fact in ("acme/web", "main", "failed", "4 min 07 s", "4f2c1e9", "Fix login", "ada", "2014-12-16 14:03 UTC"):
        assert fact in text
    assert "restarted by <@U0ADA> · 2014-12-16 14:07 UTC" in text
    assert "The session was lost" not in text
    assert all(branch in MESSAGES["which_branch"].text for branch in ("b0", "b9", "b11"))


def test_untrusted_words_ping_no_one_and_break_no_mark_up() -> None:
    text = MESSAGES["build_hostile"].text
    assert not any(mark in text for mark in ("<", "@here", "`", "~"))
    assert text.count("*") == 2  # the repository's name is bold


@pytest.mark.parametrize(
    "name", [name for name, (_, command) in ERRORS.items() if command and command.verb is Verb.RESTART]
)
def test_a_restart_that_was_not_made_is_shown_so(name: str) -> None:
    assert "Not restarted: " in MESSAGES[name].text or "Nothing has been restarted" in MESSAGES[name].text


def test_a_clock_that_runs_ahead_makes_no_negative_time() -> None:
    ahead = replace(RUNNING, started_at=NOW + timedelta(minutes=3))
    assert "running ·" in render(BuildsShown(WEB, None, (ahead,)), context=HOW).text
    assert "by <@U0ADA> just now" in render(AlreadyRestarted(FAILED, CLAIM, -3), context=HOW).text


def test_a_build_that_ran_when_last_seen_is_shown_as_of_then() -> None:
    began = replace(RUNNING, started_at=NOW - timedelta(minutes=5))
    drawn = render_error(known(errors.NoResponse("CodeShip"), began), STATUS, context=HOW, reference=None)
    assert "running for 1 min 00 s" in drawn.text


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("build_failed", {"Restart": "Restart main?"}),
        ("build_in_its_second_run", {"Restart": "Restart release/1.2.io?"}),
        ("build_bare", {}),
        ("build_hostile", {}),
        ("build_restart_hangs", {"Try again": "Restart main?"}),
        ("could_not_tell", {"Try again": "Restart main?"}),
        ("no_such_branch", {}),
        ("no_such_branch_of_a_restart", {"main": "Restart main?"}),
        ("which_branch", {}),
        ("branches", {}),
        ("needs_confirmation", {"Restart": "Restart main?"}),
    ],
)
def test_a_button_that_restarts_a_main_branch_needs_confirmation_and_no_other_does(
    name: str, asked: dict[str, str]
) -> None:
    assert {label: says["title"] for label, says in dialogs(MESSAGES[name]).items()} == asked


def test_a_press_counts_as_confirmed_exactly_if_slack_asked() -> None:
    for drawn in MESSAGES.values():
        for button in buttons(drawn):
            if "value" in button:
                command = command_of(button["action_id"], button["value"])
                assert getattr(command, "confirmed", False) == ("confirm" in button)


def test_who_is_asked_is_shown_by_name_or_in_words_that_ping_no_one() -> None:
    assert MESSAGES["not_allowed_ask_somebody"].text.endswith("Whom to ask: <@U0ADA>")
    assert MESSAGES["not_allowed_group_unknown"].text.endswith("Whom to ask: <!subteam^S0RELEASE>")
    assert MESSAGES["not_allowed_ask_in_words"].text.endswith("Whom to ask: &lt;!here&gt; the ops team")


def test_help_names_every_command_with_its_example() -> None:
    for entry in TABLE:
        assert f"`/codeship {entry.example}`" in MESSAGES["help"].text

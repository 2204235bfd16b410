"""What messages say and offer with one CI service. `golden/` has their full text."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.model import errors
from bot.core.model.builds import Status
from bot.core.model.command_entries import Command
from bot.core.model.command_values import BranchCommand, BuildCommand, ShowHelp, Verb, Word
from bot.core.model.commands import MORE, TABLE
from bot.core.model.errors import WHICH_REPOSITORY, NotUnderstood
from bot.core.model.outcomes import BuildsShown
from bot.slack.blocks.button_values import OPENS_FORM, command_of
from bot.slack.blocks.rich_text import escaped
from bot.slack.messages.builds import SIGNS, WORDS, target_of
from bot.slack.messages.errors import render_error
from bot.slack.messages.render import render
from tests.slack.messages.drawn import buttons, dialogs, labels, pressed
from tests.slack.messages.one_service import (
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


def test_a_run_that_waits_names_the_environment() -> None:
    hidden = {name for name, outcome in OUTCOMES.items() if not render(outcome, context=HOW).in_public}
    assert hidden == {name for name in OUTCOMES if name.startswith(("help", "projects"))}
    assert not any(MESSAGES[name].in_public for name in (*ERRORS, "bug", "bug_in_a_restart"))


def test_a_branch_that_failed_for_an_older_commit_offers_only_that_run() -> None:
    assert set(SIGNS) == set(Status)
    assert len(set(SIGNS.values())) == len(Status)
    assert {*WORDS, Status.UNKNOWN} == set(Status)
    assert len(set(WORDS.values())) == len(WORDS)


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("build_failed", ["Restart", "Refresh", "Open build"]),
        ("build_running", ["Follow", "Refresh", "Open build"]),
        ("build_unknown", ["Refresh", "Open build"]),
        ("build_bare", ["Restart", "Refresh"]),
        ("build_restarted_list_lags", ["Follow", "Refresh", "Open build"]),
        ("build_restart_hangs", ["Try again", "Refresh", "Open build"]),
        ("could_not_tell", ["Try again", "Refresh", "Open build"]),
        ("restarted", ["Refresh", "Open build"]),
        ("restarted_under_another_id", ["Refresh"]),
        ("already_restarted", ["Follow", "Refresh", "Open build"]),
        ("still_running", ["Follow", "Refresh", "Open build"]),
        ("projects", ["Previous", "Next"]),
        ("branches", ["main", "release/1.2.io"]),
        ("help", ["Open form", "More"]),
        ("which_branch", [f"b{n}" for n in range(10)]),
    ],
)
def test_only_possible_actions_are_offered(name: str, drawn: list[str]) -> None:
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
def test_a_buttons_command_matches_its_label(name: str, label: str, command: Command) -> None:
    assert pressed(MESSAGES[name], label) == command


def test_text_says_everything_by_itself() -> None:
    text = MESSAGES["build_restarted_list_lags"].text
    for fact in (
        "acme/web",
        "main",
        "failed",
        "4m\N{NO-BREAK SPACE}7s",
        "4f2c1e9",
        "Fix login",
        "ada",
        "2014-12-16 14:03 UTC",
    ):
        assert fact in text
    assert "restarted by <@U0ADA> 2014-12-16 14:07 UTC" in text
    assert "The session was lost" not in text
    assert all(branch in MESSAGES["which_branch"].text for branch in ("b0", "b9", "b11"))


def test_untrusted_text_pings_no_one_and_breaks_no_markup() -> None:
    text = MESSAGES["build_hostile"].text.replace("<@U0BOB>", "")  # who asked
    assert not any(mark in text for mark in ("<", "@here", "`", "~"))
    assert text.count("*") == 2  # the headline is bold


@pytest.mark.parametrize(
    "name", [name for name, (_, command) in ERRORS.items() if command and command.verb is Verb.RESTART]
)
def test_messages_equal_their_golden_files(name: str) -> None:
    assert "Not restarted: " in MESSAGES[name].text or "Nothing has been restarted" in MESSAGES[name].text


def test_a_fast_clock_gives_no_negative_time() -> None:
    ahead = replace(RUNNING, started_at=NOW + timedelta(minutes=3))
    assert "main running · started " in render(BuildsShown(WEB, None, (ahead,)), context=HOW).text


def test_a_build_that_ran_when_last_seen_has_no_running_time() -> None:
    began = replace(RUNNING, started_at=NOW - timedelta(minutes=5))
    drawn = render_error(known(errors.NoResponse("CodeShip"), began), STATUS, context=HOW, reference=None)
    assert "main running · started " in drawn.text


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            errors.NoResponse("CodeShip", "answered 502: <html>Bad gateway", http_status=502),
            "CodeShip is unavailable (502)",
        ),
        (errors.NoResponse("CodeShip", "no answer within 8 s", timed_out=True), "CodeShip timed out"),
        (errors.NoResponse("CodeShip", "the connection broke"), "CodeShip is unavailable"),
        (errors.InvalidResponse("CodeShip", "check CODESHIP_API_URL"), "Unexpected response from CodeShip"),
        (
            errors.InvalidResponse("CodeShip", "answered 400", said="no id"),
            "Unexpected response from CodeShip: “no id”",
        ),
        (errors.Unauthorized("CodeShip", "check CODESHIP_API_KEY"), "CodeShip rejected the bot’s API key"),
        (errors.NotPossible("CodeShip", "x" * 500), f"CodeShip refused: “{'x' * 199}…”"),
    ],
)
def test_only_the_public_part_of_a_failure_is_shown(error: errors.CIError, said: str) -> None:
    assert render_error(error, STATUS, context=HOW, reference=None).text.splitlines()[0] == f":warning: *{said}.*"


@pytest.mark.parametrize("name", [name for name, (error, _) in ERRORS.items() if isinstance(error, errors.CIError)])
def test_a_temporary_error_offers_try_again(name: str) -> None:
    error, command = ERRORS[name]
    passes = isinstance(error, errors.OverLimit | errors.Unreachable | errors.NoResponse | errors.InvalidResponse)
    assert labels(MESSAGES[name]) == (["Try again"] if passes else [])
    if passes:
        assert pressed(MESSAGES[name], "Try again") == replace(command, confirmed=False)  # type: ignore[type-var]


def test_no_message_names_a_setting() -> None:
    for drawn in MESSAGES.values():
        assert not re.search(r"\b[A-Z]{2,}_[A-Z_]{2,}\b", f"{drawn.text} {drawn.blocks}")


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
def test_any_lost_message_can_be_reported(name: str, asked: dict[str, str]) -> None:
    assert {label: says["title"] for label, says in dialogs(MESSAGES[name]).items()} == asked


def test_a_press_counts_as_confirmed_only_if_slack_asked() -> None:
    for drawn in MESSAGES.values():
        for button in buttons(drawn):
            if "value" in button and not OPENS_FORM.search(button["action_id"]):
                command = command_of(button["action_id"], button["value"])
                assert getattr(command, "confirmed", False) == ("confirm" in button)


def test_whom_to_ask_is_a_mention_or_text_that_pings_no_one() -> None:
    assert MESSAGES["not_allowed_ask_somebody"].text.endswith("Who to ask: <@U0ADA>")
    assert MESSAGES["not_allowed_group_unknown"].text.endswith("Who to ask: <!subteam^S0RELEASE>")
    assert MESSAGES["not_allowed_ask_in_words"].text.endswith("Who to ask: &lt;!here&gt; the ops team")


def test_help_names_the_everyday_commands_and_more_says_what_every_command_does() -> None:
    short, more = MESSAGES["help"].text, MESSAGES["help_more"].text
    for entry in TABLE:
        assert (f"`{escaped(entry.usage)}`" in short) is entry.in_short_help
        assert f"`{escaped(entry.usage)}`" in more
        assert entry.answer in more


def test_help_fits_the_screen_of_a_phone() -> None:
    assert len(MESSAGES["help"].text.splitlines()) <= 12
    assert all(len(line) <= 45 for line in MESSAGES["help"].text.splitlines())
    assert pressed(MESSAGES["help"], "More") == ShowHelp(MORE)


def test_a_command_without_its_repository_offers_the_askers_last_ones_and_the_form() -> None:
    why = NotUnderstood(WHICH_REPOSITORY, Verb.RESTART)
    many = [replace(WEB, id=str(number), name=f"acme/r{number}") for number in range(9)]
    drawn = render_error(why, None, context=HOW, reference=None, recent=many)
    assert labels(drawn) == ["acme/r0", "acme/r1", "acme/r2", "acme/r3", "acme/r4", "Open form"]
    assert pressed(drawn, "acme/r1") == BranchCommand(Verb.RESTART, Word.of("acme/r1"))

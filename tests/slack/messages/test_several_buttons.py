"""The buttons if builds have workflows, and if several CI services are configured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.model import errors
from bot.core.model.command_entries import Command
from bot.core.model.command_values import BranchCommand, BuildCommand, Verb, Word
from bot.core.model.outcomes import BuildShown
from bot.slack.blocks.button_values import OPENS_FORM, command_of
from bot.slack.messages.builds import target_of
from bot.slack.messages.errors import render_error
from bot.slack.messages.render import render
from tests.slack.messages.drawn import buttons, dialogs, labels, pressed
from tests.slack.messages.several_drawn import CANCEL_IT, MESSAGES, RESTART, RESTART_IT
from tests.slack.several import (
    BOTH,
    FAILED,
    HALF,
    RUNNING,
    WEB,
)


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("failed_with_its_jobs", ["Restart", "Re-run failed jobs", "Show log", "Refresh", "Open build"]),
        (
            "failed_while_another_runs",
            ["Restart", "Re-run failed jobs", "Follow", "Show log", "Cancel", "Refresh", "Open build"],
        ),
        ("failed_while_another_runs_and_restarted", ["Follow", "Show log", "Cancel", "Refresh", "Open build"]),
        ("log", ["Re-run with debug logs", "Open job"]),
        ("log_while_it_is_restarted", ["Open job"]),
        ("log_that_is_missing", ["Open build"]),
        ("passed", ["Restart", "Refresh", "Open build"]),
        ("running", ["Follow", "Cancel", "Refresh", "Open build"]),
        ("still_running", ["Follow", "Cancel", "Refresh", "Open build"]),
        ("restart_hangs", ["Try again", "Show log", "Refresh", "Open build"]),
        ("state_not_known", ["Refresh", "Open build"]),
        ("cancelled", ["Open build"]),
        ("being_cancelled", ["Refresh", "Open build"]),
        ("nothing_to_cancel", ["Restart", "Re-run failed jobs", "Show log", "Refresh", "Open build"]),
        ("followed", ["Cancel", "Open build"]),
        ("live_running", ["Cancel", "Open build"]),
        ("live_failed_while_another_runs", ["Cancel", "Open build"]),
        ("live_list_lags", ["Open build"]),
        ("live_failed", ["Restart", "Re-run failed jobs", "Show log", "Open build"]),
        ("live_passed", ["Restart", "Open build"]),
        ("live_given_up", ["Open build"]),
        ("cannot_cancel", ["Open on CodeShip"]),
        ("will_not_restart", ["Open build"]),
        ("cancel_not_answered", ["Cancel", "Refresh", "Open build"]),
        ("cancel_not_begun", ["Try again"]),
        ("needs_confirmation_of_failed_jobs", ["Re-run failed jobs"]),
        ("ambiguous_by_service", ["acme/web@codeship", "acme/web@github"]),
        ("ambiguous_by_name", ["acme/web", "umbrella/web"]),
        ("no_such_project", ["acme/web@codeship", "acme/web@github", "acme/api"]),
    ],
)
def test_only_possible_actions_are_offered(name: str, offered: list[str]) -> None:
    assert labels(MESSAGES[name]) == offered


@pytest.mark.parametrize("outcome", [BuildShown(FAILED), BuildShown(HALF), BuildShown(RUNNING)])
def test_an_action_that_the_service_lacks_is_not_offered(outcome: BuildShown) -> None:
    unable = replace(BOTH, services={"github": replace(BOTH.services["github"], abilities=frozenset())})
    assert not {"Cancel", "Re-run failed jobs", "Show log"} & set(labels(render(outcome, context=unable)))
    assert "Restart" not in labels(render(outcome, context=unable)), "it may only be read"
    unknown = replace(BOTH, services={})
    assert not {"Cancel", "Re-run failed jobs", "Show log"} & set(labels(render(outcome, context=unknown)))


@pytest.mark.parametrize(
    ("name", "label", "command"),
    [
        ("failed_with_its_jobs", "Restart", RESTART_IT),
        ("failed_with_its_jobs", "Re-run failed jobs", replace(RESTART_IT, failed_jobs_only=True)),
        ("running", "Cancel", CANCEL_IT),
        (
            "live_failed",
            "Re-run failed jobs",
            BuildCommand(Verb.RESTART, target_of(FAILED, 2), None, True, False, True),
        ),
        (
            "needs_confirmation_of_failed_jobs",
            "Re-run failed jobs",
            BuildCommand(Verb.RESTART, target_of(FAILED, 2), None, True, False, True),
        ),
        ("cancel_not_answered", "Cancel", CANCEL_IT),
        ("cancel_not_answered", "Refresh", BuildCommand(Verb.STATUS, target_of(RUNNING))),
        ("branches", "feature/login", BranchCommand(Verb.STATUS, Word.of("acme/web@github"), Word.of("feature/login"))),
        ("ambiguous_by_service", "acme/web@github", BranchCommand(Verb.STATUS, Word.of("acme/web@github"))),
        ("ambiguous_by_name", "acme/web", BranchCommand(Verb.STATUS, Word.of("acme/web@github"))),
        (
            "ambiguous_by_service_of_a_restart",
            "acme/web@codeship",
            BranchCommand(Verb.RESTART, Word.of("acme/web@codeship"), Word.of("main"), confirmed=True),
        ),
        (
            "no_such_branch",
            "main",
            BranchCommand(Verb.RESTART, Word.of("acme/web@github"), Word.of("main"), confirmed=True),
        ),
        ("no_such_branch", "dev", BranchCommand(Verb.RESTART, Word.of("acme/web@github"), Word.of("dev"))),
        ("which_branch_to_cancel", "dev", BranchCommand(Verb.CANCEL, Word.of("acme/web@github"), Word.of("dev"))),
    ],
)
def test_a_buttons_command_matches_its_label(name: str, label: str, command: Command) -> None:
    assert pressed(MESSAGES[name], label) == command


def test_build_results_are_public_and_the_rest_is_for_the_asker() -> None:
    for drawn in MESSAGES.values():
        acting = [it for it in buttons(drawn) if "value" in it and not OPENS_FORM.search(it["action_id"])]
        for button in acting:
            command = command_of(button["action_id"], button["value"])
            cancels = command.verb is Verb.CANCEL and getattr(command, "branch", "of the build") is not None
            assert ("confirm" in button) == (cancels or getattr(command, "confirmed", False))


def test_a_dialog_names_the_action_and_its_target() -> None:
    says = dialogs(MESSAGES["failed_while_another_runs"])
    assert {label: (says[label]["text"], says[label]["confirm"]) for label in says} == {
        "Restart": ("Restart the failed workflow CI of acme/web main at 4f2c1e9?", "Restart 1 workflow"),
        "Re-run failed jobs": ("Re-run the failed jobs in CI of acme/web main at 4f2c1e9?", "Re-run failed jobs"),
        "Cancel": ("Cancel Deploy of acme/web main?", "Cancel 1 workflow"),
    }


def test_every_status_has_its_own_emoji_and_word() -> None:
    asked = []
    words = replace(BOTH, needs_confirmation=lambda repository, _branch: asked.append(repository) is None)
    render_error(errors.NoSuchBranch(WEB, "mian", ["main"]), RESTART, context=words, reference=None)
    assert asked == ["acme/web"], "a rule knows nothing of services"


def test_the_cancel_button_of_a_live_message_does_not_replace_it() -> None:
    assert pressed(MESSAGES["running"], "Cancel") == CANCEL_IT
    assert pressed(MESSAGES["live_running"], "Cancel") == replace(CANCEL_IT, in_live=True)

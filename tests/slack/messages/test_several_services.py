"""What messages say if builds have workflows, and if several CI services stand behind one bot."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from bot.core.model import errors
from bot.core.model.builds import FailedJob, Status
from bot.core.model.command_values import Verb
from bot.core.model.outcomes import BuildShown, ProjectsShown
from bot.slack.blocks.message import LARGEST_JSON
from bot.slack.messages.builds import OF_WORKFLOWS
from bot.slack.messages.errors import render_error
from bot.slack.messages.render import render
from playground.slack.block_rules import message_faults
from tests.slack.messages.drawn import labels
from tests.slack.messages.several_drawn import CANCEL_IT, ERRORS, MESSAGES, STATUS
from tests.slack.several import (
    AGAIN,
    BOTH,
    BROKEN,
    HALF,
    JENKINS,
    LINT,
    OLD_WEB,
    PASSED,
    built,
    workflow,
)

TIME = "4m\N{NO-BREAK SPACE}7s"


def lines(name: str) -> list[str]:
    return MESSAGES[name].text.splitlines()


def test_the_worst_workflow_decides_and_running_ones_are_mentioned() -> None:
    assert (
        lines("failed_while_another_runs")[0]
        == ":x: *acme/web main: CI failed, 1 of 3 workflows still running · GitHub Actions*"
    )
    queued = built(BROKEN, workflow(2, "Docs", Status.QUEUED, "queued"))
    assert "failed, 1 of 2 workflows still queued" in render(BuildShown(queued), context=BOTH).text


def test_each_workflow_has_a_line_and_under_it_the_jobs_that_failed() -> None:
    assert lines("failed_with_its_jobs")[3:] == [
        f":x: CI failed in {TIME}",
        "    • build / test (3.11), step “Run pytest”",
        "    • build / lint",
        f":white_check_mark: Lint passed in {TIME}",
    ]


def test_a_single_workflow_without_details_has_no_line() -> None:
    assert len(lines("passed")) == 3
    again = render(BuildShown(built(workflow(1, "CI", attempt=2))), context=BOTH).text
    assert f":white_check_mark: CI passed in {TIME} · attempt 2" in again


def test_a_workflow_that_ran_for_another_commit_says_which() -> None:
    assert lines("of_another_commit")[-1].endswith(f"Nightly passed in {TIME} · on 0badcaf")


def test_attempts_of_the_same_commit_have_a_verdict() -> None:
    assert "on retry (flaky)" in lines("passed_on_the_second_attempt")[0]
    assert "on retry (flaky)" in lines("live_passed")[0]
    stopped = replace(AGAIN, earlier=(Status.STOPPED,))
    assert "Not conclusive: the previous run was cancelled" in render(BuildShown(stopped), context=BOTH).text


def test_a_restart_that_was_not_sent_is_shown_so() -> None:
    named = [line.split(": ")[1] for line in lines("many_workflows") if line.startswith(":")]
    assert named[1:4] == [f"CI failed in {TIME}", "Runs running", "Waits queued"]
    assert lines("many_workflows")[-1] == "and 2 more workflows: 1 passed, 1 skipped"
    assert "    • and 2 more jobs" in lines("many_workflows")


@pytest.mark.parametrize(
    ("status", "word", "said"),
    [
        (Status.FAILED, "timed_out", f"timed out after {TIME}"),
        (Status.FAILED, "startup_failure", "couldn’t start"),
        (Status.BLOCKED, "action_required", "waiting for approval"),
        (Status.WAITING, "waiting", "waiting for approval"),
        (Status.FAILED, "waiting", "failed, waiting for approval"),
        (Status.PASSED, "neutral", "neutral"),
        (Status.IGNORED, "stale", "stale"),
        (Status.UNKNOWN, "stale", "stale"),
        (Status.STOPPED, "cancelled", f"cancelled after {TIME}"),
        (Status.BLOCKED, "held", f"blocked after {TIME}"),
        (Status.IGNORED, "dropped", f"ignored after {TIME}"),
        (Status.UNKNOWN, "foo", "unknown status “foo”"),
    ],
)
def test_a_build_that_ran_when_last_seen_is_shown_as_of_then(status: Status, word: str, said: str) -> None:
    build = built(workflow(1, "CI", status, word))
    assert render(BuildShown(build), context=BOTH).text.splitlines()[0].endswith(f" {said} · GitHub Actions*")
    assert said in render(BuildShown(built(*build.workflows, LINT)), context=BOTH).text


def test_status_words_of_a_service_without_workflows_are_not_translated() -> None:
    build = replace(PASSED, workflows=(), project=OLD_WEB, status=Status.QUEUED, status_word="waiting")
    assert render(BuildShown(build), context=BOTH).text.splitlines()[0].endswith(" queued · CodeShip*")
    assert "waiting" in OF_WORKFLOWS


def test_a_build_without_a_number_is_linked_by_its_state() -> None:
    assert "#" not in MESSAGES["builds"].text
    elements = MESSAGES["builds"].blocks[0]["elements"][0]["elements"]
    (link,) = [one for one in elements if one["type"] == "link" and one["text"].startswith("CI failed")]
    assert link == {"type": "link", "url": HALF.url, "text": "CI failed, 1 of 3 workflows still running"}


def test_a_restart_says_which_workflows_run_again_and_which_do_not() -> None:
    assert lines("restarted")[1] == (
        "Restarted CI and Docs. Still running: Deploy. Not restarted: Nightly (“The run was created over a month ago”)."
    )
    assert lines("restarted_one")[1] == "Restarted CI."


def test_a_cancel_names_the_asker_and_the_build_and_says_that_it_is_followed() -> None:
    assert lines("cancelled") == [
        ":hourglass_flowing_sand: *Cancelling acme/web main · GitHub Actions*",
        "Cancelling Deploy. Not cancelled: Docs (“Cannot cancel a run that is over”).",
        "I’ll update this message until it finishes.",
        "4f2c1e9 “Fix login” by ada",
        "requested by <@U0ADA>",
    ]


@pytest.mark.parametrize(
    "name", [name for name, (_, command) in ERRORS.items() if command and command.verb is Verb.CANCEL]
)
def test_a_button_that_restarts_a_main_branch_needs_confirmation_and_no_other_does(name: str) -> None:
    first = {"cancel_not_answered": ":warning: *Cancellation of acme/web main not confirmed: "}
    first["which_branch_to_cancel"] = (
        ":point_right: *Which branch of acme/web do you want to cancel?*\nNothing has been cancelled yet."
    )
    assert MESSAGES[name].text.startswith(first.get(name, ":warning: *Not cancelled: "))


def test_a_refusal_gives_the_services_reason() -> None:
    assert "month ago”." in MESSAGES["will_not_restart"].text
    long = errors.NotPossible("GitHub Actions", "<!channel> *x* " + "y" * 5000)
    drawn = render_error(long, CANCEL_IT, context=BOTH, reference=None)
    assert "<" not in drawn.text
    assert len(drawn.text) < 500


def test_no_message_names_a_setting_of_the_operator() -> None:
    for drawn in MESSAGES.values():
        assert not re.search(r"\b[A-Z]{2,}_[A-Z_]{2,}\b", f"{drawn.text} {drawn.blocks}")
    assert "An admin can set which one is meant by default." in MESSAGES["ambiguous_by_service"].text
    assert "An admin" not in MESSAGES["ambiguous_by_name"].text


@pytest.mark.parametrize(
    ("services", "said"),
    [
        ({"github": BOTH.services["github"]}, "The bot can’t see any repository on GitHub Actions"),
        (BOTH.services, "The bot can’t see any repository on CodeShip or GitHub Actions"),
        (
            {**BOTH.services, "jenkins": JENKINS},
            "The bot can’t see any repository on CodeShip, GitHub Actions or Jenkins",
        ),
    ],
)
def test_without_any_list_every_service_is_named(services: dict[str, Any], said: str) -> None:
    words = replace(BOTH, services=services)
    assert render(ProjectsShown("", (), 1, 1, 0), context=words).text == f"*{said}.*"
    told = render_error(errors.NoSuchProject("zzz"), STATUS, context=words, reference=None).text
    assert f"{said}. An admin can check its API key." in told


def test_every_cancel_button_needs_confirmation_and_a_restart_is_confirmed_only_if_slack_asked() -> None:
    assert lines("projects")[1:] == [
        "• acme/api · GitHub Actions",
        "• acme/web · CodeShip",
        "• acme/web · GitHub Actions",
    ]
    assert lines("projects_both_lists_are_old")[2:] == [
        "As of 12\N{NO-BREAK SPACE}min\N{NO-BREAK SPACE}ago: CodeShip is unavailable.",
        "Not listed: GitHub Actions can’t be reached.",
    ]


def test_the_audit_of_all_names_services_and_shows_only_numeric_ids() -> None:
    first, second = lines("audit")[1:]
    assert "cancel acme/web · GitHub Actions · main · accepted: CI; Deploy left running" in first
    assert "cancel acme/web · CodeShip · main · #7 · accepted" in second


def test_help_says_how_to_name_the_service() -> None:
    assert "have a repository of that name: `org/name@codeship` or `org/name@github`." in MESSAGES["help_cancel"].text


def test_a_services_text_pings_no_one_and_breaks_no_markup() -> None:
    text = MESSAGES["hostile"].text.replace("<@U0ADA>", "")  # who asked
    assert not any(mark in text for mark in ("<", "@here", "`", "~"))
    assert text.count("*") == 2  # the headline is bold
    assert "a workflow without a name: unknown status “&lt;!everyone&gt;”" in text


def test_huge_names_drop_details_and_no_button() -> None:
    job = FailedJob("j" * 5000, "s" * 5000, "https://github.com/" + "u" * 500)
    huge = [
        workflow(n, "w" * 5000, Status.FAILED, "failure", url="https://github.com/" + "v" * 500, failed_jobs=(job,) * 9)
        for n in range(30)
    ]
    drawn = render(BuildShown(built(*huge)), context=BOTH)
    assert labels(drawn) == ["Restart", "Re-run failed jobs", "Show log", "Refresh", "Open build"]
    assert len(json.dumps(drawn.blocks, ensure_ascii=False)) <= LARGEST_JSON
    assert message_faults(drawn.text, json.loads(json.dumps(drawn.blocks))) == []
    assert "www…" in json.dumps(drawn.blocks, ensure_ascii=False)


def test_the_policy_is_checked_with_the_repositorys_own_name() -> None:
    only = built(workflow(1, "CI", Status.RUNNING, "in_progress"), status=Status.FAILED, status_word="failure")
    assert "failed, still running" in render(BuildShown(only), context=BOTH).text

"""What messages say if builds have workflows, and if several CI services stand behind one bot."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.core.model import errors
from bot.core.model.builds import FailedJob, Status
from bot.core.model.commands import Verb
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


def lines(name: str) -> list[str]:
    return MESSAGES[name].text.splitlines()


def test_the_worst_decides_and_what_still_runs_is_said() -> None:
    assert lines("failed_while_another_runs")[0] == ":x: *acme/web* · main · CI failed, 1 of 3 workflows still running"
    queued = built(BROKEN, workflow(2, "Docs", Status.QUEUED, "queued"))
    assert "failed, 1 of 2 workflows still queued" in render(BuildShown(queued), context=BOTH).text


def test_each_workflow_has_a_line_and_under_it_the_jobs_that_failed() -> None:
    assert lines("failed_with_its_jobs")[2:] == [
        ":x: CI · failed after 4 min 07 s",
        "    • build / test (3.11), step “Run pytest”",
        "    • build / lint",
        ":white_check_mark: Lint · passed after 4 min 07 s",
    ]


def test_one_workflow_with_nothing_more_to_tell_has_no_line() -> None:
    assert len(lines("passed")) == 2
    again = render(BuildShown(built(workflow(1, "CI", attempt=2))), context=BOTH).text
    assert ":white_check_mark: CI · passed after 4 min 07 s · attempt 2" in again


def test_a_workflow_that_ran_for_another_commit_says_which() -> None:
    assert lines("of_another_commit")[-1].endswith("Nightly · passed after 4 min 07 s · at 0badcaf")


def test_attempts_of_the_same_commit_have_a_verdict() -> None:
    assert "passed on the second run of the same commit: flaky" in lines("passed_on_the_second_attempt")
    assert "passed on the second run of the same commit: flaky" in lines("live_passed")
    stopped = replace(AGAIN, earlier=(Status.STOPPED,))
    assert "verdict" not in render(BuildShown(stopped), context=BOTH).text


def test_many_workflows_are_listed_worst_first_and_the_rest_counted() -> None:
    names = [line.split(" · ")[0].rpartition(": ")[2] for line in lines("many_workflows") if line.startswith(":")]
    assert names[1:5] == ["CI", "Runs", "Waits", "Passes 0"]
    assert lines("many_workflows")[-1] == "and 2 more workflows: 1 passed, 1 skipped"
    assert "    • and 2 more jobs" in lines("many_workflows")


@pytest.mark.parametrize(
    ("status", "word", "said"),
    [
        (Status.FAILED, "timed_out", "timed out after 4 min 07 s"),
        (Status.FAILED, "startup_failure", "could not start"),
        (Status.BLOCKED, "action_required", "waits for somebody’s approval"),
        (Status.WAITING, "waiting", "waits for an approval"),
        (Status.PASSED, "neutral", "neutral"),
        (Status.IGNORED, "stale", "stale"),
        (Status.UNKNOWN, "stale", "stale"),
        (Status.STOPPED, "cancelled", "stopped after 4 min 07 s"),
        (Status.BLOCKED, "held", "blocked after 4 min 07 s"),
        (Status.IGNORED, "dropped", "ignored after 4 min 07 s"),
        (Status.UNKNOWN, "foo", "GitHub Actions says “foo”, a word I do not know"),
    ],
)
def test_the_words_of_a_service_with_workflows_are_shown_as_it_means_them(status: Status, word: str, said: str) -> None:
    build = built(workflow(1, "CI", status, word))
    assert render(BuildShown(build), context=BOTH).text.splitlines()[0].endswith(f"· {said}")
    assert (
        said.removeprefix("GitHub Actions says ")
        in render(BuildShown(built(*build.workflows, LINT)), context=BOTH).text
    )


def test_the_same_words_of_a_service_without_workflows_are_its_own() -> None:
    build = replace(PASSED, workflows=(), project=OLD_WEB, status=Status.QUEUED, status_word="waiting")
    assert render(BuildShown(build), context=BOTH).text.splitlines()[0].endswith("· queued")
    assert "waiting" in OF_WORKFLOWS


def test_a_build_without_a_number_is_linked_by_its_state() -> None:
    first, second = MESSAGES["builds"].text.splitlines()[1:]
    assert "#" not in first + second
    elements = MESSAGES["builds"].blocks[0]["elements"][0]["elements"]
    (link,) = [one for one in elements if one["type"] == "link" and one["text"].startswith("CI failed")]
    assert link == {"type": "link", "url": HALF.url, "text": "CI failed, 1 of 3 workflows still running"}


def test_a_restart_says_which_workflows_run_again_and_which_do_not() -> None:
    assert lines("restarted")[2] == (
        "Restarted: CI, Docs; not over yet, left alone: Deploy; "
        "not restarted: Nightly (“The run was created over a month ago”)"
    )
    assert lines("restarted_one")[2] == "Restarted: CI"


def test_a_stop_says_who_what_and_that_it_takes_a_moment() -> None:
    assert lines("cancelled") == [
        ":octagonal_sign: <@U0ADA> cancels *acme/web* · main",
        "4f2c1e9 “Fix login” by ada",
        "Told to cancel: Deploy; not cancelled: Docs (“Cannot cancel a run that is over”)",
        "GitHub Actions takes a moment for it; Refresh shows how it stands then.",
    ]


@pytest.mark.parametrize(
    "name", [name for name, (_, command) in ERRORS.items() if command and command.verb is Verb.CANCEL]
)
def test_a_cancel_that_was_not_made_is_shown_so_and_one_that_may_have_been_as_well(name: str) -> None:
    first = {"cancel_not_answered": ":warning: Whether it was cancelled I cannot tell: "}
    first["which_branch_to_cancel"] = (
        ":point_right: Which branch of *acme/web* shall I cancel?\nNothing has been cancelled yet."
    )
    assert MESSAGES[name].text.startswith(first.get(name, ":warning: Not cancelled: "))


def test_the_service_reports_why_it_will_not() -> None:
    assert "month ago”." in MESSAGES["will_not_restart"].text
    long = errors.NotPossible("GitHub Actions", "<!channel> *x* " + "y" * 5000)
    drawn = render_error(long, CANCEL_IT, context=BOTH, reference=None)
    assert "<" not in drawn.text
    assert len(drawn.text) < 500


def test_the_right_settings_are_named() -> None:
    assert "`GITHUB_TOKEN`" in MESSAGES["key_refused"].text
    assert "`GITHUB_TOKEN`" in MESSAGES["no_rights"].text
    assert "`GITHUB_CALLS_PER_MINUTE`" in MESSAGES["budget_spent"].text
    assert "put a new key into its settings." in MESSAGES["key_refused_by_one_of_another_time"].text
    assert "`CI_PINNED`" in MESSAGES["ambiguous_by_service"].text
    assert "`CI_PINNED`" not in MESSAGES["ambiguous_by_name"].text
    assert "`CODESHIP_API_KEY` and `GITHUB_TOKEN`" in MESSAGES["no_project_at_all"].text


@pytest.mark.parametrize(
    ("services", "said"),
    [
        ({"github": BOTH.services["github"]}, "GitHub Actions shows me no repository"),
        (BOTH.services, "Neither CodeShip nor GitHub Actions shows me any repository"),
        (
            {**BOTH.services, "jenkins": JENKINS},
            "None of CodeShip, GitHub Actions and Jenkins shows me any repository",
        ),
    ],
)
def test_if_nothing_is_seen_every_service_is_named(services: dict[str, Any], said: str) -> None:
    words = replace(BOTH, services=services)
    assert render(ProjectsShown("", (), 1, 1, 0), context=words).text == f"{said}."
    told = render_error(errors.NoSuchProject("zzz"), STATUS, context=words, reference=None).text
    keys = "whose key stands in" if len(services) == 1 else "whose keys stand in"
    assert f"{said} at all: whoever runs this bot can check {keys} " in told
    assert all(f"`{service.key_setting}`" in told for service in services.values())


def test_projects_name_their_service_and_which_list_is_old() -> None:
    assert lines("projects")[1:] == [
        "• acme/api · GitHub Actions",
        "• acme/web · CodeShip",
        "• acme/web · GitHub Actions",
    ]
    assert lines("projects_both_lists_are_old")[2:] == [
        "I cannot read one list anew: CodeShip gave no answer that I can use. "
        "What stands here of it was read 12 min ago.",
        "I cannot read one list: GitHub Actions cannot be reached. None of its repositories stand here.",
    ]


def test_the_audit_of_all_says_whose_a_repository_is_and_shows_no_id_that_is_no_number() -> None:
    first, second = lines("audit")[1:]
    assert "cancel acme/web · GitHub Actions · main · taken: CI; Deploy left running" in first
    assert "cancel acme/web · CodeShip · main · #7 · taken" in second


def test_help_says_how_to_name_the_service() -> None:
    assert "one of that name: `org/name@codeship` or `org/name@github`." in MESSAGES["help_cancel"].text


def test_what_a_service_wrote_pings_no_one_and_breaks_no_mark_up() -> None:
    text = MESSAGES["hostile"].text
    assert not any(mark in text for mark in ("<", "@here", "`", "~"))
    assert text.count("*") == 2  # the repository's name is bold
    assert "a workflow without a name · “&lt;!everyone&gt;”, a word I do not know" in text


def test_huge_names_cost_details_and_no_button() -> None:
    job = FailedJob("j" * 5000, "s" * 5000, "https://github.com/" + "u" * 500)
    huge = [
        workflow(n, "w" * 5000, Status.FAILED, "failure", url="https://github.com/" + "v" * 500, failed_jobs=(job,) * 9)
        for n in range(30)
    ]
    drawn = render(BuildShown(built(*huge)), context=BOTH)
    assert labels(drawn) == ["Restart", "Failed jobs only", "Refresh", "Open build"]
    assert len(json.dumps(drawn.blocks, ensure_ascii=False)) <= LARGEST_JSON
    assert message_faults(drawn.text, json.loads(json.dumps(drawn.blocks))) == []
    assert "www…" in json.dumps(drawn.blocks, ensure_ascii=False)


def test_a_single_workflow_has_no_number() -> None:
    only = built(workflow(1, "CI", Status.RUNNING, "in_progress"), status=Status.FAILED, status_word="failure")
    assert "failed, still running" in render(BuildShown(only), context=BOTH).text

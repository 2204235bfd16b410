"""Conversations with two CI services: cancels, restarts of failed jobs, and repositories that both have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.core.model.builds import Build, Status
from bot.core.model.command_values import Verb
from bot.core.model.errors import NoResponse, NotPossible, Unreachable
from bot.core.model.policy import Policy, Rule, Subjects
from tests.core.world import build as codeship_build
from tests.slack.several import IN_DETAIL, LINT, OLD_WEB, built, workflow
from tests.slack.steps import DEATHS, STEPS, Crash, Steps
from tests.slack.talking import Talk, a_talk

DEPLOYING = workflow(3, "Deploy", Status.RUNNING, "in_progress")
STATUS = "/codeship status acme/web@github main"


@pytest.fixture
def talk() -> Iterator[Talk]:
    with a_talk() as made:
        made.github.all_builds = [built(DEPLOYING, LINT)]
        made.codeship.all_builds = [codeship_build(7, OLD_WEB)]
        yield made


def failed(talk: Talk) -> Build:
    """Build and lint have ended; CI has failed."""
    build = built(replace(IN_DETAIL, failed_jobs=()), LINT)
    talk.github.all_builds = [build]
    talk.github.details = {build.id: replace(build, workflows=(IN_DETAIL, LINT))}
    return build


# Stops.


def test_a_cancel_is_sent_once_answered_in_public_and_recorded(talk: Talk) -> None:
    talk.says("/codeship cancel acme/web@github main")
    assert talk.github.calls.count("cancel") == 1
    assert "Cancelling acme/web main" in talk.said("bob")[-1]
    assert "Cancelling Deploy." in talk.said("bob")[-1]
    (entry,) = talk.actions()
    assert (entry.action, entry.result, entry.service, entry.reason) == ("cancel", "accepted", "github", "Deploy")


def test_a_cancel_needs_confirmation_and_its_message_becomes_the_live_one(talk: Talk) -> None:
    talk.says(STATUS)
    assert "[Cancel]" in talk.said()[-1]
    talk.presses("Cancel", "bob")
    (news,) = talk.said()
    assert "Cancelling acme/web main" in news
    assert "requested by @bob" in news
    assert "[Cancel]" not in news
    assert talk.github.calls.count("cancel") == 1
    talk.github.ends_all(Status.STOPPED, "cancelled")
    talk.poll()
    live, told = talk.said()
    assert ":octagonal_sign: *acme/web main cancelled" in live
    assert "cancellation requested by @bob" in live
    assert "@bob :octagonal_sign: *acme/web main cancelled" in told


def test_a_build_cancelled_from_its_live_message_is_followed_to_the_end(talk: Talk) -> None:
    talk.says("/codeship follow acme/web@github main")
    talk.poll()
    before = talk.said()[0]
    talk.presses("Cancel")
    live, told = talk.slack.seen("#builds")
    assert talk.said()[0] == before, "it is not replaced"
    assert told.thread_ts == live.ts, "everyone hears of it there"
    talk.github.ends_all(Status.STOPPED, "cancelled")
    talk.poll()
    live = talk.said()[0]
    assert ":octagonal_sign: *acme/web main cancelled" in live
    assert "requested by @ada" in live
    assert "[Cancel]" not in live
    assert "@ada :octagonal_sign: *acme/web main cancelled" in talk.said()[-1]


def test_a_cancel_of_an_ended_build_shows_it_in_place_of_the_button(talk: Talk) -> None:
    talk.says(STATUS)
    talk.github.ends_all(Status.PASSED, "success")
    talk.presses("Cancel", "bob")
    (shown,) = talk.said()
    assert "Nothing to cancel: it has finished." in shown
    assert ":white_check_mark:" in shown
    assert "cancel" not in talk.github.calls


def test_a_cancel_of_an_ended_build_in_a_live_message_answers_the_presser_alone(talk: Talk) -> None:
    talk.says("/codeship follow acme/web@github main")
    talk.poll()
    talk.github.ends_all(Status.PASSED, "success")
    talk.presses("Cancel")
    live, told = talk.slack.seen("#builds")
    assert told.ephemeral_to == "U0ADA"
    assert "Nothing to cancel: it has finished." in told.text
    assert "requested by" in live.text


def test_a_service_that_cannot_cancel_gets_no_request_and_its_page_is_offered(talk: Talk) -> None:
    talk.codeship.becomes("7", Status.RUNNING, "testing")
    talk.says("/codeship cancel acme/web@codeship main")
    (told,) = talk.slack.seen("#builds")
    assert told.ephemeral_to == "U0ADA"
    assert "Not cancelled: CodeShip’s API can’t cancel builds." in told.text
    assert "[Open on CodeShip]" in talk.said()[0]
    talk.says("/codeship status acme/web@codeship main")
    assert "[Cancel]" not in talk.said()[-1]


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (NoResponse("GitHub Actions"), "Cancellation of acme/web main not confirmed: GitHub Actions is unavailable"),
        (Unreachable("GitHub Actions"), "Not cancelled: GitHub Actions can’t be reached."),
        (
            NotPossible("GitHub Actions", "Cannot cancel <!channel>."),
            "Not cancelled: GitHub Actions refused: “Cannot cancel &lt;!channel&gt;”.",
        ),
    ],
)
def test_a_failed_cancel_reports_the_known_state(
    talk: Talk, failure: NoResponse | Unreachable | NotPossible, told: str
) -> None:
    talk.github.failures["cancel"] = [failure]
    talk.says("/codeship cancel acme/web@github main")
    (message,) = talk.slack.seen("#builds")
    assert told in message.text
    assert message.ephemeral_to == "U0ADA"


def test_a_cancel_whose_fetch_failed_is_reported_as_not_sent(talk: Talk) -> None:
    talk.github.failures["builds"] = [NoResponse("GitHub Actions")]
    talk.says("/codeship cancel acme/web@github main")
    assert ":warning: *Not cancelled: " in talk.slack.last("#builds").text
    assert "cancel" not in talk.github.calls


def test_a_cancel_without_a_branch_asks_which_and_the_answer_removes_the_question(talk: Talk) -> None:
    talk.github.all_builds.append(built(DEPLOYING, id="dev", branch="dev"))
    talk.says("/codeship cancel acme/web@github")
    assert "Which branch of acme/web do you want to cancel?" in talk.said()[-1]
    talk.presses("dev")
    (news,) = talk.said()
    assert "Cancelling acme/web dev" in news


def test_people_without_permission_to_cancel_are_refused(talk: Talk) -> None:
    nobody = Policy((Rule(Subjects(), (Verb.CANCEL,), reason="Nobody cancels main."), *talk.rights.policy.rules))
    talk.rights.set_policy(nobody)
    talk.says(STATUS)
    talk.presses("Cancel", "bob")
    assert ":warning: *Not cancelled: Nobody cancels main." in talk.slack.last("#builds", "bob").text
    assert "cancel" not in talk.github.calls


@pytest.mark.parametrize(("when", "name"), DEATHS)
def test_a_cancel_interrupted_anywhere_is_sent_and_answered(talk: Talk, when: str, name: str) -> None:
    talk.says(STATUS)
    talk.slack.workspace.presses("ada", talk.slack.last("#builds"), "Cancel", confirm=True)
    heard, steps = talk.slack.ear.heard, Steps((when, name))
    assert heard is not None
    with pytest.raises(Crash):
        talk.hears(heard, steps)
    talk.hears(heard, steps)
    assert steps.names == STEPS, "a new step needs a kill of its own"
    assert talk.github.calls.count("cancel") == 1
    (news,) = talk.said()
    assert "*Cancelling acme/web" in news


# Restarts.


def test_only_the_failed_jobs_run_again_and_are_followed_to_a_verdict(talk: Talk) -> None:
    build = failed(talk)
    talk.says(STATUS)
    assert "build / test (3.11), step “Run pytest”" in talk.said()[-1]
    talk.presses("Re-run failed jobs")
    assert talk.github.asked == [True]
    assert "Restarted CI" in talk.said()[-1]
    talk.poll()
    assert "CI running · attempt 2" in talk.said()[0]
    talk.github.ends_all(Status.PASSED, "success")
    (ended,) = talk.github.all_builds
    talk.github.details = {build.id: replace(ended, earlier=(Status.FAILED,))}
    talk.poll()
    assert "on retry (flaky)" in talk.said()[0]
    assert "CI passed" in talk.said()[0]
    (entry,) = talk.actions()
    assert (entry.action, entry.result, entry.reason) == ("restart", "accepted", "only failed jobs; CI")


def test_a_restart_re_runs_whole_workflows_and_leaves_running_ones_alone(talk: Talk) -> None:
    talk.github.all_builds = [
        replace(built(IN_DETAIL, LINT, DEPLOYING), status=Status.FAILED, status_word="failure", finished_at=None)
    ]
    talk.says(STATUS)
    talk.presses("Restart", "bob")
    assert talk.github.asked == [False]
    assert "Restarted CI. Still running: Deploy." in talk.said()[-1]


def test_failed_jobs_only_is_offered_if_the_service_can_and_something_failed(talk: Talk) -> None:
    talk.says("/codeship status acme/web@codeship main")
    assert "[Restart]" in talk.said()[-1]
    assert "[Re-run failed jobs]" not in talk.said()[-1]
    talk.github.ends_all(Status.PASSED, "success")
    talk.says(STATUS)
    assert "[Restart]" in talk.said()[-1]
    assert "[Re-run failed jobs]" not in talk.said()[-1]


def test_the_end_of_a_live_message_offers_the_failed_jobs_and_keeps_what_it_says(talk: Talk) -> None:
    talk.says("/codeship follow acme/web@github main")
    talk.github.ends_all(Status.FAILED, "failure")
    talk.poll()
    live = talk.slack.seen("#builds")[0]
    talk.presses("Re-run failed jobs", on=live)
    assert talk.github.asked == [True]
    assert "requested by @ada" in talk.said()[0]


# Two of one name.


def test_the_user_chooses_between_two_services_with_the_same_name_and_the_choice_is_carried_out(talk: Talk) -> None:
    failed(talk)
    talk.says("/codeship restart web main")
    (question,) = talk.said()
    assert "[acme/web@codeship] [acme/web@github]" in question
    assert "An admin can set which one is meant" in question
    assert talk.github.asked == []
    talk.presses("acme/web@github")
    assert talk.github.asked == [False]
    assert talk.codeship.posts == []
    assert "*acme/web main restarted" in talk.said()[-1]


@pytest.mark.parametrize(("service", "branch"), [("github", "Deploy"), ("codeship", "failed in 4m")])
def test_the_service_can_be_typed_after_the_name(talk: Talk, service: str, branch: str) -> None:
    talk.says(f"/codeship status acme/web@{service} main")
    assert branch in talk.said()[-1]


def test_an_offered_branch_belongs_to_the_named_service(talk: Talk) -> None:
    talk.github.all_builds.append(built(LINT, id="dev", branch="dev"))
    talk.says("/codeship status acme/web@github mian")
    talk.presses("dev")
    assert ":white_check_mark: *acme/web dev" in talk.said()[-1]


def test_projects_name_their_service(talk: Talk) -> None:
    talk.says("/codeship projects")
    assert "• acme/web · CodeShip\n" in talk.slack.last("#builds").text + "\n"
    assert "• acme/web · GitHub Actions\n" in talk.slack.last("#builds").text + "\n"


def test_an_error_without_a_repository_is_in_the_audit_of_all(talk: Talk) -> None:
    talk.says("/codeship cancel acme/wob main")
    talk.says("/codeship stop")
    talk.says("/codeship audit")
    audit = talk.slack.last("#builds").text
    assert "“cancel acme/wob main” · invalid: no repository of that name" in audit
    assert "“stop” · invalid: Which repository?" in audit


# Colleagues from another workspace of the organisation.


def test_a_press_that_may_be_a_colleagues_counts_if_slack_does_not_deny_it(talk: Talk) -> None:
    talk.says("/codeship status acme/web@codeship main")
    status = talk.slack.last("#builds", "ada")
    talk.presses_from_elsewhere(status, "Restart", may_be_colleague=True)
    talk.colleagues = {"U0ADA"}
    talk.presses_from_elsewhere(status, "Restart", may_be_colleague=False)
    assert [said for said in talk.said() if "only works for members" in said] != []
    assert talk.codeship.posts == []
    talk.presses_from_elsewhere(status, "Restart", may_be_colleague=True)
    assert len(talk.codeship.posts) == 1

"""Conversations with two CI services: cancels, restarts of failed jobs, and repositories that both have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.core.model.builds import Build, Status
from bot.core.model.commands import Verb
from bot.core.model.errors import NoResponse, NotPossible, Unreachable
from bot.core.model.policy import Policy, Rule, Subjects
from tests.core.world import build as codeship_build
from tests.slack.several import IN_DETAIL, LINT, OLD_WEB, built, workflow
from tests.slack.steps import Crash, Steps
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


def test_a_cancel_is_made_once_and_answered_to_all_and_recorded(talk: Talk) -> None:
    talk.says("/codeship cancel acme/web@github main")
    assert talk.github.calls.count("cancel") == 1
    assert "@ada cancels *acme/web* · main" in talk.said("bob")[-1]
    assert "Told to cancel: Deploy" in talk.said("bob")[-1]
    (entry,) = talk.actions()
    assert (entry.action, entry.result, entry.service, entry.reason) == ("cancel", "taken", "github", "Deploy")


def test_a_cancel_needs_confirmation_and_its_message_offers_no_second_one(talk: Talk) -> None:
    talk.says(STATUS)
    assert "[Cancel]" in talk.said()[-1]
    talk.presses("Cancel", "bob")
    shown, news = talk.said()
    assert "@bob cancels *acme/web* · main" in news
    assert "being cancelled for @bob" in shown
    assert "[Cancel]" not in shown
    assert talk.github.calls.count("cancel") == 1


def test_a_followed_build_is_stopped_from_its_live_message_which_goes_on_to_the_end(talk: Talk) -> None:
    talk.says("/codeship follow acme/web@github main")
    talk.look()
    before = talk.said()[0]
    talk.presses("Cancel")
    assert talk.said()[0] == before, "it is not replaced"
    talk.github.ends_all(Status.STOPPED, "cancelled")
    talk.look()
    live = talk.said()[0]
    assert ":octagonal_sign: *acme/web* · main · stopped" in live
    assert "followed for @ada" in live
    assert "[Cancel]" not in live
    assert "@ada :octagonal_sign: stopped" in talk.said()[-1]


def test_what_has_ended_meanwhile_is_shown_if_the_button_was(talk: Talk) -> None:
    talk.says(STATUS)
    talk.github.ends_all(Status.PASSED, "success")
    talk.presses("Cancel", "bob")
    (shown,) = talk.said()
    assert "Nothing to cancel: it has ended." in shown
    assert ":white_check_mark:" in shown
    assert "cancel" not in talk.github.calls


def test_in_a_live_message_it_is_for_the_presser_alone(talk: Talk) -> None:
    talk.says("/codeship follow acme/web@github main")
    talk.look()
    talk.github.ends_all(Status.PASSED, "success")
    talk.presses("Cancel")
    live, told = talk.slack.seen("#builds")
    assert told.ephemeral_to == "U0ADA"
    assert "Nothing to cancel: it has ended." in told.text
    assert "followed for" in live.text


def test_a_service_that_stops_nothing_is_not_asked_to_and_its_page_is_offered(talk: Talk) -> None:
    talk.codeship.becomes("7", Status.RUNNING, "testing")
    talk.says("/codeship cancel acme/web@codeship main")
    (told,) = talk.slack.seen("#builds")
    assert told.ephemeral_to == "U0ADA"
    assert "Not cancelled: CodeShip lets nobody cancel a build from outside its own pages." in told.text
    assert "[Open project]" in talk.said()[0]
    talk.says("/codeship status acme/web@codeship main")
    assert "[Cancel]" not in talk.said()[-1]


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (NoResponse("GitHub Actions"), "Whether it was cancelled I cannot tell: GitHub Actions gave no answer"),
        (Unreachable("GitHub Actions"), "Not cancelled: GitHub Actions cannot be reached."),
        (
            NotPossible("GitHub Actions", "Cannot cancel <!channel>."),
            "Not cancelled: GitHub Actions does not do this to this build: “Cannot cancel &lt;!channel&gt;”.",
        ),
    ],
)
def test_a_failed_cancel_is_answered_with_what_is_known(
    talk: Talk, failure: NoResponse | Unreachable | NotPossible, told: str
) -> None:
    talk.github.failures["cancel"] = [failure]
    talk.says("/codeship cancel acme/web@github main")
    (message,) = talk.slack.seen("#builds")
    assert told in message.text
    assert message.ephemeral_to == "U0ADA"


def test_a_cancel_whose_fetch_failed_was_certainly_not_made(talk: Talk) -> None:
    talk.github.failures["builds"] = [NoResponse("GitHub Actions")]
    talk.says("/codeship cancel acme/web@github main")
    assert ":warning: Not cancelled: " in talk.slack.last("#builds").text
    assert "cancel" not in talk.github.calls


def test_which_branch_to_cancel_is_asked_and_the_question_goes_with_the_answer(talk: Talk) -> None:
    talk.github.all_builds.append(built(DEPLOYING, id="dev", branch="dev"))
    talk.says("/codeship cancel acme/web@github")
    assert "Which branch of *acme/web* shall I cancel?" in talk.said()[-1]
    talk.presses("dev")
    (news,) = talk.said()
    assert "@ada cancels *acme/web* · dev" in news


def test_people_without_permission_to_cancel_are_refused(talk: Talk) -> None:
    nobody = Policy((Rule(Subjects(), (Verb.CANCEL,), reason="Nobody cancels main."), *talk.rights.policy.rules))
    talk.rights.set_policy(nobody)
    talk.says(STATUS)
    talk.presses("Cancel", "bob")
    assert ":warning: Not cancelled: Nobody cancels main." in talk.slack.last("#builds", "bob").text
    assert "cancel" not in talk.github.calls


STEPS = ["execute", "reply", "update pressed message"]


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("when", ["before", "after", "once kept"])
def test_a_cancel_that_is_interrupted_anywhere_is_made_and_answered(talk: Talk, when: str, name: str) -> None:
    talk.says(STATUS)
    talk.slack.workspace.presses("ada", talk.slack.last("#builds"), "Cancel", confirm=True)
    heard, steps = talk.slack.ear.heard, Steps((when, name))
    assert heard is not None
    with pytest.raises(Crash):
        talk.hears(heard, steps)
    talk.hears(heard, steps)
    assert steps.names == STEPS, "a new step needs a kill of its own"
    # Repeated at most if it was not recorded that it was: that cancels nothing else.
    assert talk.github.calls.count("cancel") == (2 if (when, name) == ("after", "execute") else 1)
    news = [said for said in talk.said() if "@ada cancels" in said]
    assert len(news) == (2 if (when, name) == ("after", "reply") else 1)
    assert "being cancelled for @ada" in talk.said()[0]


# Restarts.


def test_only_the_failed_jobs_run_again_and_are_followed_to_a_verdict(talk: Talk) -> None:
    build = failed(talk)
    talk.says(STATUS)
    assert "build / test (3.11), step “Run pytest”" in talk.said()[-1]
    talk.presses("Failed jobs only")
    assert talk.github.asked == [True]
    assert "Restarted: CI" in talk.said()[-1]
    talk.look()
    assert "CI · running · attempt 2" in talk.said()[-1]
    talk.github.ends_all(Status.PASSED, "success")
    (ended,) = talk.github.all_builds
    talk.github.details = {build.id: replace(ended, earlier=(Status.FAILED,))}
    talk.look()
    assert "passed on the second run of the same commit: flaky" in talk.said()[1]
    assert "CI · passed" in talk.said()[1]
    (entry,) = talk.actions()
    assert (entry.action, entry.result, entry.reason) == ("restart", "taken", "failed jobs only; CI")


def test_a_restart_is_of_whole_workflows_and_leaves_alone_what_runs(talk: Talk) -> None:
    talk.github.all_builds = [
        replace(built(IN_DETAIL, LINT, DEPLOYING), status=Status.FAILED, status_word="failure", finished_at=None)
    ]
    talk.says(STATUS)
    talk.presses("Restart", "bob")
    assert talk.github.asked == [False]
    assert "Restarted: CI; not over yet, left alone: Deploy" in talk.said()[-1]


def test_failed_jobs_only_is_offered_if_the_service_can_and_something_failed(talk: Talk) -> None:
    talk.says("/codeship status acme/web@codeship main")
    assert "[Restart]" in talk.said()[-1]
    assert "[Failed jobs only]" not in talk.said()[-1]
    talk.github.ends_all(Status.PASSED, "success")
    talk.says(STATUS)
    assert "[Restart]" in talk.said()[-1]
    assert "[Failed jobs only]" not in talk.said()[-1]


def test_the_end_of_a_live_message_offers_the_failed_jobs_and_keeps_what_it_says(talk: Talk) -> None:
    talk.says("/codeship follow acme/web@github main")
    talk.github.ends_all(Status.FAILED, "failure")
    talk.look()
    live = talk.slack.seen("#builds")[0]
    talk.presses("Failed jobs only", on=live)
    assert talk.github.asked == [True]
    assert "followed for @ada" in talk.said()[0]


# Two of one name.


def test_the_user_chooses_between_two_services_with_the_same_name_and_the_choice_is_carried_out(talk: Talk) -> None:
    failed(talk)
    talk.says("/codeship restart web main")
    (question,) = talk.said()
    assert "[acme/web@codeship] [acme/web@github]" in question
    assert "CI_PINNED" in question
    assert talk.github.asked == []
    talk.presses("acme/web@github")
    assert talk.github.asked == [False]
    assert talk.codeship.posts == []
    assert "@ada restarted *acme/web* · main" in talk.said()[-1]


@pytest.mark.parametrize(("service", "branch"), [("github", "Deploy"), ("codeship", "failed after 4 min")])
def test_the_service_can_be_said(talk: Talk, service: str, branch: str) -> None:
    talk.says(f"/codeship status acme/web@{service} main")
    assert branch in talk.said()[-1]


def test_a_branch_that_is_offered_is_of_the_service_that_was_meant(talk: Talk) -> None:
    talk.github.all_builds.append(built(LINT, id="dev", branch="dev"))
    talk.says("/codeship status acme/web@github mian")
    talk.presses("dev")
    assert ":white_check_mark: *acme/web* · dev" in talk.said()[-1]


def test_projects_name_their_service(talk: Talk) -> None:
    talk.says("/codeship projects")
    assert "• acme/web · CodeShip\n" in talk.slack.last("#builds").text + "\n"
    assert "• acme/web · GitHub Actions\n" in talk.slack.last("#builds").text + "\n"


def test_a_mistake_is_in_the_audit_of_all_though_it_led_to_no_repository(talk: Talk) -> None:
    talk.says("/codeship cancel acme/wob main")
    talk.says("/codeship stop")
    talk.says("/codeship audit")
    audit = talk.slack.last("#builds").text
    assert "“cancel acme/wob main” · mistake: no repository of that name" in audit
    assert "“stop” · mistake: Which repository?" in audit

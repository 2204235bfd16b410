"""Simulated events: every event in the table, and the error for an unknown one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from playground.github.sandbox import GITHUB_TOKEN
from playground.play.world_events import WORLD_EVENTS, trigger
from playground.sandbox import HALF_MOVED, Sandbox
from playground.slack.model import CannotDo
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
ON_GITHUB = [
    ("the workflow CI of acme/shop starts on main", ("in_progress", None, None)),
    ("the workflow CI of acme/shop passes on main", ("completed", "success", None)),
    ("the workflow CI of acme/shop fails on main", ("completed", "failure", "deploy, Deploy")),
    ("the workflow CI of acme/shop times out on main", ("completed", "timed_out", None)),
    ("the workflow CI of acme/shop is cancelled on main", ("completed", "cancelled", None)),
    ("the workflow CI of acme/shop is skipped on main", ("completed", "skipped", None)),
    ("the workflow CI of acme/shop ends on main as “odd”", ("completed", "odd", None)),
    ("the job lint of the workflow CI of acme/shop fails on main", ("in_progress", None, "lint, Run the linters")),
    ("the workflow CI of acme/shop fails on main at test", ("completed", "failure", "test, Run the tests")),
    ("the workflow CI of acme/shop fails on main at build, Install", ("completed", "failure", "build, Install")),
]
ELSEWHERE_ON_GITHUB = [
    ("mallory opens the pull request 12 of acme/site from mallory/site main", ("pull_request", "main", "queued")),
    ("ada queues feature/coupons of acme/shop to be merged", ("merge_group", "gh-readonly-queue/main/pr-1-", "queued")),
    ("the schedule starts the workflow Nightly of acme/shop", ("schedule", "main", "queued")),
    ("the schedule starts the workflow Nightly of acme/shop, which fails", ("schedule", "main", "completed")),
    ("ada deploys acme/shop to production", ("workflow_dispatch", "main", "waiting")),
    ("mallory comments in acme/shop, which starts the workflow Triage", ("issue_comment", "main", "queued")),
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
    "Slack refuses views.open with expired_trigger_id",
    "the bot is invited to #random",
    "the bot is thrown out of #random",
    "#random is archived",
    "builds take 4 hours",
    "bob joins S0DEPLOY",
    "bob leaves S0DEPLOY",
    "the bot is restarted",
    "GitHub is down",
    "GitHub is slow",
    "GitHub refuses the token",
    "GitHub asks to slow down",
    "GitHub loses the answer to a restart",
    "GitHub is over its limit",
    "GitHub is fine",
    "GitHub’s webhooks are lost",
    "GitHub’s webhooks arrive",
]


@pytest.fixture(scope="module")
def stage() -> Iterator[Sandbox]:
    with Sandbox(HeldClock(), ack_timeout_s=30.0, environ=HALF_MOVED) as made:
        assert made.settle()
        yield made


@pytest.mark.parametrize(("words", "status"), SAID)
def test_events_of_builds(stage: Sandbox, words: str, status: str) -> None:
    trigger(stage, words)
    assert stage.codeship.newest("acme/web", "main").status == status


@pytest.mark.parametrize(("words", "state"), ON_GITHUB)
def test_events_of_workflows(stage: Sandbox, words: str, state: tuple[str, str | None, str | None]) -> None:
    trigger(stage, "ada pushes acme/shop main “Sell more”")
    trigger(stage, words)
    run = stage.github.newest("acme/shop")
    failed = [f"{job.name}, {step.name}" for job in run.jobs for step in job.steps if step.conclusion == "failure"]
    assert (run.status, run.conclusion, failed[0] if failed else None) == state


@pytest.mark.parametrize(("words", "state"), ELSEWHERE_ON_GITHUB)
def test_events_that_start_runs_besides_a_push(stage: Sandbox, words: str, state: tuple[str, str, str]) -> None:
    trigger(stage, words)
    run = max((run for repo in stage.github.repos() for run in stage.github.runs(repo)), key=lambda run: run.id)
    event, branch, status = state
    assert (run.event, run.status) == (event, status)
    assert run.head_branch.startswith(branch)


def test_a_queue_merges_what_it_has_tested(stage: Sandbox) -> None:
    trigger(stage, "ada queues feature/coupons of acme/shop to be merged")
    tested = stage.github.runs("acme/shop")[0].head_sha
    trigger(stage, "the queue merges feature/coupons of acme/shop")
    assert stage.github.head("acme/shop", "main") == tested
    assert tested not in {run.head_sha for run in stage.github.runs("acme/shop", "main")}
    with pytest.raises(CannotDo, match="no branch gh-readonly-queue"):
        trigger(stage, "the queue merges feature/coupons of acme/shop")


@pytest.mark.parametrize(("how", "state"), [("approves", ("in_progress", None)), ("rejects", ("completed", "failure"))])
def test_a_deployment_is_approved_or_rejected(stage: Sandbox, how: str, state: tuple[str, str | None]) -> None:
    trigger(stage, "ada deploys acme/shop to production")
    trigger(stage, f"bob {how} production for the workflow Deploy of acme/shop on main")
    run = stage.github.newest("acme/shop", workflow="Deploy")
    assert (run.status, run.conclusion) == state
    with pytest.raises(CannotDo, match="No pending deployment"):
        trigger(stage, f"bob {how} production for the workflow Deploy of acme/shop on main")


def test_every_buttons_event_is_understood() -> None:
    buttons = [gesture for gesture in WORLD_EVENTS if gesture.button]
    assert len(buttons) == 7
    for gesture in buttons:
        assert gesture.button
        assert gesture.pattern.fullmatch(gesture.button[1])


@pytest.mark.parametrize(("of", "jobs_run"), [("", 4), ("the failed jobs of ", 2)])
def test_someone_runs_a_workflow_again(stage: Sandbox, of: str, jobs_run: int) -> None:
    trigger(stage, "ada pushes acme/shop main “Sell more”")
    trigger(stage, "the workflow CI of acme/shop fails on main at test, Run the tests")
    trigger(stage, f"carol re-runs {of}the workflow CI of acme/shop on main")
    run = stage.github.newest("acme/shop")
    assert (run.attempt, run.triggering_actor) == (2, "carol")
    assert len([job for job in run.jobs if job.status == "queued"]) == jobs_run


def test_a_push_is_built_by_every_service_that_has_the_repository(stage: Sandbox) -> None:
    trigger(stage, "ada pushes acme/mobile main “Both of you”")
    assert stage.codeship.newest("acme/mobile").message == "Both of you"
    assert stage.github.newest("acme/mobile").message == "Both of you"


def test_an_event_does_not_affect_a_forks_run(stage: Sandbox) -> None:
    """The newest one of acme/site main is a fork's."""
    trigger(stage, "carol re-runs the workflow CI of acme/site on main")
    *of_forks, own = stage.github.runs("acme/site", "main")
    assert {run.head_repo.full_name for run in of_forks} == {"mallory/site"}
    assert [own.attempt, *(run.attempt for run in of_forks)] == [2] + [1] * len(of_forks)


def test_github_over_its_limit_refuses_until_reset(stage: Sandbox) -> None:
    limits, key = stage.github.accounts.limits, stage.github.accounts.caller(GITHUB_TOKEN).key
    trigger(stage, "GitHub is over its limit")
    assert limits.window(key).remaining == 0
    trigger(stage, "GitHub is fine")
    assert limits.window(key).remaining == limits.per_hour


def test_without_github_its_events_are_unknown() -> None:
    stage = Sandbox(HeldClock())
    with pytest.raises(CannotDo, match="this sandbox has no GitHub"):
        trigger(stage, "GitHub is down")
    stage.stop()


@pytest.mark.parametrize("words", ARRANGED)
def test_events_that_set_the_world(stage: Sandbox, words: str) -> None:
    trigger(stage, f"  {words} ")
    assert stage.settle()


def test_slack_redelivers_the_last_payload(stage: Sandbox) -> None:
    stage.workspace.types("ada", "#builds", "/codeship help")
    assert stage.settle()
    before = len(stage.workspace.deliveries)
    trigger(stage, "Slack delivers again")
    assert len(stage.workspace.deliveries) == before + 1
    assert stage.settle()


def test_the_bots_last_message_can_be_deleted(stage: Sandbox) -> None:
    stage.workspace.types("ada", "#builds", "/codeship status acme/web main")
    assert stage.settle()
    last = [message for message in stage.workspace.conversation("#builds", "ada") if message.bot_id][-1]
    trigger(stage, "the bot’s last message is deleted")
    assert last.ts not in [message.ts for message in stage.workspace.conversation("#builds", "ada")]


def test_an_organization_hides_its_repositories_until_the_token_is_authorized(stage: Sandbox) -> None:
    accounts = stage.github.accounts
    trigger(stage, "the organization acme requires single sign-on")
    assert accounts.lacks_sso(accounts.caller(GITHUB_TOKEN)) == {"acme"}
    trigger(stage, "an admin authorizes the token for acme")
    assert accounts.lacks_sso(accounts.caller(GITHUB_TOKEN)) == set()


def test_every_event_is_tested_here() -> None:
    said = [words for words, *_ in (*SAID, *ON_GITHUB, *ELSEWHERE_ON_GITHUB)] + ARRANGED
    said += ["the queue merges feature/coupons of acme/shop"]
    said += ["bob approves production for the workflow Deploy of acme/shop on main"]
    said += ["carol re-runs the workflow CI of acme/shop on main", "Slack delivers again"]
    said += ["the bot’s last message is deleted", "the app previews links of app.codeship.com"]
    said += ["the organization acme requires single sign-on", "an admin authorizes the token for acme"]
    untried = [gesture.usage for gesture in WORLD_EVENTS if not any(gesture.pattern.fullmatch(words) for words in said)]
    assert untried == []


@pytest.mark.parametrize("words", ["", "acme/web explodes", "CodeShip is happy", "acme/web main", "the bot is invited"])
def test_an_unknown_event_is_answered_with_the_known_ones(stage: Sandbox, words: str) -> None:
    with pytest.raises(CannotDo) as refusal:
        trigger(stage, words)
    for gesture in WORLD_EVENTS:
        assert gesture.usage in str(refusal.value)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("acme/nothing main passes", "acme/nothing"),
        ("acme/web nothing passes", "no build of acme/web nothing"),
        ("ada pushes acme/nothing main “x”", "acme/nothing"),
        ("the bot is invited to #nothing", "#nothing"),
        ("the workflow CI of acme/nothing starts on main", "no repository acme/nothing"),
        ("the workflow Lint of acme/shop starts on main", "no workflow Lint"),
        ("the workflow CI of acme/shop starts on nothing", "no run of CI in acme/shop nothing"),
        ("the workflow CI of acme/mobile fails on main at lint", "no job lint"),
        ("ada re-runs the workflow CI of acme/billing on release/2025.12", "over a month ago"),
    ],
)
def test_a_missing_target_is_named(stage: Sandbox, words: str, why: str) -> None:
    with pytest.raises(CannotDo, match=why):
        trigger(stage, words)


def test_failed_webhook_deliveries_are_kept_and_repeated_only_on_request(stage: Sandbox) -> None:
    assert stage.settle()
    [hook] = stage.github.hooks.values()
    trigger(stage, "GitHub’s webhooks are lost")
    before = len(hook.deliveries)
    trigger(stage, "ada pushes acme/shop main “Nobody hears of it”")
    assert stage.settle()
    lost = hook.deliveries[before:]
    assert {delivery.failure for delivery in lost} == {"failed to connect to host"}
    trigger(stage, "GitHub’s webhooks arrive")
    assert stage.settle()
    assert len(hook.deliveries) == before + len(lost)
    hook.redeliver(lost[0])
    assert stage.settle()
    assert (hook.deliveries[-1].guid, hook.deliveries[-1].status) == (lost[0].guid, 202)

"""One bot with two CI services: which one has a repository, what works while one is down, and webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from bot.app.timeouts import Timeouts
from bot.ci.github.hook_deliveries import ASKED_EVERY_S
from bot.core.polling.poller import PollInterval
from playground.github.sandbox import GITHUB_TOKEN
from playground.http_host import faults as moods
from playground.sandbox import HALF_MOVED, SECRETS, Sandbox
from playground.slack.plain_text import as_text
from tests.held_clock import HeldClock

HASTY = Timeouts(connect_s=1.0, read_s=1.5, call_s=2.0, finish_s=5.0, pace=PollInterval(60.0, 60.0, 60.0))
UNHURRIED = Timeouts(connect_s=30.0, read_s=30.0, slack_s=30.0, pace=PollInterval(60.0, 60.0, 60.0))
WRONG_KEY = moods.says("wrong key", moods.CannedResponse(401, '{"message":"Bad credentials"}'), None, None)


class Both:
    """A sandbox with a fixed clock, and a team with half of its repositories on GitHub."""

    def __init__(self, timeouts: Timeouts = UNHURRIED, **settings: str) -> None:
        self.clock = HeldClock()
        self.stage = Sandbox(self.clock, timeouts=timeouts, ack_timeout_s=30.0, **(HALF_MOVED | settings))
        assert self.stage.github is not None
        self.github = self.stage.github

    def start(self) -> Both:
        self.stage.start()
        assert self.stage.settle()
        return self

    def asked(self, text: str, who: str = "ada") -> str:
        """The last message that `who` sees after typing `text`."""
        self.stage.workspace.types(who, "#builds", text)
        return self.seen(who)[-1]

    def seen(self, who: str = "ada") -> list[str]:
        assert self.stage.settle()
        told = self.stage.workspace.conversation("#builds", who)
        return [
            "\n".join(as_text(message, self.stage.workspace.names)) for message in told if message.now.via != "typed"
        ]

    @property
    def site(self) -> str:
        assert self.stage.bot is not None
        assert self.stage.bot.web is not None
        return f"http://127.0.0.1:{self.stage.bot.web.port}"


@pytest.fixture
def both(request: pytest.FixtureRequest) -> Iterator[Both]:
    made = Both(**getattr(request, "param", {}))
    try:
        yield made.start()
    finally:
        made.stage.stop()


@pytest.fixture
def hasty() -> Iterator[Both]:
    """It soon gives up on a service that hangs. What it answers depends on the machine's speed: for slow tests."""
    made = Both(HASTY)
    try:
        yield made.start()
    finally:
        made.stage.stop()


pinned = pytest.mark.parametrize("both", [{"CI_PINNED": "acme/m*=github, acme/*=codeship"}], indirect=True)


@pytest.mark.parametrize(
    ("repo", "page"),
    [("acme/web", "app.codeship.com"), ("acme/shop", "github.com/acme/shop"), ("handbook", "github.com/acme/handbook")],
)
def test_a_repository_is_found_at_the_service_that_has_it(both: Both, repo: str, page: str) -> None:
    assert repo in both.asked(f"/codeship status {repo}")
    assert page in str(both.stage.workspace.conversation("#builds", "ada")[-1].blocks)


def test_a_name_at_both_services_is_asked_about_with_each_service(both: Both) -> None:
    both.asked("/codeship status acme/mobile main")
    answer = both.seen()[-1]
    assert "acme/mobile@codeship" in answer
    assert "acme/mobile@github" in answer
    assert "running" not in answer
    assert "running" in both.asked("/codeship status acme/mobile@github main")
    assert "infrastructure" in both.asked("/codeship status acme/mobile@codeship main")


@pinned
def test_the_first_matching_pin_decides_and_a_pin_to_a_service_without_the_repository_changes_nothing(
    both: Both,
) -> None:
    assert "running" in both.asked("/codeship status acme/mobile main")
    assert "infrastructure" in both.asked("/codeship status acme/mobile@codeship main")
    assert ":x: *acme/shop main" in both.asked("/codeship status acme/shop main")


@pytest.mark.serial
@pytest.mark.parametrize("down", ["codeship", "github"])
def test_while_one_service_hangs_the_other_answers(hasty: Both, down: str) -> None:
    world, (asked, other) = (
        (hasty.stage.codeship, ("acme/web", "acme/shop"))
        if down == "codeship"
        else (hasty.github, ("acme/shop", "acme/web"))
    )
    world.mood = moods.hang()
    assert ":warning:" in hasty.asked(f"/codeship status {asked} main")
    assert f":x: *{other} main" in hasty.asked(f"/codeship status {other} main")
    assert f"*{other} main restarted" in hasty.asked(f"/codeship restart {other} main")


def test_the_metrics_show_each_services_rate_limit_key_and_project_list(both: Both) -> None:
    both.asked("/codeship status acme/shop main")
    both.github.mood = WRONG_KEY
    both.asked("/codeship status acme/shop main")
    assert both.stage.bot is not None
    sample = both.stage.bot.metrics.registry.get_sample_value
    assert [sample("bot_ci_key_accepted", {"service": name}) for name in ("codeship", "github")] == [1, 0]
    assert [sample("bot_projects_known", {"service": name}) for name in ("codeship", "github")] == [7, 6]
    assert [sample("bot_ci_paused", {"service": name}) for name in ("codeship", "github")] == [0, 0]
    left = [sample("bot_ci_calls_left", {"service": name}) for name in ("codeship", "github")]
    assert (left[0] or 0) > 50
    assert (left[1] or 0) > 60
    labels = {"service": "github", "call": "projects", "result": "ok"}
    assert sample("bot_ci_call_seconds_count", labels) == 1
    facts = requests.get(f"{both.site}/readyz", timeout=5).json()
    assert facts["projects_known"] == {"codeship": 7, "github": 6}


@pytest.mark.parametrize("both", [{"GITHUB_CALLS_PER_MINUTE": "12"}], indirect=True)
def test_unchanged_data_of_github_can_be_requested_without_limit(both: Both) -> None:
    """More requests than the rate limit has calls, all within a minute.

    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate
    """
    for _ in range(20):
        assert "*acme/billing main passed" in both.asked("/codeship status acme/billing main")
    assert len(both.github.requests) > 20


def test_a_webhook_shows_a_change_before_the_next_poll(both: Both) -> None:
    assert "running" in both.asked("/codeship follow acme/mobile@github main")
    run = both.github.newest("acme/mobile", "main")
    both.clock.advance(10)
    both.github.succeed(run)
    assert "passed" in both.seen()[-1]


@pytest.mark.slow
def test_a_webhook_that_was_lost_is_asked_for_again_and_shows_the_change() -> None:
    both = Both(replace(UNHURRIED, maintenance_s=0.05))
    try:
        assert "running" in both.start().asked("/codeship follow acme/mobile@github main")
        [hook] = both.github.hooks.values()
        hook.is_reachable = False
        both.github.succeed(both.github.newest("acme/mobile", "main"))
        assert "running" in both.seen()[-1]
        missed = [each.guid for each in hook.deliveries if each.failure]
        hook.is_reachable = True
        both.clock.advance(ASKED_EVERY_S)
        assert hook.wait_until(lambda: sum(each.redelivery and each.is_done for each in hook.deliveries) == len(missed))
        again = [each for each in hook.deliveries if each.redelivery]
        assert sorted(each.guid for each in again) == sorted(missed)
        assert {each.status for each in again} <= {202, 204}
        assert "passed" in both.seen()[-1]
    finally:
        both.stage.stop()


def test_an_unsigned_webhook_is_refused_and_causes_no_poll(both: Both) -> None:
    body = b'{"repository": {"id": 1}}'
    for headers in ({}, {"X-Hub-Signature-256": "sha256=" + "0" * 64}):
        answer = requests.post(
            f"{both.site}/github/webhook",
            data=body,
            headers={"X-GitHub-Event": "workflow_run", "Content-Type": "application/json", **headers},
            timeout=5,
        )
        assert answer.status_code == 401


@pytest.mark.parametrize("both", [{"GITHUB_WEBHOOK_SECRET": ""}], indirect=True)
def test_without_a_webhook_secret_there_is_no_webhook(both: Both) -> None:
    assert requests.post(f"{both.site}/github/webhook", data=b"{}", timeout=5).status_code == 404


def test_messages_and_rows_have_no_secret_of_either_service(both: Both, capsys: pytest.CaptureFixture[str]) -> None:
    for mood in (
        moods.FINE,
        moods.down(),
        WRONG_KEY,
        moods.garbage(GITHUB_TOKEN),
        moods.redirect("http://127.0.0.1:9/"),
    ):
        both.github.mood = mood
        both.asked("/codeship status acme/shop main")
        both.asked("/codeship restart acme/shop main")
    told = repr(both.stage.workspace.conversations.everything())
    database = both.stage.settings().database_url.reveal().removeprefix("sqlite:///")
    logged = capsys.readouterr()
    both.stage.stop_bot()
    with open(database, "rb") as file:
        stored = file.read().decode("latin-1")
    for secret in SECRETS:
        assert [text for text in (told, stored, logged.out, logged.err) if secret in text] == []

"""User groups: fetched once a minute, cached while Slack is away, and never guessed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.core.model.builds import Actor
from bot.slack.client.user_groups import CACHE_TTL_S, RETRY_AFTER_S, STALE_FOR_S, UserGroups
from bot.slack.client.web_client import web_client
from playground.sandbox import BOT_TOKEN
from playground.slack.server import SlackApi
from playground.slack.workspace import SCOPES, Workspace
from tests.held_clock import HeldClock

ADA, BOB = Actor("U0ADA"), Actor("U0BOB")
METHOD = "usergroups.users.list"


class Asked:
    """User groups in a simulated workspace, and how often they were fetched."""

    def __init__(self, *, api_url: str, workspace: Workspace, clock: HeldClock) -> None:
        self.workspace = workspace
        self.clock = clock
        client = web_client(BOT_TOKEN, api_url, 5.0, sleep=lambda _seconds: None)
        self.calls = 0
        ask = client.usergroups_users_list

        def counted(**arguments: str) -> object:
            self.calls += 1
            return ask(**arguments)

        client.usergroups_users_list = counted  # type: ignore[method-assign, assignment]
        self.groups = UserGroups(client, clock)

    def has(self, actor: Actor, group: str = "S0RELEASE") -> bool | None:
        return self.groups.has(group, actor)


@pytest.fixture
def asked() -> Iterator[Asked]:
    clock = HeldClock()
    workspace = Workspace(clock.now, BOT_TOKEN, None, "secret", SCOPES | {"usergroups:read"})
    slack = SlackApi(workspace).start()
    yield Asked(api_url=slack.api_url, workspace=workspace, clock=clock)
    slack.stop()


def test_members_are_in_the_group_and_others_are_not(asked: Asked) -> None:
    assert asked.has(BOB) is True
    assert asked.has(ADA) is False


def test_slack_is_asked_once_a_minute_for_each_group(asked: Asked) -> None:
    asked.workspace.user_groups["S0OPS"] = {"U0ADA"}
    for _ in range(3):
        assert (asked.has(BOB), asked.has(ADA, "S0OPS")) == (True, True)
    assert asked.calls == 2
    asked.workspace.user_groups["S0RELEASE"] = {"U0ADA"}
    asked.clock.advance(CACHE_TTL_S - 1)
    assert asked.has(BOB) is True
    asked.clock.advance(2)
    assert (asked.has(BOB), asked.has(ADA)) == (False, True)
    assert asked.calls == 3


def test_concurrent_requests_share_one_call(asked: Asked) -> None:
    with ThreadPoolExecutor(8) as crowd:
        assert list(crowd.map(lambda _: asked.has(BOB), range(8))) == [True] * 8
    assert asked.calls == 1


@pytest.mark.parametrize(("error", "status"), [("ratelimited", 429), ("internal_error", 200), ("down", 503)])
def test_while_slack_does_not_respond_members_of_the_last_hour_count(asked: Asked, error: str, status: int) -> None:
    assert asked.has(BOB) is True
    asked.workspace.refuse(METHOD, error, None, status=status)
    asked.clock.advance(CACHE_TTL_S + 1)
    assert (asked.has(BOB), asked.has(ADA)) == (True, False)
    assert asked.calls == 2, "a failure is not repeated at once"
    asked.clock.advance(STALE_FOR_S)
    assert asked.has(BOB) is None
    asked.workspace.refuse_no_more(METHOD)
    asked.clock.advance(RETRY_AFTER_S + 1)
    assert asked.has(BOB) is True


def test_without_cached_members_membership_is_unknown(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    asked.workspace.refuse(METHOD, "internal_error", None)
    assert asked.has(BOB) is None
    assert asked.has(BOB) is None
    assert asked.calls == 1
    asked.workspace.refuse_no_more(METHOD)
    asked.clock.advance(RETRY_AFTER_S + 1)
    assert asked.has(BOB) is True
    assert "internal_error" in capsys.readouterr().out


@pytest.mark.parametrize("group", ["S0NONE", ""])
def test_membership_in_a_missing_group_is_unknown(asked: Asked, group: str) -> None:
    assert asked.has(ADA, group) is None


def test_without_the_scope_membership_is_unknown_and_the_log_names_the_error(
    asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    asked.workspace.scopes = SCOPES
    assert asked.has(BOB) is None
    assert "missing_scope" in capsys.readouterr().out


def test_if_slack_is_away_membership_is_unknown() -> None:
    client = web_client(BOT_TOKEN, "http://127.0.0.1:9/api/", 0.5, sleep=lambda _seconds: None)
    client.retry_handlers.clear()
    assert UserGroups(client, HeldClock()).has("S0RELEASE", BOB) is None

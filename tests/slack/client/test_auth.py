"""The bot's identity: one call to Slack, and what its results mean to the operator."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from bot.slack.client.auth import TOKEN_REFUSALS, Identity, SlackAway, TokenRefused, who_am_i
from bot.slack.client.web_client import web_client
from playground.slack.server import SlackApi
from playground.slack.workspace import SCOPES, Workspace
from tests.held_clock import HeldClock

TOKEN = "xoxb-1-sandbox"


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    workspace = Workspace(HeldClock().now, TOKEN, None, "0123456789abcdef")
    slack = SlackApi(workspace).start()
    yield workspace
    slack.stop()


def asked(workspace: Workspace, token: str = TOKEN) -> object:
    return who_am_i(web_client(token, f"{workspace.base_url}/api/", 5.0, sleep=lambda _: None))


def test_auth_test_returns_the_bots_identity_and_scopes(workspace: Workspace) -> None:
    token = who_am_i(web_client(TOKEN, f"{workspace.base_url}/api/", 5.0))
    assert token.identity == Identity(team_id="T0ACME", bot_user_id="U0BOT", bot_id="B0BOT", enterprise_id=None)
    assert (token.team, token.user, token.scopes) == ("Acme", "codeship", SCOPES)


def test_a_refused_token_is_not_repeated_in_the_error(workspace: Workspace) -> None:
    with pytest.raises(TokenRefused, match=r"invalid_auth.*https://api\.slack\.com/apps") as refusal:
        asked(workspace, "xoxb-2-somewhere-else")
    assert "somewhere-else" not in str(refusal.value)
    assert refusal.value.__suppress_context__


@pytest.mark.parametrize("word", sorted(TOKEN_REFUSALS))
def test_a_permanent_error_is_a_refusal(workspace: Workspace, word: str) -> None:
    workspace.refuse("auth.test", word)
    with pytest.raises(TokenRefused, match=word):
        asked(workspace)


@pytest.mark.parametrize(
    ("word", "status"),
    [("internal_error", 200), ("fatal_error", 200), ("service_unavailable", 503), ("ratelimited", 429)],
)
def test_a_temporary_error_is_no_refusal(workspace: Workspace, word: str, status: int) -> None:
    workspace.refuse("auth.test", word, None, status=status)
    with pytest.raises(SlackAway):
        asked(workspace)


def test_if_nothing_listens_slack_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(
        SlackAway, match=r"^Slack could not be reached: URLError\. Check the network, the proxy and SLACK_API_URL\.$"
    ):
        who_am_i(web_client(TOKEN, f"http://127.0.0.1:{port}/api/", 5.0))

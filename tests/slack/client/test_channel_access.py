"""Whether the bot is in a channel, and which scopes it lacks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.slack.client.channel_access import SlackChannelAccess
from bot.slack.client.web_client import web_client
from playground.sandbox import BOT_TOKEN
from playground.slack.server import SlackApi
from playground.slack.workspace import SCOPES, Workspace
from tests.held_clock import HeldClock


@pytest.fixture
def workspace() -> Workspace:
    return Workspace(HeldClock().now, BOT_TOKEN, None, "secret", SCOPES | {"channels:read"})


@pytest.fixture
def access(workspace: Workspace) -> Iterator[SlackChannelAccess]:
    slack = SlackApi(workspace).start()
    client = web_client(BOT_TOKEN, slack.api_url, 5.0, sleep=lambda _seconds: None)
    yield SlackChannelAccess(client, {"commands"}, ("chat:write", "commands"))
    slack.stop()


def test_the_scopes_that_the_token_lacks(access: SlackChannelAccess) -> None:
    assert access.missing_scopes == ("chat:write",)


@pytest.mark.parametrize(
    ("name", "is_member"), [("#builds", True), ("#random", False), ("#secret", False), ("@codeship", True)]
)
def test_whether_the_bot_is_in_a_channel(
    access: SlackChannelAccess, workspace: Workspace, name: str, is_member: bool
) -> None:
    assert access.is_member(workspace.channel(name, "ada").id) is is_member


def test_without_the_scope_it_is_unknown(access: SlackChannelAccess, workspace: Workspace) -> None:
    workspace.scopes = SCOPES
    assert access.is_member(workspace.channel("#builds", "ada").id) is None

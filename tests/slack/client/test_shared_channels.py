"""Whether other workspaces read a channel: requested from Slack every ten minutes; unknown without a response."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.slack.client.shared_channels import KNOWN_FOR_S, SharedChannels
from bot.slack.client.web_client import web_client
from playground.sandbox import BOT_TOKEN
from playground.slack.server import SlackApi
from playground.slack.workspace import SCOPES, Workspace
from tests.held_clock import HeldClock

METHOD = "conversations.info"


class Asked:
    """Channels of a simulated workspace, and the clock."""

    def __init__(self) -> None:
        self.clock = HeldClock()
        self.workspace = Workspace(self.clock.now, BOT_TOKEN, None, "secret", SCOPES | {"channels:read"})
        self.slack = SlackApi(self.workspace).start()
        client = web_client(BOT_TOKEN, self.slack.api_url, 5.0, sleep=lambda _seconds: None)
        self.channels = SharedChannels(client, self.clock)

    def is_shared(self, name: str) -> bool | None:
        return self.channels.is_shared(self.workspace.channel(name).id)


@pytest.fixture
def asked() -> Iterator[Asked]:
    result = Asked()
    yield result
    result.slack.stop()


def test_a_channel_with_another_workspace_is_shared_and_others_are_not(asked: Asked) -> None:
    assert asked.is_shared("#builds") is True
    assert asked.is_shared("#random") is False


def test_without_the_scope_it_is_unknown(asked: Asked) -> None:
    asked.workspace.scopes = SCOPES
    assert asked.is_shared("#random") is None


def test_what_slack_said_counts_for_ten_minutes(asked: Asked) -> None:
    assert asked.is_shared("#random") is False
    asked.workspace.scopes = SCOPES
    assert asked.is_shared("#random") is False
    asked.clock.advance(KNOWN_FOR_S)
    assert asked.is_shared("#random") is None


def test_a_channel_that_slack_does_not_show_is_unknown(asked: Asked) -> None:
    assert asked.channels.is_shared("C0NOWHERE") is None

"""Fixtures for the tests of the simulated workspace."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from slack_sdk import WebClient

from playground.slack.outgoing.delivery import HttpTransport
from playground.slack.server import SlackApi
from playground.slack.workspace import Workspace
from tests.playground.slack.ends import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, Ear, SettableClock


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def workspace(clock: SettableClock) -> Workspace:
    return Workspace(clock, BOT_TOKEN, APP_TOKEN, SIGNING_SECRET)


@pytest.fixture
def slack(workspace: Workspace) -> Iterator[SlackApi]:
    server = SlackApi(workspace).start()
    yield server
    server.stop()


@pytest.fixture
def client(slack: SlackApi) -> WebClient:
    return WebClient(BOT_TOKEN, base_url=slack.api_url)


@pytest.fixture
def ear(workspace: Workspace, slack: SlackApi) -> Iterator[Ear]:
    """A bot that receives the workspace's payloads over signed HTTP."""
    with Ear() as listening:
        workspace.deliver_through(HttpTransport(listening.url, SIGNING_SECRET))
        yield listening

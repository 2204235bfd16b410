"""The one member with an e-mail address: cached, never guessed, and never in the log."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.core.model.builds import Actor
from bot.slack.client.emails import CACHE_TTL_S, EmailLookup
from bot.slack.client.web_client import web_client
from playground.sandbox import BOT_TOKEN
from playground.slack.server import SlackApi
from playground.slack.workspace import SCOPES, Workspace
from tests.held_clock import HeldClock

METHOD = "users.lookupByEmail"
ADA = "ada@acme.example"


@pytest.fixture
def workspace() -> Workspace:
    wanted = SCOPES | {"users:read", "users:read.email"}
    return Workspace(HeldClock().now, BOT_TOKEN, None, "secret", wanted)


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def lookup(workspace: Workspace, clock: HeldClock) -> Iterator[EmailLookup]:
    slack = SlackApi(workspace).start()
    yield EmailLookup(web_client(BOT_TOKEN, slack.api_url, 5.0, sleep=lambda _seconds: None), clock)
    slack.stop()


def test_a_member_is_found_and_a_stranger_or_an_unknown_address_is_not(lookup):
    assert lookup.person(ADA) == Actor("U0ADA")
    assert lookup.person("guest@acme.example") is None
    assert lookup.person("someone@else.example") is None


def test_an_answer_is_cached_for_ten_minutes(lookup, workspace, clock):
    assert lookup.person(ADA) == Actor("U0ADA")
    assert lookup.person("eve@acme.example") is None
    workspace.refuse(METHOD, "internal_error", None)
    clock.advance(CACHE_TTL_S - 1)
    assert lookup.person(ADA) == Actor("U0ADA")
    assert lookup.person("eve@acme.example") is None
    clock.advance(2)
    assert lookup.person(ADA) is None
    workspace.refuse_no_more(METHOD)
    assert lookup.person(ADA) == Actor("U0ADA")


def test_without_the_scope_no_one_is_found_and_the_log_names_the_refusal_alone(lookup, workspace, capsys):
    workspace.scopes = SCOPES
    assert lookup.person(ADA) is None
    logged = capsys.readouterr().out
    assert "email_not_looked_up" in logged
    assert "missing_scope" in logged
    assert "ada@" not in logged

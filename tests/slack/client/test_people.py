"""Guests and colleagues: fetched once in ten minutes, cached while Slack is away, and never guessed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from bot.core.model.builds import Actor
from bot.core.model.policy import GUESTS
from bot.slack.client.people import CACHE_TTL_S, RETRY_AFTER_S, STALE_FOR_S, People
from bot.slack.client.user_groups import Membership, UserGroups
from bot.slack.client.web_client import web_client
from playground.sandbox import BOT_TOKEN
from playground.slack.server import SlackApi
from playground.slack.workspace import SCOPES, Workspace
from tests.held_clock import HeldClock

ADA, BOB, STRANGER, NO_ONE = Actor("U0ADA"), Actor("U0BOB"), Actor("U0GUEST"), Actor("U0NONE")
METHOD = "users.info"


@dataclass
class Asked:
    workspace: Workspace
    clock: HeldClock
    people: People
    groups: Membership


@pytest.fixture
def asked() -> Iterator[Asked]:
    clock = HeldClock()
    workspace = Workspace(clock.now, BOT_TOKEN, None, "secret", SCOPES | {"users:read", "usergroups:read"})
    workspace.guests = {BOB.id}
    slack = SlackApi(workspace).start()
    client = web_client(BOT_TOKEN, slack.api_url, 5.0, sleep=lambda _seconds: None)
    people = People(client, clock)
    yield Asked(workspace, clock, people, Membership(UserGroups(client, clock), people))
    slack.stop()


def test_guests_are_told_from_members_and_strangers_count_as_guests(asked: Asked) -> None:
    assert [asked.people.is_guest(each) for each in (ADA, BOB, STRANGER)] == [False, True, True]
    assert asked.groups.has(GUESTS, BOB) is True
    assert asked.groups.has("S0RELEASE", ADA) is False


def test_an_answer_is_cached_for_ten_minutes(asked: Asked) -> None:
    assert asked.people.is_guest(ADA) is False
    asked.workspace.guests = {ADA.id}
    asked.clock.advance(CACHE_TTL_S - 1)
    assert asked.people.is_guest(ADA) is False
    asked.clock.advance(2)
    assert asked.people.is_guest(ADA) is True


def test_while_slack_does_not_tell_the_answer_of_the_last_hour_counts(asked: Asked) -> None:
    assert asked.people.is_guest(BOB) is True
    asked.workspace.refuse(METHOD, "internal_error", None)
    asked.clock.advance(CACHE_TTL_S + 1)
    assert asked.people.is_guest(BOB) is True
    asked.clock.advance(STALE_FOR_S)
    assert asked.people.is_guest(BOB) is None
    asked.workspace.refuse_no_more(METHOD)
    asked.clock.advance(RETRY_AFTER_S + 1)
    assert asked.people.is_guest(BOB) is True


def test_without_the_scope_it_is_unknown_and_the_log_names_the_refusal(
    asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    asked.workspace.scopes = SCOPES
    assert asked.people.is_guest(BOB) is None
    assert asked.people.belongs_to("E0ACME", BOB) is None
    assert "missing_scope" in capsys.readouterr().out


def test_a_person_slack_does_not_know_is_unknown(asked: Asked) -> None:
    assert asked.people.is_guest(NO_ONE) is None


def test_a_person_without_an_organisation_is_no_colleague(asked: Asked) -> None:
    assert asked.people.belongs_to("E0ACME", ADA) is False

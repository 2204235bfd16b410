"""Which links of people get a preview."""

from __future__ import annotations

from typing import Any

import pytest

from bot.core.model.builds import Actor, Location
from bot.slack.incoming.payloads import Workspace
from bot.slack.incoming.shared_links import MAX_LINKS, SharedLinks, parse_shared_links

HOME = Workspace("T0ACME", "U0BOT")
HERE = Location("C0BUILDS")
URL = "https://app.codeship.com/projects/1/builds/2"


def parsed(more: dict[str, Any] | None = None, **fields: Any) -> SharedLinks | None:
    event = {
        "type": "link_shared",
        "user": "U0ADA",
        "channel": "C0BUILDS",
        "message_ts": "1.2",
        "unfurl_id": "C0BUILDS.1.2",
        "source": "conversations_history",
        "links": [{"domain": "app.codeship.com", "url": URL}],
    }
    return parse_shared_links({"event": {**event, **fields}, **(more or {})}, HOME)


def test_a_link_is_shown_under_the_message_that_it_is_in() -> None:
    named = SharedLinks(Actor("U0ADA"), HERE, (URL,), unfurl_id="C0BUILDS.1.2", source="conversations_history")
    assert parsed() == named
    in_thread = SharedLinks(Actor("U0ADA"), Location("C0BUILDS", "1.1"), (URL,), "C0BUILDS", "1.2")
    assert parsed(thread_ts="1.1", unfurl_id=None) == in_thread


def test_a_message_gets_a_bounded_number_of_previews_each_once() -> None:
    many = parsed(links=[{"url": f"{URL}{number // 2}"} for number in range(40)])
    assert many is not None
    assert many.urls == tuple(f"{URL}{number}" for number in range(MAX_LINKS))


@pytest.mark.parametrize(
    "fields",
    [
        {"user": "U0BOT"},
        {"user": "USLACKBOT"},
        {"bot_id": "B0BOT"},
        {"user": None},
        {"links": []},
        {"links": [None, {"url": 7}]},
        {"links": "x"},
        {"message_ts": None, "unfurl_id": None},
    ],
)
def test_the_bots_own_messages_and_odd_payloads_get_none(fields: dict[str, Any]) -> None:
    assert parsed(**fields) is None


def test_a_channel_with_other_workspaces_gets_none() -> None:
    assert parsed({"is_ext_shared_channel": True}) is None

"""The file of subscriptions: what it says, every mistake with its line, and a failed reload that changes nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.config.subscriptions_file import SubscriptionsError, reload, subscriptions_in
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.notifications.subscriptions import Event, Filters, Origin, Replies, Subscription
from bot.store import open_store
from tests.held_clock import HeldClock

DOCUMENT = Path(__file__).parents[2] / "docs/notifications.md"
BOTH = ("codeship", "github")
ONE = '[[subscription]]\nchannel = "C0BUILDS"\nrepos = "acme/web"\n'
WEB = Subscription("C0BUILDS", Filters(NamePattern(("acme/web",))), origin=Origin.FILE)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "subscriptions.toml"


def test_without_a_file_there_are_none():
    assert subscriptions_in(None, BOTH) == []


def test_the_example_of_the_document_is_read(path):
    path.write_text(re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)[0])
    assert subscriptions_in(str(path), BOTH) == [
        Subscription(
            "C0BUILDS",
            Filters(
                NamePattern(("acme/*",), ("acme/sandbox",)),
                branches=NamePattern(("main", "release/*")),
                events=frozenset({Event.BROKE, Event.FIXED, Event.STILL}),
            ),
            origin=Origin.FILE,
        ),
        Subscription(
            "C0RELEASES",
            Filters(NamePattern(("acme/web",)), "github", workflows=NamePattern(("Deploy",))),
            origin=Origin.FILE,
        ),
    ]


def test_all_means_every_event(path):
    path.write_text(f'{ONE}on = "all"\n')
    assert subscriptions_in(str(path), BOTH)[0].filters.events == frozenset(Event)


def test_whom_it_mentions_and_where_replies_go(path):
    path.write_text(f'{ONE}mention = ["S0ONCALL", "U0ADA"]\nto = "thread"\n')
    filters = subscriptions_in(str(path), BOTH)[0].filters
    assert (filters.mentions, filters.replies) == (("S0ONCALL", "U0ADA"), Replies.THREAD)


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (ONE + 'mention = "@oncall"', 4, "“@oncall” is no id of a person (U…) or of a user group (S…)."),
        (ONE + 'to = "here"', 4, "“here” is neither channel nor thread."),
        (f"{ONE}mention = {[f'U{n}ADA' for n in range(6)]}", 4, "5 people and groups at most"),
        (ONE + "colour = 1", 4, "“colour” is not a key of a subscription; these are: channel, repos,"),
        ('channel = "C1"\n' + ONE, 1, "“channel” is not a key here; these are within a [[subscription]]"),
        ("x = 1", 1, "“x” is not a key here; these are: [[subscription]]"),
        ("[subscription]\nx = 1", 1, "begins with [[subscription]]"),
        ('[[subscription]]\nrepos = "acme/web"', 1, "this subscription has no channel"),
        ('[[subscription]]\nchannel = "C0BUILDS"', 1, "this subscription has no repos"),
        ('[[subscription]]\nchannel = "#builds"\nrepos = "acme/web"', 2, "“#builds” is not a channel's id"),
        ('[[subscription]]\nchannel = 7\nrepos = "acme/web"', 2, "is not a channel's id"),
        (ONE + 'on = "broken"', 4, "“broken” is no event; these are: all, broke"),
        (ONE + 'service = "jenkins"', 4, "“jenkins” is not in CI_PROVIDERS"),
        (ONE + "branches = []", 4, "branches is an empty list"),
        (ONE + 'branches = "a b"', 4, "is not a pattern"),
        ('[[subscription]]\nchannel = "C0BUILDS"\nrepos = "web"', 3, "write org/name"),
        (ONE + ONE, 4, "the subscription in line 1 says this"),
        ("[[subscription]", 1, "this is no TOML"),
    ],
)
def test_a_mistake_is_reported_with_its_line(path, text, line, why):
    path.write_text(text)
    with pytest.raises(SubscriptionsError) as caught:
        subscriptions_in(str(path), BOTH)
    ((found, said),) = caught.value.mistakes
    assert (found, why in said) == (line, True), said
    assert str(caught.value).startswith(f"SUBSCRIPTIONS: the file {path} cannot be used.\n  line {line}: ")


def test_a_reload_stores_the_file_and_a_mistake_changes_nothing(path):
    store = open_store("sqlite:///:memory:", HeldClock())
    path.write_text(ONE)
    assert reload(str(path), BOTH, store.subscriptions)
    [stored] = store.subscriptions.all()
    assert (stored.filters, stored.origin) == (WEB.filters, Origin.FILE)
    path.write_text("x = 1")
    assert not reload(str(path), BOTH, store.subscriptions)
    assert store.subscriptions.all() == [stored]
    path.write_text("")
    assert reload(str(path), BOTH, store.subscriptions)
    assert store.subscriptions.all() == []
    store.close()

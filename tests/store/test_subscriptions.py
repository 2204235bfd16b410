"""Subscriptions and mutes: stored once, removed only by their channel, paused and resumed, and those of the file."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.core.model.builds import Actor
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.notifications.subscriptions import (
    PAUSED_BY_PERSON,
    Event,
    Filters,
    Mute,
    Origin,
    Replies,
    Subscription,
)
from tests.store.conftest import NOON

ADA, BOB = Actor("U1"), Actor("U2")
WEB, API = NamePattern(("acme/web",)), NamePattern(("acme/api",))
ALL = Filters(
    NamePattern(("acme/*", "org/x\\y"), ("acme/old",)),
    "github",
    NamePattern(("main", "release/*"), ("release/0*",)),
    frozenset(Event),
    NamePattern(("ci",), ("nightly",)),
    5,
    ("S0ONCALL", "U0ADA"),
    Replies.THREAD,
)


def wanted(filters=ALL, channel="C1", **fields):
    return Subscription(channel, filters, **{"maker": ADA, "created_at": NOON} | fields)


def of_file(filters, channel="C1"):
    return Subscription(channel, filters, origin=Origin.FILE)


def test_a_subscription_comes_back_as_it_was_stored(store):
    stored = store.subscriptions.add(wanted())
    assert stored == replace(wanted(), id=stored.id)
    assert stored.id > 0
    assert store.subscriptions.all() == store.subscriptions.of_channel("C1") == [stored]
    assert store.subscriptions.of_channel("C2") == []


def test_the_same_filters_in_one_channel_are_stored_once(store):
    first = store.subscriptions.add(wanted())
    assert store.subscriptions.add(wanted(maker=BOB)) == first
    assert store.subscriptions.add(wanted(channel="C2")).id != first.id
    assert store.subscriptions.add(wanted(Filters(WEB))).id != first.id
    assert len(store.subscriptions.all()) == 3


def test_only_its_channel_can_remove_a_subscription_and_only_once(store):
    web, api = store.subscriptions.add(wanted(Filters(WEB))), store.subscriptions.add(wanted(Filters(API)))
    assert store.subscriptions.remove([web.id, api.id], "C2") == []
    assert store.subscriptions.remove([web.id], "C1") == [web]
    assert store.subscriptions.remove([web.id], "C1") == []
    assert store.subscriptions.all() == [api]


def test_a_changed_subscription_keeps_its_id_and_is_active_again(store):
    web = store.subscriptions.add(wanted(Filters(WEB)))
    store.subscriptions.pause("C1", "not_in_channel")
    changed = store.subscriptions.replace(web.id, "C1", wanted(Filters(API), maker=BOB))
    assert changed == replace(wanted(Filters(API), maker=BOB), id=web.id)
    assert store.subscriptions.replace(web.id, "C2", wanted(channel="C2")) is None
    assert store.subscriptions.all() == [changed]


def test_a_subscription_that_is_changed_into_another_one_merges_with_it(store):
    web, api = store.subscriptions.add(wanted(Filters(WEB))), store.subscriptions.add(wanted(Filters(API)))
    assert store.subscriptions.replace(web.id, "C1", wanted(Filters(API))) == api
    assert store.subscriptions.all() == [api]


def test_a_channel_is_paused_and_resumed_as_a_whole(store):
    web, other = store.subscriptions.add(wanted(Filters(WEB))), store.subscriptions.add(wanted(channel="C2"))
    assert store.subscriptions.pause("C1", "is_archived") == [replace(web, paused="is_archived")]
    assert store.subscriptions.pause("C1", "not_in_channel") == []
    assert store.subscriptions.all() == [replace(web, paused="is_archived"), other]
    assert store.subscriptions.resume("C1") == [web]
    assert store.subscriptions.resume("C1") == []
    assert store.subscriptions.all() == [web, other]


def test_what_a_person_paused_is_resumed_only_by_a_person(store):
    web, api = store.subscriptions.add(wanted(Filters(WEB))), store.subscriptions.add(wanted(Filters(API)))
    stopped = replace(web, paused=PAUSED_BY_PERSON)
    assert store.subscriptions.pause_these([web.id], "C2") == []
    assert store.subscriptions.pause_these([web.id], "C1") == [stopped]
    assert store.subscriptions.pause("C1", "is_archived") == [replace(api, paused="is_archived")]
    assert store.subscriptions.resume("C1") == [api]
    assert store.subscriptions.all() == [stopped, api]
    assert store.subscriptions.resume_these([web.id], "C1") == [web]


def test_the_file_decides_which_of_its_subscriptions_there_are(store):
    mine = store.subscriptions.add(wanted(Filters(WEB)))
    store.subscriptions.put_file([of_file(Filters(WEB)), of_file(ALL)])
    before = store.subscriptions.all()
    store.subscriptions.pause("C1", "not_in_channel")
    store.subscriptions.put_file([of_file(ALL), of_file(ALL, "C2")])
    after = store.subscriptions.all()
    assert [each.origin for each in before] == [Origin.SLACK, Origin.FILE, Origin.FILE]
    assert [(each.id, each.channel, each.paused) for each in after[:2]] == [
        (mine.id, "C1", "not_in_channel"),
        (before[2].id, "C1", "not_in_channel"),
    ]
    assert (after[2].channel, after[2].paused) == ("C2", None)
    assert len(after) == 3


def test_what_the_file_says_is_not_removed_or_changed_from_slack(store):
    store.subscriptions.put_file([of_file(ALL)])
    [stored] = store.subscriptions.all()
    assert store.subscriptions.remove([stored.id], "C1") == []
    assert store.subscriptions.pause_these([stored.id], "C1") == []
    assert store.subscriptions.replace(stored.id, "C1", wanted(Filters(WEB))) is None
    assert store.subscriptions.all() == [stored]


def mute(repositories=None, minutes=60, channel="C1", maker=ADA):
    return Mute(channel, NOON + timedelta(minutes=minutes), maker, NOON, repositories)


def test_a_later_mute_of_the_same_replaces_the_earlier_one(store):
    first = store.subscriptions.mute(mute(WEB))
    later = store.subscriptions.mute(mute(WEB, minutes=10, maker=BOB))
    whole = store.subscriptions.mute(mute())
    assert first == replace(mute(WEB), id=first.id)
    assert later == replace(mute(WEB, minutes=10, maker=BOB), id=first.id)
    assert store.subscriptions.mutes("C1") == [later, whole]
    assert store.subscriptions.mutes("C2") == []


def test_a_mute_ends_by_itself(store, clock):
    store.subscriptions.mute(mute(WEB, minutes=10))
    clock.wait(600)
    assert store.subscriptions.mutes() == []
    assert store.subscriptions.unmute("C1") == []


def test_unmute_ends_all_mutes_of_the_channel_or_those_of_one_repository(store):
    web, api = store.subscriptions.mute(mute(WEB)), store.subscriptions.mute(mute(API))
    other = store.subscriptions.mute(mute(channel="C2"))
    assert store.subscriptions.unmute("C1", [WEB]) == [web]
    assert store.subscriptions.unmute("C1", [None]) == []
    assert store.subscriptions.unmute("C1") == [api]
    assert store.subscriptions.mutes() == [other]

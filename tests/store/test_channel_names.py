"""What the core's `ChannelNameStore` guarantees."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.core.model.builds import Actor, Location
from bot.core.model.names.channel_names import ChannelName
from bot.store import Store
from tests.store.conftest import NOON
from tests.store.followed import BARE

ADA, BOB = Actor("UADA"), Actor("UBOB")
DEFAULT = ChannelName("C1", "", "acme/web@codeship", "main", BOB, NOON)
SITE = ChannelName("C1", "site", "acme/website@github", None, BOB, NOON)
ELSEWHERE = replace(DEFAULT, channel="C2", set_by=ADA, set_at=NOON - timedelta(days=1))


def test_a_persons_channels_are_those_where_they_set_a_name_or_followed_a_build(store: Store) -> None:
    for name in (SITE, DEFAULT, ELSEWHERE, replace(DEFAULT, channel="C3")):
        store.channel_names.put(name)
    assert store.channel_names.of_person(ADA, 9) == [[ELSEWHERE]]
    store.follows.add(replace(BARE, asker=BOB, others=(ADA,), location=Location("C1")))
    assert store.channel_names.of_person(ADA, 9) == [[DEFAULT, SITE], [ELSEWHERE]]
    assert store.channel_names.of_person(ADA, 1) == [[DEFAULT, SITE]]
    assert store.channel_names.of_person(Actor("UCAROL"), 9) == []

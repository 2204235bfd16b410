"""One login belongs to one person, a claim waits for the answer, and what a person wants to hear is kept."""

from __future__ import annotations

from datetime import timedelta

from bot.core.model.builds import Actor
from bot.core.model.people.settings import AccountLink, NotifySettings, Scope, Way
from tests.store.conftest import NOON

ADA, BOB = Actor("U0ADA"), Actor("U0BOB")
LATER = NOON + timedelta(days=1)


def test_a_free_login_is_linked_in_any_case_and_keeps_its_spelling(store):
    assert store.people.of_login("ada-l") is None
    link = store.people.claim("Ada-L", ADA, NOON)
    assert link == AccountLink("Ada-L", ADA, NOON)
    assert store.people.of_login("ADA-l") == store.people.of_person(ADA) == link
    assert store.people.of_person(BOB) is None


def test_a_person_has_one_login(store):
    store.people.claim("ada-l", ADA, NOON)
    store.people.claim("ada-2", ADA, LATER)
    assert store.people.of_login("ada-l") is None
    assert store.people.of_person(ADA) == AccountLink("ada-2", ADA, LATER)


def test_a_login_of_another_person_stays_theirs_and_is_claimed(store):
    store.people.claim("ada-l", ADA, NOON)
    claimed = AccountLink("ada-l", ADA, NOON, claimed_by=BOB)
    assert store.people.claim("ADA-L", BOB, LATER) == claimed
    assert store.people.of_login("ada-l") == claimed
    assert store.people.of_person(BOB) is None


def test_the_first_person_keeps_it(store):
    store.people.claim("ada-l", ADA, NOON)
    store.people.claim("ada-l", BOB, LATER)
    assert store.people.claim("ada-l", ADA, LATER) == AccountLink("ada-l", ADA, NOON)
    assert store.people.unlink(ADA, "ada-l", LATER) == AccountLink("ada-l", ADA, NOON)
    assert store.people.of_login("ada-l") is None


def test_the_first_person_gives_it_up_to_the_second(store):
    store.people.claim("ada-l", ADA, NOON)
    store.people.claim("bob", BOB, NOON)
    store.people.claim("ada-l", BOB, LATER)
    assert store.people.unlink(ADA, None, LATER) == AccountLink("ada-l", ADA, NOON, claimed_by=BOB)
    assert store.people.of_login("ada-l") == store.people.of_person(BOB) == AccountLink("ada-l", BOB, LATER)
    assert store.people.of_login("bob") is None


def test_only_the_persons_own_link_is_removed(store):
    store.people.claim("ada-l", ADA, NOON)
    assert store.people.unlink(BOB, "ada-l", LATER) is None
    assert store.people.unlink(ADA, "another", LATER) is None
    assert store.people.of_person(ADA) is not None


def test_settings_are_the_default_until_they_are_set(store):
    assert store.people.settings(ADA) == NotifySettings(Scope.MINE, Way.DM)
    store.people.set(ADA, NotifySettings(Scope.MAIN, Way.MENTION))
    store.people.set(ADA, NotifySettings(Scope.OFF, Way.MENTION))
    assert store.people.settings(ADA) == NotifySettings(Scope.OFF, Way.MENTION)
    assert store.people.settings(BOB) == NotifySettings()

"""A login that its person gives up, in either way, belongs to the person who has claimed it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.core.model.builds import Actor, Location
from bot.core.model.people.commands import LinkCommand
from bot.core.model.people.outcomes import AccountClaimed, AccountLinked
from bot.core.request import UserRequest
from tests.core.world import World

ADA, BOB, EVE = Actor("U0ADA"), Actor("U0BOB"), Actor("U0EVE")


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


def links(world: World, who: Actor, login: str) -> object:
    request = UserRequest(who, Location("C0BUILDS"), world.clock, world.clock.monotonic() + 16.0)
    return world.operations.execute(LinkCommand(login), request)


def test_another_login_instead_of_a_claimed_one_gives_that_up(world: World) -> None:
    links(world, ADA, "bob")
    assert isinstance(links(world, BOB, "bob"), AccountClaimed)
    linked = links(world, ADA, "ada-l")
    assert isinstance(linked, AccountLinked)
    assert (linked.link.login, linked.before, linked.given_to) == ("ada-l", "bob", BOB)
    theirs = world.store.people.of_person(BOB)
    assert theirs is not None
    assert theirs.login == "bob"


def test_a_claim_on_anothers_login_gives_up_nothing(world: World) -> None:
    links(world, ADA, "bob")
    links(world, BOB, "bob")
    links(world, EVE, "eve")
    assert isinstance(links(world, ADA, "eve"), AccountClaimed)
    mine = world.store.people.of_person(ADA)
    assert mine is not None
    assert (mine.login, mine.claimed_by) == ("bob", BOB)

"""One live message of a build in each channel: who is pointed to it, and who is notified by it."""

from __future__ import annotations

from dataclasses import replace

from bot.core.follows.channel_messages import MAX_NOTIFIED, ChannelMessages
from bot.core.model.builds import Actor, Location, Status
from bot.core.model.claims import Claim, ClaimState
from bot.core.model.follows import Follow, FollowState, ReplyState
from bot.core.model.outcomes import AlreadyRestarted, Followed, StillRunning
from tests.core.world import ADA, BOB, BUILDS, World, build, project
from tests.held_clock import NOON

WEB = project(3, "acme/web")
RUNNING = build(7, WEB, status=Status.RUNNING)
FOLLOW = Follow("command:1", "codeship", "3", "7", 1, "main", ADA, BUILDS, "1.2", NOON)
CLAIM = Claim("codeship", "3", "7", 1, BOB, BUILDS, RUNNING.run, NOON, state=ClaimState.TAKEN)


def live(world: World, *follows: Follow) -> ChannelMessages:
    for follow in follows:
        world.store.follows.add(follow)
    return ChannelMessages(world.store.follows)


def test_the_live_message_of_the_same_run_in_the_channel_is_found(world: World) -> None:
    second = replace(FOLLOW, key="command:2", run_number=2, message_ts="1.3")
    messages = live(world, FOLLOW, second)
    assert messages.showing(Followed(RUNNING, 1), "C0BUILDS", "command:9") == FOLLOW
    assert messages.showing(StillRunning(RUNNING), "C0BUILDS", "command:9") == FOLLOW
    assert messages.showing(AlreadyRestarted(RUNNING, CLAIM, 1.0), "C0BUILDS", "command:9") == second
    assert messages.showing(Followed(RUNNING, 1), "C0BUILDS", "command:1") is None, "its own"
    assert messages.showing(Followed(RUNNING, 1), "C0OTHER", "command:9") is None
    assert messages.showing(Followed(RUNNING, 3), "C0BUILDS", "command:9") is None
    assert messages.at(RUNNING, "C0BUILDS", "1.3") == second
    assert messages.at(RUNNING, "C0BUILDS", "1.4") is None


def test_a_person_is_notified_once(world: World) -> None:
    messages = live(world, FOLLOW)
    assert messages.notify(BOB, RUNNING, 1, "C0BUILDS")
    assert messages.notify(BOB, RUNNING, 1, "C0BUILDS")
    assert messages.notify(ADA, RUNNING, 1, "C0BUILDS")
    [follow] = world.store.follows.open_of("codeship", "3")
    assert follow.notified == (ADA, BOB)


def test_no_one_is_added_once_the_end_is_being_told(world: World) -> None:
    begun = replace(FOLLOW, reply=ReplyState.BEGUN)
    ended = replace(FOLLOW, key="command:2", build_id="8", state=FollowState.ENDED)
    messages = live(world, begun, ended)
    assert not messages.notify(BOB, RUNNING, 1, "C0BUILDS")
    assert not messages.notify(BOB, replace(RUNNING, id="8"), 1, "C0BUILDS")


def test_a_reply_mentions_a_bounded_number_of_people(world: World) -> None:
    others = tuple(Actor(f"U{number}") for number in range(MAX_NOTIFIED - 1))
    messages = live(world, replace(FOLLOW, others=others, location=Location("C0BUILDS", "1.1")))
    assert not messages.notify(BOB, RUNNING, 1, "C0BUILDS")

"""One live message of a build in each channel: who is pointed to it, and who is notified by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.core.follows.channel_messages import MAX_NOTIFIED, POSTED_WITHIN_S, ChannelMessages
from bot.core.model.builds import Actor, Location, Status
from bot.core.model.claims import Claim, ClaimState, RestartState
from bot.core.model.follows import Follow, FollowState, ReplyState
from bot.core.model.outcomes import AlreadyRestarted, BuildShown, Followed, Restarted, StillRunning
from tests.core.world import ADA, BOB, BUILDS, World, build, project
from tests.held_clock import NOON, HeldClock

WEB = project(3, "acme/web")
RUNNING = build(7, WEB, status=Status.RUNNING)
FOLLOW = Follow("command:1", "codeship", "3", "7", 1, "main", ADA, BUILDS, "1.2", NOON)
CLAIM = Claim("codeship", "3", "7", 1, BOB, BUILDS, RUNNING.run, NOON, state=ClaimState.TAKEN)


class Meanwhile(HeldClock):
    """While one waits, another request goes on."""

    def __init__(self, goes_on: Callable[[], object]) -> None:
        super().__init__()
        self._goes_on = goes_on

    def wait(self, seconds: float) -> None:
        super().wait(seconds)
        self._goes_on()


def live(world: World, *follows: Follow) -> ChannelMessages:
    for follow in follows:
        world.store.follows.add(follow)
    return ChannelMessages(world.store.follows, world.clock)


def test_the_live_message_of_the_same_run_in_the_channel_is_found(world: World) -> None:
    second = replace(FOLLOW, key="command:2", run_number=2, message_ts="1.3")
    messages = live(world, FOLLOW, second)
    assert messages.showing(Followed(RUNNING, 1), BOB, "C0BUILDS", "command:9") == FOLLOW
    assert messages.showing(StillRunning(RUNNING), BOB, "C0BUILDS", "command:9") == FOLLOW
    assert messages.showing(AlreadyRestarted(RUNNING, CLAIM, 1.0), BOB, "C0BUILDS", "command:9") == second
    assert messages.showing(Followed(RUNNING, 1), BOB, "C0BUILDS", "command:1") is None, "its own"
    assert messages.showing(Followed(RUNNING, 1), BOB, "C0OTHER", "command:9") is None
    assert messages.showing(Followed(RUNNING, 3), BOB, "C0BUILDS", "command:9") is None
    assert messages.at("C0BUILDS", "1.3") == second
    assert messages.at("C0BUILDS", "1.4") is None


def test_a_status_is_shown_by_the_live_message_to_those_whom_it_does_not_notify(world: World) -> None:
    messages = live(world, FOLLOW)
    assert messages.showing(BuildShown(RUNNING, RestartState(1)), BOB, "C0BUILDS", "command:9") == FOLLOW
    assert messages.showing(BuildShown(RUNNING, RestartState(1)), ADA, "C0BUILDS", "command:9") is None
    ended = build(7, WEB, status=Status.FAILED)
    assert messages.showing(BuildShown(ended, RestartState(1)), BOB, "C0BUILDS", "command:9") is None
    restarted = RestartState(0, replace(CLAIM, run_number=0, replaced=ended.run))
    assert messages.showing(BuildShown(ended, restarted), BOB, "C0BUILDS", "command:9") == FOLLOW


def test_a_second_request_waits_for_the_message_that_the_first_is_about_to_post(world: World) -> None:
    follows = world.store.follows
    clock = Meanwhile(lambda: follows.add(FOLLOW))
    messages = ChannelMessages(follows, clock)
    assert messages.showing(Followed(RUNNING, 1), ADA, "C0BUILDS", "command:1") is None
    assert messages.showing(Followed(RUNNING, 1), BOB, "C0BUILDS", "command:2") == FOLLOW
    assert clock.waits == [POSTED_WITHIN_S[0]]


def test_a_second_message_is_better_than_none_if_the_first_is_never_posted(world: World) -> None:
    messages = live(world)
    assert messages.showing(Followed(RUNNING, 1), ADA, "C0BUILDS", "command:1") is None
    assert messages.showing(Followed(RUNNING, 1), BOB, "C0BUILDS", "command:2") is None
    assert messages.showing(BuildShown(RUNNING, RestartState(1)), BOB, "C0BUILDS", "command:3") is None
    assert world.clock.waits == [*POSTED_WITHIN_S, *POSTED_WITHIN_S]


def test_no_one_waits_after_a_message_that_cannot_be_changed(world: World) -> None:
    messages = live(world)
    assert messages.showing(Restarted(RUNNING, CLAIM), ADA, "C0BUILDS", "command:1") is None
    messages.not_live("command:1")
    assert messages.showing(AlreadyRestarted(RUNNING, CLAIM, 1.0), BOB, "C0BUILDS", "command:2") is None
    assert world.clock.waits == []


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

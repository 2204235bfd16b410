"""How a reply reaches people, in a simulated workspace that shows each person what Slack would."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.core.model.builds import Actor
from bot.slack.blocks.message import Message
from bot.slack.outgoing.replies import DeliveryFailed
from tests.slack.outgoing.replying import COMMAND, MENTION, NEWS, WITH_BUTTON, WORD, World, a_world


@pytest.fixture
def world() -> Iterator[World]:
    with a_world() as made:
        yield made


# If the bot is a member.


def test_a_public_reply_is_the_bots_own_message(world: World) -> None:
    world.answers.answer(world.says("ada", "#builds", COMMAND), NEWS)
    message = world.last("#builds", "bob")
    assert (message.text, message.now.via, message.ephemeral_to, message.thread_ts) == (
        NEWS.text,
        "chat.postMessage",
        None,
        None,
    )
    assert message.blocks[0]["type"] == "markdown"


def test_a_private_reply_is_seen_by_no_one_else(world: World) -> None:
    world.answers.answer(world.says("ada", "#builds", COMMAND), WORD)
    assert world.last("#builds").now.via == "response_url"
    assert world.seen("#builds", "bob") == []


def test_a_mention_is_answered_in_the_thread_that_it_opens(world: World) -> None:
    heard = world.says("ada", "#builds", MENTION)
    world.answers.answer(heard, NEWS)
    assert world.last("#builds").thread_ts == heard.location.thread
    assert heard.opens_thread


def test_a_private_reply_goes_to_the_channel_if_its_thread_does_not_exist_yet(world: World) -> None:
    """Slack shows what only one person sees in threads that have a reply already."""
    world.answers.answer(world.says("ada", "#builds", MENTION), WORD)
    message = world.last("#builds")
    assert (message.now.via, message.ephemeral_to, message.thread_ts) == ("chat.postEphemeral", "U0ADA", None)


def test_a_private_reply_stays_in_an_existing_thread(world: World) -> None:
    first = world.says("ada", "#builds", MENTION)
    world.answers.answer(first, NEWS)
    world.answers.answer(world.says("bob", "#builds", MENTION, world.last("#builds")), WORD)
    message = world.last("#builds", "bob")
    assert (message.ephemeral_to, message.thread_ts) == ("U0BOB", first.location.thread)


@pytest.mark.parametrize("message", [NEWS, WORD])
def test_a_direct_message_is_answered_by_a_direct_message(world: World, message: Message) -> None:
    world.answers.answer(world.says("ada", "@codeship", "status acme/web"), message)
    seen = world.last("@codeship")
    assert (seen.text, seen.now.via, seen.ephemeral_to) == (message.text, "chat.postMessage", None)


# If it is not.


def test_a_bot_that_is_no_member_answers_and_explains_once_how_to_invite_it(world: World) -> None:
    for who in ("ada", "bob"):
        world.answers.answer(world.says(who, "#random", COMMAND), NEWS)
    first, second = world.seen("#random", "bob")
    assert (first.now.via, first.ephemeral_to) == ("response_url", None)
    assert "/invite @codeship" in first.text
    assert second.text == NEWS.text
    world.answers.answer(world.says("ada", "#secret", COMMAND), NEWS)
    assert "/invite @codeship" in world.last("#secret").text, "a private channel, which the bot cannot even see"


def test_no_one_is_asked_to_invite_the_bot_into_a_conversation_of_two(world: World) -> None:
    world.answers.answer(world.says("ada", "@bob", COMMAND), NEWS)
    assert [message.text for message in world.seen("@ada", "bob")] == [NEWS.text]


def test_once_invited_the_bot_posts_its_own_messages(world: World) -> None:
    world.answers.answer(world.says("ada", "#random", COMMAND), NEWS)
    world.workspace.invite_the_app("#random")
    world.answers.answer(world.says("ada", "#random", COMMAND), NEWS)
    assert [message.now.via for message in world.seen("#random")] == ["response_url", "chat.postMessage"]


# The pressed message.


def test_the_pressed_message_is_replaced_and_removed(world: World) -> None:
    world.answers.answer(world.says("ada", "#builds", COMMAND), WITH_BUTTON)
    message = world.last("#builds")
    world.answers.replace(world.presses("bob", message), NEWS)
    (replaced,) = world.seen("#builds")
    assert (replaced.ts, replaced.text, len(replaced.versions)) == (message.ts, NEWS.text, 2)

    world.answers.to_asker(world.says("ada", "#builds", COMMAND), WITH_BUTTON)
    world.answers.remove_pressed(world.presses("ada", world.last("#builds")))
    assert [seen.text for seen in world.seen("#builds")] == [NEWS.text]


def test_a_private_message_stays_private_when_it_is_replaced(world: World) -> None:
    world.answers.to_asker(world.says("ada", "#builds", COMMAND), WITH_BUTTON)
    world.answers.replace(world.presses("ada", world.last("#builds")), NEWS)
    assert world.last("#builds").text == NEWS.text
    assert world.seen("#builds", "bob") == []


def test_without_a_response_url_a_press_still_gets_a_reply(world: World) -> None:
    heard = world.says("ada", "@codeship", "help")
    for on_pressed in (lambda: world.answers.replace(heard, NEWS), lambda: world.answers.remove_pressed(heard)):
        with pytest.raises(DeliveryFailed, match="the response URL did not come"):
            on_pressed()


def test_a_reply_to_a_press_in_a_thread_stays_in_the_thread(world: World) -> None:
    world.answers.answer(world.says("ada", "#builds", MENTION), WITH_BUTTON)
    message = world.last("#builds")
    heard = world.presses("ada", message)
    for answer in (NEWS, WORD):
        world.answers.answer(heard, answer)
        assert world.last("#builds").thread_ts == message.thread_ts


def test_another_person_is_told_once_of_the_same_thing(world: World) -> None:
    bob = Actor("U0BOB")
    assert all(world.answers.to_person(bob, WORD, key=key) for key in ("claim", "claim", "another"))
    assert len(world.seen("@codeship", "bob")) == 2
    world.workspace.refuse("chat.postMessage", "messages_tab_disabled")
    assert not world.answers.to_person(bob, WORD, key="refused")

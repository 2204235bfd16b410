"""If Slack rejects a reply or does not respond: who is informed, and what the operator reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests
from aiohttp import web

from bot.slack.blocks.message import Message
from bot.slack.client.api_errors import BLOCKS_REFUSED
from bot.slack.client.chat_client import ChatClient
from bot.slack.client.connections import Connections
from bot.slack.client.response_urls import ResponseUrls
from bot.slack.incoming.payloads import SlackRequest, parse_event
from bot.slack.outgoing.replies import DeliveryFailed, Replies
from bot.store import open_store
from playground.http_host.server import Loopback
from tests.held_clock import HeldClock
from tests.slack.outgoing.replying import COMMAND, HOME, MENTION, NEWS, TOKEN, WORD, World, a_world


@pytest.fixture
def world() -> Iterator[World]:
    with a_world() as made:
        yield made


def used_up(world: World, slack_request: SlackRequest) -> None:
    """All five uses of its response URL are gone."""
    assert slack_request.response_url is not None
    for _ in range(5):
        requests.post(slack_request.response_url, json={"text": "used"}, timeout=5)


def called(world: World) -> list[str]:
    """The methods that the bot called."""
    return [wire.title for wire in world.workspace.wires.since(0) if wire.way == "bot to slack"]


# If Slack refuses.

REFUSALS = [
    "is_archived",
    "msg_too_long",
    "restricted_action",
    "restricted_action_thread_locked",
    "cannot_reply_to_message",
    "ekm_access_denied",
    "a_word_never_met",
    "token_revoked",
    "account_inactive",
    "missing_scope",
    "ratelimited",
]
TROUBLES = ["fatal_error", "internal_error", "service_unavailable", "request_timeout"]


@pytest.mark.parametrize("error", REFUSALS)
def test_a_command_without_a_possible_message_is_answered_through_its_response_url(world: World, error: str) -> None:
    world.workspace.refuse("chat.postMessage", error, None)
    world.answers.answer(world.says("ada", "#builds", COMMAND), NEWS)
    message = world.last("#builds", "bob")
    assert (message.text, message.now.via) == (NEWS.text, "response_url"), "for all, and without an invitation"


UNKNOWN = [*((word, 200) for word in TROUBLES), ("a page", 503)]
MAY_BE_ABOVE = "It may already be above."


@pytest.mark.parametrize("text", [COMMAND, MENTION])
@pytest.mark.parametrize(("error", "status"), UNKNOWN)
def test_a_reply_about_an_action_is_repeated_to_the_asker_alone_if_its_result_is_unknown(
    world: World, error: str, status: int, text: str
) -> None:
    world.workspace.refuse("chat.postMessage", error, None, status=status)
    world.answers.answer(world.says("ada", "#builds", text), NEWS, changed=True)
    (message,) = world.seen("#builds")
    assert message.ephemeral_to == "U0ADA"
    assert message.text.startswith(NEWS.text)
    assert message.text.endswith(MAY_BE_ABOVE)


@pytest.mark.parametrize(("error", "status"), UNKNOWN)
def test_a_reply_that_reports_no_action_is_not_repeated_if_its_result_is_unknown(
    world: World, error: str, status: int
) -> None:
    heard = world.says("ada", "#builds", COMMAND)
    world.workspace.refuse("chat.postMessage", error, None, status=status)
    with pytest.raises(DeliveryFailed) as failure:
        world.answers.answer(heard, NEWS)
    assert failure.value.may_be_there
    assert world.seen("#builds") == []


def test_after_an_unknown_response_url_only_the_asker_is_told(world: World) -> None:
    heard = world.says("ada", "#builds", COMMAND)
    world.workspace.refuse("chat.postMessage", "is_archived", None)
    world.workspace.refuse("response_url", "internal_error", None, status=500)
    with pytest.raises(DeliveryFailed) as failure:
        world.answers.answer(heard, NEWS)
    assert failure.value.may_be_there
    world.answers.answer(heard, NEWS, changed=True)
    (message,) = world.seen("#builds")
    assert (message.now.via, message.ephemeral_to) == ("chat.postEphemeral", "U0ADA")


def test_after_two_ways_with_unknown_results_no_other_is_tried(world: World) -> None:
    heard = world.says("ada", "#builds", MENTION)
    world.workspace.refuse("*", "internal_error", None)
    with pytest.raises(DeliveryFailed) as failure:
        world.answers.answer(heard, NEWS, changed=True)
    assert failure.value.may_be_there
    assert called(world) == ["chat.postMessage", "chat.postEphemeral"]


@pytest.mark.parametrize("error", ["ratelimited", "restricted_action", "not_in_channel"])
@pytest.mark.parametrize("message", [NEWS, WORD])
def test_a_command_is_answered_by_direct_message_if_every_other_way_is_refused(
    world: World, error: str, message: Message
) -> None:
    heard = world.says("ada", "#builds", COMMAND)
    used_up(world, heard)
    if message is NEWS:
        world.workspace.refuse("chat.postMessage", error, 1)
    world.workspace.refuse("chat.postEphemeral", error, None)
    world.answers.answer(heard, message)
    told = world.last("@codeship")
    assert told.text.startswith(message.text)
    assert told.text.endswith("Slack doesn’t let me answer in #builds, so I answer here.") or "<#" in told.text
    assert [seen.text for seen in world.seen("#builds")] == ["used"] * 5


def test_a_direct_message_whose_thread_is_locked_is_answered_outside_it(world: World) -> None:
    first = world.says("ada", "@codeship", "help")
    world.answers.answer(first, NEWS)
    heard = world.says("ada", "@codeship", "help", world.last("@codeship"))
    world.workspace.refuse("chat.postMessage", "restricted_action_thread_locked", 1)
    world.answers.answer(heard, NEWS)
    assert world.last("@codeship").thread_ts is None


@pytest.mark.parametrize("word", sorted(BLOCKS_REFUSED))
@pytest.mark.parametrize("message", [NEWS, replace(NEWS, in_public=False)])
def test_if_slack_refuses_the_blocks_the_text_is_sent_alone_the_same_way(
    world: World, word: str, message: Message
) -> None:
    world.workspace.refuse("chat.postMessage", word, 1)
    world.workspace.refuse("response_url", word, 1, status=400)
    world.answers.answer(world.says("ada", "#builds", COMMAND), message)
    said = world.last("#builds")
    via = "chat.postMessage" if message.in_public else "response_url"
    assert (said.text, said.blocks, said.now.via) == (message.text, (), via)


def test_a_mention_without_a_ts_is_answered(world: World) -> None:
    event = {"type": "app_mention", "user": "U0ADA", "channel": world.workspace.channel("#builds").id, "text": "help"}
    heard = parse_event({"event": event}, HOME)
    assert heard is not None
    world.answers.answer(heard, WORD)
    assert world.last("#builds").ephemeral_to == "U0ADA"


@pytest.mark.parametrize("error", REFUSALS)
def test_a_mention_without_a_possible_public_reply_is_answered_to_the_asker(world: World, error: str) -> None:
    world.workspace.refuse("chat.postMessage", error, None)
    world.answers.answer(world.says("ada", "#builds", MENTION), NEWS)
    message = world.last("#builds")
    assert (message.text, message.now.via, message.ephemeral_to) == (NEWS.text, "chat.postEphemeral", "U0ADA")


@pytest.mark.parametrize("error", REFUSALS)
def test_a_reply_that_reaches_no_one_is_logged_with_slacks_error_code(world: World, error: str) -> None:
    heard = world.says("ada", "#builds", MENTION)
    world.workspace.refuse("*", error, None)
    ways = ["chat.postMessage", "chat.postEphemeral", "chat.postMessage"]
    with pytest.raises(DeliveryFailed, match="; ".join(f"{way} was refused: {error}" for way in ways)):
        world.answers.answer(heard, NEWS)


def test_a_direct_message_that_is_refused_is_not_tried_twice(world: World) -> None:
    heard = world.says("ada", "@codeship", "help")
    world.workspace.refuse("chat.postMessage", "account_inactive", 1)
    with pytest.raises(DeliveryFailed, match="account_inactive"):
        world.answers.answer(heard, NEWS)


def test_a_proxys_html_page_is_logged_by_its_status(world: World) -> None:
    heard = world.says("ada", "@codeship", "help")
    world.workspace.refuse("chat.postMessage", "ignored", None, status=503)
    with pytest.raises(DeliveryFailed, match=r"^chat\.postMessage was refused: HTTP 503$"):
        world.answers.answer(heard, NEWS)


def test_a_long_rate_limit_is_not_waited_for(world: World) -> None:
    world.workspace.refuse("chat.postMessage", "ratelimited", 1, retry_after_s=30)
    world.answers.answer(world.says("ada", "#builds", COMMAND), NEWS)
    assert world.slept == []
    assert world.last("#builds").now.via == "response_url"


@pytest.mark.parametrize("gone", ["used up", "expired"])
def test_if_the_response_url_has_expired_the_asker_gets_a_message(world: World, gone: str) -> None:
    heard = world.says("ada", "#builds", COMMAND)
    if gone == "used up":
        used_up(world, heard)
    else:
        world.clock.advance(31 * 60)
    world.answers.answer(heard, WORD)
    message = world.last("#builds")
    assert (message.text, message.now.via, message.ephemeral_to) == (WORD.text, "chat.postEphemeral", "U0ADA")


def test_if_every_way_fails_each_reason_is_reported(world: World) -> None:
    heard = world.says("ada", "#random", COMMAND)
    used_up(world, heard)
    world.workspace.refuse("chat.postMessage", "restricted_action", None)
    with pytest.raises(DeliveryFailed) as failure:
        world.answers.answer(heard, NEWS)
    assert str(failure.value) == (
        "chat.postMessage was refused: restricted_action; the response URL answered 404: used_url; "
        "chat.postEphemeral was refused: not_in_channel; chat.postMessage was refused: restricted_action"
    )
    assert not failure.value.may_be_there


# If Slack's response is invalid.


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (web.Response(text='{"ok": tr', content_type="application/json"), "was refused: HTTP 200"),
        (web.Response(text="<html>Sign in", content_type="text/html"), "was refused: HTTP 200"),
        (web.Response(text="[]", content_type="application/json"), "was refused: HTTP 200"),
        (web.Response(body=b"\xff{", content_type="application/json"), "was refused: HTTP 200"),
    ],
    ids=["cut", "a page", "a list", "no text"],
)
def test_an_invalid_response_is_a_delivery_failure(answer: web.Response, cause: str) -> None:
    async def say(_: web.Request) -> web.Response:
        return web.Response(body=answer.body, content_type=answer.content_type)

    app = web.Application()
    app.router.add_post("/api/{method}", say)
    server = Loopback(app).start()
    store, connections = open_store("sqlite:///:memory:", HeldClock()), Connections(5.0)
    try:
        url = f"{server.url}/api/"
        client = ChatClient(TOKEN, url, connections)
        answers = Replies(client, ResponseUrls(url, connections), store.idempotency_keys, "@codeship")
        direct = {"type": "message", "channel_type": "im", "user": "U0ADA", "channel": "D0ADA", "ts": "1.1"}
        heard = parse_event({"event": direct}, HOME)
        assert heard is not None
        with pytest.raises(DeliveryFailed) as failure:
            answers.answer(heard, NEWS)
        assert failure.value.may_be_there
        assert str(failure.value) == f"chat.postMessage {cause}"
    finally:
        connections.close()
        server.stop()
        store.close()

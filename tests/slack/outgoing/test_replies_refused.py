"""If Slack rejects a reply or does not respond: who is informed, and what the operator reads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from aiohttp import web

from bot.slack.blocks.message import Message
from bot.slack.client.web_client import web_client
from bot.slack.incoming.payloads import SlackRequest, parse_event
from bot.slack.outgoing.replies import DeliveryFailed, Replies, ResponseUrls
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


# If Slack rejects it.

REFUSALS = [
    "is_archived",
    "msg_too_long",
    "msg_blocks_too_long",
    "invalid_blocks",
    "restricted_action",
    "token_revoked",
    "account_inactive",
    "missing_scope",
    "ratelimited",
]
TROUBLES = ["fatal_error", "internal_error", "service_unavailable", "request_timeout"]


@pytest.mark.parametrize("error", REFUSALS)
def test_a_command_that_cannot_be_answered_by_message_is_answered_through_its_response_url(
    world: World, error: str
) -> None:
    world.workspace.refuse("chat.postMessage", error, None)
    world.answers.answer(world.says("ada", "#builds", COMMAND), NEWS)
    message = world.last("#builds", "bob")
    assert (message.text, message.now.via) == (NEWS.text, "response_url"), "for all, and without an invitation"


@pytest.mark.parametrize(("error", "status"), [*((word, 200) for word in TROUBLES), ("a page", 503)])
def test_if_the_message_may_stand_all_the_same_the_asker_alone_is_answered(
    world: World, error: str, status: int
) -> None:
    world.workspace.refuse("chat.postMessage", error, None, status=status)
    world.answers.answer(world.says("ada", "#builds", COMMAND), NEWS)
    message = world.last("#builds")
    assert (message.text, message.now.via, message.ephemeral_to) == (NEWS.text, "response_url", "U0ADA")


@pytest.mark.parametrize("error", [*REFUSALS, *TROUBLES])
def test_a_mention_that_cannot_be_answered_for_all_is_answered_to_the_asker(world: World, error: str) -> None:
    world.workspace.refuse("chat.postMessage", error, None)
    world.answers.answer(world.says("ada", "#builds", MENTION), NEWS)
    message = world.last("#builds")
    assert (message.text, message.now.via, message.ephemeral_to) == (NEWS.text, "chat.postEphemeral", "U0ADA")


@pytest.mark.parametrize("error", REFUSALS)
def test_a_reply_that_reaches_no_one_is_logged_with_slacks_error_code(world: World, error: str) -> None:
    heard = world.says("ada", "#builds", MENTION)
    world.workspace.refuse("*", error, None)
    with pytest.raises(DeliveryFailed, match=f"^chat.postEphemeral was refused: {error}$"):
        world.answers.answer(heard, NEWS)


def test_a_direct_message_that_is_refused_is_not_tried_twice(world: World) -> None:
    heard = world.says("ada", "@codeship", "help")
    world.workspace.refuse("chat.postMessage", "account_inactive", 1)
    with pytest.raises(DeliveryFailed, match="account_inactive"):
        world.answers.answer(heard, NEWS)


def test_a_page_of_a_proxy_is_logged_by_its_status(world: World) -> None:
    heard = world.says("ada", "@codeship", "help")
    world.workspace.refuse("chat.postMessage", "ignored", None, status=503)
    with pytest.raises(DeliveryFailed, match=r"^chat\.postMessage was refused: HTTP 503$"):
        world.answers.answer(heard, NEWS)


def test_a_wait_that_people_would_not_sit_out_is_not_begun(world: World) -> None:
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


@pytest.mark.parametrize(("message", "method"), [(NEWS, "the response URL"), (WORD, "chat.postEphemeral")])
def test_if_every_way_fails_the_failure_is_reported(world: World, message: Message, method: str) -> None:
    heard = world.says("ada", "#random", COMMAND)
    used_up(world, heard)
    with pytest.raises(DeliveryFailed, match=f"^{method} .*(used_url|not_in_channel)$"):
        world.answers.answer(heard, message)


# If Slack's response is invalid.


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (web.Response(text='{"ok": tr', content_type="application/json"), "could not be reached: JSONDecodeError"),
        (web.Response(text="<html>Sign in", content_type="text/html"), "was refused: HTTP 200"),
        (web.Response(text="[]", content_type="application/json"), "was refused: HTTP 200"),
        (web.Response(body=b"\xff{", content_type="application/json"), "could not be reached: UnicodeDecodeError"),
    ],
    ids=["cut", "a page", "a list", "no text"],
)
def test_an_answer_that_is_none_of_slacks_is_a_failure_to_deliver(answer: web.Response, cause: str) -> None:
    async def say(_: web.Request) -> web.Response:
        return web.Response(body=answer.body, content_type=answer.content_type)

    app = web.Application()
    app.router.add_post("/api/{method}", say)
    server = Loopback(app).start()
    store = open_store("sqlite:///:memory:", HeldClock())
    try:
        with requests.Session() as session:
            url = f"{server.url}/api/"
            answers = Replies(
                web_client(TOKEN, url, 5.0), ResponseUrls(url, session), store.idempotency_keys, "@codeship"
            )
            direct = {"type": "message", "channel_type": "im", "user": "U0ADA", "channel": "D0ADA", "ts": "1.1"}
            heard = parse_event({"event": direct}, HOME)
            assert heard is not None
            with pytest.raises(DeliveryFailed) as failure:
                answers.answer(heard, NEWS)
        assert str(failure.value) == f"chat.postMessage {cause}"
    finally:
        server.stop()
        store.close()

"""A simulated workspace over real HTTP with people, and `Replies` to them; no bot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bot.slack.blocks.message import Message
from bot.slack.client.chat_client import ChatClient
from bot.slack.client.connections import Connections
from bot.slack.client.response_urls import ResponseUrls
from bot.slack.incoming.payloads import SlackRequest, Workspace, parse_click, parse_command, parse_event
from bot.slack.outgoing.replies import Replies
from bot.store import Store, open_store
from playground.slack.model import Message as Seen
from playground.slack.outgoing.delivery import Ack, Payload
from playground.slack.server import SlackApi
from playground.slack.workspace import Workspace as SandboxWorkspace
from tests.held_clock import HeldClock

TOKEN = "xoxb-1-sandbox"
HOME = Workspace("T0ACME", "U0BOT")
NEWS = Message("*acme/web* failed.", ({"type": "markdown", "text": "*acme/web* failed."},), in_public=True)
WORD = Message("Only for you.", (), in_public=False)
BUTTON = {
    "type": "actions",
    "elements": [
        {"type": "button", "action_id": "refresh", "text": {"type": "plain_text", "text": "Refresh"}, "value": "{}"}
    ],
}
WITH_BUTTON = Message("A build.", (BUTTON,), in_public=True)


class Ear:
    """Receives what Slack delivers, instead of a bot. `heard` is the last request."""

    def __init__(self) -> None:
        self.heard: SlackRequest | None = None

    def carry(self, parcel: Payload) -> Ack:
        hear: dict[str, Any] = {
            "slash_commands": parse_command,
            "events_api": parse_event,
            "interactive": parse_click,
        }
        self.heard = hear[parcel.kind](parcel.payload, HOME)
        return Ack("acked")


class World:
    """A workspace, and `answers` towards it."""

    def __init__(self, store: Store, connections: Connections, clock: HeldClock | None = None) -> None:
        self.clock = clock or HeldClock()
        self.store = store
        self.workspace = SandboxWorkspace(self.clock.now, TOKEN, None, "0123456789abcdef")
        self.slack = SlackApi(self.workspace).start()
        self.ear = Ear()
        self.workspace.deliver_through(self.ear)
        self.slept: list[float] = []
        self.client = ChatClient(TOKEN, self.slack.api_url, connections, sleep=self.slept.append)
        self.answers = Replies(
            self.client,
            ResponseUrls(self.slack.api_url, connections),
            store.idempotency_keys,
            "@codeship",
        )

    def says(self, who: str, where: str, text: str, thread: Seen | None = None) -> SlackRequest:
        self.workspace.types(who, where, text, thread)
        assert self.ear.heard is not None
        return self.ear.heard

    def presses(self, who: str, message: Seen) -> SlackRequest:
        self.workspace.presses(who, message, "Refresh")
        assert self.ear.heard is not None
        return self.ear.heard

    def seen(self, where: str, viewer: str = "ada") -> list[Seen]:
        """What the bot said there, as `viewer` sees it."""
        return [message for message in self.workspace.conversation(where, viewer) if message.bot_id]

    def last(self, where: str, viewer: str = "ada") -> Seen:
        return self.seen(where, viewer)[-1]


@contextmanager
def a_world() -> Iterator[World]:
    store = open_store("sqlite:///:memory:", HeldClock())
    connections = Connections(5.0)
    world = World(store, connections)
    yield world
    connections.close()
    world.slack.stop()
    store.close()


COMMAND = "/codeship status acme/web"
MENTION = "@codeship status acme/web"

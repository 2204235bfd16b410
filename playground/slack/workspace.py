"""A simulated Slack workspace: what people do in it, what they see, and what the app under test receives.

No HTTP here: `server.py` serves it, and a transport delivers its payloads to the bot. Thread-safe. Ids and secrets are
counted, not random, so that a run repeats exactly.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from playground.slack import response_urls as responses
from playground.slack.controls import Button, Choice, found_button, found_option
from playground.slack.injected_errors import Refusal, Refusals
from playground.slack.message_store import Conversations
from playground.slack.modals import Modals
from playground.slack.model import (
    APP,
    PEOPLE,
    SLACKBOT,
    USER_GROUPS,
    App,
    CannotDo,
    Channel,
    Message,
    Person,
    TypedCommand,
    first_channels,
)
from playground.slack.outgoing import payloads
from playground.slack.outgoing.delivery import Ack, Delivery, Kind, Transport
from playground.slack.outgoing.event_sender import EventSender
from playground.slack.response_urls import ResponseUrl, ResponseUrls
from playground.slack.text_entities import rewritten
from playground.slack.trigger_ids import Triggers
from playground.slack.visibility import Visibility
from playground.traffic import TrafficLog

SCOPES = frozenset({"app_mentions:read", "chat:write", "commands", "im:history"})


class Workspace:
    """`clock` returns the current time, with its zone. The server of the workspace sets the two addresses.

    `base_url` is where response URLs are served, without a trailing slash. `new_link_url` returns the address for one
    more Socket Mode connection.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        bot_token: str,
        app_token: str | None,
        signing_secret: str,
        scopes: Iterable[str] = SCOPES,
        *,
        app: App = APP,
        wires: TrafficLog | None = None,
    ) -> None:
        self.bot_token = bot_token
        self.app_token = app_token
        self.signing_secret = signing_secret
        self.scopes = frozenset(scopes)
        self.app = app
        self.base_url = ""
        self.new_link_url: Callable[[], str] = lambda: ""
        self.conversations = Conversations(clock, first_channels(app))
        self.response_urls = ResponseUrls(app.team.id)
        self.refusals = Refusals()
        self.triggers = Triggers()
        self.typed_commands: list[TypedCommand] = []
        self.modals = Modals()
        self.user_groups = {group: set(members) for group, members in USER_GROUPS.items()}
        self.guests: set[str] = set()
        self.wires = wires or TrafficLog(clock, (bot_token, app_token or "", signing_secret))
        self._roster = Visibility(app, self.conversations)
        self._post = EventSender(self.conversations.changed, self.wires)
        self._events = 0

    # What people do

    def types(self, user: str, channel: str, text: str, thread: Message | str | None = None) -> Delivery | None:
        """Sends a message, or a command if it begins with a slash. None if the app receives nothing.

        `channel` is `#builds`, a person or `@codeship` for a direct message, or an id. `thread` is any message of the
        thread, or its ts. Raises CannotDo.
        """
        person = self.person(user)
        where = self._roster.entered(channel, person)
        thread_ts = thread.thread_ts or thread.ts if isinstance(thread, Message) else thread
        if text.startswith("/"):
            return self._command(person, where, text, thread_ts)
        return self._message(person, where, text, thread_ts)

    def presses(self, user: str, message: Message | str, what: str | Button, *, confirm: bool = False) -> Delivery:
        """Presses the button, found by its text or action_id. `confirm` answers its dialog, if it has one.

        Raises CannotDo, also if a confirmation is missing.
        """
        person = self.person(user)
        where, current = self._roster.message(message, person)
        button = found_button(current, what, person.id)
        _require_confirmed(button.element, confirm)
        return self._acted(person, where, current, {**button.element, "block_id": button.block_id})

    def chooses(self, user: str, message: Message | str, option: str | Choice, *, confirm: bool = False) -> Delivery:
        """Chooses the option of a menu, or the one with this text. Raises CannotDo, also if a confirmation
        is missing.
        """
        person = self.person(user)
        where, current = self._roster.message(message, person)
        menu, chosen = found_option(current, option)
        _require_confirmed(menu.element, confirm)
        shown = {name: value for name, value in menu.element.items() if name not in ("options", "option_groups")}
        return self._acted(person, where, current, {**shown, "block_id": menu.block_id, "selected_option": chosen})

    def deliver_again(self, times: int = 1) -> list[Delivery]:
        """Sends the last payload again, as Slack does without an ack: with the same event_id and trigger_id."""
        return self._post.again(times)

    # What people see

    def conversation(self, channel: str, viewer: str) -> list[Message]:
        """The current state of every message, the oldest first, including replies. Raises CannotDo."""
        return self._roster.read(channel, self.person(viewer))

    def wait_until(self, holds: Callable[[], bool], timeout_s: float = 5.0) -> bool:
        """Whether `holds`, checked at every change, becomes true within `timeout_s` seconds."""
        return self.conversations.wait_until(holds, timeout_s)

    @property
    def deliveries(self) -> list[Delivery]:
        """Every payload sent to the bot, and the result."""
        return self._post.deliveries

    @property
    def names(self) -> dict[str, str]:
        """The handle of each user id."""
        return self._roster.names

    def person(self, name: str) -> Person:
        """The person with this handle or id. Raises CannotDo."""
        return self._roster.person(name)

    def channel(self, name: str, viewer: str = PEOPLE[0].name) -> Channel:
        """A channel by #name, id, or the handle of the other person in a direct message. Raises CannotDo."""
        return self._roster.channel(name, self.person(viewer))

    # What tests arrange

    def deliver(self, kind: Kind, payload: Mapping[str, Any]) -> Delivery:
        """Sends a payload to the app, as Slack does."""
        return self._post.send(kind, payload)

    def deliver_through(self, carrier: Transport) -> None:
        self._post.deliver_through(carrier)

    def invite_the_app(self, channel: str) -> None:
        where = self.channel(channel)
        self.conversations.change_channel(where.id, members=where.members | {self.app.user_id})

    def throw_out_the_app(self, channel: str) -> None:
        where = self.channel(channel)
        self.conversations.change_channel(where.id, members=where.members - {self.app.user_id})

    def delete_the_apps_last_message(self) -> None:
        """As a person with the permission can do in Slack. Raises CannotDo if there is none."""
        posted = [m for m in self.conversations.everything() if m.bot_id and not m.deleted and m.ephemeral_to is None]
        if not posted:
            raise CannotDo("the bot has not posted yet")
        self.conversations.change(max(posted, key=lambda message: message.ts), "deleted", "", deleted=True)

    def archive(self, channel: str) -> None:
        self.conversations.change_channel(self.channel(channel).id, is_archived=True)

    def refuse(
        self, method: str, error: str, times: int | None = 1, *, status: int = 200, retry_after_s: int = 30
    ) -> None:
        """Makes the next `times` calls (None: all) of a Web API method, of "response_url" or of "*" fail.

        "ratelimited" is a 429 with Retry-After. A `status` of 500 or above has no JSON.
        """
        limited = error == "ratelimited"
        refusal = Refusal(error, 429 if limited else status, retry_after_s if limited else None)
        with self.conversations.changed:
            self.refusals.order(method, refusal, times)

    def refuse_no_more(self, method: str) -> None:
        with self.conversations.changed:
            self.refusals.lift(method)

    # What the app does outside of the Web API

    def respond(self, path: str, body: Mapping[str, Any]) -> tuple[int, str]:
        """A POST to a response URL. Returns the status, and "ok" or Slack's error code."""
        with self.conversations.changed:
            if refusal := self.refusals.next_for("response_url"):
                return refusal.status, refusal.error
            url = self.response_urls.use(path, self.conversations.now())
            if isinstance(url, str):
                return 404, url
            outcome = responses.shown(self.conversations, self.app, url, body, "response_url")
            return (400, outcome) if isinstance(outcome, str) else (200, "ok")

    def seen_message(self, message: Message | str, person: Person) -> tuple[Channel, Message]:
        """The current state of a message, or of the one with this ts, and its channel. Raises CannotDo."""
        return self._roster.message(message, person)

    def new_event_id(self) -> str:
        with self.conversations.changed:
            self._events += 1
            return f"Ev{self._events:06d}"

    # Internals

    def _command(self, person: Person, where: Channel, text: str, thread_ts: str | None) -> Delivery | None:
        command, _, rest = text.partition(" ")
        if command not in self.app.commands:
            self._slackbot_says(where, person, f"{command} is not a valid command.", thread_ts)
            return None
        if thread_ts is not None:
            self._slackbot_says(where, person, f"{command} is not supported in threads. Sorry!", thread_ts)
            return None
        with self.conversations.changed:
            now = self.conversations.now()
            self.typed_commands.append(TypedCommand(person.id, where.id, text, now, self.conversations.changes))
            url = self.response_urls.issue("commands", where.id, person.id, now)
            payload = payloads.slash_command(
                self.app,
                person,
                where,
                command=command,
                text=rest.strip(),
                response_url=self.base_url + url.path,
                trigger_id=self.triggers.issue(now, person.id),
            )
        delivery = self._post.send("slash_commands", payload)
        wrong = self._shown_ack(url, delivery.ack) if delivery.is_acked else delivery.ack.outcome
        if wrong:
            self._slackbot_says(where, person, f'{command} failed with the error "{wrong}"', None)
        return delivery

    def _shown_ack(self, url: ResponseUrl, ack: Ack) -> str | None:
        """Slack's error code for a message in an ack's body, or None. An empty body is no message."""
        if not ack.body.strip():
            return None
        try:
            body = json.loads(ack.body)
        except ValueError:
            body = None
        said = body if isinstance(body, dict) else {"text": ack.body}
        outcome = responses.shown(self.conversations, self.app, url, said, "ack")
        return outcome if isinstance(outcome, str) else None

    def _message(self, person: Person, where: Channel, text: str, thread_ts: str | None) -> Delivery | None:
        channels = {channel.name: channel.id for channel in self.conversations.channels if channel.kind != "im"}
        message = self.conversations.add(
            where.id, person.id, "typed", rewritten(text, self._roster.ids, channels), thread_ts=thread_ts
        )
        self._share_links(person, where, message)
        is_mention = f"<@{self.app.user_id}>" in message.text
        if self.app.user_id not in where.members:
            # https://docs.slack.dev/reference/events/app_mention: no event if the app is not a member.
            if is_mention and where.kind != "im":
                words = f"You mentioned <@{self.app.user_id}>, but they’re not in this channel."
                self._slackbot_says(where, person, words, thread_ts)
            return None
        kind, subscription = ("message", "message.im") if where.kind == "im" else ("app_mention", "app_mention")
        if subscription not in self.app.events or (kind == "app_mention" and not is_mention):
            return None
        with self.conversations.changed:
            self._events += 1
            number = self._events
        payload = payloads.event(self.app, person, where, message, kind=kind, event_id=f"Ev{number:06d}", number=number)
        return self._post.send("events_api", payload)

    def previews_links(self, *domains: str) -> None:
        """Gives the app what its manifest has commented out for link previews."""
        self.scopes |= {"links:read", "links:write"}
        self.app = replace(self.app, events=self.app.events | {"link_shared"}, unfurl_domains=domains)

    def _share_links(self, person: Person, where: Channel, message: Message) -> None:
        found = re.findall(r"https?://[^\s<>|]+", message.text)
        urls = [url for url in dict.fromkeys(found) if urlsplit(url).hostname in self.app.unfurl_domains]
        if urls and "link_shared" in self.app.events and "links:read" in self.scopes:
            shared = payloads.link_shared(self.app, person, where, message, urls, event_id=self.new_event_id())
            self._post.send("events_api", shared)

    def _acted(self, person: Person, where: Channel, message: Message, action: Mapping[str, Any]) -> Delivery:
        with self.conversations.changed:
            now = self.conversations.now()
            url = self.response_urls.issue("actions", where.id, person.id, now, message.ts)
            payload = payloads.block_actions(
                self.app,
                person,
                where,
                message,
                {**action, "action_ts": self.conversations.next_ts()},
                response_url=self.base_url + url.path,
                trigger_id=self.triggers.issue(now, person.id),
            )
        return self._post.send("interactive", payload)

    def _slackbot_says(self, where: Channel, person: Person, text: str, thread_ts: str | None) -> None:
        self.conversations.add(where.id, SLACKBOT.id, "slackbot", text, thread_ts=thread_ts, ephemeral_to=person.id)


def _require_confirmed(element: Mapping[str, Any], confirm: bool) -> None:
    if (dialog := element.get("confirm")) and not confirm:
        raise CannotDo(f"needs confirm=True, for it asks: {dialog['title']['text']}")

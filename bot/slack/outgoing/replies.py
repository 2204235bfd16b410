"""Sends replies. If Slack refuses one way, the next is tried; if it does not respond, none is.

In public: chat.postMessage, since the bot can change its own message later; then the response URL of a command or a
click, which needs no membership. To the asker alone: the response URL, chat.postEphemeral, a direct message.

If a way's result is unknown, a second message could be a duplicate. So nothing more is posted in public. Only the asker
gets a message, once, and only if something was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bot.core.model.builds import Actor
from bot.core.model.notifications.deliveries import ChannelRefuses
from bot.core.ports import IdempotencyKeys
from bot.slack.client.api_errors import CallFailed, Kind
from bot.slack.client.chat_client import POST, POST_EPHEMERAL, UPDATE, ChatClient
from bot.slack.client.response_urls import ResponseUrls
from bot.slack.incoming.payloads import SlackRequest, Source
from bot.slack.messages.live import NOT_A_MEMBER
from bot.slack.messages.render import Message, with_doubt, with_invitation, with_place
from bot.slack.outgoing.bodies import changed_message, message_for_one, new_message, response

log = structlog.get_logger(__name__)

INVITATION_KEPT_S = 90 * 24 * 3600.0
TOLD_ONCE_S = 24 * 3600.0

Delivery = Callable[[], str | None]
"""Sends a message in one way. Returns its ts if it can be changed later. Raises CallFailed."""


class DeliveryFailed(Exception):
    """The reply did not reach Slack, or Slack refused it. `str()` holds no part of the URL, which is a secret.

    `may_be_there`: Slack got it and did not respond, so a second try might post it twice.
    """

    def __init__(self, why: str, *, may_be_there: bool = False) -> None:
        super().__init__(why)
        self.may_be_there = may_be_there


@dataclass(frozen=True, slots=True)
class Posted:
    """`ts` if the message can be changed later; else None, and Slack's error code for why not, if it gave one.

    `is_explained`: the message says why, and how to invite the bot.
    """

    ts: str | None
    why_not: str = ""
    is_explained: bool = False


class Replies:
    """Thread-safe. Raises DeliveryFailed if no way worked, with Slack's error for each."""

    def __init__(
        self, client: ChatClient, response_urls: ResponseUrls, idempotency_keys: IdempotencyKeys, mention: str
    ) -> None:
        self._client = client
        self._response_urls = response_urls
        self._idempotency_keys = idempotency_keys
        self._mention = mention

    def answer(
        self,
        slack_request: SlackRequest,
        message: Message,
        *,
        elsewhere: Message | None = None,
        changed: bool = False,
        only_posted: bool = False,
    ) -> Posted:
        """Sends a new message: in public, or to the asker alone if `message` is private.

        If it cannot be changed later, sends `elsewhere` instead, if given. `changed`: the message reports an action, so
        the asker must get it. `only_posted`: if the channel takes no messages, sends nothing and raises ChannelRefuses.
        """
        if not message.in_public:
            self.to_asker(slack_request, message)
            return Posted(None)
        said, failed = elsewhere or message, list[CallFailed]()
        invited: list[Message] = []

        def post() -> str | None:
            try:
                return self._post(slack_request, message)
            except CallFailed as failure:
                if only_posted and failure.kind is Kind.LOST:
                    raise ChannelRefuses(failure.word) from None
                raise

        def respond() -> None:
            shown = self._invited(said, slack_request, failed[0])
            self._respond(slack_request, shown)
            if shown is not said:
                invited.append(shown)

        deliveries: list[Delivery] = [post, respond] if slack_request.response_url else [post]
        try:
            ts = self._first(deliveries, failed)
            return Posted(ts, failed[0].word if failed else "", is_explained=bool(invited))
        except DeliveryFailed as failure:
            log.info("not_in_public", why=str(failure))  # Slack accepts about one message a second in a channel
            if failure.may_be_there and not changed:
                raise
            alone = with_doubt(said) if failure.may_be_there else said
        why = "" if failed[0].may_be_there else failed[0].word
        self._first(self._deliveries_to_asker(slack_request, alone, failed), failed)
        return Posted(None, why)

    def to_asker(self, slack_request: SlackRequest, message: Message) -> None:
        """Sends it to the asker alone; in the bot's own direct messages every message is."""
        self._first(self._deliveries_to_asker(slack_request, message), [])

    def to_person(self, person: Actor, message: Message, *, key: str) -> bool:
        """Sends a direct message to a person who did not ask: once for the same `key`. False if Slack refuses it."""
        if not self._idempotency_keys.add(f"told {person.id} {key}", keep_s=TOLD_ONCE_S):
            return True
        try:
            self._post_directly(message, person.id)
        except CallFailed as failure:
            log.warning("person_not_told", user=person.id, why=str(failure))
            return failure.may_be_there
        return True

    def replace(self, slack_request: SlackRequest, message: Message) -> None:
        """Replaces the message whose button was pressed."""
        is_private = slack_request.pressed is not None and slack_request.pressed.in_ephemeral
        shown = Message(message.text, message.blocks, in_public=message.in_public and not is_private)
        self._first([lambda: self._respond(slack_request, shown, replace=True)], [])

    def change(self, slack_request: SlackRequest, message: Message) -> str | None:
        """Changes the message whose button was pressed, as `replace`, so that it can be changed later, too.

        Returns its ts; None if Slack refuses that. A second call with the same message does no harm.
        """
        pressed = slack_request.pressed
        if pressed is None or pressed.message_ts is None or pressed.in_ephemeral:
            return None
        try:
            self._client.call(UPDATE, changed_message(message, slack_request.location.channel, pressed.message_ts))
        except CallFailed as failure:
            if failure.may_be_there:
                raise DeliveryFailed(str(failure)) from None
            log.info("pressed_message_not_updated", why=str(failure))
            return None
        return pressed.message_ts

    def remove_pressed(self, slack_request: SlackRequest) -> None:
        """Deletes the pressed message, which only the asker sees."""
        self._first([lambda: self._response_urls.post(_url(slack_request), {"delete_original": True})], [])

    def _deliveries_to_asker(
        self, slack_request: SlackRequest, message: Message, failed: Sequence[CallFailed] = ()
    ) -> list[Delivery]:
        """`failed`: the deliveries that were tried in public."""
        asker, place = slack_request.actor.id, slack_request.location
        private = Message(message.text, message.blocks, in_public=False)
        deliveries: list[Delivery] = []
        if slack_request.response_url and len(failed) < 2:
            deliveries.append(lambda: self._respond(slack_request, private))
        if slack_request.source is Source.DIRECT:
            if not failed or failed[-1].may_be_there:
                deliveries.append(lambda: self._post(slack_request, private))
            if place.thread:
                deliveries.append(lambda: self._post_directly(private, asker))
            return deliveries
        # Slack shows an ephemeral message in a thread only if the thread already has a reply.
        thread = None if slack_request.opens_thread else place.thread
        alone = message_for_one(private, place.channel, asker, thread=thread)
        direct = private if place.is_between_two else with_place(private, place.channel)
        deliveries.append(lambda: self._called(POST_EPHEMERAL, alone))
        deliveries.append(lambda: self._post_directly(direct, asker))
        return deliveries

    def _first(self, deliveries: Iterable[Delivery], failed: list[CallFailed]) -> str | None:
        """Tries the deliveries in order until one works or its result is unknown. Adds the others to `failed`."""
        for deliver in deliveries:
            try:
                return deliver()
            except CallFailed as failure:
                failed.append(failure)
                if failure.may_be_there:
                    break
                log.info("reply_refused", why=str(failure))
        raise DeliveryFailed("; ".join(map(str, failed)), may_be_there=failed[-1].may_be_there)

    def _post(self, slack_request: SlackRequest, message: Message) -> str | None:
        place = slack_request.location
        # Only one public message answers a request. Messages to the asker alone may follow it.
        key = slack_request.delivery if message.in_public else None
        return self._called(POST, new_message(message, place.channel, thread=place.thread, key=key))

    def _post_directly(self, message: Message, asker: str) -> None:
        """Sends a direct message to the asker. It is not changed later, as it is not where they asked."""
        self._called(POST, new_message(message, asker))

    def _called(self, method: str, body: Mapping[str, Any]) -> str | None:
        """The ts of the posted message."""
        ts = self._client.call(method, body).get("ts")
        return ts if isinstance(ts, str) else None

    def _respond(self, slack_request: SlackRequest, message: Message, *, replace: bool = False) -> None:
        thread = None if replace else slack_request.location.thread
        self._response_urls.post(_url(slack_request), response(message, thread=thread, replace=replace))

    def _invited(self, message: Message, slack_request: SlackRequest, refusal: CallFailed) -> Message:
        """Adds how to invite the bot if it is not a member: once per channel, and not in a direct message."""
        place = slack_request.location
        is_due = (
            refusal.word in NOT_A_MEMBER
            and not place.is_between_two
            and self._idempotency_keys.add(f"invitation:{place.channel}", keep_s=INVITATION_KEPT_S)
        )
        return with_invitation(message, self._mention) if is_due else message


def _url(slack_request: SlackRequest) -> str:
    if slack_request.response_url is None:
        raise CallFailed("the response URL", "did not come with the request")
    return slack_request.response_url

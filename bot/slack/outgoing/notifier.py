"""What the bot says of its own accord: live messages changed in place, replies, and a word to one person.

Behind the core's `Notifier`. Passing and permanent failures are told apart here, by Slack's own words:
https://docs.slack.dev/reference/methods/chat.update#errors
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn
from urllib.error import URLError

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from bot.core.model.follows import FollowView, MessageGone, RetryLater
from bot.slack.client.api_errors import ON_THE_WAY, word_of
from bot.slack.messages.live import live, lost, reply
from bot.slack.messages.render import Message, RenderContext
from bot.slack.outgoing.replies import MAY_HAVE_POSTED

log = structlog.get_logger(__name__)

UPDATE, POST = "chat.update", "chat.postMessage"

DELETED = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"})
"""A person took the message away, or it is no longer ours to change: nobody waits for it there."""

CLOSED = frozenset({"is_archived", "channel_not_found", "not_in_channel", "is_inactive", "restricted_action"})
"""The place is gone for us: whoever asked is told."""

UNUSABLE = frozenset({"token_revoked", "account_inactive", "invalid_auth", "not_authed", "missing_scope"})
"""The bot itself is shut out: nothing can be said to anyone until an operator acts."""

LIMITED = frozenset({"ratelimited", "rate_limited", "HTTP 429"})

LONG_S = 60.0
"""Seconds until the next try where nothing is likely to change soon."""


class SlackNotifier:
    """`wording()` gives the words for now. Thread-safe."""

    def __init__(self, client: WebClient, context: Callable[[], RenderContext]) -> None:
        self._client = client
        self._context = context

    def show(self, view: FollowView) -> None:
        place = view.follow.location
        self._call(UPDATE, place.channel, live(view, self._context()), ts=view.follow.message_ts)

    def reply(self, view: FollowView) -> None:
        follow = view.follow
        thread = follow.location.thread or follow.message_ts
        self._call(POST, follow.location.channel, reply(view, self._context()), thread_ts=thread)

    def tell(self, view: FollowView, why: str) -> None:
        asker, place = view.follow.asker, view.follow.location
        try:
            self._call(POST, asker.id, lost(view, why, self._context()))
        except (MessageGone, RetryLater) as failure:
            log.warning("follow_loss_not_reported", user=asker.id, channel=place.channel, why=str(failure))

    def _call(self, method: str, channel: str, message: Message, **more: str) -> None:
        body: dict[str, Any] = {
            "channel": channel,
            "text": message.text,
            "blocks": list(message.blocks),
            "unfurl_links": False,
            "unfurl_media": False,
            **more,
        }
        try:
            self._client.api_call(method, json=body)
        except SlackApiError as refusal:
            self._refused(method, channel, refusal)
        except ON_THE_WAY as failure:
            never_sent = isinstance(failure, URLError)  # urllib's, up to the last byte of the request
            why = f"{method} could not be reached: {type(failure).__name__}"
            raise RetryLater(why, may_have_happened=not never_sent, is_everywhere=True) from None

    def _refused(self, method: str, channel: str, refusal: SlackApiError) -> NoReturn:
        word = word_of(refusal)
        if word in DELETED:
            log.info("follow_message_gone", method=method, channel=channel, why=word)
            raise MessageGone(word, is_told=False)
        if word in CLOSED:
            log.warning("follow_channel_gone", method=method, channel=channel, why=word)
            raise MessageGone(word, is_told=True)
        if word in UNUSABLE:
            log.error("slack_rejects_token", method=method, why=word)
            raise RetryLater(word, retry_after_s=LONG_S, is_everywhere=True)
        if word in LIMITED:
            # Changes have one limit for all of a workspace, new messages one for each channel.
            raise RetryLater(word, retry_after_s=_retry_after_s(refusal), is_everywhere=method == UPDATE)
        if word in MAY_HAVE_POSTED or word.startswith("HTTP"):
            raise RetryLater(word, may_have_happened=True, is_everywhere=True)
        log.error("follow_message_rejected", method=method, channel=channel, why=word)
        raise RetryLater(word, retry_after_s=LONG_S)


def _retry_after_s(refusal: SlackApiError) -> float:
    headers = getattr(refusal.response, "headers", None) or {}
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return float(text) if isinstance(text, str) and text.isascii() and text.isdigit() else LONG_S

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

from bot.core.model.follows import FollowShown, Later, Lost
from bot.slack.client.api_errors import ON_THE_WAY, word_of
from bot.slack.messages.live import live, lost, reply
from bot.slack.messages.render import Message, Wording
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

    def __init__(self, client: WebClient, wording: Callable[[], Wording]) -> None:
        self._client = client
        self._wording = wording

    def show(self, shown: FollowShown) -> None:
        place = shown.follow.place
        self._call(UPDATE, place.channel, live(shown, self._wording()), ts=shown.follow.message_ts)

    def reply(self, shown: FollowShown) -> None:
        follow = shown.follow
        thread = follow.place.thread or follow.message_ts
        self._call(POST, follow.place.channel, reply(shown, self._wording()), thread_ts=thread)

    def tell(self, shown: FollowShown, why: str) -> None:
        asker, place = shown.follow.asker, shown.follow.place
        try:
            self._call(POST, asker.id, lost(shown, why, self._wording()))
        except (Lost, Later) as failure:
            log.warning("follow_loss_not_told", user=asker.id, channel=place.channel, why=str(failure))

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
            raise Later(why, may_have_happened=not never_sent, is_everywhere=True) from None

    def _refused(self, method: str, channel: str, refusal: SlackApiError) -> NoReturn:
        word = word_of(refusal)
        if word in DELETED:
            log.info("follow_message_gone", method=method, channel=channel, why=word)
            raise Lost(word, is_told=False)
        if word in CLOSED:
            log.warning("follow_place_gone", method=method, channel=channel, why=word)
            raise Lost(word, is_told=True)
        if word in UNUSABLE:
            log.error("slack_shuts_the_bot_out", method=method, why=word)
            raise Later(word, retry_after_s=LONG_S, is_everywhere=True)
        if word in LIMITED:
            # Changes have one limit for all of a workspace, new messages one for each channel.
            raise Later(word, retry_after_s=_retry_after_s(refusal), is_everywhere=method == UPDATE)
        if word in MAY_HAVE_POSTED or word.startswith("HTTP"):
            raise Later(word, may_have_happened=True, is_everywhere=True)
        log.error("follow_message_refused", method=method, channel=channel, why=word)
        raise Later(word, retry_after_s=LONG_S)


def _retry_after_s(refusal: SlackApiError) -> float:
    headers = getattr(refusal.response, "headers", None) or {}
    said = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return float(said) if isinstance(said, str) and said.isascii() and said.isdigit() else LONG_S

"""Sends what no request waits for: changes of live messages, replies in their threads, and notes to one person.

The core's `Notifier`. Slack's errors become one of the core's two: the message is gone, or a later try may succeed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, NoReturn

import structlog

from bot.core.model.follows import FollowView, MessageGone, RetryLater
from bot.slack.client.api_errors import CallFailed, Kind
from bot.slack.client.chat_client import POST, POST_EPHEMERAL, UPDATE, ChatClient
from bot.slack.messages.failure_log import log_for_one
from bot.slack.messages.live import live, lost, reply
from bot.slack.messages.render import Message, RenderContext, with_place
from bot.slack.outgoing.bodies import changed_message, message_for_one, new_message

log = structlog.get_logger(__name__)

LONG_S = 60.0
"""Seconds until the next try if Slack does not say when."""

PAUSE_S = 600.0
"""Seconds until the next try if an operator must act first."""


class SlackNotifier:
    """`context()` returns what messages are rendered with now. Thread-safe."""

    def __init__(self, client: ChatClient, context: Callable[[], RenderContext]) -> None:
        self._client = client
        self._context = context

    def show(self, view: FollowView) -> None:
        follow = view.follow
        message = live(view, self._context())
        self._call(UPDATE, changed_message(message, follow.location.channel, follow.message_ts))

    def reply(self, view: FollowView) -> None:
        """Posts in the message's thread; if Slack refuses that, sends it to the asker."""
        follow, message = view.follow, reply(view, self._context())
        thread = follow.location.thread or follow.message_ts
        try:
            self._call(POST, new_message(message, follow.location.channel, thread=thread, key=f"reply {follow.key}"))
        except MessageGone as gone:
            if not gone.is_told:
                raise
            if not follow.location.is_between_two:
                message = with_place(message, follow.location.channel)
            self._to_everyone(view, message)
        else:
            self._tell_log(view, thread)

    def _tell_log(self, view: FollowView, thread: str) -> None:
        """Why the build failed, to the asker alone if the others may not read it. Raises nothing: Show log is there."""
        follow, failure_log = view.follow, view.log
        if failure_log is None or failure_log.to_all:
            return
        message = log_for_one(view, failure_log.log, self._context())
        try:
            self._client.call(
                POST_EPHEMERAL, message_for_one(message, follow.location.channel, follow.asker.id, thread=thread)
            )
        except CallFailed as failure:
            log.info("failure_log_not_shown", channel=follow.location.channel, why=str(failure))

    def tell(self, view: FollowView, why: str) -> None:
        self._to_everyone(view, lost(view, why, self._context()))

    def _to_everyone(self, view: FollowView, message: Message) -> None:
        """Sends a direct message, once, to each who is notified. Raises nothing: this is the last resort."""
        for actor in view.follow.notified:
            try:
                self._call(POST, new_message(message, actor.id))
            except (MessageGone, RetryLater) as failure:
                place = view.follow.location
                log.warning("follow_loss_not_reported", user=actor.id, channel=place.channel, why=str(failure))

    def _call(self, method: str, body: Mapping[str, Any]) -> None:
        try:
            self._client.call(method, body)
        except CallFailed as failure:
            self._failed(method, str(body["channel"]), failure)

    def _failed(self, method: str, channel: str, failure: CallFailed) -> NoReturn:
        word = failure.word
        if failure.may_be_there or not word:
            raise RetryLater(word or str(failure), may_have_happened=failure.may_be_there, is_everywhere=True) from None
        match failure.kind:
            case Kind.DELETED:
                log.info("follow_message_gone", method=method, channel=channel, why=word)
                raise MessageGone(word, is_told=False) from None
            case Kind.LOST:
                log.warning("follow_channel_gone", method=method, channel=channel, why=word)
                raise MessageGone(word, is_told=True) from None
            case Kind.PAUSE:
                log.error("slack_rejects_token", method=method, why=word)
                raise RetryLater(word, retry_after_s=PAUSE_S, is_everywhere=True) from None
            case Kind.RETRY:
                # Slack limits changes for the whole workspace, and new messages for each channel.
                raise RetryLater(word, retry_after_s=_seconds(failure), is_everywhere=method == UPDATE) from None
            case Kind.BUG:
                log.error("follow_message_rejected", method=method, channel=channel, why=word)
                raise MessageGone(word, is_told=True) from None
            case _:  # an unknown error code, which may be temporary
                log.error("follow_message_rejected", method=method, channel=channel, why=word)
                raise RetryLater(word, retry_after_s=LONG_S) from None


def _seconds(failure: CallFailed) -> float:
    known = failure.retry_after_s
    return known if known is not None and isfinite(known) else LONG_S

"""Notifications to Slack: posts, changes and replies. Behind the core's `Announcer`, with its three errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import isfinite
from typing import Any, NoReturn

import structlog

from bot.core.model.builds import Actor, FailureLog
from bot.core.model.follows import MessageGone, RetryLater
from bot.core.model.notifications.deliveries import ChannelRefuses, Delivery, Digest
from bot.core.model.notifications.muted import WhileMuted
from bot.core.model.notifications.reports import Report
from bot.slack.blocks.context import RenderContext
from bot.slack.client.api_errors import BLOCKS_REFUSED, CallFailed, Kind
from bot.slack.client.chat_client import POST, UPDATE, ChatClient
from bot.slack.messages.channels.digest import digest_message
from bot.slack.messages.channels.notifications import log_reply, notification, paused_subscription, thread_reply
from bot.slack.messages.channels.reports import report_chart, report_message, report_refused
from bot.slack.messages.channels.while_muted import while_muted
from bot.slack.messages.people.authors import is_this_you, you_broke
from bot.slack.outgoing.bodies import changed_message, new_message

log = structlog.get_logger(__name__)

LONG_S = 60.0
"""Seconds until the next try if nothing tells when."""

PAUSE_S = 600.0
"""Seconds until the next try if an operator has to act first."""


class SlackAnnouncer:
    """Also a `ReportAnnouncer`. `context()` gives the words for now.

    `permalink(channel, ts)` is the URL of a message; None if it is unknown.

    Thread-safe.
    """

    def __init__(
        self,
        client: ChatClient,
        context: Callable[[], RenderContext],
        permalink: Callable[[str, str], str | None] = lambda _channel, _ts: None,
    ) -> None:
        self._client = client
        self._context = context
        self._draws_charts = True
        self._permalink = permalink

    def post(self, delivery: Delivery) -> str | None:
        message = notification(delivery, self._context())
        return self._call(POST, new_message(message, delivery.channel, key=_key(delivery, "post")))

    def change(self, delivery: Delivery, head_ts: str) -> None:
        self._call(UPDATE, changed_message(notification(delivery, self._context()), delivery.channel, head_ts))

    def reply(self, delivery: Delivery, head_ts: str, *, broadcast: bool) -> str | None:
        message, key = thread_reply(delivery, self._context()), _key(delivery, "reply")
        return self._call(POST, new_message(message, delivery.channel, thread=head_ts, broadcast=broadcast, key=key))

    def show_log(self, delivery: Delivery, head_ts: str, log: FailureLog) -> None:
        message, key = log_reply(delivery, log, self._context()), _key(delivery, "log")
        self._call(POST, new_message(message, delivery.channel, thread=head_ts, key=key))

    def post_digest(self, digest: Digest) -> str | None:
        key = f"digest {digest.deliveries[-1].key}"
        return self._call(POST, new_message(digest_message(digest, self._context()), digest.channel, key=key))

    def change_digest(self, digest: Digest, ts: str) -> None:
        self._call(UPDATE, changed_message(digest_message(digest, self._context()), digest.channel, ts))

    def post_while_muted(self, told: WhileMuted) -> str | None:
        mute = told.mute
        key = f"mute {mute.channel} {mute.id} {mute.until.isoformat()}"
        return self._call(POST, new_message(while_muted(told, self._context()), mute.channel, key=key))

    def tell_author(self, delivery: Delivery, channel: str | None, ts: str | None) -> str | None:
        page = self._permalink(channel, ts) if channel is not None and ts is not None else None
        message = you_broke(delivery, channel, page, self._context())
        return self._call(POST, new_message(message, delivery.channel, key=_key(delivery, "author")))

    def ask_author(self, delivery: Delivery, head_ts: str, login: str) -> None:
        message, key = is_this_you(delivery, login, self._context()), _key(delivery, "ask")
        self._call(POST, new_message(message, delivery.channel, thread=head_ts, key=key))

    def tell_maker(self, person: Actor, channel: str, why: str) -> None:
        message = paused_subscription(channel, why, self._context())
        try:
            self._client.call(POST, new_message(message, person.id))
        except CallFailed as failure:
            log.warning("pause_not_reported", user=person.id, channel=channel, why=str(failure))

    def post_report(self, report: Report) -> None:
        drawn, chart = report_message(report, self._context()), report_chart(report)
        key = f"report {report.end.isoformat()}"
        if chart is not None and self._draws_charts:
            with_chart = replace(drawn, blocks=(*drawn.blocks, chart))
            body = new_message(with_chart, report.channel, key=key)
            try:
                self._client.call(POST, body, text_alone=False)
            except CallFailed as failure:
                if failure.word not in BLOCKS_REFUSED:
                    _failed(POST, body, failure)
                self._draws_charts = False
                log.info("charts_refused", why=failure.word)
            else:
                return
        self._call(POST, new_message(drawn, report.channel, key=key))

    def tell_report_refused(self, person: Actor, channel: str, why: str) -> None:
        try:
            self._client.call(POST, new_message(report_refused(channel, why, self._context()), person.id))
        except CallFailed as failure:
            log.warning("pause_not_reported", user=person.id, channel=channel, why=str(failure))

    def _call(self, method: str, body: Mapping[str, Any]) -> str | None:
        """The ts of what was posted."""
        try:
            ts = self._client.call(method, body).get("ts")
        except CallFailed as failure:
            _failed(method, body, failure)
        return ts if isinstance(ts, str) else None


def _key(delivery: Delivery, what: str) -> str:
    """The same for a repeated message only."""
    return f"{what} {delivery.key}"


def _failed(method: str, body: Mapping[str, Any], failure: CallFailed) -> NoReturn:
    word, channel = failure.word, str(body["channel"])
    if failure.may_be_there:
        raise RetryLater(word or str(failure), may_have_happened=method == POST) from None
    match failure.kind:
        case Kind.DELETED if method == UPDATE or "thread_ts" in body:
            log.info("notification_gone", channel=channel, why=word)
            raise MessageGone(word, is_told=False) from None
        case Kind.LOST | Kind.DELETED:
            log.warning("notifications_paused", channel=channel, why=word)
            raise ChannelRefuses(word) from None
        case Kind.BUG:
            log.error("notification_rejected", method=method, channel=channel, why=word)
            raise ChannelRefuses(word) from None
        case Kind.PAUSE:
            log.error("slack_rejects_token", method=method, why=word)
            raise RetryLater(word, retry_after_s=PAUSE_S) from None
        case Kind.RETRY:
            known = failure.retry_after_s
            raise RetryLater(word, retry_after_s=known if known is not None and isfinite(known) else LONG_S) from None
        case _:  # no connection, or a new word of Slack's, which may pass
            raise RetryLater(word or str(failure)) from None

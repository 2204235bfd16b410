"""Response URLs, which allow five uses within thirty minutes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.slack import block_rules as block_kit
from playground.slack.message_store import Conversations
from playground.slack.model import App, Message

USES = 5
LIFE_S = 30 * 60


@dataclass(frozen=True, slots=True)
class ResponseUrl:
    """`original_ts` is the message whose button was pressed; None for a command."""

    path: str
    kind: str
    channel_id: str
    user_id: str
    issued_at: float
    original_ts: str | None = None


class ResponseUrls:
    """Not thread-safe: the workspace holds its lock around every call."""

    def __init__(self, team_id: str) -> None:
        self._team_id = team_id
        self._issued: dict[str, ResponseUrl] = {}
        self._uses: dict[str, int] = {}

    def issue(
        self, kind: str, channel_id: str, user_id: str, now: float, original_ts: str | None = None
    ) -> ResponseUrl:
        number = len(self._issued) + 1
        path = f"/{kind}/{self._team_id}/{number}/secret{number:06d}"
        self._issued[path] = url = ResponseUrl(path, kind, channel_id, user_id, now, original_ts)
        self._uses[path] = 0
        return url

    def use(self, path: str, now: float) -> ResponseUrl | str:
        """Uses the URL once and returns it, or Slack's error code.

        A refused message counts as a use, too: Slack does not say, and this is the stricter reading.
        """
        url = self._issued.get(path)
        if url is None:
            return "no_service"
        if now - url.issued_at > LIFE_S:
            return "expired_url"
        if self._uses[path] >= USES:
            return "used_url"
        self._uses[path] += 1
        return url

    def uses(self, path: str) -> int:
        return self._uses.get(path, 0)


def shown(
    conversations: Conversations, app: App, url: ResponseUrl, body: Mapping[str, Any], via: str
) -> Message | str | None:
    """The resulting message, None if the original was deleted, or Slack's error code.

    It is ephemeral unless `response_type` says in_channel, and outside the thread unless `thread_ts` names it. The app
    need not be a member. https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
    """
    original = conversations.find(url.channel_id, url.original_ts) if url.original_ts else None
    if body.get("delete_original") is True:
        if original is None:
            return "message_not_found"
        conversations.change(original, via, "", deleted=True)
        return None
    text, blocks, thread_ts = body.get("text") or "", body.get("blocks"), body.get("thread_ts")
    if wrong := faulty(text, blocks):
        return wrong
    if body.get("replace_original") is True and original is not None:
        # Its visibility stays: an ephemeral message cannot become public.
        return conversations.change(original, via, text, blocks or ())
    return conversations.add(
        url.channel_id,
        app.user_id,
        via,
        text,
        blocks or (),
        bot_id=app.bot_id,
        thread_ts=None if thread_ts is None else str(thread_ts),
        ephemeral_to=None if body.get("response_type") == "in_channel" else url.user_id,
    )


def faulty(text: object, blocks: object) -> str | None:
    """Slack's error code for a message, or None if it is valid."""
    if not isinstance(text, str):
        return "invalid_payload"
    if not text and not blocks:
        return "no_text"
    if blocks is not None and block_kit.judged(blocks):
        return "invalid_blocks"
    return None

"""What an app says without the Web API: through a response URL, or in the ack of a command. Counts no uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.playground import blocks as block_kit
from bot.playground.conversations import Conversations
from bot.playground.response_urls import ResponseUrl
from bot.playground.slack_records import App, Message


def shown(
    conversations: Conversations, app: App, url: ResponseUrl, body: Mapping[str, Any], via: str
) -> Message | str | None:
    """The message that came of it, None where the original was deleted, or Slack's word for what is wrong.

    To the asker alone unless `response_type` says in_channel; outside the thread unless `thread_ts` names it; no
    membership is needed. https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
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
        # Who sees it stays as it was: a message for one person cannot be made public.
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
    """Slack's word for what is wrong with a message, if anything is."""
    if not isinstance(text, str):
        return "invalid_payload"
    if not text and not blocks:
        return "no_text"
    if blocks is not None and block_kit.judged(blocks):
        return "invalid_blocks"
    return None

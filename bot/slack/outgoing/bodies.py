"""The arguments of Slack's methods for a message. Pure.

Arguments: https://docs.slack.dev/reference/methods/chat.postMessage, …/chat.update, …/chat.postEphemeral
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from bot.slack.blocks.message import Message

_MESSAGES = UUID("6d3ff0a5-2a0e-5c0e-8f0c-6b7f6f0b7c11")
"""The namespace of the bot's uuids."""


def new_message(
    message: Message, channel: str, *, thread: str | None = None, broadcast: bool = False, key: str | None = None
) -> dict[str, Any]:
    """For chat.postMessage. If `channel` is a person, it is a direct message. `broadcast`: the channel shows a reply in
    the thread, too.

    Slack may drop the second message with the same `key`. It does not document `client_msg_id`, so nothing relies on
    it.
    """
    body = _content(message) | {"channel": channel, "unfurl_links": False, "unfurl_media": False}
    if thread:
        body["thread_ts"] = thread
        if broadcast:
            body["reply_broadcast"] = True
    if key:
        body["client_msg_id"] = str(uuid5(_MESSAGES, f"{key} {channel}"))
    return body


def message_for_one(message: Message, channel: str, user: str, *, thread: str | None = None) -> dict[str, Any]:
    """For chat.postEphemeral."""
    body = _content(message) | {"channel": channel, "user": user}
    return body | {"thread_ts": thread} if thread else body


def changed_message(message: Message, channel: str, ts: str) -> dict[str, Any]:
    """For chat.update."""
    return _content(message) | {"channel": channel, "ts": ts}


def response(message: Message, *, thread: str | None = None, replace: bool = False) -> dict[str, Any]:
    """For a response URL. `replace`: instead of the message whose button was pressed."""
    body = _content(message) | {
        "response_type": "in_channel" if message.in_public else "ephemeral",
        "replace_original": replace,
    }
    return body | {"thread_ts": thread} if thread else body


def _content(message: Message) -> dict[str, Any]:
    return {"text": message.text, "blocks": list(message.blocks)}

"""The addresses of messages, for links to them: https://docs.slack.dev/reference/methods/chat.getPermalink."""

from __future__ import annotations

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from bot.slack.client.api_errors import ON_THE_WAY, word_of

log = structlog.get_logger(__name__)


def permalink(client: WebClient, channel: str, message_ts: str) -> str | None:
    """None if Slack does not say."""
    try:
        link = client.chat_getPermalink(channel=channel, message_ts=message_ts).get("permalink")
    except SlackApiError as refusal:
        log.info("permalink_not_read", channel=channel, why=word_of(refusal))
        return None
    except ON_THE_WAY as failure:
        log.info("permalink_not_read", channel=channel, why=type(failure).__name__)
        return None
    return link if isinstance(link, str) else None

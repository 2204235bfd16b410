"""Whether the bot may post in a channel, from `conversations.info` and the token's scopes.

https://docs.slack.dev/reference/methods/conversations.info needs the scopes `channels:read` and `groups:read`, which
the app has only if they were added.
"""

from __future__ import annotations

from collections.abc import Collection

from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from bot.slack.client.api_errors import ON_THE_WAY, word_of

NOT_SEEN = frozenset({"channel_not_found"})
"""Slack's word for a private channel that the bot is not in."""


class SlackChannelAccess:
    """The core's `ChannelAccess`. Thread-safe. `needed` are the scopes without which there are no notifications."""

    def __init__(self, client: WebClient, granted: Collection[str], needed: Collection[str]) -> None:
        self._client = client
        self._missing = tuple(scope for scope in needed if scope not in granted)

    @property
    def missing_scopes(self) -> tuple[str, ...]:
        return self._missing

    def is_member(self, channel: str) -> bool | None:
        try:
            info = self._client.conversations_info(channel=channel).get("channel")
        except SlackApiError as refusal:
            return False if word_of(refusal) in NOT_SEEN else None
        except ON_THE_WAY:
            return None
        if not isinstance(info, dict):
            return None
        if info.get("is_im") is True:
            return True
        is_member = info.get("is_member")
        return is_member if isinstance(is_member, bool) else None

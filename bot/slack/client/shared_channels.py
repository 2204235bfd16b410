"""Which channels people of other workspaces read, from `conversations.info`, cached for ten minutes.

https://docs.slack.dev/reference/methods/conversations.info needs the scopes `channels:read` and `groups:read`, which
the app has only if they were added.
"""

from __future__ import annotations

import threading

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from bot.core.ports import Clock
from bot.slack.client.api_errors import ON_THE_WAY, word_of

KNOWN_FOR_S = 600.0
MAX_CHANNELS = 1_000

log = structlog.get_logger(__name__)


class SharedChannels:
    """Thread-safe."""

    def __init__(self, client: WebClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, bool | None]] = {}

    def is_shared(self, channel: str) -> bool | None:
        """Whether people of another workspace are in the channel, or are invited. None if Slack does not say."""
        now = self._clock.monotonic()
        with self._lock:
            until, is_shared = self._known.get(channel, (now, None))
        if now < until:
            return is_shared
        is_shared = self._read(channel)
        with self._lock:
            if len(self._known) >= MAX_CHANNELS:
                self._known.clear()
            self._known[channel] = (now + KNOWN_FOR_S, is_shared)
        return is_shared

    def _read(self, channel: str) -> bool | None:
        try:
            channel_info = self._client.conversations_info(channel=channel).get("channel")
        except SlackApiError as refusal:
            log.info("channel_not_read", channel=channel, why=word_of(refusal))
            return None
        except ON_THE_WAY as failure:
            log.info("channel_not_read", channel=channel, why=type(failure).__name__)
            return None
        if not isinstance(channel_info, dict):
            return None
        return any(
            channel_info.get(name) is True for name in ("is_ext_shared", "is_pending_ext_shared", "is_org_shared")
        )

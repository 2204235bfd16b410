"""Errors of Slack's Web API: its error code, and the exceptions if there was no valid response."""

from __future__ import annotations

import re
from http.client import HTTPException

from slack_sdk.errors import SlackApiError, SlackClientError

ON_THE_WAY = (SlackClientError, OSError, HTTPException, ValueError)
"""What slack_sdk raises apart from SlackApiError: no connection, a cut response, invalid JSON."""

_WORD = re.compile(r"[a-z][a-z0-9_]{0,59}")


def word_of(refusal: SlackApiError) -> str:
    """Slack's error code, such as `not_in_channel`; the HTTP status if the response has none, like a proxy's page."""
    value = getattr(refusal.response, "data", refusal.response)
    error = value.get("error") if isinstance(value, dict) else None
    if isinstance(error, str) and _WORD.fullmatch(error):
        return error
    return f"HTTP {getattr(refusal.response, 'status_code', '?')}"

"""How calls of Slack's Web API go wrong: its own word for why it said no, and what is raised where it said nothing."""

from __future__ import annotations

import re
from http.client import HTTPException

from slack_sdk.errors import SlackApiError, SlackClientError

ON_THE_WAY = (SlackClientError, OSError, HTTPException, ValueError)
"""What slack_sdk lets through beside SlackApiError: no connection, a cut answer, JSON that is none."""

_WORD = re.compile(r"[a-z][a-z0-9_]{0,59}")


def word_of(refusal: SlackApiError) -> str:
    """Such as `not_in_channel`; the HTTP status where a proxy's page or anything else came in place of a word."""
    value = getattr(refusal.response, "data", refusal.response)
    error = value.get("error") if isinstance(value, dict) else None
    if isinstance(error, str) and _WORD.fullmatch(error):
        return error
    return f"HTTP {getattr(refusal.response, 'status_code', '?')}"

"""The bot's identity and what its token may do, from one `auth.test`."""

from __future__ import annotations

from dataclasses import dataclass

from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from bot.slack.client.api_errors import KINDS, ON_THE_WAY, Kind, word_of


@dataclass(frozen=True, slots=True)
class Identity:
    """The bot's identity in its workspace, from `auth.test`."""

    team_id: str
    bot_user_id: str
    bot_id: str
    enterprise_id: str | None = None


TOKEN_REFUSALS = frozenset(word for word, kind in KINDS.items() if kind is Kind.PAUSE)
"""Errors that do not pass with time: https://docs.slack.dev/reference/methods/auth.test#errors"""


class TokenRefused(Exception):
    """Slack rejects the bot token. `str()` is a sentence for the operator, with Slack's error code."""


class AppTokenRefused(Exception):
    """Slack rejects the app token. `str()` says why and where to get one; it holds no part of the token."""


class SlackAway(Exception):
    """Slack could not be reached. `str()` is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Token:
    """What `auth.test` returns: the identity, the names that people know, and the granted scopes."""

    identity: Identity
    team: str
    user: str
    scopes: frozenset[str]


def who_am_i(client: WebClient) -> Token:
    """Calls `auth.test`. Raises TokenRefused, SlackAway."""
    try:
        answer = client.auth_test()
    except SlackApiError as refusal:
        word = word_of(refusal)
        if word in TOKEN_REFUSALS:
            raise TokenRefused(
                f"Slack rejected SLACK_BOT_TOKEN: {word}. Install the app again, and copy the Bot User OAuth "
                "Token from https://api.slack.com/apps, your app, OAuth & Permissions."
            ) from None
        raise SlackAway(f"Slack is down, or what answers is not Slack ({word}). Check SLACK_API_URL.") from None
    except ON_THE_WAY as failure:
        raise SlackAway(
            f"Slack could not be reached: {type(failure).__name__}. Check the network, the proxy and SLACK_API_URL."
        ) from None
    granted = next((value for name, value in answer.headers.items() if name.lower() == "x-oauth-scopes"), "")
    granted = granted if isinstance(granted, str) else ",".join(granted)
    return Token(
        Identity(
            team_id=str(answer.get("team_id") or ""),
            bot_user_id=str(answer.get("user_id") or ""),
            bot_id=str(answer.get("bot_id") or ""),
            enterprise_id=answer.get("enterprise_id"),
        ),
        team=str(answer.get("team") or ""),
        user=str(answer.get("user") or ""),
        scopes=frozenset(scope.strip() for scope in granted.split(",") if scope.strip()),
    )

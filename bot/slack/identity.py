"""Who the bot is, and what its token may do: one `auth.test`."""

from __future__ import annotations

from dataclasses import dataclass

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import WebClient

from bot.slack.bolt import Identity


class TokenRefused(Exception):
    """Slack does not take the bot token. `str()` is a sentence for the operator, with Slack's own word for why."""


class SlackAway(Exception):
    """Slack could not be asked. `str()` is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Token:
    """What `auth.test` says: the identity, the names for people to recognise, and the scopes granted."""

    identity: Identity
    team: str
    user: str
    scopes: frozenset[str]


def who_am_i(client: WebClient) -> Token:
    """Asks Slack. Raises TokenRefused, SlackAway."""
    try:
        answer = client.auth_test()
    except SlackApiError as refusal:
        word = refusal.response.get("error") or "unknown"
        raise TokenRefused(f"Slack does not take SLACK_BOT_TOKEN: {word}. Install the app again and copy it.") from None
    except (SlackClientError, OSError) as failure:
        raise SlackAway(f"Slack could not be reached: {type(failure).__name__}. Check SLACK_API_URL.") from None
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

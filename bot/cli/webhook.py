"""`python -m bot webhook`: shows the address for CodeShip's webhook, or makes a new one. Changes nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from secrets import token_urlsafe

from bot.app.settings import BadSettings
from bot.ci.codeship.client import CODESHIP, WEBHOOK_TOKEN
from bot.ci.codeship.webhook import PATH
from bot.config.parsers import Secret, tidied
from bot.config.setting import read_setting

TOKEN_BYTES = 24


def webhook(environ: Mapping[str, str], tell: Callable[[str], None], *, new: bool) -> None:
    """Tells the address with the token that is set; with a new token if none is set, or `new` asks for one.

    Raises BadSettings if the token that is set cannot be used.
    """
    token = "" if new else _token(environ)
    if not token:
        token = token_urlsafe(TOKEN_BYTES)
        tell(f"Set this and restart the bot. It replaces any earlier token:\n\n{WEBHOOK_TOKEN}={token}\n")
    tell("Add this address to each project on CodeShip (Notifications, Webhook), with the bot's own host:\n")
    tell(f"https://your-host{PATH}{token}\n")
    tell("Keep it secret: a caller who knows it can make the bot look at CodeShip more often.")
    if not tidied(environ.get("PORT", "")) and tidied(environ.get("SLACK_APP_TOKEN", "")):
        tell("PORT is not set: in Socket Mode the bot listens for webhooks only if it is.")


def _token(environ: Mapping[str, str]) -> str:
    """The token that is set; empty if none is. Raises BadSettings."""
    problems: list[str] = []
    row = next(row for row in CODESHIP.rows if row.name == WEBHOOK_TOKEN)
    token = read_setting(row, environ, problems)
    if problems:
        raise BadSettings(problems)
    return token.reveal() if isinstance(token, Secret) else ""

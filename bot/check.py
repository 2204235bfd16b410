"""python -m bot --check: what an operator wants to know before the team does, a line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import WebClient

from bot.assembly import codeship, slack_client
from bot.clock import SystemClock
from bot.core.errors import CIError
from bot.settings import Settings
from bot.slack.identity import SlackAway, TokenRefused, who_am_i
from bot.slack.listeners import SCOPES
from bot.store.database import open_store
from bot.store.engine import StoreError

Say = Callable[[str], None]


def check_all(settings: Settings, environ: Mapping[str, str], say: Say) -> bool:
    """Says a line for each thing that must be in place; False where one is not. The settings have been read already."""
    say("ok    Settings: whole")
    parts = (
        _database(settings, say),
        _bot_token(settings, say),
        _transport(settings, say),
        _codeship_key(settings, environ, say),
    )
    return all(parts)


def _database(settings: Settings, say: Say) -> bool:
    try:
        store = open_store(settings.database_url.reveal(), SystemClock())
        try:
            say(f"ok    Database: {store.check()}")
        finally:
            store.close()
    except StoreError as problem:
        return _wrong(say, f"Database: {problem}")
    return True


def _bot_token(settings: Settings, say: Say) -> bool:
    try:
        token = who_am_i(slack_client(settings))
    except (TokenRefused, SlackAway) as problem:
        return _wrong(say, f"Slack token: {problem}")
    say(f"ok    Slack token: @{token.user} in {token.team}")
    missing = [scope for scope in SCOPES if scope not in token.scopes]
    if missing:
        return _wrong(
            say,
            f"Slack scopes: {', '.join(missing)} missing. Add what manifest.yml lists under OAuth & Permissions "
            "and install the app again.",
        )
    say(f"ok    Slack scopes: {', '.join(SCOPES)}")
    return True


def _transport(settings: Settings, say: Say) -> bool:
    if settings.slack_app_token is None:
        say(f"ok    Transport: HTTP on {settings.host}, port {settings.port}; Slack's requests to /slack/events")
        return True
    client = WebClient(base_url=settings.slack_api_url, timeout=10)
    try:
        client.apps_connections_open(app_token=settings.slack_app_token.reveal())
    except SlackApiError as refusal:
        word = refusal.response.get("error") or "unknown"
        return _wrong(say, f"Transport: Slack does not take SLACK_APP_TOKEN: {word}. It needs connections:write.")
    except (SlackClientError, OSError) as failure:
        return _wrong(say, f"Transport: Slack could not be reached: {type(failure).__name__}")
    say("ok    Transport: Socket Mode")
    return True


def _codeship_key(settings: Settings, environ: Mapping[str, str], say: Say) -> bool:
    service = codeship(settings, SystemClock(), environ)
    try:
        projects = service.projects()
    except CIError as failure:
        return _wrong(say, f"CodeShip key: {_cause(failure)}")
    finally:
        service.close()
    say(f"ok    CodeShip key: sees {len(projects)} project{'' if len(projects) == 1 else 's'}")
    return True


def _cause(failure: CIError) -> str:
    match type(failure).__name__:
        case "KeyRefused":
            return "CODESHIP_API_KEY is refused. Copy it from https://app.codeship.com/user/edit"
        case "Unreachable":
            return f"CODESHIP_API_URL cannot be reached. {failure.detail}"
        case _:
            return str(failure)


def _wrong(say: Say, line: str) -> bool:
    say(f"wrong {line}")
    return False

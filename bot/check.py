"""python -m bot --check: what an operator wants to know before the team does, a line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from slack_sdk.errors import SlackApiError

from bot.check_services import services_in_place
from bot.clock import SystemClock
from bot.core.model import Actor, Place
from bot.core.policy import Confirm, Policy
from bot.parts import slack_client
from bot.policy_file import PolicyError, policy_in
from bot.setting_services import set_in_vain
from bot.settings import Settings
from bot.slack.groups import UserGroups
from bot.slack.identity import TOKEN_REFUSALS, SlackAway, TokenRefused, who_am_i
from bot.slack.listeners import SCOPES, SCOPES_OF_GROUPS
from bot.slack.refusal import ON_THE_WAY, word_of
from bot.store.database import open_store
from bot.store.engine import StoreError

Say = Callable[[str], None]


def check_all(settings: Settings, environ: Mapping[str, str], say: Say, *, asker: str | None = None) -> bool:
    """Says a line for each thing that must be in place; False where one is not. The settings have been read already.

    `asker` is a Slack user id: of this person is said what the policy lets them do.
    """
    say("ok    Settings: whole")
    for hint in set_in_vain(settings.ci_providers, environ):
        say(f"hint  Settings: {hint}")
    policy = _policy(settings, say)
    if policy is not None and asker is not None:
        _lets(policy, asker, UserGroups(slack_client(settings), SystemClock()), say)
    parts = (
        policy is not None,
        _database(settings, say),
        _bot_token(settings, policy, say),
        _transport(settings, say),
        services_in_place(settings, environ, say),
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


def _policy(settings: Settings, say: Say) -> Policy | None:
    """None where the file cannot be used."""
    try:
        policy = policy_in(settings.policy)
    except PolicyError as problem:
        _wrong(say, f"Policy: {problem}")
        return None
    count = "1 rule" if len(policy.rules) == 1 else f"{len(policy.rules)} rules"
    say(f"ok    Policy: {settings.policy}, {count}" if settings.policy else "ok    Policy: none, so everyone may")
    return policy


def _lets(policy: Policy, asker: str, groups: UserGroups, say: Say) -> None:
    """What each rule says to this person, in the order in which they are looked at."""
    person = Actor(asker)
    say(f"      {asker}, by the first rule that is about what is asked:")
    for rule in policy.rules:
        included = rule.who.includes(person, Place(""), lambda group: groups.has(group, person))
        may = "may" if included else "may (or not: Slack does not tell who is in the user group)"
        if included is False:
            where = " or ".join(sorted(rule.who.channels))
            may = f"may, but only when asking in {where}," if where else "may not"
        confirmed = {Confirm.ALWAYS: ", confirmed first", Confirm.BUTTONS: ", by button confirmed first"}
        line = f"line {rule.line}: " if rule.line else ""
        say(f"      {line}{may} {rule}{confirmed.get(rule.confirm, '') if included else ''}")


def _bot_token(settings: Settings, policy: Policy | None, say: Say) -> bool:
    try:
        token = who_am_i(slack_client(settings))
    except (TokenRefused, SlackAway) as problem:
        return _wrong(say, f"Slack token: {problem}")
    say(f"ok    Slack token: @{token.user} in {token.team}")
    needed = (*SCOPES, *SCOPES_OF_GROUPS) if policy and policy.groups else SCOPES
    missing = [scope for scope in needed if scope not in token.scopes]
    if missing:
        return _wrong(
            say,
            f"Slack scopes: {', '.join(missing)} missing. Add what manifest.yml lists under OAuth & Permissions "
            "and install the app again.",
        )
    say(f"ok    Slack scopes: {', '.join(needed)}")
    return True


def _transport(settings: Settings, say: Say) -> bool:
    if settings.slack_app_token is None:
        say(f"ok    Transport: HTTP on {settings.host}, port {settings.port}; Slack's requests to /slack/events")
        return True
    try:
        slack_client(settings).apps_connections_open(app_token=settings.slack_app_token.reveal())
    except SlackApiError as refusal:
        word = word_of(refusal)
        if word not in TOKEN_REFUSALS:
            return _wrong(say, f"Transport: Slack is down, or what answers is not Slack ({word}).")
        return _wrong(
            say,
            f"Transport: Slack does not take SLACK_APP_TOKEN: {word}. Make one with connections:write at "
            "https://api.slack.com/apps, your app, Basic Information, App-Level Tokens.",
        )
    except ON_THE_WAY as failure:
        return _wrong(say, f"Transport: Slack could not be reached: {type(failure).__name__}. Check SLACK_API_URL.")
    say("ok    Transport: Socket Mode")
    return True


def _wrong(say: Say, line: str) -> bool:
    say(f"wrong {line}")
    return False

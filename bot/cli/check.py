"""`python -m bot check`: checks settings, services, database and Slack, and prints a line for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.app.clients import client_context, connected, slack_client
from bot.app.clock import SystemClock
from bot.app.settings import Settings, is_inferred, key_setting, named, set_in_vain
from bot.ci.service import ServicePlugin
from bot.config.policy_file import PolicyError, policy_in
from bot.config.subscriptions_file import SubscriptionsError, subscriptions_in
from bot.core.lookup.ci_registry import Pin
from bot.core.model.builds import Actor, Location, Project
from bot.core.model.errors import CIError, Forbidden, Unauthorized, Unreachable
from bot.core.model.policy import Confirm, Policy
from bot.core.ports import Groups
from bot.slack.client.api_errors import ON_THE_WAY, word_of
from bot.slack.client.auth import TOKEN_REFUSALS, SlackAway, TokenRefused, who_am_i
from bot.slack.client.people import People
from bot.slack.client.user_groups import Membership, UserGroups
from bot.slack.listeners import (
    SCOPES,
    SCOPES_OF_CHANNELS,
    SCOPES_OF_EMAILS,
    SCOPES_OF_GROUPS,
    SCOPES_OF_GUESTS,
    SCOPES_OF_LINKS,
)
from bot.store.database import open_store
from bot.store.engine import StoreError, sqlite_file

Say = Callable[[str], None]

NAMES_TOLD = 3


def services_in_place(settings: Settings, environ: Mapping[str, str], say: Say) -> bool:
    """Checks every service and prints a line for each thing. Returns False if one has a problem."""
    services = named(settings.ci_providers)
    seen = {
        service.name: projects
        for service in services
        if (projects := _in_place(service, settings, environ, say)) is not None
    }
    if len(seen) < len(services):
        return False
    for pin in pins_in_vain(settings.ci_pinned, seen):
        title = next(service.title for service in services if service.name == pin.service)
        say(f"hint  CI_PINNED: {pin.names}={pin.service} matches no repository on {title}")
    both = in_several(settings.ci_pinned, seen)
    if both:
        first = both[0]
        at = next(name for name in reversed(settings.ci_providers) if any(_is_named(p, first) for p in seen[name]))
        names = ", ".join(both[:NAMES_TOLD]) + (", …" if len(both) > NAMES_TOLD else "")
        several = "1 name is" if len(both) == 1 else f"{len(both)} names are"
        say(
            f"hint  Repositories: {several} at more than one service ({names}). People say which ({first}@{at}), "
            f"or CI_PINNED does ({first}={at})"
        )
    return True


def _may_read_builds(service: ServicePlugin, values: Mapping[str, Any], environ: Mapping[str, str], of: Project) -> str:
    """Why the builds of a listed repository cannot be read; empty if they can."""
    client = connected(service, values, SystemClock(), environ)
    try:
        client.builds(of)
    except Forbidden as failure:
        needed = f"It needs {service.rights}. " if service.rights else ""
        return f"lists {of.name}, and may not read its builds. {needed}{failure.detail}".rstrip()
    except CIError:  # only this repository fails, so the key may be fine
        return ""
    finally:
        client.close()
    return ""


def projects_of(service: ServicePlugin, values: Mapping[str, Any], environ: Mapping[str, str]) -> list[Project]:
    """The repositories that the key can see. Raises CIError."""
    client = connected(service, values, SystemClock(), environ)
    try:
        return client.projects()
    finally:
        client.close()


def cause(service: ServicePlugin, values: Mapping[str, Any], failure: CIError) -> str:
    """Why the repositories could not be listed, and which setting to check."""
    rows = {row.name: row for row in service.rows}
    match failure:
        case Unauthorized() if any(name in failure.detail for name in rows):
            return failure.detail
        case Unauthorized():
            name = key_setting(service, values)
            return f"{name} was rejected. Copy it from {rows[name].where}"
        case Unreachable():
            address = next((name for name in rows if name.endswith("_API_URL")), service.title)
            default = values.get(address) == rows[address].default if address in rows else False
            more = f". {service.unreachable_by_default}" if default and service.unreachable_by_default else ""
            return f"{address} cannot be reached: {failure.detail}{more}"
        case _:
            return str(failure)


def pins_in_vain(pins: Sequence[Pin], seen: Mapping[str, Sequence[Project]]) -> list[Pin]:
    """Pins that match no repository of their service. `seen` holds each service's repositories by its name."""
    return [pin for pin in pins if not any(_fits(pin, project.name) for project in seen[pin.service])]


def in_several(pins: Sequence[Pin], seen: Mapping[str, Sequence[Project]]) -> list[str]:
    """Repository names that several services have and no pin decides, compared without case."""
    having: dict[str, dict[str, str]] = {}
    for service, projects in seen.items():
        for project in projects:
            having.setdefault(project.name.lower(), {})[service] = project.name
    unsaid = []
    for name, spelled in having.items():
        pinned = next((pin.service for pin in pins if _fits(pin, name)), None)
        if len(spelled) > 1 and pinned not in spelled:
            unsaid.append(next(iter(spelled.values())))
    return sorted(unsaid, key=str.lower)


def repositories(number: int) -> str:
    return "1 repository" if number == 1 else f"{number} repositories"


def _in_place(service: ServicePlugin, settings: Settings, environ: Mapping[str, str], say: Say) -> list[Project] | None:
    values = settings.ci[service.name]
    try:
        projects = projects_of(service, values, environ)
    except CIError as failure:
        say(f"wrong {service.title} key: {cause(service, values, failure)}")
        return None
    say(f"ok    {service.title} key: sees {repositories(len(projects))}")
    refused = _may_read_builds(service, values, environ, projects[0]) if projects else ""
    if refused:
        say(f"wrong {service.title} key: {refused}")
        return None
    if not projects:
        say(f"wrong {service.title} key: it sees no repository. It needs {service.rights}.")
        return None
    if not _says_permissions(service, values, environ, projects[0], say):
        return None
    say(f"ok    {service.title} rate limit: at most {values[service.calls_setting]} calls a minute")
    path = _webhook_path(service, values, environ)
    if path is not None and settings.port is None:
        say(f"hint  {service.title} webhook: not served. In Socket Mode, HTTP needs PORT")
    elif path is not None:
        say(f"ok    {service.title} webhook: HTTP on {settings.host}, port {settings.port}; to {path}")
    return projects


def _webhook_path(service: ServicePlugin, values: Mapping[str, Any], environ: Mapping[str, str]) -> str | None:
    client = connected(service, values, SystemClock(), environ)
    try:
        webhook = service.webhook(values, client, lambda _project_id, _key: None)
        return None if webhook is None else webhook[0]
    finally:
        client.close()


def _says_permissions(
    service: ServicePlugin, values: Mapping[str, Any], environ: Mapping[str, str], of: Project, say: Say
) -> bool:
    """Says a line for each permission; False if one is missing without which a restart would be refused."""
    is_enough = True
    for permission in service.permissions(values, client_context(SystemClock(), environ), of):
        name = f"{service.title} {permission.name}"
        if permission.has:
            say(f"ok    {name}: has")
        elif permission.has is None:
            say(f"hint  {name}: unknown, since it shows only when it is used; without it: no {permission.without}")
        else:
            sign = "wrong" if permission.is_required else "hint "
            say(f"{sign} {name}: lacks; what will not work: {permission.without}")
            is_enough = is_enough and not permission.is_required
    return is_enough


def _is_named(project: Project, name: str) -> bool:
    return project.name.lower() == name.lower()


def _fits(pin: Pin, name: str) -> bool:
    return pin.names.matches(name, any_case=True)


def check_all(settings: Settings, environ: Mapping[str, str], say: Say, *, asker: str | None = None) -> bool:
    """Checks everything except the settings, and prints a line for each thing. Returns False if one has a problem.

    `asker` is a Slack user id: prints what the policy allows this person.
    """
    say("ok    Settings: complete")
    if is_inferred(environ):
        say(f"ok    CI services: {', '.join(settings.ci_providers)} (by their keys; CI_PROVIDERS overrides)")
    for hint in set_in_vain(settings.ci_providers, environ):
        say(f"hint  Settings: {hint}")
    for file in (Path(".env"), sqlite_file(settings.database_url.reveal())):
        if file is not None and is_open_to_all(file):
            say(f"hint  Files: every user of this machine can read {file}, and secrets in it: chmod 600 {file}")
    policy = _policy(settings, say)
    if policy is not None and asker is not None:
        client, clock = slack_client(settings), SystemClock()
        _lets(policy, asker, Membership(UserGroups(client, clock), People(client, clock)), say)
    parts = (
        policy is not None,
        _subscriptions(settings, say),
        _database(settings, say),
        _bot_token(settings, policy, say),
        _transport(settings, say),
        services_in_place(settings, environ, say),
    )
    is_whole = all(parts)
    say("All checks passed." if is_whole else "Not ready: fix the lines that begin with “wrong”.")
    return is_whole


def is_open_to_all(file: Path) -> bool:
    """Whether the file exists, and users other than its owner and group may read it."""
    try:
        return bool(file.stat().st_mode & 0o004)
    except OSError:
        return False


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
    """The policy; None if the file cannot be used."""
    try:
        policy = policy_in(settings.policy)
    except PolicyError as problem:
        _wrong(say, f"Policy: {problem}")
        return None
    count = "1 rule" if len(policy.rules) == 1 else f"{len(policy.rules)} rules"
    say(
        f"ok    Policy: {settings.policy}, {count}"
        if settings.policy
        else "ok    Policy: none, so everyone, guests too, may do everything"
    )
    return policy


def _subscriptions(settings: Settings, say: Say) -> bool:
    """Whether the file of subscriptions can be used; True if there is none."""
    if settings.subscriptions is None:
        return True
    try:
        found = subscriptions_in(settings.subscriptions, settings.ci_providers)
    except SubscriptionsError as problem:
        return _wrong(say, f"Subscriptions: {problem}")
    say(f"ok    Subscriptions: {settings.subscriptions}, {len(found)} of them")
    return True


def _lets(policy: Policy, asker: str, groups: Groups, say: Say) -> None:
    """Prints what each rule says about this person, in the order in which the rules apply."""
    person = Actor(asker)
    say(f"      {asker}, by the first rule that is about what is asked:")
    for rule in policy.rules:
        included = rule.subjects.includes(person, Location(""), lambda group: groups.has(group, person))
        may = "may" if included else "may (or not: Slack does not tell who is in the user group, or a guest)"
        if included is False:
            where = " or ".join(sorted(rule.subjects.channels))
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
    needed: tuple[str, ...] = SCOPES
    if policy and policy.groups:
        needed = (*needed, *SCOPES_OF_GROUPS)
    if policy and policy.names_guests:
        needed = (*needed, *SCOPES_OF_GUESTS)
    if settings.author_email_domains:
        needed = tuple(dict.fromkeys((*needed, *SCOPES_OF_EMAILS)))
    missing = [scope for scope in needed if scope not in token.scopes]
    if missing:
        return _wrong(
            say,
            f"Slack scopes: {', '.join(missing)} missing. Add what manifest.yml lists under OAuth & Permissions "
            "and install the app again.",
        )
    say(f"ok    Slack scopes: {', '.join(needed)}")
    optional = [scope for scope in SCOPES_OF_CHANNELS if scope not in token.scopes]
    if optional and not settings.slack_allow_other_workspaces:
        say(f"ok    Slack channels: without {' and '.join(optional)}, only the asker sees why a followed build failed")
    links = [scope for scope in SCOPES_OF_LINKS if scope not in token.scopes]
    if links:
        which = " and ".join(links)
        say(f"ok    Slack link previews: off, without {which}. manifest.yml has all that they need, commented out")
    else:
        say("ok    Slack link previews: of the links whose domain is in the app's unfurl_domains")
    if not token.scopes.issuperset(SCOPES_OF_GUESTS):
        say("ok    Slack guests: not told apart from members, which needs the scope users:read")
        if token.identity.enterprise_id:
            say("hint  Slack Connect: without users:read, buttons work for other organisations in shared channels, too")
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
            f"Transport: Slack rejected SLACK_APP_TOKEN: {word}. Make one with connections:write at "
            "https://api.slack.com/apps, your app, Basic Information, App-Level Tokens.",
        )
    except ON_THE_WAY as failure:
        why = f"{type(failure).__name__}. Check the network, the proxy and SLACK_API_URL."
        return _wrong(say, f"Transport: Slack could not be reached: {why}")
    say("ok    Transport: Socket Mode")
    return True


def _wrong(say: Say, line: str) -> bool:
    say(f"wrong {line}")
    return False

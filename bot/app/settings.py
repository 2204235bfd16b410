"""All settings of the bot: one table, parsed once from a mapping, with all problems reported together.

Reads no file and no `os.environ`. No problem repeats a value: it may be a secret in the wrong setting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import Any, Literal
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from bot.ci import SERVICES, by_name
from bot.ci.service import ServicePlugin
from bot.config import parsers as values
from bot.config.parsers import InvalidValue, Secret, tidied
from bot.config.setting import Setting, read_setting
from bot.core.lookup.ci_registry import Pin
from bot.core.model.names.name_patterns import NamePattern

NAMES = ", ".join(service.name for service in SERVICES)

_PINNED_AS = "write it like acme/legacy-*=codeship, acme/*=github"


def chosen(text: str) -> tuple[str, ...]:
    """Parses names of services, separated by commas or blanks."""
    names = tuple(re.split(r"[\s,]+", text.lower().strip(" ,")))
    if not names or any(by_name(name) is None for name in names):
        raise InvalidValue(f"names an unknown CI service. Use {NAMES}")
    if len(set(names)) < len(names):
        raise InvalidValue(f"names a CI service twice: name each of {NAMES} once at most")
    return names


def pins(text: str) -> tuple[Pin, ...]:
    """Parses `acme/legacy-*=codeship, acme/*=github`. The first pin that matches decides."""
    return tuple(_pin(number, entry) for number, entry in enumerate(re.split(r"[\s,]+", text.strip(" ,")), start=1))


def _pin(number: int, entry: str) -> Pin:
    glob, equals, name = entry.rpartition("=")
    if not equals or not glob or "=" in glob:
        raise InvalidValue(f"has no repository and service in entry {number}: {_PINNED_AS}")
    if by_name(name.lower()) is None:
        raise InvalidValue(f"names an unknown CI service in entry {number}. Use {NAMES}")
    return Pin(NamePattern((glob,)), name.lower())


PROVIDERS = Setting(
    "CI_PROVIDERS",
    f"The CI services to use, separated by commas: {NAMES}. With several, a repository belongs to the one that has it. "
    "Without it, the bot uses each service whose key or token is set.",
    "",
    chosen,
)
PINNED = Setting(
    "CI_PINNED",
    "The service of a repository that several services have. The first match decides; * matches any characters: "
    "acme/legacy-*=codeship, acme/*=github.",
    "",
    pins,
)


def pins_to_others(pins: Sequence[Pin], chosen: Sequence[str]) -> list[str]:
    """Problems: pins to services that are not among those `chosen`."""
    others = dict.fromkeys(pin.service for pin in pins if pin.service not in chosen)
    return [
        f"CI_PINNED pins to {name}, which is not in CI_PROVIDERS. Add it there, or leave it out." for name in others
    ]


def is_inferred(environ: Mapping[str, str]) -> bool:
    """Whether the services follow from the other settings, since CI_PROVIDERS is not set."""
    return not values.tidied(environ.get(PROVIDERS.name, ""))


def inferred(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The services that have a key, token or App."""
    return tuple(
        service.name
        for service in SERVICES
        if {service.key_setting, *service.app_settings}.intersection(set_for(service, environ))
    )


def named(names: Sequence[str]) -> list[ServicePlugin]:
    """The services with these names, in this order. Unknown names are left out."""
    return [service for service in map(by_name, names) if service is not None]


def settings_of(service: ServicePlugin, environ: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    """A service's parsed settings. Adds what is wrong with them to `problems`."""
    own: list[str] = []
    values = {row.name: read_setting(row, environ, own) for row in service.rows}
    problems += own or service.problems(values)
    return values


def key_setting(service: ServicePlugin, values: Mapping[str, Any]) -> str:
    """The setting that holds the service's key. Another one if the service authenticates in another way."""
    ways = [service.key_setting, *service.app_settings[-1:]]
    return next((name for name in ways if values[name] is not None), service.key_setting)


def secrets_of(values: Mapping[str, Any]) -> list[str]:
    """The service's secrets, which must not appear in logs."""
    return [value.reveal() for value in values.values() if isinstance(value, Secret)]


def set_for(service: ServicePlugin, environ: Mapping[str, str]) -> list[str]:
    """The names of the service's settings that are set."""
    return [row.name for row in service.rows if tidied(environ.get(row.name, ""))]


def set_in_vain(chosen: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """A sentence for each service that has settings but is not among those `chosen`."""
    return [
        f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} set but not used: {service.name} is not in "
        "CI_PROVIDERS."
        for service in SERVICES
        if service.name not in chosen and (names := set_for(service, environ))
    ]


def rows_of_services() -> tuple[Setting, ...]:
    return tuple(row for service in SERVICES for row in service.rows)


HTTP_PORT = 3000
"""The port of HTTP mode if `PORT` is not set."""

_TRANSPORTS = ("SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET")
_SLACK_APPS = "https://api.slack.com/apps"


_ROWS_BEFORE = (
    Setting(
        "SLACK_BOT_TOKEN",
        "The bot's token for Slack's API.",
        f"{_SLACK_APPS}, your app, OAuth & Permissions, Bot User OAuth Token (xoxb-…)",
        values.token("xoxb-"),
        required=True,
        secret=True,
    ),
    Setting(
        "SLACK_APP_TOKEN",
        "Enables Socket Mode: the bot opens a connection to Slack, so it needs no public address. Required unless "
        "SLACK_SIGNING_SECRET is set.",
        f"{_SLACK_APPS}, your app, Basic Information, App-Level Tokens, one with connections:write (xapp-…)",
        values.token("xapp-"),
        secret=True,
    ),
    Setting(
        "SLACK_SIGNING_SECRET",
        "Verifies requests from Slack over HTTP. If it is set without SLACK_APP_TOKEN, the bot uses HTTP: Slack sends "
        "all requests to /slack/events.",
        f"{_SLACK_APPS}, your app, Basic Information, App Credentials, Signing Secret",
        values.key,
        secret=True,
    ),
    Setting(
        "SLACK_API_URL",
        "Slack's Web API. Change it only for a proxy.",
        "",
        values.slack_api_address,
        "https://slack.com/api/",
    ),
    Setting(
        "SLACK_COMMAND",
        "The slash commands, separated by commas, as in manifest.yml. Messages name the first one.",
        "",
        values.slash_commands,
        "/codeship,/ci",
    ),
    Setting(
        "SLACK_ALLOW_OTHER_WORKSPACES",
        "Whether members of other workspaces (Slack Connect) may use the bot in shared channels, which then can be "
        "subscribed: yes or no.",
        "",
        values.yes_or_no,
        "no",
    ),
    PROVIDERS,
    PINNED,
)

_ROWS_AFTER = (
    Setting(
        "DATABASE_URL",
        "The database. SQLite: sqlite:///relative/path or sqlite:////absolute/path (in a container: on a volume). "
        "PostgreSQL, for several processes: postgresql://user:password@host/database.",
        "",
        values.database,
        "sqlite:///codeship-bot.sqlite3",
        secret=True,
    ),
    Setting(
        "AUDIT_KEPT_DAYS",
        "How many days to keep entries of the audit log.",
        "",
        values.days,
        "365",
    ),
    Setting(
        "POLICY",
        "A TOML file with rules: who may do what, and what needs confirmation (docs/policy.md). Read at the start and "
        "on SIGHUP. Without it, everyone in the workspace may do everything.",
        "",
        values.path,
    ),
    Setting(
        "SUBSCRIPTIONS",
        "A TOML file with subscriptions of channels (docs/notifications.md). Read at the start and on SIGHUP. They can "
        "be seen and muted in Slack, and are changed only in the file.",
        "",
        values.path,
    ),
    Setting(
        "TIME_ZONE",
        "The time zone of times that people type without one, such as mute until mon 9:00.",
        "",
        values.time_zone,
        "UTC",
    ),
    Setting(
        "AUTHOR_EMAIL_DOMAINS",
        "Domains of e-mail addresses in commits that the bot trusts, separated by commas: an author with no linked "
        "account is then found by Slack's users.lookupByEmail (docs/notifications.md). Needs two optional scopes.",
        "",
        values.email_domains,
    ),
    Setting("HOST", "The address to listen on for HTTP.", "", values.host, "0.0.0.0"),  # noqa: S104 - a container's only way in
    Setting(
        "PORT",
        f"The port to listen on for HTTP. If Slack uses HTTP, the default is {HTTP_PORT}. In Socket Mode, /healthz, "
        "/readyz and /metrics are served only if it is set. 0 uses a free port.",
        "",
        values.port,
    ),
    Setting(
        "OPS_PORT",
        "A second, private port for /readyz, /metrics and /healthz. PORT then serves neither /readyz nor /metrics. "
        "0 uses a free port.",
        "",
        values.port,
    ),
    Setting("LOG_LEVEL", "The lowest level to log: DEBUG, INFO, WARNING or ERROR.", "", values.log_level, "INFO"),
    Setting("LOG_FORMAT", "The format of log lines: text or json.", "", values.log_format, "text"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, parsed or by default. Its repr shows no secret.

    `port` None: no HTTP (Socket Mode without PORT). `ops_port` None: `port` serves /readyz and /metrics.
    `slack_api_url` ends in a slash, other addresses do not. `ci` has the settings of each of
    `ci_providers`, by service and setting.
    """

    slack_bot_token: Secret
    slack_app_token: Secret | None
    slack_signing_secret: Secret | None
    slack_api_url: str
    slack_command: tuple[str, ...]
    slack_allow_other_workspaces: bool
    ci_providers: tuple[str, ...]
    ci_pinned: tuple[Pin, ...]
    ci: Mapping[str, Mapping[str, Any]]
    database_url: Secret
    audit_kept_days: int
    policy: str | None
    subscriptions: str | None
    time_zone: ZoneInfo
    author_email_domains: frozenset[str] | None
    host: str
    port: int | None
    ops_port: int | None
    log_level: str
    log_format: Literal["text", "json"]

    @property
    def uses_socket_mode(self) -> bool:
        return self.slack_app_token is not None

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """Parses `environ`; an empty value counts as absent.

        Raises `BadSettings` with all problems.
        """
        problems: list[str] = []
        found: dict[str, Any] = {row.field: read_setting(row, environ, problems) for row in _ROWS_BEFORE}
        if is_inferred(environ):
            found["ci_providers"] = inferred(environ)
            if not found["ci_providers"]:
                problems.append(_no_service())
                for row in rows_of_services():
                    if tidied(environ.get(row.name, "")):
                        read_setting(row, environ, problems)
        providers, pinned = found["ci_providers"] or (), found["ci_pinned"] or ()
        problems += pins_to_others(pinned, providers) if providers else []
        of_services: list[str] = []
        found["ci"] = {service.name: settings_of(service, environ, of_services) for service in named(providers)}
        if of_services:
            of_services[-1] += "".join(f"\n  {hint}" for hint in set_in_vain(providers, environ))
        problems += of_services
        found["ci_pinned"] = pinned
        found |= {row.field: read_setting(row, environ, problems) for row in _ROWS_AFTER}
        if not any(values.tidied(environ.get(name, "")) for name in _TRANSPORTS):
            problems.append(_no_transport())
        if problems:
            raise BadSettings(problems)
        if found["port"] is None and found["slack_app_token"] is None:
            found["port"] = HTTP_PORT
        if found["ops_port"] and found["ops_port"] == found["port"]:
            raise BadSettings(
                [f"OPS_PORT is {found['port']}, which is PORT already: give another one, or leave it out."]
            )
        return cls(**found)

    def secrets(self) -> tuple[str, ...]:
        """Values that must not appear in logs: keys, tokens, and a password in the database's address."""
        held = (self.slack_bot_token, self.slack_app_token, self.slack_signing_secret)
        words = [secret.reveal() for secret in held if secret is not None]
        words += [word for values_of_one in self.ci.values() for word in secrets_of(values_of_one)]
        password = urlsplit(self.database_url.reveal()).password or ""
        return tuple(dict.fromkeys(word for word in (*words, password, unquote(password)) if word))


class BadSettings(Exception):
    """The settings cannot be used. `problems`: each problem, then lines with why it matters and where to
    get the value.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        count = "1 setting is" if len(problems) == 1 else f"{len(problems)} settings are"
        super().__init__("\n\n".join([f"{count} wrong:", *(indent(problem, "  ") for problem in problems)]))


def rows() -> tuple[Setting, ...]:
    """Every setting, in display order."""
    return (*_ROWS_BEFORE, *rows_of_services(), *_ROWS_AFTER)


def database_url(environ: Mapping[str, str]) -> Secret:
    """Parses DATABASE_URL only, for commands that need nothing else. Raises `BadSettings`."""
    problems: list[str] = []
    url = read_setting(next(row for row in _ROWS_AFTER if row.name == "DATABASE_URL"), environ, problems)
    if not isinstance(url, Secret):
        raise BadSettings(problems)
    return url


def _no_service() -> str:
    ways = []
    for service in SERVICES:
        key = next(row for row in service.rows if row.name == service.key_setting)
        ways.append(f"\n  {service.title}: {key.name}, from {key.where}.")
        app = [row for row in service.rows if row.name in service.app_settings]
        if app:
            ways.append(f"\n  {service.title}, as an App: {', '.join(row.name for row in app)}, from {app[0].where}.")
    return (
        "No CI service has a key or a token. Give at least one."
        + "".join(ways)
        + "\n  To try the bot without any: make playground."
    )


def _no_transport() -> str:
    app, signing = (next(row for row in _ROWS_BEFORE if row.name == name) for name in _TRANSPORTS)
    return (
        f"{app.name} and {signing.name} are both missing: one says how Slack reaches the bot."
        f"\n  Socket Mode, without a public address: {app.name}, from {app.where}."
        f"\n  HTTP: {signing.name}, from {signing.where}."
    )

"""What an operator can set: one table of rows, read once from a mapping, all problems told together.

No file and no `os.environ` in here, and no problem repeats a value: what was pasted may be somebody's secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import indent
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from bot import setting_services as services
from bot import setting_values as values
from bot.core.services import Pin
from bot.setting_rows import Row, read_row
from bot.setting_values import Secret

HTTP_PORT = 3000
"""Where HTTP serves unless `PORT` says otherwise."""

_TRANSPORTS = ("SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET")
_SLACK_APPS = "https://api.slack.com/apps"


_ROWS_BEFORE = (
    Row(
        "SLACK_BOT_TOKEN",
        "The bot's own token, with which it answers in Slack.",
        f"{_SLACK_APPS}, your app, OAuth & Permissions, Bot User OAuth Token (xoxb-…)",
        values.token("xoxb-"),
        required=True,
    ),
    Row(
        "SLACK_APP_TOKEN",
        "Opens Socket Mode: Slack's requests come over a connection that the bot makes, and no public address is "
        "needed. Required unless SLACK_SIGNING_SECRET is set.",
        f"{_SLACK_APPS}, your app, Basic Information, App-Level Tokens, one with connections:write (xapp-…)",
        values.token("xapp-"),
    ),
    Row(
        "SLACK_SIGNING_SECRET",
        "Proves that a request over HTTP comes from Slack. Set without SLACK_APP_TOKEN it chooses HTTP: "
        "Slack sends everything to /slack/events, signed.",
        f"{_SLACK_APPS}, your app, Basic Information, App Credentials, Signing Secret",
        values.key,
    ),
    Row(
        "SLACK_API_URL",
        "Slack's Web API. Leave it, unless a proxy of yours stands in between.",
        "",
        values.slack_api_address,
        "https://slack.com/api/",
    ),
    Row(
        "SLACK_COMMAND",
        "The slash command that the bot answers to, the same word as in manifest.yml.",
        "",
        values.slash_command,
        "/codeship",
    ),
    Row(
        "SLACK_ALLOW_OTHER_WORKSPACES",
        "Whether people of other workspaces (Slack Connect) may ask and restart in channels shared with them: "
        "yes or no.",
        "",
        values.yes_or_no,
        "no",
    ),
    services.PROVIDERS,
    services.PINNED,
)

_ROWS_AFTER = (
    Row(
        "DATABASE_URL",
        "Where the bot remembers restarts and what it follows: an SQLite file, sqlite:///relative/path or "
        "sqlite:////absolute/path (in a container: on a volume), or, for one bot of many processes, "
        "postgresql://user:password@host/database.",
        "",
        values.database,
        "sqlite:///codeship-bot.sqlite3",
    ),
    Row(
        "AUDIT_KEPT_DAYS",
        "For how many days it is kept who restarted what, and what came of it.",
        "",
        values.days,
        "365",
    ),
    Row(
        "POLICY",
        "The file of rules (TOML) that says who may restart what, and what is confirmed first: docs/policy.md. Read at "
        "the start and at SIGHUP. Without it everyone may.",
        "",
        values.path,
    ),
    Row("HOST", "The address that HTTP listens on.", "", values.host, "0.0.0.0"),  # noqa: S104 - a container's only way in
    Row(
        "PORT",
        f"The port that HTTP listens on. With HTTP as transport {HTTP_PORT} unless set; in Socket Mode /healthz, "
        "/readyz and /metrics are served only where it is set. 0 takes any free one.",
        "",
        values.port,
    ),
    Row("LOG_LEVEL", "The least that is logged: DEBUG, INFO, WARNING or ERROR.", "", values.log_level, "INFO"),
    Row("LOG_FORMAT", "How a log line looks: text or json.", "", values.log_format, "text"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that was set, or its default. Its repr shows no secret.

    `port` None: HTTP serves nothing (Socket Mode, no PORT). `slack_api_url` ends in a slash, other addresses do not.
    `ci` is what each of `ci_providers` is set to, by the service's name and the setting's.
    """

    slack_bot_token: Secret
    slack_app_token: Secret | None
    slack_signing_secret: Secret | None
    slack_api_url: str
    slack_command: str
    slack_allow_other_workspaces: bool
    ci_providers: tuple[str, ...]
    ci_pinned: tuple[Pin, ...]
    ci: Mapping[str, Mapping[str, Any]]
    database_url: Secret
    audit_kept_days: int
    policy: str | None
    host: str
    port: int | None
    log_level: str
    log_format: Literal["text", "json"]

    @property
    def uses_socket_mode(self) -> bool:
        return self.slack_app_token is not None

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """The settings in `environ`, where an empty value counts as absent.

        Raises `BadSettings` with every problem there is.
        """
        problems: list[str] = []
        found: dict[str, Any] = {row.field: read_row(row, environ, problems) for row in _ROWS_BEFORE}
        providers, pinned = found["ci_providers"] or (), found["ci_pinned"] or ()
        problems += services.pins_to_others(pinned, providers) if providers else []
        of_services: list[str] = []
        found["ci"] = {
            service.name: services.settings_of(service, environ, of_services) for service in services.named(providers)
        }
        if of_services:
            of_services[-1] += "".join(f"\n  {hint}" for hint in services.set_in_vain(providers, environ))
        problems += of_services
        found["ci_pinned"] = pinned
        found |= {row.field: read_row(row, environ, problems) for row in _ROWS_AFTER}
        if not any(values.tidied(environ.get(name, "")) for name in _TRANSPORTS):
            problems.append(_no_transport())
        if problems:
            raise BadSettings(problems)
        if found["port"] is None and found["slack_app_token"] is None:
            found["port"] = HTTP_PORT
        return cls(**found)

    def secrets(self) -> tuple[str, ...]:
        """What must stand in no log: the keys and tokens, and a password within the database's address."""
        held = (self.slack_bot_token, self.slack_app_token, self.slack_signing_secret)
        words = [secret.reveal() for secret in held if secret is not None]
        words += [word for values_of_one in self.ci.values() for word in services.secrets_of(values_of_one)]
        password = urlsplit(self.database_url.reveal()).password or ""
        return tuple(dict.fromkeys(word for word in (*words, password, unquote(password)) if word))


class BadSettings(Exception):
    """The settings cannot be used. `problems`: what is wrong, then lines with why it matters and where to get it."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        count = "1 setting is" if len(problems) == 1 else f"{len(problems)} settings are"
        super().__init__("\n\n".join([f"{count} not right:", *(indent(problem, "  ") for problem in problems)]))


def rows() -> tuple[Row, ...]:
    """Every setting, in the order in which to show them."""
    return (*_ROWS_BEFORE, *services.rows_of_services(), *_ROWS_AFTER)


def database_url(environ: Mapping[str, str]) -> Secret:
    """DATABASE_URL alone, for what needs no other. Raises `BadSettings`."""
    problems: list[str] = []
    url = read_row(next(row for row in _ROWS_AFTER if row.name == "DATABASE_URL"), environ, problems)
    if not isinstance(url, Secret):
        raise BadSettings(problems)
    return url


def _no_transport() -> str:
    app, signing = (next(row for row in _ROWS_BEFORE if row.name == name) for name in _TRANSPORTS)
    return (
        f"{app.name} and {signing.name} are both missing: one says how Slack reaches the bot."
        f"\n  Socket Mode, without a public address: {app.name}, from {app.where}."
        f"\n  HTTP: {signing.name}, from {signing.where}."
    )

"""What an operator can set: one table of rows, read once from a mapping, all problems told together.

No file and no `os.environ` in here, and no problem repeats a value: what was pasted may be somebody's secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from textwrap import indent
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from bot import setting_values as values
from bot.setting_values import Refused, Secret

HTTP_PORT = 3000
"""Where HTTP serves unless `PORT` says otherwise."""

_TRANSPORTS = ("SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET")
_SLACK_APPS = "https://api.slack.com/apps"


@dataclass(frozen=True, slots=True)
class Row:
    """One setting, as people read of it. `default` None: required, or absent unless set (`meaning` says which)."""

    name: str
    meaning: str
    where: str  # where to get it; empty where it is the operator's choice
    read: Callable[[str], object]
    default: str | None = None
    required: bool = False

    @property
    def field(self) -> str:
        """The name of its attribute in `Settings`."""
        return self.name.lower()


_ROWS = (
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
    Row(
        "CODESHIP_API_KEY",
        "The key with which the bot asks CodeShip; it sees and restarts what the key's owner can.",
        "https://app.codeship.com/user/edit, API Key",
        values.key,
        required=True,
    ),
    Row(
        "CODESHIP_API_URL",
        "The host that serves CodeShip's v1 API. https, or http on this machine.",
        "whoever runs that host",
        values.api_address,
        "https://codeship.com/api/v1",
    ),
    Row(
        "CODESHIP_WEB_URL",
        "Where the pages of projects and builds are, to link to.",
        "whoever runs that host",
        values.page_address,
        "https://app.codeship.com",
    ),
    Row(
        "CODESHIP_CALLS_PER_MINUTE",
        "How often the bot may ask CodeShip in any minute, all processes on one database together. People's questions "
        "come first.",
        "",
        values.calls_per_minute,
        "60",
    ),
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
    """

    slack_bot_token: Secret
    slack_app_token: Secret | None
    slack_signing_secret: Secret | None
    slack_api_url: str
    slack_command: str
    slack_allow_other_workspaces: bool
    codeship_api_key: Secret
    codeship_api_url: str
    codeship_web_url: str
    codeship_calls_per_minute: int
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
        found: dict[str, Any] = {row.field: _read(row, environ, problems) for row in _ROWS}
        if not any(values.tidied(environ.get(name, "")) for name in _TRANSPORTS):
            problems.append(_no_transport())
        if problems:
            raise BadSettings(problems)
        if found["port"] is None and found["slack_app_token"] is None:
            found["port"] = HTTP_PORT
        return cls(**found)

    def secrets(self) -> tuple[str, ...]:
        """What must stand in no log: the keys and tokens, and a password within the database's address."""
        held = (self.slack_bot_token, self.slack_app_token, self.slack_signing_secret, self.codeship_api_key)
        password = urlsplit(self.database_url.reveal()).password or ""
        words = [secret.reveal() for secret in held if secret is not None] + [password, unquote(password)]
        return tuple(dict.fromkeys(word for word in words if word))


class BadSettings(Exception):
    """The settings cannot be used. `problems`: what is wrong, then lines with why it matters and where to get it."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        count = "1 setting is" if len(problems) == 1 else f"{len(problems)} settings are"
        super().__init__("\n\n".join([f"{count} not right:", *(indent(problem, "  ") for problem in problems)]))


def rows() -> tuple[Row, ...]:
    """Every setting, in the order in which to show them."""
    return _ROWS


def database_url(environ: Mapping[str, str]) -> Secret:
    """DATABASE_URL alone, for what needs no other. Raises `BadSettings`."""
    problems: list[str] = []
    url = _read(next(row for row in _ROWS if row.name == "DATABASE_URL"), environ, problems)
    if not isinstance(url, Secret):
        raise BadSettings(problems)
    return url


def _read(row: Row, environ: Mapping[str, str], problems: list[str]) -> object:
    """The value of one row, None where there is none; what is wrong with it is added to `problems`."""
    text = values.tidied(environ.get(row.name, "")) or row.default
    if text is None:
        if row.required:
            problems.append(f"{row.name} is missing.{_why_and_where(row)}")
        return None
    try:
        return row.read(text)
    except Refused as refused:
        problems.append(f"{row.name} {refused}.{_why_and_where(row)}")
        return None


def _no_transport() -> str:
    app, signing = (next(row for row in _ROWS if row.name == name) for name in _TRANSPORTS)
    return (
        f"{app.name} and {signing.name} are both missing: one says how Slack reaches the bot."
        f"\n  Socket Mode, without a public address: {app.name}, from {app.where}."
        f"\n  HTTP: {signing.name}, from {signing.where}."
    )


def _why_and_where(row: Row) -> str:
    return f"\n  {row.meaning}" + (f"\n  From {row.where}." if row.where else "")

"""The settings for GitHub Actions, their checks, and how the bot connects with them."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast
from wsgiref.types import WSGIApplication

from bot.ci.github.http.auth import READ_ONLY, App, signing_key
from bot.ci.github.http.errors import TITLE
from bot.ci.github.urls import API_URL, SERVICE, WEB_URL, WEBHOOK_PATH
from bot.ci.service import CIClient, ClientContext, Permission, PollNow, ServicePlugin, SettingValues
from bot.config import parsers as values
from bot.config.parsers import InvalidValue, Secret
from bot.config.setting import Setting
from bot.core.model.builds import Project
from bot.core.model.errors import CIError

if TYPE_CHECKING:
    from bot.ci.github.client import GitHub

_OF_THE_APP = ("GITHUB_APP_ID", "GITHUB_APP_INSTALLATION_ID", "GITHUB_APP_PRIVATE_KEY_FILE")
_PERMISSIONS = "repository permissions Actions: read and write, Metadata: read"
_NEW_TOKEN = f"{WEB_URL}/settings/personal-access-tokens/new, {_PERMISSIONS}"
_NEW_APP = f"{WEB_URL}/settings/apps/new (of an organization: its own settings), {_PERMISSIONS}"
_MAX_KEY_BYTES = 64 * 1024
_APP_ID = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)
_HOOK_PATH = re.compile(r"(?:orgs/[\w.-]{1,100}|repos/[\w.-]{1,100}/[\w.-]{1,100})/hooks/[0-9]{1,18}", re.ASCII)
_INSTALLATION_ID = re.compile(r"[0-9]{1,18}", re.ASCII)


def _app_id(text: str) -> str:
    if not _APP_ID.fullmatch(text):
        raise InvalidValue("is neither the App's ID nor its client ID")
    return text


def _installation_id(text: str) -> str:
    if not _INSTALLATION_ID.fullmatch(text):
        raise InvalidValue("is not the number of an installation")
    return text


def _hook_path(text: str) -> str:
    if not _HOOK_PATH.fullmatch(text):
        raise InvalidValue("is neither orgs/NAME/hooks/NUMBER nor repos/OWNER/NAME/hooks/NUMBER")
    return text


def _api_url(text: str) -> str:
    address: str = values.api_address(text)
    if address.lower() in (WEB_URL, WEB_URL.replace("//", "//www.")):
        raise InvalidValue(f"is where GitHub's pages are: its API is at {API_URL}")
    return address


_ROWS = (
    Setting(
        "GITHUB_TOKEN",
        "The token for GitHub. The bot sees and restarts what the token allows. Required unless the bot is a "
        "GitHub App.",
        _NEW_TOKEN,
        values.key,
        secret=True,
    ),
    Setting(
        "GITHUB_APP_ID",
        "Makes the bot a GitHub App: the App's ID or client ID. Requires the next two settings.",
        _NEW_APP,
        _app_id,
    ),
    Setting(
        "GITHUB_APP_INSTALLATION_ID",
        "The App's installation on the account that has the repositories.",
        "the number at the end of the page's address: the account's settings, GitHub Apps, Configure",
        _installation_id,
    ),
    Setting(
        "GITHUB_APP_PRIVATE_KEY_FILE",
        "A file with the App's private key (PEM).",
        "the App's settings, Private keys, Generate a private key",
        values.path,
    ),
    Setting(
        "GITHUB_API_URL",
        "GitHub's REST API. Enterprise Server: https://its-host/api/v3. https, or http on this machine.",
        "",
        _api_url,
        API_URL,
    ),
    Setting(
        READ_ONLY,
        "yes: the bot shows and follows builds, and neither offers nor sends restarts and cancels. Use it for a token "
        "without Actions: write.",
        "",
        values.yes_or_no,
        "no",
    ),
    Setting(
        "GITHUB_CALLS_PER_MINUTE",
        "The most requests to GitHub per minute, for all processes with the same database. GitHub allows a token 5000 "
        "requests an hour.",
        "",
        values.calls_per_minute,
        "80",
    ),
    Setting(
        "GITHUB_WEBHOOK_SECRET",
        f"Verifies webhooks from GitHub at {WEBHOOK_PATH} (events: Workflow runs, Workflow jobs; content type: "
        "application/json). With them the bot sees changes sooner.",
        "a long random text of your choice, the same as in the webhook's settings",
        values.key,
        secret=True,
    ),
    Setting(
        "GITHUB_WEBHOOK_PATH",
        "The webhook, as orgs/acme/hooks/12 or repos/acme/web/hooks/7. The bot then asks GitHub to send again what did "
        "not arrive. A GitHub App needs it only if the webhook is not its own.",
        "the number at the end of the address of the webhook's settings; the token needs Webhooks: read and write",
        _hook_path,
    ),
)


def _problems(set_to: SettingValues) -> list[str]:
    has_token = set_to["GITHUB_TOKEN"] is not None
    missing = [name for name in _OF_THE_APP if set_to[name] is None]
    if has_token and len(missing) < len(_OF_THE_APP):
        given = next(name for name in _OF_THE_APP if name not in missing)
        return [f"GITHUB_TOKEN and {given} are both set: leave out one, so that it is clear who the bot is."]
    if has_token:
        return []
    if len(missing) == len(_OF_THE_APP):
        return [
            "GITHUB_TOKEN is missing, and so is a GitHub App: one of them says who the bot is."
            f"\n  A token: GITHUB_TOKEN, from {_NEW_TOKEN}."
            f"\n  An App: {', '.join(_OF_THE_APP)}, from {_NEW_APP}."
        ]
    if missing:
        rows = [row for row in _ROWS if row.name in missing]
        return [f"{row.name} is missing.\n  {row.meaning}\n  From {row.where}." for row in rows]
    return _problems_with_the_key(set_to["GITHUB_APP_PRIVATE_KEY_FILE"])


def _problems_with_the_key(path: str) -> list[str]:
    try:
        pem = _private_key(path)
    except OSError as failure:
        return [f"GITHUB_APP_PRIVATE_KEY_FILE names a file that cannot be read: {failure.strerror or failure}."]
    if signing_key(pem) is None:
        return [
            "GITHUB_APP_PRIVATE_KEY_FILE names a file that contains no RSA private key (PEM, without a passphrase)."
        ]
    return []


def _private_key(path: str) -> Secret:
    with Path(path).open("rb") as file:
        return Secret(file.read(_MAX_KEY_BYTES).decode("utf-8", "replace"))


def _connect(set_to: SettingValues, context: ClientContext) -> GitHub:
    from bot.ci.github.client import GitHub  # imported late: a bot for CodeShip alone does not need it
    from bot.ci.github.hook_deliveries import APP_HOOK

    who: Secret | App | None = set_to["GITHUB_TOKEN"]
    if who is None:
        app_id, installation_id, path = (set_to[name] for name in _OF_THE_APP)
        who = App(app_id, installation_id, _private_key(path))
    hook = set_to["GITHUB_WEBHOOK_PATH"] or (APP_HOOK if isinstance(who, App) else None)
    has_webhook = set_to["GITHUB_WEBHOOK_SECRET"] is not None
    return GitHub(
        set_to["GITHUB_API_URL"], who, context, read_only=set_to[READ_ONLY], hook=hook if has_webhook else None
    )


def _permissions(set_to: SettingValues, context: ClientContext, project: Project) -> list[Permission]:
    client = _connect(set_to, context)
    try:
        granted = client.permissions(project)
        with suppress(CIError):  # it was listed a moment ago: this asks only what the list leaves out
            client.projects()
        hidden = ", ".join(client.hidden_organizations)
        if hidden:
            granted.append(Permission(f"sign-on (SSO) of organizations {hidden}", False, "their repositories"))
        return granted
    finally:
        client.close()


def _webhook(set_to: SettingValues, client: CIClient, poll_now: PollNow) -> tuple[str, WSGIApplication] | None:
    from bot.ci.github.webhook import GitHubWebhook

    secret = set_to["GITHUB_WEBHOOK_SECRET"]
    return None if secret is None else (WEBHOOK_PATH, GitHubWebhook(secret, cast("GitHub", client), poll_now))


GITHUB = ServicePlugin(
    name=SERVICE,
    title=TITLE,
    key_setting="GITHUB_TOKEN",
    app_settings=_OF_THE_APP,
    calls_setting="GITHUB_CALLS_PER_MINUTE",
    rows=_ROWS,
    connect=_connect,
    rights="Actions: read and write, Metadata: read",
    problems=_problems,
    permissions=_permissions,
    webhook=_webhook,
)

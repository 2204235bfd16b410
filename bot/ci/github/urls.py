"""The addresses of GitHub's pages: found beside its API, made from what it says, read when people paste them. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from bot.core.model.builds import Page

API_URL = "https://api.github.com"
WEB_URL = "https://github.com"

_ENTERPRISE_API = "/api/v3"
_NAME = r"(?P<name>(?!\.{1,2}/)[\w.-]{1,100}/(?!\.{1,2}/)[\w.-]{1,100})"
_PAGE = re.compile(
    rf"/{_NAME}/(?:actions(?:/runs/(?P<run>[0-9]{{1,18}}))?|commit/[0-9a-f]{{7,64}}/checks)(?:/.*)?", re.ASCII
)


def web_url(api_url: str) -> str:
    """Where the pages are of which `api_url` is the API.

    `https://api.github.com` and `https://api.acme.ghe.com` have them without `api.`, an Enterprise Server at
    `https://git.acme.test/api/v3` on the same host. Anything else stands in front of GitHub's own.
    """
    address = api_url.rstrip("/")
    if address.endswith(_ENTERPRISE_API):
        return address.removesuffix(_ENTERPRISE_API)
    return address.replace("://api.", "://", 1) if "://api." in address else WEB_URL


def commit_page(repository_page: str, commit: str) -> str:
    return f"{repository_page}/commit/{commit}"


def checks_page(repository_page: str, commit: str) -> str:
    """Every workflow's run for the commit."""
    return f"{commit_page(repository_page, commit)}/checks"


def parse_url(url: str, web: str = WEB_URL) -> Page | None:
    """The repository that a page of Actions at `web` belongs to, and the run that it shows, whichever attempt or job.

    None for every other page, a repository's own ones too.
    """
    url = url.strip()
    try:
        asked, ours = urlsplit(url if "://" in url else f"https://{url}"), urlsplit(web)
        here = (_host(asked.hostname), asked.port) == (_host(ours.hostname), ours.port)
    except ValueError:
        return None
    base = ours.path.rstrip("/")
    if asked.scheme not in ("http", "https") or not here or not asked.path.startswith(f"{base}/"):
        return None
    page = _PAGE.fullmatch(asked.path.removeprefix(base))
    return None if page is None else Page(name=page["name"], build_id=page["run"])


def _host(host: str | None) -> str:
    return (host or "").removeprefix("www.")

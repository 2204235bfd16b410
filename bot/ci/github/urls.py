"""Addresses of GitHub's pages: built for links, parsed when people paste them. Pure."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlsplit

from bot.core.lookup.repo_urls import may_be_branch, page_in, shown_in
from bot.core.model.builds import Page

SERVICE = "github"
API_URL = "https://api.github.com"
WEB_URL = "https://github.com"
WEBHOOK_PATH = "/github/webhook"
"""Of this bot."""

_ENTERPRISE_API = "/api/v3"
_NAME = r"(?P<name>(?!\.{1,2}/)[\w.-]{1,100}/(?!\.{1,2}/)[\w.-]{1,100})"
_PAGE = re.compile(rf"/{_NAME}/(?P<rest>[^/].*)", re.ASCII)
_RUN = re.compile(r"actions/runs/(?P<run>[0-9]{1,18})(?:/.*)?", re.ASCII)
_BRANCH_QUERY = re.compile(r"(?:^|\s)branch:(?:\"(?P<quoted>[^\"]+)\"|(?P<plain>\S+))")


def web_url(api_url: str) -> str:
    """The base address of the pages that belong to the API at `api_url`.

    `https://api.github.com` and `https://api.acme.ghe.com`: the host without `api.`. An Enterprise Server at
    `https://git.acme.test/api/v3`: the same host. Anything else is a proxy for github.com.
    """
    address = api_url.rstrip("/")
    if address.endswith(_ENTERPRISE_API):
        return address.removesuffix(_ENTERPRISE_API)
    return address.replace("://api.", "://", 1) if "://api." in address else WEB_URL


def commit_page(repository_page: str, commit: str) -> str:
    return f"{repository_page}/commit/{commit}"


def checks_page(repository_page: str, commit: str) -> str:
    """The page with every workflow's run for the commit."""
    return f"{commit_page(repository_page, commit)}/checks"


def parse_url(url: str, web: str = WEB_URL) -> Page | None:
    """What a page of Actions at `web` shows: a run (of whichever attempt or job), a branch, a commit's or a pull
    request's checks; the repository alone for the page of all runs.

    If only its setting shows that the server is a git host, also what the repository's other pages show. None for every
    other page, including a repository's main page.
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
    if page is None:
        return None
    name, rest = page["name"], page["rest"].rstrip("/")
    if run := _RUN.fullmatch(rest):
        return Page(name=name, build_id=run["run"])
    if rest in ("actions", "actions/runs") or rest.startswith("actions/workflows/"):
        branch = _queried_branch(asked.query)
        is_unclear = branch is None and "branch:" in unquote(asked.query)
        return Page(name=name, branch=branch, is_unclear=is_unclear)
    # The core parses a repository's other pages, if it recognises the git host.
    is_of_any_service = page_in(url) is not None and not rest.endswith("/checks")
    return None if is_of_any_service else shown_in(name, [unquote(part) for part in rest.split("/")])


def _queried_branch(query: str) -> str | None:
    """The branch in Actions' search box: `query=branch:main event:push`."""
    found = _BRANCH_QUERY.search(parse_qs(query).get("query", [""])[0])
    branch = (found["quoted"] or found["plain"]) if found else ""
    return branch if may_be_branch(branch) else None


def _host(host: str | None) -> str:
    return (host or "").removeprefix("www.")

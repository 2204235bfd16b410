"""The addresses of pages that people open: made from what CodeShip says, and read when people paste them. Pure."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from bot.core.model import Page

WEB_URL = "https://app.codeship.com"

_HOSTS = frozenset({"app.codeship.com", "www.codeship.com", "codeship.com", "www.codeship.io", "codeship.io"})
_PAGE = re.compile(r"/projects/([0-9]{1,18})(?:/builds/([0-9]{1,18}))?(?:/.*)?", re.ASCII)
_REPOSITORY = re.compile(r"(?!\.{1,2}/)[\w.-]{1,100}/(?!\.{1,2}$)[\w.-]{1,100}", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{7,40}", re.IGNORECASE)
_COMMIT_PAGES = {
    "github": "https://github.com/{}/commit/{}",
    "bitbucket": "https://bitbucket.org/{}/commits/{}",
    "gitlab": "https://gitlab.com/{}/-/commit/{}",
}


def project_page(web_url: str, project_id: str) -> str:
    return f"{web_url.rstrip('/')}/projects/{quote(project_id, safe='', errors='replace')}"


def build_page(web_url: str, project_id: str, build_id: str) -> str:
    return f"{project_page(web_url, project_id)}/builds/{quote(build_id, safe='', errors='replace')}"


def commit_page(provider: str | None, repository_name: str, commit: str | None) -> str | None:
    """Where the commit can be read; None where that is not certain. A provider that is not told is GitHub."""
    page = _COMMIT_PAGES.get((provider or "github").lower())
    if page is None or commit is None:
        return None
    if not (_REPOSITORY.fullmatch(repository_name) and _COMMIT.fullmatch(commit)):
        return None
    return page.format(repository_name, commit)


def recognise(url: str, web_url: str = WEB_URL) -> Page | None:
    """The project and the build that a pasted address names by their ids; None where it is no page of CodeShip.

    A page of a project that shows no build names the project alone.
    """
    url = url.strip()
    try:
        asked, ours = urlsplit(url if "://" in url else f"https://{url}"), urlsplit(web_url)
        here = (asked.hostname, asked.port) == (ours.hostname, ours.port)
    except ValueError:
        return None
    if asked.scheme not in ("http", "https"):
        return None
    path, base = asked.path, ours.path.rstrip("/")
    if here and path.startswith(f"{base}/"):
        path = path.removeprefix(base)
    elif asked.hostname not in _HOSTS or asked.port is not None:
        return None
    page = _PAGE.fullmatch(path)
    return None if page is None else Page(project_id=page[1], build_id=page[2])

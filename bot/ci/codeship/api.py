"""CodeShip's v1 API: the requests to send, and parsers for the responses. Pure: no I/O, no clock.

The contract, as documented and as observed: three calls, each with the key in its query.

    GET  /projects.json              {"projects": [PROJECT, …]}
    GET  /projects/:id.json          PROJECT; with `branch=`, only the builds of that branch
    POST /builds/:id/restart.json    {"id": …, "uuid": …}

Every `parse_…` of a response takes any status, headers and bytes, and raises only `CIError`. `key` is the API key, so
that no error repeats it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from bot.ci import json_fields as cleaning
from bot.ci.http_client.responses import Request, detail, error_for
from bot.core.model.builds import REPOSITORY_NAME, Build, Page, Project, Status
from bot.core.model.errors import InvalidResponse, NotConfirmed
from bot.core.model.people.authors import CommitAuthor

WEB_URL = "https://app.codeship.com"

_HOSTS = frozenset({"app.codeship.com", "www.codeship.com", "codeship.com", "www.codeship.io", "codeship.io"})
_PAGE = re.compile(r"/projects/([0-9]{1,18})(?:/builds/([0-9]{1,18}))?(?:/.*)?", re.ASCII)
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
    """The page of a commit; None if unknown. Without a provider, GitHub is assumed."""
    page = _COMMIT_PAGES.get((provider or "github").lower())
    if page is None or commit is None:
        return None
    if not (REPOSITORY_NAME.fullmatch(repository_name) and _COMMIT.fullmatch(commit)):
        return None
    return page.format(repository_name, commit)


def parse_url(url: str, web_url: str = WEB_URL) -> Page | None:
    """The project and the build of a CodeShip address, by id; None for any other address.

    The page of a project without a build gives the project only.
    """
    url = url.strip()
    try:
        pasted, ours = urlsplit(url if "://" in url else f"https://{url}"), urlsplit(web_url)
        here = (pasted.hostname, pasted.port) == (ours.hostname, ours.port)
    except ValueError:
        return None
    if pasted.scheme not in ("http", "https"):
        return None
    path, base = pasted.path, ours.path.rstrip("/")
    if here and path.startswith(f"{base}/"):
        path = path.removeprefix(base)
    elif pasted.hostname not in _HOSTS or pasted.port is not None:
        return None
    page = _PAGE.fullmatch(path)
    return None if page is None else Page(project_id=page[1], build_id=page[2])


SERVICE = "codeship"
TITLE = "CodeShip"

_STATUSES = {
    "initiated": Status.QUEUED,
    "waiting": Status.QUEUED,
    "testing": Status.RUNNING,
    "success": Status.PASSED,
    "error": Status.FAILED,
    "failed": Status.FAILED,
    "stopped": Status.STOPPED,
    "cancelled": Status.STOPPED,
    "canceled": Status.STOPPED,
    "skipped": Status.SKIPPED,
    "ignored": Status.IGNORED,
    "blocked": Status.BLOCKED,
    "infrastructure_failure": Status.INFRASTRUCTURE_FAILURE,
}

# Any: a field of the wrong type makes only that field invalid, and valid responses are not slower for it.


class ListedProject(msgspec.Struct):
    """A project of the list. Its builds, which are most of the response, are parsed only for channels."""

    id: Any = None
    repository_name: Any = None
    repository_provider: Any = None
    builds: msgspec.Raw = msgspec.Raw(b"[]")


class _List(msgspec.Struct):
    projects: list[ListedProject | None]


class _Build(msgspec.Struct):
    id: Any = None
    status: Any = None
    branch: Any = None
    commit_id: Any = None
    github_username: Any = None
    message: Any = None
    started_at: Any = None
    finished_at: Any = None


class _Project(msgspec.Struct):
    id: Any = None
    repository_provider: Any = None
    builds: list[_Build | None] | None = None


class _Restarted(msgspec.Struct):
    id: Any = None
    uuid: Any = None


_LIST = msgspec.json.Decoder(_List)
_BUILDS = msgspec.json.Decoder(list[_Build | None])
_PROJECT = msgspec.json.Decoder(_Project)
_RESTARTED = msgspec.json.Decoder(_Restarted)


def projects_request(api_url: str, key: str) -> Request:
    return Request("GET", f"{api_url.rstrip('/')}/projects.json", _params(key))


def builds_request(api_url: str, key: str, project_id: str, branch: str | None = None) -> Request:
    params = _params(key) if branch is None else (*_params(key), ("branch", _encodable(branch)))
    return Request("GET", f"{api_url.rstrip('/')}/projects/{_segment(project_id)}.json", params)


def restart_request(api_url: str, key: str, build_id: str) -> Request:
    return Request("POST", f"{api_url.rstrip('/')}/builds/{_segment(build_id)}/restart.json", _params(key))


def read_list(headers: Mapping[str, str], body: bytes, key: str) -> list[ListedProject | None]:
    """The entries of a list of projects; None for one that is not an object. Raises InvalidResponse."""
    try:
        return _LIST.decode(body).projects
    except (ValueError, RecursionError):
        entries = _object(body).get("projects")
    if not isinstance(entries, list):
        raise invalid_response(headers, body, key)
    return [_listed(entry) if isinstance(entry, dict) else None for entry in entries]


def projects_in(entries: list[ListedProject | None], web_url: str = WEB_URL) -> list[Project]:
    """Every project that has an id and a name."""
    return [project for entry in entries if (project := _listed_project(entry, web_url)) is not None]


def recent_in(
    entries: list[ListedProject | None], wanted: Callable[[Project], bool], web_url: str = WEB_URL
) -> list[tuple[Project, list[Build]]]:
    """The same with the builds that the list shows, newest first, as `parse_builds`; only the projects `wanted`."""
    return [
        (project, _builds(_read_builds(entry.builds), project, entry.repository_provider, web_url))
        for entry in entries
        if entry is not None and (project := _listed_project(entry, web_url)) is not None and wanted(project)
    ]


def parse_builds(
    status: int, headers: Mapping[str, str], body: bytes, project: Project, *, web_url: str = WEB_URL, key: str = ""
) -> list[Build]:
    """The builds that have an id, newest first by number: the API does not promise an order."""
    raise_if_refused(status, headers, body, key)
    result = _read_project(body)
    if result is None or (result.builds is None and result.id is None):
        raise invalid_response(headers, body, key)
    builds = _builds(result.builds or [], project, result.repository_provider, web_url)
    if result.builds and not builds:
        raise InvalidResponse(TITLE, "none of its builds can be read")
    return builds


def parse_restart(status: int, headers: Mapping[str, str], body: bytes, *, key: str = "") -> str:
    """The id of the build that runs now. Raises NotConfirmed for a 2xx without `id` and `uuid`."""
    raise_if_refused(status, headers, body, key)
    try:
        restarted = _RESTARTED.decode(body)
    except (ValueError, RecursionError):
        restarted = _Restarted()
    new_id = cleaning.id_(restarted.id)
    if new_id is None or not isinstance(restarted.uuid, str):
        raise NotConfirmed(TITLE, f"answered {status}, but not with the restarted build")
    return new_id


def _builds(entries: list[_Build | None], project: Project, provider: object, web_url: str) -> list[Build]:
    """Those that have an id, newest first by number."""
    builds = [
        _build(entry, id_, project, provider if isinstance(provider, str) else None, web_url)
        for entry in entries
        if entry is not None and (id_ := cleaning.id_(entry.id)) is not None
    ]
    return sorted(builds, key=lambda build: int(build.id) if build.id.isdecimal() else -1, reverse=True)


def _build(entry: _Build, id_: str, project: Project, provider: str | None, web_url: str) -> Build:
    word = cleaning.line(entry.status, cleaning.MAX_WORD) or ""
    commit = cleaning.line(entry.commit_id, cleaning.MAX_ID)
    login = cleaning.line(entry.github_username, cleaning.MAX_AUTHOR)
    return Build(
        id=id_,
        project=project,
        status=_STATUSES.get(word.lower(), Status.UNKNOWN),
        status_word=word,
        branch=cleaning.line(entry.branch, cleaning.MAX_BRANCH),
        commit=commit,
        message=cleaning.text(entry.message, cleaning.MAX_MESSAGE),
        author=login,
        started_at=cleaning.time(entry.started_at),
        finished_at=cleaning.time(entry.finished_at),
        url=build_page(web_url, project.id, id_),
        commit_url=commit_page(provider, project.name, commit),
        made_by=CommitAuthor(login) if login else None,
    )


def _listed(entry: dict[str, Any]) -> ListedProject:
    builds = json.dumps(entry.get("builds")).encode()
    return ListedProject(
        entry.get("id"), entry.get("repository_name"), entry.get("repository_provider"), msgspec.Raw(builds)
    )


def _listed_project(entry: ListedProject | None, web_url: str) -> Project | None:
    if entry is None:
        return None
    id_, name = cleaning.id_(entry.id), cleaning.line(entry.repository_name, cleaning.MAX_NAME)
    return None if id_ is None or name is None else Project(id_, name, SERVICE, project_page(web_url, id_))


def _read_builds(raw: msgspec.Raw) -> list[_Build | None]:
    """The builds of a listed project; none if they are not a list."""
    try:
        return _BUILDS.decode(raw)
    except (ValueError, RecursionError):
        entries = cleaning.read_damaged(bytes(raw))
    return [cleaning.picked(entry, _Build) for entry in entries] if isinstance(entries, list) else []


def _read_project(body: bytes) -> _Project | None:
    """None if the response is not a project. Its builds are None if it has none."""
    try:
        return _PROJECT.decode(body)
    except (ValueError, RecursionError):
        result = _object(body)
    entries = result.get("builds")
    if not isinstance(entries, list):
        return None
    return _Project(
        result.get("id"), result.get("repository_provider"), [cleaning.picked(entry, _Build) for entry in entries]
    )


def _object(body: bytes) -> dict[str, Any]:
    result = cleaning.read_damaged(body)
    return result if isinstance(result, dict) else {}


def raise_if_refused(status: int, headers: Mapping[str, str], body: bytes, key: str) -> None:
    if not 200 <= status < 300:
        raise error_for(TITLE, status, headers, body, secret=key, address_setting="CODESHIP_API_URL")


def invalid_response(headers: Mapping[str, str], body: bytes, key: str) -> InvalidResponse:
    text = detail(headers, body, key) if body.lstrip()[:1] == b"{" else ""
    return InvalidResponse(TITLE, text or "the answer is not that of its API; check CODESHIP_API_URL")


def _params(key: str) -> tuple[tuple[str, str], ...]:
    return (("api_key", _encodable(key)),)


def _segment(id_: str) -> str:
    return quote(id_, safe="", errors="replace")


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()

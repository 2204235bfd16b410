"""GitHub's answers about workflow runs, deciphered: a list of them, or how one attempt ended. Pure: no I/O, no clock.

https://docs.github.com/en/rest/actions/workflow-runs
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.ci import json_fields as cleaning
from bot.ci.github import schema as shapes
from bot.ci.github import statuses as words
from bot.ci.github.errors import TITLE, error_for, invalid_response
from bot.ci.github.pagination import A_PAGE_HAS, ListPage, onward
from bot.ci.github.run_groups import ListedRun
from bot.ci.github.urls import WEB_URL
from bot.ci.http_client.responses import Request
from bot.core.model.builds import REPOSITORY_NAME, Project, Status, Workflow
from bot.core.model.errors import InvalidResponse, NotFound

_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RunsPage(ListPage[ListedRun]):
    """Runs of the repository itself; the page is full with what is listed of forks, too. `project`: as of today."""

    project: Project


def parse_runs(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    project: Project,
    *,
    page: Request,
    web_url: str = WEB_URL,
    secret: str = "",
) -> RunsPage:
    """The runs that have an id, a branch and a commit.

    A run of a fork's pull request is left out: its branch `main` is not this repository's. The project has the
    repository's name of today, where it has been renamed. Raises NotThere where that name is another repository's.
    """
    if not 200 <= status < 300:
        raise error_for(status, headers, body, secret=secret)
    entries = shapes.runs(body)
    if entries is None:
        raise invalid_response(headers, body, secret)
    seen, readable, elsewhere = [], 0, 0
    for entry in entries:
        run = _seen(entry)
        readable += cleaning.id_(entry.id) is not None
        owner, head = (cleaning.id_(each and each.id) for each in (entry.repository, entry.head_repository))
        if owner is not None and owner != project.id:
            elsewhere += 1
        elif run is not None and head == project.id:
            seen.append((run, entry))
    if entries and not readable:
        raise InvalidResponse(TITLE, "none of its workflow runs can be read")
    if elsewhere and not seen:
        raise NotFound(TITLE, f"{project.name} is another repository by now")
    today = _named_today(project, seen[0][1].repository if seen else None, web_url)
    runs = tuple(run for run, _ in seen)
    return RunsPage(runs, len(entries) >= A_PAGE_HAS, onward(headers, page), today)


def parse_attempt(status: int, headers: Mapping[str, str], body: bytes, *, secret: str = "") -> Status:
    """How that attempt ended."""
    if not 200 <= status < 300:
        raise error_for(status, headers, body, secret=secret)
    run = shapes.run(body)
    if run is None or run.status is None:
        raise invalid_response(headers, body, secret)
    return words.read(*_words(run))[0]


def _seen(entry: shapes.Run) -> ListedRun | None:
    run_id, branch = cleaning.id_(entry.id), cleaning.line(entry.head_branch, cleaning.MAX_BRANCH)
    commit = cleaning.line(entry.head_sha, cleaning.MAX_ID)
    if run_id is None or branch is None or commit is None:
        return None
    if not (_NUMBER.fullmatch(run_id) and _COMMIT.fullmatch(commit)):
        return None
    workflow = _workflow(entry, run_id)
    head, actor = entry.head_commit, entry.actor
    return ListedRun(
        workflow=workflow,
        workflow_id=cleaning.id_(entry.workflow_id) or workflow.name,
        branch=branch,
        commit=commit,
        event=cleaning.line(entry.event, cleaning.MAX_WORD),
        created_at=cleaning.time(entry.created_at),
        number=cleaning.count(entry.run_number) or 0,
        message=cleaning.text(head and head.message, cleaning.MAX_MESSAGE),
        author=cleaning.line(head and head.author and head.author.name, cleaning.MAX_AUTHOR)
        or cleaning.line(actor and actor.login, cleaning.MAX_AUTHOR),
    )


def _workflow(entry: shapes.Run, run_id: str) -> Workflow:
    status, conclusion = _words(entry)
    meaning, word = words.read(status, conclusion)
    file_name = (cleaning.line(entry.path, cleaning.MAX_NAME) or "").partition("@")[0].rpartition("/")[2]
    started_at = cleaning.time(entry.run_started_at) or cleaning.time(entry.created_at)
    return Workflow(
        run_id=run_id,
        name=cleaning.line(entry.name, cleaning.MAX_NAME) or file_name or f"run {run_id}",
        status=meaning,
        status_word=word,
        attempt=cleaning.count(entry.run_attempt) or 1,
        started_at=started_at,
        finished_at=cleaning.time(entry.updated_at) or started_at if words.is_over(status, conclusion) else None,
        url=cleaning.address(entry.html_url),
    )


def _words(entry: shapes.Run) -> tuple[str | None, str | None]:
    return cleaning.line(entry.status, cleaning.MAX_WORD), cleaning.line(entry.conclusion, cleaning.MAX_WORD)


def _named_today(project: Project, repository: shapes.Repository | None, web_url: str) -> Project:
    name = cleaning.line(repository and repository.full_name, cleaning.MAX_NAME)
    if name is None or not REPOSITORY_NAME.fullmatch(name):
        name = project.name
    page = cleaning.address(repository and repository.html_url)
    if page is None and name == project.name:
        page = project.url
    return replace(project, name=name, url=page or f"{web_url}/{name}")

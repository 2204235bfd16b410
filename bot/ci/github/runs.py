"""Parses GitHub's responses about workflow runs: a list, one run, or the end of an attempt. Pure: no I/O, no clock.

https://docs.github.com/en/rest/actions/workflow-runs
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.ci import json_fields as cleaning
from bot.ci.github import schema as shapes
from bot.ci.github.http.errors import TITLE, error_for, invalid_response
from bot.ci.github.http.pagination import ListPage, onward, page_size
from bot.ci.github.run_groups import PRIMARY, ListedRun
from bot.ci.github.urls import SERVICE, WEB_URL
from bot.ci.http_client.responses import Request
from bot.core.model.builds import REPOSITORY_NAME, Project, Status, Workflow
from bot.core.model.errors import InvalidResponse, NotFound
from bot.core.model.people.authors import CommitAuthor

MAX_RUN_TIME = timedelta(days=35)
"""GitHub cancels a run after that. https://docs.github.com/en/actions/reference/limits"""

_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RunsPage(ListPage[ListedRun]):
    """A page of runs. `project` has the repository's current name."""

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

    A run of a fork's pull request has the branch `owner:branch`: a fork's `main` is not this repository's. The project
    has the repository's current name, if it was renamed. Raises NotFound if that name is another repository's now.
    """
    if not 200 <= status < 300:
        raise error_for(status, headers, body, secret=secret)
    entries = shapes.runs(body)
    if entries is None:
        raise invalid_response(headers, body, secret)
    seen, readable, elsewhere = [], 0, 0
    for entry in entries:
        run = _seen(entry, project)
        readable += cleaning.id_(entry.id) is not None
        owner = cleaning.id_(entry.repository and entry.repository.id)
        if owner is not None and owner != project.id:
            elsewhere += 1
        elif run is not None:
            seen.append((run, entry))
    if entries and not readable:
        raise InvalidResponse(TITLE, "none of its workflow runs can be read")
    if elsewhere and not seen:
        raise NotFound(TITLE, f"{project.name} is now another repository")
    today = _named_today(project, seen[0][1].repository if seen else None, web_url)
    runs = tuple(run for run, _ in seen)
    return RunsPage(runs, len(entries) >= page_size(page), onward(headers, page), today)


def parse_run(status: int, headers: Mapping[str, str], body: bytes, project: Project, *, secret: str = "") -> ListedRun:
    """One run by its id. Raises NotFound if it is another repository's."""
    if not 200 <= status < 300:
        raise error_for(status, headers, body, secret=secret)
    entry = shapes.run(body)
    result = _seen(entry, project) if entry is not None else None
    if entry is None or result is None:
        raise invalid_response(headers, body, secret)
    if cleaning.id_(entry.repository and entry.repository.id) not in (None, project.id):
        raise NotFound(TITLE, "the run is another repository's")
    return result


def run_of_event(entry: shapes.Run | None, project_id: str) -> ListedRun | None:
    """The run in a webhook's payload; None if it cannot be read."""
    return None if entry is None else _seen(entry, Project(project_id, "", SERVICE))


def parse_attempt(status: int, headers: Mapping[str, str], body: bytes, *, secret: str = "") -> Status:
    """The attempt's status."""
    if not 200 <= status < 300:
        raise error_for(status, headers, body, secret=secret)
    run = shapes.run(body)
    if run is None or run.status is None:
        raise invalid_response(headers, body, secret)
    return _state(*_words(run))[0]


def _seen(entry: shapes.Run, project: Project) -> ListedRun | None:
    run_id, branch = cleaning.id_(entry.id), cleaning.line(entry.head_branch, cleaning.MAX_BRANCH)
    commit = cleaning.line(entry.head_sha, cleaning.MAX_ID)
    if run_id is None or branch is None or commit is None:
        return None
    if not (_NUMBER.fullmatch(run_id) and _COMMIT.fullmatch(commit)):
        return None
    event, path = cleaning.line(entry.event, cleaning.MAX_WORD), cleaning.line(entry.path, cleaning.MAX_NAME) or ""
    workflow = _workflow(entry, run_id, event, path)
    head, actor = entry.head_commit, entry.actor
    status, conclusion = _words(entry)
    has_no_conclusion = _is_over(status, conclusion) and conclusion is None
    owner = _fork_owner(entry, event, project)
    return ListedRun(
        workflow=workflow,
        workflow_id=cleaning.id_(entry.workflow_id) or workflow.name,
        branch=branch if owner is None else f"{owner}:{branch}",
        commit=commit,
        event=event,
        created_at=cleaning.time(entry.created_at),
        number=cleaning.count(entry.run_number) or 0,
        message=cleaning.text(head and head.message, cleaning.MAX_MESSAGE),
        author=cleaning.line(head and head.author and head.author.name, cleaning.MAX_AUTHOR)
        or cleaning.line(actor and actor.login, cleaning.MAX_AUTHOR),
        made_by=_made_by(entry, event),
        path=path,
        pull_request=_pull_request(entry),
        concluded_without=cleaning.time(entry.updated_at) if has_no_conclusion else None,
        updated_at=cleaning.time(entry.updated_at),
    )


def _made_by(entry: shapes.Run, event: str | None) -> CommitAuthor | None:
    """The person who pushed; in a merge queue, whose runs are GitHub's, the commit's author."""
    if event not in PRIMARY:
        return None
    head, actor = entry.head_commit, entry.actor
    login = cleaning.line(actor and actor.login, cleaning.MAX_AUTHOR) if event != "merge_group" else None
    email = cleaning.line(head and head.author and head.author.email, cleaning.MAX_EMAIL)
    if login and actor and actor.type == "Bot" and not login.endswith("[bot]"):
        login = f"{login}[bot]"
    return CommitAuthor(login, email) if login or email else None


def _fork_owner(entry: shapes.Run, event: str | None, project: Project) -> str | None:
    """The owner of a pull request's fork; `unknown` if the fork is gone; None if it is of no fork."""
    if event is None or not event.startswith("pull_request"):
        return None
    head = entry.head_repository
    if cleaning.id_(head and head.id) == project.id:
        return None
    name = cleaning.line(head and head.full_name, cleaning.MAX_NAME) or ""
    return name.partition("/")[0] if REPOSITORY_NAME.fullmatch(name) else "unknown"


def _pull_request(entry: shapes.Run) -> int | None:
    """The number of the only pull request that the run names."""
    named = [each for each in entry.pull_requests or () if each is not None]
    numbers = {number for each in named if (number := cleaning.count(each.number)) is not None}
    return numbers.pop() if len(numbers) == 1 else None


def _workflow(entry: shapes.Run, run_id: str, event: str | None, path: str) -> Workflow:
    status, conclusion = _words(entry)
    meaning, word = _state(status, conclusion)
    file_name = path.partition("@")[0].rpartition("/")[2]
    started_at = cleaning.time(entry.run_started_at) or cleaning.time(entry.created_at)
    return Workflow(
        run_id=run_id,
        name=cleaning.line(entry.name, cleaning.MAX_NAME) or file_name or f"run {run_id}",
        status=meaning,
        status_word=word,
        attempt=cleaning.count(entry.run_attempt) or 1,
        started_at=started_at,
        finished_at=_end(entry, started_at, meaning) if _is_over(status, conclusion) else None,
        url=cleaning.address(entry.html_url),
        trigger=event if event not in ("push", "pull_request") else None,
        can_rerun=event not in ("merge_group", "dynamic") and not path.startswith("dynamic/"),
    )


def _end(entry: shapes.Run, started_at: datetime | None, meaning: Status) -> datetime | None:
    """`updated_at`, if it may be the run's end: GitHub changes the field long after it, too.

    An unknown status keeps an end, since only the end says that the run is over.
    """
    updated_at = cleaning.time(entry.updated_at)
    if updated_at is not None and (started_at is None or timedelta(0) <= updated_at - started_at <= MAX_RUN_TIME):
        return updated_at
    return started_at if meaning is Status.UNKNOWN else None


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


_COMPLETED = "completed"


_STATUSES = {
    "queued": Status.QUEUED,
    "requested": Status.QUEUED,
    "pending": Status.QUEUED,  # its concurrency group is busy
    "waiting": Status.WAITING,  # for a person's approval
    "in_progress": Status.RUNNING,
}
_CONCLUSIONS = {
    "success": Status.PASSED,
    "neutral": Status.PASSED,
    "failure": Status.FAILED,
    "timed_out": Status.FAILED,
    "startup_failure": Status.FAILED,
    "cancelled": Status.STOPPED,
    "stale": Status.STOPPED,  # GitHub gave up after 14 days
    "skipped": Status.SKIPPED,
    "action_required": Status.BLOCKED,
}


def _is_over(status: str | None, conclusion: str | None) -> bool:
    return status == _COMPLETED or (status is None and conclusion is not None)


def _state(status: str | None, conclusion: str | None) -> tuple[Status, str]:
    """The status, and the word it comes from: the conclusion once the run is over."""
    if _is_over(status, conclusion):
        word = conclusion or _COMPLETED
        return _CONCLUSIONS.get(word, Status.UNKNOWN), word
    return _STATUSES.get(status or "", Status.UNKNOWN), status or ""

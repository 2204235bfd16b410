"""GitHub's REST API as values: the requests to make, and their answers deciphered. Pure: no I/O, no clock.

    GET  /user/repos, /installation/repositories            repositories, a hundred a page
    GET  /repos/{name}/actions/runs                         the last hundred workflow runs, of one branch or of all
    GET  /repos/{name}/actions/runs/{id}/jobs               a run's jobs and their steps
    GET  /repos/{name}/actions/runs/{id}/attempts/{n}       how an earlier attempt of a run ended
    POST /repos/{name}/actions/runs/{id}/rerun, …/rerun-failed-jobs, …/cancel

Every `decipher_…` takes any status, any headers and any bytes, and raises `CIError` and nothing else. `secret` is the
token that was sent, so that no error repeats it. https://docs.github.com/en/rest/actions/workflow-runs
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote, urljoin

from bot.ci import cleaning
from bot.ci import github_shapes as shapes
from bot.ci import github_words as words
from bot.ci.answers import Request, detail, header, origin
from bot.ci.github_builds import SeenRun, builds_of
from bot.ci.github_pages import WEB_URL
from bot.ci.github_refusals import TITLE, refusal, refusal_to_do
from bot.core.errors import BadAnswer, NotThere
from bot.core.model import Build, FailedJob, Project, Status, Workflow

SERVICE = "github"

JOBS_SHOWN = 5
"""How many failed jobs of a workflow are told."""

_HEADERS = (("Accept", "application/vnd.github+json"), ("X-GitHub-Api-Version", "2022-11-28"))
_A_PAGE = ("per_page", "100")
_WENT_WRONG = frozenset({"failure", "timed_out", "startup_failure", "action_required"})
_NAME = re.compile(r"(?!\.{1,2}/)[\w.-]{1,100}/(?!\.{1,2}$)[\w.-]{1,100}", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_ETAG = re.compile(r'(W/)?"[!#-~]{1,200}"', re.ASCII)
_NEXT = re.compile(r'<([^<>\s]{1,2000})>\s{0,9};\s{0,9}rel="next"')


def signed(request: Request, token: str, etag: str | None = None) -> Request:
    """With the token; with an `etag`, GitHub answers 304 where nothing has changed since it gave that one."""
    since = (("If-None-Match", etag),) if etag else ()
    return replace(request, headers=(*request.headers, ("Authorization", f"Bearer {token}"), *since))


def repositories_request(api_url: str, path: str) -> Request:
    return _get(f"{api_url}{path}", _A_PAGE)


def builds_request(api_url: str, project: Project, branch: str | None = None) -> Request:
    params = [_A_PAGE, ("exclude_pull_requests", "true")]
    if branch is not None:
        params.append(("branch", branch.encode("utf-8", "replace").decode()))
    return _get(f"{_repo(api_url, project)}/actions/runs", *params)


def jobs_request(api_url: str, project: Project, run_id: str) -> Request:
    return _get(f"{_run(api_url, project, run_id)}/jobs", ("filter", "latest"), _A_PAGE)


def attempt_request(api_url: str, project: Project, run_id: str, attempt: int) -> Request:
    return _get(f"{_run(api_url, project, run_id)}/attempts/{attempt}", ("exclude_pull_requests", "true"))


def rerun_request(api_url: str, project: Project, run_id: str, *, failed_jobs_only: bool = False) -> Request:
    what = "rerun-failed-jobs" if failed_jobs_only else "rerun"
    return Request("POST", f"{_run(api_url, project, run_id)}/{what}", headers=_HEADERS)


def cancel_request(api_url: str, project: Project, run_id: str) -> Request:
    return Request("POST", f"{_run(api_url, project, run_id)}/cancel", headers=_HEADERS)


def token_request(api_url: str, installation_id: str) -> Request:
    path = f"/app/installations/{quote(installation_id, safe='')}/access_tokens"
    return Request("POST", f"{api_url}{path}", headers=_HEADERS)


def decipher_repositories(
    status: int, headers: Mapping[str, str], body: bytes, *, secret: str = "", page: Request
) -> tuple[list[Project], Request | None]:
    """The repositories of one page that may still run something, and the request for the page after it.

    Archived and disabled ones are left out: in them nothing can be run again.
    """
    if not 200 <= status < 300:
        raise refusal(status, headers, body, secret=secret)
    entries = shapes.repositories(body)
    if entries is None:
        raise _not_the_contract(headers, body, secret)
    projects, readable = [], 0
    for entry in entries:
        id_, name = cleaning.id_(entry.id), cleaning.line(entry.full_name, cleaning.MAX_NAME)
        if id_ is None or name is None or not _NAME.fullmatch(name):
            continue
        readable += 1
        if entry.archived is not True and entry.disabled is not True:
            projects.append(Project(id_, name, SERVICE, cleaning.address(entry.html_url)))
    if entries and not readable:
        raise BadAnswer(TITLE, "none of its repositories can be read")
    return projects, _next(headers, page)


def decipher_builds(
    status: int, headers: Mapping[str, str], body: bytes, project: Project, *, web_url: str = WEB_URL, secret: str = ""
) -> list[Build]:
    """The builds of the runs that have an id, a branch and a commit, newest first.

    A run of a fork's pull request is left out: its branch `main` is not this repository's. Builds carry the
    repository's name of today, where it has been renamed. Raises NotThere where that name is another repository's.
    """
    if not 200 <= status < 300:
        raise refusal(status, headers, body, secret=secret)
    entries = shapes.runs(body)
    if entries is None:
        raise _not_the_contract(headers, body, secret)
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
        raise BadAnswer(TITLE, "none of its workflow runs can be read")
    if elsewhere and not seen:
        raise NotThere(TITLE, f"{project.name} is another repository by now")
    today = _named_today(project, seen[0][1].repository if seen else None, web_url)
    return builds_of(today, [run for run, _ in seen])


def decipher_jobs(
    status: int, headers: Mapping[str, str], body: bytes, *, attempt: int, secret: str = ""
) -> tuple[tuple[FailedJob, ...], bool]:
    """The first jobs that went wrong, and whether they are those of that attempt: then they change no more."""
    if not 200 <= status < 300:
        raise refusal(status, headers, body, secret=secret)
    jobs = shapes.jobs(body)
    if jobs is None:
        raise _not_the_contract(headers, body, secret)
    failed = [job for job in jobs if _went_wrong(job.conclusion)]
    told = tuple(
        FailedJob(name, _first_failed(job.steps), cleaning.address(job.html_url))
        for job in failed[:JOBS_SHOWN]
        if (name := cleaning.line(job.name, cleaning.MAX_NAME))
    )
    return told, all(job.run_attempt in (None, attempt) for job in failed)


def decipher_attempt(status: int, headers: Mapping[str, str], body: bytes, *, secret: str = "") -> Status:
    """How that attempt ended."""
    if not 200 <= status < 300:
        raise refusal(status, headers, body, secret=secret)
    run = shapes.run(body)
    if run is None or run.status is None:
        raise _not_the_contract(headers, body, secret)
    return words.read(*_words(run))[0]


def decipher_done(status: int, headers: Mapping[str, str], body: bytes, *, secret: str = "") -> None:
    """Of a re-run or a cancel: any 2xx is a success. Raises WillNot where GitHub does it to no such run."""
    if not 200 <= status < 300:
        raise refusal_to_do(status, headers, body, secret=secret)


def etag_of(headers: Mapping[str, str]) -> str | None:
    """What to name, in order to hear only of changes."""
    etag = header(headers, "etag").strip()
    return etag if _ETAG.fullmatch(etag) else None


def _seen(entry: shapes.Run) -> SeenRun | None:
    run_id, branch = cleaning.id_(entry.id), cleaning.line(entry.head_branch, cleaning.MAX_BRANCH)
    commit = cleaning.line(entry.head_sha, cleaning.MAX_ID)
    if run_id is None or branch is None or commit is None:
        return None
    if not (_NUMBER.fullmatch(run_id) and _COMMIT.fullmatch(commit)):
        return None
    workflow = _workflow(entry, run_id)
    head, actor = entry.head_commit, entry.actor
    return SeenRun(
        workflow=workflow,
        workflow_id=cleaning.id_(entry.workflow_id) or workflow.name,
        branch=branch,
        commit=commit,
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


def _went_wrong(conclusion: object) -> bool:
    return isinstance(conclusion, str) and conclusion in _WENT_WRONG


def _first_failed(steps: list[shapes.Step | None]) -> str | None:
    failed = (step for step in steps if step is not None and _went_wrong(step.conclusion))
    return next((name for step in failed if (name := cleaning.line(step.name, cleaning.MAX_NAME))), None)


def _named_today(project: Project, repository: shapes.Repository | None, web_url: str) -> Project:
    name = cleaning.line(repository and repository.full_name, cleaning.MAX_NAME)
    if name is None or not _NAME.fullmatch(name):
        name = project.name
    page = cleaning.address(repository and repository.html_url)
    if page is None and name == project.name:
        page = project.url
    return replace(project, name=name, url=page or f"{web_url}/{name}")


def _next(headers: Mapping[str, str], page: Request) -> Request | None:
    """Within the origin alone: the token goes along."""
    found = _NEXT.search(header(headers, "link")[:8_000])
    if found is None:
        return None
    try:
        target = urljoin(page.url, found[1])
        same = origin(target) == origin(page.url)
    except ValueError:
        return None
    return _get(target) if same else None


def _not_the_contract(headers: Mapping[str, str], body: bytes, secret: str) -> BadAnswer:
    told = detail(headers, body, secret) if body.lstrip()[:1] == b"{" else ""
    return BadAnswer(TITLE, told or "the answer is not that of its API; check GITHUB_API_URL")


def _get(url: str, *params: tuple[str, str]) -> Request:
    return Request("GET", url, tuple(params), _HEADERS)


def _repo(api_url: str, project: Project) -> str:
    if not _NAME.fullmatch(project.name):  # in a path it could lead elsewhere
        raise NotThere(TITLE, "it has no repository of such a name")
    return f"{api_url}/repos/{project.name}"


def _run(api_url: str, project: Project, run_id: str) -> str:
    return f"{_repo(api_url, project)}/actions/runs/{quote(run_id, safe='')}"

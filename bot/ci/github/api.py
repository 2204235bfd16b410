"""GitHub's REST API as values: requests, and the parsers of most responses. Pure: no I/O, no clock.

    GET  /user/repos, /installation/repositories            repositories, a hundred a page
    GET  /repos/{name}/actions/workflows                    which workflows there are, and which of them still run
    GET  /repos/{name}/actions/runs                         the last workflow runs, of one branch or of all
    GET  /repos/{name}/actions/runs/{id}                    one run
    GET  /repos/{name}/actions/runs/{id}/jobs               a run's jobs and their steps
    GET  …/actions/runs/{id}/pending_deployments            the environments that wait for an approval
    GET  /repos/{name}/actions/jobs/{id}/logs               a job's log: a redirect to another host
    GET  /repos/{name}/branches/{branch}                    a branch's newest commit
    GET  /repos/{name}/pulls/{number}                       a pull request's head branch
    GET  /repos/{name}/actions/runs/{id}/attempts/{n}       how an earlier attempt of a run ended
    POST /repos/{name}/actions/runs/{id}/rerun, …/rerun-failed-jobs, …/cancel

Every `parse_…`, here and in `runs`, accepts any status, headers and bytes, and raises only `CIError`. `secret` is the
token that was sent: no error contains it. `page` is the request for the page of a list.
https://docs.github.com/en/rest/actions/workflow-runs
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote

from bot.ci import json_fields as cleaning
from bot.ci.github import schema as shapes
from bot.ci.github.http.errors import TITLE, action_error_for, error_for, hidden_organizations, invalid_response
from bot.ci.github.http.pagination import A_PAGE, ListPage, onward, page_size
from bot.ci.github.urls import SERVICE
from bot.ci.http_client.responses import Request, header
from bot.core.model.builds import REPOSITORY_NAME, FailedJob, Project
from bot.core.model.errors import InvalidResponse, NotConfirmed, NotFound

HEADERS = (("Accept", "application/vnd.github+json"), ("X-GitHub-Api-Version", "2022-11-28"))
_WITHOUT_PULL_REQUESTS = ("exclude_pull_requests", "true")  # a list in each run that is not read
_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.ASCII)
_ETAG = re.compile(r'(W/)?"[!#-~]{1,200}"', re.ASCII)


def signed(request: Request, token: str, etag: str | None = None) -> Request:
    """With the token. With an `etag`, GitHub responds 304 if nothing has changed since it sent that one."""
    since = (("If-None-Match", etag),) if etag else ()
    return replace(request, headers=(*request.headers, ("Authorization", f"Bearer {token}"), *since))


def repositories_request(api_url: str, path: str) -> Request:
    return _get(f"{api_url}{path}", A_PAGE)


def workflows_request(api_url: str, project: Project) -> Request:
    return _get(f"{_repo(api_url, project)}/actions/workflows", A_PAGE)


def builds_request(
    api_url: str, project: Project, branch: str | None = None, *, event: str | None = None, commit: str | None = None
) -> Request:
    """The runs of a branch, an event or a commit (40 digits); all runs without any of them."""
    params = [A_PAGE]
    if branch is not None:
        params.append(("branch", branch.encode("utf-8", "replace").decode()))
    params += [(name, value) for name, value in (("event", event), ("head_sha", commit)) if value is not None]
    return _get(f"{_repo(api_url, project)}/actions/runs", *params)


def one_of(api_url: str, project: Project, path: str) -> Request:
    """One entry of a list of the repository; with an empty `path` the repository itself."""
    return _get(f"{_repo(api_url, project)}{path}", *([("per_page", "1")] if path else []))


def run_request(api_url: str, project: Project, run_id: str) -> Request:
    return _get(_run(api_url, project, run_id))


def branch_request(api_url: str, project: Project, branch: str) -> Request:
    return _get(f"{_repo(api_url, project)}/branches/{quote(branch.encode('utf-8', 'replace'), safe='/')}")


def pull_request_request(api_url: str, project: Project, number: int) -> Request:
    return _get(f"{_repo(api_url, project)}/pulls/{number}")


def approvals_request(api_url: str, project: Project, run_id: str) -> Request:
    return _get(f"{_run(api_url, project, run_id)}/pending_deployments")


def log_request(api_url: str, project: Project, job_id: str) -> Request:
    return _get(f"{_repo(api_url, project)}/actions/jobs/{quote(job_id, safe='')}/logs")


def jobs_request(api_url: str, project: Project, run_id: str) -> Request:
    return _get(f"{_run(api_url, project, run_id)}/jobs", ("filter", "latest"), A_PAGE)


def attempt_request(api_url: str, project: Project, run_id: str, attempt: int) -> Request:
    return _get(f"{_run(api_url, project, run_id)}/attempts/{attempt}", _WITHOUT_PULL_REQUESTS)


def rerun_request(
    api_url: str, project: Project, run_id: str, *, failed_jobs_only: bool = False, debug_logs: bool = False
) -> Request:
    what = "rerun-failed-jobs" if failed_jobs_only else "rerun"
    body = b'{"enable_debug_logging":true}' if debug_logs else b""
    return Request("POST", f"{_run(api_url, project, run_id)}/{what}", headers=HEADERS, body=body)


def cancel_request(api_url: str, project: Project, run_id: str) -> Request:
    return Request("POST", f"{_run(api_url, project, run_id)}/cancel", headers=HEADERS)


def token_request(api_url: str, installation_id: str) -> Request:
    path = f"/app/installations/{quote(installation_id, safe='')}/access_tokens"
    return Request("POST", f"{api_url}{path}", headers=HEADERS)


@dataclass(frozen=True, slots=True)
class RepositoriesPage(ListPage[Project]):
    """`hidden`: the ids of organizations that are left out, since the token lacks their single sign-on.

    `may_write` is False if the token's scopes allow no re-run, None if GitHub names no scopes, as for a fine-grained
    token.
    """

    hidden: tuple[str, ...] = ()
    may_write: bool | None = None


def parse_repositories(
    status: int, headers: Mapping[str, str], body: bytes, *, page: Request, secret: str = ""
) -> RepositoriesPage:
    """The repositories of one page, except archived and disabled ones, in which nothing can be re-run."""
    if not 200 <= status < 300:
        raise error_for(status, headers, body, secret=secret)
    entries = shapes.repositories(body)
    if entries is None:
        raise invalid_response(headers, body, secret)
    projects, readable = [], 0
    for entry in entries:
        id_, name = cleaning.id_(entry.id), cleaning.line(entry.full_name, cleaning.MAX_NAME)
        if id_ is None or name is None or not REPOSITORY_NAME.fullmatch(name):
            continue
        readable += 1
        if entry.archived is not True and entry.disabled is not True:
            default_branch = cleaning.line(entry.default_branch, cleaning.MAX_BRANCH)
            projects.append(Project(id_, name, SERVICE, cleaning.address(entry.html_url), default_branch))
    if entries and not readable:
        raise InvalidResponse(TITLE, "none of its repositories can be read")
    hidden = hidden_organizations(headers)
    is_full = len(entries) >= page_size(page)
    return RepositoriesPage(tuple(projects), is_full, onward(headers, page), hidden, _scopes_allow_write(headers))


@dataclass(frozen=True, slots=True)
class ListedWorkflow:
    """A workflow of the repository, by the name that its file gives it. `is_active`: neither deleted nor disabled."""

    id: str
    name: str | None
    is_active: bool


def parse_workflows(
    status: int, headers: Mapping[str, str], body: bytes, *, page: Request, secret: str = ""
) -> ListPage[ListedWorkflow]:
    """The workflows of one page that have an id."""
    if not 200 <= status < 300:
        raise error_for(status, headers, body, secret=secret)
    entries = shapes.workflows(body)
    if entries is None:
        raise invalid_response(headers, body, secret)
    known = tuple(
        ListedWorkflow(id_, cleaning.line(entry.name, cleaning.MAX_NAME), entry.state == "active")
        for entry in entries
        if (id_ := cleaning.id_(entry.id)) is not None
    )
    if entries and not known:
        raise InvalidResponse(TITLE, "none of its workflows can be read")
    return ListPage(known, len(entries) >= page_size(page), onward(headers, page))


def parse_readable(status: int, headers: Mapping[str, str], body: bytes, *, secret: str = "") -> bool:
    """True for any success. Raises Forbidden if the right is missing."""
    if not 200 <= status < 300:
        raise error_for(status, headers, body, secret=secret)
    return True


def parse_may_write(status: int, headers: Mapping[str, str], body: bytes, *, secret: str = "") -> bool | None:
    """Whether the token may re-run the repository's workflows; None if unknown, as for a fine-grained token.

    False if the token's owner may not push there, or if a classic token lacks the scope.
    """
    if not 200 <= status < 300:
        raise error_for(status, headers, body, secret=secret)
    entry = shapes.repository(body)
    if entry is None:
        raise invalid_response(headers, body, secret)
    if isinstance(entry.permissions, dict) and entry.permissions.get("push") is False:
        return False
    return _scopes_allow_write(headers)


def _scopes_allow_write(headers: Mapping[str, str]) -> bool | None:
    """Whether a classic token's scopes allow a re-run; None without scopes, which other tokens do not have."""
    scopes = {scope.strip() for scope in header(headers, "x-oauth-scopes").split(",")} - {""}
    return not scopes.isdisjoint({"repo", "public_repo"}) if scopes else None


def parse_branch(
    status: int, headers: Mapping[str, str], body: bytes, *, page: Request, secret: str = ""
) -> ListPage[str]:
    """The branch's newest commit, as the only entry. Raises NotFound if there is no such branch; a tag is none."""
    if not 200 <= status < 300:
        raise error_for(status, headers, body, secret=secret)
    head = shapes.branch(body)
    commit = cleaning.line(head and head.commit and head.commit.sha, cleaning.MAX_ID)
    if commit is None or not _COMMIT.fullmatch(commit):
        raise invalid_response(headers, body, secret)
    return ListPage((commit,), False, onward(headers, page))


def parse_pull_request(
    status: int, headers: Mapping[str, str], body: bytes, project: Project, *, secret: str = ""
) -> str:
    """The pull request's head branch: `owner:branch` if that is a fork's."""
    if not 200 <= status < 300:
        raise error_for(status, headers, body, secret=secret)
    pull = shapes.pull_request(body)
    head = None if pull is None else pull.head
    branch = cleaning.line(head and head.ref, cleaning.MAX_BRANCH)
    if head is None or branch is None:
        raise invalid_response(headers, body, secret)
    if cleaning.id_(head.repo and head.repo.id) == project.id:
        return branch
    name = cleaning.line(head.repo and head.repo.full_name, cleaning.MAX_NAME) or ""
    return f"{name.partition('/')[0] if REPOSITORY_NAME.fullmatch(name) else 'unknown'}:{branch}"


def parse_approvals(status: int, headers: Mapping[str, str], body: bytes, *, secret: str = "") -> tuple[str, ...]:
    """The names of the environments that wait for an approval."""
    if not 200 <= status < 300:
        raise error_for(status, headers, body, secret=secret)
    pending = shapes.approvals(body)
    if pending is None:
        raise invalid_response(headers, body, secret)
    names = (cleaning.line(each.environment and each.environment.name, cleaning.MAX_NAME) for each in pending)
    return tuple(dict.fromkeys(name for name in names if name))


@dataclass(frozen=True, slots=True)
class JobsPage(ListPage[FailedJob]):
    """The failed jobs. `are_final`: they belong to the requested attempt. `ended_at` is when the last of all jobs
    ended; None if one has not."""

    are_final: bool
    ended_at: datetime | None = None


def parse_jobs(
    status: int, headers: Mapping[str, str], body: bytes, *, page: Request, attempt: int, secret: str = ""
) -> JobsPage:
    if not 200 <= status < 300:
        raise error_for(status, headers, body, secret=secret)
    jobs = shapes.jobs(body)
    if jobs is None:
        raise invalid_response(headers, body, secret)
    failed = [job for job in jobs if shapes.has_failed(job.conclusion)]
    text = tuple(each for job in failed if (each := failed_job(job)))
    are_final = all(job.run_attempt in (None, attempt) for job in failed)
    ends = [cleaning.time(job.completed_at) for job in jobs]
    ended_at = max((end for end in ends if end), default=None) if all(ends) else None
    return JobsPage(text, len(jobs) >= page_size(page), onward(headers, page), are_final, ended_at)


def parse_log(status: int, headers: Mapping[str, str], body: bytes, *, secret: str = "") -> str | bytes:
    """The log's address, or the log itself."""
    if status in (302, 307) and (place := cleaning.address(header(headers, "location").strip())):
        return place
    if not 200 <= status < 300:
        raise error_for(status, headers, body, secret=secret)
    return body


def parse_done(status: int, headers: Mapping[str, str], body: bytes, *, secret: str = "") -> None:
    """For a re-run or a cancel, which GitHub accepts with 201 or 202 and an empty object.

    Raises NotPossible if GitHub refuses it for this run, NotConfirmed for any other 2xx.
    """
    if not 200 <= status < 300:
        raise action_error_for(status, headers, body, secret=secret)
    if status not in (201, 202) or (body.strip() not in (b"", b"{}") and cleaning.read_damaged(body) != {}):
        raise NotConfirmed(TITLE, f"answered {status}, but not as its API does; check GITHUB_API_URL")


def etag_of(headers: Mapping[str, str]) -> str | None:
    """The response's ETag; None if it has none that can be sent back."""
    etag = header(headers, "etag").strip()
    return etag if _ETAG.fullmatch(etag) else None


def failed_job(job: shapes.Job) -> FailedJob | None:
    """The job with its first failed step; None if it has no name."""
    name = cleaning.line(job.name, cleaning.MAX_NAME)
    if name is None:
        return None
    failed = (step for step in job.steps if step is not None and shapes.has_failed(step.conclusion))
    step = next((step for step in failed if cleaning.line(step.name, cleaning.MAX_NAME)), shapes.Step())
    return FailedJob(
        name,
        cleaning.line(step.name, cleaning.MAX_NAME),
        cleaning.address(job.html_url),
        cleaning.id_(job.id),
        cleaning.time(step.started_at),
        cleaning.time(step.completed_at),
    )


def _get(url: str, *params: tuple[str, str]) -> Request:
    return Request("GET", url, tuple(params), HEADERS)


def _repo(api_url: str, project: Project) -> str:
    if not REPOSITORY_NAME.fullmatch(project.name):
        raise NotFound(TITLE, "it has no repository of such a name")
    return f"{api_url}/repos/{project.name}"


def _run(api_url: str, project: Project, run_id: str) -> str:
    return f"{_repo(api_url, project)}/actions/runs/{quote(run_id, safe='')}"

"""The true answers of the sandbox GitHub, one method for each call of the API that it serves.

Who asks is settled before (`github_gate`). What a caller may not see is not there; what it may not do is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from aiohttp import web

from playground.github.access import Access, sees
from playground.github.accounts import Caller
from playground.github.middleware import refusal, token_of, whose_budget
from playground.github.model import NotFound, NotPossible, SandboxRepo, SandboxRun
from playground.github.pagination import chosen, link_header, page_of
from playground.github.run_serializers import branch_json, job_json, run_json, workflow_json
from playground.github.serializers import (
    Json,
    full_repo_json,
    installation_json,
    limits_json,
    minimal_repo_json,
    own_user_json,
    repo_json,
    time_json,
)
from playground.github.state import GitHubWorld

_FOR_INSTALLATIONS = (
    "You must authenticate with an installation access token in order to list repositories for an installation."
)

_JOINED = datetime(2020, 1, 1, tzinfo=UTC)

T = TypeVar("T")


class Answers:
    def __init__(self, world: GitHubWorld, reach: Access) -> None:
        self._world = world
        self._reach = reach

    # Who and what there is

    async def user(self, request: web.Request) -> web.Response:
        caller = self._reach.person(request)
        account = self._world.accounts.account(caller.login)
        return web.json_response(own_user_json(account, self._reach.at(request), _JOINED))

    async def user_repos(self, request: web.Request) -> web.Response:
        caller = self._reach.person(request)
        return self._page(request, self._owned_by(caller), self._repo_writer(request))

    async def installation_repos(self, request: web.Request) -> web.Response:
        caller = self._reach.caller(request)
        if caller.installation is None:
            raise NotPossible(403, _FOR_INSTALLATIONS)
        selection = {"repository_selection": "all" if caller.repos is None else "selected"}
        return self._page(request, self._owned_by(caller), self._repo_writer(request), "repositories", selection)

    async def org_repos(self, request: web.Request) -> web.Response:
        caller, org = self._reach.caller(request), request.match_info["org"].lower()
        of_org = [repo for repo in self._world.repos() if repo.owner.lower() == org]
        if not of_org:
            raise NotFound(org)
        at, account = self._reach.at(request), self._world.accounts.account
        in_sight = [repo for repo in of_org if sees(caller, repo)]
        return self._page(request, in_sight, lambda repo: minimal_repo_json(repo, account(repo.owner), at))

    async def repo(self, request: web.Request) -> web.Response:
        repo = self._reach.repo(request)
        owner, may_write = self._world.accounts.account(repo.owner), self._reach.caller(request).owns(repo)
        return web.json_response(full_repo_json(repo, owner, self._reach.at(request), may_write=may_write))

    async def branches(self, request: web.Request) -> web.Response:
        repo, at = self._reach.repo(request), self._reach.at(request)
        newest_last = reversed([run for run in self._world.runs(repo) if run.head_repo and run.head_repo.id == repo.id])
        heads = {run.head_branch: run.head_sha for run in newest_last if run.head_branch}
        return self._page(request, sorted(heads), lambda name: branch_json(name, heads[name], repo, at))

    async def workflows(self, request: web.Request) -> web.Response:
        repo, at = self._reach.repo(request), self._reach.at(request)
        of_repo = self._world.workflows(repo)
        return self._page(request, of_repo, lambda workflow: workflow_json(workflow, repo, at), "workflows")

    # Runs

    async def runs(self, request: web.Request) -> web.Response:
        repo = self._reach.repo(request)
        runs = chosen(self._world.list_call(repo), request.query)
        return self._page(request, runs, lambda run: self._run_json(request, run), "workflow_runs")

    async def run(self, request: web.Request) -> web.Response:
        return web.json_response(self._run_json(request, self._reach.run(request)))

    async def attempt(self, request: web.Request) -> web.Response:
        attempts, number = (
            self._world.attempts(self._reach.run(request)),
            int(request.match_info["attempt_number"]),
        )
        if not 1 <= number <= len(attempts):
            raise NotFound(f"no attempt {number}")
        return web.json_response(self._run_json(request, attempts[number - 1]))

    async def jobs(self, request: web.Request) -> web.Response:
        run = self._reach.run(request)
        repo, at = self._world.repo(run.repo_id), self._reach.at(request)
        attempts = self._world.attempts(run) if request.query.get("filter") == "all" else (run,)
        jobs = [job for attempt in attempts for job in attempt.jobs]
        return self._page(request, jobs, lambda job: job_json(job, run, repo, at), "jobs")

    async def rerun(self, request: web.Request) -> web.Response:
        run = self._reach.run(request)
        self._world.rerun(run, by=self._reach.caller(request).login)
        return web.json_response({}, status=201)

    async def rerun_failed(self, request: web.Request) -> web.Response:
        run = self._reach.run(request)
        self._world.rerun(run, failed_only=True, by=self._reach.caller(request).login)
        return web.json_response({}, status=201)

    async def cancel(self, request: web.Request) -> web.Response:
        self._world.cancel(self._reach.run(request))
        return web.json_response({}, status=202)

    # Limits and apps

    async def rate_limit(self, request: web.Request) -> web.Response:
        window = self._world.accounts.limits.window(whose_budget(request, self._world))
        if window is None:
            raise NotPossible(404, "Rate limiting is not enabled.")
        return web.json_response(limits_json(window))

    async def installation(self, request: web.Request) -> web.Response:
        app = self._world.accounts.signer(token_of(request))
        installation = self._world.accounts.installation_of(app, self._reach.named(request))
        account = self._world.accounts.account(installation.account)
        return web.json_response(installation_json(installation, account, self._reach.at(request)))

    async def access_token(self, request: web.Request) -> web.Response:
        if await request.read() not in (b"", b"{}"):
            return refusal(422, "The sandbox narrows no token: leave out repositories and permissions.")
        number = int(request.match_info["installation_id"])
        app = self._world.accounts.signer(token_of(request))
        token, caller = self._world.accounts.installation_token(app, number)
        told: Json = {
            "token": token,
            "expires_at": time_json(caller.expires_at) if caller.expires_at else "",
            "permissions": dict(caller.permissions),
            "repository_selection": "all" if caller.repos is None else "selected",
        }
        return web.json_response(told, status=201)

    def _owned_by(self, caller: Caller) -> list[SandboxRepo]:
        return [repo for repo in self._world.repos() if caller.owns(repo)]

    def _repo_writer(self, request: web.Request) -> Callable[[SandboxRepo], Json]:
        at, account = self._reach.at(request), self._world.accounts.account
        return lambda repo: repo_json(repo, account(repo.owner), at, may_write=True)

    def _run_json(self, request: web.Request, run: SandboxRun) -> Json:
        repo = self._world.repo(run.repo_id)
        workflow = self._world.workflow(repo, run.workflow_id)
        with_pull_requests = request.query.get("exclude_pull_requests", "").lower() != "true"
        account, at = self._world.accounts.account, self._reach.at(request)
        return run_json(run, workflow, repo, account, at, with_pull_requests=with_pull_requests)

    def _page(
        self,
        request: web.Request,
        items: Sequence[T],
        written: Callable[[T], Json],
        name: str | None = None,
        more: Json | None = None,
    ) -> web.Response:
        """The page that is asked for: a list, or where it has a `name` an object that counts the whole as well."""
        page = page_of(request.query, len(items))
        shown = [written(item) for item in page.of(items)]
        link = link_header(page, self._reach.url_of(request), request.query_string)
        body = shown if name is None else {"total_count": len(items), **(more or {}), name: shown}
        return web.json_response(body, headers={} if link is None else {"Link": link})

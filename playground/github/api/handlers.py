"""The sandbox GitHub's responses without faults: one method for each call of the API.

`middleware` has identified the caller. What the caller may not see gives 404; what it may not do is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from aiohttp import web

from playground.github.accounts import ALL_THAT_IS_NEEDED, Caller
from playground.github.api.access import Access, sees
from playground.github.api.middleware import rate_limit_owner, refusal, token_of
from playground.github.api.pagination import chosen, link_header, page_of
from playground.github.api.run_serializers import (
    deployment_json,
    environment_id,
    job_json,
    pending_deployment_json,
    run_json,
    workflow_json,
)
from playground.github.api.serializers import (
    Json,
    branch_json,
    delivery_json,
    delivery_outcome,
    full_branch_json,
    full_delivery_json,
    full_repo_json,
    hook_json,
    installation_json,
    integration_json,
    limits_json,
    minimal_repo_json,
    own_user_json,
    pull_json,
    repo_json,
    time_json,
)
from playground.github.model import Hook, HookDelivery, NotFound, NotPossible, SandboxRepo, SandboxRun
from playground.github.state import GitHubWorld

_FOR_INSTALLATIONS = (
    "You must authenticate with an installation access token in order to list repositories for an installation."
)

LOG_LINK_LASTS_S = 60
DELIVERIES_LAST = timedelta(days=3)

_JOINED = datetime(2020, 1, 1, tzinfo=UTC)

T = TypeVar("T")


class Answers:
    def __init__(self, world: GitHubWorld, reach: Access) -> None:
        self._world = world
        self._reach = reach

    # Accounts and repositories

    async def user(self, request: web.Request) -> web.Response:
        caller = self._reach.person(request)
        account = self._world.accounts.account(caller.login)
        return web.json_response(own_user_json(account, self._reach.at(request), _JOINED))

    async def user_repos(self, request: web.Request) -> web.Response:
        caller = self._reach.person(request)
        seen = self._owned_by(caller)
        return self._page(request, seen, self._repo_writer(request), headers=self._partial_results(caller))

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
        lacks_sso = self._world.accounts.lacks_sso(caller)
        seen = [repo for repo in of_org if sees(caller, repo) and repo.owner.lower() not in lacks_sso]
        headers = self._partial_results(caller) if org in lacks_sso else {}
        return self._page(request, seen, lambda repo: minimal_repo_json(repo, account(repo.owner), at), headers=headers)

    async def repo(self, request: web.Request) -> web.Response:
        repo = self._reach.repo(request)
        owner, may_write = self._world.accounts.account(repo.owner), self._reach.caller(request).owns(repo)
        return web.json_response(full_repo_json(repo, owner, self._reach.at(request), may_write=may_write))

    async def branches(self, request: web.Request) -> web.Response:
        repo, at = self._reach.repo(request), self._reach.at(request)
        heads = self._world.heads(repo)
        return self._page(request, sorted(heads), lambda name: branch_json(name, heads[name], repo, at))

    async def branch(self, request: web.Request) -> web.Response:
        repo, name = self._reach.repo(request), request.match_info["branch"]
        sha = self._world.head(repo, name)
        return web.json_response(full_branch_json(name, sha, repo, self._reach.at(request)))

    async def pull(self, request: web.Request) -> web.Response:
        repo = self._reach.repo(request)
        pull = self._world.pull(repo, int(request.match_info["pull_number"]))
        base_sha = self._world.heads(repo).get(pull.base, "0" * 40)
        account = self._world.accounts.account
        return web.json_response(pull_json(pull, repo, base_sha, account, self._reach.at(request)))

    async def workflows(self, request: web.Request) -> web.Response:
        repo, at = self._reach.repo(request), self._reach.at(request)
        of_repo = [workflow for workflow in self._world.workflows(repo) if workflow.is_listed]
        return self._page(request, of_repo, lambda workflow: workflow_json(workflow, repo, at), "workflows")

    # Runs

    async def runs(self, request: web.Request) -> web.Response:
        repo = self._reach.repo(request)
        self._check_page_size(request)
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
        self._check_page_size(request)
        attempts = self._world.attempts(run) if request.query.get("filter") == "all" else (run,)
        jobs = [job for attempt in attempts for job in attempt.jobs]
        return self._page(request, jobs, lambda job: job_json(job, run, repo, at), "jobs")

    async def rerun(self, request: web.Request) -> web.Response:
        run, debug = self._reach.run(request), await _asks_for_debug_logs(request)
        self._world.rerun(run, by=self._reach.caller(request).login, debug_logging=debug)
        return web.json_response({}, status=201)

    async def rerun_failed(self, request: web.Request) -> web.Response:
        run, debug = self._reach.run(request), await _asks_for_debug_logs(request)
        self._world.rerun(run, failed_only=True, by=self._reach.caller(request).login, debug_logging=debug)
        return web.json_response({}, status=201)

    async def cancel(self, request: web.Request) -> web.Response:
        self._world.cancel(self._reach.run(request))
        return web.json_response({}, status=202)

    async def pending_deployments(self, request: web.Request) -> web.Response:
        run, at = self._reach.run(request), self._reach.at(request)
        repo = self._world.repo(run.repo_id)
        return web.json_response([pending_deployment_json(name, run, repo, at) for name in run.waits_for])

    async def review_deployments(self, request: web.Request) -> web.Response:
        run, at, form = self._reach.run(request), self._reach.at(request), await _form(request)
        repo = self._world.repo(run.repo_id)
        if not {"environment_ids", "state", "comment"} <= form.keys() or form["state"] not in ("approved", "rejected"):
            raise NotPossible(422, "Invalid request.")
        names = [name for name in run.waits_for if environment_id(name, repo) in form["environment_ids"]]
        account = self._world.accounts.account
        reviewed = [job for job in run.jobs if job.status == "waiting" and job.plan.environment in names]
        self._world.review(run, names, approved=form["state"] == "approved")
        return web.json_response([deployment_json(job, run, repo, account, at) for job in reviewed])

    async def job_log(self, request: web.Request) -> web.Response:
        """Redirects to the log's file on another host, for a minute."""
        repo, job_id = self._reach.repo(request), int(request.match_info["job_id"])
        self._world.log(repo, job_id)
        expires = int(self._world.now().timestamp()) + LOG_LINK_LASTS_S
        other_host = "127.0.0.1" if request.url.host == "localhost" else "localhost"
        url = request.url.origin().with_host(other_host) / "actions-results" / str(repo.id) / f"{job_id}.txt"
        return web.Response(status=302, headers={"Location": str(url % {"se": expires, "sig": _seal(job_id, expires)})})

    async def log_file(self, request: web.Request) -> web.Response:
        """Responds like a blob store, which accepts only the signature in the URL."""
        job_id, expires = int(request.match_info["job_id"]), request.query.get("se", "")
        if "Authorization" in request.headers:
            return web.Response(
                status=400, text="<Code>InvalidAuthenticationInfo</Code>", content_type="application/xml"
            )
        is_sealed = expires.isdecimal() and request.query.get("sig") == _seal(job_id, int(expires))
        if not is_sealed or int(expires) < self._world.now().timestamp():
            return web.Response(status=403, text="<Code>AuthenticationFailed</Code>", content_type="application/xml")
        text = self._world.log(int(request.match_info["repository_id"]), job_id)
        return web.Response(text=text, content_type="text/plain")

    # Webhooks

    async def hooks(self, request: web.Request) -> web.Response:
        owner, at = self._owner_of_hooks(request), self._reach.at(request)
        own = [hook for hook in self._world.hooks.values() if hook.owner.lower() == owner]
        return self._page(request, own, lambda hook: hook_json(hook, at, _JOINED))

    async def deliveries(self, request: web.Request) -> web.Response:
        hook, query = self._hook(request), request.query
        wanted = [
            each for each in reversed(hook.deliveries) if _is_wanted(each, query.get("status"), self._world.now())
        ]
        cursor, per_page = query.get("cursor", ""), page_of(query, len(wanted)).per_page
        if cursor:
            wanted = [delivery for delivery in wanted if delivery.id <= int(cursor.removeprefix("v1_"))]
        headers = {}
        if len(wanted) > per_page:
            url = self._reach.at(request).api + request.path.removeprefix(self._reach.prefix)
            onward = request.rel_url.with_query({**query, "cursor": f"v1_{wanted[per_page].id}"})
            headers["Link"] = f'<{url}?{onward.raw_query_string}>; rel="next"'
        return web.json_response([delivery_json(delivery) for delivery in wanted[:per_page]], headers=headers)

    async def delivery(self, request: web.Request) -> web.Response:
        hook = self._hook(request)
        return web.json_response(full_delivery_json(self._delivery(request, hook), hook))

    async def redeliver(self, request: web.Request) -> web.Response:
        hook = self._hook(request)
        hook.redeliver(self._delivery(request, hook))
        return web.json_response({}, status=202)

    def _owner_of_hooks(self, request: web.Request) -> str:
        """In lower case. Raises as `Access.org` and `Access.repo` do."""
        if "org" in request.match_info:
            return self._reach.org(request)
        if request.match_info.keys() & {"repo", "repository_id"}:
            return self._reach.repo(request).full_name.lower()
        return "app"

    def _hook(self, request: web.Request) -> Hook:
        owner, number = self._owner_of_hooks(request), request.match_info.get("hook_id")
        for hook in self._world.hooks.values():
            if hook.owner.lower() == owner and number in (None, str(hook.id)):
                return hook
        raise NotFound("no such hook")

    def _delivery(self, request: web.Request, hook: Hook) -> HookDelivery:
        number, now = int(request.match_info["delivery_id"]), self._world.now()
        for delivery in hook.deliveries:
            if delivery.id == number and _is_wanted(delivery, None, now):
                return delivery
        raise NotFound(f"no delivery {number}")

    # Limits and apps

    async def app(self, request: web.Request) -> web.Response:
        app = self._world.accounts.signer(token_of(request))
        owner, at = self._world.accounts.account(app.slug, "Organization"), self._reach.at(request)
        return web.json_response(integration_json(app, owner, ALL_THAT_IS_NEEDED, at, _JOINED))

    async def rate_limit(self, request: web.Request) -> web.Response:
        window = self._world.accounts.limits.window(rate_limit_owner(request, self._world))
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
        body: Json = {
            "token": token,
            "expires_at": time_json(caller.expires_at) if caller.expires_at else "",
            "permissions": dict(caller.permissions),
            "repository_selection": "all" if caller.repos is None else "selected",
        }
        return web.json_response(body, status=201)

    def _owned_by(self, caller: Caller) -> list[SandboxRepo]:
        lacks_sso = self._world.accounts.lacks_sso(caller)
        own = [repo for repo in self._world.repos() if caller.owns(repo)]
        return [repo for repo in own if repo.owner.lower() not in lacks_sso]

    def _partial_results(self, caller: Caller) -> dict[str, str]:
        ids = [str(self._world.accounts.account(org).id) for org in sorted(self._world.accounts.lacks_sso(caller))]
        return {"X-GitHub-SSO": f"partial-results; organizations={','.join(ids)}"} if ids else {}

    def _check_page_size(self, request: web.Request) -> None:
        limit = self._world.fails_above_per_page
        if limit is not None and page_of(request.query, 0).per_page > limit:
            raise NotPossible(502, "Server Error")

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
        headers: Mapping[str, str] | None = None,
    ) -> web.Response:
        """The requested page: a list, or with a `name` an object that has the total count, too."""
        page = page_of(request.query, len(items))
        shown = [written(item) for item in page.of(items)]
        link = link_header(page, self._reach.url_of(request), request.query_string)
        body = shown if name is None else {"total_count": len(items), **(more or {}), name: shown}
        return web.json_response(body, headers={**(headers or {}), **({} if link is None else {"Link": link})})


async def _form(request: web.Request) -> Json:
    """The body as an object; empty for no body and for `null`. Raises NotPossible."""
    body = await request.read()
    try:
        form = json.loads(body) if body else None
    except ValueError:
        raise NotPossible(400, "Problems parsing JSON") from None
    if not isinstance(form or {}, dict):
        raise NotPossible(400, "Body should be a JSON object")
    return form or {}


async def _asks_for_debug_logs(request: web.Request) -> bool:
    wanted = (await _form(request)).get("enable_debug_logging", False)
    if not isinstance(wanted, bool):
        raise NotPossible(
            422, f"Invalid request.\n\nFor 'properties/enable_debug_logging', {wanted!r} is not a boolean."
        )
    return wanted


def _seal(job_id: int, expires: int) -> str:
    return hashlib.sha256(f"log of job {job_id} until {expires}".encode()).hexdigest()


def _is_wanted(delivery: HookDelivery, status: str | None, now: datetime) -> bool:
    """Whether GitHub still has the delivery, with this outcome."""
    if now - delivery.at > DELIVERIES_LAST or not delivery.is_done:
        return False
    code, _ = delivery_outcome(delivery)
    return status is None or (status == "failure") == (code >= 400)

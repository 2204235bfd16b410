"""The sandbox GitHub as an HTTP host: its REST API over a GitHubWorld, with the world's faults.

It holds no state of its own, and decides nothing about runs.
"""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from playground.github.api.access import Access, Moved
from playground.github.api.handlers import Answers
from playground.github.api.middleware import call_of, gate, header_writer, route_name
from playground.github.api.serializers import Json
from playground.github.faults import Call
from playground.github.state import GitHubWorld
from playground.http_host.fault_middleware import fault_middleware, release_on_shutdown
from playground.http_host.request_log import Request
from playground.http_host.server import Host
from playground.traffic import TrafficLog

WEB_URL = "https://github.com"
ENTERPRISE_PREFIX = "/api/v3"
"""The prefix of every path at a GitHub Enterprise Server."""

_ID = r"\d{1,18}"
_HOOK, _DELIVERY = f"{{hook_id:{_ID}}}", f"{{delivery_id:{_ID}}}"
_SUBJECTS = ("run_id", "job_id", "pull_number", "delivery_id", "installation_id")
"""Which id in a path says what a request is about."""
_SHOWN_HEADERS = ("Authorization", "Accept", "X-GitHub-Api-Version", "If-None-Match")


class GitHubHost(Host):
    """A world served on loopback."""

    def __init__(
        self,
        world: GitHubWorld,
        port: int = 0,
        *,
        wires: TrafficLog | None = None,
        prefix: str = "",
        web_url: str = WEB_URL,
    ) -> None:
        self.world = world
        self.wires = wires or TrafficLog(world.now)
        self.web_url = web_url
        self._prefix = prefix
        super().__init__(lambda: application(self.world, self.wires, prefix, self.web_url), port)

    @property
    def url(self) -> str:
        """The API's base, without a slash at the end."""
        return f"{self.origin}{self._prefix}"


def application(world: GitHubWorld, wires: TrafficLog, prefix: str, web_url: str) -> web.Application:
    """The calls of the API that the sandbox serves, and nothing else."""

    def record_of(request: web.Request) -> Request:
        return _record(request, world)

    reach = Access(world, prefix, web_url)
    middlewares = [fault_middleware(world, wires, "bot to github", record_of, _sent), gate(world), _redirecting(reach)]
    app = web.Application(middlewares=middlewares)
    app.add_routes(_routes(Answers(world, reach), prefix))
    app.on_response_prepare.append(header_writer(world))
    release_on_shutdown(app, world)
    return app


def _routes(answers: Answers, prefix: str) -> list[web.RouteDef]:
    token = f"{prefix}/app/installations/{{installation_id:{_ID}}}/access_tokens"
    return [
        _get(f"{prefix}/user", answers.user, "user"),
        _get(f"{prefix}/user/repos", answers.user_repos, "user repos"),
        _get(f"{prefix}/installation/repositories", answers.installation_repos, "installation repos"),
        _get(f"{prefix}/orgs/{{org}}/repos", answers.org_repos, "org repos"),
        _get(f"{prefix}/rate_limit", answers.rate_limit, "rate limit"),
        _post(token, answers.access_token, "access token"),
        _get(f"/actions-results/{{repository_id:{_ID}}}/{{job_id:{_ID}}}.txt", answers.log_file, "log file"),
        _get(f"{prefix}/app", answers.app, "app"),
        _get(f"{prefix}/app/hook/deliveries", answers.deliveries, "app deliveries"),
        _get(f"{prefix}/app/hook/deliveries/{_DELIVERY}", answers.delivery, "app delivery"),
        _post(f"{prefix}/app/hook/deliveries/{_DELIVERY}/attempts", answers.redeliver, "app redelivery"),
        _get(f"{prefix}/orgs/{{org}}/hooks", answers.hooks, "org hooks"),
        _get(f"{prefix}/orgs/{{org}}/hooks/{_HOOK}/deliveries", answers.deliveries, "org deliveries"),
        _post(
            f"{prefix}/orgs/{{org}}/hooks/{_HOOK}/deliveries/{_DELIVERY}/attempts", answers.redeliver, "org redelivery"
        ),
        *_routes_of_a_repo(answers, f"{prefix}/repos/{{owner}}/{{repo}}", "by_name"),
        *_routes_of_a_repo(answers, f"{prefix}/repositories/{{repository_id:{_ID}}}", "by_id"),
    ]


def _routes_of_a_repo(answers: Answers, repo: str, how: str) -> list[web.RouteDef]:
    run = f"{repo}/actions/runs/{{run_id:{_ID}}}"
    return [
        _get(repo, answers.repo, "repo", how),
        _get(f"{repo}/branches", answers.branches, "branches", how),
        _get(f"{repo}/branches/{{branch:.+}}", answers.branch, "branch", how),
        _get(f"{repo}/pulls/{{pull_number:{_ID}}}", answers.pull, "pull", how),
        _get(f"{repo}/hooks", answers.hooks, "repo hooks", how),
        _get(f"{repo}/hooks/{_HOOK}/deliveries", answers.deliveries, "repo deliveries", how),
        _post(f"{repo}/hooks/{_HOOK}/deliveries/{_DELIVERY}/attempts", answers.redeliver, "repo redelivery", how),
        _get(f"{repo}/actions/jobs/{{job_id:{_ID}}}/logs", answers.job_log, "job log", how),
        _get(f"{repo}/installation", answers.installation, "installation", how),
        _get(f"{repo}/actions/workflows", answers.workflows, "workflows", how),
        _get(f"{repo}/actions/runs", answers.runs, "runs", how),
        _get(run, answers.run, "run", how),
        _get(f"{run}/attempts/{{attempt_number:{_ID}}}", answers.attempt, "attempt", how),
        _get(f"{run}/jobs", answers.jobs, "jobs", how),
        _get(f"{run}/pending_deployments", answers.pending_deployments, "pending deployments", how),
        _post(f"{run}/pending_deployments", answers.review_deployments, "review deployments", how),
        _post(f"{run}/rerun", answers.rerun, "rerun", how),
        _post(f"{run}/rerun-failed-jobs", answers.rerun_failed, "rerun failed", how),
        _post(f"{run}/cancel", answers.cancel, "cancel", how),
    ]


def _get(path: str, handler: Handler, call: Call, how: str = "") -> web.RouteDef:
    return web.get(path, handler, name=route_name(call, how), allow_head=False)


def _post(path: str, handler: Handler, call: Call, how: str = "") -> web.RouteDef:
    return web.post(path, handler, name=route_name(call, how))


def _redirecting(reach: Access) -> Middleware:
    """Redirects a request with a repository's old name to the repository."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Moved as moved:
            return reach.redirect(request, moved.repo)

    return middleware


def _record(request: web.Request, world: GitHubWorld) -> Request:
    number = next((request.match_info[name] for name in _SUBJECTS if name in request.match_info), None)
    subject = None if number is None else int(number)
    query = tuple(request.query.items())
    return Request(request.method, request.path, query, world.now(), call_of(request), subject)


def _sent(request: web.Request, record: Request) -> Json:
    headers = {name: request.headers[name] for name in _SHOWN_HEADERS if name in request.headers}
    return {"headers": headers, "query": dict(record.query)}

"""The simulated CodeShip as an HTTP server: the v1 contract for a CodeShipWorld, with its current fault.

Holds no state and makes no decisions about builds.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from playground.codeship.model import NotFound, SandboxBuild, SandboxProject
from playground.codeship.state import CodeShipWorld
from playground.http_host.fault_middleware import fault_middleware, release_on_shutdown
from playground.http_host.request_log import Request
from playground.http_host.server import Host
from playground.traffic import TrafficLog

BASE_PATH = "/api/v1"


class CodeShipHost(Host):
    """Serves an account on loopback."""

    def __init__(self, world: CodeShipWorld, port: int = 0, *, wires: TrafficLog | None = None) -> None:
        self.world = world
        self.wires = wires or TrafficLog(world.now)
        super().__init__(lambda: application(self.world, self.wires), port)

    @property
    def url(self) -> str:
        """The API's base address, without a trailing slash."""
        return f"{self.origin}{BASE_PATH}"


def application(world: CodeShipWorld, wires: TrafficLog) -> web.Application:
    """The three calls of the contract."""
    contract = _Contract(world)

    def record_of(request: web.Request) -> Request:
        return _record(request, world.now())

    answers = fault_middleware(world, wires, "bot to codeship", record_of, lambda _, record: dict(record.query))
    app = web.Application(middlewares=[answers])
    app.add_routes(
        [
            web.get(f"{BASE_PATH}/projects.json", contract.list_projects, name="list", allow_head=False),
            web.get(BASE_PATH + r"/projects/{id:\d{1,18}}.json", contract.project, name="project", allow_head=False),
            web.post(BASE_PATH + r"/builds/{id:\d{1,18}}/restart.json", contract.restart, name="restart"),
        ]
    )
    release_on_shutdown(app, world)
    return app


class _Contract:
    """The real responses. Checks the key first."""

    def __init__(self, world: CodeShipWorld) -> None:
        self._world = world

    async def list_projects(self, request: web.Request) -> web.Response:
        if not self._has_the_key(request):
            return _refusal(401, "Invalid API key")
        shown = self._world.list_call()
        return web.json_response({"projects": [project_json(project, builds) for project, builds in shown]})

    async def project(self, request: web.Request) -> web.Response:
        if not self._has_the_key(request):
            return _refusal(401, "Invalid API key")
        try:
            shown = self._world.project_call(int(request.match_info["id"]), request.query.get("branch") or None)
        except NotFound:
            return _refusal(404, "Project not found")
        return web.json_response(project_json(*shown))

    async def restart(self, request: web.Request) -> web.Response:
        if not self._has_the_key(request):
            return _refusal(401, "Invalid API key")
        try:
            build = self._world.restart(int(request.match_info["id"]))
        except NotFound:
            return _refusal(404, "Build not found")
        return web.json_response({"id": build.id, "uuid": build.uuid})

    def _has_the_key(self, request: web.Request) -> bool:
        return self._world.accepts(request.query.get("api_key"))


def project_json(project: SandboxProject, builds: Iterable[SandboxBuild]) -> dict[str, Any]:
    """PROJECT, as in the contract."""
    fields: dict[str, Any] = {
        "id": project.id,
        "repository_name": project.repository_name,
        "uuid": project.uuid,
        "builds": [build_json(build) for build in builds],
    }
    if project.repository_provider is not None:
        fields["repository_provider"] = project.repository_provider
    return fields


def build_json(build: SandboxBuild) -> dict[str, Any]:
    """BUILD, as in the contract, without the build's missing fields."""
    fields = {
        "id": build.id,
        "uuid": build.uuid,
        "project_id": build.project_id,
        "status": build.status,
        "branch": build.branch,
        "commit_id": build.commit_id,
        "github_username": build.github_username,
        "message": build.message,
        "started_at": _time(build.started_at),
        "finished_at": _time(build.finished_at),
        "debug_connection": None,
    }
    return {name: value for name, value in fields.items() if name not in build.missing}


def _time(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _refusal(status: int, words: str) -> web.Response:
    return web.json_response({"errors": [words]}, status=status)


def _record(request: web.Request, at: datetime) -> Request:
    query = tuple((name, "[redacted]" if name == "api_key" else value) for name, value in request.query.items())
    call, number = request.match_info.route.name, request.match_info.get("id")
    return Request(request.method, request.path, query, at, call, None if number is None else int(number))

"""The sandbox CodeShip as an HTTP host: the v1 contract over a CodeShipWorld, in the mood that the world is in.

It holds no state of its own, and decides nothing about builds.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, cast

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.playground.codeship_moods import Call, Canned, Mood
from bot.playground.codeship_records import NotThere, Request, SandboxBuild, SandboxProject
from bot.playground.codeship_world import CodeShipWorld
from bot.playground.loopback import Loopback
from bot.playground.wires import LONGEST_BODY, Wires

BASE_PATH = "/api/v1"
_PIECE = b" " * 65_536


class CodeShipHost:
    """A world served on loopback. Stopped, it refuses connections; started again, it is at the same address."""

    def __init__(self, world: CodeShipWorld, port: int = 0, *, wires: Wires | None = None) -> None:
        self.world = world
        self.wires = wires or Wires(world.now)
        self._port = port
        self._loopback: Loopback | None = None

    @property
    def url(self) -> str:
        """The API's base, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}{BASE_PATH}"

    def start(self) -> CodeShipHost:
        """Returns when connections are accepted. Raises OSError where the port is taken."""
        if self._loopback is None:
            self._loopback = Loopback(application(self.world, self.wires), self._port).start()
            self._port = self._loopback.port
        return self

    def stop(self) -> None:
        """Calls that are held back are let go, then every connection is closed."""
        if self._loopback is not None:
            self._loopback.stop()
            self._loopback = None

    def __enter__(self) -> CodeShipHost:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def application(world: CodeShipWorld, wires: Wires) -> web.Application:
    """The three calls of the contract, and nothing else."""
    contract = _Contract(world)

    async def let_go(_: web.Application) -> None:
        world.release()

    app = web.Application(middlewares=[_moody(world, wires)])
    app.add_routes(
        [
            web.get(f"{BASE_PATH}/projects.json", contract.list_projects, name="list", allow_head=False),
            web.get(BASE_PATH + r"/projects/{id:\d{1,18}}.json", contract.project, name="project", allow_head=False),
            web.post(BASE_PATH + r"/builds/{id:\d{1,18}}/restart.json", contract.restart, name="restart"),
        ]
    )
    app.on_shutdown.append(let_go)
    return app


class _Contract:
    """The true answers. A wrong key is told before anything else is looked at."""

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
        except NotThere:
            return _refusal(404, "Project not found")
        return web.json_response(project_json(*shown))

    async def restart(self, request: web.Request) -> web.Response:
        if not self._has_the_key(request):
            return _refusal(401, "Invalid API key")
        try:
            build = self._world.restart(int(request.match_info["id"]))
        except NotThere:
            return _refusal(404, "Build not found")
        return web.json_response({"id": build.id, "uuid": build.uuid})

    def _has_the_key(self, request: web.Request) -> bool:
        return self._world.accepts(request.query.get("api_key"))


def project_json(project: SandboxProject, builds: Iterable[SandboxBuild]) -> dict[str, Any]:
    """PROJECT, as the contract writes it."""
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
    """BUILD, as the contract writes it, without the fields that this one misses."""
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


def _moody(world: CodeShipWorld, wires: Wires) -> Middleware:
    """The middleware that writes each request down and answers it as the mood of the world has it."""

    @web.middleware
    async def moody(request: web.Request, handler: Handler) -> web.StreamResponse:
        call = cast("Call | None", request.match_info.route.name)
        record = _record(request, call, world.now())
        number, mood = world.arrived(record)
        wire = wires.begin("bot to codeship", f"{record.method} {record.path}", dict(record.query))
        status: int | None = None
        body: Any = None
        try:
            answer = await _answer(request, handler, call, mood)
            if mood.delay_s:
                await _hold(world, mood.delay_s)
            if answer is not None:
                status, body = answer.status, _shown(answer)
                return await _deliver(request, answer, mood)
            return _hang_up(request)
        except web.HTTPException as unknown_route:
            status = unknown_route.status
            raise
        finally:
            world.answered(number, status)
            wires.end(wire, status or "no answer", body)

    return moody


async def _answer(request: web.Request, handler: Handler, call: Call | None, mood: Mood) -> web.Response | None:
    """What this request is to get, with its effect in the world; None: that there is nothing to be got."""
    answer = None
    if mood.takes if call == "restart" else mood.canned is None:
        answer = cast("web.Response", await handler(request))
    if mood.ending == "closed":
        return None
    return answer if mood.canned is None else _canned(request, mood, mood.canned)


def _canned(request: web.Request, mood: Mood, canned: Canned) -> web.Response:
    headers = dict(canned.headers)
    if mood.redirects_to is not None:
        headers["Location"] = mood.redirects_to + (request.raw_path if mood.keeps_path else "")
    return web.Response(status=canned.status, text=canned.body, content_type=canned.content_type, headers=headers)


async def _hold(world: CodeShipWorld, delay_s: float) -> None:
    loop, freed = asyncio.get_running_loop(), asyncio.Event()
    with world.holding(lambda: loop.call_soon_threadsafe(freed.set)), contextlib.suppress(TimeoutError):
        await asyncio.wait_for(freed.wait(), None if delay_s == math.inf else delay_s)


async def _deliver(request: web.Request, answer: web.Response, mood: Mood) -> web.StreamResponse:
    body = answer.body if isinstance(answer.body, bytes) else b""
    if mood.ending == "cut":
        cut = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
        cut.content_length = len(body)
        await cut.prepare(request)
        await cut.write(body[: len(body) // 2])
        return _hang_up(request, cut)
    if mood.padding_bytes:
        padded = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
        padded.enable_chunked_encoding()
        await padded.prepare(request)
        await padded.write(body)
        for sent in range(0, mood.padding_bytes, len(_PIECE)):
            await padded.write(_PIECE[: mood.padding_bytes - sent])
        return padded
    return answer


def _shown(answer: web.Response) -> Any:
    """The body as one can look at it."""
    body = answer.body if isinstance(answer.body, bytes) else b""
    if len(body) > LONGEST_BODY:
        return f"({len(body):,} bytes)"
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def _hang_up(request: web.Request, begun: web.StreamResponse | None = None) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.close()
    return begun or web.Response()


def _record(request: web.Request, call: Call | None, at: datetime) -> Request:
    query = tuple((name, "[redacted]" if name == "api_key" else value) for name, value in request.query.items())
    number = request.match_info.get("id")
    return Request(request.method, request.path, query, at, call, None if number is None else int(number))

"""Serves a workspace over HTTP: the Web API, response URLs and Socket Mode's WebSocket. Makes no decisions itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from playground.http_host.server import Loopback
from playground.slack.methods import answer
from playground.slack.outgoing.socket_mode import SocketMode
from playground.slack.workspace import Workspace


class SlackApi:
    """Serves a workspace on loopback. With `port` 0, `url` has the port in use.

    With an app token, payloads go over Socket Mode, unless `Workspace.deliver_through` sets another transport after the
    start.
    """

    def __init__(self, workspace: Workspace, port: int = 0, *, sockets: SocketMode | None = None) -> None:
        self.workspace = workspace
        self.sockets = sockets or SocketMode(workspace.app.id)
        self._server = Loopback(application(workspace, self.sockets), port)

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def api_url(self) -> str:
        """The value for `SLACK_API_URL`, instead of https://slack.com/api/."""
        return f"{self.url}/api/"

    def start(self) -> SlackApi:
        """Returns when calls are answered. Raises OSError if the port is in use."""
        self._server.start()
        self.workspace.base_url = self.url
        self.workspace.new_link_url = self._new_link_url
        if self.workspace.app_token is not None:
            self.workspace.deliver_through(self.sockets)
        return self

    def stop(self) -> None:
        self._server.stop()

    def _new_link_url(self) -> str:
        return f"ws://127.0.0.1:{self._server.port}/link/?ticket={self.sockets.new_ticket()}&app_id={self.workspace.app.id}"


def application(workspace: Workspace, sockets: SocketMode) -> web.Application:
    async def call(request: web.Request) -> web.Response:
        arguments = await _arguments(request)
        method = request.match_info["method"]
        token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip() or arguments.get("token")
        wire = workspace.wires.begin("bot to slack", method, arguments)
        said = answer(workspace, method, token, arguments)
        workspace.wires.end(wire, said.status, said.body)
        if said.body is None:
            return web.Response(status=said.status, headers=said.headers, text="<html>Server Error</html>")
        return web.json_response(said.body, status=said.status, headers=said.headers)

    async def respond(request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.text())
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
        wire = workspace.wires.begin("bot to slack", "response_url", {"url": request.path, **body})
        status, word = workspace.respond(request.path, body)
        workspace.wires.end(wire, status, word)
        if word != "ok":
            return web.json_response({"ok": False, "error": word}, status=status)
        return web.Response(text="ok") if request.path.startswith("/commands/") else web.json_response({"ok": True})

    app = web.Application(client_max_size=1024**2)
    app.router.add_route("*", "/api/{method}", call)
    app.router.add_post("/{kind:commands|actions|app}/{team}/{number}/{secret}", respond)
    app.router.add_get("/link/", sockets.connect)
    return app


async def _arguments(request: web.Request) -> Mapping[str, Any]:
    """Arguments from the query, a form or JSON, as Slack accepts them."""
    if request.content_type == "application/json":
        try:
            body = await request.json()
        except ValueError:
            body = {}
        return body if isinstance(body, dict) else {}
    return {**request.query, **await request.post()}

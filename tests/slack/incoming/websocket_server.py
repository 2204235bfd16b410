"""A WebSocket server on loopback that behaves like Slack, and like bad networks."""

from __future__ import annotations

import asyncio
import json
from queue import Queue
from typing import Any

from aiohttp import WSMsgType, web

from playground.http_host.server import Loopback


class Slack:
    """Gives out addresses that work once, opens links, says `hello`, keeps what is acknowledged."""

    def __init__(self) -> None:
        self.refuses: str | None = None
        self.breaks_answers = 0
        self.drops_tickets = 0
        self.answers_pings = True
        self.opened = 0
        self.tokens: list[str | None] = []
        self.acks: Queue[tuple[int, dict[str, Any]]] = Queue()
        self.links: Queue[tuple[int, web.WebSocketResponse]] = Queue()
        self._tickets: set[str] = set()
        app = web.Application()
        app.router.add_post("/api/apps.connections.open", self._open)
        app.router.add_get("/link", self._link)
        self.host = Loopback(app)

    async def _open(self, request: web.Request) -> web.Response:
        self.tokens.append(request.headers.get("Authorization"))
        if self.refuses:
            return web.json_response({"ok": False, "error": self.refuses})
        if self.breaks_answers:
            self.breaks_answers -= 1
            return web.Response(status=503, text="<html>later</html>", content_type="text/html")
        self.opened += 1
        self._tickets.add(str(self.opened))
        return web.json_response({"ok": True, "url": f"ws://127.0.0.1:{self.host.port}/link?ticket={self.opened}"})

    async def _link(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query["ticket"]
        if ticket not in self._tickets or self.drops_tickets:
            self._tickets.discard(ticket)
            self.drops_tickets = max(0, self.drops_tickets - 1)
            return web.Response(status=408)
        self._tickets.discard(ticket)
        link = web.WebSocketResponse(autoping=False)
        await link.prepare(request)
        await link.send_json({"type": "hello"})
        self.links.put((int(ticket), link))
        async for message in link:
            if message.type is WSMsgType.PING and self.answers_pings:
                await link.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self.acks.put((int(ticket), json.loads(message.data)))
        return link

    def link(self) -> tuple[int, web.WebSocketResponse]:
        """The next link that is opened: its number and itself."""
        return self.links.get(timeout=5)

    def send(self, link: web.WebSocketResponse, message: dict[str, Any]) -> None:
        asyncio.run_coroutine_threadsafe(link.send_json(message), self.host.loop).result(5)

    def close(self, link: web.WebSocketResponse) -> None:
        asyncio.run_coroutine_threadsafe(link.close(), self.host.loop).result(5)

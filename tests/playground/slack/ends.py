"""Both ends of the simulated workspace for its own tests: a clock to move, and a bot that only receives."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

from playground.http_host.server import Loopback

BOT_TOKEN = "xoxb-sandbox-1"
APP_TOKEN = "xapp-sandbox-1"
SIGNING_SECRET = "sandbox-signing-secret"


class SettableClock:
    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def passes(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Received:
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def event(self) -> Any:
        return json.loads(self.body)

    @property
    def action(self) -> Any:
        return json.loads(self.form["payload"])


class Ear:
    """A bot's request URL that stores what it receives. `answer` is its response; with `hold` it responds too late."""

    def __init__(self) -> None:
        self.heard: list[Received] = []
        self.answer: tuple[int, str] = (200, "")
        self.hold = False
        app = web.Application()
        app.router.add_post("/slack/events", self._hear)
        self._server = Loopback(app)

    async def _hear(self, request: web.Request) -> web.Response:
        self.heard.append(Received(dict(request.headers), await request.read()))
        if self.hold:
            await asyncio.Event().wait()
        return web.Response(status=self.answer[0], text=self.answer[1])

    def __enter__(self) -> Ear:
        self._server.start()
        self.url = f"{self._server.url}/slack/events"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()


class SocketModeClient:
    """A bare Socket Mode client: stores every frame, acknowledges envelopes with `payload`, pings on request."""

    def __init__(self, url: str, payload: dict[str, Any] | None = None, *, acks: bool = True) -> None:
        self.frames: list[dict[str, Any]] = []
        self.pongs: list[bytes] = []
        self.close_at_next_frame = False
        self._url, self._payload, self._acks = url, payload, acks
        self._loop = asyncio.new_event_loop()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),), daemon=True)

    def __enter__(self) -> SocketModeClient:
        self._thread.start()
        assert self.waits_for(lambda: bool(self.frames))
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(5)
        self._loop.close()

    def waits_for(self, holds: Callable[[], bool], timeout_s: float = 5.0) -> bool:
        with self._changed:
            return self._changed.wait_for(holds, timeout_s)

    def ping(self, data: bytes) -> None:
        asyncio.run_coroutine_threadsafe(self._ws.ping(data), self._loop).result(5)

    async def _run(self) -> None:
        self._task = asyncio.ensure_future(self._listen())
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _listen(self) -> None:
        async with aiohttp.ClientSession() as session:
            self._ws = await session.ws_connect(self._url, autoping=False)
            async for message in self._ws:
                await self._take(message)

    async def _take(self, message: aiohttp.WSMessage) -> None:
        with self._changed:
            if message.type is aiohttp.WSMsgType.PONG:
                self.pongs.append(message.data)
            else:
                self.frames.append(json.loads(message.data))
            self._changed.notify_all()
        if self.close_at_next_frame:
            await self._ws.close()
        elif self._acks and message.type is aiohttp.WSMsgType.TEXT and "envelope_id" in self.frames[-1]:
            ack: dict[str, Any] = {"envelope_id": self.frames[-1]["envelope_id"]}
            await self._ws.send_json(ack | ({"payload": self._payload} if self._payload else {}))

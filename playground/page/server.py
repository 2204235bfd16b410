"""The playground's site on loopback: the page, its data, and its actions."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from aiohttp import web

from playground.http_host.server import Loopback
from playground.page.actions import ACTIONS, act
from playground.page.guard import HEADERS, guard
from playground.page.state import Reader
from playground.play.sessions import Sessions
from playground.slack.model import CannotDo

PORT = 8765
STATIC = Path(__file__).parents[1] / "static"
LOOK_EVERY_S = 0.1
TICK_EVERY_S = 0.5
_BEAT_EVERY_S = 15.0
_AT_ONCE = 16


class Site:
    """Serves `sessions`, and starts and stops them. With `port` 0, `url` has the port in use. Also a
    context manager.
    """

    def __init__(self, sessions: Sessions, port: int = PORT) -> None:
        self.sessions = sessions
        self._workers = ThreadPoolExecutor(_AT_ONCE, "site")
        self._loopback = Loopback(application(sessions, self._workers), port)

    @property
    def url(self) -> str:
        return self._loopback.url

    def start(self) -> Site:
        """Returns when the page can be opened. Raises OSError if the port is in use."""
        self.sessions.start()
        try:
            self._loopback.start()
        except OSError:
            self.sessions.stop()
            raise
        return self

    def stop(self) -> None:
        self._loopback.stop()
        self.sessions.stop()
        self._workers.shutdown(cancel_futures=True)

    def __enter__(self) -> Site:
        return self.start()

    def __exit__(self, *_failure: object) -> None:
        self.stop()


def application(sessions: Sessions, workers: ThreadPoolExecutor) -> web.Application:
    pages = _Pages(sessions, workers)
    app = web.Application(middlewares=[guard], client_max_size=256 * 1024)
    app.on_shutdown.append(pages.let_go)
    app.cleanup_ctx.append(pages.ticking)
    app.router.add_get("/", pages.page)
    app.router.add_get("/api/events", pages.events)
    app.router.add_post("/api/{name}", pages.do)
    app.router.add_static("/assets", STATIC / "assets")
    return app


class _Pages:
    def __init__(self, sessions: Sessions, workers: ThreadPoolExecutor) -> None:
        self._sessions = sessions
        self._workers = workers
        self._closing = asyncio.Event()

    async def page(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse(STATIC / "index.html")

    async def do(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in ACTIONS:
            raise web.HTTPNotFound
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType  # another site's form could be sent without a preflight request
        body = await request.read()
        try:
            # On a thread: a person waits for Slack's ack, while others continue.
            answer = await asyncio.get_running_loop().run_in_executor(self._workers, act, self._sessions, name, body)
        except CannotDo as why:
            return web.json_response(
                {"ok": False, "error": str(why)}
            )  # not the page's fault, so no error in its console
        except (msgspec.ValidationError, msgspec.DecodeError) as why:
            return web.json_response({"error": str(why)}, status=400)
        return web.json_response({"ok": True, **answer})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Streams changes until the page or the site is closed."""
        stream = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        await stream.prepare(request)
        reader = Reader(self._sessions)
        silent_s = 0.0
        with contextlib.suppress(ConnectionError):
            while not self._closing.is_set():
                news = reader.news()
                if news is not None:
                    await stream.write(f"data: {json.dumps(news)}\n\n".encode())
                    silent_s = 0.0
                elif silent_s >= _BEAT_EVERY_S:
                    await stream.write(b": still here\n\n")
                    silent_s = 0.0
                await self._pause(LOOK_EVERY_S)
                silent_s += LOOK_EVERY_S
        return stream

    async def ticking(self, _: web.Application) -> AsyncIterator[None]:
        """Advances builds as long as the site runs."""

        async def tick() -> None:
            while not self._closing.is_set():
                self._sessions.current.tick()
                await self._pause(TICK_EVERY_S)

        ticker = asyncio.create_task(tick())
        yield
        await ticker

    async def let_go(self, _: web.Application) -> None:
        self._closing.set()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)

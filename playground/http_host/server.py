"""A real HTTP server on loopback, with its own thread and event loop. Does not know what it serves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Self

from aiohttp import web


class Loopback:
    """Serves one aiohttp application on 127.0.0.1. With `port` 0, `url` has the port in use."""

    def __init__(self, app: web.Application, port: int = 0) -> None:
        self._app = app
        self._wanted_port = port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="loopback", daemon=True)
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """For `asyncio.run_coroutine_threadsafe` from other threads. Raises RuntimeError before `start`."""
        if self._loop is None:
            raise RuntimeError("not started")
        return self._loop

    def start(self) -> Loopback:
        """Returns when connections are accepted. Raises OSError if the port is in use."""
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def stop(self) -> None:
        """Closes every connection and waits for the thread to end. Does nothing before `start`."""
        if self._loop is None or self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        loop = self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(self._serve())
        except OSError as failure:
            self._failure = failure
            if self._runner is not None:
                loop.run_until_complete(self._runner.cleanup())  # also stops what the application started
            loop.close()
            self._started.set()
            return
        self._started.set()
        try:
            loop.run_forever()
        finally:
            if self._runner is not None:
                loop.run_until_complete(self._runner.cleanup())
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    async def _serve(self) -> None:
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._wanted_port)
        await site.start()
        self.port = self._runner.addresses[0][1]


class Host:
    """Serves what `make` returns on loopback. After `stop` it refuses connections; `start` continues with the same
    state.
    """

    def __init__(self, make: Callable[[], web.Application], port: int = 0) -> None:
        self._make = make
        self._port = port
        self._loopback: Loopback | None = None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> Self:
        """Returns when connections are accepted. Raises OSError if the port is in use."""
        if self._loopback is None:
            self._loopback = Loopback(self._make(), self._port).start()
            self._port = self._loopback.port
        return self

    def stop(self) -> None:
        """Releases held calls, then closes every connection."""
        if self._loopback is not None:
            self._loopback.stop()
            self._loopback = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_failure: object) -> None:
        self.stop()

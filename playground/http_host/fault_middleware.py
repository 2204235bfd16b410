"""Middleware that answers a simulated service's requests with the current fault, and logs each request.

The service says what a request means.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, cast

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from playground.http_host.faults import CannedResponse, Fault
from playground.http_host.request_log import Request, RequestLog
from playground.traffic import MAX_BODY, Direction, TrafficLog

Record = Callable[[web.Request], Request]
"""Returns the log entry for a request, with secrets masked."""

Sent = Callable[[web.Request, Request], Mapping[str, Any]]
"""Returns what the traffic log shows of a request. It masks secrets in fields with their own names."""

_PIECE = b" " * 65_536


def fault_middleware(world: RequestLog, wires: TrafficLog, way: Direction, record_of: Record, sent: Sent) -> Middleware:
    """Middleware that logs each request and answers it with the service's current fault."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        record = record_of(request)
        number, mood = world.arrived(record)
        wire = wires.begin(way, f"{record.method} {record.path}", sent(request, record))
        status: int | None = None
        body: Any = None
        try:
            answer = await _answer(request, handler, mood)
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

    return middleware


def release_on_shutdown(app: web.Application, world: RequestLog) -> None:
    """Releases held calls when the application stops, so that it does not wait for them."""

    async def release(_: web.Application) -> None:
        world.release()

    app.on_shutdown.append(release)


async def _answer(request: web.Request, handler: Handler, mood: Fault) -> web.Response | None:
    """The response, after the request's effect on the service; None if no response is sent."""
    answer = None
    if mood.takes if request.method == "POST" else mood.canned is None:
        answer = cast("web.Response", await handler(request))
    if mood.ending == "closed":
        return None
    return answer if mood.canned is None else _canned(request, mood, mood.canned)


def _canned(request: web.Request, mood: Fault, canned: CannedResponse) -> web.Response:
    headers = dict(canned.headers)
    if mood.redirects_to is not None:
        headers["Location"] = mood.redirects_to + (request.raw_path if mood.keeps_path else "")
    return web.Response(status=canned.status, text=canned.body, content_type=canned.content_type, headers=headers)


async def _hold(world: RequestLog, delay_s: float) -> None:
    loop, freed = asyncio.get_running_loop(), asyncio.Event()
    with world.holding(lambda: loop.call_soon_threadsafe(freed.set)), contextlib.suppress(TimeoutError):
        await asyncio.wait_for(freed.wait(), None if delay_s == math.inf else delay_s)


async def _deliver(request: web.Request, answer: web.Response, mood: Fault) -> web.StreamResponse:
    body = answer.body if isinstance(answer.body, bytes) else b""
    if mood.ending == "cut":
        cut = _begun(answer)
        cut.content_length = len(body)
        await cut.prepare(request)
        await cut.write(body[: len(body) // 2])
        return _hang_up(request, cut)
    if mood.padding_bytes:
        padded = _begun(answer)
        padded.enable_chunked_encoding()
        await padded.prepare(request)
        await padded.write(body)
        for sent in range(0, mood.padding_bytes, len(_PIECE)):
            await padded.write(_PIECE[: mood.padding_bytes - sent])
        return padded
    return answer


def _begun(answer: web.Response) -> web.StreamResponse:
    """The response's head, for a body that is sent in chunks."""
    headers = {name: value for name, value in answer.headers.items() if name != "Content-Length"}
    return web.StreamResponse(status=answer.status, headers=headers)


def _shown(answer: web.Response) -> Any:
    """The body for the traffic log."""
    body = answer.body if isinstance(answer.body, bytes) else b""
    if len(body) > MAX_BODY:
        return f"({len(body):,} bytes)"
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def _hang_up(request: web.Request, begun: web.StreamResponse | None = None) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.close()
    return begun or web.Response()

"""The server side of Socket Mode: WebSocket links to the bot, and payloads sent over them. Knows no workspace.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from concurrent.futures import Future
from typing import Any

from aiohttp import WSMsgType, web

from playground.slack.outgoing.delivery import ACK_TIMEOUT_S, Ack, Outcome, Payload

MAX_LINKS = 10
_ANSWERED = frozenset({"block_suggestion", "view_submission"})
"""Interactions whose acknowledgement may have a body."""


class _Link:
    """One connection. `silent`: half-open, nothing arrives or is answered. `leaving`: asked to reconnect."""

    def __init__(self, ws: web.WebSocketResponse, loop: asyncio.AbstractEventLoop) -> None:
        self.ws = ws
        self.loop = loop
        self.silent = False
        self.leaving = False
        self.waiting: dict[str, Future[str]] = {}

    def send(self, document: dict[str, Any]) -> None:
        """Thread-safe. Raises what a closed connection raises."""
        asyncio.run_coroutine_threadsafe(self.ws.send_json(document), self.loop).result(timeout=ACK_TIMEOUT_S)


class SocketMode:
    """Sends each payload over one of the links, in turn. Thread-safe; a `Transport`."""

    def __init__(self, app_id: str, ack_timeout_s: float = ACK_TIMEOUT_S) -> None:
        self._app_id = app_id
        self._ack_timeout_s = ack_timeout_s
        self._changed = threading.Condition()
        self._links: list[_Link] = []
        self._tickets: set[str] = set()
        self._numbers = itertools.count(1)
        self._turns = itertools.count()

    def new_ticket(self) -> str:
        """A ticket that admits one connection."""
        with self._changed:
            ticket = f"ticket-{next(self._numbers)}"
            self._tickets.add(ticket)
            return ticket

    @property
    def links(self) -> int:
        """Open links, including those that were asked to reconnect or are silent."""
        with self._changed:
            return len(self._links)

    def wait_for_links(self, count: int, timeout_s: float = 5.0) -> bool:
        """Whether so many links that can carry a payload are open within `timeout_s` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._usable()) >= count, timeout_s)

    def ask_to_reconnect(self, reason: str = "refresh_requested") -> None:
        """Tells every link that it will be closed. The bot should open another one first."""
        with self._changed:
            links = list(self._links)
            for link in links:
                link.leaving = True
        for link in links:
            link.send({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-sandbox"}})

    def go_silent(self) -> None:
        """Makes every current link half-open: it looks alive, but neither payloads nor pings pass."""
        with self._changed:
            for link in self._links:
                link.silent = True

    def carry(self, parcel: Payload) -> Ack:
        started = time.perf_counter()
        with self._changed:
            links = self._usable() or [link for link in self._links if not link.silent] or self._links
            if not links:
                return Ack("dispatch_failed")
            link = links[next(self._turns) % len(links)]
            envelope_id = f"envelope-{next(self._numbers)}"
            answer: Future[str] = Future()
            link.waiting[envelope_id] = answer
        outcome: Outcome = "acked"
        body = ""
        try:
            if not link.silent:
                link.send(_envelope(parcel, envelope_id))
            body = answer.result(timeout=self._ack_timeout_s)
        except TimeoutError:
            outcome = "operation_timeout"
        except (ConnectionError, RuntimeError):
            outcome = "dispatch_failed"
        finally:
            with self._changed:
                link.waiting.pop(envelope_id, None)
        return Ack(outcome, None, body, (time.perf_counter() - started) * 1000)

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """The handler for the address that apps.connections.open returns."""
        with self._changed:
            if request.query.get("ticket") not in self._tickets:
                return web.Response(status=408, text="ticket_expired")
            self._tickets.discard(request.query["ticket"])
            is_full = len(self._links) >= MAX_LINKS
        ws = web.WebSocketResponse(autoping=False, autoclose=False)
        await ws.prepare(request)
        if is_full:
            await ws.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await ws.close()
            return ws
        link = _Link(ws, asyncio.get_running_loop())
        with self._changed:
            self._links.append(link)
            self._changed.notify_all()
        try:
            # A payload cannot be sent before this: its sender waits for this event loop.
            await ws.send_json(self._hello())
            await _listened_to(link, request)
        finally:
            self._forget(link)
        return ws

    def _usable(self) -> list[_Link]:
        return [link for link in self._links if not link.silent and not link.leaving]

    def _forget(self, link: _Link) -> None:
        with self._changed:
            self._links.remove(link)
            for answer in link.waiting.values():
                if not answer.done():
                    answer.set_exception(ConnectionError("the link was closed before the ack"))
            self._changed.notify_all()

    def _hello(self) -> dict[str, Any]:
        return {
            "type": "hello",
            "num_connections": self.links,
            "debug_info": {
                "host": "applink-sandbox",
                "build_number": 1,
                "approximate_connection_time": 18060,
            },
            "connection_info": {"app_id": self._app_id},
        }


def _envelope(parcel: Payload, envelope_id: str) -> dict[str, Any]:
    envelope: dict[str, Any] = {
        "envelope_id": envelope_id,
        "payload": dict(parcel.payload),
        "type": parcel.kind,
        "accepts_response_payload": parcel.kind == "slash_commands" or parcel.payload.get("type") in _ANSWERED,
    }
    if parcel.kind == "events_api" or parcel.retry_num:
        envelope |= {"retry_attempt": parcel.retry_num, "retry_reason": parcel.retry_reason}
    return envelope


async def _listened_to(link: _Link, request: web.Request) -> None:
    """Reads messages until the connection ends."""
    async for message in link.ws:
        if link.silent:
            continue
        if message.type is WSMsgType.PING:
            await link.ws.pong(message.data)
        elif message.type is WSMsgType.TEXT:
            _take_ack(link, message.data)
    while link.silent and request.transport is not None:
        # A half-open link does not answer the closing handshake either. The bot's own timeout ends its wait.
        await asyncio.sleep(0.05)
    await link.ws.close()


def _take_ack(link: _Link, text: str) -> None:
    try:
        ack = json.loads(text)
    except ValueError:
        return
    answer = link.waiting.get(ack.get("envelope_id", "")) if isinstance(ack, dict) else None
    if answer is not None and not answer.done():
        payload = ack.get("payload")
        answer.set_result(json.dumps(payload) if payload else "")

"""The part of HTTP/1.1 that the benchmark's processes need, on bare asyncio.

A framework would need more time per request than the bot needs for an acknowledgement.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """`target` is path and query as received; `head` is everything before the body."""

    method: bytes
    target: bytes
    head: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """`after_s`: seconds before the response is sent."""

    body: bytes
    after_s: float = 0.0
    status: bytes = b"200 OK"


Answer = Callable[[Request, "Serving"], Reply | None]
"""None: the handler has taken the connection over, or will call `Serving.reply` later."""


class Serving(asyncio.Protocol):
    """One connection of a client, with one request at a time, as all clients here send them."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._buffer = b""
        self._closes = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (split := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:split]
            length = _LENGTH.search(head)
            end = split + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < end:
                return
            body, self._buffer = self._buffer[split + 4 : end], self._buffer[end:]
            method, target, _ = head.split(b" ", 2)
            self._closes = _CLOSES.search(head) is not None
            reply = self._answer(Request(method, target, head, body), self)
            if reply is not None:
                self.reply(reply)

    def reply(self, reply: Reply) -> None:
        """Sends the response, at once or after its delay."""
        if reply.after_s > 0:
            asyncio.get_running_loop().call_later(reply.after_s, self._send, reply)
        else:
            self._send(reply)

    def _send(self, reply: Reply) -> None:
        closing = b"Connection: close\r\n" if self._closes else b""
        self.transport.write(
            b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s"
            % (reply.status, len(reply.body), closing, reply.body)
        )
        if self._closes:
            self.transport.close()


async def serve(answer: Answer) -> int:
    """Listens on a free loopback port until the event loop ends. Returns the port."""
    server = await asyncio.get_running_loop().create_server(lambda: Serving(answer), "127.0.0.1", 0, backlog=1000)
    port: int = server.sockets[0].getsockname()[1]
    return port


class Asking(asyncio.Protocol):
    """One persistent connection to a server, for one request at a time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answered: Callable[[int, bytes], None] | None = None
        self.transport: asyncio.Transport
        self.is_open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the interface
        self.is_open = False
        self._done(0, b"")

    def ask(self, request: bytes, answered: Callable[[int, bytes], None]) -> None:
        """Calls `answered(status, body)` when the response is complete; status 0 if the connection ended."""
        self._answered = answered
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        split = self._buffer.find(b"\r\n\r\n")
        if split < 0:
            return
        head, body = self._buffer[:split], self._buffer[split + 4 :]
        if _CHUNKED.search(head):
            is_whole = body.endswith(_LAST_CHUNK)
        else:
            length = _LENGTH.search(head)
            is_whole = len(body) >= (int(length[1]) if length else 0)
        if is_whole:
            self._buffer = b""
            if _CLOSES.search(head):
                self.is_open = False
            self._done(int(head[9:12]), body)

    def _done(self, status: int, body: bytes) -> None:
        answered, self._answered = self._answered, None
        if answered is not None:
            answered(status, body)


class Connections:
    """Persistent connections to one server, used in turn; opens another if none is free. `close` ends them all."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[Asking] = []

    async def open(self, count: int) -> None:
        """Opens connections in advance, so that measurements do not include it."""
        self._free += [await self._new() for _ in range(count)]

    async def ask(self, request: bytes, answered: Callable[[int, bytes], None]) -> None:
        """Returns when the request is sent."""
        connection = self._kept() or await self._new()

        def done(status: int, body: bytes) -> None:
            if connection.is_open:
                self._free.append(connection)
            answered(status, body)

        connection.ask(request, done)

    def close(self) -> None:
        for connection in self._free:
            connection.is_open = False
            connection.transport.close()
        self._free.clear()

    def _kept(self) -> Asking | None:
        while self._free:
            connection = self._free.pop()
            if connection.is_open:
                return connection
        return None

    async def _new(self) -> Asking:
        _, connection = await asyncio.get_running_loop().create_connection(Asking, "127.0.0.1", self._port)
        return connection

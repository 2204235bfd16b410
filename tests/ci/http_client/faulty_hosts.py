"""Hosts on loopback that follow a script for each connection: respond, break it, send slowly, stay silent."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from bot.ci.codeship.client import CodeShip
from bot.core.model.builds import Build, Project, Status

KEY = "s3cret/key +%&é~"
WEB = Project("33837", "acme/web", "codeship")
BUILD = Build("3277309", WEB, Status.FAILED, "error", branch="main")
BODY = b'{"id": 33837, "builds": [{"id": 3277309, "status": "success"}]}'
TAKEN = b'{"id": 3277310, "uuid": "u"}'

Script = Callable[[socket.socket], None]
"""What a host does with a connection once the head of a request has been read from it."""


def answer(body: bytes, head: bytes = b"200 OK", *, headers: bytes = b"") -> Script:
    """A whole answer that leaves the connection open."""
    length = b"Content-Length: %d\r\n" % len(body)
    return lambda wire: wire.sendall(b"HTTP/1.1 " + head + b"\r\n" + length + headers + b"\r\n" + body)


def send(*pieces: bytes) -> Script:
    """Sends exactly these bytes, then closes the connection."""

    def script(wire: socket.socket) -> None:
        for piece in pieces:
            wire.sendall(piece)
        raise ConnectionAbortedError

    return script


def trickle(begin: bytes, drop: bytes) -> Script:
    """`drop` again and again, one every 20 ms, for 6 s at most."""

    def script(wire: socket.socket) -> None:
        wire.sendall(begin)
        pause = threading.Event()
        for _ in range(300):
            wire.sendall(drop)
            pause.wait(0.02)

    return script


def hold(wire: socket.socket) -> None:
    """Nothing, until the other side hangs up."""
    wire.recv(1)


def hang_up(wire: socket.socket) -> None:
    raise ConnectionAbortedError


def reset(wire: socket.socket) -> None:
    """RST instead of FIN."""
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionAbortedError


class Host:
    """Listens on loopback. The nth request, on any connection, gets the nth script; later ones get the last.

    `heads` are the received requests, each with the number of its connection.
    """

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None, at_once: Script | None = None) -> None:
        self.heads: list[tuple[int, bytes]] = []
        self.connections = 0
        self._scripts, self._tls, self._at_once = scripts, tls, at_once
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/api/v1"

    def close(self) -> None:
        for each in (self._listening, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                wire, _ = self._listening.accept()
                self._open.append(wire)
                self.connections += 1
                threading.Thread(target=self._serve, args=(wire, self.connections), daemon=True).start()

    def _serve(self, wire: socket.socket, number: int) -> None:
        with suppress(OSError), wire:
            if self._at_once is not None:
                wire.recv(1)  # a connection that is reset sooner is one that Python does not close behind itself
                self._at_once(wire)
                return
            with wire if self._tls is None else self._tls.wrap_socket(wire, server_side=True) as secured:
                while head := _head(secured):
                    self.heads.append((number, head))
                    self._scripts[min(len(self.heads), len(self._scripts)) - 1](secured)


def _head(wire: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = wire.recv(1)
        if not byte:
            return b""
        head += byte
    return head


def pass_on(this: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while piece := this.recv(65_536):
            other.sendall(piece)
        other.shutdown(socket.SHUT_WR)


Hosts = Callable[..., Host]
Clients = Callable[..., CodeShip]


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        return int(gone.getsockname()[1])


UNANSWERED = [
    pytest.param(hang_up, id="hung up"),
    pytest.param(reset, id="reset"),
    pytest.param(hold, id="silent"),
    pytest.param(send(b"Good morning\r\n\r\n"), id="no HTTP"),
    pytest.param(send(b"HTTP/1.1 200 OK\r\nContent-"), id="head cut off"),
    pytest.param(trickle(b"HTTP/1.1 200 OK\r\nX: ", b"x"), id="head trickles"),
]


def unfinished(wire: socket.socket) -> None:
    wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + HALF)


def unfinished_and_reset(wire: socket.socket) -> None:
    unfinished(wire)
    reset(wire)


HALF = b'{"id": 33837, "buil'
CUT = [
    pytest.param(send(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", HALF), id="length"),
    pytest.param(send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3E7\r\n", HALF), id="within a chunk"),
    pytest.param(send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"), id="between chunks"),
    pytest.param(unfinished, id="silence"),
    pytest.param(unfinished_and_reset, id="reset"),
]

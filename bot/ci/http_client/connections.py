"""Connections that tell how far a request came, and that read until a moment and not one byte longer.

Exceptions cannot tell either: urllib3 reports a time-out of the TLS handshake as one of reading, and its time-outs
count from byte to byte, so that a trickle never ends.
"""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from http.client import HTTPResponse, IncompleteRead
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import ProxyManager


class Phase(Enum):
    """How far a request came. Up to CONNECTING nothing of it has left."""

    NOT_BEGUN = "not begun"
    CONNECTING = "connecting"
    SENT = "sent"


class RequestProgress:
    """One request on its way: its stage, and how long it may still read, on the clock `monotonic`."""

    def __init__(self, deadline: float, read_s: float, monotonic: Callable[[], float]) -> None:
        self.stage = Phase.NOT_BEGUN
        self._until, self._read_s, self._monotonic = deadline, read_s, monotonic

    def left_s(self) -> float:
        return self._until - self._monotonic()

    def next_read_s(self) -> float:
        """Raises TimeoutError where the time is up."""
        left = self.left_s()
        if left <= 0:
            raise TimeoutError("timed out")
        return min(left, self._read_s)


_PROGRESS: ContextVar[RequestProgress] = ContextVar("try")


@contextmanager
def trying(progress: RequestProgress) -> Iterator[None]:
    """What connections do in this thread until the end of the block, they do for `this_try`."""
    token = _PROGRESS.set(progress)
    try:
        yield
    finally:
        _PROGRESS.reset(token)


class Adapter(HTTPAdapter):
    """An adapter of `requests` over such connections; used within `trying`."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        if type(manager) is ProxyManager:  # one for SOCKS has connections of its own
            manager.pool_classes_by_scheme = _POOLS
        return manager


class _Reader(io.RawIOBase):
    """A socket's bytes, each read with no more time than is left."""

    def __init__(self, sock: socket.socket, progress: RequestProgress) -> None:
        self._sock, self._try = sock, progress
        self.at_end = False
        self._bytes = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._try.next_read_s())
        count = self._bytes.readinto(buffer)
        self.at_end = count == 0
        return count

    def close(self) -> None:
        self._bytes.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self._reader = _Reader(sock, _PROGRESS.get())
        self.fp = io.BufferedReader(self._reader)

    def begin(self) -> None:
        super().begin()
        if self._reader.at_end:  # http.client takes a head that was cut off for a whole one
            raise IncompleteRead(b"")


class _Connection(HTTPConnection):
    response_class = _Response

    def connect(self) -> None:
        _PROGRESS.get().stage = Phase.CONNECTING
        super().connect()

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        _PROGRESS.get().stage = Phase.SENT
        super().endheaders(*args, **kwargs)


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}

"""Connections that record how far a request came, and that stop reading exactly at the deadline.

Exceptions cannot do either. urllib3 reports a timeout of the TLS handshake as a read timeout. Its timeouts restart with
each byte, so that a slow trickle never ends.
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
    """How far a request came. Up to CONNECTING nothing was sent."""

    NOT_BEGUN = "not begun"
    CONNECTING = "connecting"
    SENT = "sent"


class RequestProgress:
    """One request in progress: its phase, and how long it may still read, on the clock `monotonic`."""

    def __init__(self, deadline: float, read_s: float, monotonic: Callable[[], float]) -> None:
        self.stage = Phase.NOT_BEGUN
        self._deadline, self._read_s, self._monotonic = deadline, read_s, monotonic

    def left_s(self) -> float:
        return self._deadline - self._monotonic()

    def next_read_s(self) -> float:
        """The timeout of the next read, in seconds. Raises TimeoutError after the deadline."""
        left = self.left_s()
        if left <= 0:
            raise TimeoutError("timed out")
        return min(left, self._read_s)


_PROGRESS: ContextVar[RequestProgress] = ContextVar("try")


@contextmanager
def trying(progress: RequestProgress) -> Iterator[None]:
    """Within the block, connections in this thread report to `progress`."""
    token = _PROGRESS.set(progress)
    try:
        yield
    finally:
        _PROGRESS.reset(token)


class Adapter(HTTPAdapter):
    """A `requests` adapter over these connections. Use it within `trying`."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        if type(manager) is ProxyManager:  # a SOCKS manager has its own connections
            manager.pool_classes_by_scheme = _POOLS
        return manager


class _Reader(io.RawIOBase):
    """A socket's bytes. Each read is limited to the time that is left."""

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
        if self._reader.at_end:  # http.client accepts headers that were cut off
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

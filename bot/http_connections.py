"""waitress with limits on slow clients: in time, in number, in memory.

waitress has only a timeout between two reads, which a client that sends one byte a second never reaches. It buffers
partial requests without an overall limit. Here both are limited, once per round of its loop.
"""

from __future__ import annotations

import resource
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from wsgiref.types import WSGIApplication

from waitress.adjustments import Adjustments  # type: ignore[import-untyped]
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.parser import HTTPRequestParser, ParsingError  # type: ignore[import-untyped]
from waitress.server import TcpWSGIServer  # type: ignore[import-untyped]
from waitress.task import ThreadedTaskDispatcher  # type: ignore[import-untyped]

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_ACCEPTED_AT_ONCE = 64
_OTHER_FILES = 256
"""Open files reserved for the database, Slack and the CI services."""

LOOK_EVERY_S = 0.25
"""Seconds after which a slow client is cut at the latest, if `enforce` is called this often."""
_LARGE_AT_ONCE = 64
"""Large requests that are read in one round of the loop. Others wait for their turn, and small ones never wait."""
_TURN_S = 0.01


@dataclass(frozen=True, slots=True)
class Limits:
    """In seconds, numbers and bytes. Slack sends a request in one go, so slow clients are not Slack."""

    header_s: float = 5.0
    """From the connection, or a request's first byte, to the end of its headers."""
    request_s: float = 10.0
    """From a request's first byte to its last."""
    answer_s: float = 15.0
    """For the client to read the response."""
    idle_s: float = 60.0
    """Between two requests on one connection."""
    connections: int = 2000
    """Fewer if the process may not open so many files."""
    held_bytes: int = 32 * 1024 * 1024
    """All bytes of requests that are partial or wait for a thread.

    Above this only small requests are read, and those that have taken longer than `crowded_s` are cut.
    """
    small_bytes: int = 16 * 1024
    """Slack's commands and clicks are smaller."""
    crowded_s: float = 3.0
    pipelined: int = 8
    """Requests that a connection may send before the first response. Slack, GitHub and common proxies send none."""


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Rejects a request with two lengths: a proxy in front may have believed the other one."""

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        # waitress removes the header once it has understood it; in HTTP/1.0 it ignores it.
        if "TRANSFER_ENCODING" in self.headers or (self.chunked and "CONTENT_LENGTH" in self.headers):
            raise ParsingError("Transfer-Encoding with Content-Length, or in HTTP/1.0")


class _Channel(HTTPChannel):  # type: ignore[misc]
    """One connection, and since when it has been in its current state. Times are seconds of the monotonic clock."""

    parser_class = _Parser

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.answered = 0
        self.request_began = self.idle_since = time.monotonic()
        self.sending_since: float | None = None
        super().__init__(*args, **kwargs)

    def readable(self) -> bool:
        server = self.server
        if server.turns > 1 or server.is_full:
            has_to_wait = server.is_full or self._fileno % server.turns != server.turn
            if has_to_wait and self.held_bytes() > server.limits.small_bytes:
                return False
        return bool(super().readable())

    def received(self, data: bytes) -> bool:
        before = self.request
        took = bool(super().received(data))
        if self.request is not before:
            self.request_began = time.monotonic()
        return took

    def service(self) -> None:
        super().service()
        self.answered += 1
        self.idle_since = time.monotonic()

    def held_bytes(self) -> int:
        requests = (*self.requests, *([self.request] if self.request is not None else []))
        return sum(len(request.header_plus) + request.body_bytes_received for request in requests)

    @property
    def waiting_since(self) -> float | None:
        """Since when this connection waits for its client; None if a request is being handled."""
        if self.requests or self.total_outbufs_len:
            return None
        return self.idle_since if self.request is None else self.request_began

    @property
    def rank(self) -> tuple[bool, float]:
        """Orders connections that wait for their client: the smallest is cut first."""
        if not self.answered:
            return False, self.idle_since
        return self.request is None, self.idle_since if self.request is None else self.request_began

    def is_too_slow(self, limits: Limits, now: float) -> bool:
        if self.total_outbufs_len:
            self.sending_since = self.sending_since or now
            return now - self.sending_since > limits.answer_s
        self.sending_since = None
        since = self.waiting_since
        if since is None:
            return False
        if self.request is None:
            return now - since > (limits.idle_s if self.answered else limits.header_s)
        return now - since > (limits.request_s if self.request.headers_finished else limits.header_s)

    def cut(self) -> None:
        """Closes the connection. If the client has started a request, it is sent the reason."""
        if self.request is not None and not self.total_outbufs_len:
            with suppress(OSError):
                self.socket.send(_TOO_SLOW)
        self.handle_close()


class BoundedServer(TcpWSGIServer):  # type: ignore[misc]
    """waitress' server within `limits`. Call `enforce` after each round of its loop, at least every `LOOK_EVERY_S`."""

    channel_class = _Channel

    def __init__(
        self,
        app: WSGIApplication,
        listening: socket.socket,
        *,
        sockets: dict[int, Any],
        threads: int,
        limits: Limits,
        max_body: int,
    ) -> None:
        self.limits = limits
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.connections = min(limits.connections, max(files - _OTHER_FILES, _ACCEPTED_AT_ONCE))
        self.is_full = False
        """Whether only small requests are read at the moment."""
        self.turns, self.turn = 1, 0
        """Of so many rounds, a large request is read in one: that whose number is `turn`."""
        self._next_look_at = 0.0
        self.cut_connections = 0
        """Connections cut so far, without those that were idle after a response."""
        settings = Adjustments(
            sockets=[listening],
            ident=None,
            threads=threads,
            max_request_body_size=max_body + 1,  # waitress refuses bodies of this size or more
            inbuf_overflow=2 * max_body,  # keeps every body in memory
            max_request_header_size=32 * 1024,
            connection_limit=self.connections + 2 + _ACCEPTED_AT_ONCE,  # accepts no more if none can be cut
            log_socket_errors=False,
        )
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(threads)
        address = (listening.family, listening.type, listening.proto, listening.getsockname())
        super().__init__(
            app,
            sockets,
            _sock=listening,
            dispatcher=dispatcher,
            adj=settings,
            bind_socket=False,
            sockinfo=address,
        )

    def handle_accept(self) -> None:
        """Accepts several connections per round, so that a flood does not delay those after it."""
        for _ in range(_ACCEPTED_AT_ONCE):
            before = len(self.active_channels)
            super().handle_accept()
            if len(self.active_channels) == before:
                return

    def maintenance(self, now: float) -> None:
        """Does nothing: waitress' own timeout uses a clock that can be set back. `enforce` has all timeouts."""

    def enforce(self) -> None:
        """Cuts connections that are too slow, then the slowest of those above the limits."""
        now, limits = time.monotonic(), self.limits
        if now >= self._next_look_at:
            self._next_look_at = now + LOOK_EVERY_S
            for channel in tuple(self.active_channels.values()):
                if channel.is_too_slow(limits, now) or len(channel.requests) > limits.pipelined:
                    self._cut(channel)
        excess = len(self.active_channels) - self.connections
        if excess > 0:
            for channel in self._slowest_first()[:excess]:
                self._cut(channel)
        each = [one.held_bytes() for one in self.active_channels.values() if one.request is not None or one.requests]
        held = sum(each)
        self.turns = 1 + sum(one > limits.small_bytes for one in each) // _LARGE_AT_ONCE
        self.turn = (self.turn + 1) % self.turns
        if held > limits.held_bytes:
            for channel in self._slowest_first():
                is_late = channel.request is not None and now - channel.request_began > limits.crowded_s
                if held > limits.held_bytes and is_late:
                    held -= channel.held_bytes()
                    self._cut(channel)
        self.is_full = held > limits.held_bytes

    @property
    def wait_s(self) -> float:
        """How long a round of the loop may wait for the next event."""
        if self.turns > 1 and not self.is_full:
            return _TURN_S
        return LOOK_EVERY_S if self.active_channels else 30.0

    def _slowest_first(self) -> list[_Channel]:
        """Connections that wait for their client, the slowest first. Idle ones that had a request come last: a proxy
        may be about to reuse them.

        Before its first response a connection counts from its beginning. Else a new one that was not
        read yet would be cut instead of older ones whose first bytes have just come.
        """
        waiting = [channel for channel in self.active_channels.values() if channel.waiting_since is not None]
        return sorted(waiting, key=lambda one: one.rank)

    def _cut(self, channel: _Channel) -> None:
        if channel.request is not None or not channel.answered:
            self.cut_connections += 1
        channel.cut()

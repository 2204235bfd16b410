"""WebSocket frames (RFC 6455) on bare asyncio, for both sides: whole texts, pings and pongs, no extensions."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha1
from itertools import cycle

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY = re.compile(rb"\r\nsec-websocket-key: *(\S+)", re.IGNORECASE)
TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA


def accepting(head: bytes) -> bytes:
    """The response to a client's handshake. Raises ValueError for anything else."""
    key = _KEY.search(head)
    if key is None:
        raise ValueError("no WebSocket handshake")
    accept = b64encode(sha1(key[1] + _GUID).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %s\r\n\r\n" % accept
    )


def frame(kind: int, content: bytes, *, masked: bool = False) -> bytes:
    """One frame. A client must mask; a mask of zeroes leaves the content unchanged."""
    length, bit = len(content), 0x80 if masked else 0
    if length < 126:
        head = bytes((0x80 | kind, bit | length))
    elif length < 65_536:
        head = bytes((0x80 | kind, bit | 126)) + length.to_bytes(2, "big")
    else:
        head = bytes((0x80 | kind, bit | 127)) + length.to_bytes(8, "big")
    return head + (b"\0\0\0\0" if masked else b"") + content


class Frames:
    """Turns received bytes into frames."""

    def __init__(self) -> None:
        self._buffer = b""

    def take(self, data: bytes) -> list[tuple[int, bytes]]:
        """The kind and content of each frame that is now complete. Every text is one frame, as both sides send it."""
        self._buffer += data
        found = []
        while (got := _first(self._buffer)) is not None:
            kind, content, end = got
            self._buffer = self._buffer[end:]
            found.append((kind, content))
        return found


class Link(asyncio.Protocol):
    """The server's side of one connection, after the handshake. Calls `heard(text)` for each text."""

    def __init__(self, transport: asyncio.Transport, heard: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        self._transport = transport
        self._heard = heard
        self._lost = lost
        self._frames = Frames()
        transport.set_protocol(self)

    def send(self, text: bytes) -> None:
        self._transport.write(frame(TEXT, text))

    def ping(self) -> None:
        self._transport.write(frame(PING, b"are you there"))

    def data_received(self, data: bytes) -> None:
        for kind, content in self._frames.take(data):
            if kind == TEXT:
                self._heard(content)
            elif kind == PING:
                self._transport.write(frame(PONG, content))
            elif kind == CLOSE:
                self._transport.write(frame(CLOSE, content))
                self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the interface
        self._lost()


def _first(data: bytes) -> tuple[int, bytes, int] | None:
    """Kind and content of the first frame, and where it ends; None if it is incomplete."""
    if len(data) < 2:
        return None
    kind, length, at = data[0] & 0x0F, data[1] & 0x7F, 2
    if length > 125:
        size = 2 if length == 126 else 8
        length, at = int.from_bytes(data[2 : 2 + size], "big"), 2 + size
    mask = b""
    if data[1] & 0x80:
        mask, at = data[at : at + 4], at + 4
    end = at + length
    if len(data) < end:
        return None
    content = data[at:end]
    if mask.strip(b"\0"):
        content = bytes(byte ^ key for byte, key in zip(content, cycle(mask)))
    return kind, content, end

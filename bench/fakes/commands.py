"""The slash commands that the fake Slack sends, and when each was acknowledged and answered. Knows no transport.

Each command has its own channel. So its reply is identified by the channel's id, without parsing the text.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterator
from itertools import count
from urllib.parse import urlencode

from bench.names import COMMAND, SIGNING_SECRET, TEAM

_CHANNEL = re.compile(rb"C0(\d{10})")


def now_us() -> int:
    """Microseconds of the monotonic clock, which all processes of a machine share."""
    return time.monotonic_ns() // 1000


class Said:
    """One command. `ack_us` and `reply_us` count from when it was sent; None if they have not arrived."""

    def __init__(self, number: int, text: str, over: Callable[[], None]) -> None:
        self.number = number
        self.text = text
        self.sent_us = 0
        self.ack_us: int | None = None
        self.reply_us: int | None = None
        self.over = over
        """Called once it is both acknowledged and answered."""

    def acknowledged(self) -> None:
        if self.ack_us is None:
            self.ack_us = now_us() - self.sent_us
            self._look_whether_over()

    def answered(self) -> None:
        if self.reply_us is None:
            self.reply_us = now_us() - self.sent_us
            self._look_whether_over()

    def _look_whether_over(self) -> None:
        if self.ack_us is not None and self.reply_us is not None:
            self.over()


class Book:
    """All commands since `clear`."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._said: dict[int, Said] = {}

    def new(self, text: str, over: Callable[[], None] = lambda: None) -> Said:
        said = Said(next(self._numbers), text, over)
        self._said[said.number] = said
        return said

    def find(self, number: int) -> Said | None:
        return self._said.get(number)

    def answered_by(self, words: bytes) -> None:
        """`words` is a call's body or address. The first that names a command's channel is its reply."""
        found = _CHANNEL.search(words)
        said = self._said.get(int(found[1])) if found else None
        if said is not None:
            said.answered()

    def clear(self) -> list[Said]:
        said, self._said = list(self._said.values()), {}
        return said

    def __iter__(self) -> Iterator[Said]:
        return iter(self._said.values())


def payload(said: Said, slack_port: int) -> dict[str, str]:
    """https://docs.slack.dev/interactivity/implementing-slash-commands"""
    channel = f"C0{said.number:010d}"
    return {
        "token": "of-old",
        "team_id": TEAM,
        "team_domain": "acme",
        "channel_id": channel,
        "channel_name": "builds",
        "user_id": "U0ADA",
        "user_name": "ada",
        "command": COMMAND,
        "text": said.text,
        "api_app_id": "A0BENCH",
        "is_enterprise_install": "false",
        "response_url": f"http://127.0.0.1:{slack_port}/commands/{TEAM}/{channel}/secret",
        "trigger_id": f"{said.number}.1234567890.abcdef",
    }


def request(fields: dict[str, str], path: str, port: int) -> bytes:
    """The command as a signed request. https://docs.slack.dev/authentication/verifying-requests-from-slack/"""
    body = urlencode(fields).encode()
    timestamp = str(int(time.time())).encode()
    digest = hmac.new(SIGNING_SECRET.encode(), b"v0:" + timestamp + b":" + body, hashlib.sha256).hexdigest()
    return (
        b"POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"User-Agent: Slackbot 1.0 (+https://api.slack.com/robots)\r\nAccept: application/json,*/*\r\n"
        b"X-Slack-Request-Timestamp: %s\r\nX-Slack-Signature: v0=%s\r\nContent-Length: %d\r\n\r\n"
        % (path.encode(), port, timestamp, digest.encode(), len(body))
    ) + body


def envelope(fields: dict[str, str], number: int) -> bytes:
    """The command as Socket Mode sends it. https://docs.slack.dev/apis/events-api/using-socket-mode"""
    document = {
        "envelope_id": f"e{number}",
        "payload": fields,
        "type": "slash_commands",
        "accepts_response_payload": True,
    }
    return json.dumps(document, separators=(",", ":")).encode()

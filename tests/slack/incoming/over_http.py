"""Sends signed requests as Slack does to a server on loopback, and returns its responses."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier

SECRET = "0123456789abcdef0123456789abcdef"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> object:
        return json.loads(self.body)


def command(text: str) -> str:
    return urlencode({"command": "/codeship", "text": text, "team_id": "T1", "channel_id": "C1", "user_id": "U1"})


def sign(body: str | bytes, *, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """Headers with which Slack would send this form."""
    timestamp = str(int(time.time() if at is None else at))
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": str(signature), "Content-Type": FORM}


def call(
    port: int, method: str, path: str, body: str | bytes | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body.encode() if isinstance(body, str) else body, dict(headers or {}))
        response = connection.getresponse()
        return Response(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


def post(port: int, body: str | bytes, headers: Mapping[str, str]) -> Response:
    return call(port, "POST", "/slack/events", body, headers)

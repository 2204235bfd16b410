"""Delivers payloads to the bot by signed HTTP requests, and returns its response. See `socket_mode.py` for the other
way.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

import requests

ACK_TIMEOUT_S = 3.0

Kind = Literal["slash_commands", "events_api", "interactive"]
Outcome = Literal["acked", "operation_timeout", "dispatch_failed"]


@dataclass(frozen=True, slots=True)
class Payload:
    """A payload to deliver. `retry_num` is 0 the first time."""

    kind: Kind
    payload: Mapping[str, Any]
    retry_num: int = 0
    retry_reason: str = ""


@dataclass(frozen=True, slots=True)
class Ack:
    """`outcome` in Slack's words. `status` is None without an HTTP response, and for Socket Mode."""

    outcome: Outcome
    status: int | None = None
    body: str = ""
    took_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """A payload and the result of its delivery."""

    parcel: Payload
    ack: Ack

    @property
    def is_acked(self) -> bool:
        return self.ack.outcome == "acked"

    @property
    def payload(self) -> Mapping[str, Any]:
        return self.parcel.payload


class Transport(Protocol):
    """A way to deliver payloads to the bot. Never raises: failures are the outcome."""

    def carry(self, parcel: Payload) -> Ack: ...


class HttpTransport:
    """POSTs to the bot's request URL (`…/slack/events`), signed as Slack does.

    `now` returns seconds since the epoch. It is the real time by default, since the bot checks a signature's age by it.
    """

    def __init__(
        self,
        url: str,
        signing_secret: str,
        ack_timeout_s: float = ACK_TIMEOUT_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._url = url
        self._signing_secret = signing_secret
        self._ack_timeout_s = ack_timeout_s
        self._now = now

    def carry(self, parcel: Payload) -> Ack:
        body, content_type = _body(parcel)
        headers = {"Content-Type": content_type, "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)"}
        headers |= signed(body, self._signing_secret, self._now())
        if parcel.retry_num and parcel.kind == "events_api":
            headers |= {"X-Slack-Retry-Num": str(parcel.retry_num), "X-Slack-Retry-Reason": parcel.retry_reason}
        started = time.perf_counter()
        with requests.Session() as session:
            session.trust_env = False  # no proxy on loopback
            try:
                answer = session.post(
                    self._url, data=body, headers=headers, timeout=self._ack_timeout_s, allow_redirects=False
                )
            except requests.Timeout:
                return Ack("operation_timeout", took_ms=_ms_since(started))
            except requests.RequestException:
                return Ack("dispatch_failed", took_ms=_ms_since(started))
        outcome: Outcome = "acked" if answer.ok and not answer.is_redirect else "dispatch_failed"
        return Ack(outcome, answer.status_code, answer.text, _ms_since(started))


def signed(body: bytes, signing_secret: str, now: float) -> dict[str, str]:
    """The two headers that prove that a request comes from Slack.

    https://docs.slack.dev/authentication/verifying-requests-from-slack/
    """
    timestamp = str(int(now))
    digest = hmac.new(signing_secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest.hexdigest()}"}


def _body(parcel: Payload) -> tuple[bytes, str]:
    if parcel.kind == "events_api":
        return json.dumps(parcel.payload).encode(), "application/json"
    fields = parcel.payload if parcel.kind == "slash_commands" else {"payload": json.dumps(parcel.payload)}
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000

"""Slack over HTTP: a WSGI application for its signed POSTs, served by `bot.http_server`.

Nothing in a body is read before its signature is verified, except Slack's check of the certificate. `bot.http_server`
limits the body's length. https://docs.slack.dev/authentication/verifying-requests-from-slack/
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIEnvironment

import structlog
from slack_bolt import App, BoltResponse
from slack_sdk.signature import Clock, SignatureVerifier

from bot.slack.incoming.bolt_app import Malformed, dispatch, kind_of, parse

ObserveAck = Callable[[str, float], None]

MAX_SIGNATURE_AGE_S = 5 * 60
SSL_CHECK_BYTES = 512
"""Such a request has two fields."""
REFUSALS_LOGGED_EVERY_S = 60.0

# Checked first, so that no header makes the verifier raise: it takes any number and compares ASCII only.
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)

log = structlog.get_logger(__name__)


class _Unsigned(Exception):
    """Not signed by Slack. `str()` is the reason, for the operator."""


class _At(Clock):
    """slack_sdk's clock with a given time."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def now(self) -> float:
        return self._now()


class HttpMode:
    """`observe_ack(kind, seconds)` is called after each acknowledgement. `now` returns seconds since 1970."""

    def __init__(
        self,
        app: App,
        signing_secret: str,
        *,
        observe_ack: ObserveAck,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._app = app
        self._verifier = SignatureVerifier(signing_secret, _At(now))
        self._observe_ack = observe_ack
        self._now = now
        self._refused = 0
        self._next_refusal_logged_at = 0.0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            answer = self._answer(environ)
        except _Unsigned as refusal:
            self._log_refusal(str(refusal))
            answer = _error(HTTPStatus.UNAUTHORIZED, "not signed by Slack")
        except Malformed as problem:
            log.warning("slack_request_malformed", why=str(problem))
            answer = _error(HTTPStatus.BAD_REQUEST, str(problem))
        body = answer.body.encode()
        headers = [("Content-Type", answer.headers["content-type"][0]), ("Content-Length", str(len(body)))]
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
        return [body]

    def _answer(self, environ: WSGIEnvironment) -> BoltResponse:
        began = time.perf_counter()
        if _is_ssl_check(environ):
            return BoltResponse(status=200)
        payload = parse(self._signed_body(environ), environ.get("CONTENT_TYPE", ""))
        answer = dispatch(
            self._app,
            payload,
            retry_num=environ.get("HTTP_X_SLACK_RETRY_NUM"),
            retry_reason=environ.get("HTTP_X_SLACK_RETRY_REASON"),
        )
        self._observe_ack(kind_of(payload), time.perf_counter() - began)
        return answer

    def _signed_body(self, environ: WSGIEnvironment) -> str:
        timestamp = environ.get("HTTP_X_SLACK_REQUEST_TIMESTAMP", "")
        signature = environ.get("HTTP_X_SLACK_SIGNATURE", "")
        if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
            raise _Unsigned("no signature")
        if abs(self._now() - int(timestamp)) > MAX_SIGNATURE_AGE_S:
            raise _Unsigned("more than five minutes off: an old request, or this machine's clock is wrong")
        try:
            body: str = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
        except UnicodeDecodeError:
            raise Malformed("the body is not UTF-8") from None
        if not self._verifier.is_valid(body, timestamp, signature):
            raise _Unsigned("wrong signature: not from Slack, or SLACK_SIGNING_SECRET is another app's")
        return body

    def _log_refusal(self, why: str) -> None:
        """Logs rarely: anyone can send such requests, but an operator with a wrong secret must see them."""
        self._refused += 1
        if self._now() >= self._next_refusal_logged_at:
            self._next_refusal_logged_at = self._now() + REFUSALS_LOGGED_EVERY_S
            log.warning("slack_request_rejected", why=why, so_far=self._refused)


def _is_ssl_check(environ: WSGIEnvironment) -> bool:
    """Whether Slack only checks the certificate, perhaps unsigned, and expects a 200. Reads no signed body."""
    if "HTTP_X_SLACK_SIGNATURE" in environ or int(environ["CONTENT_LENGTH"]) > SSL_CHECK_BYTES:
        return False
    fields = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).split(b"&")
    return b"ssl_check=1" in fields


def _error(status: HTTPStatus, why: str) -> BoltResponse:
    return BoltResponse(status=status.value, body=json.dumps({"error": why}))

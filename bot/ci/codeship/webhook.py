"""CodeShip's webhook: a hint that a build has changed. CodeShip signs nothing, so the address holds a secret token.

The content is not believed: it only says which project to look at. A wrong token is answered like an unknown page.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
import structlog

from bot.ci import json_fields as cleaning
from bot.ci.service import PollNow
from bot.config.parsers import Secret

PATH = "/codeship/webhook/"
"""The token follows."""

REFUSALS_LOGGED_EVERY_S = 60.0
SAME_FOR_S = 5.0
"""A repeated webhook within this time is one."""

log = structlog.get_logger(__name__)


class _Build(msgspec.Struct):
    project_id: object = None
    build_id: object = None
    status: object = None


class _Body(msgspec.Struct):
    build: _Build | None = None


_BODY = msgspec.json.Decoder(_Body)


class CodeShipWebhook:
    """A WSGI application. `poll_now` is called before the answer. `now` is in seconds."""

    def __init__(self, token: Secret, poll_now: PollNow, *, now: Callable[[], float] = time.monotonic) -> None:
        self._token, self._poll_now, self._now = token, poll_now, now
        self._refused = 0
        self._next_refusal_logged_at: float | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status, why = self._answer(environ)
        body = json.dumps({"error": why} if why else {}).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return [body]

    def _answer(self, environ: WSGIEnvironment) -> tuple[HTTPStatus, str]:
        given = environ["PATH_INFO"].removeprefix(PATH).encode("utf-8", "replace")
        if not hmac.compare_digest(given, self._token.reveal().encode()):
            self._log_refusal()
            return HTTPStatus.NOT_FOUND, "not found"
        build = _build_in(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        project_id = None if build is None else cleaning.id_(build.project_id)
        if build is None or project_id is None:
            return HTTPStatus.BAD_REQUEST, "the body names no project"
        of_build = f"{cleaning.id_(build.build_id)} {cleaning.line(build.status, cleaning.MAX_WORD)}"
        self._poll_now(project_id, f"{of_build} {int(self._now() // SAME_FOR_S)}")
        return HTTPStatus.ACCEPTED, ""

    def _log_refusal(self) -> None:
        """At most once a minute, and never the token that was given: it may be almost the right one."""
        self._refused += 1
        now = self._now()
        if self._next_refusal_logged_at is None or now >= self._next_refusal_logged_at:
            self._next_refusal_logged_at = now + REFUSALS_LOGGED_EVERY_S
            log.warning("codeship_webhook_rejected", why="wrong token in its address", so_far=self._refused)


def _build_in(body: bytes) -> _Build | None:
    try:
        return _BODY.decode(body).build
    except (ValueError, RecursionError):
        return None

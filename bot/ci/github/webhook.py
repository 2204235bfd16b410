"""GitHub's webhook: a signed message that a workflow run or a job has changed.

What it says is taken over at once, unless more is known, and the bot then polls the API.

A WSGI application for POSTs. It parses a body only after it has verified the signature. `bot.http_server` bounds the
length. https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Protocol
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
import structlog

from bot.ci import json_fields as cleaning
from bot.ci.github import schema as shapes
from bot.ci.github.api import failed_job
from bot.ci.github.run_groups import ListedRun
from bot.ci.github.runs import run_of_event
from bot.ci.service import PollNow
from bot.config.parsers import Secret
from bot.core.model.builds import FailedJob

REFUSALS_LOGGED_EVERY_S = 60.0

_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}", re.ASCII)
_DELIVERY = re.compile(r"[0-9A-Za-z-]{1,100}", re.ASCII)

log = structlog.get_logger(__name__)


class _Payload(msgspec.Struct):
    """A `workflow_run` or a `workflow_job`, as far as it is read."""

    repository: shapes.Repository | None = None
    workflow_run: shapes.Run | None = None
    workflow_job: shapes.Job | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


class _Refused(Exception):
    """The signature is missing or wrong. `str()` is the reason, for the operator."""


class RunUpdates(Protocol):
    """Takes over what signed webhooks say. Thread-safe, and returns at once."""

    def apply_run(self, project_id: str, run: ListedRun) -> None: ...

    def apply_failed_job(self, run_id: str, attempt: int, job: FailedJob) -> None: ...


class GitHubWebhook:
    """Calls `poll_now` with the repository's id and the delivery's before it responds. `now` returns seconds."""

    def __init__(
        self, secret: Secret, updates: RunUpdates, poll_now: PollNow, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._secret, self._updates, self._poll_now, self._now = secret, updates, poll_now, now
        self._refused = 0
        self._next_refusal_logged_at: float | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            status, why = self._answer(environ)
        except _Refused as refusal:
            self._log_refusal(str(refusal))
            status, why = HTTPStatus.UNAUTHORIZED, "not signed by GitHub"
        body = json.dumps({"error": why}).encode() if why else b""
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        # RFC 9110, 8.6: 204 has no Content-Length.
        start_response(f"{status.value} {status.phrase}", [] if status is HTTPStatus.NO_CONTENT else headers)
        return [body]

    def _answer(self, environ: WSGIEnvironment) -> tuple[HTTPStatus, str]:
        body = self._signed_body(environ)
        event = environ.get("HTTP_X_GITHUB_EVENT", "")
        if event not in ("ping", "workflow_run", "workflow_job"):
            return HTTPStatus.NO_CONTENT, ""
        if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != "application/json":
            return HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "choose application/json as the webhook's content type"
        if event == "ping":  # sent when the webhook is set up, so a mistake shows at once
            return HTTPStatus.OK, ""
        payload = _parsed(body) or _Payload()
        job = payload.workflow_job
        if job is not None and not shapes.has_failed(job.conclusion):
            return HTTPStatus.NO_CONTENT, ""  # only a failed job changes what is shown before its run ends
        project_id = cleaning.id_(payload.repository and payload.repository.id)
        if project_id is None:
            return HTTPStatus.BAD_REQUEST, "the body names no repository"
        self._apply(payload, project_id)
        delivery = environ.get("HTTP_X_GITHUB_DELIVERY", "")
        # A redelivery has the same id. The id is not signed.
        self._poll_now(project_id, delivery if _DELIVERY.fullmatch(delivery) else hashlib.sha256(body).hexdigest())
        return HTTPStatus.ACCEPTED, ""

    def _apply(self, payload: _Payload, project_id: str) -> None:
        run = run_of_event(payload.workflow_run, project_id)
        if run is not None:
            self._updates.apply_run(project_id, run)
        job = payload.workflow_job
        run_id, failed = (None, None) if job is None else (cleaning.id_(job.run_id), failed_job(job))
        if job is not None and run_id is not None and failed is not None:
            self._updates.apply_failed_job(run_id, cleaning.count(job.run_attempt) or 1, failed)

    def _signed_body(self, environ: WSGIEnvironment) -> bytes:
        signature = environ.get("HTTP_X_HUB_SIGNATURE_256", "")
        if not _SIGNATURE.fullmatch(signature):
            raise _Refused("no signature: give the webhook the secret that is in GITHUB_WEBHOOK_SECRET")
        body: bytes = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        right = hmac.new(self._secret.reveal().encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signature, f"sha256={right}"):
            raise _Refused("wrong signature: not from GitHub, or its secret is not the one in GITHUB_WEBHOOK_SECRET")
        return body

    def _log_refusal(self, why: str) -> None:
        """At most once a minute: anyone can send these, but an operator with a wrong secret must see them."""
        self._refused += 1
        now = self._now()
        if self._next_refusal_logged_at is None or now >= self._next_refusal_logged_at:
            self._next_refusal_logged_at = now + REFUSALS_LOGGED_EVERY_S
            log.warning("github_webhook_rejected", why=why, so_far=self._refused)


def _parsed(body: bytes) -> _Payload | None:
    try:
        return _PAYLOAD.decode(body)
    except (ValueError, RecursionError):
        return None

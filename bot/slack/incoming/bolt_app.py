"""Bolt's app, set up to handle a request in microseconds. HTTP and Socket Mode both call `dispatch`.

It must not know what people can request: callers of `listen` do.

What differs from Bolt's defaults (slack_bolt 1.30.0), and why:
- `process_before_response`: otherwise Bolt polls for the acknowledgement every 10 ms, and a listener that acknowledges
  and then raises loses it (404). Listeners here pass the work on and return their response, so it cannot be lost.
- Payloads are parsed before Bolt sees them. Its parser raises on a malformed body before any signature is checked. It
  drops a whole command if its text contains the word "payload".
- No token: the bot uses its single WebClient, never those that Bolt makes for each request.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import structlog
from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError

from bot.slack.client.auth import Identity
from bot.slack.incoming.workers import PoolFull, WorkerPool

Payload = dict[str, Any]
Handler = Callable[[Any, float], None]
"""Takes the parsed payload, and when it arrived, in seconds of the monotonic clock.

Response times count from there, not from when a thread was free.
"""

Registration = Callable[..., object]
"""What `app.command("/x")`, `app.event("…")`, `app.action("…")` return: takes the listener."""

_MAX_FIELDS = 100
_KINDS = frozenset(
    {"block_actions", "block_suggestion", "message_action", "shortcut", "view_submission", "view_closed"}
    | {"url_verification", "app_rate_limited"}
)
_ACKNOWLEDGED_UNHEARD = frozenset({"event", "app_rate_limited"})
"""Payloads without a listener that are acknowledged: Slack would resend them, or expects no response."""

log = structlog.get_logger(__name__)


class Malformed(ValueError):
    """Not a payload of Slack's. `str()` says what is wrong and quotes nothing."""


class _ListenerFailed(Exception):
    """Carries what a listener raised past Bolt's own errors."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def build_app(identity: Identity) -> App:
    """An app without listeners. It acknowledges the bot's own messages and ignores them.

    `app.dispatch` raises what Bolt would swallow (see `dispatch`).
    """
    # One workspace and one bot need no look-up. Bolt's own would call auth.test while Slack waits.
    us = AuthorizeResult(
        enterprise_id=identity.enterprise_id,
        team_id=identity.team_id,
        bot_user_id=identity.bot_user_id,
        bot_id=identity.bot_id,
    )
    quiet = logging.getLogger(
        "bot.slack.incoming.bolt_app.framework"
    )  # Bolt copies this level to the loggers it creates
    quiet.setLevel(logging.CRITICAL)
    app = App(
        name="codeship-bot",
        logger=quiet,
        signing_secret="",
        authorize=lambda: us,
        process_before_response=True,
        raise_error_for_unhandled_request=True,
        token_verification_enabled=False,
        request_verification_enabled=False,
        ssl_check_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
    app.error(_on_error)
    return app


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The whole answer to a payload, sent as its acknowledgement."""

    body: Mapping[str, Any]


def listen(
    register: Registration,
    worker_pool: WorkerPool,
    kind: str,
    handler: Handler,
    *,
    parse: Callable[[Payload], Any] = lambda payload: payload,
    durably: Callable[[Any, bool], bool] = lambda _request, _is_again: False,
    refused: Callable[[Any, str], Payload] = lambda _request, why: {"text": why},
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Registers a listener that acknowledges at once and runs the handler on a worker, under the name `kind`.

    Each payload is parsed once; if `parse` returns None, it is only acknowledged. An `Acknowledgement` is sent as it
    is. If `durably` stores a request before the acknowledgement, the handler is not called: a job carries it out. Its
    second argument says whether Slack sends the request again.

    Refused work is never acknowledged as if it were done. A command gets the message that `refused` makes of the
    reason, visible to the asker only. A click and a sent form fail visibly. An event is sent again (503), perhaps to
    the next process.
    """

    def listener(body: Payload, request: BoltRequest) -> BoltResponse:
        received_at, is_again = monotonic(), "x-slack-retry-num" in request.headers
        parsed = parse(body)
        try:
            if isinstance(parsed, Acknowledgement):
                return BoltResponse(status=200, body=dict(parsed.body))
            if parsed is not None and not durably(parsed, is_again):
                worker_pool.submit(kind, partial(handler, parsed, received_at))
        except PoolFull as refusal:
            log.warning("worker_pool_full", kind=kind, why=str(refusal))
            if "command" in body:
                return BoltResponse(status=200, body={"response_type": "ephemeral", **refused(parsed, str(refusal))})
            return BoltResponse(status=503)
        return BoltResponse(status=200)

    register(listener)


def dispatch(
    app: App, payload: Payload, *, retry_num: str | None = None, retry_reason: str | None = None
) -> BoltResponse:
    """Passes one payload to its listener and returns the response. Raises `Malformed`, or what a listener raised.

    An event without a listener is acknowledged: Slack would resend it three times. Anything else is a 404.
    """
    headers = {"x-slack-retry-num": retry_num, "x-slack-retry-reason": retry_reason}
    if payload.get("ssl_check") == "1" and "command" not in payload:
        return BoltResponse(status=200)
    _check_shape(payload)
    try:
        # This mode takes parsed payloads. Signatures were checked before, if there are any.
        request = BoltRequest(
            mode="socket_mode", body=payload, headers={name: value for name, value in headers.items() if value}
        )
        return app.dispatch(request)
    except _ListenerFailed as failure:
        raise failure.error from None
    except (TypeError, AttributeError, LookupError, ValueError):  # Bolt reads fields without checking them
        raise Malformed("the payload is none of Slack's") from None


def parse(body: str, content_type: str) -> Payload:
    """The payload in a request's body: JSON, a form, or JSON in a form's field `payload`. Raises `Malformed`."""
    match content_type.partition(";")[0].strip().lower():
        case "application/json":
            return _json(body)
        case "application/x-www-form-urlencoded":
            try:
                form = dict(parse_qsl(body, keep_blank_values=True, max_num_fields=_MAX_FIELDS))
            except ValueError:
                raise Malformed("the form has too many fields") from None
            return _json(form["payload"]) if "payload" in form else form
        case _:
            raise Malformed("the content type is neither JSON nor a form")


def kind_of(payload: Mapping[str, Any]) -> str:
    """`command`, `event`, an interaction's own type, or `other`: few enough values for a metric's label."""
    if "command" in payload:
        return "command"
    kind = payload.get("type")
    if kind == "event_callback":
        return "event"
    return kind if isinstance(kind, str) and kind in _KINDS else "other"


def _json(text: str) -> Payload:
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("the JSON cannot be read") from None
    if not isinstance(payload, dict):
        raise Malformed("the JSON is not an object")
    return payload


def _check_shape(payload: Payload) -> None:
    """Checks what Bolt assumes, and that the payload is of a kind that Slack sends."""
    if "command" not in payload and kind_of(payload) == "other":
        raise Malformed("the payload is of no kind that the bot knows")
    event = payload.get("event", {})
    if not isinstance(event, dict) or not isinstance(event.get("type", ""), str):
        raise Malformed("the event is none of Slack's")
    if payload.get("type") == "block_actions":
        actions = payload.get("actions")
        first = actions[0] if isinstance(actions, list) and actions else None
        if not isinstance(first, dict) or not isinstance(first.get("action_id"), str):
            raise Malformed("the action is none of Slack's")


def _on_error(error: Exception, body: Payload) -> BoltResponse:
    """Bolt would log the error and return 500. Both transports need the exception itself, to log it with a
    reference.
    """
    if isinstance(error, _ListenerFailed):
        raise error  # Bolt passes on what this function raises
    if not isinstance(error, BoltUnhandledRequestError):
        raise _ListenerFailed(error)
    kind = kind_of(body)
    log.info("slack_request_ignored", kind=kind)
    return BoltResponse(status=200 if kind in _ACKNOWLEDGED_UNHEARD else 404)

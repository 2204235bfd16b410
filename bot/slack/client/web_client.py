"""slack_sdk's WebClient, for calls that are not messages: one TLS context for all, and only safe retries.

A call is retried if Slack certainly did nothing (no connection, 429), or if doing it twice is the same as once. A sent
`chat.postMessage` is neither: after a 5xx or a cut connection the message may be in the channel, and a retry would post
it twice. That error goes to the caller, who knows what the message was.
"""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.http_retry import ConnectionErrorRetryHandler, RetryHandler
from slack_sdk.http_retry.builtin_handlers import ServerErrorRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState

from bot.slack.client.api_errors import seconds_of
from bot.slack.client.masking import Mask, MaskingWebClient

MAX_WAIT_S = 5.0
"""Seconds. People wait behind a rate limit, too; above this, the caller reports it instead."""

SAFE_TO_REPEAT = frozenset(
    {"delete", "getPermalink", "history", "info", "list", "members", "publish", "replies", "test", "update", "validate"}
)
"""The last words of methods that read, or that have the same effect when called twice."""


def web_client(
    token: str,
    api_url: str,
    timeout_s: float,
    *,
    proxy: str | None = None,
    tls: ssl.SSLContext | None = None,
    sleep: Callable[[float], None] = time.sleep,
    mask: Mask | None = None,
) -> WebClient:
    """A client for calls to `api_url`. Without `proxy`, the environment's `HTTPS_PROXY` and `NO_PROXY` apply.

    `mask` removes secrets from all text that is sent.

    Building a TLS context takes 22 ms of CPU, which WebClient would need on every call. `client.ssl` can be shared.
    """
    client = MaskingWebClient(
        token=token,
        base_url=api_url,
        timeout=timeout_s,  # type: ignore[arg-type] # handed to a socket, which takes fractions
        ssl=tls or ssl.create_default_context(),
        proxy=proxy,
        retry_handlers=[_NeverSent(), _CutOff(), _ServerError(), _RateLimit(sleep)],
    )
    if mask is not None:
        client.mask = mask
    return client


def _may_be_repeated(request: HttpRequest) -> bool:
    return request.url.rpartition(".")[2] in SAFE_TO_REPEAT


class _NeverSent(ConnectionErrorRetryHandler):
    """urllib raises `URLError` until the request's last byte is sent, and bare errors afterwards."""

    def __init__(self) -> None:
        super().__init__(error_types=[URLError])


class _CutOff(ConnectionErrorRetryHandler):
    """The connection broke after the request was sent."""

    def __init__(self) -> None:
        super().__init__(error_types=[ConnectionError])

    def _can_retry(self, *, state: RetryState, request: HttpRequest, **how: Any) -> bool:
        return _may_be_repeated(request) and super()._can_retry(state=state, request=request, **how)


class _ServerError(ServerErrorRetryHandler):
    def _can_retry(self, *, state: RetryState, request: HttpRequest, **how: Any) -> bool:
        return _may_be_repeated(request) and super()._can_retry(state=state, request=request, **how)


class _RateLimit(RetryHandler):
    """slack_sdk's own handler waits as long as Slack says, even minutes, while people wait."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        super().__init__(max_retry_count=1)
        self._sleep = sleep

    def _can_retry(
        self,
        *,
        state: RetryState,  # noqa: ARG002 - the interface
        request: HttpRequest,  # noqa: ARG002
        response: HttpResponse | None = None,
        error: Exception | None = None,  # noqa: ARG002
    ) -> bool:
        return response is not None and response.status_code == 429 and _wait_s(response) <= MAX_WAIT_S - 1

    def prepare_for_next_attempt(
        self,
        *,
        state: RetryState,
        request: HttpRequest,  # noqa: ARG002
        response: HttpResponse | None = None,
        error: Exception | None = None,  # noqa: ARG002
    ) -> None:
        state.next_attempt_requested = True
        if response is not None:
            self._sleep(_wait_s(response) + random.random())  # noqa: S311 - spreads callers, is not for security
        state.increment_current_attempt()


def _wait_s(response: HttpResponse) -> float:
    """`Retry-After` in seconds; one second if missing, infinite if unreadable."""
    for name, values in response.headers.items():
        if name.lower() == "retry-after":
            return seconds_of(values[0])
    return 1.0

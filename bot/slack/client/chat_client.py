"""Posts and changes messages and views, over connections that are kept. The rest of Slack's API goes through slack_sdk.

A call is repeated if Slack surely did nothing, or if doing it twice is the same as once. `chat.postMessage` is neither
once it has been sent: a repeat could post the message twice, so the caller decides, who knows what the message says.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from bot.slack.client.api_errors import BLOCKS_REFUSED, CallFailed, error_word, refused, seconds_of
from bot.slack.client.connections import Connections, NotAnswered, NotSent, Response
from bot.slack.client.masking import Mask, masked
from bot.slack.client.web_client import MAX_WAIT_S, SAFE_TO_REPEAT

UPDATE, POST, POST_EPHEMERAL = "chat.update", "chat.postMessage", "chat.postEphemeral"

PAUSE_S = 0.5
"""Before a call is repeated after a failed connection or a failure inside Slack."""

log = structlog.get_logger(__name__)


class ChatClient:
    """Thread-safe. `mask` takes secrets out of each text that is sent."""

    def __init__(
        self,
        token: str,
        api_url: str,
        connections: Connections,
        *,
        sleep: Callable[[float], None] = time.sleep,
        mask: Mask = lambda text: text,
    ) -> None:
        self._api_url = api_url
        self._connections = connections
        self._sleep = sleep
        self._mask = mask
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json;charset=utf-8",
            "User-Agent": "codeship-bot",
        }

    def open_ahead(self) -> None:
        """A message will be sent soon: its connection is opened meanwhile. Returns at once, raises nothing."""
        self._connections.open_ahead(self._api_url)

    def call(self, method: str, body: Mapping[str, Any], *, text_alone: bool = True) -> Mapping[str, Any]:
        """Slack's answer. If Slack refuses the blocks, and with `text_alone`, the text is sent alone. Raises
        CallFailed.
        """
        try:
            return self._repeated(method, body)
        except CallFailed as failure:
            if failure.word not in BLOCKS_REFUSED or "blocks" not in body or not text_alone:
                raise
            log.error("blocks_rejected", method=method, why=failure.word)
        return self._repeated(method, {name: value for name, value in body.items() if name != "blocks"})

    def _repeated(self, method: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        data = json.dumps(masked(body, self._mask)).encode()
        try:
            return self._call(method, data)
        except _Repeatable as again:
            self._sleep(again.after_s)
        try:
            return self._call(method, data)
        except _Repeatable as second:
            raise second.failure from None

    def _call(self, method: str, data: bytes) -> Mapping[str, Any]:
        is_safe = method.rpartition(".")[2] in SAFE_TO_REPEAT
        try:
            answer = self._connections.post(self._api_url + method, self._headers, data)
        except NotSent as failure:
            raise _Repeatable(CallFailed(method, f"could not be reached: {failure}"), PAUSE_S) from None
        except NotAnswered as failure:
            unknown = CallFailed(method, f"did not answer: {failure}", may_be_there=True)
            if is_safe and failure.is_cut_off:
                raise _Repeatable(unknown, PAUSE_S) from None
            raise unknown from None
        content = _json(answer)
        if answer.status == 200 and isinstance(content, dict) and content.get("ok") is True:
            return content
        word = error_word(content) if isinstance(content, dict) else None
        refusal = refused(method, answer.status, word, answer.headers.get("retry-after"))
        if answer.status == 429:
            wait_s = seconds_of(answer.headers.get("retry-after", "1"))
            if wait_s <= MAX_WAIT_S - 1:
                raise _Repeatable(refusal, wait_s + random.random())  # noqa: S311 - spreads callers, hides nothing
        if answer.status >= 500 and is_safe:
            raise _Repeatable(refusal, PAUSE_S)
        raise refusal


class _Repeatable(Exception):
    """A failure after which the call may be repeated."""

    def __init__(self, failure: CallFailed, after_s: float) -> None:
        super().__init__()
        self.failure = failure
        self.after_s = after_s


def _json(answer: Response) -> Any:
    """None if the answer is no JSON."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None

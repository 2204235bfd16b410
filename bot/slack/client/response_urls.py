"""Response URLs: answers to a command or a click without any membership, five times within 30 minutes.

https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import structlog

from bot.slack.client.api_errors import KINDS, CallFailed, Kind, error_word
from bot.slack.client.connections import Connections, NotAnswered, NotSent
from bot.slack.client.masking import Mask, masked

_SLACKS_HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
_PLAIN = re.compile(r"[!-\[\]-~]{1,2000}")
"""What an address is made of. Other characters, and the backslash, mean different hosts to different readers."""
_HEADERS = {"Content-Type": "application/json;charset=utf-8", "User-Agent": "codeship-bot"}
_NAME = "the response URL"
_BAD_MESSAGE = "invalid_blocks"
"""What every 400 means."""

log = structlog.get_logger(__name__)


class ResponseUrls:
    """`api_url` is SLACK_API_URL: its scheme, host and port are trusted in addition to Slack's own. Thread-safe.

    `mask` takes secrets out of each text that is sent.
    """

    def __init__(self, api_url: str, connections: Connections, *, mask: Mask = lambda text: text) -> None:
        self._own = _origin(api_url)
        self._connections = connections
        self._mask = mask

    def post(self, url: str, body: Mapping[str, Any]) -> None:
        """If Slack refuses the message, its text is sent alone. Raises CallFailed, which holds no part of the URL."""
        if not self._is_slacks(url):
            raise CallFailed(_NAME, "is not one of Slack's")
        try:
            self._post(url, body)
        except CallFailed as failure:
            if failure.word != _BAD_MESSAGE or not body.get("blocks"):
                raise
            log.error("blocks_rejected", method="response URL", why=str(failure))
            self._post(url, {name: value for name, value in body.items() if name != "blocks"})

    def _post(self, url: str, body: Mapping[str, Any]) -> None:
        try:
            answer = self._connections.post(url, _HEADERS, json.dumps(masked(body, self._mask)).encode())
        except NotSent as failure:
            raise CallFailed(_NAME, f"could not be reached: {failure}") from None
        except NotAnswered as failure:
            raise CallFailed(_NAME, f"did not answer: {failure}", may_be_there=True) from None
        word = _word(answer.body)
        if answer.status == 200 and (word is None or word == "ok"):
            return
        why = f"answered {answer.status}{f': {word}' if word else ''}"
        is_unknown = answer.status >= 500 or KINDS.get(word or "") is Kind.UNKNOWN
        raise CallFailed(_NAME, why, word=_BAD_MESSAGE if answer.status == 400 else word or "", may_be_there=is_unknown)

    def _is_slacks(self, url: str) -> bool:
        origin = _origin(url)
        return origin is not None and (
            origin == self._own or (origin[0] == "https" and origin[1] in _SLACKS_HOSTS and origin[2] == 443)
        )


def _word(body: bytes) -> str | None:
    """Slack's word for why, such as `used_url`. Nothing else: a proxy's page may quote the URL."""
    try:
        text = body.decode()
        return error_word(json.loads(text))
    except UnicodeDecodeError:
        return None
    except (ValueError, RecursionError):
        return error_word(text)


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port, as browsers compare them; None if it is not a web address."""
    if not _PLAIN.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        port = {"https": 443, "http": 80}[parts.scheme] if parts.port is None else parts.port
    except (ValueError, KeyError):
        return None
    if not parts.hostname or parts.username is not None or parts.password is not None:
        return None
    return parts.scheme, parts.hostname, port

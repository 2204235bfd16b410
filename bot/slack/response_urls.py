"""Answers through the `response_url` that came with a command or a click. Used only on Slack's own hosts.

A response URL works five times within thirty minutes, without any membership or scope:
https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests

from bot.slack.messages import Message

_SLACKS_HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
_PLAIN = re.compile(r"[!-\[\]-~]{1,2000}")
"""What an address is made of. Other signs, and the backslash, mean different hosts to different readers."""
_WORD = re.compile(r"[a-z_]{1,40}")


class NotDelivered(Exception):
    """The answer did not reach Slack, or Slack refused it. `str()` holds no part of the URL, which is a secret."""


class ResponseUrls:
    """`api_url` is SLACK_API_URL: its scheme, host and port are trusted beside Slack's own. Thread-safe."""

    def __init__(self, api_url: str, session: requests.Session, *, timeout_s: float = 4.0) -> None:
        self._own = _origin(api_url)
        self._session = session
        self._timeout_s = timeout_s

    def say(
        self, url: str, message: Message, *, in_public: bool, thread: str | None = None, replace: bool = False
    ) -> None:
        """Posts a message, or puts it in the place of the one that was pressed. Raises NotDelivered."""
        body: dict[str, Any] = {
            "text": message.text,
            "blocks": list(message.blocks),
            "response_type": "in_channel" if in_public else "ephemeral",
            "replace_original": replace,
        }
        if thread and not replace:
            body["thread_ts"] = thread
        self._post(url, body)

    def remove(self, url: str) -> None:
        """Takes the pressed message away. Raises NotDelivered."""
        self._post(url, {"delete_original": True})

    def _post(self, url: str, body: Mapping[str, Any]) -> None:
        if not self._is_slacks(url):
            raise NotDelivered("the response URL is not one of Slack's")
        try:
            answer = self._session.post(url, json=body, timeout=self._timeout_s, allow_redirects=False)
        except requests.RequestException as failure:
            raise NotDelivered(f"the response URL could not be reached: {type(failure).__name__}") from None
        if answer.status_code != requests.codes.ok:
            raise NotDelivered(f"the response URL answered {answer.status_code}{_word(answer.text)}")

    def _is_slacks(self, url: str) -> bool:
        origin = _origin(url)
        return origin is not None and (
            origin == self._own or (origin[0] == "https" and origin[1] in _SLACKS_HOSTS and origin[2] == 443)
        )


def _word(answer: str) -> str:
    """Slack's word for why, such as `used_url`. Nothing else: a proxy's page may quote the URL."""
    try:
        said = json.loads(answer)
    except (ValueError, RecursionError):
        said = answer
    word = said.get("error") if isinstance(said, dict) else said
    return f": {word}" if isinstance(word, str) and _WORD.fullmatch(word) else ""


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port, as browsers compare them; None for what is no web address."""
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

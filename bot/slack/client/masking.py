"""Removes the bot's own secrets from what it sends: a commit message or an error's text may hold one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

Mask = Callable[[str], str]


def masked(value: Any, mask: Mask) -> Any:
    """The same JSON value with all its texts masked. Keys are unchanged."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping):
        return {key: masked(inner, mask) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked(inner, mask) for inner in value]
    return value


class MaskingWebClient(WebClient):
    """Masks what is sent as JSON, which is every message. The token itself is in a header."""

    mask: Mask = staticmethod(lambda text: text)

    def api_call(self, api_method: str, *, json: dict[str, Any] | None = None, **kwargs: Any) -> SlackResponse:
        return super().api_call(api_method, json=masked(json, self.mask), **kwargs)

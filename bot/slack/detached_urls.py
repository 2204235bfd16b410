"""Keeps response URLs out of stored jobs: a job carries the key of a URL that is stored elsewhere, and not for long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import structlog

log = structlog.get_logger(__name__)

KEY = "response_url_key"


class ResponseUrlStore(Protocol):
    """Stores URLs for as long as they work."""

    def put(self, url: str) -> str:
        """Returns the URL's key."""

    def get(self, key: str) -> str | None:
        """None if the URL expired."""


class DetachedUrls:
    """Changes the payloads of jobs that answer a request, on their way into the database and out of it."""

    def __init__(self, store: ResponseUrlStore) -> None:
        self._store = store

    def detached(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The payload with a key in place of the URL. Raises what the store raises."""
        request = payload.get("slack_request")
        if not isinstance(request, Mapping) or not request.get("response_url"):
            return payload
        key = self._store.put(request["response_url"])
        return {**payload, "slack_request": {**request, "response_url": None, KEY: key}}

    def attached(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The payload with its URL, or with none if the URL expired: replies then go another way."""
        request = payload.get("slack_request")
        if not isinstance(request, Mapping) or KEY not in request:
            return payload
        rest = {name: value for name, value in request.items() if name != KEY}
        try:
            url = self._store.get(request[KEY])
        except Exception as error:  # noqa: BLE001 - the driver's: the request is answered without it
            log.warning("response_url_not_read", why=type(error).__name__)
            url = None
        return {**payload, "slack_request": {**rest, "response_url": url}}

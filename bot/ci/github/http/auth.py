"""Authenticates the bot: with a personal access token, or as a GitHub App with installation tokens for an hour each.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol

from bot.ci import json_fields as cleaning
from bot.ci.github import api as wire
from bot.ci.github import schema as shapes
from bot.ci.github.http.errors import TITLE, error_for
from bot.ci.http_client.client import HttpClient
from bot.ci.http_client.responses import sent_at
from bot.config.parsers import Secret
from bot.core.model.errors import CIError, Forbidden, InvalidResponse, NoResponse, NotFound, Unauthorized, Unreachable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

READ_ONLY = "GITHUB_READ_ONLY"
"""The setting with which the bot only reads, whatever its token allows."""

RENEWED_BEFORE_S = 300.0
_JWT_EARLIER = timedelta(seconds=60)  # this machine's clock may be ahead of GitHub's
_JWT_LASTS = timedelta(minutes=9)  # GitHub accepts ten at most
_LASTS_S = 3600.0
_MAX_BYTES = 256 * 1024


class Identity(Protocol):
    """`repositories` is the path under which GitHub lists what this identity can see."""

    @property
    def repositories(self) -> str: ...

    def token(self, deadline: float) -> str:
        """The token to send; an App may have to request it first. Raises CIError."""

    def proof(self) -> str:
        """What proves who the bot is: an App's JWT, else the token. Raises CIError."""

    def forget(self, token: str) -> bool:
        """Discards a rejected token. Returns whether another one can be requested."""

    def granted(self, permission: str) -> str | None:
        """What GitHub grants: `read`, `write` or empty; None if it has not said so, as for a token."""


class Token:
    """A fine-grained or a classic personal access token."""

    repositories = "/user/repos"

    def __init__(self, token: Secret) -> None:
        self._token = token

    def token(self, deadline: float) -> str:  # noqa: ARG002 - as `Identity`
        return self._token.reveal()

    def proof(self) -> str:
        return self._token.reveal()

    def forget(self, token: str) -> bool:  # noqa: ARG002 - as `Identity`
        return False

    def granted(self, permission: str) -> None:  # noqa: ARG002 - as `Identity`
        return None


@dataclass(frozen=True, slots=True)
class App:
    """An installation of a GitHub App. `private_key` is the App's PEM, made by GitHub."""

    id: str
    installation_id: str
    private_key: Secret


@dataclass(frozen=True, slots=True)
class _AccessToken:
    token: Secret
    lasts_s: float
    permissions: Mapping[str, str] | None = None


class InstallationTokens:
    """Requests the installation's token when it is needed, and a new one before it expires. One thread does it for
    all."""

    repositories = "/installation/repositories"

    def __init__(
        self,
        app: App,
        api_url: str,
        http: HttpClient,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._app, self._api_url, self._tries = app, api_url, http
        self._now, self._monotonic = now, monotonic
        self._lock = threading.Lock()
        self._token: Secret | None = None
        self._good_until = 0.0
        self._failed: tuple[float, CIError] | None = None
        self._granted: Mapping[str, str] | None = None

    def token(self, deadline: float) -> str:
        began = self._monotonic()
        with self._lock:
            if self._token is not None and self._monotonic() < self._good_until:
                return self._token.reveal()
            if self._failed is not None and self._failed[0] > began:
                raise copy.copy(self._failed[1])  # another thread failed while this one waited
            try:
                given = self._ask(deadline)
            except CIError as failure:
                self._failed = (self._monotonic(), failure)
                raise
            self._token, self._failed, self._granted = given.token, None, given.permissions
            self._good_until = self._monotonic() + given.lasts_s - RENEWED_BEFORE_S
            return given.token.reveal()

    def forget(self, token: str) -> bool:
        with self._lock:
            if self._token is not None and self._token.reveal() == token:
                self._token = None
        return True

    def granted(self, permission: str) -> str | None:
        if self._granted is None:
            return None
        level = self._granted.get(permission, "")
        return level if isinstance(level, str) else None

    def _ask(self, deadline: float) -> _AccessToken:
        signed = self.proof()
        request = wire.signed(wire.token_request(self._api_url, self._app.installation_id), signed)
        read = partial(_parse_token, secret=signed)
        try:
            # Safe to retry: each request returns another valid token.
            return self._tries.ask("token", request, read, max_bytes=_MAX_BYTES, deadline=deadline)
        except NoResponse as failure:
            why = failure.detail
        # The request that needs the token was certainly not sent.
        raise Unreachable(TITLE, f"no token for the App came: {why}")

    def proof(self) -> str:
        """The App's JWT, valid for nine minutes."""
        import jwt

        key = signing_key(self._app.private_key)
        if key is None:
            raise Unauthorized(TITLE, "the App's private key is none; check GITHUB_APP_PRIVATE_KEY_FILE")
        now = self._now()
        claims = {"iat": now - _JWT_EARLIER, "exp": now + _JWT_LASTS, "iss": self._app.id}
        return jwt.encode(claims, key, "RS256")


def signing_key(pem: Secret) -> RSAPrivateKey | None:
    """None if it cannot sign for an App. Raises nothing: the library's errors may contain parts of the key."""
    # Imported late: ten megabytes that only an App needs.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.reveal().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPrivateKey) else None


def _parse_token(status: int, headers: Mapping[str, str], body: bytes, *, secret: str) -> _AccessToken:
    if not 200 <= status < 300:
        error = error_for(status, headers, body, secret=secret)
        if isinstance(error, NotFound | Forbidden):  # an operator must act, as for a wrong key
            text = error.detail or "no such App, or not installed there"
            error = Unauthorized(TITLE, f"{text}; check GITHUB_APP_ID and GITHUB_APP_INSTALLATION_ID")
        raise error
    given = shapes.token(body)
    token = given and cleaning.line(given.token, 1_000)
    if given is None or not token or not all("!" <= sign <= "~" for sign in token):
        raise InvalidResponse(TITLE, "the answer has no token in it; check GITHUB_API_URL")
    ends_at, sent = cleaning.time(given.expires_at), sent_at(headers)
    # By GitHub's clock alone: this machine's may be wrong.
    lasts_s = (ends_at - sent.astimezone(UTC)).total_seconds() if ends_at and sent else _LASTS_S
    granted = given.permissions if isinstance(given.permissions, dict) else None
    return _AccessToken(Secret(token), min(lasts_s, _LASTS_S), granted)

"""GitHub Apps, their installations, and the verification of their JWTs.

The rules and words are GitHub's own:
https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt

from playground.github.model import NotPossible

MAX_JWT = timedelta(minutes=10)
_NOT_DECODED = "A JSON web token could not be decoded"
_EXPIRES = (
    "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion "
    "expires"
)
_TOO_FAR = "'Expiration time' claim ('exp') is too far in the future"
_ISSUED = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"


@dataclass(frozen=True)
class App:
    id: int
    client_id: str
    slug: str
    public_key: str = field(repr=False)
    """PEM."""


@dataclass(frozen=True)
class Installation:
    """`repos` are ids; None: all repositories of the account."""

    id: int
    app: App
    account: str
    repos: frozenset[int] | None
    permissions: Mapping[str, str]
    created_at: datetime
    suspended_at: datetime | None = None


def signer(token: str, apps: Iterable[App], now: datetime) -> App:
    """The app that signed the JWT. Raises NotPossible, as GitHub refuses it."""
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise NotPossible(401, _NOT_DECODED) from None
    if not claims.get("iss"):
        raise NotPossible(401, "Missing 'issuer' claim ('iss') in assertion")
    app = next((app for app in apps if str(claims["iss"]) in {str(app.id), app.client_id}), None)
    if app is None:
        raise NotPossible(404, "Integration not found")
    _check_signature(token, app)
    _check_times(claims, now.timestamp())
    return app


def _check_signature(token: str, app: App) -> None:
    no_more = dict.fromkeys(("exp", "iat", "nbf", "aud", "iss", "sub", "jti"), False)
    options: Any = {f"verify_{claim}": verified for claim, verified in no_more.items()}
    try:
        jwt.decode(token, app.public_key, algorithms=["RS256"], options=options)
    except jwt.PyJWTError:
        raise NotPossible(401, _NOT_DECODED) from None


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    """The sandbox's clock counts, not the machine's."""
    expires, issued = claims.get("exp"), claims.get("iat")
    if not isinstance(expires, int | float) or expires <= now:
        raise NotPossible(401, _EXPIRES)
    if expires > now + MAX_JWT.total_seconds():
        raise NotPossible(401, _TOO_FAR)
    if not isinstance(issued, int) or issued > now:
        raise NotPossible(401, _ISSUED)

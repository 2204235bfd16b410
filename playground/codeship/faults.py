"""Faults of the simulated CodeShip: those of any service, and its own."""

from __future__ import annotations

from typing import Literal

from playground.http_host import faults as of_any_service
from playground.http_host.faults import (
    FINE,
    CannedResponse,
    Fault,
    cut,
    down,
    empty,
    hang,
    html,
    huge,
    redirect,
    refuse,
    says,
    slow,
)

__all__ = [
    "FINE",
    "Call",
    "CannedResponse",
    "Fault",
    "cut",
    "down",
    "empty",
    "garbage",
    "hang",
    "html",
    "huge",
    "no_rights",
    "over_the_limit",
    "redirect",
    "refuse",
    "slow",
    "wrong_key",
]

Call = Literal["list", "project", "restart"]


def wrong_key(*, on: Call | None = None, times: int | None = None) -> Fault:
    return says("wrong key", CannedResponse(401, '{"errors":["Invalid API key"]}'), on, times)


def no_rights(*, on: Call | None = None, times: int | None = None) -> Fault:
    return says("no rights", CannedResponse(403, '{"errors":["Forbidden"]}'), on, times)


def over_the_limit(
    status: Literal[403, 429] = 403,
    retry_after: str | None = None,
    *,
    on: Call | None = None,
    times: int | None = None,
) -> Fault:
    """Too many requests, in either of CodeShip's two forms. `retry_after` is the header's exact value."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return says(
        "over the limit", CannedResponse(status, "Rate Limit Exceeded", "text/plain", headers=headers), on, times
    )


def garbage(body: str = '{"projects": [{"id": ', *, on: Call | None = None, times: int | None = None) -> Fault:
    """Status 200 with a JSON content type, but not as the contract says. Pass `body` for JSON of a wrong shape."""
    return of_any_service.garbage(body, on=on, times=times)

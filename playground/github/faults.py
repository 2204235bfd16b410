"""The faults of the sandbox GitHub: those of any service, and GitHub's own.

The primary rate limit is not a fault: it is counted (`world.accounts.limits`).
"""

from __future__ import annotations

import json
from typing import Literal

from playground.http_host.faults import (
    FINE,
    CannedResponse,
    Fault,
    cut,
    down,
    empty,
    garbage,
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
    "blocked",
    "cut",
    "down",
    "empty",
    "garbage",
    "gone",
    "hang",
    "html",
    "huge",
    "redirect",
    "refuse",
    "secondary_limit",
    "server_error",
    "slow",
    "unprocessable",
]

Call = Literal[
    "user",
    "user repos",
    "installation repos",
    "org repos",
    "repo",
    "branches",
    "workflows",
    "runs",
    "run",
    "attempt",
    "jobs",
    "rerun",
    "rerun failed",
    "cancel",
    "rate limit",
    "installation",
    "access token",
    "branch",
    "pull",
    "job log",
    "log file",
    "pending deployments",
    "review deployments",
    "app",
    "app deliveries",
    "app delivery",
    "app redelivery",
    "org hooks",
    "org deliveries",
    "org redelivery",
    "repo hooks",
    "repo deliveries",
    "repo redelivery",
]
"""The kinds of call, by the names that faults and `world.requests` use."""

_SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to "
    "GitHub Support for help, please include the request ID."
)
_SECONDARY_DOCS = (
    "https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api"
    "#about-secondary-rate-limits"
)


def secondary_limit(
    status: Literal[403, 429] = 403, retry_after: str | None = "60", *, on: Call | None = None, times: int | None = None
) -> Fault:
    """Too many calls at once, although the hour's limit is not reached; `retry_after` is the header's value."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    body = json.dumps({"message": _SECONDARY, "documentation_url": _SECONDARY_DOCS})
    return says("secondary limit", CannedResponse(status, body, headers=headers), on, times)


def server_error(
    status: Literal[500, 502, 503, 504] = 502, *, on: Call | None = None, times: int | None = None, takes: bool = False
) -> Fault:
    """GitHub's response if it gave up on a request. With `takes`, a POST had its effect nevertheless."""
    body = json.dumps({"message": "Server Error"})
    return Fault("server error", on, times, CannedResponse(status, body), takes=takes)


def blocked(*, on: Call | None = None, times: int | None = None) -> Fault:
    """A repository that was taken down: 451, with the reason."""
    block = {"reason": "dmca", "created_at": "2026-02-27T09:00:00Z", "html_url": "https://github.com/github/dmca"}
    body = json.dumps({"message": "Repository access blocked", "block": block})
    return says("blocked", CannedResponse(451, body), on, times)


def gone(
    message: str = "The logs for this run have expired and are no longer available.",
    *,
    on: Call | None = None,
    times: int | None = None,
) -> Fault:
    """What is requested no longer exists: 410."""
    body = json.dumps({"message": message, "documentation_url": "https://docs.github.com/rest", "status": "410"})
    return says("gone", CannedResponse(410, body), on, times)


def unprocessable(message: str = "Validation Failed", *, on: Call | None = None, times: int | None = None) -> Fault:
    """A request that GitHub understands but refuses: 422, with the reason as a message."""
    body = json.dumps({"message": message, "documentation_url": "https://docs.github.com/rest", "status": "422"})
    return says("unprocessable", CannedResponse(422, body), on, times)

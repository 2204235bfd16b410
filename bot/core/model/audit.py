"""An audit entry: who requested an action, from where, on what, and its result. Values only.

An action changes something, such as a restart or a follow. A status, a list or the audit itself is not an action.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.model.builds import Actor, Location

TRY_AGAIN = "try again"
"""The action that replaces a restart whose result is unknown. The other actions' names are in the command table."""


class Result(StrEnum):
    """The result of an action. All but the first three mean that the action changed nothing."""

    TAKEN = "accepted"
    DONE = "done"
    UNKNOWN = "unknown"
    """The request was sent, by this command or the one in the reason, and got no response."""
    ALREADY = "already asked for"
    RUNNING = "still running"
    RUN_AGAIN = "restarted since"
    TO_BE_CONFIRMED = "to be confirmed"
    REFUSED_BY_POLICY = "refused by policy"
    REFUSED_BY_CI = "refused by CI"
    NOT_DONE = "not done"
    MISTAKE = "invalid"
    BUG = "bug"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action. Fields are None if they were not known yet. `typed` is stored if other fields say little.

    `action` and `result` may hold words of a newer version that uses the same database.
    """

    at: datetime
    actor: Actor
    source: str
    location: Location
    action: str
    service: str
    result: str
    reference: str
    project_id: str | None = None
    project_name: str | None = None
    branch: str | None = None
    build_id: str | None = None
    reason: str = ""
    typed: str = ""


@dataclass(frozen=True, slots=True)
class RequestEntry:
    """The entry of the request with this key."""

    entry: AuditEntry
    request_key: str

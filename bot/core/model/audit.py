"""What is kept of each action: who asked for it, from where, on what, and what came of it. Values only.

An action changes something: a restart, a following. Questions (a status, a list, the audit itself) are none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.model.builds import Actor, Location

TRY_AGAIN = "try again"
"""The action that replaces a restart whose result is unknown. The other actions' names are in the command table."""


class Result(StrEnum):
    """What came of an action. After all but the first three nothing was changed by it."""

    TAKEN = "taken"
    DONE = "done"
    UNKNOWN = "unknown"
    """Nobody can tell: it was sent, by this ask or by the one that the reason names, and no answer came."""
    ALREADY = "already asked for"
    RUNNING = "still running"
    RUN_AGAIN = "run again since"
    TO_BE_CONFIRMED = "to be confirmed"
    REFUSED_BY_POLICY = "refused by policy"
    REFUSED_BY_CI = "refused by CI"
    NOT_DONE = "not done"
    MISTAKE = "mistake"
    BUG = "bug"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action. What could not be found out before it went wrong is None; `typed` is kept where little else tells.

    `action` and `result` are those of this version, or words that a newer one wrote beside it.
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

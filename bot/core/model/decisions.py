"""What a request that changes something was decided to be about. Stored before anything is sent, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.model.actions import ActionPlan
from bot.core.model.builds import Build
from bot.core.model.claims import ClaimKind

CLOCKS_APART = timedelta(seconds=5)
"""How far the clocks of the CI service and of the bot may differ."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Exactly which build, in which run, is restarted or cancelled, and with which POSTs.

    `build` is as it was seen at `seen_at`; `listed` are the ids of all builds that were seen with it. `instead_of` is
    the id and attempt of the unknown claim that a "Try again" replaces.
    """

    action: ClaimKind
    build: Build
    run_number: int
    plan: ActionPlan
    seen_at: datetime
    listed: tuple[str, ...] = ()
    instead_of: tuple[int, int] | None = None
    failed_jobs_only: bool = False


def existed_at(build: Build, moment: datetime) -> bool:
    """Whether the build's present run certainly existed then."""
    started = [run.started_at for run in build.workflows] or [build.started_at]
    return all(start is not None and start + CLOCKS_APART <= moment for start in started)

"""What a request that changes something was decided to act on. Stored before anything is sent, and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.model.actions.values import ActionPlan
from bot.core.model.builds import Build
from bot.core.model.claims import ClaimKind

CLOCKS_APART = timedelta(seconds=5)
"""How much the clocks of the CI service and of the bot may differ."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The build and run that is restarted or cancelled, and the POSTs for that.

    `build` is as it was fetched at `seen_at`; `listed` are the ids of all builds in that fetch. `instead_of` is the id
    and attempt of the unknown claim that a "Try again" replaces. `run_under_way` is as in `RestartState`.
    """

    action: ClaimKind
    build: Build
    run_number: int
    plan: ActionPlan
    seen_at: datetime
    listed: tuple[str, ...] = ()
    instead_of: tuple[int, int] | None = None
    failed_jobs_only: bool = False
    run_under_way: int = 1


def existed_at(build: Build, moment: datetime) -> bool:
    """Whether the build's current run certainly existed at `moment`."""
    started = [run.started_at for run in build.workflows] or [build.started_at]
    return all(start is not None and start + CLOCKS_APART <= moment for start in started)

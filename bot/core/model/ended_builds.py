"""How builds ended, for figures about branches. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.core.model.builds import Build, Project, Status


@dataclass(frozen=True, slots=True)
class EndedBuild:
    """One end of a build. A build that was run again has one for each run."""

    service: str
    project_id: str
    branch: str
    build_id: str
    commit: str | None
    status: Status
    started_at: datetime | None
    finished_at: datetime

    @property
    def took_s(self) -> float | None:
        """Seconds from start to end; None if the start is unknown or later than the end."""
        if self.started_at is None or self.finished_at < self.started_at:
            return None
        return (self.finished_at - self.started_at).total_seconds()


def ended(builds: Iterable[Build]) -> list[EndedBuild]:
    """The ends of builds of a branch. Running builds, tags and those without a branch or an end time are left out."""
    return [
        EndedBuild(
            build.project.service,
            build.project.id,
            build.branch,
            build.id,
            build.commit,
            build.status,
            build.started_at,
            build.finished_at,
        )
        for build in builds
        if build.has_ended and build.branch and not build.is_tag and build.finished_at is not None
    ]


@dataclass(frozen=True, slots=True)
class FlakyBranch:
    """`flaky` of its `commits` failed and then passed. `commit` is the last of them, which passed at `at`."""

    project: Project
    branch: str
    flaky: int
    commits: int
    commit: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FlakyShown:
    """The flakiest branches, of `project` or of all. `total` counts those left out, too.

    `builds` is how many builds of the last `days` days are on record.
    """

    project: Project | None
    branch: str | None
    entries: tuple[FlakyBranch, ...]
    total: int
    builds: int
    days: int


@dataclass(frozen=True, slots=True)
class SlowBranch:
    """The median duration of its passed `builds`, in seconds. `before_s` is that of the time before, if known."""

    project: Project
    branch: str
    builds: int
    median_s: float
    before_s: float | None


@dataclass(frozen=True, slots=True)
class SlowShown:
    """The slowest branches, otherwise as `FlakyShown`."""

    project: Project | None
    branch: str | None
    entries: tuple[SlowBranch, ...]
    total: int
    builds: int
    days: int

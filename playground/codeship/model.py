"""What the simulated CodeShip stores: projects and builds. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

RUNNING_WORDS = frozenset({"initiated", "waiting", "testing"})


class NotFound(LookupError):
    """The account has no such project or build."""


@dataclass(frozen=True)
class SandboxProject:
    id: int
    repository_name: str
    uuid: str
    repository_provider: str | None
    """None: responses have no such field."""


@dataclass(frozen=True)
class SandboxBuild:
    """The current state of a build. A later state is another value with the same id."""

    id: int
    uuid: str
    project_id: int
    status: str
    branch: str
    commit_id: str
    github_username: str | None
    message: str | None
    started_at: datetime | None
    finished_at: datetime | None
    moved_at: datetime
    """When it got this status. Never in a response; there, the other two times may be null."""
    run: int = 1
    """The number of this run of the build. Never in a response."""
    missing: frozenset[str] = frozenset()
    """Fields that responses leave out, as they do for old projects."""

    @property
    def is_running(self) -> bool:
        return self.status in RUNNING_WORDS

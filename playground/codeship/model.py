"""What the sandbox CodeShip keeps: projects and builds. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

RUNNING_WORDS = frozenset({"initiated", "waiting", "testing"})


class NotFound(LookupError):
    """The sandbox has no such project or build."""


@dataclass(frozen=True)
class SandboxProject:
    id: int
    repository_name: str
    uuid: str
    repository_provider: str | None
    """None: the field is absent from answers."""


@dataclass(frozen=True)
class SandboxBuild:
    """A build as it stands now; a later state is another value under the same id."""

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
    """Since when it has this status; never on the wire, where the other two times may be null."""
    run: int = 1
    """Which run of this build this is; never on the wire."""
    missing: frozenset[str] = frozenset()
    """Fields that answers leave out altogether, as those about old projects do."""

    @property
    def is_running(self) -> bool:
        return self.status in RUNNING_WORDS

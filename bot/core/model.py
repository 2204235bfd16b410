"""The words of the core: projects, builds, who asks, from where. Values only; nothing here does anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum


class Status(Enum):
    """What a build's state means, whichever CI service says it. The service's own word is `Build.status_word`."""

    QUEUED = "queued"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    STOPPED = "stopped"
    SKIPPED = "skipped"
    IGNORED = "ignored"
    BLOCKED = "blocked"
    INFRASTRUCTURE_FAILURE = "infrastructure failure"
    UNKNOWN = "unknown"


_UNDER_WAY = frozenset({Status.QUEUED, Status.RUNNING})


@dataclass(frozen=True, slots=True)
class Project:
    """A repository as the CI service knows it. `id` is opaque; `name` is `org/name` in the service's own spelling."""

    id: str
    name: str
    service: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Build:
    """One build as the CI service last showed it. All from `branch` on may be None."""

    id: str
    project: Project
    status: Status
    status_word: str
    branch: str | None = None
    commit: str | None = None
    message: str | None = None
    author: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    url: str | None = None
    commit_url: str | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether it is certain that the build waits or runs. The word decides, whatever the times say."""
        return self.status in _UNDER_WAY

    @property
    def has_ended(self) -> bool:
        """Whether it is certain that the build is over. An unknown word counts as over once there is an end."""
        if self.status is Status.UNKNOWN:
            return self.finished_at is not None
        return self.status not in _UNDER_WAY

    @property
    def took(self) -> timedelta | None:
        """From start to end, where both are known and in order."""
        if not self.has_ended or self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at if self.finished_at >= self.started_at else None

    @property
    def run(self) -> Run:
        return Run(self.status_word, self.started_at, self.finished_at)


@dataclass(frozen=True, slots=True)
class Run:
    """What tells one run of a build from the next: a service may run the same build again under the same id."""

    status_word: str
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Actor:
    """The person who asks: a Slack user id. Names are never stored; Slack shows the current one for an id."""

    id: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is asked and answered: a channel, or a thread in it."""

    channel: str
    thread: str | None = None

    @property
    def is_between_two(self) -> bool:
        """A direct message: nobody can be invited into it."""
        return self.channel.startswith("D")


@dataclass(frozen=True, slots=True)
class Target:
    """What a button names: exactly this build (and which of its runs was shown), or a branch of a project."""

    service: str
    project_id: str
    branch: str | None = None
    build_id: str | None = None
    run_number: int | None = None
    started_at: datetime | None = None

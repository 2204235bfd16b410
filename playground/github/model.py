"""What the sandbox GitHub stores: accounts, repositories, workflows, runs and their jobs. Values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

UNFINISHED = frozenset({"requested", "queued", "pending", "waiting", "in_progress"})
"""GitHub's words for a run that has not finished."""


class NotFound(LookupError):
    """The sandbox has no such repository, workflow, run, job or step."""


class NotPossible(Exception):
    """GitHub refuses the request: its status and its words."""

    def __init__(self, status: int, words: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(words)
        self.status, self.words, self.headers = status, words, headers


@dataclass(frozen=True)
class Account:
    """A person, an organisation or an app's bot."""

    id: int
    login: str
    type: Literal["User", "Organization", "Bot"]


@dataclass(frozen=True)
class SandboxRepo:
    """`full_name` is its name now; a repository that was renamed keeps its id."""

    id: int
    full_name: str
    created_at: datetime
    pushed_at: datetime
    private: bool = True
    archived: bool = False
    fork: bool = False
    default_branch: str = "main"
    description: str | None = None

    @property
    def owner(self) -> str:
        return self.full_name.partition("/")[0]

    @property
    def name(self) -> str:
        return self.full_name.partition("/")[2]


@dataclass(frozen=True)
class JobPlan:
    """A job as in the workflow's file. Its `needs` are names of jobs before it."""

    name: str
    steps: tuple[str, ...] = ("Set up job", "Check out", "Run the tests", "Complete job")
    needs: tuple[str, ...] = ()
    environment: str | None = None
    """What it deploys to. None: nothing, so that it never waits for an approval."""


@dataclass(frozen=True)
class SandboxWorkflow:
    id: int
    repo_id: int
    name: str
    path: str
    jobs: tuple[JobPlan, ...]
    events: frozenset[str]
    created_at: datetime
    state: str = "active"
    is_listed: bool = True
    """False for one that the organization requires: its file is in another repository, and no list has it."""


@dataclass(frozen=True)
class SandboxStep:
    name: str
    number: int
    status: str
    conclusion: str | None
    started_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True)
class SandboxJob:
    """A job of one attempt. One that a re-run of the failed jobs kept is a copy with its old times."""

    id: int
    plan: JobPlan
    attempt: int
    status: str
    conclusion: str | None
    created_at: datetime
    started_at: datetime
    completed_at: datetime | None = None
    steps: tuple[SandboxStep, ...] = ()
    runner: int | None = None

    @property
    def name(self) -> str:
        return self.plan.name


@dataclass(frozen=True)
class PullRequest:
    """A pull request of the repository `repo_id`. `head_repo`: the fork that it is from; None if the fork is gone."""

    number: int
    base: str
    repo_id: int
    head: str
    head_sha: str
    head_repo: SandboxRepo | None
    title: str
    by: str
    created_at: datetime
    updated_at: datetime
    state: Literal["open", "closed"] = "open"
    merged_at: datetime | None = None

    @property
    def is_from_a_fork(self) -> bool:
        return self.head_repo is None or self.head_repo.id != self.repo_id


@dataclass(frozen=True)
class SandboxRun:
    """One attempt of a workflow run at one moment; a later state or attempt is another value with the same id."""

    id: int
    number: int
    repo_id: int
    workflow_id: int
    name: str | None
    head_branch: str | None
    head_sha: str
    event: str
    status: str | None
    conclusion: str | None
    attempt: int
    created_at: datetime
    started_at: datetime
    """When this attempt was requested: `run_started_at`."""
    updated_at: datetime
    actor: str | None
    triggering_actor: str | None
    message: str | None
    """None: responses have no head commit."""
    author: str | None
    head_repo: SandboxRepo | None
    """The repository of the commit: a fork or the repository itself. None: a deleted fork."""
    jobs: tuple[SandboxJob, ...] = ()
    pull_request: PullRequest | None = None
    cancelling: bool = False
    debug_logging: bool = False
    """Whether this attempt was requested with debug logs."""
    missing: frozenset[str] = frozenset()
    """Fields that responses leave out."""

    @property
    def is_over(self) -> bool:
        return self.status == "completed"

    @property
    def waits_for(self) -> tuple[str, ...]:
        """The environments that an approval is needed for, each once."""
        waiting = (job.plan.environment for job in self.jobs if job.status == "waiting")
        return tuple(dict.fromkeys(name for name in waiting if name))


@dataclass(frozen=True)
class Ending:
    """How a run is to end: with any word; a failure may name its job and its step."""

    conclusion: str = "success"
    job: str | None = None
    step: str | None = None


@dataclass(frozen=True)
class RunEvent:
    """An event about a run, with the run at that moment."""

    action: Literal["requested", "in_progress", "completed"]
    run: SandboxRun


@dataclass(frozen=True)
class JobEvent:
    """An event about a job, with the job and its run at that moment."""

    action: str
    """The job's status now: queued, waiting, in_progress or completed."""
    job: SandboxJob
    run: SandboxRun


@dataclass(frozen=True)
class HookDelivery:
    """One POST of a webhook. `status` is the response's; `failure` says why there is none. Both are None until it ends.

    `guid` is the same for every redelivery; `id` is not.
    """

    id: int
    guid: str
    event: str
    payload: Mapping[str, Any]
    at: datetime
    redelivery: bool = False
    status: int | None = None
    failure: str | None = None

    @property
    def is_done(self) -> bool:
        return self.status is not None or self.failure is not None


class Hook(Protocol):
    """A webhook as GitHub's API knows it. `owner`: `app`, an organization's login, or a repository's full name."""

    @property
    def id(self) -> int: ...

    @property
    def owner(self) -> str: ...

    @property
    def url(self) -> str: ...

    @property
    def events(self) -> Sequence[str]: ...

    @property
    def deliveries(self) -> list[HookDelivery]:
        """Oldest first."""

    def redeliver(self, delivery: HookDelivery) -> None: ...

"""The core's basic values: projects, builds, people, places in Slack."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from bot.core.model.people.authors import CommitAuthor


class Status(Enum):
    """A build's status, the same for every CI service. The service's own word is `Build.status_word`."""

    QUEUED = "queued"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    STOPPED = "stopped"
    SKIPPED = "skipped"
    IGNORED = "ignored"
    BLOCKED = "blocked"
    WAITING = "waiting"
    INFRASTRUCTURE_FAILURE = "infrastructure failure"
    UNKNOWN = "unknown"

    @property
    def is_under_way(self) -> bool:
        """Whether it certainly waits or runs."""
        return self in (Status.QUEUED, Status.RUNNING)

    @property
    def severity(self) -> int:
        """0 for the worst status; higher numbers are less severe."""
        return _WORST_FIRST.index(self)

    @property
    def is_bad(self) -> bool:
        """Whether people would restart a build with this status to make it pass."""
        return self in (Status.FAILED, Status.STOPPED, Status.BLOCKED, Status.INFRASTRUCTURE_FAILURE, Status.UNKNOWN)


_WORST_FIRST = (
    Status.FAILED,
    Status.INFRASTRUCTURE_FAILURE,
    Status.BLOCKED,
    Status.UNKNOWN,
    Status.RUNNING,
    Status.QUEUED,
    Status.STOPPED,
    Status.PASSED,
    Status.WAITING,
    Status.IGNORED,
    Status.SKIPPED,
)


class Ability(Enum):
    """What only some CI services can do. It is offered only for those."""

    RESTART = "restart"
    """Every service can, unless the bot may only read there."""
    CANCEL = "cancel"
    RESTART_FAILED_JOBS = "restart failed jobs"
    LOGS = "logs"
    DEBUG_LOGS = "debug logs"
    """Of a re-run: it then logs more."""


REPOSITORY_NAME = re.compile(r"(?!\.{1,2}/)[\w.-]{1,100}/(?!\.{1,2}$)[\w.-]{1,100}", re.ASCII)
"""`org/name`, as repository hosts allow it."""


@dataclass(frozen=True, slots=True)
class Project:
    """A repository at its CI service. `id` is opaque; `name` is `org/name` in the service's own spelling.

    `default_branch` is None if the service does not tell it.
    """

    id: str
    name: str
    service: str
    url: str | None = None
    default_branch: str | None = None


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A job that went wrong, and the first of its steps that did; `url` is the job's page.

    `id` is the service's, `step_began` and `step_ended` are the step's times: with them its log can be cut.
    """

    name: str
    step: str | None = None
    url: str | None = None
    id: str | None = field(default=None, compare=False)
    step_began: datetime | None = field(default=None, compare=False)
    step_ended: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class FailureLog:
    """The lines of a failed job's log that say why; the last is the error. Untrusted text, without markup."""

    job: FailedJob
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Workflow:
    """The newest run of one workflow of a build. `attempt` counts from 1; a restart keeps the run's id.

    `commit` is the run's own if it is not the build's: the workflow did not run for that one. `failed_jobs` are
    known once the service was asked for details. `trigger` is what began the run, in the service's word, if that was
    no push and no pull request. `can_rerun` is False if the service, or common sense, allows no re-run. `waits_for`
    names the environments that wait for an approval, if the service was asked.
    """

    run_id: str
    name: str
    status: Status
    status_word: str
    attempt: int = 1
    started_at: datetime | None = None
    finished_at: datetime | None = None
    url: str | None = None
    commit: str | None = None
    failed_jobs: tuple[FailedJob, ...] = ()
    trigger: str | None = None
    can_rerun: bool = True
    waits_for: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """Its name, with its commit if that differs from the build's: `Nightly (runs on 8b3e2f2)`."""
        return self.name if self.commit is None else f"{self.name} (runs on {self.commit[:7]})"

    @property
    def has_ended(self) -> bool:
        """As `Build.has_ended`."""
        return self.finished_at is not None if self.status is Status.UNKNOWN else not self.status.is_under_way


@dataclass(frozen=True, slots=True)
class Build:
    """One build as the CI service last showed it. Fields from `branch` on may be None.

    If a service runs several workflows for a commit, they are one build: `workflows` holds them, and `status` and
    `status_word` are the worst one's. Other services have no workflows. `earlier` is how earlier attempts of the commit
    ended, the oldest first; it needs `with_details`.

    `beside` are runs of the branch that do not count for its status, such as a nightly. `newest_commit` is the branch's
    newest commit if it has no runs. `asks_first`: no run that a push started counts, so a typed restart needs
    confirmation. `is_tag`: `branch` is the name of a tag. `pull_request` is the number of the pull request in the runs.
    `made_by` is None if no push began the build, such as a nightly one.
    """

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
    workflows: tuple[Workflow, ...] = ()
    earlier: tuple[Status, ...] = ()
    beside: tuple[Workflow, ...] = ()
    newest_commit: str | None = None
    asks_first: bool = False
    is_tag: bool = False
    pull_request: int | None = None
    made_by: CommitAuthor | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether the build, or one of its workflows, certainly waits or runs.

        The status decides, not the times.
        """
        if self.workflows:
            return any(workflow.status.is_under_way for workflow in self.workflows)
        return self.status.is_under_way

    @property
    def is_on_default_branch(self) -> bool:
        """Whether it certainly is: not every service tells the default branch."""
        return self.branch is not None and self.branch == self.project.default_branch

    @property
    def has_ended(self) -> bool:
        """Whether the build is certainly over. With an unknown status it is if it has an end time."""
        if self.workflows:
            return all(workflow.has_ended for workflow in self.workflows)
        if self.status is Status.UNKNOWN:
            return self.finished_at is not None
        return not self.status.is_under_way

    @property
    def can_be_restarted(self) -> bool:
        """Whether it has ended, or a workflow that ran for its commit has ended and failed."""
        return self.has_ended or any(
            run.has_ended and run.status.is_bad and run.commit is None for run in self.workflows
        )

    @property
    def reruns(self) -> int:
        """How often its workflows were restarted in total, by the bot or elsewhere; 0 if the service does not count."""
        return sum(run.attempt - 1 for run in self.workflows)

    def run_again_since(self, earlier: Run) -> tuple[Workflow, ...]:
        """Its workflows that are in a later attempt than in `earlier`."""
        before = _counted(earlier.attempts)
        return tuple(run for run in self.workflows if run.attempt > before.get(run.run_id, run.attempt))

    def is_named(self, id_: str | None) -> bool:
        """Whether the id is the build's own or that of a workflow's run of it: pages are of either."""
        return id_ is not None and (id_ == self.id or any(run.run_id == id_ for run in (*self.workflows, *self.beside)))

    def is_on(self, page: Page) -> bool:
        """Whether the page shows this build, or its commit."""
        if page.build_id is not None:
            return self.is_named(page.build_id)
        return self.commit is not None and page.commit is not None and self.commit.startswith(page.commit)

    def only(self, run_id: str) -> Build:
        """This one of its runs as a build of its own, under the run's id. The run must be one of the build's."""
        run = next(run for run in (*self.workflows, *self.beside) if run.run_id == run_id)
        return replace(
            self,
            id=run_id,
            status=run.status,
            status_word=run.status_word,
            commit=run.commit or self.commit,
            message=None if run.commit else self.message,
            author=None if run.commit else self.author,
            made_by=None if run.commit else self.made_by,
            started_at=run.started_at,
            finished_at=run.finished_at,
            url=run.url,
            commit_url=None if run.commit else self.commit_url,
            workflows=(replace(run, commit=None),),
            earlier=(),
            beside=(),
            newest_commit=None,
        )

    @property
    def took(self) -> timedelta | None:
        """The time from start to end; None unless both are known and in order."""
        if not self.has_ended or self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at if self.finished_at >= self.started_at else None

    @property
    def run(self) -> Run:
        attempts = " ".join(f"{run.run_id}.{run.attempt}" for run in self.workflows)
        return Run(self.status_word, self.started_at, self.finished_at, attempts)


@dataclass(frozen=True, slots=True)
class Run:
    """Identifies one run of a build: a service may run a build again under the same id.

    `attempts` holds the attempt of each workflow's run, `101.1 102.3`; empty if the service does not count.
    """

    status_word: str
    started_at: datetime | None
    finished_at: datetime | None
    attempts: str = ""

    def has_been_attempted_since(self, earlier: Run) -> bool | None:
        """Whether a workflow in `earlier` has a later attempt now; None if the service does not count attempts."""
        if not (self.attempts and earlier.attempts):
            return None
        before = _counted(earlier.attempts)
        return any(attempt > before.get(run_id, attempt) for run_id, attempt in _counted(self.attempts).items())

    def is_another_than(self, earlier: Run) -> bool:
        """Whether this is a later run than `earlier`, as far as their fields show."""
        attempted = self.has_been_attempted_since(earlier)
        return self != earlier if attempted is None else attempted


def _counted(attempts: str) -> dict[str, int]:
    pairs = (pair.rpartition(".") for pair in attempts.split())
    return {run_id: int(attempt) for run_id, _, attempt in pairs}


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What a service did on a restart or a cancel. `build_id` is the build that runs now, often the same.

    Names of workflows: `done`, `left` alone because they run, `refused` with the service's reason. All are empty for a
    service without workflows.
    """

    build_id: str
    done: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """What a pasted page of a CI service names: a project by its id or by its name, and what it shows of it.

    That is a build (or a workflow's run), a branch, a commit (whole or its beginning), or a pull request's number.
    `is_unclear`: it shows something of the project that the URL does not say.
    """

    project_id: str | None = None
    name: str | None = None
    build_id: str | None = None
    branch: str | None = None
    commit: str | None = None
    pull_request: int | None = None
    is_unclear: bool = False


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, by Slack user id. Names are never stored: Slack shows the current one for an id."""

    id: str


@dataclass(frozen=True, slots=True)
class Location:
    """A place in Slack: a channel, or a thread in it."""

    channel: str
    thread: str | None = None

    @property
    def is_between_two(self) -> bool:
        """Whether it is a direct message, to which the bot cannot be invited."""
        return self.channel.startswith("D")


@dataclass(frozen=True, slots=True)
class BuildRef:
    """What a button refers to: a build and the run that was shown, or a branch of a project.

    `reruns` is `Build.reruns` as it was shown, if the service counts attempts.
    """

    service: str
    project_id: str
    branch: str | None = None
    build_id: str | None = None
    run_number: int | None = None
    started_at: datetime | None = None
    reruns: int | None = None


def find_build(builds: Sequence[Build], id_: str) -> Build | None:
    """The build with that id, or the run with that id as a build of its own; None if neither is there.

    Of several builds that have the run, the one whose commit it ran for.
    """
    having = [build for build in builds if build.is_named(id_)]
    whole = next((build for build in having if build.id == id_), None)
    if whole is not None or not having:
        return whole
    own = (build for build in having if any(run.run_id == id_ and run.commit is None for run in build.workflows))
    return next(own, having[0]).only(id_)


def branches_of(builds: Sequence[Build]) -> tuple[str, ...]:
    """Each branch once: the default branch, then in the order of the newest build. Tags do not count, nor builds
    without a branch.
    """
    return tuple(build.branch for build in newest_of_each(builds) if build.branch and not build.is_tag)


def newest_of_each(builds: Sequence[Build]) -> tuple[Build, ...]:
    """The first build of each branch, and of those without one: the default branch's, then the newest.

    `builds` must be newest first.
    """
    newest: dict[str | None, Build] = {}
    for build in builds:
        newest.setdefault(build.branch, build)
    return tuple(sorted(newest.values(), key=lambda build: not build.is_on_default_branch))

"""What came of an ask that went well: one value a kind, drawn by whoever shows it. What goes wrong is in `errors`."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.model.audit import AuditEntry
from bot.core.model.builds import ActionResult, Build, Project
from bot.core.model.claims import NO_RESTART, Claim, RestartState
from bot.core.model.errors import CIError


@dataclass(frozen=True, slots=True)
class BuildShown:
    """One build, and how it stands with regard to restarts; `ago_s` belongs to `standing.claim`."""

    build: Build
    restart_state: RestartState = NO_RESTART
    ago_s: float | None = None


@dataclass(frozen=True, slots=True)
class BranchesShown:
    """The newest build of each branch with recent builds, the newest first."""

    project: Project
    builds: tuple[Build, ...]


@dataclass(frozen=True, slots=True)
class BuildsShown:
    """The last builds of a branch (of all branches where `branch` is None), newest first, ten at most."""

    project: Project
    branch: str | None
    builds: tuple[Build, ...]


@dataclass(frozen=True, slots=True)
class NoBuilds:
    """The repository is known and has never been built."""

    project: Project


@dataclass(frozen=True, slots=True)
class ProjectsShown:
    """One page of the repositories that match `words`. `page` counts from 1. `total` is over all pages.

    `stale` says which services' lists could not be read anew, and how many seconds old the one is that stands here
    (None: there is none). `with_services`: there are several, so that each repository's is worth saying.
    """

    words: str
    projects: tuple[Project, ...]
    page: int
    pages: int
    total: int
    stale: tuple[tuple[CIError, float | None], ...] = ()
    with_services: bool = False


@dataclass(frozen=True, slots=True)
class AuditShown:
    """The last actions on `project`, or on all where it is None, the newest first."""

    project: Project | None
    entries: tuple[AuditEntry, ...]


@dataclass(frozen=True, slots=True)
class HelpShown:
    """What can be said; `topic` names one command, None means all."""

    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Followed:
    """A build that runs is followed from now on; `run_number` is the run it is in."""

    build: Build
    run_number: int


@dataclass(frozen=True, slots=True)
class NothingToFollow:
    """The build has ended already, and is shown instead."""

    build: Build
    restart_state: RestartState = NO_RESTART


@dataclass(frozen=True, slots=True)
class Restarted:
    """Taken. `seen` says that no answer came to the request and the build was found running afterwards.

    `taken` is what the service did of it, where it said so to this ask.
    """

    build: Build
    claim: Claim
    seen: bool = False
    taken: ActionResult | None = None


@dataclass(frozen=True, slots=True)
class AlreadyRestarted:
    """Somebody's claim on the same run stands: nothing was sent. `ago_s`: seconds since they asked.

    `claim.state` tells more: taken; claimed or sent, where CodeShip's answer has not come yet.
    `build` is as the CI service shows it now.
    """

    build: Build
    claim: Claim
    ago_s: float


@dataclass(frozen=True, slots=True)
class StillRunning:
    """A build that waits or runs is not restarted, and is shown instead."""

    build: Build
    restart_state: RestartState = NO_RESTART


@dataclass(frozen=True, slots=True)
class RunAgainSince:
    """The button belongs to an earlier run; the build has run again since, and is shown as it is now.

    Where a restart of the bot's brought the new run about, it is `standing.previous`, `ago_s` seconds ago.
    """

    build: Build
    restart_state: RestartState = NO_RESTART
    ago_s: float | None = None


@dataclass(frozen=True, slots=True)
class StateNotKnown:
    """The service's word for the state says neither running nor ended, so nothing was sent."""

    build: Build


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The service has accepted to cancel the build, and ends it within moments."""

    build: Build
    taken: ActionResult


@dataclass(frozen=True, slots=True)
class NothingToCancel:
    """The build has ended already, and is shown instead."""

    build: Build
    restart_state: RestartState = NO_RESTART


@dataclass(frozen=True, slots=True)
class CouldNotTell:
    """The restart went out (by `claim.actor`, `ago_s` seconds ago) and nobody knows whether it took.

    `shown` is the build as it was before. `found` is what looking afterwards showed, the earlier run unchanged;
    None where looking failed too, because of `looked`.
    """

    claim: Claim
    shown: Build
    ago_s: float
    found: Build | None = None
    looked: CIError | None = None


Outcome = (
    BuildShown
    | BranchesShown
    | BuildsShown
    | NoBuilds
    | ProjectsShown
    | HelpShown
    | AuditShown
    | Followed
    | NothingToFollow
    | Restarted
    | Cancelled
    | NothingToCancel
    | AlreadyRestarted
    | StillRunning
    | RunAgainSince
    | StateNotKnown
    | CouldNotTell
)

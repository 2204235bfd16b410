"""The state of a watched branch, and what changed in it. Values: `core.notifications.transitions` has the rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.model.builds import Actor, Build, Project
from bot.core.model.notifications.reasons import Reason


class Change(StrEnum):
    """What a poll of a branch has shown, or a person has said. The last five are about single builds only."""

    BROKE = "broke"
    """It was good, and is bad."""
    FAILING = "failing"
    """It was good, and a job of a run that is still under way has failed."""
    PASSED_AFTER_ALL = "passed after all"
    """That run has ended without breaking the branch."""
    JOINED = "joined"
    """It was bad, and another workflow has broken since."""
    STILL = "still"
    """It was bad, and a new commit has failed, too."""
    FAILED_AGAIN = "failed again"
    """It was bad, and a restart of the same commit has failed, too."""
    EASED = "eased"
    """One of its workflows is good again, another is still bad."""
    ON_IT = "on it"
    """It is bad, and a person has said that they take care of it, or no longer do."""
    REMINDED = "reminded"
    """It is bad, and was a day ago."""
    FIXED = "fixed"
    FLAKY = "flaky"
    """It is good again: the commit that had failed has passed."""
    RETIRED = "retired"
    """It is good again: the workflow that had failed no longer runs."""
    GONE = "gone"
    """It was bad, and no longer exists."""
    STARTED = "started"
    PASSED = "passed"
    FAILED = "failed"
    STOPPED = "stopped"
    INFRA = "infra"
    """A build ended with an infrastructure failure."""


BEFORE_A_PERIOD = frozenset({Change.FAILING, Change.PASSED_AFTER_ALL})
ENDS_A_PERIOD = frozenset({Change.FIXED, Change.FLAKY, Change.RETIRED, Change.GONE})
WITHIN_A_PERIOD = frozenset(
    {Change.JOINED, Change.STILL, Change.FAILED_AGAIN, Change.EASED, Change.ON_IT, Change.REMINDED}
)
OF_A_PERIOD = ENDS_A_PERIOD | WITHIN_A_PERIOD | BEFORE_A_PERIOD | {Change.BROKE}


@dataclass(frozen=True, slots=True)
class Suspect:
    """A build since the last good one that may have broken the branch. Its author is the CI service's name."""

    build_id: str
    commit: str | None
    author: str | None


@dataclass(frozen=True, slots=True)
class GoodBuild:
    """The last build that passed. `number` is that of its run."""

    number: int
    build_id: str
    commit: str | None
    url: str | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class WorkflowState:
    """How the newest counted run of one workflow ended. `name` is empty if the service has no workflows.

    `number`, `attempt`, `status_word`, `started_at` and `finished_at` tell that run from an earlier or later one.
    `in_a_row` counts the commits that failed since the last good one.
    """

    name: str
    number: int
    attempt: int
    status_word: str
    started_at: datetime | None
    finished_at: datetime | None
    commit: str | None
    is_bad: bool
    in_a_row: int = 0
    last_good: GoodBuild | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """The person who takes care of a broken branch."""

    person: Actor
    since: datetime


@dataclass(frozen=True, slots=True)
class Period:
    """The time from the build that broke a branch to the one that fixes it. `id` is unique within the branch.

    `owner_changes` counts what people changed. `mentions` is the author, if they want to be named in channels.
    `not_mine` are the user ids of those who said that the failure is not theirs.
    """

    id: str
    since: datetime
    broken_by: Build
    suspects: tuple[Suspect, ...] = ()
    owner: Owner | None = None
    owner_changes: int = 0
    mentions: Actor | None = None
    not_mine: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BranchState:
    """What is known of a branch. `seen_to` is the highest number of a run that was seen on it.

    `under_way` are the workflow and number of each run that was not over at the last poll. `failing` is the period that
    begins if the branch breaks now: a job of a run has failed.
    """

    workflows: tuple[WorkflowState, ...] = ()
    under_way: tuple[tuple[str, int], ...] = ()
    seen_to: int = 0
    period: Period | None = None
    failing: Period | None = None

    @property
    def is_bad(self) -> bool:
        return any(workflow.is_bad for workflow in self.workflows)


@dataclass(frozen=True, slots=True)
class Transition:
    """One change. `build` is the build that shows it. `period` is the broken period that it begins, continues or ends.

    `workflows` names those that changed; empty if the service has none. `failing` are those that are bad now.
    """

    change: Change
    build: Build
    period: Period | None = None
    workflows: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    in_a_row: int = 0
    last_good: GoodBuild | None = None

    @property
    def run_key(self) -> str:
        """Tells this change from every other of its kind and branch: the build, and which of its runs."""
        ended = self.build.finished_at or self.build.started_at
        return f"{self.build.id}.{self.build.reruns}.{ended.timestamp() if ended else self.build.status_word}"


@dataclass(frozen=True, slots=True)
class Note:
    """Why one run of a build was no news. `detail` as in `Decision`."""

    build_id: str
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """The result of a poll: the state after it, what changed, and why other runs were no news."""

    state: BranchState
    transitions: tuple[Transition, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnerChanged:
    """Who is on it, for a broken branch: `owner` now, None for no one; `before` until now."""

    project: Project
    branch: str
    owner: Owner | None
    before: Owner | None


@dataclass(frozen=True, slots=True)
class NotBroken:
    """Nothing changed: `branch` is not broken, or none is, as far as channels were told.

    `is_old`: the button was about an earlier failure of the branch, which has failed again since.
    """

    project: Project
    branch: str | None
    is_old: bool = False

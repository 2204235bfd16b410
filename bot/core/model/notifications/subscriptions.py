"""Subscriptions: which channel hears of which builds, and for how long it is muted. Values and matching; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum

from bot.core.model.builds import Actor
from bot.core.model.names.name_patterns import ANY_NAME, NamePattern, fits_pattern

USUAL_DEFAULT_BRANCHES = ("main", "master")
"""Taken for the default branch if the CI service does not name it."""
MAX_REMEMBERED_NAMES = 5_000
MAX_MENTIONS = 5
PAUSED_BY_PERSON = "by_person"
"""Why a subscription is paused if a person paused it: what happens meanwhile is not held back."""


class Event(StrEnum):
    """What a channel can hear of, in people's words."""

    BROKE = "broke"
    FIXED = "fixed"
    STILL = "still"
    FAILED = "failed"
    PASSED = "passed"
    STARTED = "started"
    STOPPED = "stopped"
    INFRA = "infra"
    EARLY = "early"


DEFAULT_EVENTS = frozenset({Event.BROKE, Event.FIXED})


class Replies(StrEnum):
    """Which replies in the thread of a message the channel shows, too: all, or none. Without it: the fix alone."""

    CHANNEL = "channel"
    THREAD = "thread"


class Origin(StrEnum):
    """Where a subscription was made. One of the file can only be changed there."""

    SLACK = "slack"
    FILE = "file"


class Mismatch(Enum):
    """Why a subscription does not match a build."""

    REPOSITORY = "repository"
    BRANCH = "branch"
    WORKFLOW = "workflow"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which builds and events, and how they are told. `service` None: of any service. `repositories` match in any case.

    Without `branches`: the default branch. Without `workflows`: all. `still_every`: after how many more failed commits
    *still* speaks; None for its usual steps. `remind_off`: it does not speak once a day. `flaky_quiet`: a failure that
    soon passes on retry is not posted. `mentions`: ids of people and user groups whom the
    message that a branch broke mentions.
    """

    repositories: NamePattern
    service: str | None = None
    branches: NamePattern = ANY_NAME
    events: frozenset[Event] = DEFAULT_EVENTS
    workflows: NamePattern = ANY_NAME
    still_every: int | None = None
    mentions: tuple[str, ...] = ()
    replies: Replies | None = None
    flaky_quiet: bool = False
    remind_off: bool = False

    def mismatch(
        self,
        service: str,
        repository: str,
        branch: str | None,
        default_branch: str | None,
        workflow: Sequence[str] = (),
    ) -> Mismatch | None:
        """The first reason for which a build does not match; None if it matches.

        `default_branch` is None if the service does not name it. `workflow`: one workflow's name and its file's, empty
        if the service has no workflows.
        """
        if not self.has_repository(service, repository):
            return Mismatch.REPOSITORY
        return self.mismatch_within(branch, default_branch, workflow)

    def has_repository(self, service: str, repository: str) -> bool:
        """Whether the repository matches, whatever the branch."""
        return self.service in (None, service) and self.repositories.matches(repository, any_case=True)

    def mismatch_within(
        self, branch: str | None, default_branch: str | None, workflow: Sequence[str] = ()
    ) -> Mismatch | None:
        """As `mismatch`, for a build of a repository that matches."""
        if not self._has_branch(branch, default_branch):
            return Mismatch.BRANCH
        return None if self._has_workflow(workflow) else Mismatch.WORKFLOW

    def _has_branch(self, branch: str | None, default_branch: str | None) -> bool:
        if self.branches.patterns:
            return self.branches.matches(branch)
        is_default = branch == default_branch if default_branch else branch in USUAL_DEFAULT_BRANCHES
        return is_default and self.branches.matches(branch)

    def _has_workflow(self, names: Sequence[str]) -> bool:
        if not self.workflows:
            return True
        meant = NamePattern(self.workflows.patterns)
        out = NamePattern(self.workflows.exceptions) if self.workflows.exceptions else None
        if meant.patterns and not any(meant.matches(name, any_case=True) for name in names):
            return False
        return out is None or not any(out.matches(name, any_case=True) for name in names)


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one channel wants to hear. `id` is 0 until it is stored.

    `maker` and `created_at` are None for one of the file. `paused`: Slack's error for which nothing is sent now, such
    as `not_in_channel`, or `PAUSED_BY_PERSON`; None if it is active.
    """

    channel: str
    filters: Filters
    maker: Actor | None = None
    created_at: datetime | None = None
    origin: Origin = Origin.SLACK
    paused: str | None = None
    id: int = 0

    @property
    def is_active(self) -> bool:
        return self.paused is None

    def matches(
        self,
        service: str,
        repository: str,
        branch: str | None,
        default_branch: str | None,
        workflow: Sequence[str] = (),
    ) -> bool:
        """Whether a build is one that the channel wants to hear of. Parameters as for `Filters.mismatch`."""
        return self.filters.mismatch(service, repository, branch, default_branch, workflow) is None

    def wants(self, event: Event) -> bool:
        return event in self.filters.events


@dataclass(frozen=True, slots=True)
class Mute:
    """The channel hears nothing until then, of repositories that match or of all if `repositories` is None."""

    channel: str
    until: datetime
    maker: Actor
    made_at: datetime
    repositories: NamePattern | None = None
    id: int = 0

    def covers(self, repository: str, at: datetime) -> bool:
        """Whether the repository is muted at that time."""
        return at < self.until and self.is_about(repository)

    def is_about(self, repository: str) -> bool:
        return self.repositories is None or self.repositories.matches(repository, any_case=True)


class SubscriptionIndex:
    """Finds the subscriptions for a repository among many. Not changed once made; thread-safe.

    Names without `*` are looked up; each other pattern is compared once per repository, and the result is remembered.
    """

    def __init__(self, subscriptions: Iterable[Subscription]) -> None:
        self._exact: dict[str, list[Subscription]] = {}
        self._globs: dict[str, list[Subscription]] = {}
        for subscription in subscriptions:
            for pattern in subscription.filters.repositories.patterns or ("*",):
                found = self._globs if "*" in pattern else self._exact
                found.setdefault(pattern.lower(), []).append(subscription)
        self._remembered: dict[tuple[str, str], tuple[Subscription, ...]] = {}

    def of_repository(self, service: str, repository: str) -> tuple[Subscription, ...]:
        """The subscriptions of that repository, by id, active or paused, each once, whatever the branch."""
        name = repository.lower()
        key = (service, name)
        known = self._remembered.get(key)
        if known is None:
            known = self._find(service, name)
            if len(self._remembered) < MAX_REMEMBERED_NAMES:
                self._remembered[key] = known
        return known

    def _find(self, service: str, name: str) -> tuple[Subscription, ...]:
        having = list(self._exact.get(name, ()))
        for pattern, subscriptions in self._globs.items():
            if fits_pattern(pattern, name):
                having += subscriptions
        found = {
            each.id: each
            for each in having
            if each.filters.service in (None, service) and not _is_excepted(each.filters.repositories, name)
        }
        return tuple(found[id_] for id_ in sorted(found))


def _is_excepted(pattern: NamePattern, name: str) -> bool:
    return any(fits_pattern(exception.lower(), name) for exception in pattern.exceptions)

"""Compares a poll of a project with its stored state. Fetches what a list leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.model.builds import Build, Project
from bot.core.model.errors import CIError
from bot.core.model.notifications.deliveries import Delivery, WatchedProject
from bot.core.model.notifications.reasons import Decision, SeenBy
from bot.core.model.notifications.subscriptions import USUAL_DEFAULT_BRANCHES
from bot.core.model.notifications.transitions import BranchState, Observation
from bot.core.notifications.recipients import Audience, decide_deliveries, notes
from bot.core.notifications.transitions import highest, lowest, missing, observe
from bot.core.people.authors import Authors

Fetch = Callable[[Project, str], list[Build]]
"""The builds of one branch, newest first. Raises CIError."""


@dataclass(frozen=True, slots=True)
class ProjectPoll:
    """One project as the service showed it, newest build first, in answer to a request that began at `began_at`."""

    project: Project
    builds: Sequence[Build]
    began_at: datetime
    audience: Audience
    seen_by: SeenBy

    @property
    def fingerprint(self) -> object:
        """Equal if another poll would change nothing."""
        shape = frozenset((build.id, build.run, _failing(build)) for build in self.builds)
        return (shape, tuple(self.audience.subscriptions))

    def is_default(self, branch: str) -> bool:
        named = self.project.default_branch
        return branch == named if named else branch in USUAL_DEFAULT_BRANCHES


@dataclass(frozen=True, slots=True)
class Compared:
    """The project's next state, and what follows from it.

    `is_whole`: all its branches were compared. Else the others are as before, because of `failure` if that is set.
    """

    after: WatchedProject
    deliveries: Sequence[Delivery]
    decisions: Sequence[Decision]
    is_whole: bool = True
    failure: CIError | None = None


class Comparison:
    """Compares a poll with what was stored. Call `run` once.

    If builds may have come and gone, each branch is fetched, the default one first. `caught_up` holds for each branch
    that was fetched so the highest build number that was listed then; a later poll continues from there.
    """

    def __init__(
        self, before: WatchedProject, poll: ProjectPoll, fetch: Fetch, caught_up: dict[str, int], authors: Authors
    ) -> None:
        self._before = before
        self._poll = poll
        self._fetch = fetch
        self._caught_up = caught_up
        self._authors = authors
        self._known = dict(before.branches)
        self._listed: dict[str, list[Build]] = {}
        for build in poll.builds:
            if build.branch and not build.is_tag:
                self._listed.setdefault(build.branch, []).append(build)
        self._deliveries: list[Delivery] = []
        self._decisions: list[Decision] = []

    def run(self, *, only_default: bool = False) -> Compared:
        """With `only_default`, no other branch is fetched because builds may have come and gone."""
        poll, before = self._poll, self._before
        heard = [name for name in dict.fromkeys((*self._known, *self._listed)) if poll.audience.hears_branch(name)]
        states = {name: self._known[name] for name in heard if name in self._known}
        is_whole, failure = True, None
        for branch in sorted(heard, key=lambda name: not poll.is_default(name)):
            if only_default and self._has_gap(branch) and not poll.is_default(branch):
                is_whole = False
                break
            try:
                state = self._branch(branch)
            except CIError as error:
                is_whole, failure = False, error
                break
            if state is not None:
                states[branch] = state
        seen_to = max(before.seen_to, highest(poll.builds)) if is_whole else before.seen_to
        branches = tuple((name, states[name]) for name in heard if name in states)
        after = WatchedProject(before.service, before.project_id, poll.began_at, seen_to, branches)
        return Compared(after, self._deliveries, self._decisions, is_whole, failure)

    def _branch(self, branch: str) -> BranchState | None:
        """The branch's next state; None if it has none. Raises CIError."""
        poll = self._poll
        state, builds = self._known.get(branch), self._listed.get(branch, [])
        if state is None:
            first, builds = self._baseline(branch, builds)
            if first is not None:
                state = first.state
                self._decisions += notes(first, builds, poll.began_at, poll.seen_by)
        elif self._has_gap(branch):
            builds = self._fetch(poll.project, branch)
            self._caught_up[branch] = highest(poll.builds)
        elif missing(state, builds):
            builds = self._fetch(poll.project, branch)
        observation, author = self._authors.named(observe(state, builds, poll.began_at))
        result = decide_deliveries(observation, poll.audience, poll.began_at, poll.seen_by)
        result = self._authors.added_to(result, observation, author, poll.began_at, poll.seen_by, poll.audience.mutes)
        self._deliveries += result.deliveries
        self._decisions += [*notes(observation, builds, poll.began_at, poll.seen_by), *result.decisions]
        return observation.state

    def _has_gap(self, branch: str) -> bool:
        """Whether every build that is listed is newer than all that were seen: others may have come and gone."""
        seen_to = max(self._before.seen_to, self._caught_up.get(branch, 0))
        return branch in self._known and self._before.version > 0 and lowest(self._poll.builds) > seen_to > 0

    def _baseline(self, branch: str, builds: list[Build]) -> tuple[Observation | None, list[Build]]:
        """A branch that is seen for the first time, as it was when a channel began to listen; None without builds.

        What ended later is news. The branch is fetched if the list shows it only from then on.
        """
        poll = self._poll
        since = poll.audience.since(branch)
        if since is None:
            return None, builds
        if not _ended_by(since, builds):
            builds = self._fetch(poll.project, branch)
        before = _ended_by(since, builds)
        return (observe(None, before, poll.began_at) if before else None), builds


def has_unlisted(project: WatchedProject, builds: Iterable[Build]) -> bool:
    """Whether a build that was running at the last poll is not among these."""
    listed = list(builds)
    return any(missing(state, [b for b in listed if b.branch == branch]) for branch, state in project.branches)


def _ended_by(moment: datetime, builds: Iterable[Build]) -> list[Build]:
    return [build for build in builds if build.finished_at is not None and build.finished_at <= moment]


def _failing(build: Build) -> int:
    """How many of its jobs have failed so far, if it still runs."""
    return sum(len(run.failed_jobs) for run in build.workflows if not run.has_ended)

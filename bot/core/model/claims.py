"""The states of a restart: a claim on the run that it replaces, stored before the request is sent. Pure.

    claimed ──▶ sent ──▶ taken ──▶ ended          the next run is a new claim
       │          ├────▶ refused                  free at once
       │          ├────▶ not sent                 free at once
       │          └────▶ unknown ──▶ taken        a fetch showed that it runs, or has run
       └───────────────▶ not sent                 the process died before it sent the request
                         unknown ──▶ sent         only if a person presses the button: never free again, since the
                                                  restart before it may have been taken

A claim's key is the service, the build and the number of its run, as the bot counts them. A service may run a build
again under the same id, and both times of a run may be null.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from bot.core.model.actions.values import PostRecord, PostState
from bot.core.model.builds import Actor, Build, Location, Run

LOST_AFTER = timedelta(seconds=60)
"""Longer than any restart takes from claim to response. After this, the process that made the claim is gone."""

SET_BACK = timedelta(seconds=30)
"""A fetch that seems this much older than what it is compared with: the clock was set back, as no fetch
takes so long.
"""

UNCHANGED_AFTER = timedelta(minutes=2)
"""A taken restart whose build has not changed for this long has ended without being seen.

CodeShip's list is seconds behind, not minutes, and a build without times may look the same before and after.
"""


class ClaimState(Enum):
    CLAIMED = "claimed"
    SENT = "sent"
    TAKEN = "taken"
    REFUSED = "refused"
    NOT_SENT = "not sent"
    UNKNOWN = "unknown"
    ENDED = "ended"

    @property
    def is_free(self) -> bool:
        """Whether the same run may be claimed again by any request."""
        return self in (ClaimState.REFUSED, ClaimState.NOT_SENT)


class ClaimKind(Enum):
    RESTART = "restart"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Claim:
    """One restart or cancel. `posts` are what it sends; `left` names the workflows that it leaves alone.

    `attempt` counts how often this run was claimed, and with `id` says which claim is meant.

    `key` identifies a durable request, so that after a crash the repeated request finds its claim. `failed_jobs_only`:
    only the failed jobs of the build's workflows were requested.
    """

    service: str
    project_id: str
    build_id: str
    run_number: int
    actor: Actor
    location: Location
    replaced: Run
    requested_at: datetime
    id: int = 0
    attempt: int = 1
    state: ClaimState = ClaimState.CLAIMED
    changed_at: datetime | None = None
    seen_running: bool = False
    new_build_id: str | None = None
    key: str = ""
    failed_jobs_only: bool = False
    kind: ClaimKind = ClaimKind.RESTART
    posts: tuple[PostRecord, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def debug_logs(self) -> bool:
        """Whether the re-runs were asked for with debug logs."""
        return any(post.target.debug_logs for post in self.posts)

    def age_s(self, now: datetime) -> float:
        """Seconds since it was requested, never negative."""
        return max(0.0, (now - self.requested_at).total_seconds())


@dataclass(frozen=True, slots=True)
class RestartState:
    """A build's restarts: the number of its run, and the claim on that run, or None.

    `previous` is the ended claim whose restart started this run.
    """

    run_number: int = 1
    claim: Claim | None = None
    previous: Claim | None = None

    def run_under_way(self, build: Build) -> int:
        """The number of the run that `build` is in, or will be in once the restart shows."""
        claim = self.claim
        comes_back = claim is not None and claim.build_id == build.id and claim.new_build_id in (None, build.id)
        return self.run_number + 1 if comes_back else self.run_number

    def is_restarted(self, build: Build) -> bool:
        """Whether a restart was accepted whose run the service may not show yet."""
        is_taken = self.claim is not None and self.claim.state is ClaimState.TAKEN
        return is_taken and self.run_under_way(build) != self.run_number


NO_RESTART = RestartState()


def restart_state_of(claim: Claim | None, build: Build) -> RestartState:
    """The state for the build's newest claim. After an ended claim the build is in its next run."""
    if claim is None:
        return NO_RESTART
    if claim.build_id != build.id:  # the restart got an id of its own: this build is the new run
        return RestartState(previous=claim) if build.has_ended else RestartState(claim=claim)
    if claim.state is ClaimState.ENDED:
        return RestartState(claim.run_number + 1, previous=claim)
    return RestartState(claim.run_number, None if claim.state.is_free else claim)


def after_look(claim: Claim, build: Build, seen_at: datetime) -> Claim:
    """`claim` after a fetch that began at `seen_at` and showed `build`; the same value if nothing changed.

    The fetched data may be older than the fetch: CodeShip's list can show the replaced run after a restart began.
    """
    age = seen_at - claim.requested_at
    was_set_back = age < -SET_BACK
    if was_set_back:  # the claim's age is unknown: treat it as lost
        age = LOST_AFTER + timedelta(seconds=1)
    if claim.state is ClaimState.CLAIMED and age > LOST_AFTER:
        return replace(claim, state=ClaimState.NOT_SENT, changed_at=seen_at)
    if claim.state is ClaimState.SENT and age > LOST_AFTER:
        claim = replace(claim, state=ClaimState.UNKNOWN, changed_at=seen_at)
    # If the restart got its own id, this build stays in its old run for good.
    if claim.state not in (ClaimState.TAKEN, ClaimState.UNKNOWN) or claim.new_build_id not in (None, build.id):
        return claim
    if claim.changed_at is not None and claim.changed_at - SET_BACK <= seen_at < claim.changed_at:
        return claim  # the fetch began before the restart was answered, so it shows the run before
    if build.run.has_been_attempted_since(claim.replaced) is False and not _unchanged_long(claim, build, age):
        return claim  # attempts are counted and this is still the same one, so anything that runs ran before
    again = build.run_again_since(claim.replaced)
    if again and all(run.has_ended for run in again):  # the restart is over, even if other workflows still run
        return replace(claim, state=ClaimState.ENDED, changed_at=seen_at)
    if build.is_under_way:
        known = claim.state is ClaimState.TAKEN and claim.seen_running
        return claim if known else replace(claim, state=ClaimState.TAKEN, seen_running=True, changed_at=seen_at)
    if not build.has_ended:
        return claim
    # A run that ended before the request is not the new one, even if an outdated or inconsistent list says so.
    is_earlier = build.finished_at is not None and build.finished_at < claim.requested_at
    if was_set_back:  # the request's time says nothing: only the replaced run itself is known to be earlier
        is_earlier = not build.run.is_another_than(claim.replaced)
    if _unchanged_long(claim, build, age) or (
        not is_earlier and (claim.seen_running or build.run.is_another_than(claim.replaced))
    ):
        return replace(claim, state=ClaimState.ENDED, changed_at=seen_at)
    return claim


def state_of(posts: Sequence[PostRecord]) -> ClaimState:
    """The state of a claim once its POSTs have these results."""
    states = {post.state for post in posts}
    if PostState.ACCEPTED in states:
        return ClaimState.TAKEN
    if states & {PostState.UNKNOWN, PostState.SENT}:
        return ClaimState.UNKNOWN
    return ClaimState.REFUSED if PostState.REFUSED in states else ClaimState.NOT_SENT


def holds_up_a_cancel(claim: Claim, build: Build, now: datetime) -> bool:
    """Whether `claim`, a cancel, makes another one of `build` as it runs now needless."""
    if claim.replaced != build.run:
        return False
    age = abs(now - claim.requested_at)
    if claim.state in (ClaimState.CLAIMED, ClaimState.SENT):
        return age <= LOST_AFTER
    return claim.state is ClaimState.TAKEN and age <= UNCHANGED_AFTER


def _unchanged_long(claim: Claim, build: Build, age: timedelta) -> bool:
    return claim.state is ClaimState.TAKEN and build.has_ended and age > UNCHANGED_AFTER

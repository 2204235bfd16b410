"""Live messages as values: what is followed, what the message last said, what it should say now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from bot.core.model.builds import Actor, Build, FailureLog, Location, Run, Status
from bot.core.model.claims import Claim
from bot.core.model.errors import BotError, CIError
from bot.core.model.outcomes import (
    AlreadyCancelling,
    AlreadyRestarted,
    BuildShown,
    Cancelled,
    Followed,
    Outcome,
    Restarted,
    StillRunning,
)
from bot.core.model.verdicts import Verdict


class FollowState(Enum):
    """Only open follows are polled."""

    OPEN = "open"
    ENDED = "ended"
    GIVEN_UP = "given up"
    LOST = "lost"


class ReplyState(Enum):
    """The reply in the thread. If it was begun and never confirmed, it is not repeated."""

    NOT_YET = "not yet"
    BEGUN = "begun"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Follow:
    """One live message: `message_ts` in `location` shows run `run_number` of a build.

    `key` is that of its request, so that a repeated request adds no second one. `before` is the run that a restart
    replaced, None if the build was already running; `restarted` says which. `cancelled`: the request cancelled the run.
    `others` are notified at the end as the asker is. `shown` is what the message last said. `version` grows with each
    change, for compare-and-set.
    """

    key: str
    service: str
    project_id: str
    build_id: str
    run_number: int
    branch: str | None
    asker: Actor
    location: Location
    message_ts: str
    began_at: datetime
    restarted: bool = False
    before: Run | None = None
    before_status: Status | None = None
    cancelled: bool = False
    others: tuple[Actor, ...] = ()
    state: FollowState = FollowState.OPEN
    reply: ReplyState = ReplyState.NOT_YET
    shown: str = ""
    shown_at: datetime | None = None
    polled_at: datetime | None = None
    version: int = 1

    @property
    def notified(self) -> tuple[Actor, ...]:
        """Everyone who hears of the end, the asker first."""
        return (self.asker, *self.others)


@dataclass(frozen=True, slots=True)
class LiveRun:
    """What a channel has one live message of. `run_number` is None for the run that the service shows now."""

    channel: str
    service: str
    build_id: str
    run_number: int | None


@dataclass(frozen=True, slots=True)
class PollChain:
    """The polls of a project, one after another: it waits for poll `number`, and last moved `quiet_s` seconds ago.

    `quiet_s` is negative if the clock was set back since.
    """

    service: str
    project_id: str
    number: int
    quiet_s: float


@dataclass(frozen=True, slots=True)
class ToldLog:
    """Why a followed build failed. `to_all`: everyone in the channel may read it, not only the person who asked."""

    log: FailureLog
    to_all: bool


@dataclass(frozen=True, slots=True)
class FollowView:
    """A live message as it should look now.

    `late_s`: seconds since the build was last seen, if that is long, because of `late_because`. `build` is then the
    last known one, with an unknown status if there is none. `overtaken`: another run began before the end of this one
    was seen, by the restart `overtaken_by` if known. `unseen`: the service accepted the restart but still shows the run
    before. `log` is for the reply.
    """

    follow: Follow
    build: Build
    verdict: Verdict | None = None
    late_s: float | None = None
    late_because: CIError | None = None
    overtaken: bool = False
    overtaken_by: Claim | None = None
    unseen: bool = False
    log: ToldLog | None = None


class MessageGone(Exception):
    """The message cannot be changed any more. `str()` is Slack's error code.

    `is_told`: whether to tell the person who asked. False if a person deleted the message.
    """

    def __init__(self, why: str, *, is_told: bool) -> None:
        super().__init__(why)
        self.is_told = is_told


class RetryLater(Exception):
    """Slack could not be reached, or asks to wait. A later poll tries again, after `retry_after_s` if known.

    `may_have_happened`: it is unknown whether Slack did it. `is_everywhere`: the next message would fail, too.
    """

    def __init__(
        self, why: str, *, retry_after_s: float = 0.0, may_have_happened: bool = False, is_everywhere: bool = False
    ) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s
        self.may_have_happened = may_have_happened
        self.is_everywhere = is_everywhere


def run_of(outcome: Outcome | BotError) -> tuple[str, int | None] | None:
    """The id and the run of the build that a reply shows under way, or that its restart starts.

    None for other outcomes. The run is None if it is the one that the service shows now.
    """
    match outcome:
        case Restarted(build, claim) | AlreadyRestarted(build, claim):
            is_new = claim.new_build_id not in (None, claim.build_id)  # `build` may already be the new one
            return (claim.new_build_id or build.id, 1) if is_new else (build.id, claim.run_number + 1)
        case Followed(build, run_number) | Cancelled(build, _, run_number):
            return build.id, run_number
        case StillRunning(build, restart_state):
            return build.id, restart_state.run_under_way(build)
        case BuildShown(build, restart_state) if not build.has_ended or restart_state.is_restarted(build):
            return build.id, restart_state.run_under_way(build)
        case AlreadyCancelling(build):
            return build.id, None
        case _:
            return None


def follow_of(
    actor: Actor, location: Location, key: str, outcome: Outcome | BotError, ts: str | None, now: datetime
) -> Follow | None:
    """The follow that the reply promises; None if it promises none or cannot be changed later."""
    run = run_of(outcome)
    if ts is None or run is None or not isinstance(outcome, Restarted | Followed | Cancelled):
        return None
    build_id, run_number = run
    build = outcome.build
    before = outcome.claim.replaced if isinstance(outcome, Restarted) else None
    return Follow(
        key=key,
        service=build.project.service,
        project_id=build.project.id,
        build_id=build_id,
        run_number=run_number or 1,
        branch=build.branch,
        asker=actor,
        location=location,
        message_ts=ts,
        began_at=now,
        restarted=isinstance(outcome, Restarted),
        before=before,
        before_status=build.status if before == build.run else None,
        cancelled=isinstance(outcome, Cancelled),
    )

"""Deliveries: one channel's message about one change, from due to sent, and digests of several. Values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.model.names.slack_ids import USER_ID
from bot.core.model.notifications.reasons import SeenBy
from bot.core.model.notifications.subscriptions import Event, Replies
from bot.core.model.notifications.transitions import BranchState, Change, Transition

EVENT_OF = {
    Change.BROKE: Event.BROKE,
    Change.FAILING: Event.EARLY,
    Change.PASSED_AFTER_ALL: Event.EARLY,
    Change.JOINED: Event.BROKE,
    Change.EASED: Event.BROKE,
    Change.FAILED_AGAIN: Event.BROKE,
    Change.STILL: Event.BROKE,
    Change.ON_IT: Event.BROKE,
    Change.REMINDED: Event.STILL,
    Change.FIXED: Event.FIXED,
    Change.FLAKY: Event.FIXED,
    Change.RETIRED: Event.FIXED,
    Change.GONE: Event.BROKE,
    Change.STARTED: Event.STARTED,
    Change.PASSED: Event.PASSED,
    Change.FAILED: Event.FAILED,
    Change.STOPPED: Event.STOPPED,
    Change.INFRA: Event.INFRA,
}
"""What a channel must have asked for. Changes within a broken period alter the message of those that heard *broke*."""


class DeliveryState(StrEnum):
    """`UNCERTAIN`: Slack may have taken it and did not say so. `PAUSED`: the channel does not take it now.

    `MUTED`: the end of the mute tells it.
    """

    DUE = "due"
    SENDING = "sending"
    TOLD = "told"
    UNCERTAIN = "uncertain"
    PAUSED = "paused"
    MUTED = "muted"
    DROPPED = "dropped"


QUIET_IF_FLAKY = "quiet if flaky"
"""The reason of a failure that waits until `due_at`, and of the pass on retry that may come before. The failure is then
not sent."""

UNSENT = frozenset({DeliveryState.DUE, DeliveryState.SENDING, DeliveryState.PAUSED})


@dataclass(frozen=True, slots=True)
class Delivery:
    """One change for one channel, or for one person: then `channel` is a user id.

    `id` is 0 until it is stored; `version` grows with each change of the row. `reminder`: said in the thread, too.
    `mentions` and `replies` are as in `Filters`. `due_at`: not sent earlier. `reason` completes `state`. `ts` is what
    was posted, `head_ts` the message of the broken period. `doubtful`: an earlier attempt may have reached Slack.

    `digest_ts`: told in this digest, which was posted at `digest_at`. It stays due until the period's own message has
    been changed, too.
    """

    channel: str
    transition: Transition
    seen_by: SeenBy
    created_at: datetime
    due_at: datetime
    subscription_id: int | None = None
    reminder: bool = False
    mentions: tuple[str, ...] = ()
    replies: Replies | None = None
    state: DeliveryState = DeliveryState.DUE
    reason: str = ""
    ts: str | None = None
    head_ts: str | None = None
    digest_ts: str | None = None
    digest_at: datetime | None = None
    doubtful: bool = False
    tries: int = 0
    changed_at: datetime | None = None
    version: int = 1
    id: int = 0

    @property
    def is_direct(self) -> bool:
        """Whether it is for the author alone."""
        return USER_ID.fullmatch(self.channel) is not None

    @property
    def key(self) -> str:
        """The same for each delivery of the same change to the same channel."""
        project, period = self.transition.build.project, self.transition.period
        of = f"{project.service} {project.id} {self.transition.build.branch or ''}"
        change = self.transition.change
        which: object = self.transition.run_key
        if period is not None and change is Change.ON_IT:
            which = period.owner_changes
        if period is not None and change is Change.REMINDED:
            which = (self.created_at - period.since).days
        return f"{self.channel} {of} {period.id if period else '-'} {change} {which}"


class Cause(StrEnum):
    """What all changes of a digest have in common: infrastructure failures, their commit, or its author."""

    INFRA = "infrastructure"
    COMMIT = "commit"
    AUTHOR = "author"


@dataclass(frozen=True, slots=True)
class Digest:
    """One message about several branches. `deliveries` are the newest of each, in the order in which they came.

    `cause` is None if they share none. `since` is when the first of their builds ended, if that is so long ago that the
    channel should be told.
    """

    channel: str
    deliveries: tuple[Delivery, ...]
    cause: Cause | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class WatchedProject:
    """What is known of a watched project. `seen_to` is the highest build id of the last poll that was stored.

    `polled_at` is when that poll began; None if there was none. `branches` are those that a channel wants to hear of.
    """

    service: str
    project_id: str
    polled_at: datetime | None = None
    seen_to: int = 0
    branches: tuple[tuple[str, BranchState], ...] = ()
    version: int = 0


class ChannelRefuses(Exception):
    """The channel takes no messages now. `str()` is Slack's error, such as `not_in_channel`."""

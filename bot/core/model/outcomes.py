"""Results of successful commands: one class for each kind of reply. Failures are in `errors`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.core.model.audit import AuditEntry
from bot.core.model.builds import ActionResult, Build, FailureLog, Project
from bot.core.model.claims import NO_RESTART, Claim, RestartState
from bot.core.model.ended_builds import FlakyShown, SlowShown
from bot.core.model.errors import CIError
from bot.core.model.names.channel_names import ChannelName
from bot.core.model.notification_commands.values import Subscribe
from bot.core.model.notifications.health import ChannelChecked
from bot.core.model.notifications.reasons import Decision
from bot.core.model.notifications.reports import ReportOutcome
from bot.core.model.notifications.subscriptions import Mute, Subscription
from bot.core.model.notifications.transitions import NotBroken, OwnerChanged
from bot.core.model.people.outcomes import PersonOutcome


@dataclass(frozen=True, slots=True)
class BuildShown:
    """One build and its restarts. `ago_s` belongs to `restart_state.claim`."""

    build: Build
    restart_state: RestartState = NO_RESTART
    ago_s: float | None = None


@dataclass(frozen=True, slots=True)
class LogShown:
    """Why a build failed. `log` is None if nothing failed, or the service has no log of what did."""

    build: Build
    log: FailureLog | None
    restart_state: RestartState = NO_RESTART


@dataclass(frozen=True, slots=True)
class BranchesShown:
    """The newest build of each branch with recent builds, the newest first."""

    project: Project
    builds: tuple[Build, ...]


@dataclass(frozen=True, slots=True)
class BuildsShown:
    """The last builds of a branch (of all if `branch` is None), newest first, at most ten."""

    project: Project
    branch: str | None
    builds: tuple[Build, ...]


@dataclass(frozen=True, slots=True)
class NoBuilds:
    """The repository is known but has never been built."""

    project: Project


@dataclass(frozen=True, slots=True)
class ProjectsShown:
    """One page of the repositories that match `words`. `page` counts from 1. `total` is over all pages.

    `stale`: services whose lists could not be refreshed, and the age of the list shown in seconds (None: no list).
    `with_services`: several services are configured, so each repository is shown with its own.
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
    """The last actions on `project`, or on all if it is None, the newest first."""

    project: Project | None
    entries: tuple[AuditEntry, ...]


@dataclass(frozen=True, slots=True)
class ChannelNamesShown:
    """The channel's default and aliases as they are now. `alias` is the one that was set, or removed; None if none was.

    `removed` is what was removed, if there was one. `project` is the repository that it means, or meant; None if that
    is unknown.
    """

    names: tuple[ChannelName, ...]
    alias: str | None = None
    removed: ChannelName | None = None
    project: Project | None = None

    @property
    def changed(self) -> ChannelName | None:
        """What was set, or removed."""
        return self.removed or next((name for name in self.names if name.alias == self.alias), None)


@dataclass(frozen=True, slots=True)
class HelpShown:
    """The usage of all commands, or of `topic`."""

    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Followed:
    """A running build is now followed. `run_number` is the run it is in."""

    build: Build
    run_number: int


@dataclass(frozen=True, slots=True)
class WillNotify:
    """The person will be notified at the end of the running build, by the live message that the channel has of it."""

    build: Build


@dataclass(frozen=True, slots=True)
class NothingToFollow:
    """The build has already ended, and is shown instead."""

    build: Build
    restart_state: RestartState = NO_RESTART


@dataclass(frozen=True, slots=True)
class Restarted:
    """The restart was accepted. `seen`: the request got no response, but the build was then found running.

    `taken` is what the service did, if it said so to this request.
    """

    build: Build
    claim: Claim
    seen: bool = False
    taken: ActionResult | None = None


@dataclass(frozen=True, slots=True)
class AlreadyRestarted:
    """Another claim on the same run exists, so nothing was sent. `ago_s`: seconds since that request.

    `claim.state` is taken, or claimed or sent if the service has not responded yet. `build` is the current one.
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
    """The button belongs to an earlier run. The build has run again since; its current state is shown.

    If a restart by the bot started the new run, it is `restart_state.previous`, `ago_s` seconds ago.
    """

    build: Build
    restart_state: RestartState = NO_RESTART
    ago_s: float | None = None


@dataclass(frozen=True, slots=True)
class StateNotKnown:
    """The service's status word is unknown, so it is unclear whether the build runs. Nothing was sent."""

    build: Build


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The service accepted the cancel, and ends run `run_number` of the build within moments."""

    build: Build
    taken: ActionResult
    run_number: int = 1


@dataclass(frozen=True, slots=True)
class AlreadyCancelling:
    """The same run is being cancelled for `claim.actor`, who asked `ago_s` seconds ago: nothing was sent."""

    build: Build
    claim: Claim
    ago_s: float


@dataclass(frozen=True, slots=True)
class NothingToCancel:
    """The build has already ended, and is shown instead. `left` names other runs of its branch that still run."""

    build: Build
    restart_state: RestartState = NO_RESTART
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CouldNotTell:
    """The restart was sent (for `claim.actor`, `ago_s` seconds ago), but it is unknown whether it started.

    `shown` is the build before the restart. `found` is what a fetch showed afterwards, with the run unchanged. It is
    None if that fetch failed, because of `looked`.
    """

    claim: Claim
    shown: Build
    ago_s: float
    found: Build | None = None
    looked: CIError | None = None


@dataclass(frozen=True, slots=True)
class BranchState:
    """The newest result of a branch, a build that passed or failed, and since when the branch is so.

    `since` is None if unknown. `at_least`: it was so before, too; the builds before are not listed any more.
    """

    build: Build
    since: datetime | None
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The channel is subscribed. `is_new`: it was not before, with the same filters. `was`: what was changed into this.

    `repositories`: how many known ones match; None if no list was ever read. `unknown`: names without `*` that no
    service has yet, and `similar` ones that it has. `now` is set if the subscription is for one repository; `failed`
    says why its state could not be read. `muted_until`: the channel, or the repository, is muted now.
    """

    subscription: Subscription
    is_new: bool
    repositories: int | None
    unknown: tuple[str, ...] = ()
    similar: tuple[str, ...] = ()
    now: tuple[BranchState, ...] = ()
    failed: CIError | None = None
    muted_until: datetime | None = None
    was: Subscription | None = None


@dataclass(frozen=True, slots=True)
class MayBeShared:
    """Nothing was subscribed yet: people of other workspaces may read the channel, and Slack does not say."""

    command: Subscribe


@dataclass(frozen=True, slots=True)
class SubscriptionsPaused:
    """These, at least one, are now paused by a person, or active again if `resumed`."""

    subscriptions: tuple[Subscription, ...]
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    """`removed` are gone; `changed` lost some of their repositories. `left`: how many the channel has now."""

    removed: tuple[Subscription, ...]
    changed: tuple[Subscription, ...]
    left: int


@dataclass(frozen=True, slots=True)
class NotSubscribed:
    """Nothing was removed: the channel has no subscription to `words`. `covering` are those that match it anyway."""

    words: tuple[str, ...]
    covering: tuple[Subscription, ...]


@dataclass(frozen=True, slots=True)
class UnsubscribeAll:
    """Nothing was removed yet: these are what `unsubscribe all` removes."""

    subscriptions: tuple[Subscription, ...]


@dataclass(frozen=True, slots=True)
class SubscriptionsShown:
    """The channel's subscriptions, and its mutes that have not ended."""

    subscriptions: tuple[Subscription, ...]
    mutes: tuple[Mute, ...]


@dataclass(frozen=True, slots=True)
class Muted:
    """`zone` is the time zone in which the end was named; None for a duration.

    `is_subscribed`: whether the channel has a subscription that this mutes. `is_personal`: the asker's own is muted.
    """

    mute: Mute
    zone: str | None
    is_subscribed: bool
    is_personal: bool = False


@dataclass(frozen=True, slots=True)
class Unmuted:
    """The mutes that were ended; none if there were none."""

    mutes: tuple[Mute, ...]
    is_personal: bool = False


@dataclass(frozen=True, slots=True)
class Explained:
    """What was decided about the builds of a branch (of all if None) for this channel: the newest build first.

    `subscriptions` are those of the channel that match the repository. `build_id`: only that build was asked about.
    """

    project: Project
    branch: str | None
    decisions: tuple[Decision, ...]
    subscriptions: tuple[Subscription, ...]
    build_id: str | None = None


Outcome = (
    BuildShown
    | LogShown
    | BranchesShown
    | BuildsShown
    | NoBuilds
    | ProjectsShown
    | HelpShown
    | AuditShown
    | FlakyShown
    | SlowShown
    | ChannelNamesShown
    | Followed
    | WillNotify
    | NothingToFollow
    | Restarted
    | Cancelled
    | AlreadyCancelling
    | NothingToCancel
    | AlreadyRestarted
    | StillRunning
    | RunAgainSince
    | StateNotKnown
    | CouldNotTell
    | Subscribed
    | MayBeShared
    | Unsubscribed
    | SubscriptionsPaused
    | NotSubscribed
    | UnsubscribeAll
    | SubscriptionsShown
    | Muted
    | Unmuted
    | Explained
    | ChannelChecked
    | OwnerChanged
    | NotBroken
    | ReportOutcome
    | PersonOutcome
)

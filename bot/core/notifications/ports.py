"""What notifications need from outside, as Protocols in the core's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.core.model.builds import Actor, FailureLog
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.notifications.deliveries import Delivery, Digest, WatchedProject
from bot.core.model.notifications.health import CallsLeft, PollingState, WebhookResult
from bot.core.model.notifications.muted import WhileMuted
from bot.core.model.notifications.reasons import Decision, Reason
from bot.core.model.notifications.subscriptions import Mute, Subscription
from bot.core.model.notifications.transitions import Period


class SubscriptionStore(Protocol):
    """Stores subscriptions and mutes. Each method is one transaction."""

    def add(self, subscription: Subscription) -> Subscription:
        """Stores it unless its channel has one with the same filters. Returns the stored one, with its id."""

    def replace(self, subscription_id: int, channel: str, by: Subscription) -> Subscription | None:
        """Stores the new filters under the same id, as active unless a person paused it.

        None if the channel has no such subscription of its own making.
        """

    def all(self) -> list[Subscription]:
        """Every subscription, active and paused, by id."""

    def of_channel(self, channel: str) -> list[Subscription]:
        """The channel's subscriptions, active and paused, by id."""

    def remove(self, ids: Sequence[int], channel: str) -> list[Subscription]:
        """Deletes those of the channel that were made in Slack. Returns what it deleted."""

    def pause(self, channel: str, why: str) -> list[Subscription]:
        """Pauses the channel's active subscriptions. Returns those that it paused."""

    def resume(self, channel: str) -> list[Subscription]:
        """Activates the channel's subscriptions that no person paused, and makes due what was held back.

        Returns those activated.
        """

    def pause_these(self, ids: Sequence[int], channel: str) -> list[Subscription]:
        """Pauses those of the channel that were made in Slack, as a person's wish. Returns them."""

    def resume_these(self, ids: Sequence[int], channel: str) -> list[Subscription]:
        """Activates those of the channel that were made in Slack, and makes due what the channel was not sent.

        Returns them.
        """

    def put_file(self, subscriptions: Sequence[Subscription]) -> None:
        """Makes these the subscriptions of the file: adds new ones, deletes those that are gone, keeps the others."""

    def mute(self, mute: Mute) -> Mute:
        """Stores it in the place of an earlier one of the same channel and repositories. Returns it with its id."""

    def unmute(self, channel: str, repositories: Sequence[NamePattern | None] | None = None) -> list[Mute]:
        """Ends the channel's mutes of exactly these repositories, or all. Returns those that had not ended.

        They are ended mutes then.
        """

    def mutes(self, channel: str | None = None) -> list[Mute]:
        """The mutes that have not ended, of the channel or of all, by end."""

    def muted_until(self, person: Actor, repository: str) -> datetime | None:
        """When the person's mute of the repository ends; None if there is none."""

    def ended_mutes(self) -> list[Mute]:
        """The mutes that have ended and were not forgotten, by end."""

    def claim_end(self, mute: Mute, claimed_for: timedelta) -> bool:
        """Whether the caller may announce the end. False if it was claimed within `claimed_for`, or was moved."""

    def forget(self, mute: Mute) -> None:
        """Deletes the mute, unless its end was moved."""


class WatchObserver(Protocol):
    """Counts what polling for channels finds. Thread-safe."""

    def decided(self, reason: str) -> None:
        """A build was no news, for one channel or for all."""

    def webhook(self, service: str, result: str) -> None:
        """A webhook led to a poll. `result` is "news" if that showed a change, else "late"."""

    def webhook_missed(self, service: str) -> None:
        """A change was seen that no webhook reported."""


class DecisionLog(Protocol):
    """What was decided about builds for channels, for some days."""

    def decisions(self, service: str, project_id: str, branch: str | None, channel: str) -> list[Decision]:
        """Those for the channel, and those that hold for every channel, newest first. Branch None: of every branch."""

    def counts(self, channel: str, since: datetime) -> dict[Reason, int]:
        """How many decisions of each kind were made for this channel alone since then."""


class PollingLog(Protocol):
    """Stores how polling for channels goes, for all processes. Each method is one transaction."""

    def polled(self, service: str, began_at: datetime, every_s: float | None) -> None:
        """A poll succeeded. `every_s` as in `PollingState`."""

    def failed(self, service: str, why: str) -> None:
        """A poll failed. `why` is for people."""

    def heard(self, service: str, project_id: str) -> None:
        """A webhook says that the project has changed. It is a hint until `followed`."""

    def hints(self, service: str) -> dict[str, datetime]:
        """The projects of which webhooks came, and when the last of each did."""

    def followed(self, service: str, hints: Mapping[str, datetime]) -> None:
        """The projects were polled. A webhook that came since remains a hint."""

    def counted(self, service: str, result: WebhookResult) -> None:
        """Counts a webhook."""

    def state(self, service: str) -> PollingState:
        """How polling the service goes now, by what all processes stored."""


class ChannelAccess(Protocol):
    """What the bot may do in channels."""

    def is_member(self, channel: str) -> bool | None:
        """Whether the bot is in the channel. None if Slack does not say."""

    @property
    def missing_scopes(self) -> tuple[str, ...]:
        """Those that notifications need and the token lacks."""


class CallLimits(Protocol):
    """The rate limits of the CI services."""

    def calls_left(self, service: str) -> CallsLeft:
        """As this process last knew it."""


class WatchStore(Protocol):
    """Stores which process polls for channels, and the state that it has seen. Each method is one transaction."""

    def lease(self, service: str, holder: str, for_s: float) -> bool:
        """Takes or renews the service's lease for so many seconds. False if another holder has it."""

    def release(self, service: str, holder: str) -> None:
        """Gives the lease back, if this holder has it."""

    def project(self, service: str, project_id: str) -> WatchedProject:
        """The project's stored state; version 0 if there is none."""

    def projects(self, service: str) -> list[WatchedProject]:
        """Every project of the service that was polled, without its branches."""

    def broken(self, before: datetime) -> list[tuple[str, str, str, Period]]:
        """The branches that are broken since then: service, project id, name, and the broken period."""

    def apply(
        self,
        before: WatchedProject,
        after: WatchedProject,
        deliveries: Sequence[Delivery],
        decisions: Sequence[Decision],
    ) -> list[Delivery] | None:
        """Stores the result of a poll, all or nothing: the new state, what is due, and why.

        None, and nothing is stored, if the project has another version than `before`, or a poll that began later was
        stored. Else the deliveries that are new, with their ids: one with a known key is not stored again.
        """


class Outbox(Protocol):
    """Stores the states of branches, and the messages about them. Each method is one transaction."""

    def add(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Stores those whose key is not known. Returns these, with their ids."""

    def queue(self, channel: str) -> list[Delivery]:
        """The channel's unsent deliveries, the oldest first."""

    def told(self, channel: str, since: datetime) -> list[Delivery]:
        """The deliveries sent to the channel since then, also in a digest, the oldest first."""

    def muted(self, channel: str) -> list[Delivery]:
        """The deliveries that the channel's mutes hold back, the oldest first."""

    def last_told(self, channel: str) -> datetime | None:
        """When Slack last accepted a message for the channel; None if never or long ago."""

    def depth(self) -> tuple[int, datetime | None]:
        """How many deliveries of all channels wait to be sent, and when the oldest of them was made."""

    def move(
        self, moves: Sequence[tuple[Delivery, Delivery]], decisions: Sequence[Decision] = ()
    ) -> list[Delivery] | None:
        """Stores the second of each pair and the decisions, if every stored delivery still has the first one's version.
        Returns them with their next version; None, and nothing is stored, if not.
        """

    def head(self, delivery: Delivery) -> str | None:
        """The ts of the message that the channel has for the delivery's broken period; None if it has none."""

    def of_period(self, service: str, project_id: str, branch: str, period: str) -> list[Delivery]:
        """The newest delivery of each channel about this broken period, sent or not, by id."""

    def waiting(self, due_before: datetime, claimed_before: datetime) -> list[Delivery]:
        """For each channel its oldest unsent delivery, if that was due before, or claimed before and not finished.

        Those that wait for a retry are not counted until they are due.
        """


class Announcer(Protocol):
    """Posts notifications in channels. Raises `ChannelRefuses`, `MessageGone` and `RetryLater`."""

    def post(self, delivery: Delivery) -> str | None:
        """Posts a new message. Returns its ts."""

    def change(self, delivery: Delivery, head_ts: str) -> None:
        """Changes the message of a broken period. Repeating it has no visible effect."""

    def reply(self, delivery: Delivery, head_ts: str, *, broadcast: bool) -> str | None:
        """Posts in the thread of that message, and in the channel if `broadcast`. Returns the ts."""

    def show_log(self, delivery: Delivery, head_ts: str, log: FailureLog) -> None:
        """Posts why the build failed in the thread of that message."""

    def post_digest(self, digest: Digest) -> str | None:
        """Posts a digest. Returns its ts."""

    def change_digest(self, digest: Digest, ts: str) -> None:
        """Changes a digest. Repeating it has no visible effect."""

    def post_while_muted(self, told: WhileMuted) -> str | None:
        """Posts what happened during a mute. Returns its ts."""

    def tell_author(self, delivery: Delivery, channel: str | None, ts: str | None) -> str | None:
        """Tells a person what they broke. `ts` is the message about it in `channel`; None for none. Returns the ts."""

    def ask_author(self, delivery: Delivery, head_ts: str, login: str) -> None:
        """Posts in the thread of that message how the person with the GitHub login can link it."""

    def tell_maker(self, person: Actor, channel: str, why: str) -> None:
        """Tells the person who subscribed a channel that it is paused. Raises nothing."""

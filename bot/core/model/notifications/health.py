"""Whether a channel can be notified: what `check` finds out. Values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.model.notifications.reasons import Reason
from bot.core.model.notifications.subscriptions import Mute, Subscription


class WebhookResult(StrEnum):
    """`NEWS`: it led to a poll that showed a change. `LATE`: polling had shown the change before, or there was none.

    `MISSED`: polling showed a change that no webhook reported.
    """

    NEWS = "news"
    LATE = "late"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class PollingState:
    """How polling a service for channels goes, over all processes.

    `polled_at` is when the last poll began that succeeded, `every_s` the seconds between two; None if they differ by
    repository. `failure` says why polls fail since `failed_at`. `heard_at` is when the last webhook came. `webhooks`
    counts those of the last seven days.
    """

    service: str
    polled_at: datetime | None = None
    every_s: float | None = None
    failed_at: datetime | None = None
    failure: str = ""
    heard_at: datetime | None = None
    webhooks: tuple[tuple[WebhookResult, int], ...] = ()

    def count(self, result: WebhookResult) -> int:
        return dict(self.webhooks).get(result, 0)


@dataclass(frozen=True, slots=True)
class CallsLeft:
    """How many of the `calls` a minute are left. `is_paused`: the service itself limits the bot now."""

    left: int
    calls: int
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class ServiceChecked:
    polling: PollingState
    calls: CallsLeft


@dataclass(frozen=True, slots=True)
class ChannelChecked:
    """`is_member` is None if Slack does not say. `missing_scopes` are those that notifications need.

    `told_at`: when Slack last accepted a message of the channel's notifications. `waiting` counts the unsent messages
    of all channels, the oldest made at `oldest`. `troubles` counts what went wrong here in the last 24 hours.
    """

    channel: str
    is_member: bool | None
    missing_scopes: tuple[str, ...]
    told_at: datetime | None
    subscriptions: tuple[Subscription, ...]
    mutes: tuple[Mute, ...]
    services: tuple[ServiceChecked, ...]
    waiting: int = 0
    oldest: datetime | None = None
    troubles: tuple[tuple[Reason, int], ...] = ()

"""What digests need from outside, as Protocols in the core's words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.core.model.builds import Actor
from bot.core.model.notifications.reports import Report, ReportPlan


class ReportStore(Protocol):
    """Stores which channels get digests, and when. Each method is one transaction."""

    def put(self, plan: ReportPlan) -> None:
        """Stores it in the place of the channel's earlier one."""

    def of_channel(self, channel: str) -> ReportPlan | None:
        """None if the channel gets no digests."""

    def remove(self, channel: str) -> ReportPlan | None:
        """Returns what it deleted."""

    def due(self, now: datetime, claimed_before: datetime, count: int) -> Sequence[ReportPlan]:
        """At most `count` to be posted by `now` and not claimed since `claimed_before`, the oldest first."""

    def move(self, plan: ReportPlan, to: ReportPlan) -> ReportPlan | None:
        """Stores `to` if the stored plan still has the version of `plan`. Returns it with its next version, or None."""


class ReportAnnouncer(Protocol):
    """Posts digests. Raises `ChannelRefuses` and `RetryLater`."""

    def post_report(self, report: Report) -> None:
        """Posts it in its channel. Slack may recognise a repeated one."""

    def tell_report_refused(self, person: Actor, channel: str, why: str) -> None:
        """Tells who set it that the channel does not take the digest. Raises nothing."""

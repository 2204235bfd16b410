"""Reads what a channel's digest is made from: its subscriptions, how builds ended, and which restarts were sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.lookup.ci_registry import CIRegistry
from bot.core.model.audit import TRY_AGAIN, AuditEntry
from bot.core.model.builds import Project
from bot.core.model.command_values import Verb
from bot.core.model.commands import entry_for
from bot.core.model.ended_builds import EndedBuild
from bot.core.model.notifications.reports import Report
from bot.core.model.notifications.subscriptions import PAUSED_BY_PERSON, Mismatch, Subscription
from bot.core.notifications.ports import SubscriptionStore
from bot.core.ports import AuditLog, BuildHistoryStore
from bot.core.reports.figures import Restart, Span, report

RESTARTS = (entry_for(Verb.RESTART).audit_action or "", TRY_AGAIN)


@dataclass(frozen=True, slots=True)
class Record:
    """What is on record of all channels for a period and the one before. Parameters of `figures.report`."""

    ends: Sequence[EndedBuild]
    standing: Sequence[EndedBuild]
    restarts: Sequence[AuditEntry]


class ReportRecord:
    """Thread-safe."""

    def __init__(
        self,
        services: CIRegistry,
        subscriptions: SubscriptionStore,
        history: BuildHistoryStore,
        audit: AuditLog,
    ) -> None:
        self._services = services
        self._subscriptions = subscriptions
        self._history = history
        self._audit = audit

    def since(self, earlier: datetime, start: datetime) -> Record:
        """What is on record for every channel."""
        return Record(
            self._history.since(earlier, None),
            self._history.last_before(start),
            self._audit.sent_since(earlier, RESTARTS),
        )

    def report(self, channel: str, span: Span, record: Record) -> Report:
        """The figures of the channel's subscribed branches, in repositories that are still known.

        A subscription that a person paused does not count. Workflows are not told apart: a whole build counts.
        """
        subscriptions = self._subscriptions.of_channel(channel)
        heard = _Heard(self._services, [each for each in subscriptions if each.paused != PAUSED_BY_PERSON])
        ends = heard.among(record.ends)
        standing = heard.among(record.standing)
        restarts = [
            Restart((each.service, each.project_id, each.branch), each.at)
            for each in record.restarts
            if each.project_id and each.branch and heard.has(each.service, each.project_id, each.branch)
        ]
        return report(channel, span, heard.projects, ends, standing, restarts, len(heard.subscriptions))


class _Heard:
    """The branches that one channel is subscribed to. `projects` are those of the branches asked about so far."""

    def __init__(self, services: CIRegistry, subscriptions: Sequence[Subscription]) -> None:
        self.subscriptions = subscriptions
        self.projects: dict[tuple[str, str], Project] = {}
        self._services = services
        self._known: dict[tuple[str, str, str], bool] = {}

    def among(self, ends: Iterable[EndedBuild]) -> list[EndedBuild]:
        return [end for end in ends if self.has(end.service, end.project_id, end.branch)]

    def has(self, service: str, project_id: str, branch: str) -> bool:
        key = (service, project_id, branch)
        if key not in self._known:
            project = self._services.known(service, project_id)
            self._known[key] = project is not None and any(_hears(each, project, branch) for each in self.subscriptions)
            if project is not None:
                self.projects[service, project_id] = project
        return self._known[key]


def _hears(subscription: Subscription, project: Project, branch: str) -> bool:
    filters = subscription.filters
    if not filters.has_repository(project.service, project.name):
        return False
    return filters.mismatch_within(branch, project.default_branch) is not Mismatch.BRANCH

"""Broken branches that no longer exist: their messages say so, and they have no reminders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.core.lookup.ci_registry import CIContext
from bot.core.model.errors import CIError
from bot.core.model.notifications.deliveries import Delivery
from bot.core.model.notifications.reasons import SeenBy
from bot.core.model.notifications.subscriptions import Subscription, SubscriptionIndex
from bot.core.model.notifications.transitions import Change, Observation, Period, Transition
from bot.core.notifications.ports import SubscriptionStore, WatchStore
from bot.core.notifications.recipients import Audience, decide_deliveries
from bot.core.ports import Clock
from bot.core.rate_limiter import FOR_BACKGROUND, charged_to

BROKEN_FOR = timedelta(days=1)
ASKED_EVERY_S = 86_400.0
ROUNDS_EVERY_S = 3600.0


class GoneBranches:
    """Of one service. Call `close` often, from one thread of the process that polls the service."""

    def __init__(self, subscriptions: SubscriptionStore, watching: WatchStore, clock: Clock) -> None:
        self._subscriptions = subscriptions
        self._watching = watching
        self._clock = clock
        self._due_s = 0.0
        self._asked_s: dict[tuple[str, str], float] = {}

    def close(self, service: CIContext, subscriptions: Sequence[Subscription]) -> list[Delivery]:
        """Once a day, checks each branch that has been broken for a day. Ends the period of one that was deleted.

        Returns what is due. Does not raise CIError: it checks again an hour later.
        """
        now_s = self._clock.monotonic()
        if now_s < self._due_s:
            return []
        self._due_s = now_s + ROUNDS_EVERY_S
        stored: list[Delivery] = []
        for name, project_id, branch, period in self._watching.broken(self._clock.now() - BROKEN_FOR):
            asked_s = self._asked_s.get((project_id, branch))
            if name != service.name or (asked_s is not None and now_s - asked_s < ASKED_EVERY_S):
                continue
            try:
                with charged_to(FOR_BACKGROUND):
                    is_there = service.provider.has_branch(period.broken_by.project, branch)
            except CIError:
                break
            self._asked_s[project_id, branch] = now_s
            if is_there is False:
                stored += self._end(branch, period, SubscriptionIndex(subscriptions))
        return stored

    def _end(self, branch: str, period: Period, index: SubscriptionIndex) -> list[Delivery]:
        """Empty if a poll of the project was stored meanwhile."""
        project, now = period.broken_by.project, self._clock.now()
        before = self._watching.project(project.service, project.id)
        state = dict(before.branches).get(branch)
        if state is None:
            return []
        audience = Audience(
            index.of_repository(project.service, project.name), self._subscriptions.mutes(), project.default_branch
        )
        gone = Observation(state, (Transition(Change.GONE, period.broken_by, period),))
        told = decide_deliveries(gone, audience, now, SeenBy.POLL)
        left = tuple((name, other) for name, other in before.branches if name != branch)
        after = replace(before, polled_at=now, branches=left)
        return self._watching.apply(before, after, told.deliveries, told.decisions) or []

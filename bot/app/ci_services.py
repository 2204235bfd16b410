"""The CI services that are chosen, connected: each with its client, its budget, its threads, and what the core keeps.

A service that hangs holds up its own threads and spends its own budget; the others go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from threading import BoundedSemaphore
from wsgiref.types import WSGIApplication

import structlog

from bot.app.clients import CALLS_AT_ONCE, connected
from bot.app.name_matching import nearest
from bot.app.settings import Settings, key_setting, named
from bot.app.threads import LoggingExecutor
from bot.app.timeouts import Timeouts
from bot.ci.service import BuildRulesOf, CIClient, Hint, ServicePlugin
from bot.core.actions.sender import ActionSender
from bot.core.actions.service import ActionService
from bot.core.build_fetcher import BuildFetcher
from bot.core.lookup.ci_registry import CIContext, CIRegistry
from bot.core.lookup.project_index import ProjectIndex
from bot.core.ports import Clock
from bot.metrics import Metrics
from bot.slack.blocks.context import ServiceInfo
from bot.store.database import Store
from bot.store.rate_limit.shared import SharedRateLimit

RESTARTS_AT_ONCE = 16
HINTS_AT_ONCE = 100
MAX_READING_S = 1.0
"""How long a stop waits for readings whose asker has been answered: most end in milliseconds."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _ConnectedService:
    """A service, and what is to be closed of it."""

    plugin: ServicePlugin
    client: CIClient
    rate_limit: SharedRateLimit
    calls: LoggingExecutor
    sends: LoggingExecutor
    context: CIContext


class CIServices:
    """`services` is what the core asks. `start` once, then `finish` and `close` once."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        metrics: Metrics,
        clock: Clock,
        environ: Mapping[str, str],
        timeouts: Timeouts,
        random: Callable[[], float],
        build_rules: BuildRulesOf,
    ) -> None:
        self._settings = settings

        def one(kind: ServicePlugin) -> _ConnectedService:
            values = settings.ci[kind.name]
            budget = store.rate_limit(kind.name, values[kind.calls_setting], partial(metrics.budget_asked, kind.name))
            client = connected(
                kind,
                values,
                clock,
                environ,
                metrics,
                timeouts,
                random=random,
                rate_limit=budget,
                build_rules=build_rules,
            )
            calls = LoggingExecutor(CALLS_AT_ONCE, f"{kind.name} call")
            sends = LoggingExecutor(RESTARTS_AT_ONCE, f"{kind.name} restart")
            fetcher = BuildFetcher(client, calls, clock, max_call_s=timeouts.call_s)
            sending = ActionSender(client, fetcher, store.claims, sends, clock)
            restarts = ActionService(client, store.claims, store.history, sending, clock)
            directory = ProjectIndex(client, store.projects, calls, clock, nearest)
            return _ConnectedService(
                kind, client, budget, calls, sends, CIContext(client, directory, fetcher, restarts)
            )

        self._all = [one(kind) for kind in named(settings.ci_providers)]
        self._hints = LoggingExecutor(1, "hint")
        self._hints_to_come = BoundedSemaphore(HINTS_AT_ONCE)
        self.services = CIRegistry([one.context for one in self._all], nearest, clock, pins=settings.ci_pinned)

    @property
    def words(self) -> dict[str, ServiceInfo]:
        """What texts say of each, by its name."""
        return {
            one.plugin.name: ServiceInfo(
                one.plugin.title,
                key_setting(one.plugin, self._settings.ci[one.plugin.name]),
                one.plugin.calls_setting,
                one.client.abilities,
                one.plugin.rights,
            )
            for one in self._all
        }

    @property
    def projects_known(self) -> dict[str, int]:
        return {one.plugin.name: one.context.project_index.size for one in self._all}

    def start(self) -> None:
        """Asks each for its repositories behind the scenes, once what is known of them is read. Raises what the store's
        driver raises."""
        for one in self._all:
            one.rate_limit.start()
            one.context.project_index.start()

    def watched(self, metrics: Metrics) -> None:
        """Gauges of each, read when somebody looks."""
        for one in self._all:
            _watch(one, metrics)

    def webhooks(self, hinted: Callable[[str, str, str], None]) -> dict[str, WSGIApplication]:
        """What answers the services at which path. `hinted(service, project_id, key)` is called off their threads."""
        webhooks = [
            one.plugin.webhook(self._settings.ci[one.plugin.name], self._hint(one.plugin.name, hinted))
            for one in self._all
        ]
        return dict(webhook for webhook in webhooks if webhook is not None)

    def _hint(self, service: str, hinted: Callable[[str, str, str], None]) -> Hint:
        def hint(project_id: str, key: str) -> None:
            if not self._hints_to_come.acquire(blocking=False):
                log.info("webhook_dropped", service=service)  # the next look sees it anyway
                return
            try:
                future = self._hints.submit(hinted, service, project_id, key)
            except RuntimeError:  # closed: the same
                self._hints_to_come.release()
                return
            future.add_done_callback(lambda _done: self._hints_to_come.release())

        return hint

    def wait_heard(self, timeout_s: float) -> bool:
        """Whether all that webhooks have told by now was passed on, waiting for it."""
        try:
            self._hints.submit(lambda: None).result(timeout_s)  # they are passed on in turn
        except TimeoutError:
            return False
        return True

    def finish(self, deadline: float) -> int:
        """Waits for restarts until then, on the clock `time.monotonic()`, and counts those that are left; for readings
        a moment at most."""
        self._hints.finish(0.0)
        left = sum(one.sends.finish(deadline - time.monotonic()) for one in self._all)
        readings_until = min(time.monotonic() + MAX_READING_S, deadline)
        for one in self._all:
            one.calls.finish(readings_until - time.monotonic())
        return left

    def close(self) -> None:
        for one in self._all:
            one.client.close()
        for one in self._all:
            one.rate_limit.close()


def _watch(one: _ConnectedService, metrics: Metrics) -> None:
    directory, budget = one.context.project_index, one.rate_limit
    metrics.watch_service(
        one.plugin.name,
        projects_known=lambda: directory.size,
        calls_left=lambda: budget.calls_left,
        is_paused=lambda: budget.is_paused,
    )

"""Connects the configured CI services: each with its own client, rate limit, threads and caches.

A service that hangs blocks only its own threads and uses only its own rate limit.
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
from bot.app.name_matching import NearestNames
from bot.app.settings import Settings, key_setting, named
from bot.app.threads import LoggingExecutor
from bot.app.timeouts import Timeouts
from bot.ci.service import BuildRulesOf, CIClient, PollNow, ServicePlugin
from bot.core.actions.sender import ActionSender
from bot.core.actions.service import ActionService
from bot.core.build_fetcher import BuildFetcher
from bot.core.lookup.ci_registry import CIContext, CIRegistry
from bot.core.lookup.project_index import ProjectIndex
from bot.core.model.errors import CIError
from bot.core.model.notifications.health import CallsLeft
from bot.core.ports import Clock
from bot.core.rate_limiter import FOR_BACKGROUND, charged_to
from bot.logs import hide
from bot.metrics import Metrics
from bot.slack.blocks.context import ServiceInfo
from bot.store.database import Store
from bot.store.rate_limit.shared import SharedRateLimit

RESTARTS_AT_ONCE = 16
HINTS_AT_ONCE = 100
REDELIVERY_KEPT_S = 3 * 86400.0
"""Seconds that an asked-for webhook is remembered. GitHub lists a failed one for three days."""
MAX_READING_S = 1.0
"""Seconds that a stop waits for fetches whose result is no longer needed. Most end in milliseconds."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _ConnectedService:
    """A service, with everything of it that must be closed."""

    plugin: ServicePlugin
    client: CIClient
    rate_limit: SharedRateLimit
    calls: LoggingExecutor
    sends: LoggingExecutor
    context: CIContext


class _HiddenOrganizations:
    """Logs the organizations that a service's lists leave out, each time they change."""

    def __init__(self, client: CIClient) -> None:
        self._client = client
        self._logged: tuple[str, ...] = ()

    def log(self) -> None:
        hidden = self._client.hidden_organizations
        if hidden != self._logged:
            log.warning("organizations_hidden", service=self._client.service, organizations=", ".join(hidden))
        self._logged = hidden


class CIServices:
    """The connected CI services. Call `start` once, then `finish` and `close` once."""

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
        self._keys = store.idempotency_keys

        def one(kind: ServicePlugin) -> _ConnectedService:
            values = settings.ci[kind.name]
            rate_limit = store.rate_limit(
                kind.name, values[kind.calls_setting], partial(metrics.rate_limit_reserved, kind.name)
            )
            client = connected(
                kind,
                values,
                clock,
                environ,
                metrics,
                timeouts,
                random=random,
                rate_limit=rate_limit,
                build_rules=build_rules,
            )
            calls = LoggingExecutor(CALLS_AT_ONCE, f"{kind.name} call")
            sends = LoggingExecutor(RESTARTS_AT_ONCE, f"{kind.name} restart")
            fetcher = BuildFetcher(client, calls, clock, max_call_s=timeouts.call_s, mask=hide(settings.secrets()))
            sending = ActionSender(client, fetcher, store.claims, sends, clock)
            restarts = ActionService(client, fetcher, store.claims, store.history, sending, clock)
            directory = ProjectIndex(client, store.projects, calls, clock, nearest, _HiddenOrganizations(client).log)
            return _ConnectedService(
                kind, client, rate_limit, calls, sends, CIContext(client, directory, fetcher, restarts)
            )

        nearest = NearestNames()
        self._all = [one(kind) for kind in named(settings.ci_providers)]
        self._hints = LoggingExecutor(1, "hint")
        self._hints_to_come = BoundedSemaphore(HINTS_AT_ONCE)
        self.services = CIRegistry([one.context for one in self._all], nearest, clock, pins=settings.ci_pinned)

    @property
    def words(self) -> dict[str, ServiceInfo]:
        """What messages need to know about each service, by its name."""
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

    def calls_left(self, service: str) -> CallsLeft:
        """A `CallLimits`: as this process last knew it."""
        one = next(one for one in self._all if one.plugin.name == service)
        calls = int(self._settings.ci[service][one.plugin.calls_setting])
        return CallsLeft(one.rate_limit.calls_left, calls, one.rate_limit.is_paused)

    @property
    def projects_known(self) -> dict[str, int]:
        return {one.plugin.name: one.context.project_index.size for one in self._all}

    def start(self) -> None:
        """Loads each service's stored project list and refreshes it in the background. Raises what the
        driver raises.
        """
        for one in self._all:
            one.rate_limit.start()
            one.context.project_index.start()

    def watched(self, metrics: Metrics) -> None:
        """Registers each service's gauges, which are read on each scrape."""
        for one in self._all:
            _watch(one, metrics)

    def webhooks(self, hinted: Callable[[str, str, str], None]) -> dict[str, WSGIApplication]:
        """The webhook application of each path. `hinted(service, project_id, key)` is called on a thread of its own."""
        webhooks = [
            one.plugin.webhook(self._settings.ci[one.plugin.name], one.client, self._poll_now(one.plugin.name, hinted))
            for one in self._all
        ]
        return dict(webhook for webhook in webhooks if webhook is not None)

    def _poll_now(self, service: str, hinted: Callable[[str, str, str], None]) -> PollNow:
        def poll_now(project_id: str, key: str) -> None:
            if not self._hints_to_come.acquire(blocking=False):
                log.info("webhook_dropped", service=service)  # the next poll sees the change anyway
                return
            try:
                future = self._hints.submit(hinted, service, project_id, key)
            except RuntimeError:  # closed: dropped in the same way
                self._hints_to_come.release()
                return
            future.add_done_callback(lambda _done: self._hints_to_come.release())

        return poll_now

    def redeliver_failed(self) -> None:
        """Asks the services to send webhooks again that did not arrive, each once, whichever replica asks.

        Logs a failure: polling finds the rest.
        """
        for one in self._all:

            def is_first(id_: str, service: str = one.plugin.name) -> bool:
                return self._keys.add(f"redelivery {service} {id_}", keep_s=REDELIVERY_KEPT_S)

            try:
                with charged_to(FOR_BACKGROUND):
                    count = one.client.redeliver_failed(is_first)
            except CIError as failure:
                log.info("webhooks_not_redelivered", service=one.plugin.name, why=str(failure))
            else:
                if count:
                    log.info("webhooks_redelivered", service=one.plugin.name, count=count)

    def wait_heard(self, timeout_s: float) -> bool:
        """Whether all webhooks received so far were passed on within `timeout_s`."""
        try:
            self._hints.submit(lambda: None).result(timeout_s)  # hints are passed on in order
        except TimeoutError:
            return False
        return True

    def finish(self, deadline: float) -> int:
        """Waits for restarts until `deadline`, in seconds of `time.monotonic()`. Returns how many are left.

        Waits at most `MAX_READING_S` for fetches.
        """
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
    directory, rate_limit = one.context.project_index, one.rate_limit
    metrics.watch_service(
        one.plugin.name,
        projects_known=lambda: directory.size,
        calls_left=lambda: rate_limit.calls_left,
        is_paused=lambda: rate_limit.is_paused,
    )

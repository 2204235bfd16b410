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
from bot.app.threads import Calls
from bot.app.timeouts import Patience
from bot.ci.service import CIService, Connected, Hint
from bot.core.actions.sender import Sending
from bot.core.actions.service import Restarts
from bot.core.build_fetcher import Looks
from bot.core.lookup.ci_registry import Service, Services
from bot.core.lookup.project_index import Directory
from bot.core.ports import Clock
from bot.metrics import Metrics
from bot.slack.blocks.context import ServiceWords
from bot.store.database import Store
from bot.store.rate_limit.shared import StoredBudget

RESTARTS_AT_ONCE = 16
HINTS_AT_ONCE = 100
LONGEST_READING_S = 1.0
"""How long a stop waits for readings whose asker has been answered: most end in milliseconds."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _One:
    """A service, and what is to be closed of it."""

    kind: CIService
    client: Connected
    budget: StoredBudget
    calls: Calls
    sends: Calls
    service: Service


class ConnectedServices:
    """`services` is what the core asks. `start` once, then `finish` and `close` once."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        metrics: Metrics,
        clock: Clock,
        environ: Mapping[str, str],
        patience: Patience,
        random: Callable[[], float],
    ) -> None:
        self._settings = settings

        def one(kind: CIService) -> _One:
            values = settings.ci[kind.name]
            budget = store.budget(kind.name, values[kind.calls_setting], partial(metrics.budget_asked, kind.name))
            client = connected(kind, values, clock, environ, metrics, patience, random=random, budget=budget)
            calls = Calls(CALLS_AT_ONCE, f"{kind.name} call")
            sends = Calls(RESTARTS_AT_ONCE, f"{kind.name} restart")
            looks = Looks(client, calls, clock, longest_call_s=patience.call_s)
            sending = Sending(client, looks, store.claims, sends, clock)
            restarts = Restarts(client, store.claims, store.history, sending, clock)
            directory = Directory(client, store.directory, calls, clock, nearest)
            return _One(kind, client, budget, calls, sends, Service(client, directory, looks, restarts))

        self._all = [one(kind) for kind in named(settings.ci_providers)]
        self._hints = Calls(1, "hint")
        self._hints_to_come = BoundedSemaphore(HINTS_AT_ONCE)
        self.services = Services([one.service for one in self._all], nearest, clock, pins=settings.ci_pinned)

    @property
    def words(self) -> dict[str, ServiceWords]:
        """What texts say of each, by its name."""
        return {
            one.kind.name: ServiceWords(
                one.kind.title,
                key_setting(one.kind, self._settings.ci[one.kind.name]),
                one.kind.calls_setting,
                one.client.abilities,
                one.kind.rights,
            )
            for one in self._all
        }

    @property
    def projects_known(self) -> dict[str, int]:
        return {one.kind.name: one.service.directory.size for one in self._all}

    def start(self) -> None:
        """Asks each for its repositories behind the scenes, once what is known of them is read. Raises what the store's
        driver raises."""
        for one in self._all:
            one.budget.start()
            one.service.directory.start()

    def watched(self, metrics: Metrics) -> None:
        """Gauges of each, read when somebody looks."""
        for one in self._all:
            _watch(one, metrics)

    def webhooks(self, hinted: Callable[[str, str, str], None]) -> dict[str, WSGIApplication]:
        """What answers the services at which path. `hinted(service, project_id, key)` is called off their threads."""
        webhooks = [
            one.kind.webhook(self._settings.ci[one.kind.name], self._hint(one.kind.name, hinted)) for one in self._all
        ]
        return dict(webhook for webhook in webhooks if webhook is not None)

    def _hint(self, service: str, hinted: Callable[[str, str, str], None]) -> Hint:
        def hint(project_id: str, key: str) -> None:
            if not self._hints_to_come.acquire(blocking=False):
                log.info("hint_dropped", service=service)  # the next look sees it anyway
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

    def finish(self, until: float) -> int:
        """Waits for restarts until then, on the clock `time.monotonic()`, and counts those that are left; for readings
        a moment at most."""
        self._hints.finish(0.0)
        left = sum(one.sends.finish(until - time.monotonic()) for one in self._all)
        readings_until = min(time.monotonic() + LONGEST_READING_S, until)
        for one in self._all:
            one.calls.finish(readings_until - time.monotonic())
        return left

    def close(self) -> None:
        for one in self._all:
            one.client.close()
        for one in self._all:
            one.budget.close()


def _watch(one: _One, metrics: Metrics) -> None:
    directory, budget = one.service.directory, one.budget
    metrics.watch_service(
        one.kind.name,
        projects_known=lambda: directory.size,
        calls_left=lambda: budget.calls_left,
        is_paused=lambda: budget.is_paused,
    )

"""Parts that `assembly` puts together and `--check` looks at one by one: patience, executors, the services' clients."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from typing import Any, ParamSpec, TypeVar

import requests
import structlog
from slack_sdk.web import WebClient

from bot.ci.key_watch import KeyWatch
from bot.ci.service import CIService, Connected, Observe, Surroundings, Values
from bot.core.errors import BotError
from bot.core.pacing import PACE, Pace
from bot.core.ports import Budget, Clock
from bot.core.spending import Spending
from bot.jobs.durable import PATIENCE as JOBS_PATIENCE
from bot.jobs.durable import Patience as JobsPatience
from bot.metrics import Metrics
from bot.setting_services import key_setting
from bot.settings import Settings
from bot.slack.web_client import web_client

CALLS_AT_ONCE = 64

log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the bot waits, in seconds. An ask is answered within `asking_s` and what Slack takes for the answer."""

    asking_s: float = 16.0
    connect_s: float = 3.05
    read_s: float = 6.0
    call_s: float = 12.0
    slack_s: float = 4.0
    finish_s: float = 10.0
    jobs: JobsPatience = JOBS_PATIENCE
    pace: Pace = PACE
    heal_s: float = 30.0


PATIENCE = Patience()


class Calls(ThreadPoolExecutor):
    """Logs bugs, which would otherwise end in a future that nobody waits for any more."""

    def __init__(self, at_once: int, name: str) -> None:
        super().__init__(at_once, name)
        self._under_way: set[Future[Any]] = set()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future = super().submit(fn, *args, **kwargs)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        future.add_done_callback(_report)
        return future

    def finish(self, within_s: float) -> int:
        """Drops what was not begun, waits for the rest, and counts what is left."""
        self.shutdown(wait=False, cancel_futures=True)
        return len(wait(self._under_way.copy(), timeout=max(within_s, 0.0)).not_done)


def _report(future: Future[Any]) -> None:
    failure = None if future.cancelled() else future.exception()
    if failure is not None and not isinstance(failure, BotError):
        log.error("call_failed", exc_info=failure)


def slack_client(settings: Settings, patience: Patience = PATIENCE) -> WebClient:
    return web_client(settings.slack_bot_token.reveal(), settings.slack_api_url, patience.slack_s)


def connected(
    service: CIService,
    values: Values,
    clock: Clock,
    environ: Mapping[str, str],
    metrics: Metrics | None = None,
    patience: Patience = PATIENCE,
    *,
    random: Callable[[], float] = random.random,
    budget: Budget | None = None,
) -> Connected:
    """A CI service's client. Each try is paid for where there is a `budget`; it is counted, and a key that turns bad
    is told once, where `metrics` are kept."""
    spending = Spending(budget, service.title) if budget else None
    return service.connect(
        values,
        Surroundings(
            wait=clock.wait,
            monotonic=clock.monotonic,
            now=clock.now,
            random=random,
            environ=environ,
            observe=_observed(service, key_setting(service, values), metrics)
            if metrics
            else lambda _call, _result, _seconds: None,
            before_try=spending.before_try if spending else lambda _call: None,
            after_try=spending.after_try if spending else lambda _failure, _was_free: None,
            workers=CALLS_AT_ONCE,
            connect_s=patience.connect_s,
            read_s=patience.read_s,
            total_s=patience.call_s,
        ),
    )


def _observed(service: CIService, key_setting: str, metrics: Metrics) -> Observe:
    watch = KeyWatch(service.title, key_setting, partial(metrics.key_accepted, service.name))
    metrics.key_accepted(service.name, True)

    def observe(call: str, result: str, seconds: float) -> None:
        metrics.ci_called(service.name, call, result, seconds)
        watch.called(result)

    return observe


class Every:
    """Does `work` every `seconds` on a thread of its own, until `stop`; what it raises is logged, and no end of it."""

    def __init__(self, seconds: float, name: str, work: Callable[[], None]) -> None:
        self._seconds = seconds
        self._work = work
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Waits for what is being done."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            try:
                self._work()
            except Exception:  # logged, and tried again next time: one failure must not end the thread
                log.exception("not_done", work=self._thread.name)


def proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    """The proxy that the environment names for Slack; urllib and requests find theirs by the same rules."""
    proxy = environ.get("HTTPS_PROXY") or environ.get("https_proxy")
    spared = environ.get("NO_PROXY") or environ.get("no_proxy")
    return proxy if proxy and not requests.utils.should_bypass_proxies(url, no_proxy=spared) else None

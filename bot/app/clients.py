"""Creates the clients of Slack and of the CI services, for the bot and for `--check`."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import ParamSpec, TypeVar

import requests
import structlog
from slack_sdk.web import WebClient

from bot.app.settings import Settings, key_setting
from bot.app.timeouts import TIMEOUTS, Timeouts
from bot.ci.service import BuildRulesOf, CIClient, ClientContext, Observe, ServicePlugin, SettingValues, no_build_rules
from bot.core.ports import Clock, RateLimit
from bot.core.rate_limiter import RateLimiter
from bot.logs import hide
from bot.metrics import Metrics
from bot.slack.client.web_client import web_client

log = structlog.get_logger(__name__)

REFUSED = "Unauthorized"
_JUDGED = frozenset({"ok", "NotFound", REFUSED})
"""Only these results say whether the key is valid. A timeout or an overloaded server does not."""


class KeyMonitor:
    """Logs when a key becomes invalid or valid again, and calls `tell(accepted)`. `setting` holds the key."""

    def __init__(self, service: str, setting: str, tell: Callable[[bool], None]) -> None:
        self._service = service
        self._setting = setting
        self._tell = tell
        self._lock = threading.Lock()
        self._accepted = True

    def called(self, result: str) -> None:
        """Call after each request, with `ok` or the name of the error's class."""
        accepted = result != REFUSED
        if result not in _JUDGED or accepted == self._accepted:
            return
        with self._lock:
            if accepted == self._accepted:
                return
            self._accepted = accepted
            self._tell(accepted)  # under the lock, so that two changes are reported in order
        if accepted:
            log.info("ci_key_accepted_again", service=self._service)
        else:
            log.error("ci_key_rejected", service=self._service, next_step=f"put a valid key into {self._setting}")


CALLS_AT_ONCE = 64

log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


def slack_client(settings: Settings, timeouts: Timeouts = TIMEOUTS) -> WebClient:
    """Slack's client. It masks the settings' secrets in everything it sends."""
    mask = hide(settings.secrets(), shapes=())
    return web_client(settings.slack_bot_token.reveal(), settings.slack_api_url, timeouts.slack_s, mask=mask)


def connected(
    service: ServicePlugin,
    values: SettingValues,
    clock: Clock,
    environ: Mapping[str, str],
    metrics: Metrics | None = None,
    timeouts: Timeouts = TIMEOUTS,
    *,
    random: Callable[[], float] = random.random,
    rate_limit: RateLimit | None = None,
    build_rules: BuildRulesOf = no_build_rules,
) -> CIClient:
    """A CI service's client.

    With a `rate_limit`, each request is charged to it. With `metrics`, each request is counted, and a key that becomes
    invalid is logged once.
    """
    spending = RateLimiter(rate_limit, service.title) if rate_limit else None
    return service.connect(
        values,
        ClientContext(
            wait=clock.wait,
            monotonic=clock.monotonic,
            now=clock.now,
            random=random,
            environ=environ,
            observe=_observed(service, key_setting(service, values), metrics)
            if metrics
            else lambda _call, _result, _seconds: None,
            before_request=spending.before_request if spending else lambda _call: None,
            after_request=spending.after_request if spending else lambda _failure, _was_free: None,
            workers=CALLS_AT_ONCE,
            connect_s=timeouts.connect_s,
            read_s=timeouts.read_s,
            total_s=timeouts.call_s,
            build_rules=build_rules,
        ),
    )


def client_context(clock: Clock, environ: Mapping[str, str], timeouts: Timeouts = TIMEOUTS) -> ClientContext:
    """For tools that send a few requests: without metrics and without a rate limit."""
    return ClientContext(
        wait=clock.wait,
        monotonic=clock.monotonic,
        now=clock.now,
        random=random.random,
        environ=environ,
        observe=lambda _call, _result, _seconds: None,
        before_request=lambda _call: None,
        after_request=lambda _failure, _was_free: None,
        connect_s=timeouts.connect_s,
        read_s=timeouts.read_s,
        total_s=timeouts.call_s,
    )


def _observed(service: ServicePlugin, key_setting: str, metrics: Metrics) -> Observe:
    watch = KeyMonitor(service.title, key_setting, partial(metrics.key_accepted, service.name))
    metrics.key_accepted(service.name, True)

    def observe(call: str, result: str, seconds: float) -> None:
        metrics.ci_called(service.name, call, result, seconds)
        watch.called(result)

    return observe


def proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    """The proxy for Slack from the environment, or None. urllib and requests find theirs by the same rules."""
    proxy = environ.get("HTTPS_PROXY") or environ.get("https_proxy")
    spared = environ.get("NO_PROXY") or environ.get("no_proxy")
    return proxy if proxy and not requests.utils.should_bypass_proxies(url, no_proxy=spared) else None

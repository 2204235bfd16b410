"""The composition root: the only place that names concrete classes of every kind and puts them together.

The same assembly runs in production, in the tests and in the playground; only settings and clock differ.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import requests
import structlog
from slack_sdk.web import WebClient

from bot.alike import nearest
from bot.ci.codeship import CodeShip
from bot.ci.key_watch import KeyWatch
from bot.core.directory import Directory
from bot.core.errors import BotError
from bot.core.looks import Looks
from bot.core.operations import Operations
from bot.core.ports import Clock
from bot.core.restarts import Restarts
from bot.logs import reference
from bot.metrics import Metrics
from bot.settings import Settings
from bot.slack.answers import Answers
from bot.slack.bolt import build_app
from bot.slack.conversation import Conversation, Manners
from bot.slack.heard import Home
from bot.slack.http_mode import HttpMode
from bot.slack.identity import Token, who_am_i
from bot.slack.listeners import register
from bot.slack.response_urls import ResponseUrls
from bot.slack.socket_mode import SocketMode
from bot.slack.web_client import web_client
from bot.slack.workers import Workers
from bot.store.database import Store, open_store
from bot.web import WebApp, WebServer

SLACK_EVENTS = "/slack/events"
SLACK_CALL_S = 4.0
CALLS_AT_ONCE = 64
RESTARTS_AT_ONCE = 16

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
    finish_s: float = 10.0


PATIENCE = Patience()


class _Reporting(ThreadPoolExecutor):
    """Logs bugs, which would otherwise end in a future that nobody waits for any more."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future = super().submit(fn, *args, **kwargs)
        future.add_done_callback(_report)
        return future


def _report(future: Future[Any]) -> None:
    failure = None if future.cancelled() else future.exception()
    if failure is not None and not isinstance(failure, BotError):
        log.error("call_failed", exc_info=failure)


def slack_client(settings: Settings) -> WebClient:
    return web_client(settings.slack_bot_token.reveal(), settings.slack_api_url, SLACK_CALL_S)


def codeship(
    settings: Settings,
    clock: Clock,
    environ: Mapping[str, str],
    metrics: Metrics | None = None,
    patience: Patience = PATIENCE,
) -> CodeShip:
    """The CI service. Its calls are counted, and a key that turns bad is told once, where `metrics` are kept."""
    watch = KeyWatch("CodeShip", "CODESHIP_API_KEY", metrics.key_accepted) if metrics else None

    def observe(call: str, result: str, seconds: float) -> None:
        if metrics and watch:
            metrics.ci_called(call, result, seconds)
            watch.called(result)

    return CodeShip(
        settings.codeship_api_url,
        settings.codeship_api_key.reveal(),
        wait=clock.wait,
        monotonic=clock.monotonic,
        random=random.random,
        environ=environ,
        web_url=settings.codeship_web_url,
        workers=CALLS_AT_ONCE,
        connect_s=patience.connect_s,
        read_s=patience.read_s,
        total_s=patience.call_s,
        observe=observe,
    )


class Bot:
    """Everything, put together. `start` once, `stop` once; `on_dead` is called where the process had better end."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        environ: Mapping[str, str],
        *,
        on_dead: Callable[[], None],
        reference: Callable[[], str] = reference,
        patience: Patience = PATIENCE,
    ) -> None:
        self._settings = settings
        self._stopping = threading.Event()
        self.metrics = Metrics()
        self.store: Store = open_store(settings.database_url.reveal(), clock)
        self.workers = Workers(_work_failed)
        self._calls = _Reporting(CALLS_AT_ONCE, "call")
        self._restarts = _Reporting(RESTARTS_AT_ONCE, "restart")
        self._session = requests.Session()
        self._client = slack_client(settings)
        self.ci = codeship(settings, clock, environ, self.metrics, patience)
        self.directory = Directory(self.ci, self.store.directory, self._calls, clock, nearest)
        looks = Looks(self.ci, self._calls, clock)
        restarts = Restarts(self.ci, looks, self.store.claims, self._restarts, clock)
        self._operations = Operations(self.ci, self.directory, looks, restarts)
        self._clock = clock
        self._environ = environ
        self._on_dead = on_dead
        self._reference = reference
        self._patience = patience
        self._socket: SocketMode | None = None
        self.web: WebServer | None = None

    def start(self) -> None:
        """Returns when the bot can be asked. Raises TokenRefused, SlackAway, AppTokenRefused, CannotListen."""
        token = who_am_i(self._client)
        app = build_app(token.identity)
        self._listen(app, token)
        self.directory.start()
        watch = self.metrics.watch
        watch("bot_work_under_way", "Asks that wait or are being answered.", lambda: self.workers.under_way)
        watch("bot_projects_known", "Repositories in the directory.", lambda: self.directory.size)
        self._start_web(app)
        self._start_socket_mode(app)
        log.info(
            "ready",
            team=token.team,
            bot=token.user,
            transport="socket mode" if self._socket else "http",
            port=self.web.port if self.web else None,
            database=self.store.check(),
        )

    def stop(self) -> list[str]:
        """Takes nothing more, finishes what was begun within ten seconds, and names what was left."""
        self._stopping.set()
        left = self.workers.stop(self._patience.finish_s)  # first, so that whoever still asks is told to ask again
        if self._socket is not None:
            self._socket.stop()
        if self.web is not None:
            self.web.stop()
        for pool in (self._restarts, self._calls):
            pool.shutdown(wait=not left, cancel_futures=True)
        self.ci.close()
        self._session.close()
        self.store.close()
        log.info("stopped", left=len(left))
        return left

    def _listen(self, app: Any, token: Token) -> None:
        settings, identity = self._settings, token.identity
        home = Home(identity.team_id, identity.bot_user_id, identity.enterprise_id)
        mention = f"@{token.user}"
        answers = Answers(self._client, ResponseUrls(settings.slack_api_url, self._session), self.store.once, mention)
        conversation = Conversation(
            operations=self._operations,
            answers=answers,
            once=self.store.once,
            clock=self._clock,
            home=home,
            manners=Manners(
                settings.slack_command,
                mention,
                self.ci.title,
                settings.slack_allow_other_workspaces,
                self._patience.asking_s,
            ),
            reference=self._reference,
            observe=self.metrics.answered,
        )
        register(
            app,
            workers=self.workers,
            conversation=conversation,
            clock=self._clock,
            home=home,
            command=settings.slack_command,
        )

    def _start_web(self, app: Any) -> None:
        settings = self._settings
        if settings.port is None:
            return
        posts = {}
        if not settings.uses_socket_mode and settings.slack_signing_secret is not None:
            secret = settings.slack_signing_secret.reveal()
            posts[SLACK_EVENTS] = HttpMode(app, secret, observe_ack=self.metrics.acknowledged)
        site = WebApp(ready=self._ready, registry=self.metrics.registry, reference=self._reference, posts=posts)
        self.web = WebServer(site, settings.host, settings.port)
        self.web.start()

    def _start_socket_mode(self, app: Any) -> None:
        settings = self._settings
        if settings.slack_app_token is None:
            return
        self._socket = SocketMode(
            app,
            settings.slack_app_token.reveal(),
            api_url=settings.slack_api_url,
            tls=self._client.ssl,
            reference=self._reference,
            observe_ack=self.metrics.acknowledged,
            on_dead=self._on_dead,
            proxy=_proxy_for(settings.slack_api_url, self._environ),
        )
        self._socket.start()

    def _ready(self) -> tuple[bool, Mapping[str, Any]]:
        """Whether Slack can reach us. Not whether the CI service answers: "CodeShip is down" is an answer, too."""
        reachable = self._socket.connected if self._socket else not self._settings.uses_socket_mode
        return reachable and not self._stopping.is_set(), {
            "slack": "connected" if reachable else "not connected",
            "projects_known": self.directory.size,
        }


def _proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    """The proxy that the environment names for Slack; urllib and requests find theirs by the same rules."""
    proxy = environ.get("HTTPS_PROXY") or environ.get("https_proxy")
    spared = environ.get("NO_PROXY") or environ.get("no_proxy")
    return proxy if proxy and not requests.utils.should_bypass_proxies(url, no_proxy=spared) else None


def _work_failed(name: str, error: BaseException) -> None:
    log.error("work_failed", work=name, exc_info=error)

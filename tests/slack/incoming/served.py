"""A bot with one listener that records what it receives, served over HTTP on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry

from bot.http_server import WebApp, WebServer
from bot.slack.client.auth import Identity
from bot.slack.incoming.bolt_app import build_app, listen
from bot.slack.incoming.http_mode import HttpMode
from bot.slack.incoming.workers import WorkerPool
from tests.slack.incoming.over_http import SECRET

NOW = 1_700_000_000.0


class Served:
    """The test that creates it starts and stops it."""

    def __init__(self) -> None:
        self.now = NOW
        self.ready: tuple[bool, dict[str, Any]] = (True, {"store": "ok"})
        self.upstream: Callable[[], object] = lambda: None
        self.heard: list[str] = []
        self.acks: list[tuple[str, float]] = []
        self.bugs: list[BaseException] = []
        self.workers = WorkerPool(lambda name, error: self.bugs.append(error))
        self.registry = CollectorRegistry()
        app = build_app(Identity(team_id="T1", bot_user_id="UBOT", bot_id="BBOT"))
        listen(app.command("/codeship"), self.workers, "command", self._hear)
        http_mode = HttpMode(
            app, SECRET, observe_ack=lambda kind, seconds: self.acks.append((kind, seconds)), now=lambda: self.now
        )
        web_app = WebApp(
            ready=lambda: self.ready,
            registry=self.registry,
            reference=lambda: "r3f",
            posts={"/slack/events": http_mode, "/broken": self._break},
        )
        self.server = WebServer(web_app, "127.0.0.1", 0)

    def _hear(self, payload: dict[str, Any], received_at: float) -> None:
        self.upstream()
        self.heard.append(payload["text"])

    def _break(self, environ: object, start_response: object) -> Iterable[bytes]:
        raise RuntimeError("what only the log may say")

    def stop(self) -> None:
        self.server.stop()
        self.workers.stop(timeout_s=5)
        assert self.bugs == []

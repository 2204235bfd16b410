"""A Slack, a CodeShip and perhaps a GitHub for a bot that is killed. They see each step, and start the bot.

Steps are seen from outside. A request arrives at the sandbox; it has had its effect, but no response yet; the bot's
process has committed a transaction.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from bot.app.clock import SystemClock
from playground.codeship import server as codeship_host
from playground.codeship.demo_data import seed
from playground.codeship.state import CodeShipWorld
from playground.github.api import server as github_api
from playground.github.sandbox import GITHUB_TOKEN
from playground.github.state import GitHubWorld
from playground.http_host.server import Loopback
from playground.sandbox import API_KEY, BOT_TOKEN, SIGNING_SECRET
from playground.slack import server as slack_api
from playground.slack.outgoing.delivery import HttpTransport
from playground.slack.outgoing.socket_mode import SocketMode
from playground.slack.workspace import Workspace
from playground.traffic import TrafficLog

ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 90.0
BESIDE = (" replicas", " rate_limit", " project_lists", " projects", " watch_leases")
"""Tables that background threads write at their own times, independent of requests and news."""


class Mould:
    """Forks bots. Safe for threads."""

    def __init__(self) -> None:
        bare = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.killing.runner"],
            cwd=ROOT,
            env={**bare, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lock = threading.Lock()

    def fork(self, **order: Any) -> int:
        """The process id."""
        with self._lock:
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())

    def stop(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(PATIENCE_S)
        self._process.stdout.close()


class Process:
    """A bot. Its reports are read until its connection ends, which happens when it does."""

    def __init__(
        self, mould: Mould, environ: dict[str, str], log: Path, reach: Callable[[str], bool], **more: Any
    ) -> None:
        self._reach = reach
        self._log = log
        self.port = 0
        self._ready = threading.Event()
        self.ended = threading.Event()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(PATIENCE_S)
            self.pid = mould.fork(environ=environ, log=str(log), port=listener.getsockname()[1], **more)
            self._connection, _ = listener.accept()
        self._thread = threading.Thread(target=self._hear, daemon=True)
        self._thread.start()

    def wait_ready(self) -> int:
        """The port that it listens on."""
        assert self._ready.wait(PATIENCE_S), self.log
        assert self.port, self.log
        return self.port

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        if not self.ended.is_set():
            os.kill(self.pid, signal.SIGKILL)

    def terminate(self) -> None:
        """In order, with all that it does at its end."""
        os.kill(self.pid, signal.SIGTERM)
        assert self.ended.wait(PATIENCE_S), self.log
        self._thread.join(PATIENCE_S)

    def end(self) -> None:
        """Kills it and waits until it is dead."""
        self.kill()
        assert self.ended.wait(PATIENCE_S)
        self._thread.join(PATIENCE_S)

    def _hear(self) -> None:
        try:
            with self._connection, self._connection.makefile("rw", encoding="utf-8") as file:
                for line in file:
                    what, _, rest = line.strip().partition(" ")
                    if what == "ready":
                        self.port = int(rest)
                        self._ready.set()
                    elif self._reach(line.strip()):
                        continue  # killed, and never answered
                    file.write("\n")
                    file.flush()
        except OSError:
            pass
        self.ended.set()
        self._ready.set()


@dataclass
class Steps:
    """Counts them from `begin` on, and kills at the one named `kill_at`. Safe for threads."""

    kill_at: str | None = None
    kill: Callable[[], None] = lambda: None
    reached: list[str] = field(default_factory=list)
    killed: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._counting = False
        self._after = "the ask"
        self._counts: Counter[str] = Counter()
        self._seen: Counter[str] = Counter()

    def begin(self) -> None:
        with self._lock:
            self._counting = True

    def stop(self) -> None:
        with self._lock:
            self._counting = False

    def reach(self, name: str, landmark: str | None = None) -> bool:
        """Whether the process has been killed there. `landmark`: what later steps are named after."""
        with self._lock:
            if not self._counting or self.killed.is_set():
                return self.killed.is_set() and self._counting
            if any(word in name for word in BESIDE):
                return False
            key = f"after {self._after}: {name}"
            self._seen[key] += 1
            if self._seen[key] > 1:
                key += f" ({self._seen[key]})"
            if landmark is not None:
                self._counts[landmark] += 1
                count = self._counts[landmark]
                self._after = landmark if count == 1 else f"{landmark} {count}"
            self.reached.append(key)
            if key != self.kill_at:
                return False
            self.kill()
            self.killed.set()
            return True


class Watcher(Protocol):
    """Receives each step of the bots."""

    def reach(self, name: str, landmark: str | None = None) -> bool:
        """Whether the bot has been killed there, so that its connection is cut."""


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Theatre:
    """A workspace and a CodeShip on loopback; a GitHub too, with these repositories, if there are any."""

    def __init__(self, database_url: str, steps: Watcher, on_github: Sequence[str] = (), **settings: str) -> None:
        clock = SystemClock()
        self.steps = steps
        self.codeship = CodeShipWorld(clock.now, API_KEY)
        seed(self.codeship)
        self.workspace = Workspace(clock.now, BOT_TOKEN, settings.get("SLACK_APP_TOKEN"), SIGNING_SECRET)
        self.sockets = SocketMode(self.workspace.app.id, ack_timeout_s=15.0)
        self.github = GitHubWorld(clock.now, GITHUB_TOKEN)
        self.github.accounts.limits.per_hour = None
        for repository in on_github:
            self.github.add_repo(repository)
        codeship = codeship_host.application(self.codeship, TrafficLog(clock.now))
        github = github_api.application(self.github, TrafficLog(clock.now), "", github_api.WEB_URL)
        slack = slack_api.application(self.workspace, self.sockets)
        for app, name_of in ((codeship, _codeship_call), (github, _github_call), (slack, _slack_call)):
            app.middlewares.insert(0, self._watched(name_of))
        self._codeship, self._slack = Loopback(codeship), Loopback(slack)
        self._github = Loopback(github) if on_github else None
        self._database_url = database_url
        self._settings = settings

    def start(self) -> None:
        self._codeship.start()
        if self._github is not None:
            self._github.start()
        self._slack.start()
        self.workspace.base_url = self._slack.url
        self.workspace.new_link_url = self._new_link_url
        self.workspace.deliver_through(self.sockets)

    def stop(self) -> None:
        self.codeship.release()
        self.github.release()
        self._slack.stop()
        if self._github is not None:
            self._github.stop()
        self._codeship.stop()

    @property
    def environ(self) -> dict[str, str]:
        return {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_API_URL": f"{self._slack.url}/api/",
            **({} if "SLACK_APP_TOKEN" in self._settings else {"SLACK_SIGNING_SECRET": SIGNING_SECRET}),
            "CODESHIP_API_KEY": API_KEY,
            "CODESHIP_API_URL": f"{self._codeship.url}{codeship_host.BASE_PATH}",
            "CODESHIP_CALLS_PER_MINUTE": "600",
            "DATABASE_URL": self._database_url,
            "HOST": "127.0.0.1",
            "PORT": "0",
            **({"GITHUB_TOKEN": GITHUB_TOKEN, "GITHUB_API_URL": self._github.url} if self._github else {}),
            **self._settings,
        }

    def _new_link_url(self) -> str:
        return f"ws://127.0.0.1:{self._slack.port}/link/?ticket={self.sockets.new_ticket()}"

    def deliver_to(self, port: int) -> None:
        self.workspace.deliver_through(HttpTransport(f"http://127.0.0.1:{port}/slack/events", SIGNING_SECRET, 10.0))

    def texts(self, viewer: str = "ada") -> list[str]:
        return [message.text for message in self.workspace.conversation("#builds", viewer)]

    def _watched(self, name_of: Callable[[web.Request], tuple[str, bool]]) -> Any:
        @web.middleware
        async def watched(request: web.Request, handler: Handler) -> web.StreamResponse:
            name, changes = name_of(request)
            if not name:
                return await handler(request)
            if changes and self.steps.reach(f"{name} arrives"):
                return _hang_up(request)
            answer = await handler(request)
            if self.steps.reach(f"{name} not answered yet", name if changes else None):
                return _hang_up(request)
            return answer

        return watched


def _codeship_call(request: web.Request) -> tuple[str, bool]:
    call = request.path.rpartition("/")[2]
    if request.method == "POST":
        return "POST restart", True
    return ("", False) if call == "projects.json" else ("GET project", False)


def _github_call(request: web.Request) -> tuple[str, bool]:
    call = request.path.rpartition("/")[2]
    return (f"POST {call}", True) if request.method == "POST" else ("GET github", False)


def _slack_call(request: web.Request) -> tuple[str, bool]:
    if request.path.startswith("/api/"):
        method = request.match_info["method"]
        return ("", False) if method in ("auth.test", "apps.connections.open") else (method, True)
    return ("", False) if request.path == "/link/" else ("response_url", True)


def _hang_up(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.close()
    return web.Response()


def wait_until(fact: Callable[[], Any], timeout_s: float = PATIENCE_S) -> bool:
    """Checks a few times a second: the facts belong to another process, and nothing signals changes."""
    pause, until = threading.Event(), time.monotonic() + timeout_s
    while not fact():
        if time.monotonic() > until:
            return False
        pause.wait(0.1)
    return True

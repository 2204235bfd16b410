"""`python -m bot` as a process, configured by its environment, and the sandbox that it uses."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.app.clock import SystemClock
from playground.codeship.demo_data import seed
from playground.codeship.server import CodeShipHost
from playground.codeship.state import CodeShipWorld
from playground.sandbox import API_KEY, APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, Transport
from playground.slack.outgoing.delivery import HttpTransport
from playground.slack.server import SlackApi
from playground.slack.workspace import Workspace

ROOT = Path(__file__).parents[2]
SECRETS = (BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, API_KEY)
MAX_S = 60.0


class Sandbox:
    """A workspace and a CodeShip on loopback, without a bot. `environ` is what an operator would set."""

    def __init__(self, transport: Transport, folder: Path, *, slack_port: int = 0) -> None:
        clock = SystemClock()
        self.transport = transport
        self.codeship = CodeShipWorld(clock.now, API_KEY)
        seed(self.codeship)
        self.host = CodeShipHost(self.codeship)
        app_token = APP_TOKEN if transport == "socket mode" else None
        self.workspace = Workspace(clock.now, BOT_TOKEN, app_token, SIGNING_SECRET)
        self.slack = SlackApi(self.workspace, slack_port)
        self._database = folder / "bot.sqlite3"
        self._slack_runs = False

    def start_codeship(self) -> None:
        self.host.start()

    def start_slack(self) -> None:
        self.slack.start()
        self._slack_runs = True

    def stop(self) -> None:
        self.codeship.release()
        if self._slack_runs:
            self.slack.stop()
        self.host.stop()

    @property
    def environ(self) -> dict[str, str]:
        environ = {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_API_URL": self.slack.api_url,
            "CODESHIP_API_KEY": API_KEY,
            "CODESHIP_API_URL": self.host.url,
            "DATABASE_URL": f"sqlite:///{self._database}",
            "HOST": "127.0.0.1",
            "LOG_FORMAT": "json",
        }
        if self.transport == "socket mode":
            return environ | {"SLACK_APP_TOKEN": APP_TOKEN}
        return environ | {"SLACK_SIGNING_SECRET": SIGNING_SECRET, "PORT": "0"}

    def says(self, text: str, who: str = "ada") -> None:
        delivery = self.workspace.types(who, "#builds", text)
        assert delivery is not None
        assert delivery.is_acked, delivery.ack

    def sees(self, words: str) -> bool:
        """Whether a message with these words appears; waits for it."""
        return self.workspace.wait_until(
            lambda: any(words in message.text for message in self.workspace.conversation("#builds", "ada")), MAX_S
        )


class BotProcess:
    """One run. `lines` are its log lines so far, parsed if they are JSON."""

    def __init__(self, environ: dict[str, str], folder: Path, *arguments: str) -> None:
        bare = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        self._changed = threading.Condition()
        self.lines: list[dict[str, Any]] = []
        self.text = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bot", *arguments],
            cwd=folder,
            env={**bare, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def logged(self, event: str) -> dict[str, Any]:
        """The first line of this event, waiting for it."""
        with self._changed:
            found = self._changed.wait_for(lambda: self._first(event) or self.process.poll() is not None, MAX_S)
        line = self._first(event)
        assert found, f"nothing was logged of {event}:\n{self.text}"
        assert line is not None, f"ended without {event}:\n{self.text}"
        return line

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self, timeout_s: float = MAX_S) -> int:
        """Its exit status, waiting for it."""
        status = self.process.wait(timeout_s)
        self._reader.join(MAX_S)
        return status

    @property
    def command_line(self) -> str:
        return Path(f"/proc/{self.process.pid}/cmdline").read_text(encoding="utf-8")

    def _first(self, event: str) -> dict[str, Any] | None:
        return next((line for line in self.lines if line.get("event") == event), None)

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for text in output:
                with self._changed:
                    self.text += text
                    if text.startswith("{"):
                        self.lines.append(json.loads(text))
                    self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()


class Runs:
    """Starts the bot on a sandbox with additional settings. `stop` ends every run, and checks that none logged a
    secret.
    """

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._sandbox = sandbox
        self._folder = folder
        self._runs: list[BotProcess] = []

    def start(self, *arguments: str, environ: dict[str, str] | None = None, **settings: str) -> BotProcess:
        """`environ` in place of the sandbox's own."""
        run = BotProcess((self._sandbox.environ if environ is None else environ) | settings, self._folder, *arguments)
        self._runs.append(run)
        return run

    def ready(self, run: BotProcess | None = None) -> BotProcess:
        """A run that accepts requests: this one, or a new one."""
        run = run or self.start()
        port = run.logged("ready")["port"]
        if self._sandbox.transport == "http":
            url = f"http://127.0.0.1:{port}/slack/events"
            self._sandbox.workspace.deliver_through(HttpTransport(url, SIGNING_SECRET))
        return run

    def stop(self) -> None:
        for run in self._runs:
            if run.process.poll() is None:
                run.process.kill()
            run.ended()
        for run in self._runs:
            assert not [secret for secret in SECRETS if secret in run.text], "the output has a secret"


def sandbox_of(transport: Transport, folder: Path) -> Iterator[Sandbox]:
    sandbox = Sandbox(transport, folder)
    sandbox.start_codeship()
    sandbox.start_slack()
    yield sandbox
    sandbox.stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@pytest.fixture(params=["http", "socket mode"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox for each transport."""
    yield from sandbox_of(request.param, tmp_path)


@pytest.fixture
def http(tmp_path: Path) -> Iterator[Sandbox]:
    yield from sandbox_of("http", tmp_path)


@pytest.fixture
def either_runs(either: Sandbox, tmp_path: Path) -> Iterator[Runs]:
    runs = Runs(either, tmp_path)
    yield runs
    runs.stop()


@pytest.fixture
def runs(http: Sandbox, tmp_path: Path) -> Iterator[Runs]:
    runs = Runs(http, tmp_path)
    yield runs
    runs.stop()

"""`deploy/haproxy.cfg` in a real HAProxy on loopback, with two test servers instead of the replicas."""

from __future__ import annotations

import json
import re
import resource
import selectors
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from bot.app.bot import SLACK_EVENTS
from bot.app.clients import client_context
from bot.app.clock import SystemClock
from bot.ci.github.client import GitHub
from bot.ci.github.urls import WEBHOOK_PATH as GITHUB_WEBHOOK
from bot.ci.github.webhook import GitHubWebhook
from bot.config.parsers import Secret
from bot.http_server import MAX_BODY, WebApp, WebServer
from bot.slack.client.auth import Identity
from bot.slack.incoming.bolt_app import build_app, listen
from bot.slack.incoming.http_mode import HttpMode
from bot.slack.incoming.workers import WorkerPool
from tests.ci.github.test_webhook import BODY as GITHUB_BODY
from tests.ci.github.test_webhook import SECRET as GITHUB_SECRET
from tests.ci.github.test_webhook import signature
from tests.programs import program
from tests.slack.incoming.over_http import SECRET, call, command, post, sign

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "haproxy.cfg"
CODESHIP_TOKEN = "a-secret-of-the-CodeShip-webhook_1"
CODESHIP_WEBHOOK = f"/codeship/webhook/{CODESHIP_TOKEN}"
DRIPPING = 1_100
HALF_SENT = 950
CUT_WITHIN_S = 5.0
"""What `timeout http-request` says."""

pytestmark = pytest.mark.serial


class Replicas:
    """Two servers with a replica's paths. `heard` has the requests that reached them."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._client = GitHub("https://api.github.com", Secret("of-no-use"), client_context(SystemClock(), {}))
        self._workers = WorkerPool(lambda name, error: self.heard.append(repr(error)))
        app = build_app(Identity(team_id="T1", bot_user_id="UBOT", bot_id="BBOT"))
        listen(app.command("/codeship"), self._workers, "command", lambda payload, at: self.heard.append("slack"))
        posts = {
            SLACK_EVENTS: HttpMode(app, SECRET, observe_ack=lambda kind, seconds: None),
            GITHUB_WEBHOOK: GitHubWebhook(
                Secret(GITHUB_SECRET), self._client, lambda *hint: self.heard.append("github")
            ),
            CODESHIP_WEBHOOK: self._codeship,
        }
        self._servers = [
            WebServer(
                WebApp(
                    ready=lambda: (True, {}), registry=CollectorRegistry(), reference=lambda: "r3f", posts=dict(posts)
                ),
                "127.0.0.1",
                0,
            )
            for _ in range(2)
        ]

    def start(self) -> list[int]:
        for server in self._servers:
            server.start()
        return [server.port for server in self._servers]

    def stop(self) -> None:
        for server in self._servers:
            server.stop()
        self._client.close()
        self._workers.stop(timeout_s=5)

    def _hinted(self, _project_id: str, _key: str) -> None:
        self.heard.append("github")

    def _codeship(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.heard.append("codeship")
        start_response("202 Accepted", [("Content-Length", "0")])
        return []


class Proxy:
    """HAProxy on a port of loopback. `stop()` ends it and returns its log."""

    def __init__(self, replicas: list[int], folder: Path) -> None:
        listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port: int = listening.getsockname()[1]
        with listening:
            changes = {
                "bind :3000": f"bind fd@{listening.fileno()}",
                " resolvers docker init-addr none": "",
            }
            text = CONFIGURATION.read_text(encoding="utf-8")
            for old, new in changes.items():
                assert text.count(old) == 1, old
                text = text.replace(old, new)
            servers = "".join(rf"    server bot{port} 127.0.0.1:{port}\1\n" for port in replicas)
            text, replaced = re.subn(r"    server-template bot 3 bot:3000(.*)\n", servers, text)
            assert replaced == 2
            configuration = folder / "haproxy.cfg"
            configuration.write_text(text, encoding="utf-8")
            self._process = subprocess.Popen(
                [program("haproxy"), "-db", "-f", configuration],
                pass_fds=[listening.fileno()],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def stop(self) -> str:
        self._process.terminate()
        return self._process.communicate(timeout=20)[0]


@pytest.fixture
def replicas() -> Iterator[Replicas]:
    replicas = Replicas()
    yield replicas
    replicas.stop()


@pytest.fixture
def proxy(replicas: Replicas, tmp_path: Path) -> Iterator[Proxy]:
    program("haproxy")
    proxy = Proxy(replicas.start(), tmp_path)
    yield proxy
    proxy.stop()


def test_haproxy_accepts_the_file() -> None:
    checked = subprocess.run(
        [program("haproxy"), "-c", "-f", CONFIGURATION], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, "WARNING" in checked.stderr) == (0, False), checked.stderr


def test_requests_of_slack_and_github_reach_a_replica(proxy: Proxy, replicas: Replicas) -> None:
    body = command("status acme/web main")
    assert post(proxy.port, body, sign(body)).status == 200
    from_github = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "workflow_run",
        "X-Hub-Signature-256": signature(GITHUB_BODY),
    }
    assert call(proxy.port, "POST", GITHUB_WEBHOOK, GITHUB_BODY, from_github).status == 202
    assert call(proxy.port, "POST", CODESHIP_WEBHOOK, "{}").status == 202
    replicas.stop()
    assert sorted(replicas.heard) == ["codeship", "github", "slack"]


def test_an_unsigned_command_gets_the_bots_refusal(proxy: Proxy) -> None:
    answer = post(proxy.port, command("status acme/web main"), {})
    assert (answer.status, answer.json) == (401, {"error": "not signed by Slack"})


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/healthz", "/readyz", "/metrics", "/metrics/", "//metrics", "/slack/events/../../metrics"),
        *("/slack/events/", "/github", "/codeship/webhook", "/codeship/webhook/", f"{CODESHIP_WEBHOOK}/more"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_operators_pages_and_all_other_paths_are_not_found(proxy: Proxy, method: str, path: str) -> None:
    answer = call(proxy.port, method, path, "" if method == "POST" else None)
    assert answer.status == 404
    assert answer.body.startswith(b"<html>"), "HAProxy's own refusal, not a replica's"


@pytest.mark.parametrize("path", [SLACK_EVENTS, GITHUB_WEBHOOK, CODESHIP_WEBHOOK])
def test_only_posts_pass(proxy: Proxy, path: str) -> None:
    assert call(proxy.port, "GET", path).status == 405


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("Transfer-Encoding: chunked\r\n", 411),
        ("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", 411),
        ("", 411),
        ("Content-Length: 3\r\nContent-Length: 4\r\n", 400),
        ("Content-Length: -1\r\n", 400),
        (f"Content-Length: {MAX_BODY + 1}\r\n", 413),
    ],
)
def test_a_body_must_have_a_length_that_the_bot_accepts(
    proxy: Proxy, replicas: Replicas, headers: str, status: int
) -> None:
    request = f"POST {CODESHIP_WEBHOOK} HTTP/1.1\r\nHost: x\r\n{headers}\r\n0\r\n\r\n"
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as connection:
        connection.sendall(request.encode())
        assert connection.recv(1000).startswith(f"HTTP/1.1 {status} ".encode())
    assert replicas.heard == []


def test_the_log_names_the_sender_and_not_the_secret_part_of_a_path(proxy: Proxy) -> None:
    call(proxy.port, "POST", CODESHIP_WEBHOOK, json.dumps({}))
    log = proxy.stop()
    assert "POST /codeship" in log
    assert CODESHIP_TOKEN not in log


@pytest.fixture
def open_files() -> Iterator[None]:
    """As many as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


HEAD = f"POST {SLACK_EVENTS} HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.usefixtures("open_files")
@pytest.mark.parametrize(
    "begun", [HEAD, f"{HEAD}Content-Length: 5000\r\n\r\nhalf a body"], ids=["dripping headers", "dripping bodies"]
)
def test_dripping_connections_are_cut_and_delay_no_command(proxy: Proxy, replicas: Replicas, begun: str) -> None:
    with selectors.DefaultSelector() as selector:
        for _ in range(DRIPPING):
            connection = socket.create_connection(("127.0.0.1", proxy.port), timeout=10)
            connection.sendall(begun.encode())
            selector.register(connection, selectors.EVENT_READ)
        opened = time.monotonic()
        body = command("status acme/web main")
        assert post(proxy.port, body, sign(body)).status == 200
        assert time.monotonic() - opened < 1.0

        endings = set()
        while selector.get_map():
            assert time.monotonic() < opened + CUT_WITHIN_S + 5, f"{len(selector.get_map())} are still open"
            readable = [key.fileobj for key, _ in selector.select(0.5)]
            for connection in readable:
                assert isinstance(connection, socket.socket)
                endings.add(_ending(connection))
                selector.unregister(connection)
                connection.close()
            for key in selector.get_map().values():
                _drip(key.fileobj)
    assert endings <= {b"HTTP/1.1 408 Request Time-out", b""}
    assert replicas.heard in ([], ["slack"])


@pytest.mark.usefixtures("open_files")
def test_half_sent_long_bodies_delay_no_command(proxy: Proxy) -> None:
    with ExitStack() as opened:
        for _ in range(HALF_SENT):
            connection = opened.enter_context(socket.create_connection(("127.0.0.1", proxy.port), timeout=10))
            connection.setblocking(False)  # what HAProxy does not take at once is not sent
            connection.send(f"{HEAD}Content-Length: 500000\r\n\r\n".encode() + b"x" * 100_000)
        began = time.monotonic()
        body = command("status acme/web main")
        assert post(proxy.port, body, sign(body)).status == 200
        assert time.monotonic() - began < 1.0


def test_a_long_body_passes(proxy: Proxy) -> None:
    body = command("status " + "x" * 500_000)
    assert post(proxy.port, body, sign(body)).status == 200


def test_long_headers_are_refused(proxy: Proxy) -> None:
    assert call(proxy.port, "POST", SLACK_EVENTS, "", {"X-Long": "x" * 20_000}).status == 431


def _ending(connection: socket.socket) -> bytes:
    """The status line that ended it; empty if it was reset."""
    try:
        return connection.recv(1000).partition(b"\r\n")[0]
    except ConnectionError:
        return b""


def _drip(connection: object) -> None:
    assert isinstance(connection, socket.socket)
    try:
        connection.send(b"x")
    except ConnectionError:
        return  # cut just now; the next call returns how

"""Connections to Slack over TLS on loopback: how many handshakes are made, and when."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest
from aiohttp import web

from bot.app.timeouts import Timeouts
from bot.slack.client.connections import KEPT_S, Connections, NotAnswered, NotSent, Response
from playground.codeship import faults as moods
from playground.http_host.server import Loopback
from playground.sandbox import Sandbox
from tests.held_clock import HeldClock
from tests.slack.client.tls_server import TlsServer, pump

STATUS = "/codeship status acme/web main"
UNHURRIED = Timeouts(connect_s=30.0, read_s=30.0, slack_s=30.0)


class Slack:
    """A plain server behind a `TlsServer`, and `connections` to it on a clock that does not run."""

    def __init__(self, folder: Path) -> None:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._answer)
        self.heard = 0
        self.closes = False
        self.plain = Loopback(app).start()
        self.tls = TlsServer(folder, lambda: self.plain.port)
        self.clock = HeldClock()
        self.connections = Connections(
            20.0, tls=ssl.create_default_context(cafile=self.tls.ca_file), monotonic=self.clock.monotonic
        )

    async def _answer(self, _: web.Request) -> web.Response:
        self.heard += 1
        return web.json_response({"ok": True}, headers={"Connection": "close"} if self.closes else {})

    def post(self) -> Response:
        return self.connections.post(f"{self.tls.url}/api/chat.postMessage", {}, b"{}")

    def open_ahead(self) -> None:
        self.connections.open_ahead(self.tls.url)

    def stop(self) -> None:
        self.connections.close()
        self.tls.stop()
        self.plain.stop()


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Slack]:
    slack = Slack(tmp_path)
    yield slack
    slack.stop()


def test_twenty_messages_in_a_row_make_one_handshake(slack: Slack) -> None:
    for _ in range(20):
        assert slack.post().status == 200
        slack.clock.advance(KEPT_S)
    assert (slack.heard, slack.tls.handshakes) == (20, 1)


def test_a_connection_that_nothing_used_for_long_is_not_used_again(slack: Slack) -> None:
    slack.post()
    slack.clock.advance(KEPT_S + 0.1)
    slack.post()
    assert slack.tls.wait_for(handshakes=2, closed=1)
    assert slack.tls.handshakes == 2


def test_a_connection_that_slack_closes_is_not_used_again(slack: Slack) -> None:
    slack.closes = True
    slack.post()
    slack.post()
    assert (slack.heard, slack.tls.handshakes) == (2, 2)


def test_a_connection_is_opened_ahead_and_then_used(slack: Slack) -> None:
    slack.open_ahead()
    assert slack.tls.wait_for(handshakes=1)
    slack.open_ahead()
    slack.post()
    assert slack.tls.handshakes == 1


def test_a_second_one_is_not_opened_while_one_is_being_opened(slack: Slack) -> None:
    slack.tls.gate.clear()
    for _ in range(5):
        slack.open_ahead()
    with ThreadPoolExecutor(1) as executor:
        waiting = executor.submit(slack.post)
        slack.open_ahead()
        slack.tls.gate.set()
        assert waiting.result().status == 200
    slack.post()
    assert slack.tls.handshakes == 1


def test_a_second_message_does_not_wait_for_the_connection_of_the_first(slack: Slack) -> None:
    slack.tls.gate.clear()
    slack.open_ahead()
    with ThreadPoolExecutor(2) as executor:
        waiting = [executor.submit(slack.post) for _ in range(2)]
        slack.tls.gate.set()
        assert [each.result().status for each in waiting] == [200, 200]
    assert slack.tls.handshakes <= 2


def test_a_connection_that_expires_soon_is_not_relied_on(slack: Slack) -> None:
    slack.post()
    slack.clock.advance(KEPT_S - 1)
    slack.open_ahead()
    assert slack.tls.wait_for(handshakes=2)


def test_if_opening_ahead_fails_the_message_says_why(slack: Slack) -> None:
    distrusting = Connections(20.0, tls=ssl.create_default_context())
    distrusting.open_ahead(slack.tls.url)
    with pytest.raises(NotSent, match=r"^SSLCertVerificationError$"):
        distrusting.post(f"{slack.tls.url}/api/x", {}, b"{}")
    distrusting.close()
    assert slack.heard == 0


def _whole_request(stream: BinaryIO) -> bytes:
    """Headers and body, which may come in two packets."""
    lines = list(iter(stream.readline, b"\r\n"))
    length = next(int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:"))
    return b"".join(lines) + stream.read(length)


def test_if_a_kept_connection_breaks_after_the_request_nothing_is_sent_again() -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_once() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as stream:
                heard.append(_whole_request(stream))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                heard.append(_whole_request(stream))

        thread = threading.Thread(target=answer_once)
        thread.start()
        url, connections = f"http://127.0.0.1:{server.getsockname()[1]}/x", Connections(20.0)
        assert connections.post(url, {}, b"{}").body == b"{}"
        with pytest.raises(NotAnswered) as failure:
            connections.post(url, {}, b"{}")
        thread.join()
        connections.close()
    assert failure.value.is_cut_off
    assert len(heard) == 2


def test_after_the_close_no_connection_is_opened_ahead_or_kept(slack: Slack) -> None:
    slack.connections.close()
    slack.open_ahead()
    slack.post()
    assert slack.tls.wait_for(closed=1)


def test_through_a_proxy_a_tunnel_is_opened_ahead_and_kept_too(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def tunnel() -> None:
            client, _ = server.accept()
            with client, socket.create_connection(("127.0.0.1", int(slack.tls.url.rpartition(":")[2]))) as target:
                asked.append(client.recv(65536))
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=pump, args=(target, client))
                back.start()
                pump(client, target)
                back.join()

        thread = threading.Thread(target=tunnel)
        thread.start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://ada:pw@127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        slack.open_ahead()
        assert slack.tls.wait_for(handshakes=1)
        assert [slack.post().status for _ in range(3)] == [200] * 3
        slack.connections.close()
        thread.join()
    assert slack.tls.handshakes == 1
    assert asked[0].startswith(f"CONNECT {slack.tls.url.removeprefix('https://')} ".encode())
    assert b"proxy-authorization: basic ywrhonb3" in asked[0].lower()


# The whole bot.


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: HeldClock) -> Iterator[tuple[Sandbox, TlsServer]]:
    made: list[Sandbox] = []
    tls = TlsServer(tmp_path, lambda: int(made[0].slack.url.rpartition(":")[2]))
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.ca_file))
    made.append(Sandbox(clock, timeouts=UNHURRIED, ack_timeout_s=30.0, SLACK_API_URL=f"{tls.url}/api/"))
    with made[0] as sandbox:
        assert sandbox.settle()
        yield sandbox, tls
    tls.stop()


def test_twenty_statuses_in_a_row_make_one_handshake(stage: tuple[Sandbox, TlsServer]) -> None:
    sandbox, tls = stage
    before = tls.handshakes
    for number in range(20):
        sandbox.workspace.types("ada", "#builds", STATUS)
        assert sandbox.settle()
        assert len(said(sandbox)) == number + 1
    assert tls.handshakes == before + 1


def test_a_status_after_a_pause_opens_its_connection_before_the_ci_service_answers(
    stage: tuple[Sandbox, TlsServer], clock: HeldClock
) -> None:
    sandbox, tls = stage
    sandbox.workspace.types("ada", "#builds", STATUS)
    assert sandbox.settle()
    before = tls.handshakes
    clock.advance(60)
    sandbox.codeship.mood = moods.hang(on="project")
    asking = threading.Thread(target=sandbox.workspace.types, args=("ada", "#builds", STATUS))
    asking.start()
    assert sandbox.codeship.wait_until(lambda: sandbox.codeship.held == 1, 20)
    assert tls.wait_for(handshakes=before + 1)
    assert len(said(sandbox)) == 1
    sandbox.codeship.mood = moods.FINE
    sandbox.codeship.release()
    asking.join()
    assert sandbox.settle()
    assert len(said(sandbox)) == 2
    assert tls.handshakes == before + 1


def said(sandbox: Sandbox) -> list[str]:
    """What the bot posted in #builds as a message of its own."""
    return [
        message.text
        for message in sandbox.workspace.conversation("#builds", "ada")
        if message.now.via == "chat.postMessage"
    ]

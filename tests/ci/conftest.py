"""Hosts on loopback, clients for them, and a certificate that some of them use."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import responses

from bot.ci.codeship.client import CodeShip
from bot.ci.github.client import GitHub
from bot.config.parsers import Secret
from bot.core.model.builds import Project
from bot.core.ports import CIProvider
from tests.ci.codeship.canned import API, Clock, Gate, surroundings
from tests.ci.contract import Play
from tests.ci.github.canned import API as GITHUB_API
from tests.ci.github.canned import TOKEN
from tests.ci.http_client.faulty_hosts import KEY, Clients, Host, Hosts, Script
from tests.ci.sandboxes import STAGES
from tests.held_clock import HeldClock

# For 127.0.0.1, signed by itself, good until 2120, of no use anywhere else.
CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLZdIO4CEj+Y5jd+d
ZidhO60HfRoGIPFGQentb2pBOfyhRANCAATyup9nWWpy319U0m7otGcRxh+JBlrO
LTtnqGp1KfsjFlWYoIS+fBDJiq4NhBTtKLU/lxuYnPlitNJzscEfG9V2
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBXDCCAQKgAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAkxMjcuMC4w
LjEwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CTEyNy4wLjAuMTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPK6n2dZanLfX1TS
bui0ZxHGH4kGWs4tO2eoanUp+yMWVZighL58EMmKrg2EFO0otT+XG5ic+WK00nOx
wR8b1XajQzBBMA8GA1UdEwEB/wQFMAMBAf8wDwYDVR0RBAgwBocEfwAAATAdBgNV
HQ4EFgQUP0tZCOSYduco4Y+4Po1xJ9gQNbswCgYIKoZIzj0EAwIDSAAwRQIgC8EQ
t+Lk4X1nuidcyKvjrTT2wG4GzPL52oIvaYTGorACIQCmjNFaC26qi60cQTUL3g9j
42CbgQcb4rAC/QIJgCDcQg==
-----END CERTIFICATE-----
"""


@pytest.fixture
def host() -> Iterator[Hosts]:
    with ExitStack() as stack:

        def start(*scripts: Script, **options: Any) -> Host:
            started = Host(*scripts, **options)
            stack.callback(started.close)
            return started

        yield start


@pytest.fixture
def client() -> Iterator[Clients]:
    with ExitStack() as stack:

        def make(url: str, *, max_bytes: int = 4 * 1024 * 1024, **limits: Any) -> CodeShip:
            chosen = {"connect_s": 2.0, "read_s": 2.0, "total_s": 10.0, "random": lambda: 0.0, **limits}
            around = surroundings(Clock(), wait=lambda seconds: None, monotonic=time.monotonic, **chosen)
            made = CodeShip(url, KEY, around, max_bytes=max_bytes)
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, str]:
    """A server's context, and the path of the bundle that trusts it."""
    pem = tmp_path / "certificate.pem"
    pem.write_text(CERTIFICATE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context, str(pem)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def seen() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def codeship(clock: Clock, seen: list[tuple[str, str]]) -> Iterator[CodeShip]:
    provider = CodeShip(
        API, KEY, surroundings(clock, observe=lambda call, result, seconds: seen.append((call, result)))
    )
    yield provider
    provider.close()


@pytest.fixture
def api() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def github(clock: Clock, seen: list[tuple[str, str]], gate: Gate) -> Iterator[GitHub]:
    provider = GitHub(
        GITHUB_API,
        Secret(TOKEN),
        surroundings(
            clock,
            observe=lambda call, result, seconds: seen.append((call, result)),
            before_request=gate.before_request,
            after_request=gate.after_request,
        ),
    )
    yield provider
    provider.close()


@pytest.fixture(params=STAGES)
def play(request: pytest.FixtureRequest) -> Iterator[Play]:
    clock = HeldClock()
    made = Play(STAGES[request.param](clock), clock)
    made.stage.add("acme/web")
    made.stage.add("acme/api")
    yield made
    for client in made.clients:
        client.close()
    made.stage.world.release()
    made.stage.stop_host()


@pytest.fixture
def provider(play: Play) -> CIProvider:
    return play.client()


@pytest.fixture
def web(provider: CIProvider, play: Play) -> Project:
    [web] = [project for project in provider.projects() if project.name == "acme/web"]
    return web

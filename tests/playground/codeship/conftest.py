"""A simulated CodeShip with one project, served, and a client for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from playground.codeship.server import CodeShipHost
from playground.codeship.state import CodeShipWorld
from tests.playground.codeship.client import KEY, Client, SettableClock


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def world(clock: SettableClock) -> CodeShipWorld:
    world = CodeShipWorld(clock, KEY)
    world.add_project("acme/web", id=33837)
    return world


@pytest.fixture
def host(world: CodeShipWorld) -> Iterator[CodeShipHost]:
    with CodeShipHost(world) as host:
        yield host


@pytest.fixture
def client(host: CodeShipHost) -> Iterator[Client]:
    client = Client(host.url)
    yield client
    client.session.close()


@pytest.fixture
def aside() -> Iterator[Callable[..., Future[Any]]]:
    """Runs a call on another thread."""
    with ThreadPoolExecutor(4) as pool:
        yield pool.submit

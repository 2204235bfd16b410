"""A sandbox GitHub of one repository with two workflows, served, and a client of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from playground.github.api.server import GitHubHost
from playground.github.state import GitHubWorld
from tests.playground.github.client import SHOP_JOBS, TOKEN, Client, SettableClock


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def world(clock: SettableClock) -> GitHubWorld:
    world = GitHubWorld(clock, TOKEN)
    world.add_repo("acme/web", id=1296269, workflows=("CI", "Docs"))
    return world


@pytest.fixture
def host(world: GitHubWorld) -> Iterator[GitHubHost]:
    with GitHubHost(world) as host:
        yield host


@pytest.fixture
def client(host: GitHubHost) -> Iterator[Client]:
    client = Client(host.url)
    yield client
    client.session.close()


@pytest.fixture
def aside() -> Iterator[Callable[..., Future[Any]]]:
    """Runs a call on another thread."""
    with ThreadPoolExecutor(4) as pool:
        yield pool.submit


@pytest.fixture
def shop(world: GitHubWorld) -> GitHubWorld:
    """With a second repository, whose jobs need each other."""
    world.add_repo("acme/shop", workflows=())
    world.add_workflow("acme/shop", "CI", jobs=SHOP_JOBS)
    return world

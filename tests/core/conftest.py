"""Fixtures of the core's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.core.actions.ada_restarts import OLD
from tests.core.world import World


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


@pytest.fixture
def web(world: World) -> World:
    """One repository with one build, which has failed."""
    world.has(OLD)
    return world

"""Fixtures of the tests of what channels hear."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.core.notifications.hearing import Hearing


@pytest.fixture
def hearing() -> Iterator[Hearing]:
    """No channel is subscribed yet."""
    made = Hearing()
    yield made
    made.close()

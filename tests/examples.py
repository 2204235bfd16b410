"""Properties that are expensive to test: a few examples in the quick suite, many in a slow test or in `make check`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings


def examples(quick: int, many: int, *strategies: Any, **named: Any) -> Callable[[Callable[..., None]], Any]:
    """Like `given`, for a property without fixtures: it becomes two tests, of which the one with `many` is slow."""

    def decorate(prop: Callable[..., None]) -> Any:
        @pytest.mark.parametrize("count", [quick, pytest.param(many, marks=pytest.mark.slow)])
        def test(count: int) -> None:
            settings(deadline=None, max_examples=count)(given(*strategies, **named)(prop))()

        test.__name__, test.__doc__, test.__module__ = prop.__name__, prop.__doc__, prop.__module__
        return test

    return decorate


def percent(share: int) -> settings:
    """A property with this share of the examples that others get, of which the quick suite has few."""
    return settings(max_examples=max(1, settings.default.max_examples * share // 100))

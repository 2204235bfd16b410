"""What the core's `ProjectStore` guarantees."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.model.builds import Project
from bot.store import Store

AT = datetime(2026, 3, 1, 12, 0, 0, 5, UTC)
LATER = AT + timedelta(hours=1)


def projects(*names: str, service: str = "codeship") -> list[Project]:
    return [Project(f"id of {name}", name, service, f"https://ci.example/{name}") for name in names]


def test_an_empty_saved_list_differs_from_none(store: Store) -> None:
    assert store.projects.load_projects("codeship") == ([], None)
    store.projects.save_projects("codeship", [], AT)
    assert store.projects.load_projects("codeship") == ([], AT)


@pytest.mark.parametrize(
    "second",
    [
        projects("acme/web", "acme/api"),
        projects("acme/api", "acme/web"),
        projects("acme/web"),
        projects("acme/web", "acme/new", "acme/api", "acme/api"),
        [Project("id of acme/web", "acme/web", "codeship", None)],
        [Project("id of acme/web", "acme/web", "codeship", default_branch="trunk")],
        [],
    ],
    ids=["same", "other order", "fewer", "more, one twice", "no link", "a default branch", "none"],
)
def test_a_list_replaces_the_previous_one_completely(store: Store, second: list[Project]) -> None:
    store.projects.save_projects("codeship", projects("acme/web", "acme/api"), AT)
    store.projects.save_projects("codeship", second, LATER)
    assert store.projects.load_projects("codeship") == (second, LATER)


def test_each_service_has_its_own_list(store: Store) -> None:
    other = projects("acme/web", service="another")
    store.projects.save_projects("another", other, AT)
    store.projects.save_projects("codeship", projects("acme/api"), LATER)
    assert store.projects.load_projects("another") == (other, AT)


def test_a_large_list_survives_the_process(opened: Callable[[], Store]) -> None:
    large = projects(*(f"acme/service-{number}" for number in range(10_000)))
    before = opened()
    before.projects.save_projects("codeship", large, AT)
    before.close()
    assert opened().projects.load_projects("codeship") == (large, AT)

"""What the core's `RecentProjectStore` guarantees, and the cache in front of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from bot.core.lookup.recent_projects import KEPT as CACHED
from bot.core.lookup.recent_projects import RecentProjects
from bot.core.model.builds import Actor, Project
from bot.store import Store
from bot.store.recent_projects import KEPT
from tests.store.conftest import HeldClock

ADA, BOB = Actor("U0ADA"), Actor("U0BOB")
WEB, API = Project("1", "acme/web", "codeship"), Project("2", "acme/api", "codeship")
SHOP = Project("1", "acme/shop", "github")


def test_the_latest_comes_first_and_each_once(store: Store, clock: HeldClock) -> None:
    for project in (WEB, SHOP, API, WEB):
        clock.wait(1.0)
        store.recent_projects.use(ADA, project)
    assert store.recent_projects.last(ADA, 9) == [("codeship", "1"), ("codeship", "2"), ("github", "1")]
    assert store.recent_projects.last(ADA, 1) == [("codeship", "1")]
    assert store.recent_projects.last(BOB, 9) == []


def test_what_was_used_long_ago_is_deleted(store: Store, clock: HeldClock) -> None:
    store.recent_projects.use(ADA, WEB)
    clock.time += KEPT + timedelta(hours=2)
    store.recent_projects.use(BOB, API)
    assert store.recent_projects.last(ADA, 9) == []


class Known:
    """The repositories that are known, as the registry tells them."""

    def __init__(self, *projects: Project) -> None:
        self.projects = projects

    def known(self, service: str, project_id: str) -> Project | None:
        return next((it for it in self.projects if (it.service, it.id) == (service, project_id)), None)


def test_memory_has_what_was_used_and_stores_only_what_is_new(store: Store, clock: HeldClock) -> None:
    later: list[Callable[[], None]] = []
    recent = RecentProjects(store.recent_projects, Known(WEB, API), later.append)  # type: ignore[arg-type]
    for project in (WEB, WEB, SHOP, API, API):
        clock.wait(1.0)
        recent.use(ADA, project)
        while later:
            later.pop()()
    assert recent.cached(ADA) == [API, WEB]  # SHOP is no longer known
    assert recent.cached(BOB) == []
    again = RecentProjects(store.recent_projects, Known(WEB, API, SHOP), later.append)  # type: ignore[arg-type]
    assert again.cached(ADA) == []
    assert again.load(ADA) == again.cached(ADA) == [API, SHOP, WEB]


def test_one_person_has_a_bounded_number(store: Store, clock: HeldClock) -> None:
    many = [Project(str(number), f"acme/r{number}", "codeship") for number in range(CACHED + 5)]
    recent = RecentProjects(store.recent_projects, Known(*many), lambda work: work())  # type: ignore[arg-type]
    for project in many:
        clock.wait(1.0)
        recent.use(ADA, project)
    assert recent.cached(ADA) == many[: -CACHED - 1 : -1]

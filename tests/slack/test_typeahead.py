"""Typeahead is answered from memory, fast enough for ten thousand repositories."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.app.name_matching import nearest
from bot.core.lookup.ci_registry import CIContext, CIRegistry
from bot.core.lookup.project_index import ProjectIndex
from bot.core.model.builds import Project
from bot.slack.views.form import repo_options
from bot.store import open_store
from tests.core.world import MemoryCI
from tests.held_clock import HeldClock
from tests.slack.messages.one_service import HOW

LARGE = [
    Project(str(n), f"acme/{word}-{n}", "codeship") for n in range(2500) for word in ("web", "api", "docs", "site")
]
LARGE = [Project(str(n), project.name, "codeship") for n, project in enumerate(LARGE)]
LIMIT_S = 0.1


def registry(projects: list[Project]) -> CIRegistry:
    clock = HeldClock()
    store = open_store("sqlite:///:memory:", clock)
    ci = MemoryCI(clock)
    ci.account = projects
    with ThreadPoolExecutor(1) as executor:
        index = ProjectIndex(ci, store.projects, executor, clock, nearest)
        index.refresh()
    store.close()
    return CIRegistry([CIContext(ci, index, None, None)], nearest, clock)  # type: ignore[arg-type]


SMALL = [
    Project("1", "acme/web", "codeship"),
    Project("2", "acme/website", "codeship"),
    Project("3", "b/api", "codeship"),
]


@pytest.mark.parametrize(
    ("typed", "recent", "names"),
    [
        ("", [], ["acme/web", "acme/website", "b/api"]),
        ("", [SMALL[2]], ["b/api", "acme/web", "acme/website"]),
        ("WEB", [SMALL[1]], ["acme/website", "acme/web"]),
        ("web", [SMALL[2]], ["acme/web", "acme/website"]),
        ("acme site", [], ["acme/website"]),
        ("acme/wbe", [], ["acme/web", "acme/website"]),
        ("zzzz", [], []),
    ],
)
def test_recent_repositories_come_first_then_those_that_contain_the_words_then_similar_ones(
    typed: str, recent: list[Project], names: list[str]
) -> None:
    found = registry(SMALL).suggested(typed, recent, limit=100)
    assert [project.name for project in found] == names


@pytest.mark.slow
@pytest.mark.parametrize("typed", ["", "w", "web-12", "acme docs", "acme/wbe-77", "nothing like it"])
def test_ten_thousand_repositories_are_searched_within_the_limit(typed: str) -> None:
    services = registry(LARGE)
    took = []
    for _ in range(5):
        began = time.thread_time()  # of this thread: other work on the machine does not count
        repo_options(services.suggested(typed, LARGE[:10], limit=100), HOW)
        took.append(time.thread_time() - began)
    assert sorted(took)[2] < LIMIT_S

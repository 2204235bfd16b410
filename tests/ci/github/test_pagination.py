"""GitHub's lists page by page: parsing repositories and workflows, and the next page's URL."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from bot.ci.github import api as wire
from bot.ci.github.http.pagination import ListPage
from bot.ci.http_client.responses import Request
from bot.core.model.builds import Project
from bot.core.model.errors import InvalidResponse
from tests.ci.github.canned import API, WEB

PAGE = wire.repositories_request(API, "/user/repos")


# --- repositories


def repository(id_: int = 1, name: str = "acme/web", **more: object) -> dict[str, Any]:
    return {"id": id_, "full_name": name, "html_url": f"https://github.com/{name}", **more}


def repositories(body: object, headers: dict[str, str] | None = None) -> ListPage[Project]:
    return wire.parse_repositories(200, headers or {}, json.dumps(body).encode(), page=PAGE)


@pytest.mark.parametrize("written", [lambda entries: entries, lambda entries: {"repositories": entries}])
def test_repositories_are_read_from_either_answer(written: Callable[[object], object]) -> None:
    assert repositories(written([repository(1), repository(2, "acme/api")])) == wire.RepositoriesPage(
        (
            Project("1", "acme/web", "github", "https://github.com/acme/web"),
            Project("2", "acme/api", "github", "https://github.com/acme/api"),
        ),
        is_full=False,
        onward=None,
    )


@pytest.mark.parametrize("over", [{"archived": True}, {"disabled": True}])
def test_if_nothing_can_be_run_any_more_is_left_out(over: dict[str, object]) -> None:
    assert repositories([repository(1, **over)]).entries == ()
    assert len(repositories([repository(1), repository(2, "acme/api", archived=False)]).entries) == 2


def test_a_repository_that_cannot_be_read_costs_that_one_alone() -> None:
    listed = [None, 7, {"id": 3}, repository(4, "acme/../x"), repository(5, "acme/web\n"), repository(6, "acme/api")]
    assert [project.id for project in repositories(listed).entries] == ["5", "6"]
    assert repositories([repository(1, html_url=["x"])]).entries[0].url is None


@pytest.mark.parametrize(("told", "known"), [("trunk", "trunk"), (None, None), (7, None), ("a\nb", "ab")])
def test_a_repositorys_default_branch_is_read(told: object, known: str | None) -> None:
    assert repositories([repository(1, default_branch=told)]).entries[0].default_branch == known


@pytest.mark.parametrize("listed", [[None], [{"id": 1}], ["x", 7]])
def test_repositories_of_which_none_can_be_read_are_reported(listed: list[object]) -> None:
    with pytest.raises(InvalidResponse, match="none of its repositories can be read"):
        repositories(listed)


@pytest.mark.parametrize(
    ("link", "onward"),
    [
        (f'<{API}/user/repos?per_page=100&page=2>; rel="next"', f"{API}/user/repos?per_page=100&page=2"),
        (f'<{API}/x?page=1>; rel="prev", <{API}/x?page=3>; rel="next", <{API}/x>; rel="last"', f"{API}/x?page=3"),
        ('</user/repos?page=2>; rel="next"', f"{API}/user/repos?page=2"),
        ('<https://git.acme.internal/user/repos?page=2>; rel="next"', f"{API}/user/repos?page=2"),
        ('<http://api.github.com/user/repos?page=2>; rel="next"', f"{API}/user/repos?page=2"),
        ('<https://api.github.com:8443/user/repos?page=2>; rel="next"', f"{API}/user/repos?page=2"),
        ('<https://api.github.com@evil.test/x>; rel="next"', f"{API}/x"),
        ('<//evil.test/x?page=2#y>; rel="next"', f"{API}/x?page=2"),
        (f'<{API}/user/repos?page=1>; rel="prev"', None),
        ('<javascript:alert(1)>; rel="next"', None),
        ('<mailto:eve@evil.test>; rel="next"', None),
        ('<https://[::1/>; rel="next"', None),
        ("rel=next", None),
        ("", None),
    ],
)
def test_the_next_page_is_asked_of_the_same_host_whatever_it_calls_itself(link: str, onward: str | None) -> None:
    page = repositories([repository()], {"Link": link}).onward
    assert page == (None if onward is None else Request("GET", onward, (), PAGE.headers))


@pytest.mark.parametrize("count", [99, 100])
def test_a_page_is_full_with_all_that_is_listed(count: int) -> None:
    listed = [repository(number, archived=True) for number in range(count)]
    assert repositories(listed).is_full is (count == 100)


# --- workflows


def workflows(*entries: object) -> ListPage[wire.ListedWorkflow]:
    body = json.dumps({"total_count": len(entries), "workflows": list(entries)}).encode()
    return wire.parse_workflows(200, {}, body, page=wire.workflows_request(API, WEB))


def test_only_active_workflows_are_reported() -> None:
    states = ["active", "deleted", "disabled_manually", "disabled_inactivity", "disabled_fork", None, 7, "x"]
    listed = [{"id": number, "state": state} for number, state in enumerate(states)]
    assert [each.id for each in workflows(*listed).entries if each.is_active] == ["0"]
    assert len(workflows(*listed).entries) == len(states)
    assert workflows() == ListPage((), is_full=False, onward=None)


def test_a_workflow_that_cannot_be_read_costs_that_one_alone() -> None:
    assert workflows(None, 7, {"state": "active"}, {"id": 3, "state": "active"}).entries == (
        wire.ListedWorkflow("3", None, is_active=True),
    )
    with pytest.raises(InvalidResponse, match="none of its workflows can be read"):
        workflows(None, {"state": "active"})

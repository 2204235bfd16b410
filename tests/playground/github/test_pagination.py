"""The sandbox GitHub pages and filters lists as GitHub does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from playground.github.model import SandboxRun
from playground.github.state import GitHubWorld
from tests.playground.github.client import NOON, WEB, Client


@pytest.fixture
def many(world: GitHubWorld) -> list[SandboxRun]:
    """A hundred and five runs, the newest first."""
    return [world.trigger("acme/web") for _ in range(105)][::-1]


@pytest.mark.parametrize(
    ("params", "first", "count"),
    [
        ({}, 0, 30),
        ({"per_page": "100"}, 0, 100),
        ({"per_page": "1000"}, 0, 100),
        ({"per_page": "100", "page": "2"}, 100, 5),
        ({"per_page": "7", "page": "15"}, 98, 7),
        ({"page": "0", "per_page": "-3"}, 0, 30),
        ({"page": "x", "per_page": "9999999999999999999"}, 0, 30),
    ],
)
def test_a_list_is_paged(
    client: Client, many: list[SandboxRun], params: dict[str, str], first: int, count: int
) -> None:
    answer = client.get(f"{WEB}/actions/runs", **params).json()
    assert answer["total_count"] == 105
    assert [run["id"] for run in answer["workflow_runs"]] == [run.id for run in many[first : first + count]]


@pytest.mark.parametrize(
    ("page", "links"),
    [
        ("1", ["next 2", "last 3"]),
        ("2", ["prev 1", "next 3", "last 3", "first 1"]),
        ("3", ["prev 2", "first 1"]),
        ("9", ["prev 3", "first 1"]),
    ],
)
def test_links_lead_to_the_other_pages_as_github_writes_them(
    client: Client, many: list[SandboxRun], page: str, links: list[str]
) -> None:
    base = f"{client.url}/repositories/1296269/actions/runs?per_page=50&branch=main&page="
    wanted = ", ".join(f'<{base}{number}>; rel="{name}"' for name, number in map(str.split, links))
    answer = client.get(f"{WEB}/actions/runs", per_page="50", page=page, branch="main")
    assert answer.headers["Link"] == wanted


def test_following_the_links_finds_everything_once(client: Client, many: list[SandboxRun]) -> None:
    url, found = f"{client.url}{WEB}/actions/runs?per_page=40", []
    for _ in range(3):
        with client.session.get(url, timeout=5) as answer:
            found += [run["id"] for run in answer.json()["workflow_runs"]]
            url = answer.links.get("next", {}).get("url", "")
    assert (found, url) == ([run.id for run in many], "")


def test_a_list_of_one_page_has_no_links(client: Client) -> None:
    assert "Link" not in client.get(f"{WEB}/actions/runs").headers
    assert "Link" not in client.get("/user/repos").headers


def test_repositories_are_paged_too(client: Client, world: GitHubWorld) -> None:
    for number in range(4):
        world.add_repo(f"acme/r{number}", workflows=())
    answer = client.get("/user/repos", per_page="2")
    assert [repo["name"] for repo in answer.json()] == ["web", "r0"]
    assert answer.headers["Link"].startswith(f'<{client.url}/user/repos?per_page=2&page=2>; rel="next"')


@pytest.mark.parametrize("branch", ["feature/a&b#c", "release/1.2.io", "a+b c", "größe", "50%25"])
def test_a_branch_may_have_any_name(client: Client, world: GitHubWorld, branch: str) -> None:
    world.trigger("acme/web")
    wanted = world.trigger("acme/web", branch=branch)
    assert client.run_ids(branch=branch) == [wanted.id]


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"status": "completed"}, [2, 1]),
        ({"status": "failure"}, [1]),
        ({"status": "queued"}, [3]),
        ({"event": "schedule"}, [0]),
        ({"actor": "ADA"}, [2, 1]),
        ({"actor": "ada", "status": "success"}, [2]),
        ({"created": ">=2026-03-02"}, [3, 2, 1]),
        ({"created": "<2026-03-02"}, [0]),
        ({"created": ">2026-03-01"}, [3, 2, 1]),
        ({"created": "<=2026-03-01"}, [0]),
        ({"created": "2026-03-01"}, [0]),
        ({"created": "2026-03-01..2026-03-01"}, [0]),
        ({"created": "*..2026-03-02T12:00:00Z"}, [3, 2, 1, 0]),
        ({"created": "2026-03-02T12:00:01Z..*"}, []),
        ({"branch": "", "event": ""}, [3, 2, 1, 0]),
        ({"unheard_of": "x"}, [3, 2, 1, 0]),
    ],
)
def test_runs_are_filtered(client: Client, world: GitHubWorld, params: dict[str, str], found: list[int]) -> None:
    runs = [
        world.start(world.trigger("acme/web", event="schedule", by="bob", at=NOON - timedelta(days=1))),
        world.fail(world.trigger("acme/web")),
        world.succeed(world.trigger("acme/web")),
        world.trigger("acme/web", by="bob"),
    ]
    answer = client.get(f"{WEB}/actions/runs", **params).json()
    assert answer["total_count"] == len(found)
    assert [run["id"] for run in answer["workflow_runs"]] == [runs[index].id for index in found]


def test_runs_are_found_by_their_commit(client: Client, world: GitHubWorld) -> None:
    wanted = world.push("acme/web")
    world.push("acme/web")
    assert client.run_ids(head_sha=wanted[0].head_sha) == [run.id for run in reversed(wanted)]

"""The simulated CodeShip follows the v1 contract over real HTTP."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import timedelta
from typing import Any

import pytest
import requests

from playground.codeship import faults as moods
from playground.codeship.server import CodeShipHost
from playground.codeship.state import CodeShipWorld
from tests.playground.codeship.client import KEY, NOON, Client


def test_a_project_has_the_fields_of_the_contract_and_is_not_wrapped(client: Client, world: CodeShipWorld) -> None:
    build = world.push("acme/web", "main", message="Fix login\n\nfor all", by="ada")
    world.start(build)
    world.finish(build, "success", at=NOON + timedelta(seconds=90))
    assert client.project(33837).json() == {
        "id": 33837,
        "repository_name": "acme/web",
        "repository_provider": "github",
        "uuid": world.project("acme/web").uuid,
        "builds": [
            {
                "id": build.id,
                "uuid": build.uuid,
                "project_id": 33837,
                "status": "success",
                "branch": "main",
                "commit_id": build.commit_id,
                "github_username": "ada",
                "message": "Fix login\n\nfor all",
                "started_at": "2026-03-02T12:00:00.271Z",
                "finished_at": "2026-03-02T12:01:30.271Z",
                "debug_connection": None,
            }
        ],
    }
    assert len(build.commit_id) == 40


def test_the_list_wraps_all_projects(client: Client, world: CodeShipWorld) -> None:
    world.add_project("acme/old", provider=None)
    listed = client.list_projects().json()["projects"]
    assert [project["repository_name"] for project in listed] == ["acme/web", "acme/old"]
    assert listed[0] == client.project(33837).json()
    assert "repository_provider" not in listed[1]


def test_only_the_last_ten_builds_are_shown(client: Client, world: CodeShipWorld) -> None:
    pushed = [world.push("acme/web", "main" if n % 2 else "dev").id for n in range(24)]
    assert Client.build_ids(client.project(33837)) == pushed[:-11:-1]
    assert [build["id"] for build in client.list_projects().json()["projects"][0]["builds"]] == pushed[:-11:-1]
    assert Client.build_ids(client.project(33837, branch="dev")) == pushed[::2][:-11:-1]


@pytest.mark.parametrize("branch", ["feature/a&b#c", "release/1.2.io", "a+b c", "größe", "50%25"])
def test_a_branch_may_have_any_name(client: Client, world: CodeShipWorld, branch: str) -> None:
    world.push("acme/web", "main")
    wanted = world.push("acme/web", branch)
    assert Client.build_ids(client.project(33837, branch=branch)) == [wanted.id]


@pytest.mark.parametrize(
    ("order", "shown"),
    [("newest first", [4, 3, 2, 1, 0]), ("oldest first", [0, 1, 2, 3, 4]), ("mixed", [3, 1, 4, 2, 0])],
)
def test_builds_come_in_the_order_that_is_set(
    client: Client, world: CodeShipWorld, order: Any, shown: list[int]
) -> None:
    pushed = [world.push("acme/web").id for _ in range(5)]
    world.order = order
    assert Client.build_ids(client.project(33837)) == [pushed[n] for n in shown]


def test_fields_can_be_null_or_missing(client: Client, world: CodeShipWorld) -> None:
    world.change(world.push("acme/web"), message=None, github_username=None, missing=frozenset({"project_id"}))
    [build] = client.project(33837).json()["builds"]
    assert {name for name, value in build.items() if value is None} == {
        "message", "github_username", "started_at", "finished_at", "debug_connection",
    }  # fmt: skip
    assert "project_id" not in build


@pytest.mark.parametrize("key", ["wrong", "", "schlüssel", None])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/projects.json"), ("GET", "/projects/33837.json"), ("POST", "/builds/3277301/restart.json")],
)
def test_a_wrong_key_is_refused_on_every_call(
    host: CodeShipHost, world: CodeShipWorld, key: str | None, method: str, path: str
) -> None:
    build = world.finish(world.push("acme/web"), "error")
    params = {} if key is None else {"api_key": key}
    with requests.request(method, host.url + path, params=params, timeout=5) as answer:
        assert (answer.status_code, answer.json()) == (401, {"errors": ["Invalid API key"]})
    assert world.build(build) == build


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/projects/1.json", 404),
        ("POST", "/builds/1/restart.json", 404),
        ("GET", "/projects/web.json", 404),
        ("GET", f"/projects/{'9' * 5000}.json", 404),
        ("GET", "/builds.json", 404),
        ("GET", "/builds/1/restart.json", 405),
        ("POST", "/projects.json", 405),
        ("HEAD", "/projects.json", 405),
    ],
)
def test_an_unknown_request_is_refused_and_logged(
    client: Client, world: CodeShipWorld, method: str, path: str, status: int
) -> None:
    assert client.ask(method, path).status_code == status
    assert [(asked.method, asked.status) for asked in world.requests] == [(method, status)]


def test_every_request_is_logged_without_the_key(client: Client, world: CodeShipWorld) -> None:
    build = world.finish(world.push("acme/web"), "error")
    client.project(33837, branch="a&b")
    client.restart(build.id)
    read, restart = world.requests
    assert (read.method, read.path) == ("GET", "/api/v1/projects/33837.json")
    assert read.query == (("api_key", "[redacted]"), ("branch", "a&b"))
    assert (read.call, read.subject, read.at, read.status) == ("project", 33837, NOON, 200)
    assert (restart.method, restart.path) == ("POST", f"/api/v1/builds/{build.id}/restart.json")
    assert KEY not in repr(world.requests) + repr(world)
    with pytest.raises(FrozenInstanceError):
        read.status = 500  # type: ignore[misc]


def test_restarts_are_counted_by_build_whatever_their_result(client: Client, world: CodeShipWorld) -> None:
    one, other = (world.finish(world.push("acme/web"), "error") for _ in range(2))
    world.mood = moods.down(times=1)
    client.restart(one.id)
    client.restart(one.id)
    client.ask("GET", f"/builds/{other.id}/restart.json")
    assert (world.restarts_asked(one), world.restarts_asked(other.id)) == (2, 0)

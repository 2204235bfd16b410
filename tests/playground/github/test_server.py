"""The sandbox GitHub's API over real HTTP: paths, versions, and the request log."""

from __future__ import annotations

import socket
from dataclasses import FrozenInstanceError

import pytest
import requests

from playground.github import faults as moods
from playground.github.api.server import ENTERPRISE_PREFIX, GitHubHost
from playground.github.state import GitHubWorld
from tests.playground.github.client import NOON, TOKEN, WEB, Client

OTHER = "github_pat_11OTHER"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/repos/acme/web/actions/runs/1"),
        ("GET", f"/repos/acme/web/actions/runs/{'9' * 5000}"),
        ("GET", "/repos/acme/web/actions/runs/web"),
        ("GET", "/repositories/1/actions/runs"),
        ("GET", "/repos/acme/web/"),
        ("GET", "/nothing"),
        ("POST", "/user"),
        ("HEAD", "/user"),
        ("GET", "/repos/acme/web/actions/runs/1/rerun"),
    ],
)
def test_an_unknown_request_is_refused_and_logged(client: Client, world: GitHubWorld, method: str, path: str) -> None:
    assert client.ask(method, path, described=False).status_code == 404
    assert [(asked.method, asked.status) for asked in world.requests] == [(method, 404)]


@pytest.mark.parametrize("number", ["0", "2", "9" * 18])
def test_an_attempt_that_never_was_is_not_there(client: Client, world: GitHubWorld, number: str) -> None:
    run = world.trigger("acme/web")
    assert client.get(f"{WEB}/actions/runs/{run.id}/attempts/{number}").status_code == 404


def test_names_are_the_same_in_any_case(client: Client) -> None:
    assert client.get("/repos/ACME/Web").json()["full_name"] == "acme/web"


def test_a_renamed_repository_is_found_by_a_redirect_to_its_id(client: Client, world: GitHubWorld) -> None:
    run = world.fail(world.trigger("acme/web", branch="a&b"))
    world.rename("acme/web", "acme/site")
    moved = client.get(f"{WEB}/actions/runs", branch="a&b")
    assert (moved.status_code, moved.json()["message"]) == (301, "Moved Permanently")
    assert moved.headers["Location"] == f"{client.url}/repositories/1296269/actions/runs?branch=a%26b"
    followed = client.get("/repositories/1296269/actions/runs", branch="a&b").json()["workflow_runs"]
    assert [shown["repository"]["full_name"] for shown in followed] == ["acme/site"]
    assert [shown["head_repository"]["full_name"] for shown in followed] == ["acme/site"]
    assert client.get(WEB).headers["Location"] == f"{client.url}/repositories/1296269"
    rerun = client.post(f"{WEB}/actions/runs/{run.id}/rerun")
    assert rerun.status_code == 307
    assert world.run(run).attempt == 1
    with client.session.post(f"{client.url}{WEB}/actions/runs/{run.id}/rerun", timeout=5) as through:
        assert through.status_code == 201
    assert world.run(run).attempt == 2


def test_an_old_name_is_reported_to_no_one_who_may_not_see_and_a_new_owner_of_it_hides_it(
    client: Client, world: GitHubWorld
) -> None:
    world.add_repo("acme/other")
    world.add_token(OTHER, repos=["acme/other"])
    world.rename("acme/web", "acme/site")
    assert client.as_(OTHER).get(WEB).status_code == 404
    new = world.add_repo("acme/web")
    assert client.get(WEB).json()["id"] == new.id
    world.remove_repo("acme/site")
    assert client.get("/repositories/1296269").status_code == 404


def test_an_enterprise_server_has_all_of_it_under_its_prefix(world: GitHubWorld) -> None:
    world.push("acme/web")
    with GitHubHost(world, prefix=ENTERPRISE_PREFIX, web_url="https://git.acme.test") as host:
        assert host.url.endswith("/api/v3")
        client = Client(host.url)
        listed = client.get(f"{WEB}/actions/runs", per_page="1")
        [run] = listed.json()["workflow_runs"]
        assert run["html_url"].startswith("https://git.acme.test/acme/web/actions/runs/")
        assert run["url"].startswith(f"{host.url}/repos/acme/web/")
        assert f"<{host.url}/repositories/1296269/actions/runs?per_page=1&page=2>" in listed.headers["Link"]
        assert client.get("/user").status_code == 200
        client.url = client.url.removesuffix("/api/v3")
        assert client.get("/user").status_code == 404


def test_the_version_that_is_requested_is_named_and_an_unknown_one_refused(client: Client) -> None:
    for version in ("2022-11-28", None):
        answer = client.ask("GET", "/user", headers={"X-GitHub-Api-Version": version})
        assert (answer.status_code, answer.headers["X-GitHub-Api-Version-Selected"]) == (200, "2022-11-28")
    unknown = client.ask("GET", "/user", headers={"X-GitHub-Api-Version": "2020-01-01"})
    assert unknown.status_code == 400
    assert '"2020-01-01", is not supported' in unknown.json()["message"]


def test_a_request_without_a_user_agent_is_refused(client: Client) -> None:
    assert client.ask("GET", "/user", headers={"User-Agent": ""}).status_code == 403


def test_answers_tell_the_sandboxs_time_and_a_request_id(client: Client) -> None:
    one, other = client.get("/user"), client.get("/user")
    assert one.headers["Date"] == "Mon, 02 Mar 2026 12:00:00 GMT"
    assert one.headers["X-GitHub-Request-Id"] != other.headers["X-GitHub-Request-Id"]


def test_every_request_is_written_down_and_the_wires_show_no_token(client: Client, host: GitHubHost) -> None:
    run = host.world.fail(host.world.trigger("acme/web"))
    client.get(f"{WEB}/actions/runs", branch="a&b")
    client.post(f"{WEB}/actions/runs/{run.id}/rerun")
    read, rerun = host.world.requests
    assert (read.method, read.path, read.query) == ("GET", f"{WEB}/actions/runs", (("branch", "a&b"),))
    assert (read.call, read.subject, read.at, read.status) == ("runs", None, NOON, 200)
    assert (rerun.call, rerun.subject, rerun.status) == ("rerun", run.id, 201)
    first, second = host.wires.since(0)
    assert (first.way, first.title, first.status) == ("bot to github", f"GET {WEB}/actions/runs", "200")
    assert first.sent["headers"]["Authorization"] == "[redacted]"
    assert second.came_back == {}
    assert TOKEN not in repr([host.world.requests, host.wires.since(0), vars(host.world), vars(host.world.accounts)])
    with pytest.raises(FrozenInstanceError):
        read.status = 500  # type: ignore[misc]


def test_reruns_are_counted_by_run_whatever_came_of_them(client: Client, world: GitHubWorld) -> None:
    one, other = (world.fail(world.trigger("acme/web")) for _ in range(2))
    world.mood = moods.server_error(times=1)
    client.ask("POST", f"{WEB}/actions/runs/{one.id}/rerun")
    client.post(f"{WEB}/actions/runs/{one.id}/rerun-failed-jobs")
    client.get(f"{WEB}/actions/runs/{other.id}")
    assert (world.reruns_asked(one), world.reruns_asked(other.id)) == (2, 0)


def test_stopped_it_refuses_connections_and_comes_back_at_the_same_address(host: GitHubHost, client: Client) -> None:
    url = host.url
    host.stop()
    with pytest.raises(requests.ConnectionError, match="refused"):
        client.get("/user")
    host.start()
    assert host.url == url
    assert client.get("/user").status_code == 200


def test_a_used_port_is_reported(world: GitHubWorld) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="address"):
        GitHubHost(world, taken.getsockname()[1]).start()

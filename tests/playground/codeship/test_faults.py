"""The simulated CodeShip's faults, each by its name, over real HTTP."""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from typing import Any

import pytest
import requests

from playground.codeship import faults as moods
from playground.codeship.server import CodeShipHost
from playground.codeship.state import CodeShipWorld
from tests.playground.codeship.client import KEY, Client, SettableClock


@pytest.mark.parametrize(
    ("mood", "status", "content_type", "body"),
    [
        (moods.down(), 502, "text/html", "502"),
        (moods.down(503), 503, "text/html", "503"),
        (moods.wrong_key(), 401, "application/json", '{"errors":["Invalid API key"]}'),
        (moods.no_rights(), 403, "application/json", "Forbidden"),
        (moods.over_the_limit(), 403, "text/plain", "Rate Limit Exceeded"),
        (moods.over_the_limit(429), 429, "text/plain", "Rate Limit Exceeded"),
        (moods.html(), 200, "text/html", "<html>"),
        (moods.garbage(), 200, "application/json", '{"projects": ['),
        (moods.garbage("[null]"), 200, "application/json", "[null]"),
        (moods.empty(), 200, "application/json", ""),
    ],
)
def test_a_fault_answers_every_call_and_restarts_nothing(
    client: Client, world: CodeShipWorld, mood: moods.Fault, status: int, content_type: str, body: str
) -> None:
    ended = world.finish(world.push("acme/web"), "error")
    world.mood = mood
    for answer in (client.list_projects(), client.project(33837), client.restart(ended.id)):
        assert answer.status_code == status
        assert answer.headers["Content-Type"].startswith(content_type)
        assert body in answer.text
        assert bool(answer.text) == bool(body)
        assert "Retry-After" not in answer.headers
    assert [asked.status for asked in world.requests] == [status] * 3
    assert world.build(ended) == ended


@pytest.mark.parametrize("status", [403, 429])
def test_over_the_limit_may_have_retry_after(client: Client, world: CodeShipWorld, status: Any) -> None:
    world.mood = moods.over_the_limit(status, "17")
    assert client.list_projects().headers["Retry-After"] == "17"


def test_forbidden_does_not_mention_a_limit(client: Client, world: CodeShipWorld) -> None:
    world.mood = moods.no_rights()
    assert "limit" not in client.list_projects().text.lower()


def test_a_fault_can_be_limited_to_a_kind_and_a_number_of_calls(client: Client, world: CodeShipWorld) -> None:
    world.mood = moods.down(on="project", times=2)
    asked = [client.project(33837), client.list_projects(), client.project(33837), client.project(33837)]
    assert [answer.status_code for answer in asked] == [502, 200, 502, 200]
    assert world.mood == moods.FINE


def test_a_proxy_may_lose_the_response_of_an_accepted_restart(client: Client, world: CodeShipWorld) -> None:
    ended = world.finish(world.push("acme/web"), "error")
    world.mood = moods.down(503, on="restart", takes=True)
    assert client.restart(ended.id).status_code == 503
    assert world.build(ended).run == 2


@pytest.mark.parametrize("takes", [False, True])
def test_refuse_closes_the_connection_without_a_response(client: Client, world: CodeShipWorld, takes: bool) -> None:
    ended = world.finish(world.push("acme/web"), "error")
    world.mood = moods.refuse(takes=takes)
    for call in (client.list_projects, lambda: client.restart(ended.id)):
        with pytest.raises(requests.ConnectionError, match="without response"):
            call()
    assert world.wait_until(lambda: [asked.status for asked in world.requests] == [None, None])
    assert world.build(ended).run == (2 if takes else 1)


def test_cut_promises_more_than_it_sends(client: Client, world: CodeShipWorld) -> None:
    whole = client.list_projects().content
    world.mood = moods.cut()
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        client.list_projects()
    with client.session.get(client._url + "/projects.json", params={"api_key": KEY}, stream=True) as answer:
        assert answer.headers["Content-Length"] == str(len(whole))


def test_huge_is_valid_and_announces_no_length(client: Client, world: CodeShipWorld) -> None:
    true_answer = client.list_projects()
    world.mood = moods.huge(300_001)
    answer = client.list_projects()
    assert len(answer.content) == len(true_answer.content) + 300_001
    assert answer.json() == true_answer.json()
    assert "Content-Length" not in answer.headers


def test_a_client_that_leaves_during_a_huge_response_does_no_harm(client: Client, world: CodeShipWorld) -> None:
    world.mood = moods.huge(64_000_000, times=1)
    with client.session.get(client._url + "/projects.json", params={"api_key": KEY}, stream=True) as answer:
        next(answer.iter_content(1000))
    assert client.list_projects().status_code == 200


@pytest.mark.parametrize("status", [301, 302, 307])
def test_redirect_leads_to_another_host_with_path_and_key(
    client: Client, world: CodeShipWorld, status: Any, clock: SettableClock
) -> None:
    ended = world.finish(world.push("acme/web"), "error")
    elsewhere = CodeShipWorld(clock, KEY)
    with CodeShipHost(elsewhere) as other:
        world.mood = moods.redirect(other.url.removesuffix("/api/v1"), status)
        answer = client.project(33837, branch="a&b")
        assert answer.status_code == status
        assert answer.headers["Location"] == f"{other.url}/projects/33837.json?api_key={KEY}&branch=a%26b"
        assert client.restart(ended.id).status_code == status
        assert elsewhere.requests == []
        client.session.get(client._url + "/projects.json", timeout=5)
    assert [asked.path for asked in elsewhere.requests] == ["/api/v1/projects.json"]
    assert world.build(ended) == ended


def test_redirect_may_name_a_whole_address(client: Client, world: CodeShipWorld) -> None:
    world.mood = moods.redirect("http://127.0.0.1:9/login", keeps_path=False)
    assert client.list_projects().headers["Location"] == "http://127.0.0.1:9/login"


def test_slow_responds_late_by_itself(client: Client, world: CodeShipWorld) -> None:
    world.mood = moods.slow(0.02)
    answer = client.list_projects()
    assert answer.status_code == 200
    assert answer.elapsed >= timedelta(seconds=0.02)


@pytest.mark.parametrize("mood", [moods.slow(3600, on="restart"), moods.hang(on="restart")])
def test_a_slow_restart_is_accepted_at_once_and_answered_late(
    client: Client, world: CodeShipWorld, aside: Callable[..., Future[Any]], mood: moods.Fault
) -> None:
    ended = world.finish(world.push("acme/web"), "error")
    world.mood = mood
    late = aside(client.restart, ended.id)
    assert world.wait_until(lambda: world.held == 1)
    assert client.project(33837).json()["builds"][0]["status"] == "initiated"
    assert [asked.status for asked in world.requests] == [None, 200]
    world.release()
    assert late.result(5).json()["id"] == ended.id
    assert world.wait_until(lambda: [asked.status for asked in world.requests] == [200, 200])


def test_a_restart_may_hang_without_effect(
    client: Client, world: CodeShipWorld, aside: Callable[..., Future[Any]]
) -> None:
    ended = world.finish(world.push("acme/web"), "error")
    world.mood = moods.hang(on="restart", takes=False)
    late = aside(client.restart, ended.id)
    assert world.wait_until(lambda: world.held == 1)
    assert world.build(ended) == ended
    world.release()
    with pytest.raises(requests.ConnectionError):
        late.result(5)
    assert world.build(ended) == ended


def test_a_late_response_has_the_state_at_the_request(
    client: Client, world: CodeShipWorld, aside: Callable[..., Future[Any]]
) -> None:
    world.finish(world.push("acme/web"), "error")
    world.mood = moods.hang(times=1)
    late = aside(client.project, 33837)
    assert world.wait_until(lambda: world.held == 1)
    world.restart(world.newest("acme/web"))
    world.release()
    assert late.result(5).json()["builds"][0]["status"] == "error"


def test_a_client_times_out_on_a_hanging_host(client: Client, world: CodeShipWorld) -> None:
    world.mood = moods.hang()
    with pytest.raises(requests.ReadTimeout):
        client.session.get(client._url + "/projects.json", params={"api_key": KEY}, timeout=0.02)
    assert world.held == 1


def test_a_stop_does_not_wait_for_hanging_calls(
    host: CodeShipHost, client: Client, world: CodeShipWorld, aside: Callable[..., Future[Any]]
) -> None:
    world.mood = moods.hang()
    late = [aside(client.list_projects) for _ in range(3)]
    assert world.wait_until(lambda: world.held == 3)
    stopped = aside(host.stop)
    stopped.result(2)
    assert world.held == 0
    assert [one.result(2).status_code for one in late] == [200] * 3


def test_a_stopped_host_refuses_connections_and_restarts_at_the_same_address(
    host: CodeShipHost, client: Client
) -> None:
    url = host.url
    host.stop()
    with pytest.raises(requests.ConnectionError, match="refused"):
        client.list_projects()
    host.start()
    assert host.url == url
    assert client.list_projects().status_code == 200


def test_a_used_port_is_reported(world: CodeShipWorld) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="address"):
        CodeShipHost(world, taken.getsockname()[1]).start()

"""The sandbox GitHub's own faults over real HTTP. CodeShip's tests cover the faults of any service."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
import requests

from playground.github import faults as moods
from playground.github.api.server import GitHubHost
from playground.github.state import GitHubWorld
from tests.playground.github.client import TOKEN, WEB, Client, SettableClock

RUNS = f"{WEB}/actions/runs"


@pytest.mark.parametrize(
    ("mood", "status", "content_type", "body", "has_limits"),
    [
        (moods.down(), 502, "text/html", "502", False),
        (moods.html(), 200, "text/html", "<html>", False),
        (moods.server_error(), 502, "application/json", '{"message": "Server Error"}', True),
        (moods.server_error(500), 500, "application/json", '{"message": "Server Error"}', True),
        (moods.garbage('{"workflow_runs": [{"id": '), 200, "application/json", '{"workflow_runs"', True),
        (moods.garbage("[null]"), 200, "application/json", "[null]", True),
        (moods.empty(), 200, "application/json", "", True),
    ],
)
def test_a_mood_answers_every_call_in_its_own_way_and_does_nothing(
    client: Client, world: GitHubWorld, mood: moods.Fault, status: int, content_type: str, body: str, has_limits: bool
) -> None:
    run = world.fail(world.trigger("acme/web"))
    world.mood = mood
    for method, path in (("GET", "/user/repos"), ("GET", RUNS), ("POST", f"{RUNS}/{run.id}/rerun")):
        answer = client.ask(method, path, described=False)
        assert answer.status_code == status
        assert answer.headers["Content-Type"].startswith(content_type)
        assert body in answer.text
        assert ("X-RateLimit-Limit" in answer.headers) == has_limits
    assert world.run(run) == run


@pytest.mark.parametrize("word", ["rerun", "rerun failed", "cancel"])
@pytest.mark.parametrize("mood", [moods.down, moods.server_error, moods.refuse, moods.cut])
def test_what_was_asked_may_have_its_effect_and_its_answer_be_lost(
    client: Client, world: GitHubWorld, word: str, mood: Callable[..., moods.Fault]
) -> None:
    run = world.trigger("acme/web")
    if word != "cancel":
        world.fail(run)
    world.mood = mood(on=word, takes=True)
    path = {"rerun": "rerun", "rerun failed": "rerun-failed-jobs", "cancel": "cancel"}[word]
    with contextlib.suppress(requests.RequestException):
        assert client.ask("POST", f"{RUNS}/{run.id}/{path}", described=False).status_code == 502
    assert world.run(run).conclusion == ("cancelled" if word == "cancel" else None)
    assert world.run(run).attempt == (1 if word == "cancel" else 2)
    assert client.get(RUNS).status_code == 200


def test_a_fault_can_be_limited_to_a_kind_and_a_number_of_calls(client: Client, world: GitHubWorld) -> None:
    run = world.fail(world.trigger("acme/web"))
    world.mood = moods.server_error(on="jobs", times=1)
    assert client.get(RUNS).status_code == 200
    assert client.get(f"{RUNS}/{run.id}/jobs").status_code == 502
    assert client.get(f"{RUNS}/{run.id}/jobs").status_code == 200
    assert world.mood == moods.FINE


def test_a_mood_for_a_call_that_does_not_exist_is_refused(world: GitHubWorld) -> None:
    with pytest.raises(ValueError, match="no kind of call is named 'restart'"):
        world.mood = moods.slow(1, on="restart")


def test_the_moods_names_of_calls_are_those_of_the_routes(client: Client, world: GitHubWorld) -> None:
    world.mood = moods.down(on="runs")
    assert client.ask("GET", RUNS, described=False).status_code == 502
    assert client.ask("GET", "/repositories/1296269/actions/runs", described=False).status_code == 502


def test_huge_is_valid_and_keeps_its_headers(client: Client, world: GitHubWorld) -> None:
    for _ in range(2):
        world.trigger("acme/web")
    true_answer = client.get(RUNS, per_page="1")
    world.mood = moods.huge(300_001)
    answer = client.get(RUNS, per_page="1")
    assert len(answer.content) == len(true_answer.content) + 300_001
    assert answer.json() == true_answer.json()
    assert "Content-Length" not in answer.headers
    assert answer.headers["Link"] == true_answer.headers["Link"]


def test_cut_promises_more_than_it_sends(client: Client, world: GitHubWorld) -> None:
    world.mood = moods.cut()
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        client.get(RUNS)


def test_redirect_leads_to_another_host_with_the_path_but_without_the_token(
    client: Client, world: GitHubWorld, clock: SettableClock
) -> None:
    elsewhere = GitHubWorld(clock, TOKEN)
    with GitHubHost(elsewhere) as other:
        world.mood = moods.redirect(other.url, 302)
        with client.session.get(f"{client.url}{RUNS}", params={"branch": "a&b"}, timeout=5) as answer:
            assert answer.url == f"{other.url}{RUNS}?branch=a%26b"
            assert answer.status_code == 401
        assert "Authorization" not in other.wires.since(0)[0].sent["headers"]


def test_a_call_is_held_back_until_it_is_released(
    client: Client, world: GitHubWorld, aside: Callable[..., Future[Any]]
) -> None:
    run = world.fail(world.trigger("acme/web"))
    world.mood = moods.hang(on="rerun")
    asked = aside(client.post, f"{RUNS}/{run.id}/rerun")
    assert world.wait_until(lambda: world.held == 1)
    assert world.run(run).attempt == 2
    world.release()
    assert asked.result(5).status_code == 201


@pytest.mark.parametrize(
    ("mood", "status", "message"),
    [
        (moods.blocked(), 451, "Repository access blocked"),
        (moods.gone(), 410, "The logs for this run have expired and are no longer available."),
        (moods.unprocessable("Unable to re-run this workflow run"), 422, "Unable to re-run this workflow run"),
    ],
)
def test_a_refusal_has_a_message_worth_showing_and_does_nothing(
    client: Client, world: GitHubWorld, mood: moods.Fault, status: int, message: str
) -> None:
    run = world.fail(world.trigger("acme/web"))
    world.mood = mood
    for answer in (client.get(RUNS), client.post(f"{RUNS}/{run.id}/rerun")):
        assert (answer.status_code, answer.json()["message"]) == (status, message)
    assert world.run(run) == run


def test_large_pages_of_a_busy_repository_fail(client: Client, world: GitHubWorld) -> None:
    run = world.fail(world.trigger("acme/web"))
    world.fails_above_per_page = 50
    for path in (RUNS, f"{RUNS}/{run.id}/jobs"):
        refused = client.get(path, per_page="100")
        assert (refused.status_code, refused.json()["message"]) == (502, "Server Error")
        assert client.get(path, per_page="50").status_code == 200
        assert client.get(path).status_code == 200
    assert client.get("/user/repos", per_page="100").status_code == 200

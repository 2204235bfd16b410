"""The simulated CodeShip's builds: how they are restarted and progress."""

from __future__ import annotations

import math
import threading
from datetime import timedelta

import pytest

from playground.codeship.demo_data import seed
from playground.codeship.model import NotFound
from playground.codeship.state import CodeShipWorld
from tests.playground.codeship.client import KEY, NOON, Client, SettableClock


def test_a_restart_is_a_new_run_of_the_same_build(client: Client, world: CodeShipWorld, clock: SettableClock) -> None:
    build = world.finish(world.push("acme/web"), "error")
    world.push("acme/web", "dev")
    clock.passes(30)
    answer = client.restart(build.id)
    assert (answer.status_code, answer.json()) == (200, {"id": build.id, "uuid": build.uuid})
    again = client.project(33837).json()["builds"][1]
    assert (again["id"], again["status"], again["finished_at"]) == (build.id, "initiated", None)
    assert again["started_at"] == "2026-03-02T12:00:30.271Z"
    assert world.build(build).run == 2


@pytest.mark.parametrize("word", ["initiated", "waiting", "testing"])
def test_a_restart_of_a_running_build_is_accepted_and_ignored(client: Client, world: CodeShipWorld, word: str) -> None:
    running = world.change(world.push("acme/web"), status=word)
    assert client.restart(running.id).json()["id"] == running.id
    assert world.build(running) == running


def test_a_restart_can_answer_with_another_id(client: Client, world: CodeShipWorld) -> None:
    world.restarts_make_new_builds = True
    old = world.finish(world.push("acme/web", "dev", message="Fix", by="bob"), "error")
    named = client.restart(old.id).json()
    new = world.newest("acme/web", "dev")
    assert named == {"id": new.id, "uuid": new.uuid}
    assert new.id > old.id
    assert (new.commit_id, new.message, new.github_username) == (old.commit_id, "Fix", "bob")
    assert world.build(old) == old


@pytest.mark.parametrize("word", ["success", "error", "stopped", "infrastructure_failure", "never seen before"])
def test_a_build_ends_with_any_word(client: Client, world: CodeShipWorld, word: str) -> None:
    world.push("acme/web")
    assert world.finish("acme/web", word).status == word
    assert client.project(33837).json()["builds"][0]["status"] == word


def test_builds_progress_when_due_and_end_as_scripted(world: CodeShipWorld, clock: SettableClock) -> None:
    world.will_end("acme/web", "main", "error")
    build = world.push("acme/web")
    assert world.tick(clock.passes(4.9)) == ()
    [testing] = world.tick(clock.passes(0.1))
    assert (testing.status, testing.started_at) == ("testing", clock.at)
    assert world.tick(clock.passes(59.9)) == ()
    [ended] = world.tick(clock.passes(3600))
    assert (ended.status, ended.finished_at) == ("error", NOON + timedelta(seconds=65))
    assert world.tick(clock.passes(3600)) == ()
    world.restart(build)
    assert [moved.status for moved in world.tick(clock.passes(3600))] == ["success"]


def test_a_build_is_advanced_step_by_step(world: CodeShipWorld) -> None:
    build = world.push("acme/web")
    assert [world.advance(build).status for _ in range(3)] == ["testing", "success", "success"]


def test_pushes_and_restarts_from_many_threads_are_all_kept(world: CodeShipWorld) -> None:
    ended = world.finish(world.push("acme/web"), "error")

    def work() -> None:
        for _ in range(50):
            world.push("acme/web")
            world.restart(ended)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({build.id for build in world.builds("acme/web")}) == 401
    assert world.build(ended).run == 2


@pytest.mark.parametrize("new_build", [False, True])
def test_a_stale_list_shows_the_old_run_for_so_many_calls(
    client: Client, world: CodeShipWorld, new_build: bool
) -> None:
    world.restarts_make_new_builds = new_build
    world.stale_calls_after_restart = 2
    ended = world.finish(world.push("acme/web"), "error")
    before = client.project(33837).json()
    client.restart(ended.id)
    assert client.list_projects().json()["projects"] == [before]
    assert client.project(33837, branch="main").json() == before
    assert client.project(33837).json()["builds"][0]["status"] == "initiated"


def test_a_stale_list_can_last_until_it_is_ended(client: Client, world: CodeShipWorld) -> None:
    world.stale_calls_after_restart = math.inf
    ended = world.finish(world.push("acme/web"), "error")
    client.restart(ended.id)
    assert {client.project(33837).json()["builds"][0]["status"] for _ in range(5)} == {"error"}
    world.show_new_runs()
    assert client.project(33837).json()["builds"][0]["status"] == "initiated"


def test_a_duplicate_name_means_the_older_project_and_ids_are_unique(world: CodeShipWorld) -> None:
    twin = world.add_project("acme/web")
    assert world.project("acme/web").id == 33837
    assert world.project(twin.id) == twin
    with pytest.raises(ValueError, match="33837"):
        world.add_project("acme/api", id=33837)


@pytest.mark.parametrize("ask", ["project", "newest", "push"])
def test_an_unknown_project_or_build_is_reported(world: CodeShipWorld, ask: str) -> None:
    with pytest.raises(NotFound, match="acme/nothing"):
        getattr(world, ask)("acme/nothing")


def test_the_demo_account_shows_every_interesting_status(clock: SettableClock) -> None:
    world = CodeShipWorld(clock, KEY)
    seed(world)
    assert world.newest("acme/web").status == "error"
    assert world.newest("acme/web", "feature/login").is_running
    assert world.newest("acme/web", "release/1.2.io").status == "success"
    assert world.builds("acme/docs") == ()
    names = [project.repository_name for project in world.projects()]
    assert [name for name in names if name.endswith("/web")] == ["acme/web", "other-org/web"]
    builds = [build for name in names for build in world.builds(name)]
    assert any(build.github_username is None for build in builds)
    assert any("\n" in (build.message or "") for build in builds)
    assert any("<!channel>" in (build.message or "") for build in builds)
    assert all(build.moved_at <= NOON for build in builds)
    world.restart(world.newest("acme/web"))
    world.tick(clock.passes(3600))
    assert world.newest("acme/web").status == "error"

"""The sandbox GitHub's runs are run again and cancelled, or that is refused in GitHub's words."""

from __future__ import annotations

import math
import threading

import pytest

from playground.github.model import NotPossible
from playground.github.state import GitHubWorld
from tests.playground.github.client import WEB, Client, SettableClock


def test_a_rerun_is_the_next_attempt_and_the_earlier_ones_are_kept(
    client: Client, shop: GitHubWorld, clock: SettableClock
) -> None:
    [run] = shop.push("acme/shop", by="bob")
    shop.fail(run, "test")
    clock.passes(30)
    answer = client.post(f"/repos/acme/shop/actions/runs/{run.id}/rerun")
    assert (answer.status_code, answer.json()) == (201, {})
    again = client.get(f"/repos/acme/shop/actions/runs/{run.id}").json()
    assert (again["run_attempt"], again["status"], again["conclusion"]) == (2, "queued", None)
    assert (again["created_at"], again["run_started_at"]) == ("2026-03-02T12:00:00Z", "2026-03-02T12:00:30Z")
    assert (again["actor"]["login"], again["triggering_actor"]["login"]) == ("bob", "acme-bot")
    assert again["previous_attempt_url"].endswith(f"/actions/runs/{run.id}/attempts/1")
    assert [job["status"] for job in client.jobs_of(run.id)] == ["queued"] * 4
    first = client.get(f"/repos/acme/shop/actions/runs/{run.id}/attempts/1").json()
    assert (first["run_attempt"], first["conclusion"]) == (1, "failure")
    assert [job["run_attempt"] for job in client.jobs_of(run.id, filter="all")] == [1] * 4 + [2] * 4
    assert shop.reruns_asked(run) == 1


def test_a_rerun_of_the_failed_jobs_keeps_those_that_passed(
    client: Client, shop: GitHubWorld, clock: SettableClock
) -> None:
    [run] = shop.push("acme/shop")
    shop.fail(run, "test", "Run the tests")
    before = client.jobs_of(run.id)
    clock.passes(30)
    assert client.post(f"/repos/acme/shop/actions/runs/{run.id}/rerun-failed-jobs").status_code == 201
    again = client.jobs_of(run.id)
    assert [(job["name"], job["status"]) for job in again] == [
        ("lint", "completed"), ("build", "completed"), ("test", "queued"), ("deploy", "queued"),
    ]  # fmt: skip
    assert again[0]["completed_at"] == before[0]["completed_at"]
    assert {job["run_attempt"] for job in again} == {2}
    assert {job["id"] for job in again}.isdisjoint(job["id"] for job in before)
    shop.start(run)
    shop.fail(run, "deploy", "Deploy")
    ended = client.jobs_of(run.id)
    assert [job["conclusion"] for job in ended] == ["success", "success", "success", "failure"]
    assert [job["completed_at"][-4:] for job in ended] == [":00Z", ":00Z", ":30Z", ":30Z"]


@pytest.mark.parametrize("what", ["rerun", "rerun-failed-jobs"])
@pytest.mark.parametrize("word", ["requested", "waiting", "pending", "queued", "in_progress", "marooned"])
def test_a_run_under_way_is_not_run_again(client: Client, world: GitHubWorld, what: str, word: str) -> None:
    run = world.change(world.push("acme/web")[0], status=word)
    answer = client.post(f"{WEB}/actions/runs/{run.id}/{what}")
    assert (answer.status_code, answer.json()["message"]) == (403, "This workflow is already running")
    assert world.run(run) == run


@pytest.mark.parametrize(("days", "status"), [(29.9, 201), (30.1, 403)])
def test_a_run_of_more_than_thirty_days_is_not_run_again(
    client: Client, world: GitHubWorld, clock: SettableClock, days: float, status: int
) -> None:
    run = world.fail(world.push("acme/web")[0])
    clock.passes(days * 86_400)
    answer = client.post(f"{WEB}/actions/runs/{run.id}/rerun")
    assert answer.status_code == status
    assert ("created over a month ago" in answer.text) == (status == 403)


def test_what_cannot_be_done_is_refused_in_githubs_words(client: Client, world: GitHubWorld) -> None:
    passed = world.succeed(world.push("acme/web")[0])
    nothing_failed = client.post(f"{WEB}/actions/runs/{passed.id}/rerun-failed-jobs")
    assert (nothing_failed.status_code, nothing_failed.json()["message"]) == (
        403,
        "This workflow run cannot be retried",
    )
    over = client.post(f"{WEB}/actions/runs/{passed.id}/cancel")
    assert (over.status_code, over.json()["message"]) == (409, "Cannot cancel a workflow run that is completed.")
    world.change_repo("acme/web", archived=True)
    archived = client.post(f"{WEB}/actions/runs/{passed.id}/rerun")
    assert (archived.status_code, archived.json()["message"]) == (403, "Repository was archived so is read-only.")


def test_a_cancelled_run_ends_at_once_or_when_it_is_moved_on(client: Client, world: GitHubWorld) -> None:
    at_once, later = world.push("acme/web")
    assert client.post(f"{WEB}/actions/runs/{at_once.id}/cancel").status_code == 202
    assert world.run(at_once).conclusion == "cancelled"
    world.cancels_at_once = False
    world.start(later)
    assert client.post(f"{WEB}/actions/runs/{later.id}/cancel").status_code == 202
    assert client.get(f"{WEB}/actions/runs/{later.id}").json()["status"] == "in_progress"
    assert world.advance(later).conclusion == "cancelled"


def test_someone_else_may_run_it_again(client: Client, world: GitHubWorld) -> None:
    run = world.fail(world.push("acme/web")[0])
    world.rerun(run, by="carol")
    assert client.get(f"{WEB}/actions/runs/{run.id}").json()["triggering_actor"]["login"] == "carol"
    with pytest.raises(NotPossible, match="already running"):
        world.rerun(run, by="carol")


def test_a_list_may_lag_behind_a_rerun_for_so_many_calls_or_until_reported(client: Client, world: GitHubWorld) -> None:
    run = world.fail(world.trigger("acme/web"))
    world.stale_calls_after_rerun = 2
    before = client.get(f"{WEB}/actions/runs").json()
    client.post(f"{WEB}/actions/runs/{run.id}/rerun")
    assert client.get(f"{WEB}/actions/runs").json() == before
    assert client.get(f"{WEB}/actions/runs/{run.id}").json()["run_attempt"] == 2
    assert client.get(f"{WEB}/actions/runs").json() == before
    assert client.get(f"{WEB}/actions/runs").json()["workflow_runs"][0]["run_attempt"] == 2
    world.stale_calls_after_rerun = math.inf
    world.fail(run)
    world.rerun(run)
    assert {client.get(f"{WEB}/actions/runs").json()["workflow_runs"][0]["run_attempt"] for _ in range(5)} == {2}
    world.show_new_attempts()
    assert client.get(f"{WEB}/actions/runs").json()["workflow_runs"][0]["run_attempt"] == 3


def test_pushes_and_reruns_from_many_threads_are_all_kept(world: GitHubWorld) -> None:
    ended = world.fail(world.trigger("acme/web"))
    refused = []

    def work() -> None:
        for _ in range(20):
            world.push("acme/web")
            try:
                world.rerun(ended)
            except NotPossible as error:
                refused.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({run.id for run in world.runs("acme/web")}) == 321
    assert (world.run(ended).attempt, len(refused)) == (2, 159)

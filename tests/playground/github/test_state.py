"""The sandbox GitHub's runs: how they begin, move, end and are run again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.github import triggers
from playground.github.api.server import GitHubHost
from playground.github.demo_data import seed
from playground.github.model import Ending, NotFound, NotPossible, SandboxRun
from playground.github.state import GitHubWorld
from tests.examples import percent
from tests.playground.github.client import NOON, TOKEN, WEB, Client, SettableClock


def test_a_push_starts_one_run_of_each_workflow_on_one_commit(client: Client, world: GitHubWorld) -> None:
    world.add_workflow("acme/web", "Nightly", events=("schedule",))
    world.change_workflow(world.add_workflow("acme/web", "Old"), state="disabled_manually")
    ci, docs = world.push("acme/web", "main", message="Fix login\n\nfor all", by="ada", author="bob")
    assert client.run_ids() == [docs.id, ci.id]
    shown = client.get(f"{WEB}/actions/runs/{ci.id}").json()
    assert {name: shown[name] for name in ("name", "event", "status", "conclusion", "run_attempt", "run_number")} == {
        "name": "CI", "event": "push", "status": "queued", "conclusion": None, "run_attempt": 1, "run_number": 1,
    }  # fmt: skip
    assert shown["head_sha"] == docs.head_sha
    assert (shown["display_title"], shown["head_commit"]["message"]) == ("Fix login", "Fix login\n\nfor all")
    assert (shown["actor"]["login"], shown["head_commit"]["author"]["name"]) == ("ada", "bob")
    assert shown["created_at"] == shown["run_started_at"] == "2026-03-02T12:00:00Z"
    assert shown["html_url"] == f"https://github.com/acme/web/actions/runs/{ci.id}"
    assert shown["head_repository"]["full_name"] == shown["repository"]["full_name"] == "acme/web"


def test_a_failure_names_its_job_and_step_and_what_needs_it_is_skipped(client: Client, shop: GitHubWorld) -> None:
    [run] = shop.push("acme/shop")
    shop.start(run)
    assert [job["status"] for job in client.jobs_of(run.id)] == ["in_progress", "in_progress", "queued", "queued"]
    shop.fail(run, "test", "Run the tests", at=NOON + timedelta(seconds=90))
    shown = client.jobs_of(run.id)
    assert [(job["name"], job["conclusion"]) for job in shown] == [
        ("lint", "success"), ("build", "success"), ("test", "failure"), ("deploy", "skipped"),
    ]  # fmt: skip
    assert [step["conclusion"] for step in shown[2]["steps"]] == ["success", "success", "failure", "skipped", "success"]
    assert shown[2]["html_url"] == f"https://github.com/acme/shop/actions/runs/{run.id}/job/{shown[2]['id']}"
    assert shown[2]["completed_at"] == "2026-03-02T12:01:30Z"
    assert shown[3]["steps"] == []


@pytest.mark.parametrize(
    ("conclusion", "of_jobs"),
    [
        ("success", ["success"] * 4),
        ("neutral", ["neutral"] * 4),
        ("cancelled", ["cancelled"] * 4),
        ("skipped", ["skipped"] * 4),
        ("timed_out", ["success", "success", "success", "timed_out"]),
        ("action_required", []),
        ("startup_failure", []),
        ("stale", ["success"] * 4),
        ("marooned", ["success"] * 4),
    ],
)
def test_a_run_ends_with_any_word(client: Client, shop: GitHubWorld, conclusion: str, of_jobs: list[str]) -> None:
    [run] = shop.push("acme/shop")
    shop.finish(run, conclusion)
    shown = client.get(f"/repos/acme/shop/actions/runs/{run.id}").json()
    assert (shown["status"], shown["conclusion"]) == ("completed", conclusion)
    assert [job["conclusion"] for job in client.jobs_of(run.id)] == of_jobs


@pytest.mark.parametrize("word", ["requested", "waiting", "pending", "queued", "marooned", None])
def test_a_run_may_have_any_status(client: Client, world: GitHubWorld, word: str | None) -> None:
    run = world.change(world.push("acme/web")[0], status=word)
    assert client.get(f"{WEB}/actions/runs/{run.id}").json()["status"] == word


def test_runs_move_on_when_they_are_due_and_end_as_scripted(world: GitHubWorld, clock: SettableClock) -> None:
    world.will_end("acme/web", "main", Ending("failure", "test", "Run the tests"), workflow="CI")
    ci, docs = world.push("acme/web")
    waiting = world.change(world.trigger("acme/web", "Docs", "deploy"), status="waiting")
    assert world.tick(clock.passes(4.9)) == ()
    assert [run.status for run in world.tick(clock.passes(0.1))] == ["in_progress", "in_progress"]
    assert world.tick(clock.passes(59.9)) == ()
    assert [run.conclusion for run in world.tick(clock.passes(3600))] == ["failure", "success"]
    assert world.run(ci).updated_at == NOON + timedelta(seconds=65)
    assert world.run(waiting).status == "waiting"
    assert [job.conclusion for job in world.run(ci).jobs] == ["success", "failure"]
    world.rerun(ci)
    assert [run.conclusion for run in world.tick(clock.passes(3600))] == ["success"]
    assert world.run(docs).attempt == 1


def test_a_fork_may_bring_a_branch_named_main(client: Client, world: GitHubWorld) -> None:
    fork = world.add_repo("mallory/web", fork=True, private=False, workflows=(), owner_is="User")
    own = world.push("acme/web")
    foreign = world.pull_request("acme/web", "main", number=7, fork=fork, by="mallory")
    same_repo = world.pull_request("acme/web", "feature/login", number=8)
    assert client.run_ids(branch="main")[0] == foreign.id
    assert len(client.run_ids(branch="main")) == len(own) + 1
    shown = client.get(f"{WEB}/actions/runs/{foreign.id}").json()
    assert (shown["head_repository"]["full_name"], shown["repository"]["full_name"]) == ("mallory/web", "acme/web")
    assert (shown["event"], shown["pull_requests"]) == ("pull_request", [])
    [pull] = client.get(f"{WEB}/actions/runs/{same_repo.id}").json()["pull_requests"]
    assert (pull["number"], pull["base"]["ref"]) == (8, "main")
    without = client.get(f"{WEB}/actions/runs/{same_repo.id}", exclude_pull_requests="true").json()
    assert without["pull_requests"] == []


def test_fields_can_be_null_or_missing(client: Client, world: GitHubWorld) -> None:
    run = world.trigger("acme/web", branch=None, event="schedule", message=None, by=None)
    world.change(run, name=None, missing=frozenset({"run_attempt", "run_started_at"}))
    shown = client.get(f"{WEB}/actions/runs/{run.id}").json()
    assert (shown["name"], shown["head_branch"], shown["head_commit"], shown["event"]) == (None, None, None, "schedule")
    assert {"run_attempt", "run_started_at", "actor", "triggering_actor"}.isdisjoint(shown)


@pytest.mark.parametrize(
    ("ask", "arguments"),
    [
        ("repo", ("acme/nothing",)),
        ("push", ("acme/nothing",)),
        ("newest", ("acme/web", "nothing")),
        ("workflow", ("acme/web", "nothing")),
        ("run", (7,)),
    ],
)
def test_what_the_world_does_not_have_is_reported(world: GitHubWorld, ask: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(NotFound, match=r"nothing|7"):
        getattr(world, ask)(*arguments)


@pytest.mark.parametrize(("job", "step"), [("nothing", None), ("test", "nothing")])
def test_a_failure_of_a_job_or_step_that_is_not_there_is_reported(
    world: GitHubWorld, job: str, step: str | None
) -> None:
    with pytest.raises(NotFound, match="nothing"):
        world.fail(world.push("acme/web")[0], job, step)


def test_a_name_is_borne_once_in_any_case(world: GitHubWorld) -> None:
    assert world.repo("Acme/WEB").id == 1296269
    with pytest.raises(ValueError, match="exists already"):
        world.add_repo("ACME/web")


ACTS = ["push", "pull_request", "start", "succeed", "fail", "skip", "cancel", "rerun", "rerun_failed", "advance"]
ACTS += ["comment", "tag", "queue", "wait_for_approval", "approve"]


@percent(40)
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 3)), max_size=14))
def test_whatever_happens_is_answered_as_github_describes(acts: list[tuple[str, int]]) -> None:
    world = GitHubWorld(SettableClock(), TOKEN)
    world.add_repo("acme/web", workflows=("CI", "Docs"))
    for act, which in acts:
        _do(world, act, which)
    with GitHubHost(world) as host:
        client = Client(host.url)
        for run_id in client.run_ids():
            for attempt in range(1, world.run(run_id).attempt + 1):
                client.get(f"{WEB}/actions/runs/{run_id}/attempts/{attempt}")
            client.get(f"{WEB}/actions/runs/{run_id}/jobs", filter="all")
            client.get(f"{WEB}/actions/runs/{run_id}/pending_deployments")
        client.session.close()


def _do(world: GitHubWorld, act: str, which: int) -> None:
    runs = world.runs("acme/web")
    if act == "push":
        world.push("acme/web", f"branch-{which}")
    elif act == "pull_request":
        world.pull_request("acme/web", "patch", number=which)
    elif act == "comment":
        triggers.occur(world, "issue_comment", "acme/web", "Triage")
    elif act == "tag" and "main" in world.heads("acme/web"):
        triggers.tag(world, "acme/web", f"v{which}")
    elif act == "queue" and world.pulls("acme/web"):
        triggers.queue(world, "acme/web", world.pulls("acme/web")[0].number)
    elif runs:
        _do_to_a_run(world, act, runs[which % len(runs)])


def _do_to_a_run(world: GitHubWorld, act: str, run: SandboxRun) -> None:
    if act == "approve":
        if run.waits_for:
            world.review(run, run.waits_for, approved=True)
    elif act == "wait_for_approval":
        if run.jobs and not run.is_over and run.jobs[-1].status != "completed":
            world.wait_for_approval(run)
    elif act not in {"tag", "queue"}:
        try:
            world.rerun(run, failed_only=True) if act == "rerun_failed" else getattr(world, act)(run)
        except NotPossible:
            assert act in {"rerun", "rerun_failed", "cancel"}


def test_the_demo_account_shows_every_interesting_status(world: GitHubWorld, clock: SettableClock) -> None:
    seed(world)
    assert world.newest("acme/shop").conclusion == "failure"
    assert world.newest("acme/shop", workflow="Docs").conclusion == "success"
    assert world.newest("acme/shop").head_sha == world.newest("acme/shop", workflow="Docs").head_sha
    assert world.newest("acme/shop", "feature/coupons").conclusion == "cancelled"
    assert world.newest("acme/mobile").status == "in_progress"
    assert [run.conclusion for run in world.attempts(world.newest("acme/billing"))] == ["failure", "success"]
    assert world.runs("acme/handbook") == ()
    runs = [run for repo in world.repos() for run in world.runs(repo)]
    assert any(run.head_repo and run.head_repo.id != run.repo_id for run in runs)
    assert any("<!channel>" in (run.message or "") for run in runs)
    assert any(run.actor is None for run in runs)
    assert {run.event for run in runs} == {"push", "pull_request", "schedule"}
    assert all(run.updated_at <= NOON for run in runs)
    for ending in ("failure", "success"):
        world.rerun(world.newest("acme/shop"))
        world.tick(clock.passes(3600))
        assert world.newest("acme/shop").conclusion == ending

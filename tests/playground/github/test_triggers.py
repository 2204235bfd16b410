"""The sandbox GitHub starts runs for events of every kind, and shows each under the branch that GitHub names."""

from __future__ import annotations

import pytest

from playground.github import triggers
from playground.github.model import NotFound
from playground.github.state import GitHubWorld
from tests.playground.github.client import WEB, Client

READS_ALL = "github_pat_11READS"


@pytest.fixture
def reader(client: Client, world: GitHubWorld) -> Client:
    """With a token that may read branches and pull requests too."""
    permissions = {"actions": "write", "contents": "read", "pull_requests": "read"}
    world.add_token(READS_ALL, permissions=permissions)
    return client.as_(READS_ALL)


@pytest.mark.parametrize("event", triggers.ACTORS)
def test_an_event_starts_a_run_on_the_default_branchs_newest_commit(
    client: Client, world: GitHubWorld, event: str
) -> None:
    pushed = world.push("acme/web")[0]
    run = triggers.occur(world, event, "acme/web", "Answer")
    shown = client.get(f"{WEB}/actions/runs", branch="main", event=event).json()["workflow_runs"]
    assert [(each["id"], each["event"], each["head_sha"]) for each in shown] == [(run.id, event, pushed.head_sha)]
    assert world.head("acme/web", "main") == pushed.head_sha
    assert shown[0]["actor"]["login"] == triggers.ACTORS[event]


def test_what_no_trigger_causes_by_itself_is_refused(world: GitHubWorld) -> None:
    with pytest.raises(ValueError, match="merge_group"):
        triggers.occur(world, "merge_group", "acme/web", "CI")


def test_a_workflow_of_githubs_own_has_a_path_that_says_so(client: Client, world: GitHubWorld) -> None:
    triggers.occur(world, "dynamic", "acme/web", "Dependabot Updates")
    assert client.get(f"{WEB}/actions/runs").json()["workflow_runs"][0]["path"] == "dynamic/dependabot-updates"


def test_a_tag_is_shown_as_a_branch_and_is_none(reader: Client, world: GitHubWorld) -> None:
    pushed = world.push("acme/web")[0]
    tagged = triggers.tag(world, "acme/web", "v1.2")
    assert reader.run_ids(branch="v1.2") == [run.id for run in reversed(tagged)]
    assert {run.head_sha for run in tagged} == {pushed.head_sha}
    assert reader.get(f"{WEB}/branches/v1.2").status_code == 404
    assert [branch["name"] for branch in reader.get(f"{WEB}/branches").json()] == ["main"]


def test_a_merge_queue_tests_a_commit_that_the_base_gets_without_a_run(reader: Client, world: GitHubWorld) -> None:
    world.push("acme/web")
    world.pull_request("acme/web", "feature/login", number=12)
    runs = triggers.queue(world, "acme/web", 12)
    queue_branch, sha = runs[0].head_branch or "", runs[0].head_sha
    assert queue_branch.startswith("gh-readonly-queue/main/pr-12-")
    assert reader.get(f"{WEB}/branches/{queue_branch}").json()["commit"]["sha"] == sha
    assert triggers.merge(world, "acme/web", 12) == sha
    assert reader.get(f"{WEB}/branches/main").json()["commit"]["sha"] == sha
    assert sha not in {
        run["head_sha"] for run in reader.get(f"{WEB}/actions/runs", branch="main").json()["workflow_runs"]
    }
    found = reader.get(f"{WEB}/actions/runs", head_sha=sha).json()["workflow_runs"]
    assert {run["event"] for run in found} == {"merge_group"}
    assert reader.get(f"{WEB}/branches/{queue_branch}").status_code == 404
    pull = reader.get(f"{WEB}/pulls/12").json()
    assert (pull["state"], pull["merged"]) == ("closed", True)


def test_only_workflows_for_the_queue_run_in_it_if_there_are_any(world: GitHubWorld) -> None:
    world.add_workflow("acme/web", "Queue", events=("merge_group",))
    world.pull_request("acme/web", "feature/login", number=12)
    assert [run.name for run in triggers.queue(world, "acme/web", 12)] == ["Queue"]
    with pytest.raises(NotFound, match="no pull request 13"):
        triggers.queue(world, "acme/web", 13)


def test_a_commit_can_start_no_run(reader: Client, world: GitHubWorld) -> None:
    pushed = world.push("acme/web")[0]
    newest = world.commit("acme/web", "main")
    assert reader.get(f"{WEB}/branches/main").json()["commit"]["sha"] == newest != pushed.head_sha
    assert reader.run_ids(head_sha=newest) == []


def test_a_branch_can_be_deleted_and_its_runs_remain(reader: Client, world: GitHubWorld) -> None:
    runs = world.push("acme/web", "feature/x")
    world.delete_branch("acme/web", "feature/x")
    assert reader.get(f"{WEB}/branches/feature/x").status_code == 404
    assert len(reader.run_ids(branch="feature/x")) == len(runs)


def test_a_later_push_supersedes_what_still_runs(world: GitHubWorld) -> None:
    old = world.push("acme/web")
    new = triggers.push_and_supersede(world, "acme/web")
    assert [world.run(run).conclusion for run in old] == ["cancelled", "cancelled"]
    assert [run.status for run in new] == ["queued", "queued"]


def test_a_push_behind_another_is_pending(world: GitHubWorld) -> None:
    world.succeed(world.push("acme/web")[0])
    assert [run.status for run in triggers.push_and_hold(world, "acme/web")] == ["queued", "pending"]


def test_a_second_run_of_one_workflow_and_commit_has_a_number_of_its_own(client: Client, world: GitHubWorld) -> None:
    first = world.push("acme/web")[0]
    second = triggers.occur(world, "schedule", "acme/web", "CI")
    assert (second.workflow_id, second.head_sha) == (first.workflow_id, first.head_sha)
    assert second.number == first.number + 1
    assert client.run_ids(head_sha=first.head_sha)[0] == second.id


def test_a_required_workflow_runs_and_is_in_no_list(client: Client, world: GitHubWorld) -> None:
    world.require_workflow("acme/web", "Licences", of="acme/policies")
    world.push("acme/web")
    listed = client.get(f"{WEB}/actions/workflows").json()["workflows"]
    assert [workflow["name"] for workflow in listed] == ["CI", "Docs"]
    run = client.get(f"{WEB}/actions/runs").json()["workflow_runs"][0]
    assert run["path"] == "acme/policies/.github/workflows/licences.yml@refs/heads/main"


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target"])
def test_a_forks_pull_request_names_the_fork(reader: Client, world: GitHubWorld, event: str) -> None:
    world.add_repo("mallory/web", fork=True, private=False, workflows=(), owner_is="User")
    run = world.pull_request("acme/web", "main", number=7, fork="mallory/web", by="mallory", event=event)
    pull = reader.get(f"{WEB}/pulls/7").json()
    assert (pull["head"]["label"], pull["head"]["repo"]["full_name"]) == ("mallory:main", "mallory/web")
    assert pull["head"]["sha"] == run.head_sha
    shown = reader.get(f"{WEB}/actions/runs/{run.id}").json()
    assert (shown["event"], shown["head_repository"]["full_name"]) == (event, "mallory/web")
    assert reader.get(f"{WEB}/branches/main").status_code == 404


def test_a_fork_that_is_gone_is_null(reader: Client, world: GitHubWorld) -> None:
    fork = world.add_repo("mallory/web", fork=True, private=False, workflows=(), owner_is="User")
    run = world.pull_request("acme/web", "patch", number=7, fork=fork, by="mallory")
    world.change(run, head_repo=None)
    shown = reader.ask("GET", f"{WEB}/actions/runs/{run.id}", described=False).json()
    assert shown["head_repository"] is None


def test_an_open_pull_request_is_named_by_every_run_of_its_branch(reader: Client, world: GitHubWorld) -> None:
    run = world.pull_request("acme/web", "feature/login", number=8)
    pushed = world.push("acme/web", "feature/login", sha=run.head_sha)[0]
    for each in (run, pushed):
        assert [p["number"] for p in reader.get(f"{WEB}/actions/runs/{each.id}").json()["pull_requests"]] == [8]
    world.close_pull("acme/web", 8)
    assert reader.get(f"{WEB}/actions/runs/{run.id}").json()["pull_requests"] == []
    assert reader.get(f"{WEB}/pulls/8").json()["state"] == "closed"
    assert reader.get(f"{WEB}/pulls/9").status_code == 404


@pytest.mark.parametrize(("path", "permission"), [("branches/main", "contents"), ("pulls/8", "pull_requests")])
def test_branches_and_pull_requests_need_permissions_of_their_own(
    client: Client, world: GitHubWorld, path: str, permission: str
) -> None:
    world.pull_request("acme/web", "main", number=8)
    refused = client.get(f"{WEB}/{path}")
    assert refused.status_code == 403
    assert refused.headers["X-Accepted-GitHub-Permissions"] == f"{permission}=read"


def test_a_deployment_waits_for_an_approval(world: GitHubWorld) -> None:
    run = triggers.deploy(world, "acme/web", "staging")
    assert (run.status, run.waits_for, run.event) == ("waiting", ("staging",), "workflow_dispatch")
    assert triggers.deploy(world, "acme/web").workflow_id == run.workflow_id


def test_a_pull_request_is_opened_once_for_a_branch(world: GitHubWorld) -> None:
    world.push("acme/web", "feature/login")
    pull = triggers.open_pull(world, "acme/web", "feature/login")
    assert triggers.open_pull(world, "acme/web", "feature/login") == pull
    world.close_pull("acme/web", pull.number)
    assert triggers.open_pull(world, "acme/web", "feature/login").number == pull.number + 1

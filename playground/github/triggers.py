"""What starts runs besides a push or a pull request: merge queues, timers, comments, tags, deployments and the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.github.model import JobPlan, PullRequest, SandboxRun
from playground.github.state import GitHubWorld, Repo

QUEUE_BOT = "github-merge-queue[bot]"

ACTORS: Mapping[str, str] = {
    "schedule": "ada",
    "workflow_dispatch": "ada",
    "repository_dispatch": "acme-bot",
    "issues": "mallory",
    "issue_comment": "mallory",
    "workflow_run": "ada",
    "deployment": "ada",
    "deployment_status": "ada",
    "release": "ada",
    "dynamic": "dependabot[bot]",
}
"""The events of `occur`, each with who causes it if nothing else is said."""


def occur(
    world: GitHubWorld, event: str, repo: Repo, workflow: str, branch: str | None = None, **run: Any
) -> SandboxRun:
    """Starts a run for an event of `ACTORS`. Creates the workflow if the repository has none of that name.

    It is of the newest commit of `branch`, or of the default branch: also for a comment under a pull request.
    """
    if event not in ACTORS:
        raise ValueError(f"{event} is not an event that occurs by itself")
    found = world.repo(repo)
    if workflow not in {flow.name for flow in world.workflows(found)}:
        path = f"dynamic/{workflow.lower().replace(' ', '-')}" if event == "dynamic" else None
        world.add_workflow(found, workflow, events=(event,), path=path)
    return world.trigger(found, workflow, branch or found.default_branch, event=event, **{"by": ACTORS[event], **run})


def tag(world: GitHubWorld, repo: Repo, name: str, **run: Any) -> tuple[SandboxRun, ...]:
    """Pushes a tag of the default branch's newest commit. GitHub shows its name as the run's branch."""
    found = world.repo(repo)
    run = {"sha": world.head(found, found.default_branch), "message": f"Release {name}", **run}
    flows = [flow for flow in world.workflows(found) if "push" in flow.events and flow.state == "active"]
    return tuple(world.trigger(found, flow.name, name, is_tag=True, **run) for flow in flows)


def open_pull(world: GitHubWorld, repo: Repo, branch: str, by: str = "ada") -> PullRequest:
    """The open pull request from this branch; a new one, which starts no run, if there is none. Raises NotFound."""
    found, sha = world.repo(repo), world.head(repo, branch)
    pulls = world.pulls(found)
    for pull in pulls:
        if (pull.head, pull.state, pull.is_from_a_fork) == (branch, "open", False):
            return pull
    number, now = max((pull.number for pull in pulls), default=0) + 1, world.now()
    title = f"Propose {branch}"
    return world.put_pull(PullRequest(number, found.default_branch, found.id, branch, sha, found, title, by, now, now))


def deploy(world: GitHubWorld, repo: Repo, environment: str = "production", *, by: str = "ada") -> SandboxRun:
    """Starts the workflow Deploy by hand; its last job waits for an approval."""
    found = world.repo(repo)
    if "Deploy" not in {flow.name for flow in world.workflows(found)}:
        jobs = (JobPlan("build"), JobPlan("deploy", needs=("build",)))
        world.add_workflow(found, "Deploy", jobs=jobs, events=("workflow_dispatch",))
    run = occur(world, "workflow_dispatch", found, "Deploy", by=by, message=f"Deploy to {environment}")
    return world.wait_for_approval(run, environment)


def queue(world: GitHubWorld, repo: Repo, number: int, **run: Any) -> tuple[SandboxRun, ...]:
    """Puts the pull request into its base's merge queue. The runs are on a branch of the queue, which `?branch=` omits.

    They are of the workflows with the event `merge_group`; of those for pull requests if none has it. Raises NotFound.
    """
    found, pull = world.repo(repo), world.pull(repo, number)
    base_sha = world.heads(found).get(pull.base, "0" * 40)
    active = [flow for flow in world.workflows(found) if flow.state == "active"]
    flows = [flow for flow in active if "merge_group" in flow.events]
    flows = flows or [flow for flow in active if "pull_request" in flow.events]
    branch = f"gh-readonly-queue/{pull.base}/pr-{number}-{base_sha}"
    sha = world.commit(found, branch)
    run = {"by": QUEUE_BOT, "message": f"Merge pull request #{number} from {pull.head}", **run}
    return tuple(world.trigger(found, flow.name, branch, event="merge_group", sha=sha, **run) for flow in flows)


def merge(world: GitHubWorld, repo: Repo, number: int) -> str:
    """The queue's commit becomes the base's newest, without a run of its own; returns it. Raises NotFound."""
    pull = world.pull(repo, number)
    start = f"gh-readonly-queue/{pull.base}/pr-{number}-"
    queued = [branch for branch in world.heads(repo) if branch.startswith(start)]
    sha = world.head(repo, queued[-1] if queued else f"{start}*")
    for branch in queued:
        world.delete_branch(repo, branch)
    world.close_pull(repo, number, merged=True)
    return world.commit(repo, pull.base, sha)


def push_and_supersede(world: GitHubWorld, repo: Repo, branch: str = "main", **commit: Any) -> tuple[SandboxRun, ...]:
    """A push that cancels running runs of the same workflows, as `concurrency` with `cancel-in-progress` does."""
    before = [run for run in world.runs(repo, branch) if not run.is_over]
    pushed = world.push(repo, branch, **commit)
    for run in before:
        if run.workflow_id in {new.workflow_id for new in pushed}:
            world.finish(run, "cancelled", at=commit.get("at"))
    return pushed


def push_and_hold(world: GitHubWorld, repo: Repo, branch: str = "main", **commit: Any) -> tuple[SandboxRun, ...]:
    """A push whose runs are `pending`, because of a `concurrency` group, while earlier ones of their workflow run."""
    running = {run.workflow_id for run in world.runs(repo, branch) if not run.is_over}
    pushed = world.push(repo, branch, **commit)
    held = (world.change(run, status="pending") if run.workflow_id in running else run for run in pushed)
    return tuple(held)

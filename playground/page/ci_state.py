"""The simulated CI services as JSON for the page: their faults, and what can be changed by hand."""

from __future__ import annotations

from typing import Any

from playground.codeship.state import CodeShipWorld
from playground.github.model import SandboxJob, SandboxRun
from playground.github.sandbox import GITHUB_TOKEN, GitHubSandbox
from playground.github.state import GitHubWorld
from playground.play.github_events import WORLD_EVENTS

Json = dict[str, Any]


def codeship_json(world: CodeShipWorld) -> Json:
    repos = [project.repository_name for project in world.projects()]
    return {"mood": world.mood.name, "repos": repos, "builds": _builds(world)}


def github_json(github: GitHubSandbox) -> Json:
    """`repos`: those in which a push starts a workflow."""
    world = github.world
    built = [repo for repo in world.repos() if any("push" in flow.events for flow in world.workflows(repo))]
    rows = [_run_json(run, world) for run in github.newest_runs()]
    return {
        "mood": _mood(world),
        "events": [{"label": event.button[0], "words": event.button[1]} for event in WORLD_EVENTS if event.button],
        "repos": [repo.full_name for repo in built if not repo.archived],
        "runs": sorted(rows, key=lambda row: (row["is_over"], row["repo"], row["branch"] or "", row["workflow"])),
    }


def _mood(world: GitHubWorld) -> str:
    window = world.accounts.limits.window(world.accounts.caller(GITHUB_TOKEN).key)
    return "over the limit" if window is not None and window.remaining == 0 else world.mood.name


def _run_json(run: SandboxRun, world: GitHubWorld) -> Json:
    return {
        "id": run.id,
        "repo": world.repo(run.repo_id).full_name,
        "branch": run.head_branch,
        "workflow": run.name,
        "state": run.conclusion if run.is_over else run.status,
        "attempt": run.attempt,
        "is_over": run.is_over,
        "waits_for": list(run.waits_for),
        "breaks_at": [place for job in run.jobs if job.status != "completed" for place in _places(job)],
    }


def _places(job: SandboxJob) -> list[str]:
    """Where a job may fail, in the words of the event. Without GitHub's own steps before and after a job."""
    return [f"{job.name}, {step}" for step in job.plan.steps[1:-1]]


def _builds(world: CodeShipWorld) -> list[Json]:
    """The newest build of each branch; running ones first."""
    newest: dict[tuple[str, str], Json] = {}
    for project in world.projects():
        for build in world.builds(project.id):
            row = {
                "id": build.id,
                "repo": project.repository_name,
                "branch": build.branch,
                "status": build.status,
                "is_running": build.is_running,
                "message": (build.message or "").partition("\n")[0],
            }
            newest.setdefault((project.repository_name, build.branch), row)
    return sorted(newest.values(), key=lambda row: (not row["is_running"], row["repo"], row["branch"]))

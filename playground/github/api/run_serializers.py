"""The sandbox GitHub's workflows, runs, jobs and events as its API writes them. Pure functions."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from playground.github.api.serializers import (
    AccountOf,
    Addresses,
    Json,
    maybe_time_json,
    minimal_repo_json,
    node_id,
    repo_json,
    time_json,
    user_json,
)
from playground.github.model import JobEvent, RunEvent, SandboxJob, SandboxRepo, SandboxRun, SandboxWorkflow


def workflow_json(workflow: SandboxWorkflow, repo: SandboxRepo, at: Addresses) -> Json:
    """workflow"""
    file = workflow.path.rpartition("/")[2]
    return {
        "id": workflow.id,
        "node_id": node_id("W", workflow.id),
        "name": workflow.name,
        "path": workflow.path,
        "state": workflow.state,
        "created_at": time_json(workflow.created_at),
        "updated_at": time_json(workflow.created_at),
        "url": f"{at.repo(repo)}/actions/workflows/{workflow.id}",
        "html_url": f"{at.web}/{repo.full_name}/blob/{repo.default_branch}/{workflow.path}",
        "badge_url": f"{at.web}/{repo.full_name}/actions/workflows/{file}/badge.svg",
    }


def run_json(
    run: SandboxRun,
    workflow: SandboxWorkflow,
    repo: SandboxRepo,
    account: AccountOf,
    at: Addresses,
    *,
    with_pull_requests: bool = True,
) -> Json:
    """workflow-run, without the fields that this one misses."""
    url = f"{at.repo(repo)}/actions/runs/{run.id}"
    suite = run.id + 1_000_000_000
    head_repo = repo if run.head_repo is not None and run.head_repo.id == repo.id else run.head_repo
    fields: Json = {
        "id": run.id,
        "name": run.name,
        "node_id": node_id("WFR", run.id),
        "head_branch": run.head_branch,
        "head_sha": run.head_sha,
        "path": workflow.path,
        "display_title": (run.message or run.name or "").partition("\n")[0],
        "run_number": run.number,
        "event": run.event,
        "status": run.status,
        "conclusion": run.conclusion,
        "workflow_id": run.workflow_id,
        "check_suite_id": suite,
        "check_suite_node_id": node_id("CS", suite),
        "url": url,
        "html_url": f"{at.web}/{repo.full_name}/actions/runs/{run.id}",
        "pull_requests": _pull_requests(run, repo, at) if with_pull_requests else [],
        "created_at": time_json(run.created_at),
        "updated_at": time_json(run.updated_at),
        "run_attempt": run.attempt,
        "referenced_workflows": [],
        "run_started_at": time_json(run.started_at),
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "check_suite_url": f"{at.repo(repo)}/check-suites/{suite}",
        "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel",
        "rerun_url": f"{url}/rerun",
        "previous_attempt_url": f"{url}/attempts/{run.attempt - 1}" if run.attempt > 1 else None,
        "workflow_url": f"{at.repo(repo)}/actions/workflows/{workflow.id}",
        "head_commit": _head_commit(run),
        "repository": minimal_repo_json(repo, account(repo.owner), at),
        "head_repository": head_repo and minimal_repo_json(head_repo, account(head_repo.owner), at),
    }
    people = {"actor": run.actor, "triggering_actor": run.triggering_actor}
    fields |= {role: user_json(account(login), at) for role, login in people.items() if login is not None}
    return {name: value for name, value in fields.items() if name not in run.missing}


def job_json(job: SandboxJob, run: SandboxRun, repo: SandboxRepo, at: Addresses) -> Json:
    """job"""
    has_runner = job.runner is not None
    return {
        "id": job.id,
        "run_id": run.id,
        "workflow_name": run.name,
        "head_branch": run.head_branch,
        "run_url": f"{at.repo(repo)}/actions/runs/{run.id}",
        "run_attempt": job.attempt,
        "node_id": node_id("CR", job.id),
        "head_sha": run.head_sha,
        "url": f"{at.repo(repo)}/actions/jobs/{job.id}",
        "html_url": f"{at.web}/{repo.full_name}/actions/runs/{run.id}/job/{job.id}",
        "status": job.status,
        "conclusion": job.conclusion,
        "created_at": time_json(job.created_at),
        "started_at": time_json(job.started_at),
        "completed_at": maybe_time_json(job.completed_at),
        "name": job.name,
        "steps": [
            {
                "name": step.name,
                "status": step.status,
                "conclusion": step.conclusion,
                "number": step.number,
                "started_at": maybe_time_json(step.started_at),
                "completed_at": maybe_time_json(step.completed_at),
            }
            for step in job.steps
        ],
        "check_run_url": f"{at.repo(repo)}/check-runs/{job.id}",
        "labels": ["ubuntu-latest"],
        "runner_id": job.runner,
        "runner_name": f"GitHub Actions {job.runner}" if has_runner else None,
        "runner_group_id": 0 if has_runner else None,
        "runner_group_name": "GitHub Actions" if has_runner else None,
    }


def event_json(
    event: RunEvent, workflow: SandboxWorkflow, repo: SandboxRepo, account: AccountOf, at: Addresses
) -> Json:
    """The payload of GitHub's webhook `workflow_run`."""
    sender = event.run.triggering_actor or "ghost"
    return {
        "action": event.action,
        "workflow_run": run_json(event.run, workflow, repo, account, at),
        "workflow": workflow_json(workflow, repo, at),
        "repository": repo_json(repo, account(repo.owner), at, may_write=True),
        "sender": user_json(account(sender), at),
    }


def job_event_json(event: JobEvent, repo: SandboxRepo, account: AccountOf, at: Addresses) -> Json:
    """The payload of GitHub's webhook `workflow_job`."""
    job = event.job
    deploys = {} if job.plan.environment is None else {"deployment": deployment_json(job, event.run, repo, account, at)}
    return {
        "action": event.action,
        "workflow_job": job_json(job, event.run, repo, at),
        **deploys,
        "repository": repo_json(repo, account(repo.owner), at, may_write=True),
        "sender": user_json(account(event.run.triggering_actor or "ghost"), at),
    }


def environment_id(name: str, repo: SandboxRepo) -> int:
    """One of a repository's environments, the same every time."""
    return int(hashlib.sha256(f"{repo.id} {name}".encode()).hexdigest()[:8], 16)


def pending_deployment_json(name: str, run: SandboxRun, repo: SandboxRepo, at: Addresses) -> Json:
    """pending-deployment"""
    number = environment_id(name, repo)
    return {
        "environment": {
            "id": number,
            "node_id": node_id("EN", number),
            "name": name,
            "url": f"{at.repo(repo)}/environments/{quote(name, safe='')}",
            "html_url": f"{at.web}/{repo.full_name}/deployments/activity_log?environments_filter={quote(name)}",
        },
        "wait_timer": 0,
        "wait_timer_started_at": time_json(run.updated_at),
        "current_user_can_approve": True,
        "reviewers": [],
    }


def deployment_json(job: SandboxJob, run: SandboxRun, repo: SandboxRepo, account: AccountOf, at: Addresses) -> Json:
    """deployment"""
    url = f"{at.repo(repo)}/deployments/{job.id}"
    return {
        "url": url,
        "id": job.id,
        "node_id": node_id("DE", job.id),
        "sha": run.head_sha,
        "ref": run.head_branch or run.head_sha,
        "task": "deploy",
        "payload": {},
        "original_environment": job.plan.environment or "",
        "environment": job.plan.environment or "",
        "description": None,
        "creator": user_json(account(run.actor or "ghost"), at),
        "created_at": time_json(job.created_at),
        "updated_at": time_json(run.updated_at),
        "statuses_url": f"{url}/statuses",
        "repository_url": at.repo(repo),
        "transient_environment": False,
        "production_environment": job.plan.environment == "production",
        "performed_via_github_app": None,
    }


def _head_commit(run: SandboxRun) -> Json | None:
    if run.message is None:
        return None
    author = None
    if run.author is not None:
        author = {"name": run.author, "email": f"{run.author}@acme.example"}
    tree = hashlib.sha256(f"tree {run.head_sha}".encode()).hexdigest()[:40]
    return {
        "id": run.head_sha,
        "tree_id": tree,
        "message": run.message,
        "timestamp": time_json(run.created_at),
        "author": author,
        "committer": {"name": "GitHub", "email": "noreply@github.com"},
    }


def _pull_requests(run: SandboxRun, repo: SandboxRepo, at: Addresses) -> list[Json]:
    pull = run.pull_request
    if pull is None or pull.is_from_a_fork or pull.state == "closed":
        return []
    number = pull.number
    here = {"id": repo.id, "url": at.repo(repo), "name": repo.name}
    return [
        {
            "id": repo.id + number,
            "number": number,
            "url": f"{at.repo(repo)}/pulls/{number}",
            "head": {"ref": run.head_branch or "", "sha": run.head_sha, "repo": here},
            "base": {"ref": pull.base, "sha": "0" * 40, "repo": here},
        }
    ]

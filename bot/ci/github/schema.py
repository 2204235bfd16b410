"""The parts of GitHub's JSON that the bot reads. Parsed at once if they are valid, else field by field.

Each function returns None if the body is something else. Nothing here raises, and no value is cleaned yet.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bot.ci.json_fields import Shape, picked, read_damaged

# Any: a field of a wrong type then costs that field alone.


_FAILED = frozenset({"failure", "timed_out", "startup_failure", "action_required"})


def has_failed(conclusion: object) -> bool:
    """Whether a job or a step with this conclusion failed."""
    return isinstance(conclusion, str) and conclusion in _FAILED


class Repository(msgspec.Struct):
    id: Any = None
    full_name: Any = None
    html_url: Any = None
    default_branch: Any = None
    archived: Any = None
    disabled: Any = None
    permissions: Any = None


class Person(msgspec.Struct):
    login: Any = None
    name: Any = None
    email: Any = None
    type: Any = None


class Commit(msgspec.Struct):
    message: Any = None
    author: Person | None = None


class PullRequest(msgspec.Struct):
    number: Any = None


class Run(msgspec.Struct):
    id: Any = None
    name: Any = None
    path: Any = None
    workflow_id: Any = None
    run_number: Any = None
    run_attempt: Any = None
    event: Any = None
    head_branch: Any = None
    head_sha: Any = None
    status: Any = None
    conclusion: Any = None
    html_url: Any = None
    created_at: Any = None
    updated_at: Any = None
    run_started_at: Any = None
    head_commit: Commit | None = None
    actor: Person | None = None
    repository: Repository | None = None
    head_repository: Repository | None = None
    pull_requests: list[PullRequest | None] | None = None


class Head(msgspec.Struct):
    sha: Any = None
    ref: Any = None
    repo: Repository | None = None


class Branch(msgspec.Struct):
    commit: Head | None = None


class Pull(msgspec.Struct):
    head: Head | None = None


class Environment(msgspec.Struct):
    name: Any = None


class Approval(msgspec.Struct):
    environment: Environment | None = None


class Workflow(msgspec.Struct):
    id: Any = None
    name: Any = None
    state: Any = None


class Step(msgspec.Struct):
    name: Any = None
    conclusion: Any = None
    started_at: Any = None
    completed_at: Any = None


class Job(msgspec.Struct):
    id: Any = None
    name: Any = None
    completed_at: Any = None
    conclusion: Any = None
    html_url: Any = None
    run_id: Any = None
    run_attempt: Any = None
    steps: list[Step | None] = []


class Delivery(msgspec.Struct):
    id: Any = None
    guid: Any = None
    delivered_at: Any = None
    redelivery: Any = None
    event: Any = None


class Token(msgspec.Struct):
    token: Any = None
    expires_at: Any = None
    permissions: Any = None


class _Repositories(msgspec.Struct):
    repositories: list[Repository | None]


class _Workflows(msgspec.Struct):
    workflows: list[Workflow | None]


class _Runs(msgspec.Struct):
    workflow_runs: list[Run | None]


class _Jobs(msgspec.Struct):
    jobs: list[Job | None]


_REPOSITORIES: msgspec.json.Decoder[list[Repository | None] | _Repositories] = msgspec.json.Decoder(
    list[Repository | None] | _Repositories
)
_APPROVALS = msgspec.json.Decoder(list[Approval | None])
_DELIVERIES = msgspec.json.Decoder(list[Delivery | None])
_WORKFLOWS = msgspec.json.Decoder(_Workflows)
_RUNS = msgspec.json.Decoder(_Runs)
_JOBS = msgspec.json.Decoder(_Jobs)
_RUN = msgspec.json.Decoder(Run)
_REPOSITORY = msgspec.json.Decoder(Repository)
_BRANCH = msgspec.json.Decoder(Branch)
_PULL = msgspec.json.Decoder(Pull)
_TOKEN = msgspec.json.Decoder(Token)


def repositories(body: bytes) -> list[Repository] | None:
    """A list of them, or an object that has one."""
    try:
        result = _REPOSITORIES.decode(body)
        return _each(result.repositories if isinstance(result, _Repositories) else result, Repository)
    except (ValueError, RecursionError):
        whole = read_damaged(body)
    entries = whole if isinstance(whole, list) else _entries(whole, "repositories")
    return None if entries is None else _each([picked(entry, Repository) for entry in entries], Repository)


def workflows(body: bytes) -> list[Workflow] | None:
    try:
        return _each(_WORKFLOWS.decode(body).workflows, Workflow)
    except (ValueError, RecursionError):
        entries = _entries(read_damaged(body), "workflows")
    return None if entries is None else _each([picked(entry, Workflow) for entry in entries], Workflow)


def runs(body: bytes) -> list[Run] | None:
    try:
        return _each(_RUNS.decode(body).workflow_runs, Run)
    except (ValueError, RecursionError):
        entries = _entries(read_damaged(body), "workflow_runs")
    return None if entries is None else _each([_run(entry) for entry in entries], Run)


def jobs(body: bytes) -> list[Job] | None:
    try:
        return _each(_JOBS.decode(body).jobs, Job)
    except (ValueError, RecursionError):
        entries = _entries(read_damaged(body), "jobs")
    return None if entries is None else _each([_job(entry) for entry in entries], Job)


def run(body: bytes) -> Run | None:
    return _quickly(body, _RUN) or _run(read_damaged(body))


def repository(body: bytes) -> Repository | None:
    return _quickly(body, _REPOSITORY)


def branch(body: bytes) -> Branch | None:
    return _quickly(body, _BRANCH)


def pull_request(body: bytes) -> Pull | None:
    return _quickly(body, _PULL)


def approvals(body: bytes) -> list[Approval] | None:
    try:
        return _each(_APPROVALS.decode(body), Approval)
    except (ValueError, RecursionError):
        return None


def deliveries(body: bytes) -> list[Delivery] | None:
    try:
        return _each(_DELIVERIES.decode(body), Delivery)
    except (ValueError, RecursionError):
        return None


def token(body: bytes) -> Token | None:
    return _quickly(body, _TOKEN)


def _quickly(body: bytes, decoder: msgspec.json.Decoder[Shape]) -> Shape | None:
    try:
        return decoder.decode(body)
    except (ValueError, RecursionError):
        return None


def _run(entry: object) -> Run | None:
    result = picked(entry, Run)
    if result is None:
        return None
    result.head_commit = picked(result.head_commit, Commit)
    if result.head_commit is not None:
        result.head_commit.author = picked(result.head_commit.author, Person)
    result.actor = picked(result.actor, Person)
    listed: object = result.pull_requests
    result.pull_requests = [picked(each, PullRequest) for each in listed] if isinstance(listed, list) else []
    result.repository, result.head_repository = (
        picked(each, Repository) for each in (result.repository, result.head_repository)
    )
    return result


def _job(entry: object) -> Job | None:
    result = picked(entry, Job)
    if result is not None:
        steps: object = result.steps
        result.steps = [picked(step, Step) for step in steps] if isinstance(steps, list) else []
    return result


def _entries(whole: object, name: str) -> list[Any] | None:
    entries = whole.get(name) if isinstance(whole, dict) else None
    return entries if isinstance(entries, list) else None


def _each(entries: list[Shape | None], shape: type[Shape]) -> list[Shape]:
    """A value that is not an object has none of the fields."""
    return [shape() if entry is None else entry for entry in entries]

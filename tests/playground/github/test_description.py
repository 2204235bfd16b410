"""The judge of the sandbox GitHub's answers can say no, and every call that it knows is served."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from playground.github.demo_data import seed
from playground.github.state import GitHubWorld
from tests.playground.github.client import WEB, Client
from tests.playground.github.description import Undescribed, description

RUNS = "/repos/{owner}/{repo}/actions/runs"


@pytest.fixture
def true_answer(client: Client, world: GitHubWorld) -> dict[str, Any]:
    world.fail(world.push("acme/web")[0])
    answer: dict[str, Any] = client.get(f"{WEB}/actions/runs").json()
    return answer


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("id", "19440221001", "not of type 'integer'"),
        ("status", 7, "not of type 'string', 'null'"),
        ("created_at", "yesterday", "date-time"),
        ("created_at", "2026-03-02T12:00:00.271Z", "date-time"),
        ("created_at", "2026-13-02T12:00:00Z", "date-time"),
        ("created_at", None, "not of type 'string'"),
        ("head_commit", {"id": "1"}, "required property"),
        ("repository", None, "not of type 'object'"),
        ("unheard_of", 1, "'unheard_of' was unexpected"),
    ],
)
def test_a_broken_field_is_refused(true_answer: dict[str, Any], field: str, value: object, why: str) -> None:
    true_answer["workflow_runs"][0][field] = value
    with pytest.raises(Undescribed, match=re.escape(why)):
        description().check_body("GET", RUNS, 200, json.dumps(true_answer).encode())


@pytest.mark.parametrize("field", ["id", "display_title", "head_branch", "conclusion", "repository", "workflow_id"])
def test_a_missing_field_is_refused(true_answer: dict[str, Any], field: str) -> None:
    del true_answer["workflow_runs"][0][field]
    with pytest.raises(Undescribed, match="required property"):
        description().check_body("GET", RUNS, 200, json.dumps(true_answer).encode())


@pytest.mark.parametrize("field", ["head_branch", "status", "conclusion", "pull_requests", "head_commit", "name"])
def test_null_is_allowed_if_github_says_nullable(true_answer: dict[str, Any], field: str) -> None:
    true_answer["workflow_runs"][0][field] = None
    description().check_body("GET", RUNS, 200, json.dumps(true_answer).encode())


@pytest.mark.parametrize(("word", "is_allowed"), [("failure", True), (None, True), ("stale", False), ("", False)])
def test_a_nullable_enum_allows_its_words_and_null(
    client: Client, world: GitHubWorld, word: str | None, is_allowed: bool
) -> None:
    run = world.fail(world.push("acme/web")[0])
    answer = client.get(f"{WEB}/actions/runs/{run.id}/jobs").json()
    answer["jobs"][0]["conclusion"] = word
    try:
        description().check_body("GET", f"{RUNS}/{{run_id}}/jobs", 200, json.dumps(answer).encode())
    except Undescribed:
        assert not is_allowed
    else:
        assert is_allowed


@pytest.mark.parametrize(
    ("method", "status", "body"),
    [("POST", 200, b"{}"), ("POST", 201, b'{"ok":true}'), ("POST", 403, b'{"message":7}'), ("POST", 204, b"")],
)
def test_a_status_or_body_that_github_never_gives_is_refused(method: str, status: int, body: bytes) -> None:
    with pytest.raises(Undescribed):
        description().check_body(method, f"{RUNS}/{{run_id}}/rerun", status, body)


def test_a_304_with_a_body_is_refused() -> None:
    with pytest.raises(Undescribed, match="no body"):
        description().check_body("GET", "/user/repos", 304, b"[]")


NOT_SERVED = {
    ("POST", "/orgs/{org}/hooks"),
    ("POST", "/repos/{owner}/{repo}/hooks"),
    ("PATCH", "/repos/{owner}/{repo}/pulls/{pull_number}"),
}
"""What the bot never asks for: it makes no webhook and changes no pull request."""


@pytest.mark.parametrize(("method", "path"), sorted(set(description().operations) - NOT_SERVED))
def test_every_described_call_is_served(client: Client, world: GitHubWorld, method: str, path: str) -> None:
    run = world.fail(world.push("acme/web")[0])
    names = {"owner": "acme", "repo": "web", "org": "acme", "run_id": str(run.id), "attempt_number": "1"}
    client.ask(method, re.sub(r"\{(\w+)\}", lambda found: names.get(found[1], "1"), path))
    [request] = world.requests
    assert request.call is not None
    assert request.status != 500


def test_the_demo_account_is_described_page_by_page(client: Client, world: GitHubWorld) -> None:
    seed(world)
    repos = client.get("/user/repos").json()
    assert len(repos) == len(world.repos()) == 8
    for repo in repos:
        name = f"/repos/{repo['full_name']}"
        client.get(name)
        client.get(f"{name}/actions/workflows")
        for run in client.get(f"{name}/actions/runs").json()["workflow_runs"]:
            for attempt in range(1, run["run_attempt"] + 1):
                client.get(f"{name}/actions/runs/{run['id']}/attempts/{attempt}")
            client.get(f"{name}/actions/runs/{run['id']}/jobs", filter="all")

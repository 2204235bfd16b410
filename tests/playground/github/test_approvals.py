"""A deployment of the sandbox GitHub waits for an approval, which lets it go on or ends it."""

from __future__ import annotations

import pytest
import requests

from playground.github.model import SandboxRun
from playground.github.state import GitHubWorld
from tests.playground.github.client import Client
from tests.playground.github.description import description

SHOP = "/repos/acme/shop"
DEPLOYS = "github_pat_11DEPLOYS"


@pytest.fixture
def waiting(shop: GitHubWorld) -> SandboxRun:
    shop.add_token(DEPLOYS, permissions={"actions": "write", "deployments": "write"})
    [run] = shop.push("acme/shop")
    return shop.wait_for_approval(run, "production")


def review(client: Client, run: SandboxRun, state: str, *environment_ids: int) -> requests.Response:
    path = f"{SHOP}/actions/runs/{run.id}/pending_deployments"
    form = {"environment_ids": environment_ids, "state": state, "comment": "Ship it"}
    answer = client.session.post(client.url + path, json=form, timeout=5)
    description().check("POST", path, answer)
    return answer


def test_a_run_that_waits_names_its_environment(client: Client, shop: GitHubWorld, waiting: SandboxRun) -> None:
    assert client.get(f"{SHOP}/actions/runs/{waiting.id}").json()["status"] == "waiting"
    [pending] = client.get(f"{SHOP}/actions/runs/{waiting.id}/pending_deployments").json()
    assert pending["environment"]["name"] == "production"
    words = [(job["name"], job["status"], job["conclusion"]) for job in client.jobs_of(waiting.id)]
    assert words[-1] == ("deploy", "waiting", None)
    assert {conclusion for _, _, conclusion in words[:-1]} == {"success"}
    assert shop.advance(waiting) == waiting


def test_a_job_may_fail_while_another_waits(client: Client, shop: GitHubWorld) -> None:
    [run] = shop.push("acme/shop")
    shop.finish_job(run, "lint")
    shop.wait_for_approval(run, "staging", job="deploy")
    assert [job["conclusion"] for job in client.jobs_of(run.id)] == ["failure", "success", "success", None]
    assert shop.run(run).status == "waiting"


def test_an_approval_lets_it_go_on(client: Client, shop: GitHubWorld, waiting: SandboxRun) -> None:
    [pending] = client.get(f"{SHOP}/actions/runs/{waiting.id}/pending_deployments").json()
    answer = review(client.as_(DEPLOYS), waiting, "approved", pending["environment"]["id"])
    assert [each["environment"] for each in answer.json()] == ["production"]
    assert client.get(f"{SHOP}/actions/runs/{waiting.id}/pending_deployments").json() == []
    assert shop.run(waiting).status == "in_progress"
    assert shop.advance(waiting).conclusion == "success"


def test_a_rejection_fails_it(client: Client, shop: GitHubWorld, waiting: SandboxRun) -> None:
    [pending] = client.get(f"{SHOP}/actions/runs/{waiting.id}/pending_deployments").json()
    assert review(client.as_(DEPLOYS), waiting, "rejected", pending["environment"]["id"]).status_code == 200
    assert shop.run(waiting).conclusion == "failure"


@pytest.mark.parametrize(
    ("token", "state", "status"), [(None, "approved", 403), (DEPLOYS, "maybe", 422), (DEPLOYS, "approved", 422)]
)
def test_what_is_no_review_is_refused(
    client: Client, shop: GitHubWorld, waiting: SandboxRun, token: str | None, state: str, status: int
) -> None:
    asker = client if token is None else client.as_(token)
    answer = asker.session.post(
        f"{client.url}{SHOP}/actions/runs/{waiting.id}/pending_deployments",
        json={"environment_ids": [1], "state": state, "comment": ""},
        timeout=5,
    )
    assert answer.status_code == status
    assert shop.run(waiting) == waiting

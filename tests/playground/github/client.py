"""The client of the sandbox GitHub's tests. It checks every response against GitHub's own description."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from playground.github.model import JobPlan
from tests.playground.github.description import description

TOKEN = "github_pat_11SANDBOX_5d1"
NOON = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
WEB = "/repos/acme/web"

SHOP_JOBS = (
    JobPlan("lint", ("Set up job", "Run the linters", "Complete job")),
    JobPlan("build"),
    JobPlan("test", ("Set up job", "Install", "Run the tests", "Report", "Complete job"), ("build",)),
    JobPlan("deploy", ("Set up job", "Deploy", "Complete job"), ("lint", "test")),
)


class SettableClock:
    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at

    def passes(self, seconds: float) -> datetime:
        self.at += timedelta(seconds=seconds)
        return self.at


class Client:
    """Plain `requests`, with one connection pool and no retries."""

    def __init__(self, url: str, token: str = TOKEN) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {token}"

    def ask(
        self,
        method: str,
        path: str,
        *,
        described: bool = True,
        headers: dict[str, str | None] | None = None,
        **params: str,
    ) -> requests.Response:
        answer = self.session.request(
            method, self.url + path, params=params, headers=headers, timeout=5, allow_redirects=False
        )
        if described:
            description().check(method, path, answer)
        return answer

    def get(self, path: str, **params: str) -> requests.Response:
        return self.ask("GET", path, **params)

    def post(self, path: str) -> requests.Response:
        return self.ask("POST", path)

    def as_(self, token: str) -> Client:
        """The same, with another token."""
        return Client(self.url, token)

    def run_ids(self, **params: str) -> list[int]:
        return [run["id"] for run in self.get(f"{WEB}/actions/runs", **params).json()["workflow_runs"]]

    def jobs_of(self, run_id: int, **params: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(f"/repos/acme/shop/actions/runs/{run_id}/jobs", **params).json()["jobs"]
        return found

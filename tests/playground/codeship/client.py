"""A client for the tests of the simulated CodeShip."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import requests

KEY = "sandbox-key-5d1"
NOON = datetime(2026, 3, 2, 12, 0, 0, 271_000, tzinfo=UTC)


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

    def __init__(self, url: str) -> None:
        self._url = url
        self.session = requests.Session()
        self.session.trust_env = False

    def ask(self, method: str, path: str, **params: str) -> requests.Response:
        return self.session.request(
            method, self._url + path, params={"api_key": KEY, **params}, timeout=5, allow_redirects=False
        )

    def list_projects(self) -> requests.Response:
        return self.ask("GET", "/projects.json")

    def project(self, number: int, **params: str) -> requests.Response:
        return self.ask("GET", f"/projects/{number}.json", **params)

    def restart(self, number: int) -> requests.Response:
        return self.ask("POST", f"/builds/{number}/restart.json")

    @staticmethod
    def build_ids(answer: requests.Response) -> list[int]:
        return [build["id"] for build in answer.json()["builds"]]

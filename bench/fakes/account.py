"""A CodeShip account of any size: projects of ten builds each, as the v1 API shows them. Nothing is random."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.names import BRANCH, repository

BUILDS = 10
FIRST_PROJECT = 100_000
_BEGAN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_MESSAGES = (
    "Fix login on slow networks",
    "Search by tag",
    "Update the dependencies, and say in the changelog what that means for people who run their own\n\nCloses #418",
    "Show a reader which day is meant",
)


class Account:
    """`running`: the newest build of each project runs; else it has failed. A restarted build runs again.

    `end` lets the newest build of a project end once more, now.
    """

    def __init__(self, projects: int, *, running: bool = False) -> None:
        self.projects = projects
        self._running = running
        self._restarted: dict[int, str] = {}
        self._shown: dict[tuple[int, str], bytes] = {}
        self._listed: bytes | None = None
        self._ended: dict[int, tuple[str, str]] = {}

    def listed(self) -> bytes:
        """`GET /projects.json`."""
        if self._listed is None:
            shown = (self._project(FIRST_PROJECT + number, BRANCH) for number in range(self.projects))
            self._listed = _json({"projects": list(shown)})
        return self._listed

    def shown(self, project_id: int, branch: str | None) -> bytes | None:
        """`GET /projects/:id.json`; None if there is no such project."""
        if not FIRST_PROJECT <= project_id < FIRST_PROJECT + self.projects:
            return None
        key = (project_id, branch or BRANCH)
        if key not in self._shown:
            self._shown[key] = _json(self._project(*key))
        return self._shown[key]

    def restart(self, build_id: int) -> bytes:
        """`POST /builds/:id/restart.json`."""
        self._restarted[build_id] = _time(datetime.now(UTC))
        project_id = build_id // 100
        for key in [key for key in self._shown if key[0] == project_id]:
            del self._shown[key]
        return _json({"id": build_id, "uuid": _uuid(build_id)})

    def end(self, number: int, status: str) -> None:
        project_id = FIRST_PROJECT + number
        self._ended[project_id * 100 + BUILDS - 1] = (status, _time(datetime.now(UTC)))
        self._listed = None
        self._shown = {key: shown for key, shown in self._shown.items() if key[0] != project_id}
        self.listed()

    def _project(self, project_id: int, branch: str) -> dict[str, Any]:
        return {
            "id": project_id,
            "repository_name": repository(project_id - FIRST_PROJECT),
            "uuid": _uuid(project_id),
            "repository_provider": "github",
            "builds": [self._build(project_id, number, branch) for number in range(BUILDS - 1, -1, -1)],
        }

    def _build(self, project_id: int, number: int, branch: str) -> dict[str, Any]:
        id = project_id * 100 + number
        started = _BEGAN + timedelta(minutes=number * 30)
        runs = id in self._restarted or (self._running and number == BUILDS - 1)
        status, finished_at = "error" if number % 2 else "success", _time(started + timedelta(seconds=247))
        if id in self._ended:
            runs, (status, finished_at) = False, self._ended[id]
        return {
            "id": id,
            "uuid": _uuid(id),
            "project_id": project_id,
            "status": "testing" if runs else status,
            "branch": branch,
            "commit_id": f"{id * 7919:040x}",
            "github_username": "ada" if number % 3 else "bob",
            "message": _MESSAGES[number % len(_MESSAGES)],
            "started_at": self._restarted.get(id) or _time(started),
            "finished_at": None if runs else finished_at,
            "debug_connection": None,
        }


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _uuid(id: int) -> str:
    return f"cc059370-9a70-0131-{id % 65536:04x}-{id:012x}"


def _json(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()

"""GitHub's addresses and the parts of its answers that are read, for tests without a host."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from requests import PreparedRequest

from bot.ci.github.api import builds_request
from bot.ci.github.builds import build_of
from bot.ci.github.run_groups import as_of, group_runs
from bot.ci.github.runs import RunsPage, parse_runs
from bot.core.model.builds import Build, Project, Status, Workflow
from bot.core.model.policy import BuildRules

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
API = "https://api.github.com"
TOKEN = "github_pat_s3cret+11AAA~zz"
WEB = Project("731204001", "acme/web", "github", "https://github.com/acme/web")
COMMIT, OLDER = "96943dc5269634c211b6fbb18896ecdcbd40a047", "1f0c2b8d3e4a5968776a5b4c3d2e1f0a9b8c7d6e"
REPOSITORY = {"id": 731204001, "full_name": "acme/web", "html_url": "https://github.com/acme/web"}
FORK = {"id": 900, "full_name": "eve/web", "html_url": "https://github.com/eve/web"}
RUNS = f"{API}/repos/acme/web/actions/runs"

RUN: dict[str, Any] = {
    "id": 19440221001,
    "name": "CI",
    "path": ".github/workflows/ci.yml",
    "workflow_id": 58400001,
    "run_number": 562,
    "run_attempt": 1,
    "event": "push",
    "head_branch": "main",
    "head_sha": COMMIT,
    "status": "completed",
    "conclusion": "success",
    "html_url": "https://github.com/acme/web/actions/runs/19440221001",
    "created_at": "2026-03-01T11:00:00Z",
    "updated_at": "2026-03-01T11:04:07Z",
    "run_started_at": "2026-03-01T11:00:00Z",
    "actor": {"login": "ada"},
    "head_commit": {"id": COMMIT, "message": "Fix login\n\nFor good.", "author": {"name": "Ada L.", "email": "a@b"}},
    "repository": REPOSITORY,
    "head_repository": REPOSITORY,
}


def run(number: int = 1, **changes: object) -> dict[str, Any]:
    """A run whose id ends in `number`."""
    id_ = 19440221000 + number
    return {**RUN, "id": id_, "html_url": f"https://github.com/acme/web/actions/runs/{id_}", **changes}


def lint(number: int = 2, **changes: object) -> dict[str, Any]:
    """A run of another workflow."""
    return run(number, **{"name": "Lint", "workflow_id": 58400002, "run_number": 90, **changes})


def runs_json(*runs: object) -> bytes:
    return json.dumps({"total_count": len(runs), "workflow_runs": list(runs)}).encode()


def asking(**wanted: str) -> Callable[[PreparedRequest], tuple[bool, str]]:
    """Fits a list call with just these filters."""

    def fits(request: PreparedRequest) -> tuple[bool, str]:
        asked = dict(parse_qsl(urlsplit(str(request.url)).query))
        filters = {name: value for name, value in asked.items() if name in ("event", "head_sha", "page")}
        sized = {"per_page": asked.get("per_page", "")} if "per_page" in wanted else {}
        return {**filters, **sized} == wanted, f"{asked} is not {wanted}"

    return fits


def page(body: bytes, project: Project = WEB, **more: Any) -> RunsPage:
    """An answer read."""
    return parse_runs(200, {}, body, project, page=builds_request(API, WEB), **more)


def drawn(read: RunsPage, rules: BuildRules | None = None) -> list[Build]:
    """The builds of a page, at noon."""
    runs = [as_of(each, NOON) for each in read.entries]
    return [build_of(read.project, each) for each in group_runs(runs, rules=rules, is_cut_off=read.is_full)]


def builds(*runs: object, project: Project = WEB) -> list[Build]:
    return drawn(page(runs_json(*runs), project))


def build(*runs: object) -> Build:
    [only] = builds(*runs)
    return only


def seen_build(*workflows: Workflow) -> Build:
    """A failed build of these workflows."""
    return Build("731204001-96943dc52696-0d6e4079", WEB, Status.FAILED, "failure", "main", COMMIT, workflows=workflows)


def workflow(number: int, name: str, status: Status = Status.FAILED, **changes: Any) -> Workflow:
    return Workflow(str(19440221000 + number), name, status, status.value, **changes)

"""A demo account at the simulated CodeShip: repositories whose builds show every interesting status."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from playground.codeship.model import SandboxBuild
from playground.codeship.state import CodeShipWorld


class _Past(NamedTuple):
    """A finished build: how long ago it was pushed, and how long it ran."""

    repo: str
    branch: str
    status: str
    message: str
    by: str | None
    minutes_ago: float
    ran_s: float


_HISTORY = (
    _Past("acme/web", "main", "success", "Upgrade the payment form", "bob", 26 * 60, 231),
    _Past("acme/web", "release/1.2.io", "success", "Release 1.2", "carol", 22 * 60, 262),
    _Past("acme/web", "main", "success", "Show prices with tax", "ada", 190, 240),
    _Past("acme/web", "feature/login", "error", "Start on the login page", "ada", 75, 96),
    _Past(
        "acme/web",
        "main",
        "error",
        "Fix login on slow networks\n\nThe token was requested twice if the first response was late.\n"
        "Now the second ask waits for the first.\n\nCloses 418",
        "ada",
        12,
        247,
    ),
    _Past("acme/api", "main", "success", "Answer 422 where a date is impossible", "bob", 300, 88),
    _Past("acme/api", "fix/a&b#c", "stopped", '<!channel> *bold* & "quotes"', "mallory", 140, 31),
    _Past("acme/api", "main", "success", "Merge branch 'fix/timezones'", None, 41, 92),
    _Past("other-org/web", "main", "success", "Initial import", "dave", 3 * 24 * 60, 45),
    _Past("acme/mobile", "main", "infrastructure_failure", "Build for the new phones", "carol", 500, 600),
    _Past("acme/mobile", "develop", "ignored", "Try the new camera", "carol", 90, 0),
    _Past("acme/infrastructure", "main", "blocked", "Mirror every image", "erin", 60, 1800),
    _Past("acme/infrastructure", "canary", "quarantined", "Two regions at once", "erin", 30, 20),
    _Past("acme/legacy", "master", "success", "Last change before the freeze", "bob", 400 * 24 * 60, 900),
)
_FIELDS_OLD_BUILDS_LACK = frozenset({"project_id", "github_username", "started_at", "finished_at"})


def seed(world: CodeShipWorld) -> None:
    """Fills an empty account. Two builds run; the next of acme/web main fails once again, then passes."""
    now = world.now()
    for name in ("acme/web", "acme/api", "acme/docs", "other-org/web", "acme/mobile", "acme/infrastructure"):
        world.add_project(name)
    world.add_project("acme/legacy", id=1204, provider=None)
    for past in sorted(_HISTORY, key=lambda past: -past.minutes_ago):
        build = _ended(world, past, now)
        if past.repo == "acme/legacy":
            world.change(build, missing=_FIELDS_OLD_BUILDS_LACK)
    login = world.push("acme/web", "feature/login", message="Remember who logged in", by="ada", at=now)
    world.start(login, at=now)
    world.push("acme/api", "feature/search", message="Search by tag", by="bob", at=now)
    world.will_end("acme/web", "main", "error", "success")


def _ended(world: CodeShipWorld, past: _Past, now: datetime) -> SandboxBuild:
    pushed_at = now - timedelta(minutes=past.minutes_ago)
    build = world.push(past.repo, past.branch, message=past.message, by=past.by, at=pushed_at)
    if past.ran_s:
        world.start(build, at=pushed_at)
        return world.finish(build, past.status, at=pushed_at + timedelta(seconds=past.ran_s))
    return world.change(build, status=past.status)

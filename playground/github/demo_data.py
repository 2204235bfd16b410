"""A demo account for the sandbox GitHub: repositories that a team has moved there, with builds in every status.

`acme/mobile` is being moved, so the demo CodeShip (`playground.codeship.demo_data`) has it, too.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from playground.github.model import Ending, JobPlan, SandboxRun
from playground.github.state import GitHubWorld

BROKEN = Ending("failure", "test", "Run the tests")


class _Past(NamedTuple):
    """A run that has ended: how long ago it was pushed, and how long it ran."""

    repo: str
    workflow: str
    branch: str
    ending: Ending
    message: str
    by: str | None
    minutes_ago: float
    ran_s: float = 240
    event: str = "push"


_CI = (
    JobPlan("lint", ("Set up job", "Check out", "Run the linters", "Complete job")),
    JobPlan("build", ("Set up job", "Check out", "Install", "Build", "Complete job")),
    JobPlan("test", ("Set up job", "Check out", "Install", "Run the tests", "Complete job"), ("build",)),
    JobPlan("deploy", ("Set up job", "Deploy", "Complete job"), ("lint", "test")),
)
_DOCS = (JobPlan("pages", ("Set up job", "Check out", "Write the pages", "Complete job")),)
_PASSED = Ending()
_FIX = (
    "Fix the basket on slow networks\n\nThe price was requested twice if the first response was late.\n"
    "Now the second ask waits for the first.\n\nCloses 91"
)
_HISTORY = (
    _Past("acme/billing", "CI", "release/2025.12", _PASSED, "Release 2025.12", "carol", 60 * 24 * 60, 310),
    _Past("acme/shop", "CI", "main", _PASSED, "Show what is left in stock", "bob", 26 * 60, 231),
    _Past("acme/shop", "Docs", "main", _PASSED, "Show what is left in stock", "bob", 26 * 60, 40),
    _Past("acme/shop", "Nightly", "main", Ending("timed_out", "soak"), "Show what is left in stock", None, 600, 3600,
          "schedule"),
    _Past("acme/shop", "CI", "feature/coupons", Ending("cancelled"), "Start on coupons", "ada", 75, 96),
    _Past("acme/shop", "CI", "fix/a&b#c", Ending("failure", "lint", "Run the linters"), '<!channel> *bold* & "quotes"',
          "mallory", 140, 31),
    _Past("acme/shop", "CI", "main", BROKEN, _FIX, "ada", 12, 247),
    _Past("acme/shop", "Docs", "main", _PASSED, _FIX, "ada", 12, 38),
    _Past("acme/billing", "CI", "main", BROKEN, "Round half to even", "bob", 41, 92),
    _Past("acme/site", "CI", "main", Ending("startup_failure"), "Try a matrix", "dave", 300, 1),
    _Past("acme/mobile", "CI", "develop", Ending("skipped"), "Try the new camera [skip ci]", "carol", 90, 2),
)  # fmt: skip


def seed(world: GitHubWorld) -> None:
    """Fills an empty account. Two runs are in progress; the next attempt of acme/shop main fails again, then passes."""
    now = world.now()
    _add_repos(world)
    for past in sorted(_HISTORY, key=lambda past: -past.minutes_ago):
        _ended(world, past, now)
    _pass_on_the_second_attempt(world, world.newest("acme/billing"), now)
    camera = world.trigger("acme/mobile", "CI", "main", message="Build with the new camera", by="carol", at=now)
    world.start(camera, at=now)
    world.trigger("acme/site", "CI", "feature/search", message="Search by tag", by="bob", at=now)
    from_fork = world.pull_request("acme/site", "main", number=7, fork="mallory/site", by="mallory", at=now)
    world.finish(from_fork, "action_required", at=now)
    world.will_end("acme/shop", "main", BROKEN, "success")


def _add_repos(world: GitHubWorld) -> None:
    world.add_repo("acme/shop", workflows=(), description="What customers see")
    world.add_workflow("acme/shop", "CI", jobs=_CI)
    world.add_workflow("acme/shop", "Docs", jobs=_DOCS)
    world.add_workflow("acme/shop", "Nightly", jobs=(JobPlan("soak"),), events=("schedule",))
    for name in ("acme/billing", "acme/mobile"):
        world.add_repo(name)
    world.add_repo("acme/site", private=False)
    world.add_repo("acme/handbook", workflows=())
    world.add_repo("acme/attic", archived=True)
    world.add_repo("mallory/site", private=False, fork=True, workflows=(), owner_is="User")


def _ended(world: GitHubWorld, past: _Past, now: datetime) -> SandboxRun:
    """Runs of one push share its commit, which is found by its message and time."""
    pushed_at = now - timedelta(minutes=past.minutes_ago)
    same_push = [run for run in world.runs(past.repo, past.branch) if run.message == past.message]
    sha = same_push[0].head_sha if same_push else None
    run = world.trigger(
        past.repo, past.workflow, past.branch,
        event=past.event, message=past.message, by=past.by, sha=sha, at=pushed_at,
    )  # fmt: skip
    world.start(run, at=pushed_at)
    ending, ended_at = past.ending, pushed_at + timedelta(seconds=past.ran_s)
    return world.finish(run, ending.conclusion, job=ending.job, step=ending.step, at=ended_at)


def _pass_on_the_second_attempt(world: GitHubWorld, run: SandboxRun, now: datetime) -> None:
    began_at = now - timedelta(minutes=20)
    world.rerun(run, failed_only=True, by="bob", at=began_at)
    world.start(run, at=began_at)
    world.succeed(run, at=began_at + timedelta(seconds=61))

"""Sequences of looks at one branch, as text: `10 ok | 11 bad` is a look that shows build 10, then one that shows 11.

10 ok | 11 bad ; 10 ok       looks are separated by `|`, builds by `;`, the newest first
11' bad                      the second run of build 11: each ' is a restart
ci:11 failing                a run that is under way, and one of its jobs has failed
12 bad @11                   build 12 of the commit of build 11; without it each build has its own
ci:11 bad, lint:12 ok        a build of two workflows, with their run numbers; `@9` is then a run of an older commit
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from bot.core.model.builds import Build, FailedJob, Project, Status, Workflow
from bot.core.model.notifications.transitions import OF_A_PERIOD, BranchState, Transition
from bot.core.notifications.transitions import observe
from tests.held_clock import NOON

WEB = Project("1", "acme/web", "codeship")
STATUSES = {
    "ok": Status.PASSED,
    "bad": Status.FAILED,
    "run": Status.RUNNING,
    "failing": Status.RUNNING,
    "queued": Status.QUEUED,
    "waits": Status.WAITING,
    "stopped": Status.STOPPED,
    "skipped": Status.SKIPPED,
    "ignored": Status.IGNORED,
    "blocked": Status.BLOCKED,
    "infra": Status.INFRASTRUCTURE_FAILURE,
    "odd": Status.UNKNOWN,
}
_RUN = re.compile(r"(?:(?P<name>\w+):)?(?P<number>\d+)(?P<again>'*) (?P<status>\w+)(?: @(?P<commit>\d+))?")


def look(text: str) -> list[Build]:
    return [_build(part.strip()) for part in text.split(";") if part.strip()]


def _build(text: str) -> Build:
    runs = [_RUN.fullmatch(part.strip()) for part in text.split(",")]
    assert all(runs), text
    first = runs[0]
    assert first is not None
    if first["name"] is None:
        commit = first["commit"] or first["number"]
        return _of(first, first["number"], commit)
    own = next((run for run in runs if run and run["commit"] is None), first)
    assert own is not None
    newest = max(int(run["number"]) for run in runs if run)
    workflows = tuple(_workflow(run) for run in runs if run)
    worst = min(workflows, key=lambda run: run.status.severity)
    return Build(
        str(newest),
        WEB,
        worst.status,
        worst.status_word,
        branch="main",
        commit=f"c{own['number'][:-1] or own['number']}",
        finished_at=worst.finished_at,
        workflows=workflows,
    )


def _of(run: re.Match[str], id_: str, commit: str) -> Build:
    status = STATUSES[run["status"]]
    ended = NOON + timedelta(minutes=10 * int(run["number"]) + len(run["again"]))
    return Build(
        id_,
        WEB,
        status,
        run["status"],
        branch="main",
        commit=f"c{commit}",
        author=f"author {run['number']}",
        started_at=ended - timedelta(seconds=30),
        finished_at=None if status.is_under_way else ended,
    )


def _workflow(run: re.Match[str]) -> Workflow:
    build = _of(run, run["number"], run["number"])
    return Workflow(
        run_id=run["number"],
        name=str(run["name"]),
        status=build.status,
        status_word=build.status_word,
        attempt=len(run["again"]) + 1,
        started_at=build.started_at,
        finished_at=build.finished_at,
        commit=f"c{run['commit']}" if run["commit"] else None,
        failed_jobs=(FailedJob("test"),) if run["status"] == "failing" else (),
    )


def seen(looks: str) -> list[tuple[BranchState, tuple[Transition, ...]]]:
    """The state after each look, and what it has changed."""
    found = []
    state: BranchState | None = None
    for text in looks.split("|"):
        observation = observe(state, look(text), NOON)
        state = observation.state
        found.append((state, observation.transitions))
    return found


def changes(looks: str) -> str:
    """The changes of the branch at each look after the first, which is the baseline: `- | broke`."""
    return " | ".join(_words(transitions, of_the_branch=True) for _, transitions in seen(looks)[1:])


def builds_told(looks: str) -> str:
    """The changes of single builds: `started 11 | failed 11`."""
    return " | ".join(_words(transitions, of_the_branch=False) for _, transitions in seen(looks)[1:])


def _words(transitions: Sequence[Transition], *, of_the_branch: bool) -> str:
    if of_the_branch:
        return ", ".join(each.change for each in transitions if each.change in OF_A_PERIOD) or "-"
    shown = (each for each in transitions if each.change not in OF_A_PERIOD)
    return ", ".join(f"{each.change} {each.build.id}" for each in shown) or "-"

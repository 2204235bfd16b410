"""For lists of runs: which runs decide, what is shown next to them, and what a restart sends.

A run is written `workflow event state commit`, the newest first, a minute apart. More may follow: `x2` (its attempt),
`on BRANCH`, `of OWNER` (the head repository's; `gone` for a deleted one), `at FILE` (its workflow's), `for M` (minutes
that it ran, one without it), `no 12` (its pull request), `#7` (its number), `days 40` (how much older it is).

The result is the newest build of `main`: its state, its workflows (`@1` if the run is of another commit), after `|`
the other runs. A restart is `re-run` these, `ask` about these, or `nothing` and why.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.ci.github.run_groups import as_of, group_runs
from bot.core.model.actions.plans import RestartCase, cancel_plan, restart_plan
from bot.core.model.builds import Build, Workflow
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.policy import BuildRules
from tests.ci.github.canned import REPOSITORY, drawn, page, run, runs_json

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATES = {
    "passed": ("completed", "success"),
    "failed": ("completed", "failure"),
    "neutral": ("completed", "neutral"),
    "timed_out": ("completed", "timed_out"),
    "startup": ("completed", "startup_failure"),
    "cancelled": ("completed", "cancelled"),
    "stale": ("completed", "stale"),
    "skipped": ("completed", "skipped"),
    "blocked": ("completed", "action_required"),
    "null": ("completed", None),
    "running": ("in_progress", None),
    "queued": ("queued", None),
    "pending": ("pending", None),
    "requested": ("requested", None),
    "waiting": ("waiting", None),
}
COMMENTS = "; ".join(["Chat issue_comment skipped 2"] * 97)


def listed(text: str) -> list[dict[str, Any]]:
    """The runs that the text lists, as GitHub's JSON has them."""
    words = [each.split() for each in text.split("; ") if each]
    return [_run(place, len(words), *each) for place, each in enumerate(words)]


def _run(place: int, count: int, name: str, event: str, state: str, commit: str, *more: str) -> dict[str, Any]:
    status, conclusion = STATES[state]
    named = dict(zip(more[::2], more[1::2], strict=False))
    attempt = next((int(each[1:]) for each in more if each[0] == "x" and each[1:].isdigit()), 1)
    number = next((int(each[1:]) for each in more if each[0] == "#"), count - place)
    created = NOON - timedelta(minutes=place, days=int(named.get("days", 0)))
    owner = named.get("of", "acme")
    head = {**REPOSITORY, "id": 900, "full_name": f"{owner}/web"} if owner != "acme" else REPOSITORY
    return run(
        count - place,
        name=name,
        workflow_id=sum(map(ord, name)),
        path=named.get("at", f".github/workflows/{name.lower()}.yml"),
        event=None if event == "-" else event,
        status=status,
        conclusion=conclusion,
        head_sha=commit * 40,
        head_branch=named.get("on", "main"),
        head_repository=None if owner == "gone" else head,
        run_attempt=attempt,
        run_number=number,
        created_at=created.isoformat(),
        run_started_at=created.isoformat(),
        updated_at=(created + timedelta(minutes=float(named.get("for", 1)))).isoformat(),
        pull_requests=[{"number": int(named["no"])}] if "no" in named else [],
    )


def newest(text: str, branch: str = "main") -> Build | None:
    return next((build for build in drawn(page(runs_json(*listed(text)))) if build.branch == branch), None)


def told(build: Build | None) -> str:
    if build is None:
        return "never built"
    state = f"{build.status.value}: {', '.join(map(_named, build.workflows))}"
    return state + (f" | {', '.join(map(_named, build.beside))}" if build.beside else "")


def restart(build: Build | None) -> str:
    if build is None:
        return "-"
    plan = restart_plan(build)
    names = ", ".join(_only_name(run) for run in (plan.runs or plan.older or plan.left))
    match plan.case:
        case RestartCase.FAILED:
            left = f", leave {', '.join(map(_only_name, plan.left))}" if plan.left else ""
            return f"re-run {names}{left}"
        case RestartCase.ALL:
            return f"ask {names}" if plan.asks_first or build.asks_first else f"re-run {names}"
        case RestartCase.RUNNING:
            return f"nothing, runs: {names}"
        case RestartCase.OLDER_FAILED:
            return f"nothing, older: {names}"
        case RestartCase.NOTHING:
            return "nothing"


def _named(run: Workflow) -> str:
    return f"{_only_name(run)} {run.status.value}"


def _only_name(run: Workflow) -> str:
    return run.name + (f"@{run.commit[0]}" if run.commit else "")


ROWS = {
    # --- which events decide
    "a push decides": ("CI push failed 2", "failed: CI failed", "re-run CI"),
    "a pull request decides": ("CI pull_request failed 2", "failed: CI failed", "re-run CI"),
    "comments hide no failed push": (f"{COMMENTS}; CI push failed 2", "failed: CI failed", "re-run CI"),
    "a comment's failure does not count": (
        "Chat issue_comment failed 2; CI push passed 2",
        "passed: CI passed",
        "re-run CI",
    ),
    "issues never count": ("Triage issues failed 2; CI push passed 2", "passed: CI passed", "re-run CI"),
    "a chained workflow never counts": (
        "Deploy workflow_run failed 2; CI push passed 2",
        "passed: CI passed",
        "re-run CI",
    ),
    "a deployment never counts": ("Ship deployment failed 2; CI push passed 2", "passed: CI passed", "re-run CI"),
    "a release never counts": ("Ship release failed 2; CI push passed 2", "passed: CI passed", "re-run CI"),
    "a review never counts": (
        "Ask pull_request_review failed 2; CI push passed 2",
        "passed: CI passed",
        "re-run CI",
    ),
    "a check run never counts": ("Bot check_run failed 2; CI push passed 2", "passed: CI passed", "re-run CI"),
    "an event of tomorrow never counts": ("X new_event failed 2; CI push passed 2", "passed: CI passed", "re-run CI"),
    "no event never counts": ("X - failed 2; CI push passed 2", "passed: CI passed", "re-run CI"),
    "only comments": ("Chat issue_comment failed 2", "never built", "-"),
    "only a deployment": ("Ship deployment failed 2", "never built", "-"),
    # --- what else runs by itself or by hand
    "a nightly is shown beside": (
        "Nightly schedule failed 2; CI push passed 2",
        "passed: CI passed | Nightly failed",
        "re-run CI",
    ),
    "a nightly of an older commit is shown beside": (
        "CI push passed 2; Nightly schedule failed 1",
        "passed: CI passed | Nightly@1 failed",
        "re-run CI",
    ),
    "a run by hand is shown beside": (
        "Deploy workflow_dispatch failed 2; CI push passed 2",
        "passed: CI passed | Deploy failed",
        "re-run CI",
    ),
    "a run by API is shown beside": (
        "Sync repository_dispatch passed 2; CI push failed 2",
        "failed: CI failed | Sync passed",
        "re-run CI",
    ),
    "a pull request's target is shown beside": (
        "Label pull_request_target failed 2; CI pull_request passed 2",
        "passed: CI passed | Label failed",
        "re-run CI",
    ),
    "a running nightly holds up nothing": (
        "Nightly schedule running 2; CI push failed 2",
        "failed: CI failed | Nightly running",
        "re-run CI",
    ),
    "the newest nightly alone is shown": (
        "Nightly schedule passed 2; Nightly schedule failed 2; CI push passed 2",
        "passed: CI passed | Nightly passed",
        "re-run CI",
    ),
    "a skipped nightly is not shown": (
        "Nightly schedule skipped 2; Nightly schedule failed 2; CI push passed 2",
        "passed: CI passed | Nightly failed",
        "re-run CI",
    ),
    "an old nightly is not shown": (
        "CI push passed 2; Nightly schedule failed 1 days 31",
        "passed: CI passed",
        "re-run CI",
    ),
    "without a push the nightly decides, and is asked about": (
        "Nightly schedule passed 2",
        "passed: Nightly passed",
        "ask Nightly",
    ),
    "without a push a run by hand decides": (
        "Deploy workflow_dispatch passed 2",
        "passed: Deploy passed",
        "ask Deploy",
    ),
    "without a push all that decide do": (
        "Nightly schedule passed 2; Deploy workflow_dispatch failed 2",
        "failed: Deploy failed, Nightly passed",
        "re-run Deploy",
    ),
    "a skipped push is none": (
        "CI push skipped 2; Nightly schedule failed 2",
        "failed: Nightly failed",
        "re-run Nightly",
    ),
    "a push on another branch changes nothing": (
        "CI push passed 2 on dev; Nightly schedule failed 2",
        "failed: Nightly failed",
        "re-run Nightly",
    ),
    # --- several workflows, path filters
    "the worst decides": (
        "CI push failed 2; Lint push passed 2",
        "failed: CI failed, Lint passed",
        "re-run CI",
    ),
    "a failure while others run": (
        "CI push failed 2; Lint push running 2",
        "failed: CI failed, Lint running",
        "re-run CI, leave Lint",
    ),
    "what runs is waited for": (
        "CI push passed 2; Lint push running 2",
        "running: CI passed, Lint running",
        "nothing, runs: Lint",
    ),
    "all passed": ("CI push passed 2; Lint push passed 2", "passed: CI passed, Lint passed", "ask CI, Lint"),
    "a path filter keeps the last result": (
        "CI push passed 2; Backend push failed 1; CI push passed 1",
        "failed: CI passed, Backend@1 failed",
        "nothing, older: Backend@1",
    ),
    "a path filter keeps the last good result": (
        "CI push failed 2; Backend push passed 1",
        "failed: CI failed, Backend@1 passed",
        "re-run CI",
    ),
    "both failed: the newest commit's is re-run": (
        "CI push failed 2; Backend push failed 1",
        "failed: CI failed, Backend@1 failed",
        "re-run CI",
    ),
    "the newest commit runs, an older one's failed": (
        "CI push running 2; Backend push failed 1",
        "failed: CI running, Backend@1 failed",
        "nothing, runs: CI",
    ),
    "an older commit's run still runs": (
        "CI push passed 2; Backend push running 1",
        "running: CI passed, Backend@1 running",
        "nothing, runs: Backend@1",
    ),
    "all green: the newest commit's alone": (
        "CI push passed 2; Backend push passed 1",
        "passed: CI passed, Backend@1 passed",
        "re-run CI",
    ),
    "the newest result of an older commit": (
        "CI push passed 3; Backend push passed 2; Backend push failed 1",
        "passed: CI passed, Backend@2 passed",
        "re-run CI",
    ),
    "nothing is kept for more than 30 days": (
        "CI push passed 2; Backend push failed 1 days 31",
        "passed: CI passed",
        "re-run CI",
    ),
    # --- skipped
    "a skipped workflow keeps its last result": (
        "CI push passed 2; Backend push skipped 2; Backend push failed 1",
        "failed: CI passed, Backend@1 failed",
        "nothing, older: Backend@1",
    ),
    "a commit with skipped runs alone is not the newest": (
        "CI push skipped 2; CI push failed 1",
        "failed: CI failed",
        "re-run CI",
    ),
    "a skipped run never hides the same commit's failure": (
        "CI push skipped 2; CI push failed 2",
        "failed: CI failed",
        "re-run CI",
    ),
    "nothing but skipped runs": ("CI push skipped 2", "skipped: CI skipped", "re-run CI"),
    # --- cancelled
    "a cancelled run is neither green nor red": (
        "CI push cancelled 2; Lint push passed 2",
        "stopped: CI stopped, Lint passed",
        "re-run CI",
    ),
    "a failure is worse than a cancelled run": (
        "CI push cancelled 2; Lint push failed 2",
        "failed: CI stopped, Lint failed",
        "re-run CI, Lint",
    ),
    "a cancelled run never replaces a finished one": (
        "CI push cancelled 2; CI push failed 2",
        "failed: CI failed",
        "re-run CI",
    ),
    "nor does a cancelled one of the other way": (
        "CI pull_request cancelled 2; CI push passed 2",
        "passed: CI passed",
        "re-run CI",
    ),
    "a superseded run leaves room for the result before": (
        "CI push skipped 3; CI push cancelled 2 for 5; CI push passed 1",
        "passed: CI passed",
        "re-run CI",
    ),
    "a run superseded on another commit is not kept": (
        "Lint push passed 3; CI push skipped 3; CI push cancelled 2 for 5; CI push failed 1",
        "failed: Lint passed, CI@1 failed",
        "nothing, older: CI@1",
    ),
    "a run that was cancelled before the next began is kept": (
        "Lint push passed 3; CI push skipped 3; Lint push passed 2; CI push cancelled 2 for 1; CI push failed 1",
        "stopped: Lint passed, CI@2 stopped",
        "nothing, older: CI@2",
    ),
    "a newer commit supersedes": (
        "CI push running 3; CI push cancelled 2 for 9",
        "running: CI running",
        "nothing, runs: CI",
    ),
    "stale counts as cancelled": ("CI push stale 2; CI push passed 2", "passed: CI passed", "re-run CI"),
    # --- waiting, pending
    "waiting holds up no other": (
        "Deploy push waiting 2; CI push passed 2",
        "passed: CI passed, Deploy waiting",
        "re-run CI",
    ),
    "waiting alone": ("Deploy push waiting 2", "waiting: Deploy waiting", "nothing"),
    "waiting does not hide a failure": (
        "Deploy push waiting 2; CI push failed 2",
        "failed: CI failed, Deploy waiting",
        "re-run CI",
    ),
    "waiting does not hide what runs": (
        "Deploy push waiting 2; CI push running 2",
        "running: CI running, Deploy waiting",
        "nothing, runs: CI",
    ),
    "pending is queued": ("CI push pending 2", "queued: CI queued", "nothing, runs: CI"),
    "requested is queued": ("CI push requested 2", "queued: CI queued", "nothing, runs: CI"),
    "an approval of a first-time contributor": (
        "CI pull_request blocked 2",
        "blocked: CI blocked",
        "re-run CI",
    ),
    # --- ends
    "neutral passed": ("CI push neutral 2", "passed: CI passed", "re-run CI"),
    "timed out failed": ("CI push timed_out 2", "failed: CI failed", "re-run CI"),
    "a startup failure failed": ("CI push startup 2", "failed: CI failed", "re-run CI"),
    "no conclusion runs at first": ("CI push null 2", "running: CI running", "nothing, runs: CI"),
    "no conclusion after ten minutes is unknown": (
        "CI push null 2 days 1",
        "unknown: CI unknown",
        "re-run CI",
    ),
    # --- a second run of the same workflow and commit
    "push and pull request both count": (
        "CI pull_request passed 2; CI push failed 2",
        "failed: CI failed, CI (pull request) passed",
        "re-run CI",
    ),
    "a later nightly hides no failed push": (
        "CI schedule passed 2; CI push failed 2",
        "failed: CI failed | CI passed",
        "re-run CI",
    ),
    "a second run takes the first one's place": (
        "CI push passed 2; CI push failed 2",
        "passed: CI passed",
        "re-run CI",
    ),
    "a second run never hides a re-run under way": (
        "CI push passed 2; CI push running 2 x2 #7",
        "running: CI passed, CI #7 running",
        "nothing, runs: CI #7",
    ),
    "nor the end of a re-run that went on": (
        "CI push passed 2; CI push failed 2 x2 #7 for 9",
        "failed: CI passed, CI #7 failed",
        "re-run CI #7",
    ),
    "a re-run that was over by then is replaced": (
        "CI push passed 2; Lint push passed 2; CI push failed 2 x2 for 1",
        "passed: CI passed, Lint passed",
        "ask CI, Lint",
    ),
    "a later nightly hides no nightly that is re-run": (
        "Nightly schedule queued 2; Nightly schedule running 2 x2 #7",
        "running: Nightly queued, Nightly #7 running",
        "nothing, runs: Nightly, Nightly #7",
    ),
    # --- forks, dynamic, other repositories' workflows
    "a fork's main is not main": (
        "CI pull_request failed 3 of eve; CI push passed 2",
        "passed: CI passed",
        "re-run CI",
    ),
    "a deleted fork's main is not main": (
        "CI pull_request failed 3 of gone; CI push passed 2",
        "passed: CI passed",
        "re-run CI",
    ),
    "a push whose head repository is missing is ours": (
        "CI push failed 2 of gone",
        "failed: CI failed",
        "re-run CI",
    ),
    "a push whose head repository differs is ours": ("CI push failed 2 of eve", "failed: CI failed", "re-run CI"),
    "only forks": ("CI pull_request failed 3 of eve", "never built", "-"),
    "Dependabot never counts": ("Dependabot dynamic failed 2; CI push passed 2", "passed: CI passed", "re-run CI"),
    "CodeQL's default setup never counts": (
        "CodeQL push failed 2 at dynamic/github-code-scanning/codeql; CI push passed 2",
        "passed: CI passed",
        "re-run CI",
    ),
    "a workflow that the organization requires counts": (
        "Scan push failed 2 at acme/rules/.github/workflows/scan.yml@main; CI push passed 2",
        "failed: CI passed, Scan failed",
        "re-run Scan",
    ),
    # --- the merge queue, tags
    "a queue's branch is not main's": (
        "CI merge_group failed 3 on gh-readonly-queue/main/pr-12-aa; CI push passed 2",
        "passed: CI passed",
        "re-run CI",
    ),
    "a queue's run of main is never re-run": ("CI merge_group failed 2", "failed: CI failed", "nothing"),
    "nothing else is re-run for it": (
        "CI merge_group failed 2; Lint push passed 2",
        "failed: CI failed, Lint passed",
        "nothing",
    ),
    "a workflow that failed beside it is re-run": (
        "CI merge_group failed 2; Lint push failed 2",
        "failed: CI failed, Lint failed",
        "re-run Lint",
    ),
    "a tag's push is not main's": ("Release push failed 3 on v1.2; CI push passed 2", "passed: CI passed", "re-run CI"),
}


@pytest.mark.parametrize(("runs", "state", "sent"), ROWS.values(), ids=ROWS.keys())
def test_what_decides_what_is_shown_beside_it_and_what_a_restart_sends(runs: str, state: str, sent: str) -> None:
    build = newest(runs)
    assert (told(build), restart(build)) == (state, sent)


def test_the_table_is_long() -> None:
    assert len(ROWS) >= 80


RULES = {
    "named workflows decide": (["CI"], [], "CI push passed 2; E2E push failed 2", "passed: CI passed"),
    "a named nightly decides": (
        ["CI", "Nightly"],
        [],
        "Nightly schedule failed 2; CI push passed 2",
        "failed: CI passed, Nightly failed",
    ),
    "a workflow is named by its file, too": (["ci.yml"], [], "CI push failed 2", "failed: CI failed"),
    "a workflow is named in any case": (["ci"], [], "CI push failed 2", "failed: CI failed"),
    "any event may be made to decide": (
        ["Deploy"],
        [],
        "Deploy workflow_run failed 2; CI push passed 2",
        "failed: Deploy failed",
    ),
    "what is ignored is not shown either": (
        [],
        ["Stale*"],
        "Stale bot schedule failed 2; CI push passed 2".replace("Stale bot", "Stale-bot"),
        "passed: CI passed",
    ),
    "what is ignored never decides": ([], ["Lint"], "Lint push failed 2; CI push passed 2", "passed: CI passed"),
    "ignore wins over decide": (["CI*"], ["CI2"], "CI2 push failed 2; CI push passed 2", "passed: CI passed"),
}


@pytest.mark.parametrize(("decide", "ignore", "runs", "state"), RULES.values(), ids=RULES.keys())
def test_a_policy_says_what_decides(decide: list[str], ignore: list[str], runs: str, state: str) -> None:
    rules = BuildRules(decide=NamePattern(tuple(decide)), ignore=NamePattern(tuple(ignore)))
    seen = drawn(page(runs_json(*listed(runs))), rules)
    assert told(seen[0]).partition(" | ")[0] == state


def test_a_forks_pull_request_is_a_branch_of_its_own() -> None:
    build = newest("CI pull_request failed 3 of eve no 12; CI push passed 2", "eve:main")
    assert (told(build), build and build.pull_request) == ("failed: CI failed", 12)


def test_a_cancel_stops_all_that_runs_also_an_older_commits_rerun() -> None:
    build = newest("CI push running 2; Lint push queued 2; Deploy push waiting 2; Nightly push running 1 x2")
    assert build is not None
    assert [(run.name, run.attempt) for run in cancel_plan(build)] == [("CI", 1), ("Lint", 1), ("Nightly", 2)]


def test_a_run_without_a_conclusion_is_over_after_ten_minutes() -> None:
    [listed_run] = page(runs_json(*listed("CI push null 2 for 0"))).entries
    states = [group_runs([as_of(listed_run, NOON + timedelta(minutes=m))])[0].own[0].workflow for m in (9, 10)]
    assert [(each.status.value, each.has_ended) for each in states] == [("running", False), ("unknown", True)]


@pytest.mark.parametrize(
    ("name", "is_tag"), [("v1.2", True), ("1.2.3-rc.1", True), ("main", False), ("6.4", False), ("release/1.2", False)]
)
def test_a_tag_is_not_offered_as_a_branch(name: str, is_tag: bool) -> None:
    build = newest(f"CI push passed 2 on {name}", name)
    assert build is not None
    assert build.is_tag is is_tag

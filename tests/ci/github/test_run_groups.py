"""Which runs are a build: its own, and what every build carries of the workflows that did not run for its commit."""

from __future__ import annotations

from typing import Any

import pytest

from bot.core.model.builds import Build, Status
from tests.ci.github.canned import COMMIT, FORK, OLDER, build, builds, lint, page, run, runs_json

OLDEST = "abcdef0" * 5


def at(hour: int, minute: int = 0) -> str:
    return f"2026-03-01T{hour:02}:{minute:02}:00Z"


def told(seen: Build) -> list[tuple[str, str, str | None]]:
    return [(each.name, each.run_id[-2:], each.commit) for each in seen.workflows]


def test_a_build_carries_what_did_not_run_for_its_commit() -> None:
    newest, older = builds(
        run(5),
        lint(4, head_sha=OLDER, conclusion="failure", created_at=at(10)),
        lint(3, head_sha=OLDER, conclusion="success", created_at=at(9)),
        run(2, head_sha=OLDER, created_at=at(10)),
    )
    assert told(newest) == [("CI", "05", None), ("Lint", "04", OLDER)]
    assert (newest.status, newest.commit) == (Status.FAILED, COMMIT)
    assert [each.commit for each in older.workflows] == [None, None]


def test_every_build_carries_what_ran_before_it_and_a_push_changes_nothing_of_that() -> None:
    listed = [
        run(4, head_sha=COMMIT, created_at=at(11)),
        lint(3, head_sha=OLDER, created_at=at(10, 30), conclusion="failure"),
        run(2, head_sha=OLDER, created_at=at(10)),
        lint(1, head_sha=OLDEST, created_at=at(9)),
        run(0, head_sha=OLDEST, created_at=at(8)),
    ]
    docs = {"name": "Docs", "workflow_id": 58400003}
    pushed_since = [run(6, head_sha="fedcba9" * 5, created_at=at(12)), lint(5, **docs, created_at=at(11, 30))]
    before, after = builds(*listed), builds(*pushed_since, *listed)
    assert [told(each) for each in before] == [
        [("CI", "04", None), ("Lint", "03", OLDER)],
        [("CI", "02", None), ("Lint", "03", None)],
        [("CI", "00", None), ("Lint", "01", None)],
    ]
    assert after[2:] == before[1:]
    assert told(after[0]) == [("CI", "06", None), ("Docs", "05", COMMIT), ("Lint", "03", OLDER)]


def test_nothing_is_inherited_that_is_newer_than_the_build() -> None:
    newest, older = builds(
        lint(3, created_at=at(11)), run(2, head_sha=OLDER, created_at=at(10)), lint(1, head_sha=OLDER, created_at=at(9))
    )
    assert told(newest) == [("Lint", "03", None), ("CI", "02", OLDER)]
    assert told(older) == [("CI", "02", None), ("Lint", "01", None)]


def test_nothing_is_inherited_from_another_branch() -> None:
    seen = builds(run(2), lint(1, head_branch="dev", head_sha=OLDER, created_at=at(10)))
    assert [[workflow.name for workflow in build.workflows] for build in seen] == [["CI"], ["Lint"]]


@pytest.mark.parametrize(("created_at", "carried"), [("2026-01-30T11:00:00Z", True), ("2026-01-30T10:59:59Z", False)])
def test_what_github_would_not_run_again_is_not_inherited(created_at: str, carried: bool) -> None:
    newest = builds(run(2), lint(1, head_sha=OLDER, created_at=created_at))[0]
    assert len(newest.workflows) == 1 + carried


def test_runs_that_name_no_workflow_are_distinguished_by_name_and_not_inherited_one_by_one() -> None:
    listed = [run(number, workflow_id=None, head_sha=OLDER if number < 3 else COMMIT) for number in (1, 2, 3)]
    assert [len(build.workflows) for build in builds(*listed)] == [1, 1]


# --- for a push and for its pull request


def test_a_workflow_that_ran_for_the_push_and_for_the_pull_request_is_distinguished() -> None:
    seen = build(run(1, conclusion="failure"), run(2, event="pull_request", created_at=at(11, 1)), lint(3))
    assert told(seen) == [("CI", "01", None), ("CI (pull request)", "02", None), ("Lint", "03", None)]
    assert seen.status is Status.FAILED


@pytest.mark.parametrize("event", ["push", "pull_request"])
def test_a_workflow_that_ran_in_one_way_alone_has_its_own_name(event: str) -> None:
    seen = build(run(1, event=event, conclusion="failure"), run(2, event=event, created_at=at(11, 1)))
    assert told(seen) == [("CI", "02", None)]


def test_both_ways_are_inherited_of_the_commit_that_had_them_last() -> None:
    docs: dict[str, Any] = {"name": "Docs", "workflow_id": 58400003}
    listed = [
        lint(4, head_sha=OLDER, created_at=at(10, 1), event="pull_request"),
        lint(3, head_sha=OLDER, created_at=at(10), conclusion="failure"),
        run(2, **docs, head_sha=OLDER, created_at=at(10)),
        run(1, **docs, head_sha=OLDEST, created_at=at(9), event="pull_request", conclusion="failure"),
    ]
    assert told(builds(run(5), *listed)[0]) == [
        ("CI", "05", None),
        ("Docs", "02", OLDER),
        ("Lint", "03", OLDER),
        ("Lint (pull request)", "04", OLDER),
    ]


def test_what_ran_for_the_commit_in_one_way_is_not_inherited_in_the_other() -> None:
    of_pull_request = run(1, event="pull_request", head_sha=OLDER, created_at=at(10), conclusion="failure")
    assert told(builds(run(2), of_pull_request)[0]) == [("CI", "02", None)]


# --- the end of the list


def hundred(**changes: Any) -> list[dict[str, Any]]:
    """Of three commits a minute apart, the oldest with 34 runs; each run of a workflow of its own."""
    commits = [COMMIT] * 33 + [OLDER] * 33 + [OLDEST] * 34
    return [
        run(99 - place, head_sha=sha, workflow_id=place, created_at=at(11, 59 - place // 33), **changes)
        for place, sha in enumerate(commits)
    ]


def test_of_a_full_page_the_build_that_may_go_on_after_it_is_left_out() -> None:
    assert [each.commit for each in builds(*hundred())] == [COMMIT, OLDER]
    assert [each.commit for each in builds(*hundred()[:99])] == [COMMIT, OLDER, OLDEST]


def test_what_is_left_out_is_inherited_all_the_same() -> None:
    assert len(builds(*hundred())[0].workflows) == 100


def test_of_a_full_page_the_only_build_is_reported() -> None:
    [seen] = builds(*({**each, "head_sha": COMMIT} for each in hundred()))
    assert len(seen.workflows) == 100


def test_a_page_is_full_with_the_runs_of_forks_too() -> None:
    of_forks = [{**each, "head_repository": FORK, "event": "pull_request"} for each in hundred()[:98]]
    own = [run(1, created_at=at(10)), lint(0, head_sha=OLDER, created_at=at(9))]
    assert [each.commit for each in builds(*of_forks, *own) if each.branch == "main"] == [COMMIT]
    assert len([each for each in builds(*of_forks[:97], *own) if each.branch == "main"]) == 2
    assert page(runs_json(*of_forks, *own)).is_full

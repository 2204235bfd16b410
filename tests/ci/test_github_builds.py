"""Workflow runs are drawn together: what a build is, what it carries along, what each field becomes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.errors import BadAnswer, NotThere
from bot.core.model import Build, Project, Status, Workflow
from tests.ci.github_canned import COMMIT, FORK, OLDER, REPOSITORY, WEB, build, builds, lint, run

ID = "731204001-96943dc52696-0d6e4079"


def at(minute: int, second: int = 0) -> datetime:
    return datetime(2026, 3, 1, 11, minute, second, tzinfo=UTC)


def test_every_field_of_a_build_of_one_workflow_is_read() -> None:
    page = "https://github.com/acme/web/actions/runs/19440221001"
    ci = Workflow("19440221001", "CI", Status.PASSED, "success", 1, at(0), at(4, 7), page)
    assert build(run()) == Build(
        id=ID,
        project=WEB,
        status=Status.PASSED,
        status_word="success",
        branch="main",
        commit=COMMIT,
        message="Fix login\n\nFor good.",
        author="Ada L.",
        started_at=at(0),
        finished_at=at(4, 7),
        url=page,
        commit_url=f"https://github.com/acme/web/commit/{COMMIT}",
        workflows=(ci,),
    )


def test_the_runs_of_one_commit_on_one_branch_are_one_build_by_the_names_of_their_workflows() -> None:
    seen = build(lint(2), run(1), run(3, name="build", workflow_id=58400003))
    assert [workflow.name for workflow in seen.workflows] == ["build", "CI", "Lint"]
    assert seen.url == f"https://github.com/acme/web/commit/{COMMIT}/checks"


def test_of_each_workflow_the_newest_run_counts() -> None:
    older = run(1, run_number=562, conclusion="failure", created_at="2026-03-01T10:00:00Z")
    newer = run(2, run_number=563)
    for listed in ([older, newer], [newer, older]):
        seen = build(*listed)
        assert [workflow.run_id for workflow in seen.workflows] == ["19440221002"]
        assert seen.status is Status.PASSED


def test_the_id_stays_when_a_run_is_run_again_and_when_another_workflow_begins() -> None:
    again = run(status="queued", conclusion=None, run_attempt=2)
    assert build(run()).id == build(again).id == build(lint(9, created_at="2026-03-01T13:00:00Z"), again).id == ID


@pytest.mark.parametrize("changes", [{"head_branch": "dev"}, {"head_branch": "Main"}, {"head_sha": OLDER}], ids=str)
def test_the_id_is_another_for_another_branch_and_another_commit(changes: dict[str, str]) -> None:
    assert build(run(**changes)).id != ID
    assert len(builds(run(1), run(2, **changes))) == 2


def test_the_id_is_another_in_another_repository_and_bounded() -> None:
    api = Project("9" * 18, "acme/api", "github")
    of_api = {**REPOSITORY, "id": int(api.id)}
    [seen] = builds(run(repository=of_api, head_repository=of_api, head_branch="b" * 1000), project=api)
    assert seen.id.startswith(f"{api.id}-")
    assert len(seen.id) <= 100


def test_builds_come_newest_first_whatever_the_order() -> None:
    first = run(1, head_sha=OLDER, created_at="2026-03-01T09:00:00Z")
    second = run(2, created_at="2026-03-01T10:00:00Z", conclusion="failure")
    third = run(3, head_branch="dev", created_at="2026-03-01T10:30:00Z")
    for listed in ([first, second, third], [third, first, second]):
        assert [(seen.branch, seen.commit) for seen in builds(*listed)] == [
            ("dev", COMMIT),
            ("main", COMMIT),
            ("main", OLDER),
        ]


def test_a_commit_that_is_pushed_again_is_the_newest_build() -> None:
    before = run(1, head_sha=OLDER, created_at="2026-03-01T09:00:00Z")
    between = run(2, created_at="2026-03-01T10:00:00Z")
    back = run(3, head_sha=OLDER, created_at="2026-03-01T11:00:00Z")
    newest = builds(before, between, back)[0]
    assert (newest.commit, [workflow.run_id for workflow in newest.workflows]) == (OLDER, ["19440221003"])


# --- workflows that did not run for the newest commit


def test_the_newest_build_of_a_branch_carries_what_did_not_run_for_its_commit() -> None:
    newest, older = builds(
        run(5),
        lint(4, head_sha=OLDER, conclusion="failure", created_at="2026-03-01T10:00:00Z"),
        lint(3, head_sha=OLDER, conclusion="success", created_at="2026-03-01T09:00:00Z"),
        run(2, head_sha=OLDER, created_at="2026-03-01T10:00:00Z"),
    )
    assert [(each.name, each.run_id, each.commit) for each in newest.workflows] == [
        ("CI", "19440221005", None),
        ("Lint", "19440221004", OLDER),
    ]
    assert (newest.status, newest.commit) == (Status.FAILED, COMMIT)
    assert [each.commit for each in older.workflows] == [None, None]


def test_older_builds_carry_nothing() -> None:
    newest, older, oldest = builds(
        run(3),
        run(2, head_sha=OLDER, created_at="2026-03-01T10:00:00Z"),
        lint(1, head_sha="abcdef0" * 5, created_at="2026-03-01T09:00:00Z"),
    )
    assert [len(each.workflows) for each in (newest, older, oldest)] == [2, 1, 1]


def test_nothing_is_carried_from_another_branch() -> None:
    seen = builds(run(2), lint(1, head_branch="dev", head_sha=OLDER, created_at="2026-03-01T10:00:00Z"))
    assert [[workflow.name for workflow in build.workflows] for build in seen] == [["CI"], ["Lint"]]


@pytest.mark.parametrize(("created_at", "carried"), [("2026-01-30T11:00:00Z", True), ("2026-01-30T10:59:59Z", False)])
def test_what_github_would_not_run_again_is_not_carried(created_at: str, carried: bool) -> None:
    newest = builds(run(2), lint(1, head_sha=OLDER, created_at=created_at))[0]
    assert len(newest.workflows) == 1 + carried


def test_runs_that_name_no_workflow_are_told_apart_by_name_and_not_carried_one_by_one() -> None:
    listed = [run(number, workflow_id=None, head_sha=OLDER if number < 3 else COMMIT) for number in (1, 2, 3)]
    assert [len(build.workflows) for build in builds(*listed)] == [1, 1]


# --- times


@pytest.mark.parametrize(
    ("runs", "times"),
    [
        ([run(run_started_at="2026-03-01T11:02:00Z")], (at(2), at(4, 7))),
        ([run(run_started_at=None)], (at(0), at(4, 7))),
        ([run(), lint(run_started_at="2026-03-01T11:01:00Z", updated_at="2026-03-01T11:09:00Z")], (at(0), at(9))),
        ([run(), lint(status="in_progress", updated_at="2026-03-01T11:09:00Z")], (at(0), None)),
        (
            [run(), lint(run_attempt=2, run_started_at="2026-03-01T11:30:00Z", updated_at="2026-03-01T11:31:00Z")],
            (at(30), at(31)),
        ),
        (
            [
                run(conclusion="failure"),
                lint(status="queued", conclusion=None, run_attempt=2, run_started_at="2026-03-01T11:30:00Z"),
            ],
            (at(30), None),
        ),
        ([run(), lint(run_started_at="2026-03-01T11:08:00Z", updated_at="2026-03-01T11:20:00Z")], (at(0), at(20))),
        ([run(), lint(run_started_at="2026-03-01T11:40:00Z", updated_at="2026-03-01T11:50:00Z")], (at(40), at(50))),
        ([run(), lint(status="in_progress", run_started_at="2026-03-01T11:40:00Z")], (at(40), None)),
        ([run(created_at=None, run_started_at=None, updated_at=None)], (None, None)),
        ([run(updated_at="yesterday")], (at(0), at(0))),
    ],
    ids=[
        "as it started",
        "no start, as it was created",
        "from the first to the last",
        "one runs",
        "the last attempt alone",
        "an attempt that runs",
        "one after the other",
        "one long after the other",
        "one that runs long after the other",
        "no times",
        "no end that can be read",
    ],
)
def test_a_build_takes_from_its_first_start_to_its_last_end_of_the_last_attempts(
    runs: list[dict[str, Any]], times: tuple[datetime | None, datetime | None]
) -> None:
    seen = build(*runs)
    assert (seen.started_at, seen.finished_at) == times


@pytest.mark.parametrize(
    ("again", "started_at"),
    [("2026-03-01T11:40:00Z", at(40)), ("2026-03-01T10:40:00Z", at(0))],
    ids=["after the build began", "before"],
)
def test_a_carried_workflow_counts_for_the_times_where_it_was_run_again_since(again: str, started_at: datetime) -> None:
    carried = lint(1, head_sha=OLDER, run_attempt=2, created_at="2026-03-01T10:00:00Z", run_started_at=again)
    assert builds(run(2), carried)[0].started_at == started_at


def test_attempts_tell_one_run_of_a_build_from_the_next() -> None:
    before, after = build(run(1), lint(2)), build(run(1, run_attempt=2, status="queued"), lint(2))
    assert after.run.has_been_attempted_since(before.run)
    assert before.run.attempts == "19440221001.1 19440221002.1"


# --- whose runs


def test_a_forks_pull_request_from_a_branch_called_main_is_not_main() -> None:
    assert builds(run(1, head_repository=FORK, event="pull_request"), run(2, head_repository=None)) == []
    [seen] = builds(run(1, head_repository=FORK, conclusion="failure"), run(2))
    assert [workflow.run_id for workflow in seen.workflows] == ["19440221002"]


@pytest.mark.parametrize(
    "missing",
    [{"id": None}, {"head_branch": None}, {"head_sha": None}, {"head_sha": "../../x"}, {"id": "a/b"}],
    ids=str,
)
def test_a_run_without_an_id_a_branch_or_a_commit_is_left_out(missing: dict[str, None]) -> None:
    assert len(builds(run(2), lint(1, **missing))[0].workflows) == 1


def test_runs_that_all_lack_a_branch_are_no_builds() -> None:
    assert builds(run(head_branch=None)) == []


@pytest.mark.parametrize("entries", [[None], [7, "x"], [{"name": "CI"}]])
def test_runs_of_which_none_can_be_read_are_told(entries: list[object]) -> None:
    with pytest.raises(BadAnswer, match="none of its workflow runs can be read"):
        builds(*entries)


def test_a_renamed_repository_has_its_name_of_today() -> None:
    renamed = {"id": 731204001, "full_name": "acme/shop", "html_url": "https://github.com/acme/shop"}
    seen = build(run(repository=renamed, head_repository=renamed), lint())
    assert seen.project == Project("731204001", "acme/shop", "github", "https://github.com/acme/shop")
    assert (seen.commit_url or "").startswith("https://github.com/acme/shop/commit/")


def test_a_repository_that_took_over_the_name_is_not_this_one() -> None:
    other = {"id": 5, "full_name": "acme/web", "html_url": "https://github.com/acme/web"}
    with pytest.raises(NotThere, match="acme/web is another repository by now"):
        builds(run(repository=other, head_repository=other))

"""Workflow runs are drawn together: what a build is, how long it took, what each field becomes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.model.builds import Build, Project, Status, Workflow
from bot.core.model.errors import InvalidResponse, NotFound
from bot.core.model.people.authors import CommitAuthor
from tests.ci.github.canned import COMMIT, FORK, OLDER, REPOSITORY, WEB, build, builds, lint, run

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
        made_by=CommitAuthor("ada", "a@b"),
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
        ([run(updated_at="yesterday")], (at(0), None)),
        ([run(updated_at="2026-04-06T11:00:00Z")], (at(0), None)),
        ([run(updated_at="2026-03-01T10:59:59Z")], (at(0), None)),
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
        "changed long after its end",
        "changed before its start",
    ],
)
def test_a_build_that_passed_takes_from_its_first_start_to_its_last_end_of_the_last_attempts(
    runs: list[dict[str, Any]], times: tuple[datetime | None, datetime | None]
) -> None:
    seen = build(*runs)
    assert (seen.started_at, seen.finished_at) == times


def ran(minute: int, minutes: int, **changes: object) -> dict[str, object]:
    return {
        "run_started_at": f"2026-03-01T11:{minute:02}:00Z",
        "updated_at": f"2026-03-01T11:{minute + minutes:02}:00Z",
        **changes,
    }


FAILED: dict[str, object] = {"conclusion": "failure"}
RUNS: dict[str, object] = {"status": "in_progress", "conclusion": None}
WAITS: dict[str, object] = {"status": "queued", "conclusion": None}
CARRIED: dict[str, object] = {"head_sha": OLDER, "created_at": "2026-03-01T10:00:00Z"}


@pytest.mark.parametrize(
    ("ci", "lint_", "times"),
    [
        (ran(0, 4, **FAILED), ran(1, 30), (at(0), at(4))),
        (ran(0, 4, **FAILED), ran(10, 2, run_attempt=3), (at(0), at(4))),
        (ran(0, 4, **FAILED), ran(2, 1, **FAILED), (at(0), at(4))),
        (ran(0, 2, **FAILED), ran(1, 9, **FAILED), (at(1), at(10))),
        (ran(0, 4, conclusion="cancelled"), ran(1, 30), (at(0), at(4))),
        (ran(0, 4, **FAILED), ran(1, 30, **FAILED, **CARRIED), (at(0), at(4))),
        (ran(0, 4), ran(1, 30, **FAILED, **CARRIED), (at(1), at(31))),
        (ran(0, 4, **FAILED), ran(0, 0, status="levitating", conclusion=None), (at(0), None)),
        (ran(20, 0, **RUNS, run_attempt=2), ran(0, 0, **WAITS), (at(0), None)),
        (ran(0, 4, **FAILED), ran(9, 0, **RUNS), (at(9), None)),
        (ran(0, 4, **FAILED), ran(9, 0, **RUNS, **CARRIED), (at(9), None)),
        (ran(20, 0, **RUNS), ran(9, 0, **RUNS, **CARRIED), (at(20), None)),
    ],
    ids=[
        "the one that failed, not the one that passed later",
        "whatever attempt the other is in",
        "of two that failed the one that ended last",
        "whichever began first",
        "stopped",
        "before a carried one",
        "a carried one that failed alone",
        "one of no known state has no end",
        "the first of those that run or wait",
        "what runs, not what has failed",
        "a carried one that runs alone",
        "before a carried one that runs, too",
    ],
)
def test_the_times_are_those_of_what_decides_and_of_what_runs_since_when(
    ci: dict[str, object], lint_: dict[str, object], times: tuple[datetime | None, datetime | None]
) -> None:
    seen = builds(run(9, **ci), lint(1, **lint_))[0]
    assert (seen.started_at, seen.finished_at) == times


def test_of_several_that_went_wrong_the_word_is_of_the_one_whose_times_they_are() -> None:
    seen = build(run(1, **ran(0, 2, **FAILED)), lint(2, **ran(0, 60 - 1, conclusion="timed_out")))
    assert (seen.status_word, seen.finished_at) == ("timed_out", at(59))


@pytest.mark.parametrize(
    ("again", "started_at"),
    [("2026-03-01T11:40:00Z", at(40)), ("2026-03-01T10:40:00Z", at(0))],
    ids=["after the build began", "before"],
)
def test_a_inherited_workflow_counts_for_the_times_of_a_build_that_passed_if_it_was_run_again_since(
    again: str, started_at: datetime
) -> None:
    carried = lint(1, head_sha=OLDER, run_attempt=2, created_at="2026-03-01T10:00:00Z", run_started_at=again)
    assert builds(run(2), carried)[0].started_at == started_at


def test_attempts_tell_one_run_of_a_build_from_the_next() -> None:
    before, after = build(run(1), lint(2)), build(run(1, run_attempt=2, status="queued"), lint(2))
    assert after.run.has_been_attempted_since(before.run)
    assert before.run.attempts == "19440221001.1 19440221002.1"


# --- whose runs


def test_a_forks_pull_request_from_a_branch_called_main_is_not_main() -> None:
    seen = builds(run(2, head_repository=FORK, event="pull_request", conclusion="failure"), run(1))
    assert [(each.branch, each.status) for each in seen] == [("eve:main", Status.FAILED), ("main", Status.PASSED)]
    assert seen[0].id != seen[1].id


@pytest.mark.parametrize("head", [FORK, None])
def test_the_head_repository_of_a_push_does_not_matter(head: object) -> None:
    assert build(run(head_repository=head)).branch == "main"


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
def test_runs_of_which_none_can_be_read_are_reported(entries: list[object]) -> None:
    with pytest.raises(InvalidResponse, match="none of its workflow runs can be read"):
        builds(*entries)


def test_a_renamed_repository_has_its_name_of_today() -> None:
    renamed = {"id": 731204001, "full_name": "acme/shop", "html_url": "https://github.com/acme/shop"}
    seen = build(run(repository=renamed, head_repository=renamed), lint())
    assert seen.project == Project("731204001", "acme/shop", "github", "https://github.com/acme/shop")
    assert (seen.commit_url or "").startswith("https://github.com/acme/shop/commit/")


def test_a_repository_that_took_over_the_name_is_not_this_one() -> None:
    other = {"id": 5, "full_name": "acme/web", "html_url": "https://github.com/acme/web"}
    with pytest.raises(NotFound, match="acme/web is now another repository"):
        builds(run(repository=other, head_repository=other))

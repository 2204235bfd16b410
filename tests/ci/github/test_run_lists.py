"""Which lists of runs are read for a look, how few of them, and what lists that lag may not change."""

from __future__ import annotations

from typing import Any

import pytest
import responses

from bot.ci.github.client import GitHub
from bot.ci.github.http.calls import SMALLER_FOR_S
from bot.ci.github.run_lists import NO_CONTENTS_KEPT_S, SHAPE_KEPT_S
from bot.core.model.builds import Build, Status
from bot.core.model.errors import NoResponse
from tests.ci.codeship.canned import Clock, Gate
from tests.ci.github.canned import API, COMMIT, FORK, OLDER, RUNS, WEB, asking, lint, run, runs_json

BRANCH = f"{API}/repos/acme/web/branches/main"
QUEUED = {"event": "merge_group", "head_branch": "gh-readonly-queue/main/pr-12-96943dc"}


def comments(count: int) -> list[dict[str, Any]]:
    chat = {"name": "Chat", "workflow_id": 9, "event": "issue_comment", "conclusion": "skipped"}
    return [lint(number, **chat) for number in range(500, 500 + count)]


def tip(api: responses.RequestsMock, commit: str = COMMIT) -> None:
    api.get(BRANCH, json={"name": "main", "commit": {"sha": commit}})


def main(github: GitHub) -> Build:
    return github.builds(WEB, "main")[0]


def asked(api: responses.RequestsMock) -> list[str]:
    """The parameters of each list call, without the branch."""
    urls = [str(call.request.url) for call in api.calls if "/actions/runs" in str(call.request.url)]
    return [url.partition("?")[2].replace("&branch=main", "").removeprefix("per_page=") for url in urls]


def test_one_page_is_enough_in_the_usual_case(github: GitHub, api: responses.RequestsMock, gate: Gate) -> None:
    api.get(RUNS, runs_json(run(), *comments(50)))
    tip(api)
    assert main(github).status is Status.PASSED
    assert (asked(api), gate.asked) == (["100"], ["builds", "branches"])


def test_a_failed_push_behind_a_page_of_comments_is_found(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(RUNS, runs_json(run(conclusion="failure")), match=[asking(event="push")])
    api.get(RUNS, runs_json(), match=[asking(event="pull_request")])
    api.get(RUNS, runs_json(*comments(100)), match=[asking()])
    tip(api)
    assert main(github).status is Status.FAILED
    assert asked(api) == ["100", "100&event=push", "100&event=pull_request"]


def test_the_lists_that_told_are_asked_first_for_an_hour(
    github: GitHub, api: responses.RequestsMock, clock: Clock
) -> None:
    api.get(RUNS, runs_json(run()), match=[asking(event="push")])
    api.get(RUNS, runs_json(), match=[asking(event="pull_request")])
    api.get(RUNS, runs_json(*comments(100)), match=[asking()])
    tip(api)
    main(github)
    main(github)
    assert asked(api)[3:] == ["100&event=push", "100&event=pull_request"]
    clock.now += SHAPE_KEPT_S
    main(github)
    assert asked(api)[5] == "100"


def test_a_nightly_decides_where_no_push_is_listed(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(RUNS, runs_json(), match=[asking(event="push")])
    api.get(RUNS, runs_json(), match=[asking(event="pull_request")])
    api.get(RUNS, runs_json(lint(1, event="schedule"), *comments(99)), match=[asking()])
    tip(api)
    assert (main(github).workflows[0].trigger, main(github).asks_first) == ("schedule", True)


def test_the_newest_commits_runs_behind_the_page_are_read(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(RUNS, runs_json(run(), lint(2, conclusion="failure")), match=[asking(head_sha=COMMIT)])
    api.get(RUNS, runs_json(run(), *comments(99)), match=[asking()])
    tip(api)
    assert main(github).status is Status.FAILED
    assert asked(api) == ["100", f"100&head_sha={COMMIT}"]


def test_it_is_never_passed_with_a_page_unread(github: GitHub, api: responses.RequestsMock) -> None:
    more = {"Link": f'<{RUNS}?page=2&head_sha={COMMIT}>; rel="next"'}
    api.get(RUNS, runs_json(run()), headers=more, match=[asking(head_sha=COMMIT, page="2")])
    api.get(RUNS, runs_json(run()), headers=more, match=[asking(head_sha=COMMIT)])
    api.get(RUNS, runs_json(run(), *comments(99)), match=[asking()])
    tip(api)
    seen = main(github)
    assert (seen.status, seen.status_word) == (Status.UNKNOWN, "not all of its runs were read")
    assert len(asked(api)) == 4


def test_a_page_that_reaches_the_commit_before_is_enough(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(RUNS, runs_json(run(2), run(1, head_sha=OLDER, created_at="2026-03-01T10:00:00Z"), *comments(98)))
    tip(api)
    assert main(github).commit == COMMIT
    assert asked(api) == ["100"]


# --- the newest commit, and the merge queue


def test_a_merge_queues_runs_are_those_of_the_commit_it_tested(github: GitHub, api: responses.RequestsMock) -> None:
    of_main, of_another = run(2, **QUEUED), run(3, **{**QUEUED, "head_branch": "gh-readonly-queue/dev/pr-1-9"})
    before = run(1, head_sha=OLDER, conclusion="failure", created_at="2026-03-01T10:00:00Z")
    api.get(RUNS, runs_json(of_main, of_another), match=[asking(head_sha=COMMIT)])
    api.get(RUNS, runs_json(before), match=[asking()])
    tip(api)
    seen = main(github)
    assert (seen.commit, seen.branch, seen.status, seen.newest_commit) == (COMMIT, "main", Status.PASSED, None)
    assert [(each.trigger, each.can_rerun) for each in seen.workflows] == [("merge_group", False)]
    assert asked(api) == ["100", f"100&head_sha={COMMIT}"]


def test_a_newest_commit_without_runs_is_named(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(RUNS, runs_json(lint(2, event="issue_comment")), match=[asking(head_sha=COMMIT)])
    api.get(RUNS, runs_json(run(1, head_sha=OLDER)), match=[asking()])
    tip(api)
    assert (main(github).commit, main(github).newest_commit) == (OLDER, COMMIT)


@pytest.mark.parametrize(("status", "asked_again_after_s"), [(403, NO_CONTENTS_KEPT_S), (404, 60.0)])
def test_without_the_right_to_read_the_branch_the_newest_commit_with_runs_counts(
    github: GitHub, api: responses.RequestsMock, gate: Gate, clock: Clock, status: int, asked_again_after_s: float
) -> None:
    api.get(RUNS, runs_json(run(1, head_sha=OLDER)))
    api.get(BRANCH, status=status, json={"message": "Resource not accessible"})
    assert (main(github).commit, main(github).newest_commit) == (OLDER, None)
    assert gate.asked.count("branches") == 1
    clock.now += asked_again_after_s
    main(github)
    assert gate.asked.count("branches") == 2


@pytest.mark.parametrize(("queued", "state"), [(OLDER, Status.FAILED), (COMMIT, Status.PASSED)], ids=["not yet", "yes"])
def test_in_a_list_of_all_branches_a_queues_runs_are_the_branchs_once_it_has_their_commit(
    github: GitHub, api: responses.RequestsMock, queued: str, state: Status
) -> None:
    before = run(1, head_sha="a" * 40, conclusion="failure", created_at="2026-03-01T10:00:00Z")
    api.get(RUNS, runs_json(run(2, **QUEUED, head_sha=queued), before))
    tip(api)
    seen = github.builds(WEB)
    assert {each.branch for each in seen} == {"main"}
    assert seen[0].status is state


@pytest.mark.parametrize(("status", "is_tag"), [(404, True), (200, False)])
def test_a_name_like_a_tags_is_a_tag_unless_there_is_a_branch_of_it(
    github: GitHub, api: responses.RequestsMock, status: int, is_tag: bool
) -> None:
    api.get(RUNS, runs_json(run(head_branch="v1.2")))
    api.get(BRANCH.replace("main", "v1.2"), status=status, json={"commit": {"sha": COMMIT}})
    assert github.builds(WEB, "v1.2")[0].is_tag is is_tag


# --- forks


def test_a_forks_branch_is_asked_for_under_its_owner(github: GitHub, api: responses.RequestsMock) -> None:
    of_fork = run(2, event="pull_request", head_repository=FORK, conclusion="failure")
    api.get(RUNS, runs_json(of_fork, run(1)))
    tip(api)
    assert [(each.branch, each.status) for each in github.builds(WEB, "eve:main")] == [("eve:main", Status.FAILED)]
    assert [(each.branch, each.status) for each in github.builds(WEB, "main")] == [("main", Status.PASSED)]


# --- 502


def test_a_busy_repository_is_asked_in_smaller_pages_for_an_hour(
    github: GitHub, api: responses.RequestsMock, clock: Clock
) -> None:
    api.get(RUNS, runs_json(run()), match=[asking(per_page="25")])
    api.get(RUNS, status=502, match=[asking(per_page="50")])
    api.get(RUNS, status=502, match=[asking(per_page="100")])
    for _ in range(2):
        assert len(github.builds(WEB)) == 1
    assert (asked(api), clock.waits) == (["100", "50", "25", "25"], [])
    clock.now += SMALLER_FOR_S
    github.builds(WEB)
    assert asked(api)[4:] == ["100", "50", "25"]


def test_502_to_the_smallest_page_is_no_answer(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(RUNS, status=502)
    with pytest.raises(NoResponse):
        github.builds(WEB)


# --- lists that lag


LATER = {"run_attempt": 2, "run_started_at": "2026-03-01T11:30:00Z", "updated_at": "2026-03-01T11:31:00Z"}


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({**LATER, "status": "in_progress", "conclusion": None}, {"conclusion": "failure"}),
        ({**LATER}, {"conclusion": "failure"}),
        ({**LATER}, {**LATER, "status": "in_progress", "conclusion": None}),
    ],
    ids=["an earlier attempt, while it runs", "an earlier attempt, once it ended", "the attempt before its end"],
)
def test_the_state_of_a_run_never_goes_back(
    github: GitHub, api: responses.RequestsMock, first: dict[str, Any], then: dict[str, Any]
) -> None:
    api.get(RUNS, runs_json(run(**first)))
    before = github.builds(WEB)
    api.replace("GET", RUNS, runs_json(run(**then)))
    assert github.builds(WEB) == before


def test_a_later_attempt_is_news(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(RUNS, runs_json(run()))
    github.builds(WEB)
    api.replace("GET", RUNS, runs_json(run(**LATER, status="in_progress") | {"conclusion": None}))
    assert github.builds(WEB)[0].status is Status.RUNNING


# --- names


def test_a_run_with_a_title_has_its_workflows_name(github: GitHub, api: responses.RequestsMock) -> None:
    workflows = [{"id": 58400001, "name": "CI", "state": "active"}, {"id": 58400002, "state": "active"}]
    titled = [run(2, name="Deploy by ada"), lint(1, name="Deploy by ada")]
    api.get(RUNS, runs_json(*titled))
    api.get(f"{API}/repos/acme/web/actions/workflows", json={"workflows": workflows})
    assert sorted(each.name for each in github.builds(WEB)[0].workflows) == ["CI", "ci.yml"]

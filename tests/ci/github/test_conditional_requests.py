"""An unchanged response comes from the cache and does not count against the rate limit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import responses
from responses import matchers

from bot.ci.github.client import GitHub
from bot.core.model.errors import InvalidResponse
from tests.ci.codeship.canned import Gate
from tests.ci.github.canned import API, RUNS, WEB, asking, builds, lint, run, runs_json

USER_REPOS = f"{API}/user/repos"


def repositories(first: int, count: int) -> list[dict[str, object]]:
    return [{"id": number, "full_name": f"acme/r{number}"} for number in range(first, first + count)]


def unchanged(etag: str) -> list[Any]:
    return [matchers.header_matcher({"If-None-Match": etag})]


def test_what_has_not_changed_is_free_and_reported_as_before(
    github: GitHub, api: responses.RequestsMock, gate: Gate
) -> None:
    api.get(RUNS, runs_json(run()), headers={"ETag": 'W/"1"'})
    before = github.builds(WEB)
    api.replace("GET", RUNS, status=304, match=unchanged('W/"1"'))
    after = github.builds(WEB)
    assert after == before == builds(run())
    assert gate.free == [False, True]
    after.clear()
    assert github.builds(WEB) == builds(run())


def test_what_has_changed_counts_and_is_reported_again(github: GitHub, api: responses.RequestsMock, gate: Gate) -> None:
    api.get(RUNS, runs_json(run()), headers={"ETag": 'W/"1"'})
    github.builds(WEB)
    api.replace("GET", RUNS, runs_json(run(), lint()), headers={"ETag": 'W/"2"'}, match=unchanged('W/"1"'))
    assert len(github.builds(WEB)[0].workflows) == 2
    assert gate.free == [False, False]
    api.replace("GET", RUNS, status=304, match=unchanged('W/"2"'))
    assert len(github.builds(WEB)[0].workflows) == 2


def test_pages_of_repositories_are_remembered_each(github: GitHub, api: responses.RequestsMock, gate: Gate) -> None:
    link = {"Link": f'<{USER_REPOS}?page=2>; rel="next"'}
    api.get(USER_REPOS, json=repositories(1, 1), headers={**link, "ETag": '"a"'})
    api.get(f"{USER_REPOS}?page=2", json=repositories(2, 1), headers={"ETag": '"b"'})
    before = github.projects()
    api.reset()
    api.get(f"{USER_REPOS}?page=2", status=304, match=unchanged('"b"'))
    api.get(USER_REPOS, status=304, match=unchanged('"a"'))
    for _ in range(2):
        assert github.projects() == before
    assert gate.free == [False, False, True, True, True, True]


def test_a_page_that_has_not_changed_may_have_another_after_it(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(USER_REPOS, json=repositories(1, 2), headers={"ETag": '"a"'})
    github.projects()
    api.reset()
    api.get(USER_REPOS, status=304, match=unchanged('"a"'), headers={"Link": f'<{USER_REPOS}?page=2>; rel="next"'})
    api.get(f"{USER_REPOS}?page=2", json=repositories(3, 1))
    assert [project.id for project in github.projects()] == ["1", "2", "3"]
    api.replace("GET", USER_REPOS, status=304, headers={"Link": f'<{USER_REPOS}?page=1>; rel="first"'})
    assert [project.id for project in github.projects()] == ["1", "2"]


def test_a_full_page_without_a_next_one_is_requested_again(
    github: GitHub, api: responses.RequestsMock, gate: Gate
) -> None:
    api.get(USER_REPOS, json=repositories(1, 100), headers={"ETag": '"a"'})
    assert len(github.projects()) == 100
    link = {"Link": f'<{USER_REPOS}?page=2>; rel="next"'}
    api.replace("GET", USER_REPOS, json=repositories(1, 100), headers={"ETag": '"a"', **link})
    api.get(f"{USER_REPOS}?page=2", json=repositories(101, 1))
    assert len(github.projects()) == 101
    assert "If-None-Match" not in api.calls[1].request.headers
    api.reset()
    api.get(f"{USER_REPOS}?page=2", json=repositories(101, 1))
    api.get(USER_REPOS, status=304, match=unchanged('"a"'))
    assert len(github.projects()) == 101


def test_lists_of_events_that_have_not_changed_are_told_from_memory(
    github: GitHub, api: responses.RequestsMock, gate: Gate
) -> None:
    comments = runs_json(*(run(number, event="issue_comment") for number in range(100)))
    api.get(RUNS, runs_json(run()), headers={"ETag": '"b"'}, match=[asking(event="push")])
    api.get(RUNS, runs_json(), headers={"ETag": '"c"'}, match=[asking(event="pull_request")])
    api.get(RUNS, comments, headers={"ETag": '"a"', "Link": f'<{RUNS}?page=2>; rel="next"'}, match=[asking()])
    before = github.builds(WEB)
    api.reset()
    api.get(RUNS, status=304, match=[asking(event="push"), *unchanged('"b"')])
    api.get(RUNS, status=304, match=[asking(event="pull_request"), *unchanged('"c"')])
    assert github.builds(WEB) == before != []
    assert gate.free == [False, False, False, True, True]


def test_each_project_is_remembered_for_itself(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(RUNS, runs_json(run()), headers={"ETag": '"a"'})
    github.builds(WEB)
    github.builds(WEB)
    github.builds(replace(WEB, url=None))
    assert ["If-None-Match" in call.request.headers for call in api.calls] == [False, True, False]


def test_an_answer_without_an_etag_is_requested_again(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(RUNS, runs_json())
    github.builds(WEB)
    github.builds(WEB)
    assert "If-None-Match" not in api.calls[1].request.headers


def test_a_304_that_no_one_requested_is_none_of_the_contract(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(RUNS, status=304)
    with pytest.raises(InvalidResponse):
        github.builds(WEB)

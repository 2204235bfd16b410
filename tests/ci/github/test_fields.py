"""For any value in a field of a run, a workflow and a build get a sanitized value or none."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bot.core.model.people.authors import CommitAuthor
from tests.ci.github.canned import COMMIT, REPOSITORY, WEB, build, builds, drawn, lint, page, run, runs_json


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"name": None}, "name", "ci.yml"),
        ({"name": None, "path": "acme/rules/.github/workflows/scan.yml@main"}, "name", "scan.yml"),
        ({"name": None, "path": None}, "name", "run 19440221001"),
        ({"name": "a\nb\u2028c" + "x" * 900}, "name", ("abc" + "x" * 900)[:300]),
        ({"run_attempt": 3}, "attempt", 3),
        ({"run_attempt": 0}, "attempt", 1),
        ({"run_attempt": "2"}, "attempt", 1),
        ({"run_attempt": True}, "attempt", 1),
        ({"html_url": "javascript:alert(1)"}, "url", None),
        ({"html_url": "https://github.com/a|b>c"}, "url", None),
        ({"html_url": "https://user@evil.test/"}, "url", None),
        ({"html_url": 7}, "url", None),
    ],
)
def test_a_field_of_a_workflow_is_cleaned(changes: dict[str, object], field: str, value: object) -> None:
    assert getattr(build(run(**changes)).workflows[0], field) == value


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"head_commit": None}, "message", None),
        ({"head_commit": None}, "author", "ada"),
        ({"head_commit": None, "actor": None}, "author", None),
        ({"head_commit": {"message": 7, "author": None}}, "author", "ada"),
        ({"head_commit": "x"}, "message", None),
        ({"head_commit": {"message": "a\r\nb\x00", "author": "x"}}, "message", "a\nb"),
        ({"head_branch": "feature/a&b#c"}, "branch", "feature/a&b#c"),
        ({"conclusion": "x" * 200}, "status_word", "x" * 100),
    ],
)
def test_a_field_of_a_build_is_cleaned(changes: dict[str, object], field: str, value: object) -> None:
    assert getattr(build(run(**changes)), field) == value


def test_one_field_of_a_wrong_kind_costs_that_field_alone() -> None:
    damaged = run(1, head_commit=[], actor="ada", repository=REPOSITORY)
    seen = build(damaged, lint(2))
    assert [workflow.name for workflow in seen.workflows] == ["CI", "Lint"]


def test_bytes_that_are_no_utf_8_cost_only_themselves() -> None:
    body = runs_json(run()).replace(b"Fix login", b"Fix \xff login")
    [seen] = drawn(page(body))
    assert seen.message == "Fix \ufffd login\n\nFor good."


def test_without_an_address_in_the_answer_pages_are_those_of_the_web_url() -> None:
    bare = {"id": 731204001, "full_name": "acme/web"}
    body = runs_json(run(repository=bare, head_repository=bare))
    [seen] = drawn(page(body, replace(WEB, url=None), web_url="https://git.acme.test"))
    assert seen.commit_url == f"https://git.acme.test/acme/web/commit/{COMMIT}"


def test_an_empty_list_is_no_builds() -> None:
    assert builds() == drawn(page(json.dumps({"total_count": 0, "workflow_runs": []}).encode())) == []


@pytest.mark.parametrize(
    ("changes", "made_by"),
    [
        ({}, CommitAuthor("ada", "a@b")),
        ({"event": "pull_request"}, CommitAuthor("ada", "a@b")),
        ({"event": "merge_group"}, CommitAuthor(None, "a@b")),
        ({"event": "schedule"}, None),
        ({"event": "workflow_dispatch"}, None),
        ({"actor": {"login": "renovate", "type": "Bot"}}, CommitAuthor("renovate[bot]", "a@b")),
        ({"actor": {"login": "dependabot[bot]", "type": "Bot"}}, CommitAuthor("dependabot[bot]", "a@b")),
        ({"head_commit": None}, CommitAuthor("ada")),
        ({"head_commit": {"author": {"email": 7}}, "actor": {"login": None}}, None),
        ({"actor": None, "head_commit": {"author": {"email": "x" * 300}}}, CommitAuthor(None, "x" * 254)),
    ],
)
def test_only_a_push_tells_who_made_the_commit(changes: dict[str, object], made_by: CommitAuthor | None) -> None:
    assert build(run(**changes)).made_by == made_by

"""CodeShip's requests, parsed projects and restarts; no response raises an unexpected error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.ci.codeship.api import (
    builds_request,
    parse_builds,
    parse_restart,
    projects_request,
    restart_request,
)
from bot.ci.http_client.responses import Request
from bot.core.model.builds import Project
from bot.core.model.errors import CIError, InvalidResponse, NotConfirmed
from tests.ci.codeship.canned import parse_projects

API = "https://codeship.com/api/v1"
KEY = "s3cret/key +%&é~"
WEB = Project("33837", "acme/web", "codeship")
COMMIT = "96943dc5269634c211b6fbb18896ecdcbd40a047"
BUILD: dict[str, Any] = {
    "id": 3277309,
    "uuid": "7c4d5e10-6755-0132-b8a1-5e3ee6c4a2a1",
    "project_id": 33837,
    "status": "success",
    "branch": "main",
    "commit_id": COMMIT,
    "github_username": "ada",
    "message": "Fix login\n\nFor good.",
    "started_at": "2014-12-16T11:08:34.123Z",
    "finished_at": "2014-12-16T11:14:08.271Z",
    "debug_connection": None,
}


# --- requests


def test_the_three_calls_are_those_of_the_contract() -> None:
    assert projects_request(API, KEY) == Request("GET", f"{API}/projects.json", (("api_key", KEY),))
    assert builds_request(f"{API}/", KEY, "33837") == Request("GET", f"{API}/projects/33837.json", (("api_key", KEY),))
    assert builds_request(API, KEY, "33837", "feature/a&b#c").params == (("api_key", KEY), ("branch", "feature/a&b#c"))
    assert restart_request(API, KEY, "3277309") == Request(
        "POST", f"{API}/builds/3277309/restart.json", (("api_key", KEY),)
    )


def test_a_request_does_not_show_the_key() -> None:
    assert KEY not in repr(projects_request(API, KEY))
    assert KEY not in f"{builds_request(API, KEY, '1', 'main')}"


def test_an_id_cannot_lead_to_another_path() -> None:
    assert restart_request(API, KEY, "1/../2?x=#").url == f"{API}/builds/1%2F..%2F2%3Fx%3D%23/restart.json"


def test_a_branch_with_half_a_surrogate_pair_is_still_requested() -> None:
    assert builds_request(API, KEY, "1", "a\ud800b").params[1] == ("branch", "a?b")


# --- projects


def test_projects_are_parsed_even_if_their_builds_are_broken() -> None:
    body = json.dumps(
        {
            "projects": [
                {"id": 33837, "repository_name": "acme/web", "uuid": "u", "builds": [BUILD, 5, None]},
                {"id": "33838", "repository_name": "acme/api", "builds": "none"},
            ]
        }
    ).encode()
    assert parse_projects(200, {}, body) == [
        Project("33837", "acme/web", "codeship", "https://app.codeship.com/projects/33837"),
        Project("33838", "acme/api", "codeship", "https://app.codeship.com/projects/33838"),
    ]


@pytest.mark.parametrize(
    "broken", [None, 5, [], {}, {"id": 1}, {"id": 1, "repository_name": None}, {"id": {}, "repository_name": "a/b"}]
)
def test_a_broken_project_is_left_out_and_the_others_stay(broken: object) -> None:
    entries = [{"id": 1, "repository_name": "a/a"}, broken, {"id": 2, "repository_name": "a/c"}]
    assert [each.name for each in parse_projects(200, {}, json.dumps({"projects": entries}).encode())] == [
        "a/a",
        "a/c",
    ]


def test_an_empty_list_is_no_error_and_a_wholly_broken_one_is() -> None:
    assert parse_projects(200, {}, b'{"projects": []}') == []
    with pytest.raises(InvalidResponse):
        parse_projects(200, {}, b'{"projects": [null, {"id": 1}]}')
    with pytest.raises(InvalidResponse):
        parse_builds(200, {}, b'{"id": 1, "builds": [null, {}]}', WEB)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'"projects"',
        b"<!DOCTYPE html><html>Sign in</html>",
        b'{"projects": [{"id": ',
        b'{"projects": null}',
        b"\xff\xfe\x00",
        b'{"a":' * 100_000,
        b'{"projects": {"id": 1}, "builds": {"id": 1}}',
    ],
)
def test_a_success_that_breaks_the_contract_is_an_invalid_response(body: bytes) -> None:
    with pytest.raises(InvalidResponse, match="check CODESHIP_API_URL"):
        parse_projects(200, {}, body)
    with pytest.raises(InvalidResponse, match="check CODESHIP_API_URL"):
        parse_builds(200, {}, body, WEB)


def test_a_success_that_reports_an_error_passes_on_its_reason() -> None:
    with pytest.raises(InvalidResponse, match=r"^CodeShip: The API is closed$"):
        parse_projects(200, {}, b'{"error": "The API is closed"}')


# --- restarts


@pytest.mark.parametrize(
    ("status", "body", "id_"),
    [
        (200, b'{"id": 808412, "uuid": "cc059370-9a70-0131-c115-0088653824b4"}', "808412"),
        (201, b'{"id": "808412", "uuid": "cc059370"}', "808412"),
    ],
)
def test_a_restart_is_confirmed_by_the_build_that_runs_now(status: int, body: bytes, id_: str) -> None:
    assert parse_restart(status, {}, body) == id_


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (201, b'{"id": "808412"}'),
        (202, b'{"id": null, "uuid": "cc059370"}'),
        (200, b'{"id": {}, "uuid": "cc059370"}'),
        (200, b'{"id": 808412, "uuid": "cc05'),
        (200, b"OK"),
        (200, b"<html>"),
        (200, b'{"error": "?"}'),
        (204, b""),
    ],
)
def test_any_other_2xx_does_not_confirm_it(status: int, body: bytes) -> None:
    with pytest.raises(NotConfirmed, match=f"answered {status}") as caught:
        parse_restart(status, {}, body)
    assert caught.value.may_have_taken


# --- anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*BUILD, "projects", "builds", "repository_name", "error", "errors"]), inner)
    ),
    max_leaves=20,
)
BODIES = st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode())
HEADERS = st.dictionaries(
    st.sampled_from(["Location", "Retry-After", "Date", "Content-Type"]) | st.text(max_size=10), st.text(max_size=40)
)


@given(status=st.integers(-1, 700), headers=HEADERS, body=BODIES)
@example(status=200, headers={}, body=b"[" * 200_000)
@example(status=200, headers={}, body=b'{"id": ' + b"1" * 5_000 + b"}")
@example(status=200, headers={}, body=b'{"id": 1e400, "builds": [{"id": 1e300}, {"id": NaN}]}')
@example(status=429, headers={"Retry-After": "Mon, 01 Jan 0000 99:99:99 +9999", "Date": "x"}, body=b"")
def test_no_response_raises_anything_but_a_ci_error(status: int, headers: dict[str, str], body: bytes) -> None:
    for decipher in (
        lambda: parse_projects(status, headers, body, key=KEY),
        lambda: parse_builds(status, headers, body, WEB, key=KEY),
        lambda: parse_restart(status, headers, body, key=KEY),
    ):
        try:
            told = repr(decipher())
        except CIError as error:
            told = str(error)
            bounded = len(error.detail) <= 300
        else:
            bounded = True
        assert bounded
        told.encode()

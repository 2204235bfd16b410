"""GitHub's requests, parsing of jobs and attempts, and that no response raises anything unexpected."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.ci.github import api as wire
from bot.ci.github.runs import parse_attempt, parse_runs
from bot.ci.http_client.responses import Request
from bot.core.model.builds import FailedJob, Project, Status
from bot.core.model.errors import CIError, NotConfirmed, NotFound
from tests.ci.github.canned import API, RUNS, TOKEN, WEB, drawn, page, run, runs_json

HEADERS = (("Accept", "application/vnd.github+json"), ("X-GitHub-Api-Version", "2022-11-28"))
PAGE = wire.repositories_request(API, "/user/repos")
A_RUN = f"{RUNS}/19440221001"


# --- requests


@pytest.mark.parametrize(
    ("request_", "method", "url", "params"),
    [
        (PAGE, "GET", f"{API}/user/repos", {"per_page": "100"}),
        (wire.workflows_request(API, WEB), "GET", f"{API}/repos/acme/web/actions/workflows", {"per_page": "100"}),
        (wire.builds_request(API, WEB), "GET", RUNS, {"per_page": "100"}),
        (
            wire.builds_request(API, WEB, "feature/a&b#c"),
            "GET",
            RUNS,
            {"per_page": "100", "branch": "feature/a&b#c"},
        ),
        (
            wire.builds_request(API, WEB, "main", event="push"),
            "GET",
            RUNS,
            {"per_page": "100", "branch": "main", "event": "push"},
        ),
        (
            wire.builds_request(API, WEB, commit="0" * 40),
            "GET",
            RUNS,
            {"per_page": "100", "head_sha": "0" * 40},
        ),
        (wire.run_request(API, WEB, "7"), "GET", f"{RUNS}/7", {}),
        (wire.approvals_request(API, WEB, "7"), "GET", f"{RUNS}/7/pending_deployments", {}),
        (
            wire.branch_request(API, WEB, "feature/a&b#c"),
            "GET",
            f"{API}/repos/acme/web/branches/feature/a%26b%23c",
            {},
        ),
        (wire.pull_request_request(API, WEB, 12), "GET", f"{API}/repos/acme/web/pulls/12", {}),
        (wire.log_request(API, WEB, "9"), "GET", f"{API}/repos/acme/web/actions/jobs/9/logs", {}),
        (
            wire.jobs_request(API, WEB, "19440221001"),
            "GET",
            f"{A_RUN}/jobs",
            {"filter": "latest", "per_page": "100"},
        ),
        (
            wire.attempt_request(API, WEB, "19440221001", 2),
            "GET",
            f"{A_RUN}/attempts/2",
            {"exclude_pull_requests": "true"},
        ),
        (wire.rerun_request(API, WEB, "19440221001"), "POST", f"{A_RUN}/rerun", {}),
        (
            wire.rerun_request(API, WEB, "19440221001", failed_jobs_only=True),
            "POST",
            f"{A_RUN}/rerun-failed-jobs",
            {},
        ),
        (wire.cancel_request(API, WEB, "19440221001"), "POST", f"{A_RUN}/cancel", {}),
        (wire.token_request(API, "52001100"), "POST", f"{API}/app/installations/52001100/access_tokens", {}),
    ],
    ids=lambda value: value.url if isinstance(value, Request) else "",
)
def test_a_request_is_the_documented_one(request_: Request, method: str, url: str, params: dict[str, str]) -> None:
    assert request_ == Request(method, url, tuple(params.items()), HEADERS)


def test_a_re_run_asks_for_debug_logs_in_its_body() -> None:
    asked = wire.rerun_request(API, WEB, "19440221001", failed_jobs_only=True, debug_logs=True)
    assert (asked.url, asked.body) == (f"{A_RUN}/rerun-failed-jobs", b'{"enable_debug_logging":true}')


def test_a_request_is_signed_and_requests_changes_alone_if_there_is_an_etag() -> None:
    assert dict(wire.signed(PAGE, TOKEN).headers) == {**dict(HEADERS), "Authorization": f"Bearer {TOKEN}"}
    assert dict(wire.signed(PAGE, TOKEN, 'W/"1"').headers)["If-None-Match"] == 'W/"1"'
    assert wire.signed(PAGE, TOKEN).params == PAGE.params


def test_a_request_does_not_show_the_token() -> None:
    assert "s3cret" not in repr(wire.signed(PAGE, TOKEN)) + str(wire.signed(PAGE, TOKEN))


@pytest.mark.parametrize(
    "name", ["acme", "acme/..", "../web", "acme/web/x", "a b/c", "acme/web?x=1", "acme/.", "", "/"]
)
def test_a_name_cannot_lead_to_another_path(name: str) -> None:
    with pytest.raises(NotFound):
        wire.builds_request(API, Project("1", name, "github"))


def test_an_id_cannot_lead_to_another_path() -> None:
    assert wire.cancel_request(API, WEB, "1/../2").url == f"{RUNS}/1%2F..%2F2/cancel"


# --- jobs and attempts


def job(name: str = "test", conclusion: object = "failure", **more: object) -> dict[str, Any]:
    steps = [
        {"name": "Check out", "conclusion": "success"},
        {"name": "Run the tests", "conclusion": conclusion},
        {"name": "Upload", "conclusion": "failure"},
    ]
    return {"name": name, "conclusion": conclusion, "html_url": f"https://github.com/j/{name}", "steps": steps, **more}


def jobs(*entries: object, attempt: int = 1) -> wire.JobsPage:
    body = json.dumps({"jobs": list(entries)}).encode()
    return wire.parse_jobs(200, {}, body, page=wire.jobs_request(API, WEB, "1"), attempt=attempt)


def test_the_jobs_that_failed_are_reported_with_their_first_failed_step() -> None:
    passed = job("build", "success")
    seen = jobs(passed, job("test", run_attempt=1), job("lint", "timed_out"), job("ship", "cancelled"))
    assert seen.entries == (
        FailedJob("test", "Run the tests", "https://github.com/j/test"),
        FailedJob("lint", "Run the tests", "https://github.com/j/lint"),
    )
    assert seen.are_final


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (job(steps=None), (FailedJob("test", None, "https://github.com/j/test"),)),
        (job(steps="x"), (FailedJob("test", None, "https://github.com/j/test"),)),
        (
            job(steps=[None, 7, {"name": None, "conclusion": "failure"}]),
            (FailedJob("test", None, "https://github.com/j/test"),),
        ),
        (job(html_url="x"), (FailedJob("test", "Run the tests", None),)),
        (job(name=None), ()),
        (job(conclusion=["failure"]), ()),
        (job(conclusion=None), ()),
        (None, ()),
    ],
)
def test_what_is_wrong_in_a_job_costs_that_alone(entry: object, told: tuple[FailedJob, ...]) -> None:
    assert jobs(entry).entries == told


def test_jobs_of_another_attempt_are_not_final() -> None:
    assert not jobs(job(run_attempt=2), attempt=1).are_final


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"conclusion": "failure"}, Status.FAILED), ({}, Status.PASSED), ({"head_commit": 7}, Status.PASSED)],
)
def test_an_attempt_reports_how_it_ended(changes: dict[str, object], status: Status) -> None:
    assert parse_attempt(200, {}, json.dumps(run(**changes)).encode()) is status


@pytest.mark.parametrize("status", [201, 202])
@pytest.mark.parametrize("body", [b"{}", b" { }\n", b""])
def test_an_accepted_post_is_done(status: int, body: bytes) -> None:
    wire.parse_done(status, {}, body)


@pytest.mark.parametrize(("status", "body"), [(200, b"{}"), (200, b"<html>"), (201, b"<html>"), (204, b"")])
def test_any_other_2xx_does_not_confirm_it(status: int, body: bytes) -> None:
    with pytest.raises(NotConfirmed):
        wire.parse_done(status, {}, body)


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"{}"), (204, b""), (200, b"<html>"), (201, b"<html>"), (202, b"[]"), (201, b'{"login": "portal"}')],
)
def test_any_other_success_confirms_nothing(status: int, body: bytes) -> None:
    with pytest.raises(NotConfirmed, match="check GITHUB_API_URL") as raised:
        wire.parse_done(status, {"content-type": "text/html"}, body)
    assert raised.value.may_have_taken


@pytest.mark.parametrize(
    ("etag", "kept"),
    [
        ('W/"0123abc"', 'W/"0123abc"'),
        (' "a" ', '"a"'),
        ("", None),
        ("abc", None),
        ('"a\r\nX: y"', None),
        (f'"{"a" * 201}"', None),
        ('"é"', None),
    ],
)
def test_only_what_is_an_etag_is_sent_back(etag: str, kept: str | None) -> None:
    assert wire.etag_of({"ETag": etag}) == kept


# --- any response

DECIPHER: list[Callable[[int, dict[str, str], bytes], object]] = [
    partial(wire.parse_repositories, page=PAGE),
    partial(wire.parse_workflows, page=PAGE),
    partial(parse_runs, project=WEB, page=PAGE),
    partial(wire.parse_jobs, page=PAGE, attempt=1),
    parse_attempt,
    wire.parse_done,
]
_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=5)
            | st.sampled_from(["workflow_runs", "workflows", "jobs", "repositories", "id", "steps", "state", *run()])
            | st.sampled_from(["full_name", "message"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)
_STATUSES = st.sampled_from([200, 201, 204, 301, 304, 400, 401, 403, 404, 409, 422, 429, 500, 503])
_HEADERS = st.dictionaries(
    st.sampled_from(["date", "retry-after", "x-ratelimit-remaining", "x-ratelimit-reset", "link", "location", "etag"]),
    st.text(max_size=30) | st.sampled_from(["0", "9" * 400, "Wed, 21 Oct 2015 07:28:00 GMT", '<x>; rel="next"']),
    max_size=4,
)


def _raises_ci_errors_alone(status: int, headers: dict[str, str], body: bytes) -> None:
    for decipher in DECIPHER:
        with suppress(CIError):
            decipher(status, headers, body)


@given(_STATUSES, _HEADERS, st.binary(max_size=200))
@example(200, {}, b"[" * 100_000)
@example(200, {}, b'{"workflow_runs": ' + b"[" * 100_000)
@example(
    403, {"date": "Wed, 21 Oct 2015 07:28:00 GMT", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" * 12}, b""
)
def test_no_bytes_raise_anything_unexpected(status: int, headers: dict[str, str], body: bytes) -> None:
    _raises_ci_errors_alone(status, headers, body)


@given(_STATUSES, _HEADERS, _JSON)
def test_no_json_raises_anything_unexpected(status: int, headers: dict[str, str], value: object) -> None:
    lists = [{name: [value]} for name in ("workflow_runs", "workflows", "jobs")]
    for wrapped in (value, {"workflow_runs": value}, *lists, [value]):
        _raises_ci_errors_alone(status, headers, json.dumps(wrapped).encode("utf-8", "surrogatepass"))


@given(st.sampled_from(sorted(run())), _JSON)
def test_no_field_of_a_run_raises_anything_unexpected(field: str, value: object) -> None:
    body = runs_json({**run(), field: value}, run(2)).decode().encode("utf-8", "surrogatepass")
    try:
        found = drawn(page(body))
    except CIError:
        return
    assert all(len(build.id) <= 100 for build in found)

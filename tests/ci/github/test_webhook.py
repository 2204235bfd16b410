"""GitHub's webhook: a signed one triggers a poll; nothing of an unsigned one is parsed."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.ci.github.client import GitHub
from bot.ci.github.run_groups import ListedRun
from bot.ci.github.webhook import GitHubWebhook
from bot.config.parsers import Secret
from bot.core.model.builds import FailedJob
from tests.ci.github.canned import REPOSITORY, page, run, runs_json

SECRET = "s3cret-of-the-hook"
DELIVERY = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
BODY = json.dumps({"action": "completed", "workflow_run": run(), "repository": REPOSITORY}).encode()


class Posted:
    """A webhook on a clock that is held, and what was posted to it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.hints: list[tuple[str, str]] = []
        self.runs: list[tuple[str, ListedRun]] = []
        self.failed_jobs: list[tuple[str, int, FailedJob]] = []
        secret = Secret(SECRET)
        self._app = GitHubWebhook(secret, self, lambda *hint: self.hints.append(hint), now=lambda: self.now)

    def apply_run(self, project_id: str, run: ListedRun) -> None:
        self.runs.append((project_id, run))

    def apply_failed_job(self, run_id: str, attempt: int, job: FailedJob) -> None:
        self.failed_jobs.append((run_id, attempt, job))

    def __call__(self, body: bytes = BODY, **changes: Any) -> tuple[int, str]:
        """Status and body. `changes` to what GitHub sends; None takes away."""
        environ: dict[str, Any] = {}
        setup_testing_defaults(environ)
        environ |= {
            "REQUEST_METHOD": "POST",
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": "application/json",
            "HTTP_X_GITHUB_EVENT": "workflow_run",
            "HTTP_X_GITHUB_DELIVERY": DELIVERY,
            "HTTP_X_HUB_SIGNATURE_256": signature(body),
            "wsgi.input": io.BytesIO(body),
            **changes,
        }
        environ = {name: value for name, value in environ.items() if value is not None}
        statuses: list[str] = []
        told = b"".join(self._app(environ, lambda status, headers, exc_info=None: statuses.append(status)))  # type: ignore[arg-type,func-returns-value]
        [status] = statuses
        return int(status.split()[0]), told.decode()


def signature(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.fixture
def post() -> Posted:
    return Posted()


def test_a_run_that_has_moved_is_a_hint_for_its_repository(post: Posted) -> None:
    assert post() == (202, "")
    assert post.hints == [("731204001", DELIVERY)]
    assert post.runs == [("731204001", page(runs_json(run())).entries[0])]


@pytest.mark.parametrize("broken", [None, {}, {"id": "x"}, "nothing", {**run(), "head_branch": None}])
def test_a_run_that_cannot_be_read_is_a_hint_alone(post: Posted, broken: object) -> None:
    assert post(json.dumps({"workflow_run": broken, "repository": REPOSITORY}).encode())[0] in (202, 400)
    assert post.runs == []


def test_a_failed_job_is_told_with_its_run_and_step(post: Posted) -> None:
    step = {"name": "Run pytest", "conclusion": "failure"}
    job = {"id": 7, "run_id": 19440221001, "run_attempt": 2, "name": "test", "conclusion": "failure", "steps": [step]}
    post(json.dumps({"workflow_job": job, "repository": REPOSITORY}).encode(), HTTP_X_GITHUB_EVENT="workflow_job")
    [(run_id, attempt, told)] = post.failed_jobs
    assert (run_id, attempt, told.name, told.step) == ("19440221001", 2, "test", "Run pytest")


@pytest.mark.parametrize(
    ("conclusion", "status"),
    [("failure", 202), ("timed_out", 202), ("success", 204), ("skipped", 204), (None, 204), (["failure"], 204)],
)
def test_a_job_is_a_hint_if_it_failed(post: Posted, conclusion: object, status: int) -> None:
    job = {"id": 7, "name": "test", "conclusion": conclusion}
    body = json.dumps({"action": "completed", "workflow_job": job, "repository": REPOSITORY}).encode()
    assert post(body, HTTP_X_GITHUB_EVENT="workflow_job") == (status, "")
    assert post.hints == ([("731204001", DELIVERY)] if status == 202 else [])


def test_the_signature_of_githubs_own_example_is_taken(github: GitHub) -> None:
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries"""
    expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signature(b"Hello, World!", "It's a Secret to Everybody") == expected
    hints: list[str] = []
    app = GitHubWebhook(Secret("It's a Secret to Everybody"), github, lambda *hint: hints.append(hint[0]))
    environ: dict[str, Any] = {
        "CONTENT_LENGTH": "13",
        "CONTENT_TYPE": "application/json",
        "HTTP_X_HUB_SIGNATURE_256": expected,
        "HTTP_X_GITHUB_EVENT": "ping",
        "wsgi.input": io.BytesIO(b"Hello, World!"),
    }
    statuses: list[str] = []
    app(environ, lambda status, headers, exc_info=None: statuses.append(status))  # type: ignore[arg-type,func-returns-value]
    assert statuses == ["200 OK"]


@pytest.mark.parametrize(
    ("event", "status"), [("ping", 200), ("push", 204), ("installation", 204), ("", 204), (None, 204)]
)
def test_other_events_are_taken_and_are_no_hints(post: Posted, event: str | None, status: int) -> None:
    assert post(HTTP_X_GITHUB_EVENT=event) == (status, "")
    assert post.hints == []


@pytest.mark.parametrize(
    "signed",
    [
        None,
        "",
        signature(BODY, "another secret"),
        signature(BODY + b" "),
        signature(BODY).upper(),
        signature(BODY).removeprefix("sha256="),
        signature(BODY) + "0",
        signature(BODY)[:-1],
        signature(BODY).replace("sha256", "sha1"),
        "sha256=" + "é" * 64,
        "sha256=" + "٣" * 64,
    ],
)
@pytest.mark.parametrize("event", ["workflow_run", "ping", "push"])
def test_what_is_not_signed_is_refused_without_detail(post: Posted, signed: str | None, event: str) -> None:
    assert post(HTTP_X_HUB_SIGNATURE_256=signed, HTTP_X_GITHUB_EVENT=event) == (
        401,
        '{"error": "not signed by GitHub"}',
    )
    assert post.hints == []


def test_a_body_that_is_not_signed_is_not_even_read(post: Posted) -> None:
    class Unread(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise AssertionError(size)

    assert post(HTTP_X_HUB_SIGNATURE_256="sha256=x", **{"wsgi.input": Unread()})[0] == 401


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "", None])
@pytest.mark.parametrize("event", ["workflow_run", "ping"])
def test_another_form_of_body_is_refused_with_what_to_choose(post: Posted, event: str, kind: str | None) -> None:
    status, told = post(CONTENT_TYPE=kind, HTTP_X_GITHUB_EVENT=event)
    assert (status, post.hints) == (415, [])
    assert "choose application/json" in told


def test_a_charset_next_to_the_type_is_none_of_the_type(post: Posted) -> None:
    assert post(CONTENT_TYPE="Application/JSON; charset=utf-8")[0] == 202


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"\xff", b'{"repository": 7}', b'{"repository": {"id": -1}}', b"[" * 100_000]
)
def test_a_body_that_names_no_repository_is_refused(post: Posted, body: bytes) -> None:
    assert post(body) == (400, '{"error": "the body names no repository"}')


@pytest.mark.parametrize("name", [None, "", "x" * 101, "a b", "é"])
def test_a_delivery_without_a_name_is_named_by_its_body(post: Posted, name: str | None) -> None:
    assert post(HTTP_X_GITHUB_DELIVERY=name)[0] == 202
    assert post(HTTP_X_GITHUB_DELIVERY=name)[0] == 202
    assert post.hints == [("731204001", hashlib.sha256(BODY).hexdigest())] * 2


def test_refusals_are_logged_once_a_minute_at_most_and_name_the_setting(post: Posted) -> None:
    with capture_logs() as lines:
        for _ in range(5):
            post(HTTP_X_HUB_SIGNATURE_256=signature(BODY, "another"))
        post.now += 60
        post(HTTP_X_HUB_SIGNATURE_256=None)
    assert [(line["event"], line["log_level"], line["so_far"]) for line in lines] == [
        ("github_webhook_rejected", "warning", 1),
        ("github_webhook_rejected", "warning", 6),
    ]
    assert all("GITHUB_WEBHOOK_SECRET" in line["why"] for line in lines)
    assert SECRET not in repr(lines)


@given(st.binary(max_size=100))
def test_no_signed_body_raises(body: bytes) -> None:
    assert Posted()(body)[0] in (202, 400)

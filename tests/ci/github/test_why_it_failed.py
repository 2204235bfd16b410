"""The client reads a failed job's log from the host that GitHub names, without its token."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import responses

from bot.ci.github.client import GitHub
from bot.core.model.builds import Status
from bot.core.model.errors import CIError, InvalidResponse, NotFound
from tests.ci.github.canned import API, RUNS, seen_build, workflow

LOGS = f"{API}/repos/acme/web/actions/jobs/54001700001/logs"
PLACE = "https://logs.example/1.txt"
LOG = (
    "2026-03-01T11:00:05.1Z ##[group]Run pytest\n2026-03-01T11:00:06.1Z ##[error]Process completed with exit code 1.\n"
)
STEP = {
    "name": "Run pytest",
    "conclusion": "failure",
    "started_at": "2026-03-01T11:00:05Z",
    "completed_at": "2026-03-01T11:00:06Z",
}
JOB: dict[str, Any] = {
    "id": 54001700001,
    "name": "test",
    "conclusion": "failure",
    "run_attempt": 1,
    "completed_at": "2026-03-01T11:00:09Z",
    "steps": [STEP],
}


def jobs(api: responses.RequestsMock, *listed: dict[str, Any], run: int = 1) -> None:
    api.get(f"{RUNS}/1944022100{run}/jobs", json={"jobs": list(listed)})


def test_the_failed_steps_lines_are_read_without_the_token(github: GitHub, api: responses.RequestsMock) -> None:
    jobs(api, JOB)
    api.get(LOGS, status=302, headers={"Location": f"{PLACE}?sig=s3cret"})
    api.get(PLACE, LOG)
    found = github.failure_log(seen_build(workflow(1, "CI")))
    assert found is not None
    assert (found.job.name, found.lines) == ("test", ("Run pytest", "Process completed with exit code 1."))
    assert "Authorization" not in api.calls[-1].request.headers


def test_a_log_that_comes_at_once_is_read_too(github: GitHub, api: responses.RequestsMock) -> None:
    jobs(api, JOB)
    api.get(LOGS, LOG)
    found = github.failure_log(seen_build(workflow(1, "CI")))
    assert found is not None
    assert found.lines[-1] == "Process completed with exit code 1."


def test_the_signature_of_a_logs_address_is_in_no_log_of_the_bot(
    github: GitHub, api: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3.connectionpool").debug('%s "GET %s"', "logs.example", "/1.txt?se=1&sig=s3cret&x=1")
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": 404}, NotFound),
        ({"status": 410, "json": {"message": "Server Error"}}, CIError),
        ({"status": 302, "headers": {"Location": "http://logs.example/1.txt"}}, InvalidResponse),
        ({"status": 302, "headers": {"Location": "javascript:alert(1)"}}, InvalidResponse),
    ],
)
def test_a_log_that_cannot_be_had_raises(
    github: GitHub, api: responses.RequestsMock, answer: dict[str, Any], kind: type[CIError]
) -> None:
    jobs(api, JOB)
    api.get(LOGS, **answer)
    with pytest.raises(kind):
        github.failure_log(seen_build(workflow(1, "CI")))


@pytest.mark.parametrize("job", [{**JOB, "steps": []}, {**JOB, "id": None}, {**JOB, "conclusion": "success"}])
def test_without_a_failed_step_there_is_no_log(
    github: GitHub, api: responses.RequestsMock, job: dict[str, Any]
) -> None:
    jobs(api, job)
    assert github.failure_log(seen_build(workflow(1, "CI"))) is None


def test_of_a_build_that_passed_no_one_is_asked(github: GitHub) -> None:
    assert github.failure_log(seen_build(workflow(1, "CI", Status.PASSED))) is None


# --- what else the jobs tell


def test_a_run_ended_when_the_last_of_its_jobs_did(github: GitHub, api: responses.RequestsMock) -> None:
    jobs(api, JOB, {"name": "lint", "conclusion": "success", "completed_at": "2026-03-01T11:02:00Z"})
    seen = github.with_details(seen_build(workflow(1, "CI")))
    assert seen.workflows[0].finished_at == seen.finished_at
    assert str(seen.finished_at) == "2026-03-01 11:02:00+00:00"


def test_a_run_that_waits_names_its_environments_and_what_failed_already(
    github: GitHub, api: responses.RequestsMock
) -> None:
    jobs(api, JOB)
    api.get(f"{RUNS}/19440221001/pending_deployments", json=[{"environment": {"name": "production"}}, None, {}])
    [run] = github.with_details(seen_build(workflow(1, "Deploy", Status.WAITING))).workflows
    assert (run.waits_for, [job.name for job in run.failed_jobs]) == (("production",), ["test"])


def test_without_the_right_to_read_them_no_environment_is_named(github: GitHub, api: responses.RequestsMock) -> None:
    jobs(api)
    api.get(f"{RUNS}/19440221001/pending_deployments", status=403, json={"message": "Resource not accessible"})
    [run] = github.with_details(seen_build(workflow(1, "Deploy", Status.WAITING))).workflows
    assert run.waits_for == ()

"""The GitHub client adds failed jobs and previous results, in few calls, as far as it can."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import responses
from requests.exceptions import ReadTimeout

from bot.ci.github.client import GitHub
from bot.ci.github.run_details import MAX_ATTEMPTS
from bot.core.model.builds import Build, FailedJob, Status, Workflow
from tests.ci.codeship.canned import Clock, Gate
from tests.ci.github.canned import RUNS, asking, run, seen_build, workflow

CI, LINT, DEPLOY = workflow(1, "CI"), workflow(2, "Lint"), workflow(3, "Deploy")


# --- details


def jobs(*names: str) -> dict[str, Any]:
    steps = [{"name": "Run the tests", "conclusion": "failure"}]
    return {"jobs": [{"name": name, "conclusion": "failure", "steps": steps, "run_attempt": 1} for name in names]}


def failed_jobs(build: Build) -> dict[str, list[str]]:
    return {each.name: [job.name for job in each.failed_jobs] for each in build.workflows if each.failed_jobs}


def test_the_jobs_that_failed_are_reported_and_requested_once(
    github: GitHub, api: responses.RequestsMock, gate: Gate
) -> None:
    api.get(f"{RUNS}/19440221001/jobs", json=jobs("test"))
    build = seen_build(CI, replace(LINT, status=Status.PASSED), replace(DEPLOY, status=Status.RUNNING))
    detailed = github.with_details(build)
    assert detailed.workflows[0].failed_jobs == (FailedJob("test", "Run the tests"),)
    assert replace(detailed, workflows=build.workflows) == build
    assert github.with_details(build) == detailed
    assert gate.asked == ["jobs"]


def test_another_attempt_is_requested_again(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(f"{RUNS}/19440221001/jobs", json=jobs("test"))
    api.get(f"{RUNS}/19440221001/attempts/1", json=run(conclusion="failure"))
    github.with_details(seen_build(CI))
    github.with_details(seen_build(replace(CI, attempt=2)))
    assert len(api.calls) == 3


def test_jobs_of_an_attempt_that_has_begun_since_are_not_kept(github: GitHub, api: responses.RequestsMock) -> None:
    newer = jobs("test")
    newer["jobs"][0]["run_attempt"] = 2
    api.get(f"{RUNS}/19440221001/jobs", json=newer)
    github.with_details(seen_build(CI))
    github.with_details(seen_build(CI))
    assert len(api.calls) == 2


def next_page(number: int) -> dict[str, str]:
    return {"Link": f'<{RUNS}/19440221001/jobs?page={number}>; rel="next"'}


def test_jobs_are_looked_for_on_three_pages_and_kept_once_they_are_found(
    github: GitHub, api: responses.RequestsMock
) -> None:
    passed = {"jobs": [{"name": "x", "conclusion": "success", "run_attempt": 1}]}
    api.get(f"{RUNS}/19440221001/jobs", json=passed, headers=next_page(2))
    api.get(f"{RUNS}/19440221001/jobs?page=2", json=passed, headers=next_page(3))
    api.get(f"{RUNS}/19440221001/jobs?page=3", json=jobs("test (240)"), headers=next_page(4))
    for _ in range(2):
        assert failed_jobs(github.with_details(seen_build(CI))) == {"CI": ["test (240)"]}
    assert len(api.calls) == 3


def test_a_long_list_of_jobs_is_asked_for_in_smaller_pages_after_502(
    github: GitHub, api: responses.RequestsMock
) -> None:
    api.get(f"{RUNS}/19440221001/jobs", status=502, match=[asking(per_page="100")])
    api.get(f"{RUNS}/19440221001/jobs", json=jobs("test"), match=[asking(per_page="50")])
    assert failed_jobs(github.with_details(seen_build(CI))) == {"CI": ["test"]}


def test_only_the_first_jobs_are_reported_and_no_page_is_read_for_more(
    github: GitHub, api: responses.RequestsMock
) -> None:
    names = [f"test ({number})" for number in range(30)]
    api.get(f"{RUNS}/19440221001/jobs", json=jobs(*names), headers=next_page(2))
    assert failed_jobs(github.with_details(seen_build(CI))) == {"CI": names[:5]}
    assert len(api.calls) == 1


def test_what_is_found_before_a_page_that_fails_is_reported_and_not_kept(
    github: GitHub, api: responses.RequestsMock, gate: Gate
) -> None:
    for calls in (2, 4):
        api.get(f"{RUNS}/19440221001/jobs", json=jobs("test"), headers=next_page(2))
        api.get(f"{RUNS}/19440221001/jobs?page=2", status=404)
        assert failed_jobs(github.with_details(seen_build(CI))) == {"CI": ["test"]}
        assert gate.asked == ["jobs"] * calls
        api.reset()


@pytest.mark.parametrize(("status", "calls"), [(Status.FAILED, 2), (Status.STOPPED, 1)])
def test_a_run_that_failed_and_shows_no_failed_job_is_asked_about_again(
    github: GitHub, api: responses.RequestsMock, status: Status, calls: int
) -> None:
    api.get(f"{RUNS}/19440221001/jobs", json={"jobs": [{"name": "test", "conclusion": None, "run_attempt": 1}]})
    for _ in range(2):
        github.with_details(seen_build(replace(CI, status=status)))
    assert len(api.calls) == calls


def test_details_are_of_the_first_three_that_went_wrong(github: GitHub, api: responses.RequestsMock) -> None:
    for number in (1, 2, 3):
        api.get(f"{RUNS}/1944022100{number}/jobs", json=jobs(f"job {number}"))
    detailed = github.with_details(seen_build(CI, LINT, DEPLOY, workflow(4, "Docs")))
    assert failed_jobs(detailed) == {"CI": ["job 1"], "Lint": ["job 2"], "Deploy": ["job 3"]}


@pytest.mark.parametrize("answer", [{"status": 404}, {"status": 500}, {"body": "<html>"}, {"body": ReadTimeout("x")}])
def test_what_cannot_be_learned_is_left_out(
    github: GitHub, api: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    api.get(f"{RUNS}/19440221001/jobs", **answer)
    api.get(f"{RUNS}/19440221002/jobs", json=jobs("lint"))
    api.get(f"{RUNS}/19440221001/attempts/1", **answer)
    build = seen_build(replace(CI, attempt=2), LINT)
    detailed = github.with_details(build)
    assert (failed_jobs(detailed), detailed.earlier) == ({"Lint": ["lint"]}, ())


def test_without_a_rate_limit_there_are_no_details(github: GitHub, api: responses.RequestsMock, gate: Gate) -> None:
    gate.lets = 0
    build = seen_build(replace(CI, attempt=2))
    assert github.with_details(build) == build


def test_details_take_a_third_of_the_time_at_most(github: GitHub, api: responses.RequestsMock, clock: Clock) -> None:
    def slow(_: object) -> tuple[int, dict[str, str], str]:
        clock.now += 3
        return 503, {}, ""

    api.add_callback("GET", f"{RUNS}/19440221001/jobs", slow)
    github.with_details(seen_build(CI, LINT, DEPLOY))
    assert len(api.calls) == 2  # of four seconds: the first, and one more try of it


def attempt_of(api: responses.RequestsMock, number: int, attempt: int, conclusion: str) -> None:
    answer = run(number, conclusion=conclusion, run_attempt=attempt)
    api.get(f"{RUNS}/1944022100{number}/attempts/{attempt}", json=answer)


def test_how_the_deciding_workflow_went_before_is_reported_the_oldest_first_and_requested_once(
    github: GitHub, api: responses.RequestsMock, gate: Gate
) -> None:
    attempt_of(api, 1, 3, "cancelled")
    attempt_of(api, 1, 2, "failure")
    attempt_of(api, 1, 1, "failure")
    build = seen_build(replace(CI, attempt=4, status=Status.PASSED), replace(LINT, attempt=2, status=Status.PASSED))
    assert github.with_details(build).earlier == (Status.FAILED, Status.FAILED, Status.STOPPED)
    assert github.with_details(build).earlier == (Status.FAILED, Status.FAILED, Status.STOPPED)
    assert gate.asked == ["attempts"] * 3


def test_of_a_run_that_was_run_again_very_often_nothing_is_counted(github: GitHub, gate: Gate) -> None:
    build = seen_build(replace(CI, attempt=MAX_ATTEMPTS + 1, status=Status.PASSED))
    assert github.with_details(build).earlier == ()
    assert gate.asked == []


def test_of_several_that_were_run_again_the_worst_decides(github: GitHub, api: responses.RequestsMock) -> None:
    attempt_of(api, 2, 1, "success")
    api.get(f"{RUNS}/19440221002/jobs", json=jobs("lint"))
    build = seen_build(replace(CI, attempt=4, status=Status.PASSED), replace(LINT, attempt=2))
    assert github.with_details(build).earlier == (Status.PASSED,)


def test_of_several_in_the_state_that_decides_the_one_most_often_run_reports(
    github: GitHub, api: responses.RequestsMock
) -> None:
    attempt_of(api, 2, 1, "failure")
    passed = [replace(run, status=Status.PASSED) for run in (CI, LINT, DEPLOY)]
    assert github.with_details(seen_build(passed[0], replace(passed[1], attempt=2), passed[2])).earlier == (
        Status.FAILED,
    )


OF_OLDER = {"commit": "1f0c2b8"}


@pytest.mark.parametrize(
    "workflows",
    [
        (workflow(2, "Lint", Status.RUNNING), workflow(1, "CI", Status.PASSED, attempt=3)),
        (workflow(2, "Lint", Status.BLOCKED), workflow(1, "CI", Status.PASSED, attempt=3)),
        (workflow(2, "Lint", Status.PASSED), workflow(1, "CI", Status.PASSED, attempt=2, **OF_OLDER)),
        (workflow(2, "Lint", Status.PASSED, attempt=2), workflow(1, "CI", Status.BLOCKED, attempt=2, **OF_OLDER)),
    ],
    ids=["another one runs", "another one went wrong at once", "a carried one was run again", "a carried one decides"],
)
def test_only_what_decides_reports_how_it_went_before(
    github: GitHub, api: responses.RequestsMock, gate: Gate, workflows: tuple[Workflow, ...]
) -> None:
    api.assert_all_requests_are_fired = False
    api.get(f"{RUNS}/19440221002/jobs", json={"jobs": []})
    api.get(f"{RUNS}/19440221001/jobs", json={"jobs": []})
    assert github.with_details(seen_build(*workflows)).earlier == ()
    assert "attempts" not in gate.asked

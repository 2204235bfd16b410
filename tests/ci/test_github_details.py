"""The GitHub client tells which jobs failed and how it went before, in few calls, as far as it can."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import responses
from requests.exceptions import ReadTimeout

from bot.ci.github import MOST_ATTEMPTS, GitHub
from bot.core.model import Build, FailedJob, Status
from tests.ci.canned import Clock, Gate
from tests.ci.github_canned import RUNS, run, seen_build, workflow

CI, LINT, DEPLOY = workflow(1, "CI"), workflow(2, "Lint"), workflow(3, "Deploy")


# --- details


def jobs(*names: str) -> dict[str, Any]:
    steps = [{"name": "Run the tests", "conclusion": "failure"}]
    return {"jobs": [{"name": name, "conclusion": "failure", "steps": steps, "run_attempt": 1} for name in names]}


def failed_jobs(build: Build) -> dict[str, list[str]]:
    return {each.name: [job.name for job in each.failed_jobs] for each in build.workflows if each.failed_jobs}


def test_the_jobs_that_failed_are_told_and_asked_for_once(
    github: GitHub, api: responses.RequestsMock, gate: Gate
) -> None:
    api.get(f"{RUNS}/19440221001/jobs", json=jobs("test"))
    build = seen_build(CI, replace(LINT, status=Status.PASSED), replace(DEPLOY, status=Status.RUNNING))
    detailed = github.in_detail(build)
    assert detailed.workflows[0].failed_jobs == (FailedJob("test", "Run the tests"),)
    assert replace(detailed, workflows=build.workflows) == build
    assert github.in_detail(build) == detailed
    assert gate.asked == ["jobs"]


def test_another_attempt_is_asked_for_anew(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(f"{RUNS}/19440221001/jobs", json=jobs("test"))
    api.get(f"{RUNS}/19440221001/attempts/1", json=run(conclusion="failure"))
    github.in_detail(seen_build(CI))
    github.in_detail(seen_build(replace(CI, attempt=2)))
    assert len(api.calls) == 3


def test_jobs_of_an_attempt_that_has_begun_since_are_not_kept(github: GitHub, api: responses.RequestsMock) -> None:
    newer = jobs("test")
    newer["jobs"][0]["run_attempt"] = 2
    api.get(f"{RUNS}/19440221001/jobs", json=newer)
    github.in_detail(seen_build(CI))
    github.in_detail(seen_build(CI))
    assert len(api.calls) == 2


def test_details_are_of_the_first_three_that_went_wrong(github: GitHub, api: responses.RequestsMock) -> None:
    for number in (1, 2, 3):
        api.get(f"{RUNS}/1944022100{number}/jobs", json=jobs(f"job {number}"))
    detailed = github.in_detail(seen_build(CI, LINT, DEPLOY, workflow(4, "Docs")))
    assert failed_jobs(detailed) == {"CI": ["job 1"], "Lint": ["job 2"], "Deploy": ["job 3"]}


@pytest.mark.parametrize("answer", [{"status": 404}, {"status": 500}, {"body": "<html>"}, {"body": ReadTimeout("x")}])
def test_what_cannot_be_learned_is_left_out(
    github: GitHub, api: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    api.get(f"{RUNS}/19440221001/jobs", **answer)
    api.get(f"{RUNS}/19440221002/jobs", json=jobs("lint"))
    api.get(f"{RUNS}/19440221001/attempts/1", **answer)
    build = seen_build(replace(CI, attempt=2), LINT)
    detailed = github.in_detail(build)
    assert (failed_jobs(detailed), detailed.earlier) == ({"Lint": ["lint"]}, ())


def test_without_a_budget_there_are_no_details(github: GitHub, api: responses.RequestsMock, gate: Gate) -> None:
    gate.lets = 0
    build = seen_build(replace(CI, attempt=2))
    assert github.in_detail(build) == build


def test_details_take_a_third_of_the_time_at_most(github: GitHub, api: responses.RequestsMock, clock: Clock) -> None:
    def slow(_: object) -> tuple[int, dict[str, str], str]:
        clock.now += 3
        return 503, {}, ""

    api.add_callback("GET", f"{RUNS}/19440221001/jobs", slow)
    github.in_detail(seen_build(CI, LINT, DEPLOY))
    assert len(api.calls) == 2  # of four seconds: the first, and one more try of it


def attempt_of(api: responses.RequestsMock, number: int, attempt: int, conclusion: str) -> None:
    answer = run(number, conclusion=conclusion, run_attempt=attempt)
    api.get(f"{RUNS}/1944022100{number}/attempts/{attempt}", json=answer)


def test_how_the_deciding_workflow_went_before_is_told_the_oldest_first_and_asked_for_once(
    github: GitHub, api: responses.RequestsMock, gate: Gate
) -> None:
    attempt_of(api, 1, 3, "cancelled")
    attempt_of(api, 1, 2, "failure")
    attempt_of(api, 1, 1, "failure")
    build = seen_build(replace(CI, attempt=4, status=Status.PASSED), replace(LINT, attempt=2, status=Status.PASSED))
    assert github.in_detail(build).earlier == (Status.FAILED, Status.FAILED, Status.STOPPED)
    assert github.in_detail(build).earlier == (Status.FAILED, Status.FAILED, Status.STOPPED)
    assert gate.asked == ["attempts"] * 3


def test_of_a_run_that_was_run_again_very_often_nothing_is_counted(github: GitHub, gate: Gate) -> None:
    build = seen_build(replace(CI, attempt=MOST_ATTEMPTS + 1, status=Status.PASSED))
    assert github.in_detail(build).earlier == ()
    assert gate.asked == []


def test_of_several_that_were_run_again_the_worst_decides(github: GitHub, api: responses.RequestsMock) -> None:
    attempt_of(api, 2, 1, "success")
    api.get(f"{RUNS}/19440221002/jobs", json=jobs("lint"))
    build = seen_build(replace(CI, attempt=4, status=Status.PASSED), replace(LINT, attempt=2))
    assert github.in_detail(build).earlier == (Status.PASSED,)


def test_what_was_carried_from_another_commit_says_nothing_of_this_one(
    github: GitHub, api: responses.RequestsMock
) -> None:
    carried = replace(CI, attempt=2, status=Status.PASSED, commit="1f0c2b8")
    build = seen_build(carried, replace(LINT, status=Status.PASSED))
    assert github.in_detail(build) == build
    assert len(api.calls) == 0

"""What a signed webhook says counts at once: of a run, and of a job that failed before its run ended."""

from __future__ import annotations

from typing import Any

import pytest
import responses

from bot.ci.github.client import GitHub
from bot.ci.github.run_details import WAITING_KNOWN_S
from bot.ci.github.run_groups import ListedRun
from bot.ci.github.run_lists import APPLIED_FOR_S
from bot.core.model.actions.plans import RestartCase, restart_plan
from bot.core.model.builds import FailedJob, Status
from tests.ci.codeship.canned import Clock, Gate
from tests.ci.github.canned import COMMIT, OLDER, RUNS, WEB, lint, page, run, runs_json

RUNNING = {"status": "in_progress", "conclusion": None}
LATER = {"updated_at": "2026-03-01T11:09:00Z"}
JOB = FailedJob("test", "Run pytest", id="7")
WAITING = {"status": "waiting", "conclusion": None}
JOBS = f"{RUNS}/19440221001/jobs"
FAILED = {"jobs": [{"id": 7, "name": "test", "conclusion": "failure", "run_attempt": 1, "steps": []}]}


def told(**changes: Any) -> ListedRun:
    return page(runs_json(run(**changes))).entries[0]


def test_a_list_that_lags_behind_a_webhook_is_corrected(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(RUNS, runs_json(run(**RUNNING)))
    github.apply_run(WEB.id, told(conclusion="failure", **LATER))
    assert github.builds(WEB)[0].status is Status.FAILED


def test_a_run_that_the_list_does_not_show_yet_is_added_for_two_minutes(
    github: GitHub, api: responses.RequestsMock, clock: Clock
) -> None:
    api.get(RUNS, runs_json(run(1, head_sha=OLDER)))
    github.apply_run(WEB.id, told(number=2, created_at="2026-03-01T11:30:00Z", **RUNNING))
    assert [build.commit for build in github.builds(WEB)] == [COMMIT, OLDER]
    clock.now += APPLIED_FOR_S
    assert [build.commit for build in github.builds(WEB)] == [OLDER]


def test_it_is_added_to_its_own_repository_and_branch_alone(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(RUNS, runs_json())
    github.apply_run("5", told())
    github.apply_run(WEB.id, told(number=2, head_branch="dev"))
    assert [build.branch for build in github.builds(WEB)] == ["dev"]
    assert github.builds(WEB, "eve:dev") == []


def test_an_old_run_that_may_be_behind_a_cut_list_is_not_added(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(RUNS, runs_json(*(lint(number) for number in range(500, 600))))
    github.apply_run(WEB.id, told(head_sha=OLDER, created_at="2026-02-01T11:00:00Z", **LATER))
    assert [build.commit for build in github.builds(WEB)] == [COMMIT]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"conclusion": "failure", **LATER}, RUNNING),
        ({**RUNNING, **LATER}, {"status": "queued", "conclusion": None}),
        ({**RUNNING, "run_attempt": 2}, {"conclusion": "failure", **LATER}),
    ],
    ids=["running after its end", "queued after it runs", "an earlier attempt"],
)
def test_events_may_overtake_each_other(
    github: GitHub, api: responses.RequestsMock, first: dict[str, Any], then: dict[str, Any]
) -> None:
    api.get(RUNS, runs_json())
    github.apply_run(WEB.id, told(**first))
    before = github.builds(WEB)
    github.apply_run(WEB.id, told(**then))
    assert github.builds(WEB) == before


# --- a job failed before its run ended


def test_a_job_that_failed_is_shown_while_its_run_goes_on(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(RUNS, runs_json(run(**RUNNING), lint(2, **RUNNING)))
    for _ in range(2):
        github.apply_failed_job("19440221001", 1, JOB)
    [build] = github.builds(WEB)
    assert build.status is Status.RUNNING
    assert [each.failed_jobs for each in build.workflows] == [(JOB,), ()]


def test_a_failed_job_of_an_earlier_attempt_is_not_shown(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(RUNS, runs_json(run(**RUNNING, run_attempt=2)))
    github.apply_failed_job("19440221001", 1, JOB)
    assert github.builds(WEB)[0].workflows[0].failed_jobs == ()


def test_a_run_that_waits_for_an_approval_has_failed_if_a_job_of_it_has(
    github: GitHub, api: responses.RequestsMock
) -> None:
    api.get(RUNS, runs_json(run(**WAITING), lint(2)))
    api.get(JOBS, json=FAILED)
    [build] = github.builds(WEB)
    assert (build.status, build.status_word, build.has_ended) == (Status.FAILED, "waiting", True)
    assert restart_plan(build).case is RestartCase.NOTHING


def test_its_jobs_are_requested_once_a_minute_and_again_after_the_approval(
    github: GitHub, api: responses.RequestsMock, clock: Clock, gate: Gate
) -> None:
    api.get(RUNS, runs_json(run(**WAITING)))
    api.get(JOBS, json={"jobs": []})
    assert [github.builds(WEB)[0].status for _ in range(2)] == [Status.WAITING] * 2
    assert gate.asked.count("jobs") == 1
    clock.now += WAITING_KNOWN_S
    api.replace("GET", JOBS, json=FAILED)
    assert github.builds(WEB)[0].status is Status.FAILED
    api.replace("GET", RUNS, runs_json(run(conclusion="failure")))
    details = github.with_details(github.builds(WEB)[0]).workflows[0]
    assert [job.name for job in details.failed_jobs] == ["test"]


def test_jobs_seen_while_a_run_waited_are_not_kept_for_its_end(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(RUNS, runs_json(run(**WAITING)))
    api.get(JOBS, json={"jobs": []})
    github.builds(WEB)
    api.replace("GET", RUNS, runs_json(run(conclusion="failure")))
    api.replace("GET", JOBS, json=FAILED)
    [seen] = github.with_details(github.builds(WEB)[0]).workflows
    assert [job.name for job in seen.failed_jobs] == ["test"]

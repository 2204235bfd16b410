"""The GitHub client restarts and cancels workflow by workflow, and returns the result of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import responses
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ReadTimeout

from bot.ci.github.client import GitHub
from bot.core.model.builds import ActionResult, Status, Workflow
from bot.core.model.errors import (
    CIError,
    Forbidden,
    NoResponse,
    NotFound,
    NotPossible,
    OverLimit,
    RateLimitExhausted,
    Unauthorized,
    Unreachable,
)
from tests.ci.acting import cancel, restart
from tests.ci.codeship.canned import Clock, Gate, surroundings
from tests.ci.github.canned import API, OLDER, RUNS, seen_build, workflow

CI, LINT, DEPLOY = workflow(1, "CI"), workflow(2, "Lint"), workflow(3, "Deploy")
OVER_A_MONTH = "Unable to retry this workflow run because it was created over a month ago"
Seen = list[tuple[str, str]]


def posted(api: responses.RequestsMock) -> list[str]:
    """The runs' numbers and the action requested for each."""
    paths = [str(call.request.url).rpartition("/runs/194402210")[2] for call in api.calls]
    return [path for path, call in zip(paths, api.calls, strict=True) if call.request.method == "POST"]


def refused(words: str) -> dict[str, Any]:
    return {"json": {"message": words}, "status": 403}


# --- restarts


def test_a_restart_runs_again_what_went_wrong_and_leaves_the_rest(github: GitHub, api: responses.RequestsMock) -> None:
    build = seen_build(CI, replace(LINT, status=Status.PASSED), replace(DEPLOY, status=Status.RUNNING))
    api.post(f"{RUNS}/19440221001/rerun", json={}, status=201)
    assert restart(github, build) == ActionResult(build.id, done=("CI",), left=("Deploy",))
    assert posted(api) == ["01/rerun"]


def test_a_restart_runs_all_again_if_nothing_went_wrong(github: GitHub, api: responses.RequestsMock) -> None:
    build = seen_build(*(replace(each, status=Status.PASSED) for each in (CI, LINT)), workflow(3, "x", Status.SKIPPED))
    for number in (1, 2, 3):
        api.post(f"{RUNS}/1944022100{number}/rerun", status=201)
    assert restart(github, build).done == ("CI", "Lint", "x")


PASSED, RUNNING = Status.PASSED, Status.RUNNING
OF_OLDER = {"commit": OLDER}


@pytest.mark.parametrize(
    ("workflows", "done", "left"),
    [
        ((CI, workflow(2, "Nightly", **OF_OLDER)), ("CI",), ()),
        ((workflow(1, "CI", PASSED), workflow(2, "Nightly", PASSED, **OF_OLDER)), ("CI",), ()),
        ((CI, workflow(2, "Nightly", RUNNING, **OF_OLDER)), ("CI",), ("Nightly (runs on 1f0c2b8)",)),
    ],
    ids=["what failed for the commit", "the commit's own, if nothing failed", "what still runs is left"],
)
def test_what_is_inherited_from_another_commit_is_not_run_again(
    github: GitHub,
    api: responses.RequestsMock,
    workflows: tuple[Workflow, ...],
    done: tuple[str, ...],
    left: tuple[str, ...],
) -> None:
    api.assert_all_requests_are_fired = False
    for number in (1, 2, 3):
        api.post(f"{RUNS}/1944022100{number}/rerun", status=201)
    taken = restart(github, seen_build(*workflows))
    assert (taken.done, taken.left, len(api.calls)) == (done, left, len(done))


@pytest.mark.parametrize(
    ("workflows", "why"),
    [
        (
            (workflow(1, "CI", PASSED), workflow(2, "Nightly", **OF_OLDER)),
            r"older commits failed: Nightly \(runs on 1f0c2b8",
        ),
        ((workflow(1, "CI", RUNNING), workflow(2, "Nightly", **OF_OLDER)), "still running: CI"),
        ((workflow(1, "CI", can_rerun=False),), "can’t be re-run now: CI"),
        ((workflow(1, "CI", PASSED), workflow(2, "Deploy", can_rerun=False)), "can’t be re-run now: Deploy"),
        ((workflow(1, "CI", Status.WAITING),), "can be re-run"),
    ],
    ids=[
        "an older commit's run failed",
        "the commit's own still runs",
        "a merge queue's",
        "another passed",
        "an approval is missing",
    ],
)
def test_if_the_commit_has_nothing_to_rerun_nothing_is_sent_and_it_is_said_why(
    github: GitHub, gate: Gate, workflows: tuple[Workflow, ...], why: str
) -> None:
    with pytest.raises(NotPossible, match=why):
        restart(github, seen_build(*workflows))
    assert gate.asked == []


def test_where_only_what_is_inherited_has_ended_and_well_nothing_is_sent(github: GitHub, gate: Gate) -> None:
    with pytest.raises(NotPossible):
        restart(github, seen_build(workflow(1, "CI", RUNNING), workflow(2, "Nightly", PASSED, **OF_OLDER)))
    assert gate.asked == []


@pytest.mark.parametrize(
    "status", [Status.FAILED, Status.STOPPED, Status.BLOCKED, Status.INFRASTRUCTURE_FAILURE, Status.UNKNOWN]
)
def test_whatever_went_wrong_is_run_again(
    github: GitHub, api: responses.RequestsMock, clock: Clock, status: Status
) -> None:
    now = surroundings(clock).now()
    api.post(f"{RUNS}/19440221001/rerun", status=201)
    build = seen_build(replace(CI, status=status, finished_at=now), replace(LINT, status=Status.PASSED))
    assert restart(github, build).done == ("CI",)


def test_failed_jobs_alone_are_run_again_if_that_is_asked(github: GitHub, api: responses.RequestsMock) -> None:
    api.post(f"{RUNS}/19440221001/rerun-failed-jobs", status=201)
    restart(github, seen_build(CI), failed_jobs_only=True)
    assert posted(api) == ["01/rerun-failed-jobs"]


@pytest.mark.parametrize("workflows", [(), (replace(CI, status=Status.RUNNING), replace(LINT, status=Status.UNKNOWN))])
def test_if_nothing_has_ended_nothing_is_sent(
    github: GitHub, api: responses.RequestsMock, workflows: tuple[Any, ...]
) -> None:
    with pytest.raises(NotPossible, match=r"still running|none of its workflows"):
        restart(github, seen_build(*workflows))
    assert len(api.calls) == 0


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused(OVER_A_MONTH), NotPossible),
        (refused("Resource not accessible by integration"), Forbidden),
        ({"status": 404}, NotFound),
        ({"status": 401}, Unauthorized),
        ({"status": 429}, OverLimit),
        ({"status": 500}, NoResponse),
        ({"status": 301, "headers": {"Location": f"{API}/repositories/731204001/actions/runs/1/rerun"}}, NotPossible),
        ({"status": 307, "headers": {"Location": f"{RUNS}/1/rerun"}}, NotPossible),
        ({"body": NoConnection("x")}, Unreachable),
        ({"body": ReadTimeout("x")}, NoResponse),
    ],
)
def test_one_that_is_refused_is_sent_once_and_reported(
    github: GitHub,
    api: responses.RequestsMock,
    clock: Clock,
    seen: Seen,
    answer: dict[str, Any],
    kind: type[CIError],
) -> None:
    api.post(f"{RUNS}/19440221001/rerun", **answer)
    with pytest.raises(kind) as raised:
        restart(github, seen_build(CI))
    assert raised.value.may_have_taken is (kind is NoResponse)
    assert (len(api.calls), clock.waits, seen) == (1, [], [("restart", kind.__name__)])


def restarted(github: GitHub, api: responses.RequestsMock, *answers: dict[str, Any]) -> ActionResult:
    for number, answer in enumerate(answers, start=1):
        api.post(f"{RUNS}/1944022100{number}/rerun", **answer)
    api.assert_all_requests_are_fired = False
    return restart(github, seen_build(CI, LINT, DEPLOY))


TOOK, LATE, NOT_THERE = {"status": 201}, {"body": ReadTimeout("x")}, {"status": 404}
OLD, NO_RIGHTS = refused(OVER_A_MONTH), refused("Resource not accessible by personal access token")
UNKNOWN, NO_MORE = "GitHub no longer lists this run", "GitHub’s rate limit is reached"
MAY_NOT = "the bot’s API key lacks permission for this"
UNSURE = "not confirmed: GitHub didn’t respond"


@pytest.mark.parametrize(
    ("answers", "done", "told", "sent"),
    [
        ((TOOK, TOOK, TOOK), ("CI", "Lint", "Deploy"), {}, 3),
        ((OLD, TOOK, NOT_THERE), ("Lint",), {"CI": OVER_A_MONTH, "Deploy": UNKNOWN}, 3),
        ((LATE, TOOK, TOOK), ("Lint", "Deploy"), {"CI": UNSURE}, 3),
        ((TOOK, NO_RIGHTS, TOOK), ("CI",), dict.fromkeys(("Lint", "Deploy"), MAY_NOT), 2),
        ((TOOK, {"status": 429}, TOOK), ("CI",), dict.fromkeys(("Lint", "Deploy"), NO_MORE), 2),
    ],
    ids=["all taken", "some refused", "one unsure", "no rights, so no more are tried", "over the limit, so none is"],
)
def test_what_is_not_taken_is_reported_next_to_what_is(
    github: GitHub,
    api: responses.RequestsMock,
    answers: tuple[dict[str, Any], ...],
    done: tuple[str, ...],
    told: dict[str, str],
    sent: int,
) -> None:
    taken = restarted(github, api, *answers)
    assert (taken.done, dict(taken.refused), len(api.calls)) == (done, told, sent)


@pytest.mark.parametrize(
    ("answers", "kind", "sent"),
    [
        ((OLD, NOT_THERE, OLD), NotPossible, 3),
        ((OLD, LATE, OLD), NoResponse, 3),
        ((NO_RIGHTS, TOOK, TOOK), Forbidden, 1),
        (({"body": NoConnection("x")}, TOOK, TOOK), Unreachable, 1),
    ],
    ids=["the first reason", "nobody knows", "no rights", "not sent"],
)
def test_if_none_is_taken_the_reason_is_raised(
    github: GitHub, api: responses.RequestsMock, answers: tuple[dict[str, Any], ...], kind: type[CIError], sent: int
) -> None:
    with pytest.raises(kind):
        restarted(github, api, *answers)
    assert len(api.calls) == sent


def test_each_workflow_is_paid_for_and_if_the_rate_limit_ends_the_rest_is_reported(
    github: GitHub, api: responses.RequestsMock, gate: Gate
) -> None:
    gate.lets = 1
    taken = restarted(github, api, TOOK, TOOK, TOOK)
    assert (taken.done, gate.asked, len(api.calls)) == (("CI",), ["restart"], 1)
    why = "not sent: the bot’s own limit of calls to CodeShip is reached"
    assert taken.refused == (("Lint", why), ("Deploy", why))


def test_a_request_refused_by_the_rate_limit_is_not_sent(
    github: GitHub, api: responses.RequestsMock, gate: Gate
) -> None:
    gate.lets = 0
    with pytest.raises(RateLimitExhausted):
        restart(github, seen_build(CI))
    with pytest.raises(RateLimitExhausted):
        cancel(github, seen_build(replace(CI, status=Status.RUNNING)))
    assert len(api.calls) == 0


# --- stopping


def test_what_runs_is_stopped_and_nothing_else(github: GitHub, api: responses.RequestsMock, gate: Gate) -> None:
    running, queued = replace(CI, status=Status.RUNNING), replace(LINT, status=Status.QUEUED)
    api.post(f"{RUNS}/19440221001/cancel", json={}, status=202)
    api.post(f"{RUNS}/19440221002/cancel", json={}, status=202)
    build = seen_build(running, queued, DEPLOY)
    assert cancel(github, build) == ActionResult(build.id, done=("CI", "Lint"))
    assert gate.asked == ["cancel", "cancel"]


def test_what_runs_of_an_older_commit_is_stopped_too(github: GitHub, api: responses.RequestsMock) -> None:
    for number in (1, 2):
        api.post(f"{RUNS}/1944022100{number}/cancel", status=202)
    taken = cancel(github, seen_build(workflow(1, "CI", RUNNING), workflow(2, "Nightly", RUNNING, **OF_OLDER)))
    assert (taken.done, taken.left) == (("CI", "Nightly (runs on 1f0c2b8)"), ())


def test_one_that_is_over_by_then_is_reported_next_to_the_others(github: GitHub, api: responses.RequestsMock) -> None:
    words = "Cannot cancel a workflow run that is completed."
    api.post(f"{RUNS}/19440221001/cancel", json={"message": words}, status=409)
    api.post(f"{RUNS}/19440221002/cancel", json={}, status=202)
    taken = cancel(github, seen_build(*(replace(each, status=Status.RUNNING) for each in (CI, LINT))))
    assert (taken.done, taken.left, taken.refused) == (("Lint",), (), (("CI", words),))


def test_if_all_is_over_by_then_nothing_is_stopped(github: GitHub, api: responses.RequestsMock) -> None:
    api.post(f"{RUNS}/19440221001/cancel", json={"message": "It is completed."}, status=409)
    with pytest.raises(NotPossible, match="It is completed"):
        cancel(github, seen_build(replace(CI, status=Status.RUNNING)))


def test_if_nothing_runs_nothing_is_sent(github: GitHub, api: responses.RequestsMock) -> None:
    with pytest.raises(NotPossible, match="was running any more"):
        cancel(github, seen_build(CI))
    assert len(api.calls) == 0

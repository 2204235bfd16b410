"""What `Jobs` guarantees, on SQLite and PostgreSQL, within one process."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from slack_sdk.errors import SlackApiError
from structlog.testing import capture_logs

from bot.core.model.errors import NoResponse
from bot.core.ports import Step
from bot.jobs import DurableJobs
from bot.jobs.serialization import MAX_KEY, StepFailed, from_text
from tests.jobs.conftest import Gate, Notes, Open, Told
from tests.killing.theatre import wait_until

Payload = Mapping[str, Any]


# Starting


def test_a_job_gets_its_payload_and_what_its_steps_return(open_jobs: Open, notes: Notes) -> None:
    def job(payload: Payload, step: Step) -> None:
        notes.note((payload, step("one", lambda: 41) + 1))

    jobs = open_jobs(walk=job)
    jobs.start("walk", "k", {"of": ["a", 1, None, {"é": True}]})
    assert jobs.wait_idle(20)
    notes.wait_for(({"of": ["a", 1, None, {"é": True}]}, 42))


def test_a_second_start_under_the_same_key_does_nothing(
    open_jobs: Open, notes: Notes, caplog: pytest.LogCaptureFixture
) -> None:
    ways = {"now-now": (0, 0), "now-later": (0, 0.1), "later-now": (0.1, 0), "later-later": (0.1, 0.1)}
    jobs = open_jobs(walk=notes)
    for key, (first_s, then_s) in ways.items():
        jobs.start("walk", key, {"first": key}, delay_s=first_s)
        jobs.start("walk", key, {"second": key}, delay_s=then_s)
    notes.wait_for_all(*({"first": key} for key in ways))
    assert jobs.wait_idle(20)
    for key in ways:
        jobs.start("walk", key, {"third": key})
    assert jobs.wait_idle(20)
    assert len(notes) == len(ways)
    assert caplog.records == []


def test_any_key_is_stored_and_distinguished(open_jobs: Open, notes: Notes) -> None:
    long = "k" * MAX_KEY
    keys = ["k", "K", " k", "", " ", "#k", "é", "\x00", "\ud800", "a\nb", "%", "_", long, long + "a", long + "b"]
    jobs = open_jobs(walk=notes)
    for _ in range(2):
        for number, key in enumerate(keys):
            jobs.start("walk", key, {"number": number})
    assert jobs.wait_idle(20)
    assert sorted(each["number"] for each in notes) == list(range(len(keys)))


def test_a_payload_that_is_not_json_is_refused_at_once(open_jobs: Open, notes: Notes) -> None:
    jobs = open_jobs(walk=notes)
    for wrong in (object(), float("nan"), b"x"):
        with pytest.raises((TypeError, ValueError)):
            jobs.start("walk", "k", {"a": wrong})
    assert jobs.under_way == 0
    jobs.start("walk", "k", {"a": "right"})
    notes.wait_for({"a": "right"})


def test_a_job_whose_clock_was_set_back_is_due_and_not_late(open_jobs: Open, notes: Notes) -> None:
    ahead_s = 240.0
    jobs = open_jobs(walk=notes, now=lambda: time.time() + ahead_s)
    jobs.start("walk", "later", {"number": 1}, delay_s=60)
    ahead_s = -10.0  # its row has the database's time, which is in the future now
    notes.wait_for({"number": 1})


def test_a_delay_counts_by_the_shared_clock(open_jobs: Open, notes: Notes) -> None:
    jobs = open_jobs(walk=notes, now=lambda: time.time() + 3600)
    jobs.start("walk", "soon", {"number": 1}, delay_s=0.3)
    notes.wait_for({"number": 1})


def test_a_job_with_a_delay_begins_when_it_is_due_and_is_not_waited_for(open_jobs: Open, notes: Notes) -> None:
    jobs = open_jobs(walk=notes)
    jobs.start("walk", "later", {"number": 1}, delay_s=0.3)
    jobs.start("walk", "much later", {"number": 2}, delay_s=60)
    assert jobs.wait_idle(20)
    assert notes == []
    notes.wait_for({"number": 1})


def test_jobs_that_wait_or_run_are_unfinished(open_jobs: Open, notes: Notes, gate: Gate, told: Told) -> None:
    jobs = open_jobs(walk=lambda *_: gate.pass_through(), note=notes, fail=lambda *_: next(iter(())))
    jobs.start("walk", "runs", {})
    assert gate.reached.wait(20)
    jobs.start("note", "waits é", {}, delay_s=60)
    jobs.start("note", "done", {"number": 1})
    jobs.start("fail", "failed", {})
    notes.wait_for({"number": 1})
    keys = ["runs", "waits é", "done", "failed", "unknown"]
    assert wait_until(lambda: jobs.unfinished(keys) == {"runs", "waits é"}, 20)
    assert jobs.unfinished([]) == set()
    gate.set()
    assert jobs.wait_idle(20)
    assert jobs.unfinished(["runs"]) == set()
    assert [type(error) for _, error in told] == [StopIteration]
    told.clear()


def test_jobs_start_others_between_steps_and_within_them(open_jobs: Open, notes: Notes) -> None:
    jobs: DurableJobs

    def job(payload: Payload, step: Step) -> None:
        jobs.start("note", "between", {"from": "between"})
        step("one", lambda: jobs.start("note", "within", {"from": "within"}))
        step("two", lambda: jobs.start("note", "later", {"from": "later"}, delay_s=0.01))

    jobs = open_jobs(walk=job, note=notes)
    jobs.start("walk", "k", {})
    notes.wait_for_all({"from": "between"}, {"from": "within"}, {"from": "later"})
    assert len(notes) == 3


def test_many_jobs_run_concurrently(open_jobs: Open) -> None:
    together = threading.Barrier(20)
    jobs = open_jobs(walk=lambda payload, step: step("meet", lambda: together.wait(20) * 0))
    for number in range(20):
        jobs.start("walk", f"k{number}", {})
    assert jobs.wait_idle(20)


def test_running_work_is_counted_until_it_is_done(open_jobs: Open, gate: Gate) -> None:
    jobs = open_jobs(walk=gate.pass_through)
    jobs.start("walk", "k", {})
    assert gate.reached.wait(20)
    jobs.start("walk", "k", {})
    assert jobs.under_way == 1
    assert not jobs.wait_idle(0)
    gate.set()
    assert jobs.wait_idle(20)
    assert jobs.under_way == 0


# Cancelling


def test_a_job_cancelled_before_its_start_does_not_run(open_jobs: Open, notes: Notes) -> None:
    jobs = open_jobs(walk=notes)
    jobs.start("walk", "k", {"number": 1}, delay_s=0.2)
    jobs.cancel("k")
    jobs.cancel("unknown")
    jobs.start("walk", "k", {"number": 2}, delay_s=0.2)
    jobs.start("walk", "after", {"number": 3}, delay_s=0.4)
    notes.wait_for({"number": 3})


def test_a_running_job_that_is_cancelled_ends_silently_after_its_step(
    open_jobs: Open, notes: Notes, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    def job(payload: Payload, step: Step) -> None:
        step("one", gate.pass_through)
        step("two", lambda: notes.note("two"))

    jobs = open_jobs(walk=job)
    jobs.start("walk", "k", {})
    assert gate.reached.wait(20)
    jobs.cancel("k")
    gate.set()
    assert jobs.wait_idle(20)
    assert notes == []
    assert caplog.records == []


# Errors


def test_a_job_that_raises_is_reported_once_and_not_retried(
    open_jobs: Open, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    def job(payload: Payload, step: Step) -> None:
        raise ValueError("of the job")

    jobs = open_jobs(walk=job)
    jobs.start("walk", "now", {})
    assert jobs.wait_idle(20)
    jobs.start("walk", "now", {})
    assert jobs.wait_idle(20)
    assert [(name, repr(error)) for name, error in told] == [("walk", "ValueError('of the job')")]
    told.clear()
    assert caplog.records == []


def test_other_jobs_continue_if_one_raises_and_its_error_cannot_be_reported(
    open_jobs: Open, notes: Notes, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def job(payload: Payload, step: Step) -> None:
        if payload["number"] == 1:
            raise ValueError("of the job")
        notes(payload, step)

    def cannot(*_: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(Told, "__call__", cannot)
    jobs = open_jobs(walk=job)
    with capture_logs() as logs:
        jobs.start("walk", "k1", {"number": 1})
        assert jobs.wait_idle(20)
    jobs.start("walk", "k2", {"number": 2})
    notes.wait_for({"number": 2})
    assert [event["event"] for event in logs] == ["job_error_not_reported"]


def raise_no_answer() -> None:
    raise NoResponse("CodeShip", "cut off")


def raise_slack() -> None:
    raise SlackApiError("no", {"error": "ratelimited"})


def raise_local() -> None:
    class Local(Exception):
        pass

    raise Local("here")


RAISED = {
    "BotError": (raise_no_answer, (StepFailed, "NoResponse: CodeShip: cut off")),
    "of a library": (raise_slack, (StepFailed, "SlackApiError: no")),
    "local": (raise_local, (StepFailed, "Local: here")),
    "built in": (lambda: {}["x"], (StepFailed, "KeyError: 'x'")),
}


def test_a_steps_error_is_the_same_when_its_job_continues_elsewhere(open_jobs: Open) -> None:
    asked: Counter[str] = Counter()
    caught: dict[str, list[Any]] = {which: [] for which in RAISED}
    gates = {which: Gate() for which in RAISED}

    def job(payload: Payload, step: Step) -> None:
        which = payload["which"]

        def ask() -> None:
            asked[which] += 1
            RAISED[which][0]()

        try:
            step("ask", ask)
        except Exception as error:  # noqa: BLE001
            caught[which].append((type(error), str(error).splitlines()[0]))
        step("wait", gates[which].pass_through)

    jobs = open_jobs(walk=job)
    for which in RAISED:
        jobs.start("walk", which, {"which": which})
    assert all(gate.reached.wait(20) for gate in gates.values())
    assert sorted(jobs.stop(0)) == sorted(f"walk {which}" for which in RAISED)
    for gate in gates.values():
        gate.reached.clear()
        gate.set()
    open_jobs(walk=job)
    assert all(gate.reached.wait(20) for gate in gates.values())
    assert caught == {which: [raised, raised] for which, (_, raised) in RAISED.items()}
    assert asked == dict.fromkeys(RAISED, 1)


# What the database holds


HELD = {
    "workflow_status": ("inputs", "output", "error"),
    "workflow_input": ("inputs",),
    "workflow_output": ("output", "error"),
    "operation_outputs": ("output", "error"),
}
"""DBOS's tables, and the columns that hold our values."""


def stored(url: str) -> dict[str, list[Any]]:
    """The payloads, results and errors of all jobs and steps, read as JSON."""
    engine = sa.create_engine(url)
    schema = "dbos." if engine.dialect.name == "postgresql" else ""
    with engine.connect() as connection:
        found = {
            f"{table}.{column}": [
                json.loads(text)
                for text in connection.scalars(sa.text(f"SELECT {column} FROM {schema}{table}"))
                if text is not None
            ]
            for table, columns in HELD.items()
            for column in columns
        }
    engine.dispose()
    return found


def test_every_stored_value_is_json_of_version_1(open_jobs: Open, told: Told, url: str) -> None:
    def job(payload: Payload, step: Step) -> None:
        step("well", lambda: {"ts": "1.2", "half": "\ud83d", "none": None})
        try:
            step("badly", raise_slack)
        except StepFailed:
            step("nothing", lambda: None)
        raise ValueError("of the job")

    jobs = open_jobs(walk=job, note=Notes())
    jobs.start("walk", "k", {"of": ["a", 1]})
    jobs.start("note", "n", {})
    assert jobs.wait_idle(20)
    told.clear()
    jobs.stop()
    rows = stored(url)
    assert {"v": 1, "value": {"args": ['{"of": ["a", 1]}'], "kwargs": {}}} in rows["workflow_input.inputs"]
    assert rows["workflow_output.output"] == [{"v": 1, "value": None}]
    assert rows["workflow_output.error"] == [{"v": 1, "error": {"type": "JobFailed", "text": "ValueError"}}]
    steps = rows["operation_outputs.output"]
    assert sorted(map(repr, steps)) == sorted(
        repr({"v": 1, "value": value}) for value in ({"ts": "1.2", "half": "\ud83d", "none": None}, None)
    )
    (error,) = rows["operation_outputs.error"]
    assert error["error"]["type"] == "SlackApiError"
    assert error["error"]["text"].startswith("no")


@pytest.mark.parametrize(
    "value", [(1,), {1: 2}, {"a": (1,)}, {1}, b"x", float("nan"), pytest.param(object(), id="object")], ids=repr
)
def test_a_value_that_json_would_change_ends_its_job(open_jobs: Open, told: Told, value: Any) -> None:
    jobs = open_jobs(walk=lambda payload, step: step("one", lambda: value))
    jobs.start("walk", "k", {})
    assert jobs.wait_idle(20)
    ((name, error),) = told
    assert name == "walk"
    assert isinstance(error, TypeError | ValueError)
    told.clear()


@pytest.mark.parametrize("text", ['{"v": 2, "value": 1}', "[]", "1", "{}", "gASVAAAA"])
def test_json_of_another_version_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"another version of the bot|Expecting value"):
        from_text(text)

"""Stopping, what a process leaves to the next, and what is deleted: on SQLite and PostgreSQL, in one process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from bot.app.clock import SystemClock
from bot.core.ports import Step
from bot.jobs import DurableJobs
from bot.store import open_store
from tests.jobs.conftest import Gate, Notes, Open
from tests.jobs.processes import QUICK

pytestmark = pytest.mark.slow

Payload = Mapping[str, Any]


def test_a_stop_waits_for_running_jobs_and_all_their_steps(open_jobs: Open, notes: Notes, gate: Gate) -> None:
    jobs: DurableJobs

    def job(payload: Payload, step: Step) -> None:
        step("one", gate.pass_through)
        step("two", lambda: jobs.start("note", "next", {"number": 2}))
        step("three", lambda: notes.note("three"))

    jobs = open_jobs(walk=job, note=notes)
    jobs.start("walk", "k", {})
    assert gate.reached.wait(20)
    threading.Timer(0.2, gate.set).start()
    assert jobs.stop(20) == []
    assert notes == ["three"]  # and not what was started meanwhile, which is stored
    open_jobs(walk=job, note=notes)
    notes.wait_for("three", {"number": 2})


def test_a_stop_leaves_a_hanging_job_for_another_process(
    open_jobs: Open, notes: Notes, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    def two() -> None:
        notes.note("two")
        gate.pass_through()

    def job(payload: Payload, step: Step) -> None:
        step("one", lambda: notes.note("one"))
        step("two", two)
        step("three", lambda: notes.note("three"))

    jobs = open_jobs(walk=job)
    jobs.start("walk", "k", {})
    assert gate.reached.wait(20)
    assert jobs.stop(0.1) == ["walk k"]
    gate.set()
    open_jobs(walk=job)
    notes.wait_for("one", "two", "two", "three")
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []


def test_a_due_job_may_start_before_the_launch_has_ended(open_jobs: Open, notes: Notes) -> None:
    """Sixty more kinds make the launch long; what waits is taken from the queue after a twentieth of a second."""
    jobs = open_jobs(walk=notes)
    for number in range(8):
        jobs.start("walk", f"k{number}", {"number": number}, delay_s=0.01)
    jobs.stop(0)
    open_jobs(walk=notes, **{f"more-{number}": notes for number in range(60)})
    notes.wait_for_all(*({"number": number} for number in range(8)))


def test_a_process_that_finished_its_work_is_dead_at_once_and_another_is_not(
    open_jobs: Open, gate: Gate, url: str
) -> None:
    """Its work may still be running: it is not to be taken before the process has ended."""
    with closing(open_store(url, SystemClock())) as store:
        jobs = open_jobs(walk=gate.pass_through)
        assert len(store.replicas.alive(20)) == 1
        assert jobs.stop(5) == []
        assert store.replicas.alive(20) == []
        jobs = open_jobs(walk=gate.pass_through)
        jobs.start("walk", "k", {})
        assert gate.reached.wait(20)
        assert jobs.stop(0) == ["walk k"]
        assert len(store.replicas.alive(20)) == 1


def test_no_job_starts_after_the_stop(open_jobs: Open, notes: Notes) -> None:
    jobs = open_jobs(walk=notes)
    assert jobs.stop(5) == []
    assert jobs.stop(5) == []
    for ask in (lambda: jobs.start("walk", "k", {}), lambda: jobs.cancel("k"), lambda: jobs.wait_idle(1), jobs.sweep):
        with pytest.raises(RuntimeError, match="not open"):
            ask()


def test_a_process_has_one_open_instance(open_jobs: Open, notes: Notes) -> None:
    jobs = open_jobs(walk=notes)
    with pytest.raises(RuntimeError, match="open in this process already"):
        open_jobs(walk=notes)
    jobs.start("walk", "k", {"number": 1})
    notes.wait_for({"number": 1})


def test_nothing_is_printed_and_logging_is_left_as_it_was(
    open_jobs: Open, notes: Notes, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("dbos")
    before = (logger.handlers[:], logger.filters[:], logger.level, logger.propagate)
    jobs = open_jobs(walk=notes)
    logger.warning("of the engine")
    jobs.start("walk", "k", {})
    jobs.stop(5)
    assert (logger.handlers, logger.filters, logger.level, logger.propagate) == before
    assert capfd.readouterr() == ("", "")
    assert [record.getMessage() for record in caplog.records] == ["of the engine"]
    assert not hasattr(caplog.records[0], "applicationVersion")


# What others have left


def test_jobs_of_an_unknown_kind_are_left_alone(
    open_jobs: Open, notes: Notes, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    def job(payload: Payload, step: Step) -> None:
        step("wait", gate.pass_through)
        step("note", lambda: notes.note(payload["key"]))

    newer = open_jobs(walk=job, note=notes)
    newer.start("walk", "begun", {"key": "begun"})
    assert gate.reached.wait(20)
    newer.start("walk", "later", {"key": "later"}, delay_s=0.01)
    newer.stop(0)
    gate.set()
    older = open_jobs(timings=replace(QUICK, sweep_s=3600.0), note=notes)
    older.start("note", "sign", {"number": 1}, delay_s=2.2)  # by then the newer one counts as dead
    notes.wait_for({"number": 1})
    assert older.sweep() == 0
    assert older.stop(5) == []
    assert [record.getMessage() for record in caplog.records] == []
    open_jobs(walk=job, note=notes)
    notes.wait_for_all("begun", "later")


def test_only_jobs_that_ended_long_ago_are_deleted(open_jobs: Open, notes: Notes, gate: Gate) -> None:
    jobs = open_jobs(walk=notes)
    jobs.start("walk", "ended", {"ended": 1})
    jobs.start("walk", "waits", {"waits": 1}, delay_s=60)
    jobs.start("walk", "cancelled", {"cancelled": 1}, delay_s=60)
    jobs.cancel("cancelled")
    assert jobs.wait_idle(20)
    assert jobs.purge() == 0
    assert jobs.stop(5) == []
    jobs = open_jobs(timings=replace(QUICK, kept_s=0.0), walk=notes, wait=gate.pass_through)
    jobs.start("wait", "runs", {})
    assert gate.reached.wait(20)
    jobs.purge()  # as the recovery may have done already
    for key in ("ended", "waits", "cancelled"):
        jobs.start("walk", key, {key: 2})
    notes.wait_for_all({"ended": 2}, {"cancelled": 2})
    assert jobs.under_way == 1
    gate.set()
    assert jobs.wait_idle(20)
    assert sorted(map(str, notes)) == ["{'cancelled': 2}", "{'ended': 1}", "{'ended': 2}"]
    jobs.purge()
    jobs.start("wait", "runs", {})
    assert jobs.wait_idle(20)
    assert jobs.purge() == 1
    assert jobs.purge() == 0

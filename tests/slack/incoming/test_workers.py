"""Accepted work is done or named; refused work gets a message."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest
from structlog.testing import capture_logs

from bot.slack.incoming.workers import PoolFull, WorkerPool


class Errors(list[tuple[str, BaseException]]):
    def __call__(self, name: str, error: BaseException) -> None:
        self.append((name, error))


@pytest.fixture
def errors() -> Errors:
    return Errors()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Work waits on it; it is opened at the end, so that no thread is left."""
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture
def workers(errors: Errors, gate: threading.Event) -> Iterator[WorkerPool]:
    workers = WorkerPool(errors, threads=2, max_running=3)
    yield workers
    gate.set()
    workers.stop(timeout_s=5)


def test_work_is_done_on_another_thread(workers: WorkerPool) -> None:
    done_on: list[str] = []
    workers.submit("status", lambda: done_on.append(threading.current_thread().name))
    assert workers.wait_idle(5)
    assert done_on[0] != threading.current_thread().name


def test_running_work_is_counted_until_it_is_done(workers: WorkerPool, gate: threading.Event) -> None:
    workers.submit("status", lambda: _wait(gate))
    workers.submit("restart", lambda: _wait(gate))
    assert workers.under_way == 2
    assert not workers.wait_idle(0)
    gate.set()
    assert workers.wait_idle(5)
    assert workers.under_way == 0


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1)])
def test_an_exception_is_reported_with_the_name_of_the_work(
    workers: WorkerPool, errors: Errors, error: BaseException
) -> None:
    def fail() -> None:
        raise error

    workers.submit("restart", fail)
    assert workers.wait_idle(5)
    assert errors == [("restart", error)]


def test_an_exception_that_cannot_be_reported_is_logged() -> None:
    def cannot(name: str, error: BaseException) -> None:
        raise RuntimeError("the teller is broken")

    workers = WorkerPool(cannot, threads=1)
    with capture_logs() as logs:
        workers.submit("restart", lambda: _raise(ValueError("lost?")))
        assert workers.wait_idle(5)
    assert [(entry["work"], entry["error"]) for entry in logs] == [("restart", "ValueError('lost?')")]
    workers.stop()


def test_a_full_queue_refuses_with_a_message_for_the_person(workers: WorkerPool, gate: threading.Event) -> None:
    for _ in range(3):
        workers.submit("status", lambda: _wait(gate))
    with pytest.raises(PoolFull, match=r"too busy right now.*Try again in a minute"):
        workers.submit("status", lambda: None)
    gate.set()
    assert workers.wait_idle(5)
    workers.submit("status", lambda: None)


def test_work_after_the_stop_is_refused_with_a_message_for_the_person(workers: WorkerPool) -> None:
    assert workers.stop(timeout_s=5) == []
    with pytest.raises(PoolFull, match=r"restarting\. Try again in a minute"):
        workers.submit("status", lambda: None)


def test_the_stop_waits_for_accepted_work_even_if_no_thread_was_free_yet(errors: Errors) -> None:
    workers, all_in, done = WorkerPool(errors, threads=1, max_running=4), threading.Event(), list[int]()

    def hold() -> None:
        _wait(all_in)
        _until_refused(workers, "restarting")

    workers.submit("first", hold)
    for number in range(3):
        workers.submit("status", partial(done.append, number))
    all_in.set()
    assert workers.stop(timeout_s=5) == []
    assert done == [0, 1, 2]
    assert errors == []


def test_the_stop_names_unfinished_work_and_drops_queued_work(errors: Errors, gate: threading.Event) -> None:
    workers, begun, threads = WorkerPool(errors, threads=1), threading.Event(), list[threading.Thread]()

    def hang() -> None:
        threads.append(threading.current_thread())
        begun.set()
        _wait(gate)

    workers.submit("restart", hang)
    workers.submit("status", lambda: _raise(RuntimeError("was begun")))
    assert begun.wait(5)
    assert workers.stop(timeout_s=0.05) == ["restart", "status"]
    gate.set()
    threads[0].join(5)
    assert errors == []


def _until_refused(workers: WorkerPool, word: str) -> None:
    for _ in range(10**6):
        try:
            workers.submit("probe", lambda: None)
        except PoolFull as refusal:
            if word in str(refusal):
                return
    raise AssertionError("never refused")


def _wait(gate: threading.Event) -> None:
    assert gate.wait(10)


def _raise(error: Exception) -> None:
    raise error

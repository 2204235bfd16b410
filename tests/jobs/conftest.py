"""Durable jobs on SQLite and PostgreSQL, in this process and in others, with short timeouts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from bot.app.clock import SystemClock
from bot.core.ports import Job, Step
from bot.jobs import DurableJobs, JobTimings, new_replica_id
from bot.store import open_store
from tests.jobs.processes import QUICK, Replica
from tests.postgres import Server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that is new and empty."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bot.sqlite3"
    server: Server = request.getfixturevalue("postgres")
    return server.new_database(like=request.getfixturevalue("prepared"))


@pytest.fixture(scope="session")
def prepared(postgres: Server) -> str:
    """The name of a PostgreSQL database to copy: faster than going through the migrations, DBOS's too, each time."""
    url = postgres.new_database()
    with ExitStack() as stack:
        opened(url, {}, Told(), stack=stack)
    return url.rpartition("/")[2]


class Told(list[tuple[str, BaseException]]):
    """The calls of `on_error`."""

    def __call__(self, name: str, error: BaseException) -> None:
        self.append((name, error))


def opened(
    url: str,
    kinds: Mapping[str, Job],
    told: Told,
    *,
    stack: ExitStack,
    timings: JobTimings = QUICK,
    now: Callable[[], float] = time.time,
) -> DurableJobs:
    """Launched; stopped with `stack`."""
    store = open_store(url, SystemClock())
    stack.callback(store.close)
    jobs = DurableJobs(
        url,
        kinds,
        replicas=store.replicas,
        replica_id=new_replica_id(),
        clock=SystemClock(),
        now=now,
        on_error=told,
        timings=timings,
    )
    jobs.launch()
    stack.callback(jobs.stop, 5)
    return jobs


@pytest.fixture
def told() -> Iterator[Told]:
    """Fails if there are errors that the test does not take away."""
    told = Told()
    yield told
    assert told == []


Open = Callable[..., DurableJobs]


@pytest.fixture
def open_jobs(url: str, told: Told) -> Iterator[Open]:
    """Opens jobs of the given kinds. They are stopped at the end, with all their threads."""
    before = set(threading.enumerate())
    with ExitStack() as stack:

        def open_again(timings: JobTimings = QUICK, now: Callable[[], float] = time.time, **kinds: Job) -> DurableJobs:
            return opened(url, kinds, told, stack=stack, timings=timings, now=now)

        yield open_again
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive(), thread


class Notes(list[Any]):
    """A job that notes its payload."""

    def __init__(self) -> None:
        super().__init__()
        self.changed = threading.Condition()

    def __call__(self, payload: Mapping[str, Any], step: Step) -> None:
        self.note(payload)

    def note(self, noted: Any) -> None:
        with self.changed:
            self.append(noted)
            self.changed.notify_all()

    def wait_for(self, *expected: Any) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self) >= len(expected), 20), self
        assert self == list(expected)

    def wait_for_all(self, *expected: Any) -> None:
        """In any order, among others."""
        with self.changed:
            assert self.changed.wait_for(lambda: all(each in self for each in expected), 20), self


@pytest.fixture
def notes() -> Notes:
    return Notes()


class Gate(threading.Event):
    """Work waits at it, and says that it does."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()

    def pass_through(self, *_: Any) -> None:
        self.reached.set()
        assert self.wait(20)


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Opened at the end, so that no thread is left."""
    gate = Gate()
    yield gate
    gate.set()


@pytest.fixture
def replica(url: str, tmp_path: Path) -> Iterator[Callable[..., Replica]]:
    """Starts processes that work on the database; killed at the end."""
    with ExitStack() as stack:
        yield lambda **more: stack.enter_context(Replica(url, tmp_path / "done.txt", **more))

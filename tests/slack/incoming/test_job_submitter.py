"""Storing a request before it is acknowledged takes no longer than Slack waits, even if the database hangs."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from bot.slack.incoming.workers import AT_ONCE, MAX_WAITING, JobSubmitter, PoolFull


class HangingJobs:
    """`Jobs` whose database does not respond until it is released."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.started: list[str] = []

    def start(self, kind: str, key: str, payload: Mapping[str, Any], *, delay_s: float = 0.0) -> None:
        assert self.let_go.wait(20)
        self.started.append(key)

    def cancel(self, key: str) -> None:
        raise NotImplementedError

    def unfinished(self, keys: Iterable[str]) -> set[str]:
        raise NotImplementedError

    def sweep(self) -> int:
        raise NotImplementedError


def test_a_request_stored_in_time_is_accepted() -> None:
    jobs = HangingJobs()
    jobs.let_go.set()
    begun = JobSubmitter(jobs)
    begun.submit("ask", "one", {})
    begun.close()
    assert jobs.started == ["one"]


def test_if_the_database_hangs_the_request_is_refused_before_slacks_timeout() -> None:
    jobs = HangingJobs()
    begun = JobSubmitter(jobs, timeout_s=0.01)
    for number in range(MAX_WAITING + AT_ONCE):  # beyond the places, nothing more is even handed in
        with pytest.raises(PoolFull, match="Try again"):
            begun.submit("ask", str(number), {})
    jobs.let_go.set()
    begun.close()
    assert len(jobs.started) <= MAX_WAITING


def test_a_request_refused_for_its_time_is_never_carried_out() -> None:
    jobs = HangingJobs()
    begun = JobSubmitter(jobs, timeout_s=0.01)
    with pytest.raises(PoolFull):
        begun.submit("ask", "one", {})
    jobs.let_go.set()
    assert not begun.begin("one"), "the job is stored after all, and asks first"
    begun.close()


def test_a_request_that_has_begun_before_its_refusal_is_accepted() -> None:
    class SlowJobs(HangingJobs):
        """Starts the job before `start` returns."""

        def start(self, kind: str, key: str, payload: Mapping[str, Any], *, delay_s: float = 0.0) -> None:
            assert begun.begin(key)
            super().start(kind, key, payload, delay_s=delay_s)

    jobs = SlowJobs()
    begun = JobSubmitter(jobs, timeout_s=0.05)
    begun.submit("ask", "one", {})
    jobs.let_go.set()
    begun.close()

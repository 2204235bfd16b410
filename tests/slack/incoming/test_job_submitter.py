"""Storing a request before it is acknowledged: never longer than Slack waits, whatever the database does."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from bot.slack.incoming.workers import AT_ONCE, MAX_WAITING, JobSubmitter, PoolFull


class HangingJobs:
    """`Jobs` whose database does not answer until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.started: list[str] = []

    def start(self, kind: str, key: str, payload: Mapping[str, Any], *, delay_s: float = 0.0) -> None:
        assert self.let_go.wait(20)
        self.started.append(key)

    def cancel(self, key: str) -> None:
        raise NotImplementedError

    def sweep(self) -> int:
        raise NotImplementedError


def test_what_is_stored_in_time_is_taken() -> None:
    jobs = HangingJobs()
    jobs.let_go.set()
    begun = JobSubmitter(jobs)
    begun.submit("ask", "one", {})
    begun.close()
    assert jobs.started == ["one"]


def test_a_database_that_hangs_refuses_in_words_and_within_the_time_that_slack_waits() -> None:
    jobs = HangingJobs()
    begun = JobSubmitter(jobs, timeout_s=0.01)
    for number in range(MAX_WAITING + AT_ONCE):  # beyond the places, nothing more is even handed in
        with pytest.raises(PoolFull, match="Say it again"):
            begun.submit("ask", str(number), {})
    jobs.let_go.set()
    begun.close()
    assert len(jobs.started) <= MAX_WAITING

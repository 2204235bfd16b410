"""A key that becomes invalid is reported once, and again when it becomes valid."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from structlog.testing import capture_logs

from bot.app.clients import KeyMonitor

BAD, OK, PASSING = "Unauthorized", "ok", "NoResponse"


@pytest.mark.parametrize(
    ("results", "told"),
    [
        ([], []),
        ([OK, OK], []),
        ([BAD], [False]),
        ([BAD, BAD, BAD], [False]),
        ([OK, BAD, OK], [False, True]),
        ([BAD, OK, BAD, OK], [False, True, False, True]),
        ([BAD, "NotFound"], [False, True]),
        ([BAD, PASSING, "Unreachable", "OverLimit", "InvalidResponse", "Forbidden"], [False]),
        ([PASSING, "Unreachable"], []),
    ],
)
def test_each_change_is_reported_once(results: Sequence[str], told: list[bool]) -> None:
    heard: list[bool] = []
    watch = KeyMonitor("CodeShip", "CODESHIP_API_KEY", heard.append)
    with capture_logs() as logs:
        for result in results:
            watch.called(result)
    assert heard == told
    assert [line["event"] for line in logs] == [
        "ci_key_accepted_again" if accepted else "ci_key_rejected" for accepted in told
    ]


def test_the_log_says_what_to_do() -> None:
    watch = KeyMonitor("CodeShip", "CODESHIP_API_KEY", lambda accepted: None)
    with capture_logs() as logs:
        watch.called(BAD)
    (line,) = logs
    assert line["log_level"] == "error"
    assert line["service"] == "CodeShip"
    assert "CODESHIP_API_KEY" in line["next_step"]


def test_concurrent_failures_are_reported_once() -> None:
    heard: list[bool] = []
    watch = KeyMonitor("CodeShip", "CODESHIP_API_KEY", heard.append)
    together = threading.Barrier(16)

    def call() -> None:
        together.wait(10)
        watch.called(BAD)

    with ThreadPoolExecutor(16) as crowd, capture_logs() as logs:
        for done in [crowd.submit(call) for _ in range(16)]:
            done.result(10)
    assert heard == [False]
    assert len(logs) == 1


def test_two_changes_are_reported_in_order_even_if_the_first_report_is_slow() -> None:
    heard: list[bool] = []
    first_is_being_told, second_has_come = threading.Event(), threading.Event()

    def tell(accepted: bool) -> None:
        if not accepted:
            first_is_being_told.set()
            second_has_come.wait(0.2)  # never set if the second one waits, as it should
        heard.append(accepted)

    watch = KeyMonitor("CodeShip", "CODESHIP_API_KEY", tell)

    def second() -> None:
        assert first_is_being_told.wait(10)
        watch.called(OK)
        second_has_come.set()

    with ThreadPoolExecutor(2) as both:
        for done in [both.submit(watch.called, BAD), both.submit(second)]:
            done.result(10)
    assert heard == [False, True]

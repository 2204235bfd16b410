"""Of a job's log the lines are shown that say why its step failed, and not the clean-up after it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ci.github.failure_log import LINES_BEFORE, MAX_LINE, StepLog

BEGAN, ENDED = datetime(2026, 3, 1, 11, 0, 10, tzinfo=UTC), datetime(2026, 3, 1, 11, 0, 20, tzinfo=UTC)


def at(second: int, text: str) -> str:
    return f"2026-03-01T11:00:{second:02}.1234567Z {text}\n"


def cut(log: str | bytes, size: int = 10_000) -> tuple[str, ...]:
    data = log if isinstance(log, bytes) else log.encode()
    step = StepLog(BEGAN, ENDED)
    for start in range(0, len(data), size):
        step.take(data[start : start + size])
    return step.lines()


WHOLE = (
    at(5, "##[group]Run actions/checkout@v4")
    + at(9, "##[error]of another step")
    + at(10, "##[group]Run pytest")
    + at(11, "\x1b[36;1mpytest -q\x1b[0m")
    + at(19, "E   assert 1 == 2")
    + at(20, "##[error]Process completed with exit code 1.")
    + at(21, "Post job cleanup.")
    + at(22, "##[error]of the clean-up")
)
REASON = ("Run pytest", "pytest -q", "E   assert 1 == 2", "Process completed with exit code 1.")


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_the_failed_steps_last_error_is_cut_out_with_the_lines_before_it(size: int) -> None:
    assert cut(WHOLE, size) == REASON


def test_a_log_may_begin_with_a_byte_order_mark() -> None:
    assert cut(b"\xef\xbb\xbf" + at(10, "##[error]no").encode()) == ("no",)


def test_the_last_of_several_errors_counts() -> None:
    assert cut(at(11, "##[error]first") + at(12, "between") + at(13, "##[error]last") + at(14, "after"))[-1] == "last"


def test_no_more_lines_are_kept_than_people_read() -> None:
    log = "".join(at(11, f"line {number}") for number in range(50)) + at(12, "##[error]no")
    assert cut(log) == (*(f"line {number}" for number in range(50 - LINES_BEFORE, 50)), "no")


def test_without_an_error_the_steps_last_lines_are_kept() -> None:
    assert cut(at(11, "killed") + at(25, "Post job cleanup.")) == ("killed",)


def test_a_line_without_a_time_belongs_to_the_one_before() -> None:
    assert cut(at(11, "one") + "two\n" + at(12, "##[error]three")) == ("one", "two", "three")


def test_a_log_that_ends_within_a_line_keeps_it() -> None:
    assert cut(at(12, "##[error]no").rstrip("\n")) == ("no",)


@pytest.mark.parametrize("log", ["", "no time\n", at(5, "before"), at(25, "after")])
def test_a_log_without_the_step_has_no_lines(log: str) -> None:
    assert cut(log) == ()


def test_long_lines_and_control_characters_are_cut() -> None:
    [line] = cut(at(12, "##[error]a\x00\x07\tb" + "x" * 100_000))
    assert (line[:6], len(line)) == ("a    b", MAX_LINE)


@given(st.binary(max_size=400), st.integers(1, 50))
def test_no_bytes_raise(log: bytes, size: int) -> None:
    cut(log, size)

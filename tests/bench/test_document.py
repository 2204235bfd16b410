"""docs/benchmarks.md equals what its raw samples give, and the figures are calculated correctly."""

from __future__ import annotations

import math

import pytest

from bench.__main__ import RESULTS
from bench.report.document import DOCUMENT, number, write
from bench.report.goals import goals
from bench.report.numbers import Run, quantile
from bench.samples import Samples, read, read_run


def test_the_document_follows_from_the_raw_samples(tmp_path):
    """To fix it: `python -m bench --render`."""
    assert write(RESULTS, tmp_path / DOCUMENT.name).read_text() == DOCUMENT.read_text()


def test_a_run_that_measured_nothing_meets_no_goal(tmp_path):
    Samples(tmp_path).describe({"date": "2026-03-02"})
    assert {goal.is_met for goal in goals(Run(tmp_path))} == {None}


@pytest.mark.parametrize(("share", "met"), [(0.01, True), (0.2, None)])
def test_times_are_judged_only_if_the_machine_was_quiet(tmp_path, share, met):
    samples = Samples(tmp_path)
    samples.describe({"date": "2026-03-02"})
    samples.write("noise", {"scene": "replies", "share": share})
    for contender, reply_us in (("bot", 50_000), ("floor", 110_000)):
        samples.write("replies", {"contender": contender, "pace": "busy", "reply_us": [reply_us]})
    [first, *_] = goals(Run(tmp_path))
    assert first.measured == pytest.approx(0.4545, abs=0.001)
    assert first.is_met is met


@pytest.mark.parametrize(
    ("values", "share", "found"),
    [
        ([3, 1, 2], 0.5, 2),
        ([1, 2, 3, 4], 0.5, 2),
        (range(1, 1001), 0.99, 990),
        ([1, None], 0.5, 1),
        ([1, None, None], 0.5, math.inf),
    ],
)
def test_a_quantile_is_the_smallest_value_that_so_many_do_not_exceed(values, share, found):
    assert quantile(values, share) == found


@pytest.mark.parametrize(("values", "share"), [([], 0.5), (range(999), 0.99)])
def test_of_too_few_values_there_is_no_quantile(values, share):
    assert math.isnan(quantile(values, share))


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0123, "0.0123 ms"), (12.34, "12.3 ms"), (1234.5, "1,234 ms"), (math.inf, "never"), (math.nan, "–")],
)
def test_a_number_has_three_significant_digits(value, words):
    assert number(value, "ms") == words


def test_samples_are_reproducible_and_read_back_unchanged(tmp_path):
    record = {"contender": "bot", "ack_us": [1, None], "round": 0}
    for folder in (tmp_path / "a", tmp_path / "b"):
        samples = Samples(folder)
        samples.describe({"date": "2026-03-02"})
        samples.write("loads", record)
        samples.write("loads", record)
    assert read(tmp_path / "a", "loads") == [record, record]
    assert read(tmp_path / "a", "starts") == []
    assert read_run(tmp_path / "a") == {"date": "2026-03-02"}
    assert (tmp_path / "a/loads.jsonl.gz").read_bytes() == (tmp_path / "b/loads.jsonl.gz").read_bytes()


def test_a_new_run_replaces_the_previous_one(tmp_path):
    Samples(tmp_path).write("follows", {"size": 1})
    Samples(tmp_path)
    assert read(tmp_path, "follows") == []

"""docs/benchmarks.md equals what its raw samples give, byte for byte, and the figures are calculated correctly."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from bench.__main__ import RESULTS
from bench.report.document import DOCUMENT, NOTES, PLACES, PLOTS, write
from bench.report.goals import goals
from bench.report.numbers import Cell, Run, quantile
from bench.report.tables import ms
from bench.samples import Samples, read, read_run

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.slow
def test_the_document_and_its_plots_follow_from_the_raw_samples(tmp_path):
    """To fix it: `python -m bench --render`."""
    written = write(RESULTS, tmp_path / DOCUMENT.name, tmp_path / PLOTS.name)
    kept = {DOCUMENT.relative_to(ROOT), *(path.relative_to(ROOT) for path in PLOTS.iterdir())}
    assert {"docs" / path.relative_to(tmp_path) for path in written} == kept
    for path in written:
        assert path.read_bytes() == (ROOT / "docs" / path.relative_to(tmp_path)).read_bytes(), path.name


def test_no_figure_is_typed_by_hand():
    """But those that are part of a goal, of the set-up or of a name."""
    prose = re.sub(r"\{\{[a-z_]+\}\}|`[^`]*`|\(benchmarks/[a-z]+\.svg\)", "", NOTES.read_text(encoding="utf-8"))
    assert set(re.findall(r"\d[\d.,]*\d|\d", prose)) <= {"0", "50", "80"}


def test_the_placeholders_in_the_prose_are_exactly_the_figures():
    assert set(re.findall(r"\{\{([a-z_]+)\}\}", NOTES.read_text(encoding="utf-8"))) == set(PLACES)


def test_every_goal_was_measured():
    assert [goal.wanted for goal in goals(Run(RESULTS)) if goal.is_met is None] == []


def test_a_run_that_measured_nothing_meets_no_goal(tmp_path):
    Samples(tmp_path).describe({"date": "2026-03-02"})
    assert {goal.is_met for goal in goals(Run(tmp_path))} == {None}


@pytest.mark.parametrize(
    ("values", "share", "found"),
    [
        ([3, 1, 2], 0.5, 2),
        ([1, 2, 3, 4], 0.5, 2),
        (range(1, 101), 0.99, 99),
        (range(1, 201), 0.99, 198),
        ([7], 0.99, 7),
        ([1, None], 0.5, 1),
        ([1, None], 0.99, math.inf),
    ],
)
def test_a_quantile_is_the_smallest_value_that_so_many_do_not_exceed(values, share, found):
    assert quantile(values, share) == found


def test_no_values_have_no_quantile():
    assert math.isnan(quantile([], 0.5))


def test_a_cell_covers_all_its_rounds_and_a_missing_reply_counts_as_late():
    rounds = (
        {"ack_us": [1000, 3_000_001], "reply_us": [2000, 4000], "took_us": 500_000, "cpu_s": 0.03},
        {"ack_us": [2000, None], "reply_us": [6000, None], "took_us": 500_000, "cpu_s": 0.01},
    )
    cell = Cell(rounds)
    assert (cell.commands, cell.unanswered, cell.late_acks) == (4, 1, 0.5)
    assert (cell.ack_ms(0.5), cell.reply_ms(0.5), cell.reply_ms(0.99)) == (2.0, 4.0, math.inf)
    assert (cell.a_second, cell.cpu_ms) == (3.0, 10.0)
    assert [each.commands for each in cell.by_round] == [2, 2]


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0123, "0.012 ms"), (1.234, "1.23 ms"), (12.34, "12.3 ms"), (1234.5, "1234 ms"), (math.inf, "never")],
)
def test_milliseconds_have_only_significant_digits(value, words):
    assert ms(value) == words


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

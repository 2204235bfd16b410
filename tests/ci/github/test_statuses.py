"""Every word that GitHub has for a run's state means something, and of several the worst decides."""

from __future__ import annotations

import itertools

import pytest

from bot.core.model.builds import Status
from tests.ci.github.canned import build, lint, run


@pytest.mark.parametrize(
    ("status", "conclusion", "meaning", "word"),
    [
        ("queued", None, Status.QUEUED, "queued"),
        ("requested", None, Status.QUEUED, "requested"),
        ("pending", None, Status.QUEUED, "pending"),
        ("waiting", None, Status.WAITING, "waiting"),
        ("in_progress", None, Status.RUNNING, "in_progress"),
        ("completed", "success", Status.PASSED, "success"),
        ("completed", "neutral", Status.PASSED, "neutral"),
        ("completed", "failure", Status.FAILED, "failure"),
        ("completed", "timed_out", Status.FAILED, "timed_out"),
        ("completed", "startup_failure", Status.FAILED, "startup_failure"),
        ("completed", "cancelled", Status.STOPPED, "cancelled"),
        ("completed", "stale", Status.STOPPED, "stale"),
        ("completed", "skipped", Status.SKIPPED, "skipped"),
        ("completed", "action_required", Status.BLOCKED, "action_required"),
        ("completed", "exploded", Status.UNKNOWN, "exploded"),
        ("completed", None, Status.UNKNOWN, "completed"),
        ("levitating", None, Status.UNKNOWN, "levitating"),
        ("levitating", "success", Status.UNKNOWN, "levitating"),
        (None, "success", Status.PASSED, "success"),
        (None, None, Status.UNKNOWN, ""),
        (7, ["success"], Status.UNKNOWN, ""),
    ],
)
def test_a_state_is_read(status: object, conclusion: object, meaning: Status, word: str) -> None:
    seen = build(run(status=status, conclusion=conclusion))
    assert (seen.status, seen.status_word) == (meaning, word)
    assert (seen.workflows[0].status, seen.workflows[0].status_word) == (meaning, word)


@pytest.mark.parametrize(
    ("status", "conclusion", "is_under_way", "has_ended"),
    [
        ("pending", None, True, False),
        ("waiting", None, False, True),
        ("in_progress", None, True, False),
        ("completed", "failure", False, True),
        ("completed", "exploded", False, True),
        ("completed", None, False, True),
        ("levitating", None, False, False),
        (None, None, False, False),
    ],
)
def test_it_is_reported_whether_a_run_is_over(
    status: object, conclusion: object, is_under_way: bool, has_ended: bool
) -> None:
    seen = build(run(status=status, conclusion=conclusion))
    assert (seen.is_under_way, seen.has_ended) == (is_under_way, has_ended)


FROM_THE_WORST = [
    ("completed", "failure"),
    ("completed", "action_required"),
    ("completed", "exploded"),
    ("in_progress", None),
    ("queued", None),
    ("completed", "cancelled"),
    ("completed", "success"),
    ("waiting", None),
    ("completed", "skipped"),
]


@pytest.mark.parametrize(("worse", "better"), list(itertools.pairwise(FROM_THE_WORST)))
@pytest.mark.parametrize("order", [1, -1])
def test_the_worst_workflow_decides_and_its_word_is_the_builds(
    worse: tuple[str, str | None], better: tuple[str, str | None], order: int
) -> None:
    first, second = (worse, better)[::order]
    one = run(status=first[0], conclusion=first[1])
    two = lint(status=second[0], conclusion=second[1])
    seen = build(one, two)
    alone = build(run(status=worse[0], conclusion=worse[1]))
    assert (seen.status, seen.status_word) == (alone.status, alone.status_word)


def test_a_failed_workflow_decides_while_another_runs_and_the_build_is_under_way() -> None:
    seen = build(run(conclusion="failure"), lint(status="in_progress", conclusion=None))
    assert (seen.status, seen.is_under_way, seen.has_ended, seen.finished_at) == (Status.FAILED, True, False, None)

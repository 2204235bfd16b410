"""What the end of a run means, by how the commit's earlier runs ended: the whole table."""

from __future__ import annotations

import pytest

from bot.core.model.builds import Status
from bot.core.model.verdicts import Meaning, Verdict, verdict_on

P, F = Status.PASSED, Status.FAILED
PROVES_NOTHING = [status for status in Status if status not in (P, F)]


@pytest.mark.parametrize(
    ("earlier", "after", "meaning", "in_a_row"),
    [
        ([F], P, Meaning.FLAKY, 1),
        ([P], F, Meaning.FLAKY, 1),
        ([F], F, Meaning.REAL, 2),
        ([P], P, Meaning.STEADY, 2),
        ([F, F, F], F, Meaning.REAL, 4),
        ([F, P, F], F, Meaning.REAL, 2),
        ([P, P, F], P, Meaning.FLAKY, 1),
        ([F, P, P], P, Meaning.STEADY, 3),
        ([F, F], P, Meaning.FLAKY, 1),
    ],
)
def test_two_conclusive_runs_give_a_verdict(
    earlier: list[Status], after: Status, meaning: Meaning, in_a_row: int
) -> None:
    assert verdict_on(earlier, after) == Verdict(meaning, earlier[-1], after, len(earlier) + 1, in_a_row)


@pytest.mark.parametrize("odd", PROVES_NOTHING)
def test_an_inconclusive_run_gives_no_verdict_on_either_side(odd: Status) -> None:
    for other in Status:
        assert verdict_on([odd], other).meaning is Meaning.NONE, other
        assert verdict_on([other], odd).meaning is Meaning.NONE, other
    assert verdict_on([F, odd], F).meaning is Meaning.NONE
    assert verdict_on([F, odd], F).in_a_row == 1


@pytest.mark.parametrize("after", Status)
def test_a_single_run_gives_no_verdict(after: Status) -> None:
    assert verdict_on([], after) == Verdict(Meaning.NONE, None, after, 1, 1)

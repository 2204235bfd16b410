"""Lengths of time in words, as tables."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.blocks.rich_text import ago, length, wait

NO_BREAK = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0s"),
        (0, "0s"),
        (0.9, "0s"),
        (58, "58s"),
        (59.99, "59s"),
        (60, "1m 0s"),
        (247, "4m 7s"),
        (3599, "59m 59s"),
        (3600, "1h 0m"),
        (3720, "1h 2m"),
        (86399, "23h 59m"),
        (86400, "1d 0h"),
        (2 * 86400 + 3 * 3600, "2d 3h"),
    ],
)
def test_a_length_has_two_units_at_most(seconds: float, words: str) -> None:
    assert length(seconds) == words.replace(" ", NO_BREAK)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3600, "just now"),
        (0.4, "just now"),
        (8, "8s ago"),
        (247, "4 min ago"),
        (7300, "2h ago"),
        (200_000, "2d ago"),
    ],
)
def test_ago_has_one_unit_and_is_never_negative(seconds: float, words: str) -> None:
    assert ago(seconds) == (words if words == "just now" else words.replace(" ", NO_BREAK))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1s"),
        (-3, "1s"),
        (39.2, "40s"),
        (60, "1m 0s"),
        (None, None),
        (math.inf, None),
        (math.nan, None),
        (1e12, None),
    ],
)
def test_a_wait_is_rounded_up_and_none_if_absurdly_long(seconds: float | None, words: str | None) -> None:
    assert wait(seconds) == (words and words.replace(" ", NO_BREAK))


@given(st.floats())
def test_any_number_can_be_formatted(seconds: float) -> None:
    for words in (length(seconds), ago(seconds), wait(seconds) or "later"):
        assert 0 < len(words) < 20
        assert "-" not in words

"""Durations in words, as tables."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.blocks.rich_text import ago, length, old, wait


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (0.9, "0 s"),
        (58, "58 s"),
        (59.99, "59 s"),
        (60, "1 min 00 s"),
        (247, "4 min 07 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (3720, "1 h 02 min"),
        (86399, "23 h 59 min"),
        (86400, "1 d 0 h"),
        (2 * 86400 + 3 * 3600, "2 d 3 h"),
    ],
)
def test_a_length_has_two_units_at_most(seconds: float, words: str) -> None:
    assert length(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3600, "just now"),
        (0.4, "just now"),
        (8, "8 s ago"),
        (247, "4 min ago"),
        (7300, "2 h ago"),
        (200_000, "2 d ago"),
    ],
)
def test_ago_has_one_unit_and_is_never_negative(seconds: float, words: str) -> None:
    assert ago(seconds) == words


def test_a_list_is_new_or_so_old() -> None:
    assert [old(0), old(-1), old(720)] == ["new", "new", "12 min old"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 s"),
        (-3, "1 s"),
        (39.2, "40 s"),
        (60, "1 min 00 s"),
        (None, None),
        (math.inf, None),
        (math.nan, None),
        (1e12, None),
    ],
)
def test_a_wait_is_rounded_up_and_unknown_if_no_one_can_wait_for_it(seconds: float | None, words: str | None) -> None:
    assert wait(seconds) == words


@given(st.floats())
def test_any_number_can_be_formatted(seconds: float) -> None:
    for words in (length(seconds), ago(seconds), old(seconds), wait(seconds) or "later"):
        assert 0 < len(words) < 20
        assert "-" not in words

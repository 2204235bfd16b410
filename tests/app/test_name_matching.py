"""Similar names: what is found, in which order, and that no word raises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.app.name_matching import nearest

NAMES = ["web", "api", "webshop", "my-web", "worker", "terraform", "docs"]


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("web", ["web", "my-web", "webshop"]),
        ("dcos", ["docs"]),
        ("webs", ["webshop", "web"]),
        ("webshp", ["webshop"]),
        ("terrafrom", ["terraform"]),
        ("wroker", ["worker"]),
        ("zzz", []),
        ("wor", ["worker"]),
        ("", []),
    ],
)
def test_names_with_the_word_come_first_then_those_that_differ_by_typos(word: str, found: list[str]) -> None:
    assert nearest(word, NAMES, limit=5) == found


def test_there_are_no_more_names_than_the_limit_and_no_duplicates() -> None:
    assert nearest("web", NAMES, limit=2) == ["web", "my-web"]
    found = nearest("web", NAMES, limit=5)
    assert len(found) == len(set(found)) <= 5


def test_a_name_that_shares_only_the_organisation_is_not_similar() -> None:
    names = ["acme/web", "acme/api", "acme/docs"]
    assert nearest("acme/wbe", names, limit=5) == ["acme/web"]
    assert nearest("acme/zzz", names, limit=5) == []


def test_without_names_nothing_is_similar() -> None:
    assert nearest("web", [], limit=5) == []


@given(st.text(st.characters()), st.lists(st.text(st.characters()), max_size=8, unique=True), st.integers(1, 6))
def test_no_word_raises_and_only_names_are_found(word: str, names: list[str], limit: int) -> None:
    found = nearest(word, names, limit=limit)
    assert set(found) <= set(names)
    assert len(found) == len(set(found)) <= limit


def test_a_word_that_ends_in_half_a_surrogate_pair_raises_nothing() -> None:
    assert nearest("web\ud83d", NAMES, limit=1) == ["web"]


def test_the_best_of_ten_thousand_comes_first() -> None:
    names = [f"org/repo{number}" for number in range(10_000)]
    assert nearest("repo1234", names, limit=3)[0] == "org/repo1234"
    assert nearest("org/rpeo1234", names, limit=3)[0] == "org/repo1234"

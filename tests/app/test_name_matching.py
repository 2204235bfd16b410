"""Similar names: what is found, in which order, and that no word raises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.app.name_matching import SCANNED, NearestNames, PreparedNames, nearest

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


MANY = tuple(
    f"team{number % 97}/{kind}-service-{number}" for number in range(12_500) for kind in ("web", "api", "job", "doc")
)


@pytest.fixture(scope="module")
def prepared() -> PreparedNames:
    return PreparedNames(MANY)


@pytest.mark.slow
@pytest.mark.parametrize(
    "word",
    ["team5/wbe-service-5", "team8/api-servcie-10000", "web-service-77", "service", "zzzzzz", "team96/", "a", "\n"],
)
def test_of_fifty_thousand_names_at_most_a_thousand_are_compared(prepared: PreparedNames, word: str) -> None:
    assert len(prepared.candidates(word)) <= SCANNED
    assert prepared.holding(word, 5) == sorted((name for name in MANY if word in name), key=len)[:5]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "meant"),
    [("team5/wbe-service-5", "team5/web-service-5"), ("team8/api-servcie-11939", "team8/api-service-11939")],
)
def test_a_typo_is_recognised_among_fifty_thousand_names(prepared: PreparedNames, typed: str, meant: str) -> None:
    assert meant in prepared.candidates(typed)
    matcher = NearestNames()
    assert matcher(typed, MANY, limit=5)[0] == nearest(typed, MANY, limit=5)[0] == meant


@pytest.mark.slow
def test_a_list_is_prepared_once() -> None:
    matcher = NearestNames()
    matcher("", MANY, limit=1)
    known = dict(matcher._lists)
    matcher("web", MANY, limit=1)
    assert [id(value) for value in matcher._lists.values()] == [id(value) for value in known.values()]


@given(st.text("ab-/", max_size=6), st.lists(st.text("ab-/", max_size=6), max_size=20, unique=True))
def test_prepared_names_find_what_contains_the_word_as_a_scan_does(word: str, names: list[str]) -> None:
    found = PreparedNames(tuple(names)).holding(word, 3) if word else []
    assert found == (sorted((name for name in names if word in name), key=len)[:3] if word else [])

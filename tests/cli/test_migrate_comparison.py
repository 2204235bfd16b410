"""Which repositories have moved, by name, and the pins that say so."""

from __future__ import annotations

import pytest

from bot.app.name_matching import nearest
from bot.cli.migrate import Match, matches, pins, table
from bot.core.lookup.ci_registry import Pin
from bot.core.model.builds import Project
from bot.core.model.names.name_patterns import NamePattern


def projects(service: str, *names: str) -> list[Project]:
    return [Project(str(number), name, service) for number, name in enumerate(names)]


def found(here: list[str], there: list[str], *kept: str) -> list[Match]:
    stay = [Pin(NamePattern((glob,)), "codeship") for glob in kept]
    return matches(projects("codeship", *here), projects("github", *there), stay, nearest)


@pytest.mark.parametrize(
    ("name", "there", "same", "maybe"),
    [
        ("acme/web", ["acme/web", "acme/website"], "acme/web", ()),
        ("Acme/Web", ["acme/web"], "acme/web", ()),
        ("acme/web", ["acme-inc/web", "acme/shop"], None, ("acme-inc/web",)),
        ("acme/payments", ["acme/payment", "acme/shop"], None, ("acme/payment",)),
        ("acme/web", ["acme/web-app", "old/web"], None, ("old/web", "acme/web-app")),
        ("acme/docs", ["acme/shop", "acme/site", "other/documents"], None, ()),
        ("acme/web", [], None, ()),
        ("web", ["acme/web"], None, ("acme/web",)),
    ],
)
def test_a_repository_matches_by_name_or_has_similar_candidates(
    name: str, there: list[str], same: str | None, maybe: tuple[str, ...]
) -> None:
    assert found([name], there) == [Match(name, same, maybe)]


def test_a_repository_that_matches_another_is_no_candidate() -> None:
    """other/web has not become acme/web, which is here as well."""
    assert found(["acme/web", "other/web"], ["acme/web"]) == [Match("acme/web", "acme/web"), Match("other/web")]


def test_two_projects_with_the_same_name_are_reported_once() -> None:
    assert [match.name for match in found(["acme/web", "Acme/web", "acme/api"], [])] == ["acme/api", "Acme/web"]


@pytest.mark.parametrize(
    ("here", "there", "kept", "expected"),
    [
        (["acme/web", "acme/api"], ["acme/web", "acme/api", "acme/shop"], [], ["acme/*=github"]),
        (["acme/web", "acme/api"], ["acme/web"], [], ["acme/web=github"]),
        (["acme/web"], ["acme/web"], [], ["acme/web=github"]),
        (["Acme/Web", "acme/api"], ["acme/web", "acme/api"], [], ["acme/*=github"]),
        (["acme/web", "b/a", "b/c", "b/d"], ["acme/web", "b/a", "b/c"], [], [
            "acme/web=github", "b/a=github", "b/c=github"]),
        (["acme/web", "acme/old", "acme/api"], ["acme/web", "acme/old", "acme/api"], ["acme/o*"], ["acme/*=github"]),
        (["acme/web", "acme/old"], ["acme/web", "acme/old"], ["acme/*"], []),
        (["acme/web"], ["acme/website"], [], []),
        (["web", "api"], ["web", "api"], [], ["api=github", "web=github"]),
        (["acme/a b", "acme/c,d=x"], ["acme/a b", "acme/c,d=x", "acme/e"], [], ["acme/*=github"]),
        (["acme/a b", "acme/web", "acme/e"], ["acme/a b", "acme/web"], [], ["acme/web=github"]),
        (["a=b,*/web", "a=b,*/api"], ["a=b,*/web", "a=b,*/api"], [], []),
    ],
)  # fmt: skip
def test_pins_are_minimal_and_unambiguous(
    here: list[str], there: list[str], kept: list[str], expected: list[str]
) -> None:
    assert pins(found(here, there, *kept), "github") == expected


def test_a_table_has_columns_and_no_character_that_controls_a_terminal() -> None:
    rows = [("acme/web", "-", "none"), ("a\x1b[2J\u202e", "acme/website", "maybe")]
    assert table(rows) == ["acme/web  -             none", "a?[2J?    acme/website  maybe"]

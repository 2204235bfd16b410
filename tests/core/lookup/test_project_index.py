"""Which repository a name refers to."""

from __future__ import annotations

from typing import ClassVar

import pytest

from bot.core.model.builds import Project
from bot.core.model.errors import AmbiguousProject, NoSuchProject
from tests.core.world import PATIENCE_S, World, project

WEB, API, OTHER_WEB = project(1, "acme/web"), project(2, "Acme/API"), project(3, "initech/web")
NEW = project(9, "acme/new")


def find(world: World, *names: str, timeout_s: float = PATIENCE_S) -> Project:
    return world.find(*names, timeout_s=timeout_s)


def calls(world: World) -> int:
    return world.ci.calls.count("projects")


@pytest.mark.parametrize("name", ["acme/web", "ACME/Web", "Acme/wEB"])
def test_a_name_is_found_in_any_case(world: World, name: str) -> None:
    world.knows(WEB, API, OTHER_WEB)
    assert find(world, name) == WEB
    assert calls(world) == 0


@pytest.mark.parametrize("name", ["api", "API", "Acme/api"])
def test_a_name_without_its_organisation_is_enough_if_only_one_has_it(world: World, name: str) -> None:
    world.knows(WEB, API, OTHER_WEB)
    assert find(world, name) == API


def test_a_name_without_its_organisation_is_ambiguous_if_several_have_it(world: World) -> None:
    world.knows(OTHER_WEB, WEB, API)
    with pytest.raises(AmbiguousProject) as caught:
        find(world, "Web")
    assert (caught.value.name, caught.value.candidates) == ("Web", (WEB, OTHER_WEB))
    assert calls(world) == 0


def test_a_repository_without_an_organisation_wins_over_those_of_organisations(world: World) -> None:
    bare = project(4, "web")
    world.knows(WEB, bare, OTHER_WEB)
    assert find(world, "web") == bare


def test_of_names_that_differ_only_in_case_the_exact_one_is_found(world: World) -> None:
    upper = project(5, "acme/WEB")
    world.knows(WEB, upper)
    assert find(world, "acme/web") == WEB
    assert find(world, "acme/WEB") == upper
    with pytest.raises(AmbiguousProject) as caught:
        find(world, "Acme/Web")
    assert set(caught.value.candidates) == {WEB, upper}


def test_a_repository_listed_twice_counts_once(world: World) -> None:
    world.knows(WEB, API, WEB)
    assert find(world, "web") == WEB
    assert world.directory.size == 2


def test_groups_may_nest(world: World) -> None:
    nested = project(6, "group/sub/name")
    world.knows(nested, WEB)
    assert find(world, "Group/Sub/Name") == find(world, "name") == nested


def test_all_spellings_are_tried_in_order_before_the_list_is_requested(world: World) -> None:
    world.knows(WEB, project(7, "acme/web."), API)
    assert find(world, "acme/web.", "acme/web").id == "7"
    assert find(world, "`acme/api`", "acme/api") == API
    assert calls(world) == 0


def test_a_button_names_a_repository_by_its_id(world: World) -> None:
    world.knows(WEB, API)
    assert world.directory.by_id("2", timeout_s=PATIENCE_S) == API
    assert calls(world) == 0


def test_an_unknown_id_causes_one_refresh(world: World) -> None:
    world.knows(WEB)
    world.ci.account.append(NEW)
    assert world.directory.by_id("9", timeout_s=PATIENCE_S) == NEW
    assert calls(world) == 1


def test_no_name_is_similar_to_an_id(world: World) -> None:
    world.knows(project(1, "acme/project-12"))
    with pytest.raises(NoSuchProject) as caught:
        world.directory.by_id("12", timeout_s=PATIENCE_S)
    assert (caught.value.name, caught.value.nearest, caught.value.known) == ("project 12", (), 1)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("acme/wbe", ["acme/web"]),
        ("ACME/WBE", ["acme/web"]),
        ("initec/web", ["initech/web"]),
        ("webb", ["acme/web", "initech/web"]),
        ("WE", ["acme/web", "initech/web"]),
        ("pi", ["Acme/API"]),
        ("zzzzz", []),
    ],
)
def test_a_miss_names_the_nearest(world: World, name: str, near: list[str]) -> None:
    world.knows(WEB, API, OTHER_WEB)
    with pytest.raises(NoSuchProject) as caught:
        find(world, name)
    assert [each.name for each in caught.value.nearest] == near


def test_a_missing_name_is_reported_as_typed_and_searched_without_decoration(world: World) -> None:
    world.knows(WEB)
    with pytest.raises(NoSuchProject) as caught:
        find(world, "“webb”", '"webb"', "webb")
    assert (caught.value.name, caught.value.nearest) == ("“webb”", (WEB,))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", ["acme/api", "acme/web", "initech/web"]),
        ("WEB", ["acme/web", "initech/web"]),
        ("web acme", ["acme/web"]),
        ("  e/a ", ["acme/api"]),
        ("web zzz", []),
    ],
)
def test_projects_shows_names_that_contain_every_word(world: World, words: str, found: list[str]) -> None:
    world.knows(OTHER_WEB, WEB, API)
    assert [each.name.lower() for each in world.directory.matching(words, timeout_s=PATIENCE_S)] == found


class Counted(str):
    """A name that counts how often it is read."""

    __slots__ = ()
    lowered: ClassVar[list[str]] = []

    def lower(self) -> str:
        self.lowered.append(self)
        return super().lower()


def test_finding_one_of_ten_thousand_names_reads_no_other(world: World) -> None:
    many = [Project(str(number), Counted(f"org{number % 50}/repo{number}"), "codeship") for number in range(10_000)]
    world.knows(*many)
    Counted.lowered.clear()
    for number in range(0, 10_000, 100):
        assert find(world, f"ORG{number % 50}/Repo{number}").id == str(number)
        assert find(world, f"repo{number}").id == str(number)
        assert world.directory.by_id(str(number), timeout_s=0.0).id == str(number)
    assert Counted.lowered == []
    world.directory.matching("repo99", timeout_s=0.0)
    assert len(Counted.lowered) == 10_000

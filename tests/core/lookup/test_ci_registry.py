"""Several CI services: which one has a repository, and what works while one of them is down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from bot.core.model.builds import Status
from bot.core.model.command_values import BranchCommand, ListProjects, ShowAudit, Verb, Word
from bot.core.model.errors import AmbiguousProject, NoSuchProject, NotFound, Unreachable
from bot.core.model.outcomes import AuditShown, BuildShown, ProjectsShown, Restarted
from tests.core.half_moved import HalfMoved, of_workflows, on_github, run
from tests.core.world import build, project, restart, target
from tests.core.world import status as status_of

OLD, MOVED = project(1, "acme/old"), on_github(2, "acme/moved")
HERE, THERE = project(3, "acme/web"), on_github(3, "acme/web")
DOWN = Unreachable("GitHub Actions", "the connection was refused")

Make = Callable[..., HalfMoved]


@pytest.fixture
def make() -> Iterator[Make]:
    """A team with two services, and with pins if any are given."""
    with ExitStack() as stack:

        def made(*pins: tuple[str, str]) -> HalfMoved:
            team = HalfMoved(*pins)
            stack.callback(team.close)
            return team

        yield made


def test_a_repository_belongs_to_the_service_that_has_it(make: Make) -> None:
    team = make()
    team.knows(OLD, MOVED)
    assert (team.find("acme/old"), team.find("acme/moved"), team.find("moved")) == (OLD, MOVED, MOVED)


def test_the_same_words_reach_the_service_that_has_the_repository(make: Make) -> None:
    team = make()
    passed, failed = build(7, OLD, status=Status.PASSED), of_workflows("b1", MOVED, run(1, "CI", Status.PASSED))
    team.has(passed, failed)
    assert team.ask(status_of("acme/old", "main")) == BuildShown(passed)
    assert team.ask(status_of("acme/moved", "main")) == BuildShown(failed)
    assert (team.codeship.calls, team.github.calls) == (["builds"], ["builds"])


def test_a_name_at_two_services_is_ambiguous(make: Make) -> None:
    team = make()
    team.knows(HERE, THERE)
    with pytest.raises(AmbiguousProject) as caught:
        team.find("acme/web")
    assert caught.value.candidates == (HERE, THERE)


@pytest.mark.parametrize("typed", ["acme/web@github", "ACME/Web@GitHub", "web@github"])
def test_a_name_can_include_its_service(make: Make, typed: str) -> None:
    team = make(("acme/*", "codeship"))
    team.knows(HERE, THERE)
    assert team.find(typed) == THERE


def test_a_name_missing_at_the_named_service_is_offered_from_another_and_not_used(make: Make) -> None:
    team = make()
    team.knows(OLD, on_github(2, "acme/unlike-it"))
    with pytest.raises(NoSuchProject) as caught:
        team.find("acme/old@github")
    assert (caught.value.nearest, caught.value.known) == ((OLD,), 1)


@pytest.mark.parametrize(
    ("typed", "branch"),
    [
        ("acme/old@gitlab", "gitlab"),
        ("acme/old:fix/a&b#c", "fix/a&b#c"),
        ("old#main", "main"),
        ("acme/old@codeship:main", "main"),
        ("acme/old@codeship@main", "main"),
        ("acme/old@codeship", None),
    ],
)
def test_a_branch_may_follow_the_name_in_the_same_word(make: Make, typed: str, branch: str | None) -> None:
    team = make()
    team.knows(OLD)
    meant = team.services.resolve(Word.of(typed), timeout_s=1.0)
    assert (meant.project, meant.branch) == (OLD, Word.of(branch) if branch else None)


def test_a_typo_in_the_name_keeps_the_branch_of_the_same_word_out_of_the_name(make: Make) -> None:
    team = make()
    team.knows(OLD)
    with pytest.raises(NoSuchProject) as caught:
        team.find("acme/odl@main")
    assert (caught.value.name, caught.value.nearest, caught.value.branch) == ("acme/odl", (OLD,), "main")


@pytest.mark.parametrize(
    ("pins", "found"),
    [
        ([("acme/web", "github")], THERE),
        ([("ACME/*", "codeship")], HERE),
        ([("acme/w*", "github"), ("acme/*", "codeship")], THERE),
        ([("acme/*", "codeship"), ("acme/web", "github")], HERE),
    ],
)
def test_the_first_matching_pin_decides(make: Make, pins: list[tuple[str, str]], found: object) -> None:
    team = make(*pins)
    team.knows(HERE, THERE)
    assert team.find("acme/web") == found
    assert team.find("web") == found


def test_a_pin_does_not_hide_a_repository_that_only_another_service_has(make: Make) -> None:
    team = make(("acme/*", "github"))
    team.knows(OLD, MOVED)
    assert team.find("acme/old") == OLD


def test_a_pinned_repository_is_not_taken_from_another_service_while_its_own_is_down(make: Make) -> None:
    team = make(("acme/*", "github"))
    team.codeship.account.append(HERE)
    next(iter(team.services)).project_index.refresh()
    team.github.failures["projects"] = [DOWN, DOWN]
    with pytest.raises(Unreachable):
        team.find("acme/web")
    assert team.find("acme/web@codeship") == HERE


def test_if_one_service_is_down_the_other_still_answers(make: Make) -> None:
    team = make()
    team.codeship.account.append(OLD)
    team.github.failures["projects"] = [DOWN, DOWN]
    assert team.find("acme/old") == OLD
    with pytest.raises(NoSuchProject) as caught:
        team.find("acme/moved")
    assert caught.value.stale_because is DOWN
    shown = team.ask(ListProjects())
    assert isinstance(shown, ProjectsShown)
    assert (shown.projects, shown.stale) == ((OLD,), ((DOWN, None),))


def test_an_action_fails_if_the_list_of_a_possible_service_was_never_read(make: Make) -> None:
    team = make()
    found = build(7, HERE)
    team.codeship.all_builds, team.codeship.account = [found], [HERE]
    team.github.failures["projects"] = [DOWN] * 4
    assert team.ask(status_of("acme/web", "main")) == BuildShown(found)
    with pytest.raises(Unreachable):
        team.ask(restart("acme/web", "main"))
    assert isinstance(team.ask(restart("acme/web@codeship", "main")), Restarted)


def test_if_every_service_is_down_no_repository_is_reported_as_unknown(make: Make) -> None:
    team = make()
    for ci in (team.codeship, team.github):
        ci.failures["projects"] = [DOWN, DOWN]
    with pytest.raises(Unreachable):
        team.find("acme/web")
    with pytest.raises(Unreachable):
        team.ask(ListProjects())


def test_an_unknown_name_causes_one_list_request_per_service(make: Make) -> None:
    team = make()
    team.knows(OLD, MOVED)
    team.clock.advance(60)
    team.github.account.append(on_github(9, "acme/new"))
    assert team.find("acme/new").id == "9"
    assert (team.codeship.calls, team.github.calls) == (["projects"], ["projects"])


def test_the_nearest_names_come_from_every_service(make: Make) -> None:
    team = make()
    team.knows(project(1, "acme/webb"), on_github(2, "acme/wep"), on_github(4, "acme/unlike"))
    with pytest.raises(NoSuchProject) as caught:
        team.find("acme/wek")
    assert {near.name for near in caught.value.nearest} == {"acme/webb", "acme/wep"}
    assert caught.value.known == 3


def test_projects_shows_each_repository_with_its_service_and_a_pinned_one_once(make: Make) -> None:
    team = make(("acme/web", "github"))
    team.knows(OLD, MOVED, HERE, THERE)
    assert team.ask(ListProjects()) == ProjectsShown("", (MOVED, OLD, THERE), 1, 1, 3, with_services=True)


def test_a_repository_that_two_services_have_is_listed_twice_in_projects(make: Make) -> None:
    team = make()
    team.knows(HERE, THERE)
    assert team.ask(ListProjects("web")) == ProjectsShown("web", (HERE, THERE), 1, 1, 2, with_services=True)


def test_a_pasted_page_of_a_run_means_only_that_run(make: Make) -> None:
    team = make(("acme/*", "codeship"))
    found = of_workflows("b1", THERE, run(11, "CI", Status.FAILED), run(12, "Docs", Status.PASSED))
    team.has(found, build(7, HERE))
    page = "https://github.com/acme/web/actions/runs/12"
    assert team.ask(BranchCommand(Verb.STATUS, Word.of(page))) == BuildShown(found.only("12"))


def test_a_button_of_a_service_that_is_no_longer_configured_says_so(make: Make) -> None:
    team = make()
    team.knows(OLD)
    other = build(7, project(1, "acme/old"))
    with pytest.raises(NotFound, match="no longer set up"):
        team.services.of("gitlab")
    assert team.services.of(target(other).service).name == "codeship"


def test_the_audit_covers_all_services_newest_first(make: Make) -> None:
    team = make()
    team.knows(OLD, MOVED)
    shown = team.ask(ShowAudit())
    assert shown == AuditShown(None, ())
    assert team.ask(ShowAudit(Word.of("acme/moved"))) == AuditShown(MOVED, ())


@pytest.mark.parametrize(
    ("typed", "hidden"), [("acme/nope", ("7",)), ("acme/nope@github", ("7",)), ("nope@codeship", ())]
)
def test_a_missing_repository_names_the_organizations_that_are_hidden(
    make: Make, typed: str, hidden: tuple[str, ...]
) -> None:
    team = make()
    team.knows(OLD, MOVED)
    team.github.hidden_organizations = ("7",)
    with pytest.raises(NoSuchProject) as raised:
        team.find(typed)
    assert raised.value.hidden == hidden

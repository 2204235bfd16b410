"""A command acts on what a pasted page shows. If that is unclear, the bot asks; it never guesses a branch."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.lookup.repo_urls import page_in
from bot.core.model.builds import Ability, Page
from bot.core.model.command_values import BranchCommand, Verb, Word
from bot.core.model.errors import BranchRequired, BuildTooOld, NoSuchBranch, NotFound
from bot.core.model.outcomes import BuildShown
from tests.core.world import World, build, project

SHA = "96943dc5269634c211b6fbb18896ecdcbd40a047"
GITHUB, GITLAB = "https://github.com/acme/web", "https://gitlab.com/acme/web"
UNCLEAR = Page(name="acme/web", is_unclear=True)
PULL_12 = Page(name="acme/web", pull_request=12)


@pytest.mark.parametrize(
    ("url", "page"),
    [
        (GITHUB, Page(name="acme/web")),
        ("git@github.com:acme/web.git", Page(name="acme/web")),
        (f"{GITHUB}/pull/12", PULL_12),
        (f"{GITHUB}/pull/12/files", PULL_12),
        (f"{GITHUB}/pull/12/checks?check_run_id=7", PULL_12),
        ("acme/web#12", PULL_12),
        (f"{GITHUB}/pull/new/fix", UNCLEAR),
        (f"{GITHUB}/pulls", UNCLEAR),
        (f"{GITHUB}/commit/{SHA}", Page(name="acme/web", commit=SHA)),
        (f"{GITHUB}/commit/{SHA[:7]}", Page(name="acme/web", commit=SHA[:7])),
        (f"{GITHUB}/commits/{SHA}", Page(name="acme/web", commit=SHA)),
        (f"{GITHUB}/commits/dev", Page(name="acme/web", branch="dev")),
        (f"{GITHUB}/tree/fix/1", Page(name="acme/web", branch="fix/1")),
        (f"{GITHUB}/compare/main...dev", Page(name="acme/web", branch="dev")),
        (f"{GITHUB}/compare/main...fix/1", Page(name="acme/web", branch="fix/1")),
        (f"{GITHUB}/compare/main...eve:fix", Page(name="acme/web", branch="eve:fix")),
        (f"{GITHUB}/compare/dev", UNCLEAR),
        (f"{GITHUB}/issues/5", UNCLEAR),
        (f"{GITHUB}/blob/main/README.md", UNCLEAR),
        (f"{GITHUB}/releases/tag/v1.2", UNCLEAR),
        (f"{GITLAB}/-/commit/{SHA}", Page(name="acme/web", commit=SHA)),
        (f"{GITLAB}/-/merge_requests/12", UNCLEAR),
        (f"{GITLAB}/-/tree/dev", Page(name="acme/web", branch="dev")),
        ("https://bitbucket.org/acme/web/pull-requests/12", UNCLEAR),
        ("acme/web", None),
        ("acme/web#main", None),
    ],
)
def test_a_page_says_what_it_shows(url: str, page: Page | None) -> None:
    assert page_in(url) == page


WEB = project(1, "acme/web")
MAIN = replace(build(7, WEB), commit=SHA)
DEV = replace(build(5, WEB, "dev"), commit="1f0c2b8d3e4a5968776a5b4c3d2e1f0a9b8c7d6e")
PAGES_THAT_NAME_NO_BRANCH = [
    f"{GITHUB}/pull/12",
    "acme/web#12",
    f"{GITHUB}/issues/5",
    f"{GITHUB}/blob/main/README.md",
    f"{GITHUB}/compare/dev",
    f"{GITHUB}/releases/tag/v1.2",
]


def _restarted(world: World) -> list[str]:
    return [build_id for build_id, _run, _running in world.ci.posts]


@pytest.fixture
def web(world: World) -> World:
    """Builds on two branches, the newest on main."""
    world.has(MAIN, DEV)
    return world


@pytest.mark.parametrize("url", PAGES_THAT_NAME_NO_BRANCH)
def test_a_page_without_a_branch_restarts_nothing_and_asks_which(web: World, url: str) -> None:
    with pytest.raises(BranchRequired) as raised:
        web.ask(BranchCommand(Verb.RESTART, Word.of(url)))
    assert (raised.value.branches, _restarted(web)) == (("main", "dev"), [])


@pytest.mark.parametrize("url", PAGES_THAT_NAME_NO_BRANCH)
def test_the_branch_is_not_guessed_even_if_there_is_only_one(world: World, url: str) -> None:
    world.has(MAIN)
    with pytest.raises(BranchRequired):
        world.ask(BranchCommand(Verb.RESTART, Word.of(url)))
    assert _restarted(world) == []


@pytest.mark.parametrize("url", [f"{GITHUB}/pull/12", "acme/web#12"])
def test_a_pull_request_means_its_head_branch(web: World, url: str) -> None:
    web.ci.located[PULL_12] = replace(PULL_12, branch="dev")
    web.ask(BranchCommand(Verb.RESTART, Word.of(url)))
    assert _restarted(web) == [DEV.id]


def test_a_pull_request_that_does_not_exist_is_said_to_be_missing(web: World) -> None:
    web.ci.located[PULL_12] = NotFound("GitHub")
    with pytest.raises(NoSuchBranch) as raised:
        web.ask(BranchCommand(Verb.RESTART, Word.of("acme/web#12")))
    assert (raised.value.pull_request, raised.value.branches, _restarted(web)) == (12, ("main", "dev"), [])


@pytest.mark.parametrize(
    "verb", [Verb.STATUS, Verb.RESTART, Verb.CANCEL, Verb.FOLLOW, Verb.LOGS, Verb.BUILDS, Verb.WHY]
)
def test_every_command_for_a_branch_takes_a_pull_request(web: World, verb: Verb) -> None:
    web.ci.abilities = frozenset(Ability)
    web.ci.located[PULL_12] = replace(PULL_12, branch="dev")
    web.ask(BranchCommand(verb, Word.of("acme/web#12")))
    assert "dev" in web.ci.branches_asked


def test_a_pull_request_of_a_fork_means_the_forks_branch(world: World) -> None:
    of_fork = replace(build(8, WEB, "eve:main"), commit=SHA)
    world.has(of_fork, DEV)
    world.ci.located[PULL_12] = replace(PULL_12, branch="eve:main")
    outcome = world.ask(BranchCommand(Verb.STATUS, Word.of(f"{GITHUB}/pull/12")))
    assert isinstance(outcome, BuildShown)
    assert outcome.build.branch == "eve:main"


@pytest.mark.parametrize("sha", [DEV.commit, str(DEV.commit)[:7]])
def test_a_commit_means_its_build(web: World, sha: str) -> None:
    web.ask(BranchCommand(Verb.RESTART, Word.of(f"{GITHUB}/commit/{sha}")))
    assert _restarted(web) == [DEV.id]


def test_a_commit_without_builds_restarts_nothing(web: World) -> None:
    with pytest.raises(BuildTooOld):
        web.ask(BranchCommand(Verb.RESTART, Word.of(f"{GITHUB}/commit/{'0' * 40}")))
    assert _restarted(web) == []


def test_a_commit_on_two_branches_asks_which(world: World) -> None:
    world.has(MAIN, replace(DEV, commit=SHA))
    with pytest.raises(BranchRequired):
        world.ask(BranchCommand(Verb.RESTART, Word.of(f"{GITHUB}/commit/{SHA}")))
    assert _restarted(world) == []


def test_a_comparison_means_the_branch_that_is_compared(web: World) -> None:
    web.ask(BranchCommand(Verb.RESTART, Word.of(f"{GITHUB}/compare/main...dev")))
    assert _restarted(web) == [DEV.id]


def test_a_branch_typed_next_to_a_page_is_used(web: World) -> None:
    web.ask(BranchCommand(Verb.RESTART, Word.of(f"{GITHUB}/pull/12"), Word.of("dev")))
    assert _restarted(web) == [DEV.id]

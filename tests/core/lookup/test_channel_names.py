"""Default repositories and aliases of a channel: what they mean, and who may set them."""

from __future__ import annotations

import pytest

from bot.core.model.builds import Location
from bot.core.model.command_values import HERE, BranchCommand, NameCommand, Verb, Word
from bot.core.model.errors import NoSuchProject, NotAllowed, NotUnderstood
from bot.core.model.names.channel_names import MAX_ALIASES
from bot.core.model.outcomes import BuildShown, ChannelNamesShown
from bot.core.model.policy import EVERYONE, NamePattern, Policy, Rule, Subjects
from tests.core.world import ADA, BOB, BUILDS, World, build, project, restart, status

WEB, API = project(1, "acme/web"), project(2, "acme/api")
MAIN, DEV, OF_API = build(7, WEB), build(5, WEB, "dev"), build(3, API)


@pytest.fixture
def web(world: World) -> World:
    world.has(MAIN, DEV, OF_API)
    return world


def _use(repo: str | None, branch: str | None = None) -> NameCommand:
    return NameCommand(Verb.USE, "", Word.of(repo) if repo else None, Word.of(branch) if branch else None)


def _alias(name: str, repo: str | None) -> NameCommand:
    return NameCommand(Verb.ALIAS, name, Word.of(repo) if repo else None)


def _here(verb: Verb = Verb.STATUS) -> BranchCommand:
    return BranchCommand(verb, HERE)


def _shown(outcome: object) -> object:
    assert isinstance(outcome, BuildShown)
    return outcome.build


def test_a_command_without_a_repository_means_the_default(web: World) -> None:
    with pytest.raises(NotUnderstood):
        web.ask(_here())
    web.ask(_use("acme/web", "dev"))
    assert _shown(web.ask(_here())) == DEV
    web.ask(_use("web", "main"))
    assert _shown(web.ask(_here())) == MAIN


def test_another_channel_has_its_own_names(web: World) -> None:
    web.ask(_use("acme/web", "main"))
    assert web.operations.spelled_out(_here(), BUILDS) != _here()
    with pytest.raises(NotUnderstood):
        web.operations.spelled_out(_here(), Location("C0OTHER"))


@pytest.mark.parametrize(
    "command",
    [
        status("site"),
        status("SITE", "main"),
        status("site:main"),
        status("main", "site"),
        BranchCommand(Verb.STATUS, Word.of("site"), is_guess=True),
    ],
)
def test_an_alias_means_its_repository(web: World, command: BranchCommand) -> None:
    web.ask(_alias("Site", "acme/api"))
    assert _shown(web.ask(command)) == OF_API


def test_a_real_repositorys_name_wins(web: World) -> None:
    web.ask(_alias("site", "acme/api"))
    site = project(3, "acme/site")
    web.has(build(9, site), MAIN, OF_API)
    web.directory.refresh()
    assert _shown(web.ask(status("site"))) == build(9, site)
    with pytest.raises(NotUnderstood):
        web.ask(_alias("web", "acme/api"))


@pytest.mark.parametrize("name", ["status", "stop", "a/b", "-x", "x" * 51])
def test_what_cannot_be_an_alias_is_refused(web: World, name: str) -> None:
    with pytest.raises(NotUnderstood):
        web.ask(_alias(name, "acme/api"))


def test_an_unknown_repository_gets_no_alias(web: World) -> None:
    with pytest.raises(NoSuchProject):
        web.ask(_alias("site", "acme/none"))


def test_a_channel_has_a_bounded_number_of_aliases(web: World) -> None:
    web.ask(_use("acme/web"))
    for number in range(MAX_ALIASES):
        web.ask(_alias(f"a{number}", "acme/api"))
    with pytest.raises(NotUnderstood):
        web.ask(_alias("more", "acme/api"))
    web.ask(_alias("a0", "acme/web"))


def test_names_are_removed_and_shown(web: World) -> None:
    web.ask(_use("acme/web"))
    web.ask(_alias("site", "acme/api"))
    shown = web.ask(NameCommand(Verb.SETTINGS, is_question=True))
    assert isinstance(shown, ChannelNamesShown)
    assert [(name.alias, name.repo) for name in shown.names] == [
        ("", "acme/web@codeship"),
        ("site", "acme/api@codeship"),
    ]
    gone = web.ask(_alias("site", None))
    assert isinstance(gone, ChannelNamesShown)
    assert gone.removed is not None
    assert [name.alias for name in gone.names] == [""]
    with pytest.raises(NoSuchProject):
        web.ask(restart("site"))


def test_the_policy_says_who_may_set_and_remove_them(web: World) -> None:
    only_ada = Rule(Subjects(frozenset({ADA.id})), actions=("defaults",), repos=NamePattern(("acme/*",)))
    web.rights.set_policy(Policy((only_ada, Rule(EVERYONE))))
    web.ask(_use("acme/web"))
    for command in (_use("acme/api"), _use(None), _alias("site", "acme/api")):
        with pytest.raises(NotAllowed):
            web.ask(command, BOB)
    web.ask(NameCommand(Verb.SETTINGS, is_question=True), BOB)

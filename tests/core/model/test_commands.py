"""The command grammar, as a table."""

from __future__ import annotations

import pytest

from bot.core.model.command_entries import Command
from bot.core.model.command_values import (
    HERE,
    BranchCommand,
    ListProjects,
    NameCommand,
    ShowAudit,
    ShowHelp,
    Verb,
    Word,
)
from bot.core.model.commands import TABLE, entry_for, parse, unknown_command
from bot.core.model.errors import NotUnderstood


def words(text: str) -> tuple[Word, ...]:
    return tuple(Word.of(word) for word in text.split())


WEB, MAIN = Word.of("acme/web"), Word.of("main")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("", ShowHelp()),
        ("help", ShowHelp()),
        ("HELP", ShowHelp()),
        ("help restart", ShowHelp("restart")),
        ("help nonsense", ShowHelp()),
        ("help restart please", ShowHelp("restart")),
        ("status acme/web", BranchCommand(Verb.STATUS, WEB)),
        ("status acme/web main", BranchCommand(Verb.STATUS, WEB, MAIN)),
        ("status acme/web main ?", BranchCommand(Verb.STATUS, WEB, MAIN)),
        ("?", ShowHelp()),
        ("Status acme/web main", BranchCommand(Verb.STATUS, WEB, MAIN)),
        ("restart acme/web", BranchCommand(Verb.RESTART, WEB)),
        ("restart acme/web main", BranchCommand(Verb.RESTART, WEB, MAIN)),
        ("builds acme/web", BranchCommand(Verb.BUILDS, WEB)),
        ("builds acme/web feature/a&b#c", BranchCommand(Verb.BUILDS, WEB, Word.of("feature/a&b#c"))),
        ("audit", ShowAudit()),
        ("audit acme/web", ShowAudit(WEB)),
        ("projects", ListProjects()),
        ("projects web api", ListProjects("web api")),
        ("cancel acme/web main", BranchCommand(Verb.CANCEL, WEB, MAIN)),
        ("stop acme/web main", BranchCommand(Verb.CANCEL, WEB, MAIN)),
        ("Abort acme/web", BranchCommand(Verb.CANCEL, WEB)),
        ("rerun acme/web main", BranchCommand(Verb.RESTART, WEB, MAIN)),
        ("re-run acme/web main", BranchCommand(Verb.RESTART, WEB, MAIN)),
        ("rebuild acme/web main", BranchCommand(Verb.RESTART, WEB, MAIN)),
        ("retry acme/web main", BranchCommand(Verb.RESTART, WEB, MAIN)),
        ("watch acme/web main", BranchCommand(Verb.FOLLOW, WEB, MAIN)),
        ("logs acme/web main", BranchCommand(Verb.LOGS, WEB, MAIN)),
        ("list web", ListProjects("web")),
        ("repos", ListProjects()),
        ("help stop", ShowHelp("cancel")),
        ("status", BranchCommand(Verb.STATUS, HERE)),
        ("restart please", BranchCommand(Verb.RESTART, HERE)),
        ("use acme/web", NameCommand(Verb.USE, "", WEB)),
        ("use acme/web main", NameCommand(Verb.USE, "", WEB, MAIN)),
        ("use none", NameCommand(Verb.USE)),
        ("alias site acme/web", NameCommand(Verb.ALIAS, "site", WEB)),
        ("alias site acme/web main", NameCommand(Verb.ALIAS, "site", WEB, MAIN)),
        ("alias site none", NameCommand(Verb.ALIAS, "site")),
        ("settings", NameCommand(Verb.SETTINGS, is_question=True)),
        ("list repos", ListProjects()),
        ("list all repositories", ListProjects()),
        ("list all web", ListProjects("web")),
        ("restart acme/web main please", BranchCommand(Verb.RESTART, WEB, MAIN)),
        ("restart acme/web please", BranchCommand(Verb.RESTART, WEB)),
        ("restart acme/web main again, thanks".replace(",", ""), BranchCommand(Verb.RESTART, WEB, MAIN)),
        ("restart acme/web on main", BranchCommand(Verb.RESTART, WEB, MAIN)),
        ("restart the acme/web build", BranchCommand(Verb.RESTART, WEB)),
        ("restart the latest build of acme/web on the branch main", BranchCommand(Verb.RESTART, WEB, MAIN)),
        ("status of acme/web", BranchCommand(Verb.STATUS, WEB)),
        ("status of main on acme/web", BranchCommand(Verb.STATUS, MAIN, WEB)),
        ("builds of acme/web", BranchCommand(Verb.BUILDS, WEB)),
        ("show me the status of acme/web", BranchCommand(Verb.STATUS, WEB)),
        ("what is the status of main on acme/web ?", BranchCommand(Verb.STATUS, MAIN, WEB)),
        ("could you please restart acme/web main", BranchCommand(Verb.RESTART, WEB, MAIN)),
        ("status acme/web on", BranchCommand(Verb.STATUS, WEB, Word.of("on"))),
        ("status acme/web build", BranchCommand(Verb.STATUS, WEB, Word.of("build"))),
        ("status build main", BranchCommand(Verb.STATUS, Word.of("build"), MAIN)),
        ("acme/web", BranchCommand(Verb.STATUS, WEB)),
        ("acme/web main", BranchCommand(Verb.STATUS, WEB, MAIN)),
        ("how is acme/web main", BranchCommand(Verb.STATUS, WEB, MAIN)),
        ("web", BranchCommand(Verb.STATUS, Word.of("web"), is_guess=True)),
        ("main on web", BranchCommand(Verb.STATUS, MAIN, Word.of("web"), is_guess=True)),
        ("make me a sandwich", BranchCommand(Verb.STATUS, Word.of("make"), Word.of("sandwich"), is_guess=True)),
    ],
)
def test_every_valid_command_is_parsed(text: str, command: Command) -> None:
    assert parse(words(text)) == command


@pytest.mark.parametrize(
    ("text", "topic", "instead"),
    [
        ("use", "use", None),
        ("use acme/web main dev", "use", None),
        ("alias site", "alias", None),
        ("audit acme/web main", "audit", "audit acme/web"),
        ("status acme/web main dev", "status", "status acme/web main"),
        ("statsu acme/web main", "status", "status acme/web main"),
        ("statsu of main on acme/web", "status", "status main acme/web"),
        ("is the restart of acme/web main through", "status", "status acme/web main"),
        ("please do not restart acme/web main", "status", "status acme/web main"),
        ("is acme/web main green?", "status", "status acme/web main"),
        ("why did acme/shop main fail", "why", "why acme/shop main"),
        ("let us go and have lunch", None, None),
    ],
)
def test_an_invalid_command_is_answered_with_a_valid_one(text: str, topic: str | None, instead: str | None) -> None:
    with pytest.raises(NotUnderstood) as caught:
        parse(words(text))
    assert (caught.value.topic, caught.value.instead) == (topic, instead)


@pytest.mark.parametrize(
    ("text", "nearest", "instead"),
    [
        ("restrat acme/web", None, "restart acme/web"),
        ("statsu", None, "status"),
        ("wbe", "acme/web", "status acme/web"),
        ("wbe main", "acme/web", "status acme/web main"),
        ("statsu", "acme/statues", "status acme/statues"),
        ("statsu web", "acme/statues", "status web"),
        ("nonsense", None, None),
    ],
)
def test_one_command_is_proposed_for_words_without_a_verb(text: str, nearest: str | None, instead: str | None) -> None:
    assert unknown_command(words(text), nearest).instead == instead


def test_a_verb_is_known_in_any_of_its_spellings() -> None:
    assert parse((Word.of("“status”", "status"), WEB)) == BranchCommand(Verb.STATUS, WEB)


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: entry.verb)
def test_every_example_in_the_table_parses_to_its_own_verb(entry: object) -> None:
    parse(words(entry.example))  # type: ignore[attr-defined]
    assert entry.usage.startswith(entry.verb)  # type: ignore[attr-defined]
    assert entry_for(entry.verb) is entry  # type: ignore[attr-defined]


def test_a_verb_that_is_not_in_the_table_has_no_row() -> None:
    with pytest.raises(KeyError):
        entry_for("deploy")


def test_no_two_verbs_share_a_name() -> None:
    names = [name for entry in TABLE for name in (entry.verb.value, *entry.aliases)]
    assert len(set(names)) == len(names)

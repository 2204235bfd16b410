"""The command grammar, as a table."""

from __future__ import annotations

import pytest

from bot.core.model.commands import (
    TABLE,
    BranchCommand,
    Command,
    ListProjects,
    ShowAudit,
    ShowHelp,
    Verb,
    Word,
    entry_for,
    parse,
)
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
    ],
)
def test_every_valid_command_is_parsed(text: str, command: Command) -> None:
    assert parse(words(text)) == command


@pytest.mark.parametrize(
    ("text", "topic", "instead"),
    [
        ("status", "status", None),
        ("restart", "restart", None),
        ("builds", "builds", None),
        ("audit acme/web main", "audit", "audit acme/web"),
        ("status acme/web main please", "status", "status acme/web main"),
        ("restart acme/web on main", "restart", "restart acme/web on"),
        ("statsu acme/web main", "status", "status acme/web main"),
        ("restrat acme/web", "restart", "restart acme/web"),
        ("acme/web main", "status", "status acme/web main"),
        ("acme/web", "status", "status acme/web"),
        ("make me a sandwich", None, None),
    ],
)
def test_an_invalid_command_is_answered_with_a_valid_one(text: str, topic: str | None, instead: str | None) -> None:
    with pytest.raises(NotUnderstood) as caught:
        parse(words(text))
    assert (caught.value.topic, caught.value.instead) == (topic, instead)


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

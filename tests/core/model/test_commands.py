"""The grammar, as a table."""

from __future__ import annotations

import pytest

from bot.core.model.commands import (
    TABLE,
    BuildsOf,
    Command,
    ListProjects,
    RestartOf,
    ShowAudit,
    ShowHelp,
    StatusOf,
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
        ("status acme/web", StatusOf(WEB)),
        ("status acme/web main", StatusOf(WEB, MAIN)),
        ("status acme/web main ?", StatusOf(WEB, MAIN)),
        ("?", ShowHelp()),
        ("Status acme/web main", StatusOf(WEB, MAIN)),
        ("restart acme/web", RestartOf(WEB)),
        ("restart acme/web main", RestartOf(WEB, MAIN)),
        ("builds acme/web", BuildsOf(WEB)),
        ("builds acme/web feature/a&b#c", BuildsOf(WEB, Word.of("feature/a&b#c"))),
        ("audit", ShowAudit()),
        ("audit acme/web", ShowAudit(WEB)),
        ("projects", ListProjects()),
        ("projects web api", ListProjects("web api")),
    ],
)
def test_what_can_be_said_is_read(text: str, command: Command) -> None:
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
def test_what_cannot_be_read_is_answered_with_what_can(text: str, topic: str | None, instead: str | None) -> None:
    with pytest.raises(NotUnderstood) as caught:
        parse(words(text))
    assert (caught.value.topic, caught.value.instead) == (topic, instead)


def test_a_verb_is_known_in_any_of_its_spellings() -> None:
    assert parse((Word.of("“status”", "status"), WEB)) == StatusOf(WEB)


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: entry.verb)
def test_every_example_in_the_table_is_understood_as_its_own_row(entry: object) -> None:
    parse(words(entry.example))  # type: ignore[attr-defined]
    assert entry.usage.startswith(entry.verb)  # type: ignore[attr-defined]
    assert entry_for(entry.verb) is entry  # type: ignore[attr-defined]


def test_a_verb_that_is_not_in_the_table_has_no_row() -> None:
    with pytest.raises(KeyError):
        entry_for("deploy")

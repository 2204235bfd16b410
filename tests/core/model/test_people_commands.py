"""The words of `link`, `unlink` and `notify`."""

from __future__ import annotations

import pytest

from bot.core.model.command_values import Word
from bot.core.model.commands import parse
from bot.core.model.errors import NotUnderstood
from bot.core.model.people.commands import LinkCommand, NotifyCommand, UnlinkCommand
from bot.core.model.people.settings import Scope, Way


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("link", LinkCommand()),
        ("link github ada-l", LinkCommand("ada-l")),
        ("link GitHub @ada-l", LinkCommand("ada-l")),
        ("link codeship ada-l", LinkCommand("ada-l")),
        ("link Ada_acme", LinkCommand("Ada_acme")),
        ("link https://github.com/ada-l", LinkCommand("ada-l")),
        ("unlink", UnlinkCommand()),
        ("unlink github", UnlinkCommand()),
        ("unlink github ada-l", UnlinkCommand("ada-l")),
        ("notify", NotifyCommand()),
        ("notify main", NotifyCommand(Scope.MAIN)),
        ("notify off", NotifyCommand(Scope.OFF)),
        ("notify mine mention", NotifyCommand(Scope.MINE, Way.MENTION)),
        ("notify dm", NotifyCommand(way=Way.DM)),
    ],
)
def test_words_are_understood(typed, command):
    assert parse([Word.of(word) for word in typed.split()]) == command


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("link github", "Which GitHub account?"),
        ("link github dependabot[bot]", "letters, digits and hyphens"),
        ("link github ada l", "letters, digits and hyphens"),
        ("notify sometimes", "not one of mine, main, off, dm, mention"),
        ("notify mine main", "not one of mine"),
    ],
)
def test_other_words_are_not(typed, why):
    with pytest.raises(NotUnderstood, match=why):
        parse([Word.of(word) for word in typed.split()])

"""The words of `use`, `alias` and `settings`: names of repositories in one channel."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.model.command_values import NameCommand, Verb, Word
from bot.core.model.errors import NotUnderstood
from bot.core.sentences import names_in

_NOTHING = ("none", "nothing")


def use_command(verb: Verb, words: Sequence[Word]) -> NameCommand:
    """The words after `use`. Raises NotUnderstood."""
    words = names_in(words)
    if not words:
        raise NotUnderstood("Which repository?", verb)
    if len(words) == 1 and words[0].cleanest.lower() in _NOTHING:
        return NameCommand(verb)
    repo, branch, *more = (*words, None) if len(words) == 1 else words
    if more:
        raise NotUnderstood("It takes a repository and a branch.", verb)
    return NameCommand(verb, "", repo, branch)


def alias_command(verb: Verb, words: Sequence[Word]) -> NameCommand:
    """The words after `alias`. Raises NotUnderstood."""
    if len(words) not in (2, 3):
        raise NotUnderstood("An alias takes a name and a repository.", verb)
    alias, repo = words[0].cleanest, words[1]
    if len(words) == 2 and repo.cleanest.lower() in _NOTHING:
        return NameCommand(verb, alias)
    return NameCommand(verb, alias, repo, words[2] if len(words) == 3 else None)


def settings_command(verb: Verb, _words: Sequence[Word]) -> NameCommand:
    """`settings` takes no words; any are ignored."""
    return NameCommand(verb, is_question=True)

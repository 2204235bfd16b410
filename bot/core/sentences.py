"""Drops the words of a small sentence that name nothing: `restart the build of main on acme/web please`. Pure.

A branch may have the name of any such word. So one or two words after a verb are kept as they are, unless the first
cannot be a repository. `acme/web@please` always names the branch `please`.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.model.command_values import Word

POLITE = frozenset({"please", "pls", "plz", "thanks", "thx", "now", "again", "asap"})
_LINKING = frozenset({"of", "on", "in", "for", "at", "from"})
_ARTICLES = frozenset({"the", "a", "an", "my", "our", "me"})
_NOUNS = frozenset(
    {"build", "builds", "branch", "repo", "repository", "status", "state", "latest", "newest", "last", "current"}
)

_REQUESTING = frozenset({"please", "can", "could", "would", "will", "you", "kindly", "hey", "hi", "hello", "just"})
_ASKING = frozenset({"what", "what's", "whats", "how", "how's", "hows", "is", "the", "show", "me"})


def without_closing_signs(words: Sequence[Word]) -> Sequence[Word]:
    """Drops a final punctuation mark that is separate, as in `status acme/web main ?`."""
    while words and set(words[-1].exact) <= set("?!."):
        words = words[:-1]
    return words


def names_in(words: Sequence[Word]) -> Sequence[Word]:
    """The words after a verb that may name a repository and a branch, in the order in which they stand."""
    while words and _is(words[-1], POLITE):
        words = words[:-1]
    if len(words) <= 2 and not (words and _is(words[0], _LINKING | _ARTICLES)):
        return words
    is_linked = any(_is(word, _LINKING | _ARTICLES) for word in words)
    words = [word for word in words if not _is(word, _LINKING | _ARTICLES)]
    if len(words) > 2 or is_linked:
        words = [word for word in words if not _is(word, _NOUNS)] or words
    return words


def named_in(words: Sequence[Word]) -> Sequence[str]:
    """The repository, and perhaps the branch after it, in words that are too many: from the first `org/name` on."""
    start = next((at for at, word in enumerate(words) if "/" in word.cleanest), 0)
    return [word.cleanest for word in words[start : start + 2]]


def without_request(words: Sequence[Word]) -> Sequence[Word]:
    """Without the words that politely come before a verb: `could you please restart …`."""
    return _without_first(words, _REQUESTING)


def without_question(words: Sequence[Word]) -> Sequence[Word]:
    """Without the words that come before a verb in a question: `what is the status of …`.

    Fit only for verbs that change nothing: `is the restart of … done` asks for no restart.
    """
    return _without_first(words, _REQUESTING | _ASKING)


def _without_first(words: Sequence[Word], fillers: frozenset[str]) -> Sequence[Word]:
    while words and _is(words[0], fillers):
        words = words[1:]
    return words


def _is(word: Word, names: frozenset[str]) -> bool:
    return word.cleanest.lower().replace("’", "'") in names

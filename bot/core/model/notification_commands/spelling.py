"""The texts and patterns in typed words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from bot.core.model.command_values import Verb, Word
from bot.core.model.errors import NotUnderstood
from bot.core.model.names.name_patterns import NamePattern

MAX_PATTERNS = 20
MAX_PATTERN = 200

_QUOTES = "\"'`´“”„‟‘’‚‛«»‹›"
_NOT_IN_PATTERN = re.compile(r"[\s?\[\]{}\\!,]")
_OPEN = re.compile(r"[A-Za-z]+:")


def texts_of(words: Iterable[Word]) -> list[str]:
    """The words' texts. `branch: main` and `main, release/*` become one, as on a phone that adds blanks."""
    joined: list[str] = []
    for word in words:
        text = _text(word)
        before = joined[-1] if joined else ""
        goes_on = before.endswith(",") or _OPEN.fullmatch(before)
        if goes_on:
            joined[-1] = before + text
        elif text:
            joined.append(text)
    return [part for text in joined for part in _parts(text)]


def _parts(text: str) -> list[str]:
    """Names with commas between them; the list of a filter, and a URL, stay whole."""
    return [text.rstrip(",")] if ":" in text else [part for part in text.split(",") if part]


def _text(word: Word) -> str:
    """The spelling to read: cleaned, but with every `*`, which at an edge may be taken for decoration.

    A comma or a colon at the end stays, for `texts_of`.
    """
    stars = word.exact.count("*")
    spelling = next(text for text in reversed(word.spellings) if text.count("*") == stars)
    text = spelling.strip(_QUOTES).rstrip(".,;:?!").strip(_QUOTES)
    end = word.exact.rstrip(_QUOTES)[-1:]
    return f"{text}{end}" if end in (",", ":") else text


def pattern_in(texts: Sequence[str], verb: Verb, *, is_workflow: bool = False) -> NamePattern:
    """Raises NotUnderstood if one cannot be a pattern, or there are too many."""
    for text in texts:
        why = None if "://" in text else wrong_with(text.removeprefix("!"), is_workflow=is_workflow)
        if why:
            raise NotUnderstood(f"“{text}” {why}.", verb)
    if len(texts) > MAX_PATTERNS:
        raise NotUnderstood(f"One command takes {MAX_PATTERNS} names at most.", verb)
    return pattern_of(texts)


def pattern_of(texts: Sequence[str]) -> NamePattern:
    """The pattern with each text once; those that begin with `!` are exceptions."""
    unique = dict.fromkeys(texts)
    meant = tuple(text for text in unique if not text.startswith("!"))
    return NamePattern(meant, tuple(text[1:] for text in unique if text.startswith("!")))


def wrong_with(pattern: str, *, is_workflow: bool = False) -> str | None:
    """Why it cannot be a pattern, to follow its name; None if it can."""
    if not pattern or len(pattern) > MAX_PATTERN:
        return f"is not a pattern: one has between 1 and {MAX_PATTERN} characters"
    if not is_workflow and _NOT_IN_PATTERN.search(pattern):
        return "is not a pattern: * matches any characters, ! at the beginning makes an exception"
    return None

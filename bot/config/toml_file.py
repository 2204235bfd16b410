"""Reads TOML files that operators write: every mistake with its line. What the keys mean is elsewhere."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from bot.config.toml_lines import Lines
from bot.core.lookup.repo_urls import may_be_branch
from bot.core.model.names.name_patterns import NamePattern

LARGEST = 64 * 1024
"""In bytes. A file of this size holds some thousand rules."""
MAX_PATTERN = 200

_NO_PATTERN = re.compile(r"[\s?\[\]{}\\!]")
_AT = re.compile(r"^(?P<why>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)$", re.DOTALL)


class FileError(Exception):
    """The file cannot be used. `mistakes` are pairs of line and reason; the line is 0 if unknown."""

    setting: ClassVar[str]
    """The setting that names the file."""

    def __init__(self, path: str, mistakes: Iterable[tuple[int, str]]) -> None:
        self.path = path
        self.mistakes = tuple(sorted(mistakes))
        lines = [f"line {line}: {why}" if line else why for line, why in self.mistakes]
        super().__init__("\n  ".join([f"{self.setting}: the file {path} cannot be used.", *lines]))


def read_toml(path: str, error: type[FileError]) -> tuple[dict[str, Any], Lines]:
    """The document, and where its keys are. Raises `error`."""
    text = _text_of(path, error)
    try:
        return tomllib.loads(text), Lines(text)
    except RecursionError:
        raise error(path, [(0, "it is nested too deeply.")]) from None
    except ValueError as problem:
        raise error(path, [_of_toml(problem, text)]) from None


def reload_for_ever(reloads: Sequence[Callable[[], object]], wait: Callable[[], object]) -> None:
    """Calls each of `reloads` whenever `wait` returns. Never returns."""
    while True:
        wait()
        for reload in reloads:
            reload()


def _text_of(path: str, error: type[FileError]) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else None
        raise error(path, [(0, f"It cannot be read: {reason or 'that is no path'}.")]) from None
    if len(data) > LARGEST:
        raise error(path, [(0, f"It is larger than {LARGEST // 1024} KiB.")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise error(path, [(data.count(b"\n", 0, problem.start) + 1, "this is no text in UTF-8.")]) from None


def _of_toml(error: ValueError, text: str) -> tuple[int, str]:
    found = _AT.match(str(error))
    if found is None:
        return 0, f"it is no TOML: {str(error)[:200]}"
    line = int(found["line"]) if found["line"] else max(text.rstrip().count("\n") + 1, 1)
    return line, f"this is no TOML: {found['why'][:200]}."


class Reading:
    """Reads one document as far as possible. `mistakes` collects what is wrong.

    `number` counts tables from 1; 0 is the document itself. `kind` is the tables' name.
    """

    def __init__(self, document: Mapping[str, Any], lines: Lines) -> None:
        self.document = document
        self.lines = lines
        self.mistakes: list[tuple[int, str]] = []

    def names(self, number: int, table: Mapping[str, Any], key: str, kind: str = "rule") -> NamePattern:
        value = self.listed(number, table, key, kind)
        for pattern in value:
            why = _wrong_with(pattern.removeprefix("!"), key)
            if why:
                self.wrong(number, key, f"{shown(pattern)} {why}.", kind)
        exceptions = tuple(pattern[1:] for pattern in value if pattern.startswith("!"))
        return NamePattern(tuple(pattern for pattern in value if not pattern.startswith("!")), exceptions)

    def listed(self, number: int, table: Mapping[str, Any], key: str, kind: str = "rule") -> tuple[str, ...]:
        """A string, or a list of strings."""
        value = table.get(key)
        if value is None:
            return ()
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(word, str) for word in listed):
            self.wrong(number, key, f"{key} takes a word between quotes, or a list of such words.", kind)
            return ()
        if not listed:
            self.wrong(number, key, f"{key} is an empty list: leave it out, or put something in.", kind)
        return tuple(listed)

    def wrong(self, number: int, key: str, why: str, kind: str = "rule") -> None:
        self.mistakes.append((self.lines.at(number, key, kind), why))


def _wrong_with(pattern: str, key: str) -> str | None:
    if not pattern or len(pattern) > MAX_PATTERN:
        return f"is no pattern: it has between 1 and {MAX_PATTERN} characters"
    if key in ("decide", "ignore", "workflows"):  # a workflow's name may have blanks, and any other sign
        return None
    if _NO_PATTERN.search(pattern):
        return "is not a pattern: * matches any characters, ! at the beginning makes an exception"
    if key == "repos" and "/" not in pattern and "*" not in pattern:
        return "is no repository's whole name: write org/name, or */name"
    if key == "branches" and not may_be_branch(pattern.replace("*", "x")):
        return "can be no branch"
    return None


def shown(text: str) -> str:
    """The text between quotes, cut if it is long."""
    whole = "".join(character if character.isprintable() else "�" for character in text)
    return f"“{whole if len(whole) <= 60 else whole[:59] + '…'}”"

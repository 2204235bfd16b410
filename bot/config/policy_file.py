"""Reads the policy file behind the setting POLICY: TOML in, a Policy or every mistake with its line out.

docs/policy.md explains the keys. An unknown key is a mistake, so that a typo cannot disable a rule.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog

from bot.config.toml_lines import Lines
from bot.core.authorization import Authorizer
from bot.core.lookup.repo_urls import may_be_branch
from bot.core.model.commands import entry_named
from bot.core.model.name_patterns import NamePattern
from bot.core.model.policy import ACTIONS, OPEN, BuildRules, Confirm, Policy, Rule, Subjects
from bot.core.model.slack_ids import CHANNEL_ID, GROUP_ID, USER_ID

LARGEST = 64 * 1024
"""In bytes. A file of this size holds some thousand rules."""
MAX_REASON, MAX_CONTACT, MAX_PATTERN = 300, 100, 200

log = structlog.get_logger(__name__)

_KEYS = ("who", "actions", "repos", "branches", "confirm", "reason", "ask")
_BUILDS_KEYS = ("repos", "decide", "ignore")
_NO_PATTERN = re.compile(r"[\s?\[\]{}\\!]")
_AT = re.compile(r"^(?P<why>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)$", re.DOTALL)


class PolicyError(Exception):
    """The file cannot be used. `mistakes` are pairs of line and reason; the line is 0 if unknown."""

    def __init__(self, path: str, mistakes: Iterable[tuple[int, str]]) -> None:
        self.path = path
        self.mistakes = tuple(sorted(mistakes))
        lines = [f"line {line}: {why}" if line else why for line, why in self.mistakes]
        super().__init__("\n  ".join([f"POLICY: the file {path} cannot be used.", *lines]))


def policy_in(path: str | None) -> Policy:
    """The policy in the file; the default one if `path` is None. Raises PolicyError with every mistake."""
    if path is None:
        return OPEN
    text = _text_of(path)
    try:
        document = tomllib.loads(text)
    except RecursionError:
        raise PolicyError(path, [(0, "it is nested too deeply.")]) from None
    except ValueError as error:
        raise PolicyError(path, [_of_toml(error, text)]) from None
    reading = _Reading(document, Lines(text))
    policy = reading.policy()
    if reading.mistakes:
        raise PolicyError(path, reading.mistakes)
    return policy


def reload(path: str, authorizer: Authorizer) -> bool:
    """Reads the file again and activates it. If that fails, returns False and keeps the current policy. Logs either."""
    try:
        policy = policy_in(path)
    except PolicyError as problem:
        for line, why in problem.mistakes:
            log.error("policy_error", file=path, line=line or None, why=why)
        log.error("policy_not_reloaded", file=path, mistakes=len(problem.mistakes), in_force="the one from before")
        return False
    authorizer.set_policy(policy)
    log.info("policy_reloaded", file=path, rules=len(policy.rules))
    return True


def reload_for_ever(path: str, authorizer: Authorizer, wait: Callable[[], object]) -> None:
    """Reloads each time `wait` returns, one reload at a time. Never returns."""
    while True:
        wait()
        reload(path, authorizer)


def _text_of(path: str) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise PolicyError(path, [(0, f"It cannot be read: {reason or 'that is no path'}.")]) from None
    if len(data) > LARGEST:
        raise PolicyError(path, [(0, f"It is larger than {LARGEST // 1024} KiB.")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PolicyError(path, [(data.count(b"\n", 0, error.start) + 1, "this is no text in UTF-8.")]) from None


def _of_toml(error: ValueError, text: str) -> tuple[int, str]:
    found = _AT.match(str(error))
    if found is None:
        return 0, f"it is no TOML: {str(error)[:200]}"
    line = int(found["line"]) if found["line"] else max(text.rstrip().count("\n") + 1, 1)
    return line, f"this is no TOML: {found['why'][:200]}."


class _Reading:
    """Reads one document as far as possible. `mistakes` collects what is wrong."""

    def __init__(self, document: Mapping[str, Any], lines: Lines) -> None:
        self._document = document
        self._lines = lines
        self.mistakes: list[tuple[int, str]] = []

    def policy(self) -> Policy:
        for key in self._document.keys() - {"rule", "ask", "builds"}:
            known = ", ".join(_KEYS) if key in _KEYS else "[[rule]], [[builds]] and ask"
            place = " within a [[rule]]" if key in _KEYS else ""
            self._wrong(0, key, f"{_shown(key)} is not a key here; these are{place}: {known}.")
        tables = self._document.get("rule", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self._wrong(0, "rule", "a rule begins with [[rule]], in two brackets.")
            tables = []
        elif not tables and not self._document.get("builds"):
            self._wrong(0, "", "it has no rule, so no one could do anything. For no rules, leave POLICY unset.")
        rules = [self._rule(number, table) for number, table in enumerate(tables, start=1)]
        if not self.mistakes:
            self._find_unreached(rules)
        return Policy(
            tuple(rules) or OPEN.rules, self._words(0, self._document, "ask", MAX_CONTACT), self._all_builds()
        )

    def _all_builds(self) -> tuple[BuildRules, ...]:
        """What the [[builds]] tables say of which workflows decide."""
        tables = self._document.get("builds", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self._wrong(0, "builds", "what decides begins with [[builds]], in two brackets.")
            return ()
        return tuple(self._builds(number, table) for number, table in enumerate(tables, start=1))

    def _builds(self, number: int, table: Mapping[str, Any]) -> BuildRules:
        mistakes = len(self.mistakes)
        for key in table.keys() - set(_BUILDS_KEYS):
            known = ", ".join(_BUILDS_KEYS)
            self._wrong(number, key, f"{_shown(key)} is not a key of [[builds]]; these are: {known}.", "builds")
        if not table.keys() & {"decide", "ignore"}:
            self._wrong(
                number, "", "this [[builds]] names no workflow: decide = [names] or ignore = [names].", "builds"
            )
        repos, decide, ignore = (self._names(number, table, key, "builds") for key in _BUILDS_KEYS)
        if len(self.mistakes) > mistakes:
            return BuildRules()
        return BuildRules(repos, decide, ignore, line=self._lines.at(number, "", "builds"))

    def _rule(self, number: int, table: Mapping[str, Any]) -> Rule:
        for key in table.keys() - set(_KEYS):
            self._wrong(number, key, f"{_shown(key)} is not a key of a rule; these are: {', '.join(_KEYS)}.")
        if not table:
            self._wrong(number, "", "this rule is empty.")
        elif "who" not in table:
            self._wrong(number, "", "this rule does not say who may: who = [ids], “everyone” or “nobody”.")
        return Rule(
            self._who(number, table),
            self._actions(number, table),
            self._names(number, table, "repos"),
            self._names(number, table, "branches"),
            self._confirm(number, table),
            self._words(number, table, "reason", MAX_REASON),
            self._words(number, table, "ask", MAX_CONTACT),
            line=self._lines.at(number, ""),
        )

    def _who(self, number: int, table: Mapping[str, Any]) -> Subjects:
        if table.get("who") in ("everyone", "nobody"):
            return Subjects(everyone=table["who"] == "everyone")
        people, groups, channels = set(), [], set()
        for value in self._listed(number, table, "who"):
            if USER_ID.fullmatch(value):
                people.add(value)
            elif GROUP_ID.fullmatch(value):
                groups.append(value)
            elif CHANNEL_ID.fullmatch(value):
                channels.add(value)
            else:
                why = "is no id: a person's begins with U, a user group's with S, a channel's with C"
                self._wrong(number, "who", f"{_shown(value)} {why}; or write “everyone” or “nobody” alone.")
        return Subjects(frozenset(people), tuple(groups), frozenset(channels))

    def _actions(self, number: int, table: Mapping[str, Any]) -> tuple[str, ...]:
        """By the names of the command table; an alias means its command."""
        actions = []
        for word in self._listed(number, table, "actions"):
            entry = entry_named(word)
            if entry is None:
                self._wrong(number, "actions", f"{_shown(word)} is no action; these are: {', '.join(ACTIONS)}.")
            elif entry.policy_action is None:
                self._wrong(number, "actions", f"{_shown(word)} is always allowed to everyone, and takes no rule.")
            else:
                actions.append(entry.policy_action)
        return tuple(dict.fromkeys(actions))

    def _names(self, number: int, table: Mapping[str, Any], key: str, kind: str = "rule") -> NamePattern:
        value = self._listed(number, table, key, kind)
        for pattern in value:
            why = _wrong_with(pattern.removeprefix("!"), key)
            if why:
                self._wrong(number, key, f"{_shown(pattern)} {why}.", kind)
        exceptions = tuple(pattern[1:] for pattern in value if pattern.startswith("!"))
        return NamePattern(tuple(pattern for pattern in value if not pattern.startswith("!")), exceptions)

    def _confirm(self, number: int, table: Mapping[str, Any]) -> Confirm:
        value = table.get("confirm", Confirm.NEVER.value)
        words = [confirm.value for confirm in Confirm]
        if value in words:
            return Confirm(value)
        self._wrong(number, "confirm", f"confirm is one of “{'”, “'.join(words)}”.")
        return Confirm.NEVER

    def _words(self, number: int, table: Mapping[str, Any], key: str, max_length: int) -> str | None:
        value = table.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            self._wrong(number, key, f"{key} takes words between quotes.")
            return None
        if len(value) > max_length:
            self._wrong(number, key, f"{key} is longer than {max_length} characters.")
        return " ".join(value.split())

    def _listed(self, number: int, table: Mapping[str, Any], key: str, kind: str = "rule") -> tuple[str, ...]:
        """A string, or a list of strings."""
        value = table.get(key)
        if value is None:
            return ()
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(word, str) for word in listed):
            self._wrong(number, key, f"{key} takes a word between quotes, or a list of such words.", kind)
            return ()
        if not listed:
            self._wrong(number, key, f"{key} is an empty list: leave it out, or put something in.", kind)
        return tuple(listed)

    def _find_unreached(self, rules: list[Rule]) -> None:
        """Reports rules after one that matches everything: they never apply, so their author meant something else."""
        last = next((number for number, rule in enumerate(rules, start=1) if rule.is_about_everything), len(rules))
        for number in range(last + 1, len(rules) + 1):
            before = self._lines.at(last, "")
            place = f" in line {before}" if before else ""
            self._wrong(number, "", f"this rule is never reached: the one{place} is about everything. Put it before.")

    def _wrong(self, number: int, key: str, why: str, kind: str = "rule") -> None:
        self.mistakes.append((self._lines.at(number, key, kind), why))


def _wrong_with(pattern: str, key: str) -> str | None:
    if not pattern or len(pattern) > MAX_PATTERN:
        return f"is no pattern: it has between 1 and {MAX_PATTERN} characters"
    if key in ("decide", "ignore"):  # a workflow's name may have blanks, and any other sign
        return None
    if _NO_PATTERN.search(pattern):
        return "is not a pattern: * matches any characters, ! at the beginning makes an exception"
    if key == "repos" and "/" not in pattern and "*" not in pattern:
        return "is no repository's whole name: write org/name, or */name"
    if key == "branches" and not may_be_branch(pattern.replace("*", "x")):
        return "can be no branch"
    return None


def _shown(text: str) -> str:
    whole = "".join(character if character.isprintable() else "�" for character in text)
    return f"“{whole if len(whole) <= 60 else whole[:59] + '…'}”"

"""Reads the policy file behind the setting POLICY: TOML in, a Policy or every mistake with its line out.

docs/policy.md explains the keys. An unknown key is a mistake, so that a typo cannot disable a rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from bot.config.toml_file import FileError, Reading, read_toml, shown
from bot.core.authorization import Authorizer
from bot.core.model.commands import entry_named
from bot.core.model.names.slack_ids import CHANNEL_ID, GROUP_ID, USER_ID
from bot.core.model.policy import ACTIONS, GUESTS, OPEN, BuildRules, Confirm, Policy, Rule, Subjects

MAX_REASON, MAX_CONTACT = 300, 100

log = structlog.get_logger(__name__)

_KEYS = ("who", "actions", "repos", "branches", "confirm", "reason", "ask")
_BUILDS_KEYS = ("repos", "decide", "ignore")


class PolicyError(FileError):
    """The policy file cannot be used."""

    setting = "POLICY"


def policy_in(path: str | None) -> Policy:
    """The policy in the file; the default one if `path` is None. Raises PolicyError with every mistake."""
    if path is None:
        return OPEN
    reading = _Reading(*read_toml(path, PolicyError))
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


class _Reading(Reading):
    """Reads one policy as far as possible."""

    def policy(self) -> Policy:
        for key in self.document.keys() - {"rule", "ask", "builds"}:
            known = ", ".join(_KEYS) if key in _KEYS else "[[rule]], [[builds]] and ask"
            place = " within a [[rule]]" if key in _KEYS else ""
            self.wrong(0, key, f"{shown(key)} is not a key here; these are{place}: {known}.")
        tables = self.document.get("rule", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self.wrong(0, "rule", "a rule begins with [[rule]], in two brackets.")
            tables = []
        elif not tables and not self.document.get("builds"):
            self.wrong(0, "", "it has no rule, so no one could do anything. For no rules, leave POLICY unset.")
        rules = [self._rule(number, table) for number, table in enumerate(tables, start=1)]
        if not self.mistakes:
            self._find_unreached(rules)
        return Policy(tuple(rules) or OPEN.rules, self._words(0, self.document, "ask", MAX_CONTACT), self._all_builds())

    def _all_builds(self) -> tuple[BuildRules, ...]:
        """What the [[builds]] tables say of which workflows decide."""
        tables = self.document.get("builds", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self.wrong(0, "builds", "what decides begins with [[builds]], in two brackets.")
            return ()
        return tuple(self._builds(number, table) for number, table in enumerate(tables, start=1))

    def _builds(self, number: int, table: Mapping[str, Any]) -> BuildRules:
        mistakes = len(self.mistakes)
        for key in table.keys() - set(_BUILDS_KEYS):
            known = ", ".join(_BUILDS_KEYS)
            self.wrong(number, key, f"{shown(key)} is not a key of [[builds]]; these are: {known}.", "builds")
        if not table.keys() & {"decide", "ignore"}:
            self.wrong(number, "", "this [[builds]] names no workflow: decide = [names] or ignore = [names].", "builds")
        repos, decide, ignore = (self.names(number, table, key, "builds") for key in _BUILDS_KEYS)
        if len(self.mistakes) > mistakes:
            return BuildRules()
        return BuildRules(repos, decide, ignore, line=self.lines.at(number, "", "builds"))

    def _rule(self, number: int, table: Mapping[str, Any]) -> Rule:
        for key in table.keys() - set(_KEYS):
            self.wrong(number, key, f"{shown(key)} is not a key of a rule; these are: {', '.join(_KEYS)}.")
        if not table:
            self.wrong(number, "", "this rule is empty.")
        elif "who" not in table:
            self.wrong(number, "", "this rule does not say who may: who = [ids], “everyone” or “nobody”.")
        return Rule(
            self._who(number, table),
            self._actions(number, table),
            self.names(number, table, "repos"),
            self.names(number, table, "branches"),
            self._confirm(number, table),
            self._words(number, table, "reason", MAX_REASON),
            self._words(number, table, "ask", MAX_CONTACT),
            line=self.lines.at(number, ""),
        )

    def _who(self, number: int, table: Mapping[str, Any]) -> Subjects:
        if table.get("who") in ("everyone", "nobody"):
            return Subjects(everyone=table["who"] == "everyone")
        people, groups, channels = set(), [], set()
        listed = self.listed(number, table, "who")
        no_guests = f"!{GUESTS}" in listed
        for value in listed:
            if value == GUESTS:
                groups.append(value)
            elif value == f"!{GUESTS}":
                continue
            elif USER_ID.fullmatch(value):
                people.add(value)
            elif GROUP_ID.fullmatch(value):
                groups.append(value)
            elif CHANNEL_ID.fullmatch(value):
                channels.add(value)
            else:
                why = "is no id: a person's begins with U, a user group's with S, a channel's with C"
                self.wrong(
                    number, "who", f"{shown(value)} {why}; or “guests”, “!guests”, or “everyone” or “nobody” alone."
                )
        everyone = no_guests and not people and not groups and not channels
        return Subjects(frozenset(people), tuple(groups), frozenset(channels), everyone, no_guests)

    def _actions(self, number: int, table: Mapping[str, Any]) -> tuple[str, ...]:
        """By the names of the command table; an alias means its command."""
        actions = []
        for word in self.listed(number, table, "actions"):
            entry = entry_named(word)
            if entry is None:
                self.wrong(number, "actions", f"{shown(word)} is no action; these are: {', '.join(ACTIONS)}.")
            elif entry.policy_action is None:
                self.wrong(number, "actions", f"{shown(word)} is always allowed to everyone, and takes no rule.")
            elif entry.policy_action != entry.verb:
                self.wrong(number, "actions", f"{shown(word)} is covered by the action {entry.policy_action}.")
            else:
                actions.append(entry.policy_action)
        return tuple(dict.fromkeys(actions))

    def _confirm(self, number: int, table: Mapping[str, Any]) -> Confirm:
        value = table.get("confirm", Confirm.NEVER.value)
        words = [confirm.value for confirm in Confirm]
        if value in words:
            return Confirm(value)
        self.wrong(number, "confirm", f"confirm is one of “{'”, “'.join(words)}”.")
        return Confirm.NEVER

    def _words(self, number: int, table: Mapping[str, Any], key: str, max_length: int) -> str | None:
        value = table.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            self.wrong(number, key, f"{key} takes words between quotes.")
            return None
        if len(value) > max_length:
            self.wrong(number, key, f"{key} is longer than {max_length} characters.")
        return " ".join(value.split())

    def _find_unreached(self, rules: list[Rule]) -> None:
        """Reports rules after one that matches everything: they never apply, so their author meant something else."""
        last = next((number for number, rule in enumerate(rules, start=1) if rule.is_about_everything), len(rules))
        for number in range(last + 1, len(rules) + 1):
            before = self.lines.at(last, "")
            place = f" in line {before}" if before else ""
            self.wrong(number, "", f"this rule is never reached: the one{place} is about everything. Put it before.")

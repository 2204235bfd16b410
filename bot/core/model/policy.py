"""Who may do what to which repositories and branches, and what needs confirmation first. Pure.

A policy is a list of rules. The first rule that matches a request decides alone: it says who may do it. If no rule
matches, the request is refused. Requests that change nothing (status, builds, projects, help) need no rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from bot.core.model.builds import Actor, Location
from bot.core.model.command_values import Verb
from bot.core.model.commands import TABLE
from bot.core.model.names.name_patterns import ANY_NAME, NamePattern

ACTIONS = tuple(dict.fromkeys(entry.policy_action for entry in TABLE if entry.policy_action is not None))
"""The actions that rules can name. A rule without actions covers all, including later ones."""

GUESTS = "guests"
"""The group of all guests, as rules name it."""

NO_RULE = "No rule of the policy lets anybody do this."
NO_REASON = "The policy lets only some people do this."

InGroup = Callable[[str], bool | None]
"""Whether the asker is in a user group; None if unknown."""


class Confirm(Enum):
    """Which restarts need confirmation: only those by button (by Slack's dialog), or typed ones, too."""

    NEVER = "never"
    BUTTONS = "buttons"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Subjects:
    """Everyone that one of the fields names; `channels` means everyone who asks there. All empty: no one.

    `groups` are ids of user groups, and `GUESTS`. `no_guests`: guests are left out, whatever names them.
    """

    people: frozenset[str] = frozenset()
    groups: tuple[str, ...] = ()
    channels: frozenset[str] = frozenset()
    everyone: bool = False
    no_guests: bool = False

    def includes(self, actor: Actor, location: Location, in_group: InGroup) -> bool | None:
        """Whether the actor is included; None if only a user group decides and that is unknown. Checks groups last."""
        named = self.everyone or actor.id in self.people or location.channel in self.channels
        included = True if named else _any(in_group(group) for group in self.groups)
        if included is False or not self.no_guests:
            return included
        is_guest = in_group(GUESTS)
        return False if is_guest else included if is_guest is False else None


@dataclass(frozen=True, slots=True)
class BuildRules:
    """Which workflows of the repositories that match `repos` decide a branch's state: those that match `decide`, if it
    has patterns, and never those that match `ignore`. Names match in any case.

    `line` is its line in the file.
    """

    repos: NamePattern = ANY_NAME
    decide: NamePattern = ANY_NAME
    ignore: NamePattern = ANY_NAME
    line: int = 0

    def decides(self, names: Iterable[str]) -> bool:
        """`names`: the workflow's own and its file's."""
        return any(self.decide.matches(name, any_case=True) for name in names if name)

    def ignores(self, names: Iterable[str]) -> bool:
        return bool(self.ignore) and any(self.ignore.matches(name, any_case=True) for name in names if name)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `reason` and `ask` are for those it refuses: a sentence, and whom to ask (a Slack id or words).

    `line` is its line in the file.
    """

    subjects: Subjects
    actions: tuple[str, ...] = ()
    repos: NamePattern = ANY_NAME
    branches: NamePattern = ANY_NAME
    confirm: Confirm = Confirm.NEVER
    reason: str | None = None
    ask: str | None = None
    line: int = 0

    def is_about(self, action: str, project: str | None, branch: str | None) -> bool:
        """Whether the rule covers the request. `project` is `org/name`, in any case; branches are case-sensitive, as in
        git.
        """
        return (
            (not self.actions or action in self.actions)
            and self.repos.matches(project, any_case=True)
            and self.branches.matches(branch)
        )

    @property
    def is_about_everything(self) -> bool:
        return not (self.actions or self.repos or self.branches)

    def __str__(self) -> str:
        """`restart acme/* except acme/secret on main`."""
        on = f" on {self.branches}" if self.branches else ""
        return f"{', '.join(self.actions) or 'everything'} {'in ' if not self.actions else ''}{self.repos}{on}"


@dataclass(frozen=True, slots=True)
class Allowed:
    """`confirm`: whether a restart that no dialog has confirmed needs a confirmation first."""

    confirm: bool = False


@dataclass(frozen=True, slots=True)
class Denied:
    """The rule's reason, and whom to ask. `group_unknown`: a user group would allow it, but is unknown."""

    reason: str
    ask: str | None = None
    group_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """`ask` is whom to ask if a rule does not say. `builds` says which workflows decide a branch's state."""

    rules: tuple[Rule, ...]
    ask: str | None = None
    builds: tuple[BuildRules, ...] = ()

    def builds_of(self, repo: str) -> BuildRules | None:
        """What the first entry about the repository (`org/name`, in any case) says; None if there is none."""
        return next((rules for rules in self.builds if rules.repos.matches(repo, any_case=True)), None)

    def may(
        self, actor: Actor, location: Location, action: str, project: str | None, branch: str | None, in_group: InGroup
    ) -> Allowed | Denied:
        """The decision. `project` and `branch` are None if the action has none. Calls `in_group` only if needed."""
        rule = self.rule_about(action, project, branch)
        if rule is None:
            return Denied(NO_RULE, self.ask)
        included = rule.subjects.includes(actor, location, in_group)
        if included:
            return Allowed(confirm=rule.confirm is Confirm.ALWAYS)
        return Denied(rule.reason or NO_REASON, rule.ask or self.ask, group_unknown=included is None)

    def lets_everyone(self, location: Location, action: str, project: str, branch: str | None) -> bool:
        """Whether everyone who reads `location` may do it."""
        rule = self.rule_about(action, project, branch)
        return rule is not None and (rule.subjects.everyone or location.channel in rule.subjects.channels)

    def needs_confirmation(self, project: str, branch: str | None) -> bool:
        """Whether a button that restarts the branch needs confirmation."""
        rule = self.rule_about(Verb.RESTART, project, branch)
        return rule is not None and rule.confirm is not Confirm.NEVER

    def rule_about(self, action: str, project: str | None, branch: str | None) -> Rule | None:
        """The first rule that covers the request; None if there is none."""
        return next((rule for rule in self.rules if rule.is_about(action, project, branch)), None)

    @property
    def groups(self) -> tuple[str, ...]:
        """Every user group in the rules, without duplicates and without `GUESTS`."""
        named = (group for rule in self.rules for group in rule.subjects.groups)
        return tuple(group for group in dict.fromkeys(named) if group != GUESTS)

    @property
    def names_guests(self) -> bool:
        """Whether a rule depends on who is a guest."""
        return any(rule.subjects.no_guests or GUESTS in rule.subjects.groups for rule in self.rules)


EVERYONE = Subjects(everyone=True)
OPEN = Policy(
    (
        Rule(EVERYONE, (Verb.RESTART,), branches=NamePattern(("main", "master", "release/*")), confirm=Confirm.BUTTONS),
        Rule(EVERYONE),
    )
)
"""The default policy, without a file."""


def _any(answers: Iterator[bool | None]) -> bool | None:
    """True if any answer is True; else None if any is None; else False."""
    unknown = False
    for answer in answers:
        if answer:
            return True
        unknown = unknown or answer is None
    return None if unknown else False

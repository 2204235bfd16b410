"""Who may do what to which repositories and branches, and what is asked for confirmation first. Pure.

A policy is a list of rules. The first rule that is about what is asked decides, alone: it says who may, and nobody
else may, whatever later rules say. What no rule is about, nobody may. Asking how things stand (status, builds,
projects, help) is no matter of rules: everybody may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from bot.core.model.builds import Actor, Location
from bot.core.model.commands import TABLE, Verb

ACTIONS = tuple(entry.policy_action for entry in TABLE if entry.policy_action is not None)
"""What rules can be about. A rule that names none is about all, also about those that are yet to come."""

NO_RULE = "No rule of the policy lets anybody do this."
NO_REASON = "The policy lets only some people do this."

InGroup = Callable[[str], bool | None]
"""Whether the one who asks is in a user group; None where nobody can tell."""


class Confirm(Enum):
    """Which restarts are confirmed first: those by button (Slack's own dialog asks), or typed ones, too."""

    NEVER = "never"
    BUTTONS = "buttons"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class NamePattern:
    """Patterns of names: one of `meant` must fit (any name does where there are none), and none of `exceptions`.

    In a pattern `*` stands for any signs, also for none and for slashes; every other sign for itself.
    """

    patterns: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()

    def matches(self, name: str | None, *, any_case: bool = False) -> bool:
        """No name at all (all repositories at once, a build without a branch) fits where every name would."""
        if name is None:
            return not self.exceptions and (not self.patterns or "*" in self.patterns)
        said = name.lower() if any_case else name

        def fits(pattern: str) -> bool:
            return _fits(pattern.lower() if any_case else pattern, said)

        return (not self.patterns or any(map(fits, self.patterns))) and not any(map(fits, self.exceptions))

    def __bool__(self) -> bool:
        return bool(self.patterns or self.exceptions)

    def __str__(self) -> str:
        meant = ", ".join(self.patterns) or "*"
        return f"{meant} except {', '.join(self.exceptions)}" if self.exceptions else meant


@dataclass(frozen=True, slots=True)
class Subjects:
    """Anybody whom one of these names; `channels` mean whoever asks there. All empty: nobody."""

    people: frozenset[str] = frozenset()
    groups: tuple[str, ...] = ()
    channels: frozenset[str] = frozenset()
    everyone: bool = False

    def includes(self, actor: Actor, location: Location, in_group: InGroup) -> bool | None:
        """None where only a user group could make it so and nobody can tell. Groups are asked for last."""
        if self.everyone or actor.id in self.people or location.channel in self.channels:
            return True
        return _any(in_group(group) for group in self.groups)


@dataclass(frozen=True, slots=True)
class BuildRules:
    """Which workflows of the repositories that fit `repos` decide a branch's state: those that `decide` fits, if it has
    patterns, and never those that `ignore` fits. A name fits in any case.

    `line` is where it stands in its file.
    """

    repos: NamePattern = NamePattern()
    decide: NamePattern = NamePattern()
    ignore: NamePattern = NamePattern()
    line: int = 0

    def decides(self, names: Iterable[str]) -> bool:
        """`names`: the workflow's own and its file's."""
        return any(self.decide.matches(name, any_case=True) for name in names if name)

    def ignores(self, names: Iterable[str]) -> bool:
        return bool(self.ignore) and any(self.ignore.matches(name, any_case=True) for name in names if name)


@dataclass(frozen=True, slots=True)
class Rule:
    """`reason` and `ask` are for those who may not: a sentence, and whom to ask (an id of Slack's, or words).

    `line` is where it stands in its file.
    """

    subjects: Subjects
    actions: tuple[str, ...] = ()
    repos: NamePattern = NamePattern()
    branches: NamePattern = NamePattern()
    confirm: Confirm = Confirm.NEVER
    reason: str | None = None
    ask: str | None = None
    line: int = 0

    def is_about(self, action: str, project: str | None, branch: str | None) -> bool:
        """`project` is `org/name`, compared in any case; branches are told apart by case, as git does."""
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
    """`confirm` says whether a restart that no dialog has asked about must be confirmed first."""

    confirm: bool = False


@dataclass(frozen=True, slots=True)
class Denied:
    """The rule's own reason, and whom to ask. `group_unknown`: being in a user group would have helped, and nobody
    could tell."""

    reason: str
    ask: str | None = None
    group_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """`ask` is whom to ask where a rule does not say. `builds` says which workflows decide a branch's state."""

    rules: tuple[Rule, ...]
    ask: str | None = None
    builds: tuple[BuildRules, ...] = ()

    def builds_of(self, repo: str) -> BuildRules | None:
        """What the first entry about the repository (`org/name`, in any case) says; None if there is none."""
        return next((rules for rules in self.builds if rules.repos.matches(repo, any_case=True)), None)

    def may(
        self, actor: Actor, location: Location, action: str, project: str | None, branch: str | None, in_group: InGroup
    ) -> Allowed | Denied:
        """`project` and `branch` are None where the action is about none. `in_group` is called where it matters."""
        rule = self.rule_about(action, project, branch)
        if rule is None:
            return Denied(NO_RULE, self.ask)
        included = rule.subjects.includes(actor, location, in_group)
        if included:
            return Allowed(confirm=rule.confirm is Confirm.ALWAYS)
        return Denied(rule.reason or NO_REASON, rule.ask or self.ask, group_unknown=included is None)

    def needs_confirmation(self, project: str, branch: str | None) -> bool:
        """Whether a button that restarts the branch asks first."""
        rule = self.rule_about(Verb.RESTART, project, branch)
        return rule is not None and rule.confirm is not Confirm.NEVER

    def rule_about(self, action: str, project: str | None, branch: str | None) -> Rule | None:
        """The one that decides."""
        return next((rule for rule in self.rules if rule.is_about(action, project, branch)), None)

    @property
    def groups(self) -> tuple[str, ...]:
        """Every user group that a rule names, once."""
        return tuple(dict.fromkeys(group for rule in self.rules for group in rule.subjects.groups))


EVERYONE = Subjects(everyone=True)
OPEN = Policy(
    (
        Rule(EVERYONE, (Verb.RESTART,), branches=NamePattern(("main", "master", "release/*")), confirm=Confirm.BUTTONS),
        Rule(EVERYONE),
    )
)
"""What holds without a file."""


def _any(answers: Iterator[bool | None]) -> bool | None:
    """True as soon as one is; None where none is and one is not known."""
    unknown = False
    for answer in answers:
        if answer:
            return True
        unknown = unknown or answer is None
    return None if unknown else False


def _fits(pattern: str, name: str) -> bool:
    """In one go, whatever the pattern: names come from strangers."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == name
    *between, last = rest
    at, end = len(first), len(name) - len(last)
    if at > end or not name.startswith(first) or not name.endswith(last):
        return False
    for part in between:
        result = name.find(part, at, end)
        if result < 0:
            return False
        at = result + len(part)
    return True

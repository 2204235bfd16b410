"""What the table of commands holds about a verb. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.core.model.builds import Ability
from bot.core.model.command_values import (
    HERE,
    BranchCommand,
    BuildCommand,
    CheckChannel,
    ListProjects,
    NameCommand,
    ShowAudit,
    ShowHelp,
    ShowHistory,
    Verb,
    Word,
)
from bot.core.model.errors import NotUnderstood
from bot.core.model.notification_commands.values import NotificationCommand, OnIt, ReportCommand
from bot.core.model.people.commands import NotMine, PersonCommand
from bot.core.sentences import named_in, names_in

_Question = CheckChannel | ListProjects | ShowAudit | ShowHelp | ShowHistory
_Notification = NotificationCommand | OnIt | NotMine | PersonCommand | ReportCommand
Command = BranchCommand | BuildCommand | NameCommand | _Notification | _Question


def branch_command(verb: Verb, words: Sequence[Word]) -> Command:
    """A verb on a repository and a branch. Raises NotUnderstood if more words follow."""
    words = names_in(words)
    if not words:
        return BranchCommand(verb, HERE)
    repo, branch = words[0], words[1] if len(words) > 1 else None
    if branch is not None and len(words) > 2:
        text = " ".join(word.exact for word in words[1:])
        instead = " ".join([verb, *named_in(words)])
        raise NotUnderstood(f"Branch names can’t contain spaces: “{text}”", verb, instead=instead)
    return BranchCommand(verb, repo, branch)


def history_command(verb: Verb, words: Sequence[Word]) -> Command:
    """Raises NotUnderstood."""
    return branch_command(verb, words) if names_in(words) else ShowHistory(verb)


def audit_command(verb: Verb, words: Sequence[Word]) -> ShowAudit:
    """Raises NotUnderstood."""
    if len(words) > 1:
        instead = f"{verb} {words[0].cleanest}"
        raise NotUnderstood("The audit takes one repository, or none for all.", verb, instead=instead)
    return ShowAudit(words[0] if words else None)


def check_command(verb: Verb, words: Sequence[Word]) -> CheckChannel:
    """Raises NotUnderstood."""
    if words:
        instead = " ".join([Verb.STATUS, *(word.cleanest for word in words[:2])])
        raise NotUnderstood("A check is of this channel, and takes no more words.", verb, instead=instead)
    return CheckChannel()


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the table.

    `usage` follows the command's or the mention's name; `<x>` is required, `[x]` optional. `parse_arguments` parses the
    words after the verb and raises NotUnderstood. `on_build`: a button can request it for exactly one build.
    `changes_something`: the request must survive a crash and is answered once. `policy_action`: the action that a
    policy rule must allow; None if everyone may. `audit_action`: its name in the audit; None if it is not recorded.
    `done`: what the build then is ("restarted"); None if it stays the same. `noun` names that in sentences.
    `ability`: what the build's CI service must be able to do; `unable` follows "can’t" if it can't. `raises_unknown`:
    its operation raises NoResponse if the result stays unknown. `always_asks`: each of its buttons asks for
    confirmation; those of other verbs only if the policy wants that. `in_short_help`: the help lists it without [More].
    `own_form`: the verb alone opens a form that asks for its words.
    """

    verb: Verb
    usage: str
    answer: str
    example: str
    aliases: tuple[str, ...] = ()
    parse_arguments: Callable[[Verb, Sequence[Word]], Command] = branch_command
    on_build: bool = False
    changes_something: bool = False
    policy_action: str | None = None
    audit_action: str | None = None
    done: str | None = None
    noun: str = ""
    ability: Ability | None = None
    unable: str = ""
    raises_unknown: bool = False
    always_asks: bool = False
    in_short_help: bool = True
    own_form: bool = False

    @property
    def takes_branch(self) -> bool:
        """Whether it is about a repository and a branch, so that a form can ask for both."""
        return self.parse_arguments is branch_command

    @property
    def has_form(self) -> bool:
        return self.takes_branch or self.own_form

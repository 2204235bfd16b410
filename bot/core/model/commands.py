"""The command language. One table holds all that differs between verbs. Pure.

The parser, button values, policy actions, audit entries, the help and the README read the table. A new verb needs its
value and its row here, its operation in `operations`, and its message. One that calls the CI service also needs its
port method.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import ClassVar

from bot.core.model.builds import Ability, BuildRef
from bot.core.model.errors import NotUnderstood
from bot.core.model.notification_commands.muting import mute_command, unmute_command
from bot.core.model.notification_commands.subscribing import (
    show_subscriptions_command,
    subscribe_command,
    unsubscribe_command,
)
from bot.core.model.notification_commands.values import (
    MuteCommand,
    ShowSubscriptions,
    Subscribe,
    UnmuteCommand,
    Unsubscribe,
)
from bot.core.model.words import Verb, Word

__all__ = [
    "MORE",
    "TABLE",
    "VERBS",
    "BranchCommand",
    "BuildCommand",
    "Command",
    "Entry",
    "ListProjects",
    "NotificationCommand",
    "ShowAudit",
    "ShowHelp",
    "Verb",
    "Word",
    "entry_for",
    "entry_named",
    "parse",
]


@dataclass(frozen=True, slots=True)
class BranchCommand:
    """A verb on a repository and a branch, as typed. Without a branch, the verb's operation decides which build.

    `confirmed`: a dialog has already asked for confirmation.
    """

    verb: Verb
    repo: Word
    branch: Word | None = None
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class BuildCommand:
    """A verb on exactly this build, from a button.

    `instead_of` names the unknown claim (id and attempt) that a "Try again" replaces. `confirmed`: the button's own
    dialog has confirmed it. `in_live`: the button is in a live message, which keeps its text. `failed_jobs_only`: only
    the failed jobs of the build's workflows, if the CI service can do that.
    """

    verb: Verb
    target: BuildRef
    instead_of: tuple[int, int] | None = None
    confirmed: bool = False
    in_live: bool = False
    failed_jobs_only: bool = False


@dataclass(frozen=True, slots=True)
class ListProjects:
    """The repositories whose names contain each word of `filter`; `page` counts from 1."""

    verb: ClassVar[Verb] = Verb.PROJECTS

    filter: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class ShowAudit:
    """The last actions, of one repository or of all."""

    verb: ClassVar[Verb] = Verb.AUDIT

    repo: Word | None = None


@dataclass(frozen=True, slots=True)
class ShowHelp:
    """The short list of commands; with `MORE` as `topic` all about them, else the command that `topic` names."""

    verb: ClassVar[Verb] = Verb.HELP

    topic: str | None = None


NotificationCommand = Subscribe | Unsubscribe | ShowSubscriptions | MuteCommand | UnmuteCommand
Command = BranchCommand | BuildCommand | ListProjects | ShowAudit | ShowHelp | NotificationCommand


def _branch_command(verb: Verb, words: Sequence[Word]) -> Command:
    if not words:
        raise NotUnderstood("Which repository?", verb)
    repo, branch = words[0], words[1] if len(words) > 1 else None
    if branch is not None and len(words) > 2:
        text = " ".join(word.exact for word in words[1:])
        instead = f"{verb} {repo.cleanest} {branch.cleanest}"
        raise NotUnderstood(f"Branch names can’t contain spaces: “{text}”", verb, instead=instead)
    return BranchCommand(verb, repo, branch)


def _projects_command(_verb: Verb, words: Sequence[Word]) -> Command:
    return ListProjects(" ".join(word.cleanest for word in words))


def _audit_command(verb: Verb, words: Sequence[Word]) -> Command:
    if len(words) > 1:
        instead = f"{verb} {words[0].cleanest}"
        raise NotUnderstood("The audit takes one repository, or none for all.", verb, instead=instead)
    return ShowAudit(words[0] if words else None)


def _help_command(_verb: Verb, words: Sequence[Word]) -> Command:
    if words and words[0].cleanest.lower() == MORE:
        return ShowHelp(MORE)
    entry = _entry_meant_by(words[0]) if words else None
    return ShowHelp(entry.verb if entry else None)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the table.

    `usage` follows the command's or the mention's name; `<x>` is required, `[x]` optional. `parse_arguments` parses the
    words after the verb and raises NotUnderstood. `on_build`: a button can request it for exactly one build.
    `changes_something`: the request must survive a crash and is answered once. `policy_action`: the action that a
    policy rule must allow; None if everyone may. `audit_action`: its name in the audit; None if it is not recorded.
    `done`: what the build then is ("restarted"); None if it stays the same. `ability`: what the build's CI service must
    be able to do. `without_claim`: it is sent without a claim, so without a response its result stays unknown.
    """

    verb: Verb
    usage: str
    answer: str
    example: str
    aliases: tuple[str, ...] = ()
    parse_arguments: Callable[[Verb, Sequence[Word]], Command] = _branch_command
    on_build: bool = False
    changes_something: bool = False
    policy_action: str | None = None
    audit_action: str | None = None
    done: str | None = None
    ability: Ability | None = None
    without_claim: bool = False


TABLE = (
    Entry(
        Verb.STATUS,
        "status <repo> [branch]",
        "Latest build of a branch. Without a branch: of each branch.",
        "status acme/web main",
        aliases=("state", "show", "logs"),  # a status names the failed jobs and links to their page
        on_build=True,
    ),
    Entry(
        Verb.RESTART,
        "restart <repo> [branch]",
        "Restarts the latest build of a branch. Without a branch: asks which.",
        "restart acme/web main",
        aliases=("rerun", "re-run", "rebuild", "retry"),
        on_build=True,
        changes_something=True,
        policy_action="restart",
        audit_action="restart",
        done="restarted",
    ),
    Entry(
        Verb.CANCEL,
        "cancel <repo> [branch]",
        "Cancels the running build of a branch (GitHub only).",
        "cancel acme/shop feature/coupons",
        aliases=("stop", "abort", "kill"),
        on_build=True,
        changes_something=True,
        policy_action="cancel",
        audit_action="cancel",
        done="cancelled",
        ability=Ability.CANCEL,
        without_claim=True,
    ),
    Entry(
        Verb.FOLLOW,
        "follow <repo> [branch]",
        "Posts one message and updates it until the running build finishes. Restarts do this by themselves.",
        "follow acme/web feature/login",
        aliases=("watch",),
        on_build=True,
        changes_something=True,
        policy_action="follow",
        audit_action="follow",
    ),
    Entry(
        Verb.BUILDS,
        "builds <repo> [branch]",
        "The last ten builds, newest first.",
        "builds acme/web main",
        aliases=("history", "runs"),
    ),
    Entry(
        Verb.PROJECTS,
        "projects [words]",
        "Repositories the bot can see, filtered by name.",
        "projects web",
        aliases=("list", "repos", "repositories"),
        parse_arguments=_projects_command,
    ),
    Entry(
        Verb.SUBSCRIBE,
        "subscribe <repos> [branch:…] [on:…] [workflow:…]",
        "Tells this channel when a branch breaks and when it is fixed.",
        "subscribe acme/web-* !acme/web-old branch:main,release/*",
        aliases=("sub",),
        parse_arguments=subscribe_command,
        changes_something=True,
        policy_action="subscribe",
        audit_action="subscribe",
    ),
    Entry(
        Verb.UNSUBSCRIBE,
        "unsubscribe <repos>|all",
        "Removes subscriptions of this channel.",
        "unsubscribe acme/web",
        aliases=("unsub",),
        parse_arguments=unsubscribe_command,
        changes_something=True,
        policy_action="subscribe",
        audit_action="unsubscribe",
    ),
    Entry(
        Verb.SUBSCRIPTIONS,
        "subscriptions",
        "What this channel is subscribed to, and what is muted.",
        "subscriptions",
        aliases=("subs",),
        parse_arguments=show_subscriptions_command,
    ),
    Entry(
        Verb.MUTE,
        "mute [repos] <time>|until <time>",
        "Mutes this channel’s notifications.",
        "mute acme/web until mon 9:00",
        aliases=("snooze",),
        parse_arguments=mute_command,
        changes_something=True,
        policy_action="subscribe",
        audit_action="mute",
    ),
    Entry(
        Verb.UNMUTE,
        "unmute [repos]",
        "Ends one mute, or all.",
        "unmute acme/web",
        aliases=("unsnooze",),
        parse_arguments=unmute_command,
        changes_something=True,
        policy_action="subscribe",
        audit_action="unmute",
    ),
    Entry(
        Verb.WHY,
        "why <repo> [branch]",
        "Why this channel was notified or not.",
        "why acme/web main",
        aliases=("explain",),
    ),
    Entry(
        Verb.AUDIT,
        "audit [repo]",
        "The last actions, newest first: who requested what, where, and the result.",
        "audit acme/web",
        parse_arguments=_audit_command,
        policy_action="audit",
    ),
    Entry(
        Verb.HELP,
        "help [command]",
        "All commands, or the usage of one.",
        "help restart",
        parse_arguments=_help_command,
    ),
)

MORE = "more"
"""The topic of the long help."""

VERBS = tuple(entry.verb for entry in TABLE)
_BY_VERB = {entry.verb: entry for entry in TABLE}
_BY_NAME = {name: entry for entry in TABLE for name in (entry.verb, *entry.aliases)}


def entry_for(verb: Verb) -> Entry:
    """The verb's row."""
    return _BY_VERB[verb]


def entry_named(name: str) -> Entry | None:
    """The row whose verb or alias is `name`, in any case; None if there is none."""
    return _BY_NAME.get(name.lower())


def parse(words: Sequence[Word]) -> Command:
    """The command in the words. Raises NotUnderstood, which names the problem and, if there is one, a correction."""
    words = _without_closing_signs(words)
    if not words:
        return ShowHelp()
    entry = _entry_meant_by(words[0])
    if entry is None:
        raise _no_such_verb(words)
    return entry.parse_arguments(entry.verb, words[1:])


def _without_closing_signs(words: Sequence[Word]) -> Sequence[Word]:
    """Drops a final punctuation mark that is separate, as in `status acme/web main ?`."""
    while words and set(words[-1].exact) <= set("?!."):
        words = words[:-1]
    return words


def _entry_meant_by(word: Word) -> Entry | None:
    return next((entry for entry in map(entry_named, word.spellings) if entry), None)


def _no_such_verb(words: Sequence[Word]) -> NotUnderstood:
    first, *rest = words
    said = first.cleanest
    after = [word.cleanest for word in rest]
    nearest = get_close_matches(said.lower(), _BY_NAME, n=1, cutoff=0.6)
    if nearest:
        verb = _BY_NAME[nearest[0]].verb
        return NotUnderstood(f"Unknown command “{said}”.", verb, instead=" ".join([verb, *after[:2]]))
    if "/" in said and len(words) <= 2:
        return NotUnderstood(
            f"“{said}” looks like a repository, not a command.",
            Verb.STATUS,
            instead=" ".join([Verb.STATUS, said, *after]),
        )
    return NotUnderstood(f"Unknown command “{said}”.")

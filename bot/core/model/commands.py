"""The command language. One table holds all that differs between verbs. Pure.

The parser, button values, policy actions, audit entries, the help and the README read the table. A new verb needs its
value in `command_values`, its row here, its operation in `operations`, and its message. One that calls the CI service
also needs its port method.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from bot.core.model.builds import Ability
from bot.core.model.command_entries import Command, Entry, audit_command, check_command, history_command
from bot.core.model.command_values import BranchCommand, ListProjects, ShowHelp, Verb, Word
from bot.core.model.errors import NotUnderstood
from bot.core.model.names.channel_name_commands import alias_command, settings_command, use_command
from bot.core.model.notification_commands.muting import mute_command, unmute_command
from bot.core.model.notification_commands.reporting import report_command
from bot.core.model.notification_commands.subscribing import (
    pause_command,
    show_subscriptions_command,
    subscribe_command,
    unsubscribe_command,
)
from bot.core.model.people.rows import PEOPLE_ROWS
from bot.core.sentences import POLITE, named_in, names_in, without_closing_signs, without_question, without_request


def _projects_command(verb: Verb, words: Sequence[Word]) -> Command:
    """`list all repositories` lists all; later words may be part of names."""
    said = [word.cleanest for word in words]
    own = (verb, *_BY_VERB[verb].aliases)
    while said and said[0].lower() in ("all", "the", "my", "our", *own):
        said = said[1:]
    return ListProjects(" ".join(said))


def _help_command(_verb: Verb, words: Sequence[Word]) -> Command:
    if words and words[0].cleanest.lower() == MORE:
        return ShowHelp(MORE)
    entry = _entry_meant_by(words[0]) if words else None
    return ShowHelp(entry.verb if entry else None)


TABLE = (
    Entry(
        Verb.STATUS,
        "status <repo> [branch]",
        "Latest build of a branch. Without a branch: of each branch.",
        "status acme/web main",
        aliases=("state", "show"),
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
        noun="Restart",
        ability=Ability.RESTART,
        unable="restart builds",
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
        noun="Cancellation",
        ability=Ability.CANCEL,
        unable="cancel builds",
        raises_unknown=True,
        always_asks=True,
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
        Verb.LOGS,
        "logs <repo> [branch]",
        "Why a build failed: the last lines of its failed step (GitHub only). Only you see them.",
        "logs acme/shop main",
        aliases=("log",),
        on_build=True,
        policy_action="logs",
        ability=Ability.LOGS,
        unable="show logs",
        in_short_help=False,
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
        "subscribe <repos> [filters]",
        "Tells this channel when a branch breaks and when it is fixed. Filters: branch:… on:… workflow:…",
        "subscribe acme/web-* !acme/web-old branch:main,release/*",
        aliases=("sub",),
        parse_arguments=subscribe_command,
        own_form=True,
        changes_something=True,
        policy_action="subscribe",
        audit_action="subscribe",
    ),
    Entry(
        Verb.UNSUBSCRIBE,
        "unsubscribe <repos>|all",
        "Removes this channel’s subscriptions.",
        "unsubscribe acme/web",
        parse_arguments=unsubscribe_command,
        changes_something=True,
        policy_action="subscribe",
        audit_action="unsubscribe",
        in_short_help=False,
    ),
    Entry(
        Verb.SUBSCRIPTIONS,
        "subscriptions",
        "This channel’s subscriptions and mutes.",
        "subscriptions",
        aliases=("subs",),
        parse_arguments=show_subscriptions_command,
        in_short_help=False,
    ),
    Entry(
        Verb.MUTE,
        "mute [me] [repos] <time>|until <time>",
        "Mutes this channel’s notifications. “me”: what I write to you alone.",
        "mute acme/web until mon 9:00",
        aliases=("snooze",),
        parse_arguments=mute_command,
        changes_something=True,
        policy_action="subscribe",
        audit_action="mute",
        in_short_help=False,
    ),
    Entry(
        Verb.UNMUTE,
        "unmute [me] [repos]",
        "Ends one mute, or all.",
        "unmute acme/web",
        parse_arguments=unmute_command,
        changes_something=True,
        policy_action="subscribe",
        audit_action="unmute",
        in_short_help=False,
    ),
    Entry(
        Verb.PAUSE,
        "pause <#number>",
        "Stops one subscription until it is resumed.",
        "pause #1",
        parse_arguments=pause_command,
        changes_something=True,
        policy_action="subscribe",
        audit_action="pause",
        in_short_help=False,
    ),
    Entry(
        Verb.RESUME,
        "resume <#number>",
        "Starts a paused subscription again.",
        "resume #1",
        parse_arguments=pause_command,
        changes_something=True,
        policy_action="subscribe",
        audit_action="resume",
        in_short_help=False,
    ),
    Entry(
        Verb.WHY,
        "why <repo> [branch]",
        "Why this channel was notified or not.",
        "why acme/web main",
        in_short_help=False,
    ),
    Entry(
        Verb.CHECK,
        "check",
        "Whether this channel can be notified, and what to do if not.",
        "check",
        parse_arguments=check_command,
        in_short_help=False,
    ),
    Entry(
        Verb.ON_IT,
        "on-it <repo> [branch]",
        "Says in the notifications of a broken branch that you’re on it. Reminders stop.",
        "on-it acme/web main",
        changes_something=True,
        in_short_help=False,
    ),
    *PEOPLE_ROWS,
    Entry(
        Verb.USE,
        "use <repo> [branch]",
        "Makes it this channel’s default, for commands without a repository. “use none” removes it.",
        "use acme/web main",
        aliases=("default", "defaults"),
        parse_arguments=use_command,
        policy_action="defaults",
        audit_action="use",
        in_short_help=False,
    ),
    Entry(
        Verb.ALIAS,
        "alias <name> <repo> [branch]",
        "Gives a repository a short name in this channel. “alias site none” removes it.",
        "alias site acme/website",
        parse_arguments=alias_command,
        policy_action="defaults",
        audit_action="alias",
        in_short_help=False,
    ),
    Entry(
        Verb.SETTINGS,
        "settings",
        "This channel’s default repository and its aliases.",
        "settings",
        parse_arguments=settings_command,
        in_short_help=False,
    ),
    Entry(
        Verb.FLAKY,
        "flaky [repo] [branch]",
        "Branches with commits that failed and then passed on retry, in the last 30 days.",
        "flaky acme/web",
        parse_arguments=history_command,
        in_short_help=False,
    ),
    Entry(
        Verb.SLOW,
        "slow [repo] [branch]",
        "Branches by the median duration of their passed builds in the last 30 days, the longest first.",
        "slow acme/web",
        parse_arguments=history_command,
        in_short_help=False,
    ),
    Entry(
        Verb.DIGEST,
        "digest weekly|daily <time>",
        "Posts figures of this channel’s branches regularly. “digest now” shows them to you, “digest off” stops them.",
        "digest weekly mon 9:00",
        parse_arguments=report_command,
        changes_something=True,
        policy_action="subscribe",
        audit_action="digest",
        in_short_help=False,
    ),
    Entry(
        Verb.AUDIT,
        "audit [repo]",
        "The last actions, newest first: who requested what, where, and the result.",
        "audit acme/web",
        parse_arguments=audit_command,
        policy_action="audit",
        in_short_help=False,
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
    """The command in the words, which may be a small sentence. Words without a verb are a guess at a status.

    Raises NotUnderstood, which names the problem and, if there is one, a correction.
    """
    words = without_closing_signs(words)
    if not words:
        return ShowHelp()
    for rest, may_change in ((words, True), (without_request(words), True), (without_question(words), False)):
        entry = _entry_meant_by(rest[0]) if rest else None
        if entry is not None and (may_change or not entry.changes_something):
            return entry.parse_arguments(entry.verb, rest[1:])
    rest = names_in(without_question(words))
    if not rest or len(rest) > 2:
        raise unknown_command(words)
    repo, branch = rest[0], rest[1] if len(rest) > 1 else None
    return BranchCommand(Verb.STATUS, repo, branch, is_guess="/" not in repo.cleanest)


def _entry_meant_by(word: Word) -> Entry | None:
    return next((entry for entry in map(entry_named, word.spellings) if entry), None)


def nearest_verb(word: Word) -> Verb | None:
    """The verb of which the word may be a misspelling; None if it resembles none."""
    said = word.cleanest.lower()
    may_be_one = len(said) > 2 and said not in POLITE
    nearest = get_close_matches(said, _BY_NAME, n=1, cutoff=0.6) if may_be_one else []
    return _BY_NAME[nearest[0]].verb if nearest else None


def unknown_command(words: Sequence[Word], nearest_repo: str | None = None) -> NotUnderstood:
    """The error for words that begin with no verb and no known repository, with the nearest proposal.

    `nearest_repo` is the known repository whose name is most similar to the first word. It is proposed unless a verb is
    similar, too, and more follows.
    """
    first, *rest = words
    said = first.cleanest
    after = [word.cleanest for word in names_in(rest)][:2]
    verb = nearest_verb(first)
    if verb is not None and (after or nearest_repo is None):
        return NotUnderstood(f"Unknown command “{said}”.", verb, instead=" ".join([verb, *after]))
    named = [nearest_repo, *after[:1]] if nearest_repo is not None else []
    if not named and any("/" in word.cleanest for word in rest):  # `did acme/web main pass?`
        named = [*named_in(rest)]
    instead = " ".join([Verb.STATUS, *named])
    unknown = f"Unknown command “{said}”."
    return NotUnderstood(unknown, Verb.STATUS, instead=instead) if named else NotUnderstood(unknown)

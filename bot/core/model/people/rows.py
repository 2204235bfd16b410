"""The rows of the table of commands that are about a person's own account and notifications. Data."""

from __future__ import annotations

from bot.core.model.command_entries import Entry
from bot.core.model.command_values import Verb
from bot.core.model.people.commands import link_command, notify_command, unlink_command

PEOPLE_ROWS = (
    Entry(
        Verb.NOT_MINE,
        "not-mine <repo> [branch]",
        "Says that you did not break a branch, so that you’re not notified of this failure again.",
        "not-mine acme/web main",
        changes_something=True,
        audit_action="not-mine",
        in_short_help=False,
    ),
    Entry(
        Verb.LINK,
        "link github <login>",
        "Links your GitHub account, so that you hear when you break a branch. Alone: shows what is linked.",
        "link github ada-l",
        parse_arguments=link_command,
        changes_something=True,
        audit_action="link",
        in_short_help=False,
    ),
    Entry(
        Verb.UNLINK,
        "unlink github",
        "Removes the link to your GitHub account.",
        "unlink github",
        parse_arguments=unlink_command,
        changes_something=True,
        audit_action="unlink",
        in_short_help=False,
    ),
    Entry(
        Verb.NOTIFY,
        "notify [mine|main|off] [dm|mention]",
        "What you hear of branches that you broke: all, default branches or none; by direct message or mention.",
        "notify main",
        parse_arguments=notify_command,
        changes_something=True,
        audit_action="notify",
        in_short_help=False,
    ),
)

"""The audit: a line for each action, newest first, to the asker alone. Pure."""

from __future__ import annotations

from bot.core.model.audit import AuditEntry, Result
from bot.core.model.builds import Location
from bot.core.model.outcomes import AuditShown
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Message, message
from bot.slack.blocks.rich_text import Line, channel, join_dots, line, literal, person, sanitize, timestamp, untrusted
from bot.slack.messages.builds import repository

_NAME, _WORD, _REASON = 60, 30, 80
_ORDER = ", newest first:"
_WAYS = {
    "click": "with a button",
    "command": "by command",
    "mention": "by mention",
    "direct message": "in a direct message",
    "form": "with the form",
    "shortcut": "with a shortcut",
}


def render_audit(shown: AuditShown, context: RenderContext) -> Message:
    """Each entry names its service if several repositories are listed and there are several services."""
    of_any = shown.project is None and context.has_several
    entries = (_entry(entry, context.title_of(entry.service) if of_any else None) for entry in shown.entries)
    return message([_head(shown), *entries], in_public=False)


def _head(shown: AuditShown) -> Line:
    of = line(" on ", repository(shown.project)) if shown.project else ()
    if not shown.entries:
        return line("No actions", of, " are on record.")
    count = len(shown.entries)
    return line("The last action" if count == 1 else f"The last {count} actions", of, _ORDER if count > 1 else ":")


def _entry(entry: AuditEntry, title: str | None) -> Line:
    """Without bold: twenty of these must fit into one message."""
    found_by = sanitize(entry.reference, _WORD)
    return join_dots(
        line("• ", timestamp(entry.at) or "some time"),
        line(person(entry.actor), f" {_WAYS.get(entry.source, sanitize(entry.source, _WORD))}", _where(entry.location)),
        _what(entry, title),
        line(sanitize(entry.result, _WORD), _reason(entry)),
        line(f"ref {found_by}") if found_by else None,
    )


def _where(location: Location) -> Line:
    return () if location.is_between_two else line(" in ", channel(location.channel))


def _what(entry: AuditEntry, title: str | None) -> Line:
    """What was typed, if that did not lead to a repository. A build’s id is shown if it is a number."""
    typed = untrusted(entry.typed, _NAME)
    if typed and entry.project_name is None:
        return line("“", typed, "”")
    build = sanitize(entry.build_id, _NAME)
    found = join_dots(
        untrusted(entry.project_name, _NAME),
        title if entry.project_name else None,
        untrusted(entry.branch, _NAME),
        literal(f"#{build}") if build.isdecimal() else None,
    )
    return line(f"{sanitize(entry.action, _WORD)} ", found)


def _reason(entry: AuditEntry) -> Line:
    """Empty if someone else had already asked: their action is a few lines below."""
    why = untrusted(entry.reason, _REASON) if entry.result != Result.ALREADY else None
    return line(": ", why) if why else ()

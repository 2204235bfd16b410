"""How the audit looks: a line an action, the newest first, to the asker alone. Pure."""

from __future__ import annotations

from bot.core.model.audit import AuditEntry, Result
from bot.core.model.builds import Place
from bot.core.model.outcomes import AuditShown
from bot.slack.blocks.context import Wording
from bot.slack.blocks.message import Message, message
from bot.slack.blocks.rich_text import Line, channel, dotted, foreign, line, own, person, told, when
from bot.slack.messages.builds import repository

_NAME, _WORD, _REASON = 60, 30, 80
_ORDER = ", newest first:"
_WAYS = {
    "click": "with a button",
    "command": "by command",
    "mention": "by mention",
    "direct message": "in a direct message",
}


def audit_told(shown: AuditShown, words: Wording) -> Message:
    """Each entry says whose the repository is, where several are told of and there are several services."""
    of_any = shown.project is None and words.has_several
    entries = (_entry(entry, words.title_of(entry.service) if of_any else None) for entry in shown.entries)
    return message([_head(shown), *entries], in_public=False)


def _head(shown: AuditShown) -> Line:
    of = line(" on ", repository(shown.project)) if shown.project else ()
    if not shown.entries:
        return line("No action", of, " is on record.")
    count = len(shown.entries)
    return line("The last action" if count == 1 else f"The last {count} actions", of, _ORDER if count > 1 else ":")


def _entry(entry: AuditEntry, title: str | None) -> Line:
    """Plain words, without bold: twenty of these have to fit into one message."""
    found_by = told(entry.reference, _WORD)
    return dotted(
        line("• ", when(entry.at) or "some time"),
        line(person(entry.actor), f" {_WAYS.get(entry.way, told(entry.way, _WORD))}", _where(entry.place)),
        _what(entry, title),
        line(told(entry.result, _WORD), _reason(entry)),
        line(f"ref {found_by}") if found_by else None,
    )


def _where(place: Place) -> Line:
    return () if place.is_between_two else line(" in ", channel(place.channel))


def _what(entry: AuditEntry, title: str | None) -> Line:
    """As it was typed, where that did not lead to a repository. A build’s id is told where it is a number."""
    typed = foreign(entry.typed, _NAME)
    if typed and entry.project_name is None:
        return line("“", typed, "”")
    build = told(entry.build_id, _NAME)
    found = dotted(
        foreign(entry.project_name, _NAME),
        title if entry.project_name else None,
        foreign(entry.branch, _NAME),
        own(f"#{build}") if build.isdecimal() else None,
    )
    return line(f"{told(entry.action, _WORD)} ", found)


def _reason(entry: AuditEntry) -> Line:
    """Not where somebody else had asked already: their action stands a few lines below."""
    why = foreign(entry.reason, _REASON) if entry.result != Result.ALREADY else None
    return line(": ", why) if why else ()

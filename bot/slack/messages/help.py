"""Help, from the table of commands and nothing else. Pure."""

from __future__ import annotations

from bot.core.model.commands import TABLE, Entry, entry_named
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Message, message
from bot.slack.blocks.rich_text import Line, code, join, line


def render_help(topic: str | None, context: RenderContext) -> Message:
    """One command where `topic` names one, else all. To the asker alone."""
    known = entry_named(topic or "")
    entries = (known,) if known else TABLE
    lines = [] if known else [line("What I understand:")]
    for entry in entries:
        lines += _entry(entry, context)
    return message([*lines, *_everywhere(entries[0], context)], in_public=False)


def _entry(entry: Entry, context: RenderContext) -> list[Line]:
    return [
        line(code(f"{context.command} {entry.usage}")),
        line(f"    {entry.answer} For example: ", code(f"{context.command} {entry.example}")),
    ]


def _everywhere(entry: Entry, context: RenderContext) -> list[Line]:
    return [
        line(
            "The same words work in a mention, also within threads: ",
            code(f"{context.mention} {entry.example}"),
            "; and in a direct message to me, alone: ",
            code(entry.example),
        ),
        line(
            code("<repo>"),
            " is ",
            code("org/name"),
            ", the name alone where only one has it, or the pasted address of a repository or a build.",
        ),
        _with_service(context),
    ]


def _with_service(context: RenderContext) -> Line:
    """How to say which of several services is meant."""
    if not context.has_several:
        return ()
    text = [code(f"org/name@{name}") for name in context.services]
    return line("Where several CI services have one of that name: ", join(" or ", *text), ".")

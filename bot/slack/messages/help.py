"""The help, made from the table of commands. Pure."""

from __future__ import annotations

from bot.core.model.commands import MORE, TABLE, Entry, ShowHelp, entry_named
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Message, button, message
from bot.slack.blocks.rich_text import Line, code, join, line
from bot.slack.views.form import Preset, form_button


def render_help(topic: str | None, context: RenderContext) -> Message:
    """One command if `topic` names it; all of them for `MORE`; else what fits on a phone's screen."""
    entry = entry_named(topic or "")
    if entry is not None:
        opens = form_button("Open form", Preset(entry.verb)) if entry.takes_branch else None
        return message([line(entry.answer), *_usage(entry, context), *_ways(entry, context)], [opens], in_public=False)
    if topic == MORE:
        parts = [line("All commands")]
        for entry in TABLE:
            parts += [line(code(entry.usage)), line(f"    {entry.answer}")]
        return message([*parts, *_ways(TABLE[0], context)], [form_button("Open form")], in_public=False)
    parts = [line("Check and restart CI builds"), *(line(code(entry.usage)) for entry in TABLE if entry.in_short_help)]
    example = line("For example ", code(f"{context.command} {TABLE[0].example}"))
    more = button("More", ShowHelp(MORE))
    return message([*parts, example], [form_button("Open form"), more], in_public=False)


def _usage(entry: Entry, context: RenderContext) -> list[Line]:
    return [
        line("Usage: ", code(f"{context.command} {entry.usage}")),
        line("Example: ", code(f"{context.command} {entry.example}")),
    ]


def _ways(entry: Entry, context: RenderContext) -> list[Line]:
    return [
        line(
            "In a channel or a thread: ",
            code(f"{context.mention} {entry.example}"),
            ". In a direct message, just: ",
            code(entry.example),
        ),
        line(code("<repo>"), " is ", code("org/name"), ", just the name, or the URL of a repository or a build."),
        _with_service(context),
    ]


def _with_service(context: RenderContext) -> Line:
    """How to name one of several services."""
    if not context.has_several:
        return ()
    text = [code(f"org/name@{name}") for name in context.services]
    return line("If several CI services have a repository of that name: ", join(" or ", *text), ".")

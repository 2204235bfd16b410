"""The help, made from the table of commands, and the answer to words that are none. Pure."""

from __future__ import annotations

from dataclasses import replace

from bot.core.model.command_entries import Command, Entry
from bot.core.model.command_values import HERE, BranchCommand, ShowAudit, ShowHelp, Verb, Word
from bot.core.model.commands import MORE, TABLE, VERBS, entry_for, entry_named, parse
from bot.core.model.errors import NotUnderstood
from bot.slack.blocks.confirm_dialog import Restarting, asked
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block, Choice, Message, button, message
from bot.slack.blocks.rich_text import Line, code, emoji, join, line, literal, sanitize, untrusted
from bot.slack.messages.confirmation import choice
from bot.slack.views.form import Preset, form_button

_SAID = 300


def render_help(topic: str | None, context: RenderContext) -> Message:
    """One command if `topic` names it; all of them for `MORE`; else what fits on a phone's screen."""
    entry = entry_named(topic or "")
    if entry is not None:
        lines = [line(entry.answer), *_usage(entry, context), *_ways(entry, context)]
        return message(lines, [_form_for(entry)], in_public=False)
    if topic == MORE:
        parts = [line("All commands")]
        for entry in TABLE:
            parts += [line(code(entry.usage)), line(f"    {entry.answer}")]
        return message([*parts, *_ways(TABLE[0], context)], [form_button("Open form")], in_public=False)
    parts = [line("Check and restart CI builds"), *(line(code(entry.usage)) for entry in TABLE if entry.in_short_help)]
    example = line("For example ", code(f"{context.command} {TABLE[0].example}"))
    more = button("More", ShowHelp(MORE))
    return message([*parts, example], [form_button("Open form"), more], in_public=False)


def render_not_understood(error: NotUnderstood, context: RenderContext, reference: str | None) -> Message:
    """To the asker alone: the nearest command, also on a button; else the usage and the form."""
    why = untrusted(error.why, _SAID) or literal("Unknown command.")
    lines = [line(emoji("warning"), " ", why)]
    instead, entry, proposal = sanitize(error.instead, _SAID), entry_named(error.topic or ""), _proposal(error, context)
    if instead:
        lines.append(line("Did you mean: ", code(f"{context.command} {instead}")))
    if proposal is not None and (pressed := button(proposal.label, proposal.command, proposal.dialog)):
        return message(lines, [pressed], in_public=False, reference=reference)
    if entry is not None:
        lines.append(line("Usage: ", code(f"{context.command} {entry.usage}")))
        if not instead:
            lines.append(line("Example: ", code(f"{context.command} {entry.example}")))
    elif not instead:
        lines.append(line(f"Commands: {', '.join(VERBS)}. ", code(f"{context.command} help"), " says more."))
    opens = _form_for(entry) if entry is not None else form_button("Open form")
    return message(lines, [opens], in_public=False, reference=reference)


def _proposal(error: NotUnderstood, context: RenderContext) -> Choice | None:
    """The command that was probably meant; None if there is none.

    A restart always asks first: it is a guess, and its words may not show which branch the policy will see.
    """
    if not error.instead:
        return None
    try:
        command = parse([Word.of(word) for word in error.instead.split()])
    except NotUnderstood:
        return None
    if _acts_on_default(command):
        return None
    if isinstance(command, BranchCommand) and command.verb is Verb.RESTART:
        branch = command.branch.cleanest if command.branch else None
        asks = asked(Restarting(command.repo.cleanest, branch))
        return Choice(error.instead, replace(command, confirmed=True), asks)
    repo = command.repo.cleanest if isinstance(command, BranchCommand | ShowAudit) and command.repo else ""
    return choice(error.instead, command, repo, context)


def _acts_on_default(command: Command) -> bool:
    """Whether it would change something about the channel's default repository, which no words name."""
    return isinstance(command, BranchCommand) and command.repo == HERE and entry_for(command.verb).changes_something


def _form_for(entry: Entry) -> Block | None:
    return form_button("Open form", Preset(entry.verb)) if entry.has_form else None


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

"""The default repository and the aliases of a channel. Pure."""

from __future__ import annotations

from bot.core.model.builds import Actor
from bot.core.model.names.channel_names import ChannelName
from bot.core.model.outcomes import ChannelNamesShown
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Message, message
from bot.slack.blocks.rich_text import Line, code, line, literal, person, sanitize, since, untrusted
from bot.slack.messages.builds import requested_by

_NAME, _BRANCH, _SHOWN = 120, 100, 20


def render_channel_names(shown: ChannelNamesShown, context: RenderContext, asker: Actor | None) -> Message:
    """What was changed, to all, since it changes what everyone's commands here mean; else the list, to the asker."""
    if shown.alias is None:
        return message(_list(shown, context), in_public=False)
    removed = shown.removed
    now = next((name for name in shown.names if name.alias == shown.alias), None)
    said: list[Line]
    if now is not None and shown.alias:
        said = [line("“", literal(now.alias), "” now means ", meaning_of(now, context), " in this channel")]
    elif now is not None:
        alone = line("Commands without a repository mean it, such as ", code(f"{context.command} status"), ".")
        said = [line("The default of this channel is now ", meaning_of(now, context)), alone]
    elif removed is not None:
        gone = line("The alias “", literal(removed.alias), "”") if removed.alias else line("The default repository")
        said = [line(gone, " of this channel is removed. It was ", meaning_of(removed, context), ".")]
    else:
        return message([line("Nothing to remove: it isn’t set here.")], in_public=False)
    return message(said, facts=[requested_by(asker)], in_public=True)


def _list(shown: ChannelNamesShown, context: RenderContext) -> list[Line]:
    default = next((name for name in shown.names if not name.alias), None)
    aliases = [name for name in shown.names if name.alias]
    lines = [line("Settings of this channel")]
    if default is not None:
        lines.append(line("Default repository: ", *_entry(default, context)))
    else:
        lines.append(line("No default repository. Set one with ", code(f"{context.command} use acme/web main"), "."))
    if not aliases:
        lines.append(line("No aliases. Set one with ", code(f"{context.command} alias site acme/website"), "."))
    lines += [line(code(name.alias), ": ", *_entry(name, context)) for name in aliases[:_SHOWN]]
    if len(aliases) > _SHOWN:
        lines.append(line(f"and {len(aliases) - _SHOWN} more aliases"))
    return lines


def _entry(name: ChannelName, context: RenderContext) -> Line:
    return line(meaning_of(name, context), ", set by ", person(name.set_by), " ", since(name.set_at))


def meaning_of(name: ChannelName, context: RenderContext) -> Line:
    """`acme/web main`, with its service if there are several."""
    repo = name.repo if context.has_several else name.repo.partition("@")[0]
    shown = untrusted(sanitize(repo, _NAME), _NAME) or literal("…")
    branch = untrusted(name.branch, _BRANCH) if name.branch else None
    return line(shown, " ", branch) if branch else line(shown)

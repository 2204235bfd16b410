"""Messages, put together from lines and buttons within Slack's limits. Pure; knows no outcome and no error.

Limits: https://docs.slack.dev/reference/block-kit/blocks; the size of a whole message is not documented there.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from bot.core.model.command_entries import Command
from bot.slack.blocks.button_values import action_id_of, value_of
from bot.slack.blocks.rich_text import (
    Line,
    bold,
    code,
    good_url,
    join,
    line,
    literal,
    mrkdwn,
    sanitize,
    spoken,
    verbatim_line,
)

Block = Mapping[str, Any]
Style = Literal["primary", "danger"]
"""A button's style: the likely next step, or one that destroys something. A message has at most one primary button."""

LARGEST_JSON = 10_000
"""Maximum characters of a message's blocks. Slack answers msg_blocks_too_long from about 13,200 on."""
MAX_TEXT = 3_500
MAX_LABEL = 75
MAX_OPTION_VALUE = 150
MAX_VERBATIM, MAX_VERBATIM_LINE = 3_000, 300
MAX_CHOICES = 10
_MAX_REFERENCE = 100
_MORE = line("…")


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent to Slack. `text` is mrkdwn that says everything by itself."""

    text: str
    blocks: tuple[Block, ...]
    in_public: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A command that a message offers as a button, or as words if none can carry it. `dialog` is asked first."""

    label: str
    command: Command
    dialog: Block | None = None


def button(
    label: str, command: Command, dialog: Block | None = None, *, number: int = 0, style: Style | None = None
) -> Block | None:
    """None if nothing of the label is visible, or the command does not fit into a button. `dialog` is asked first.

    `number` tells choices in one message apart.
    """
    shown, value = sanitize(label, MAX_LABEL), value_of(command)
    if not shown or value is None:
        return None
    more = {**({"style": style} if style else {}), **({"confirm": dialog} if dialog else {})}
    return {"type": "button", "action_id": action_id_of(command, number), "text": plain(shown), "value": value, **more}


def more_menu(choices: Iterable[tuple[str, Command]], *, number: int) -> list[Block | None]:
    """The choices in the menu that opens with ⋯. A choice whose command is too long for an option is a button instead.

    `number` and those after it tell the elements from others in the message.
    """
    options: list[Block] = []
    buttons: list[Block | None] = []
    for label, command in choices:
        shown, value = sanitize(label, MAX_LABEL), value_of(command)
        if value is not None and len(value) <= MAX_OPTION_VALUE:
            options.append({"text": plain(shown), "value": value})
        else:
            buttons.append(button(label, command, number=number + 1 + len(buttons)))
    menu = {"type": "overflow", "action_id": f"command:{number}", "options": options}
    return [*buttons, menu if options else None]


def link_button(label: str, url: str | None, what: str) -> Block | None:
    """Opens a page. None if Slack would not accept the address."""
    good = good_url(url)
    if good is None:
        return None
    return {"type": "button", "action_id": f"open:{what}", "text": plain(label), "url": good}


def message(
    lines: Iterable[Line],
    buttons: Iterable[Block | None] = (),
    *,
    in_public: bool,
    facts: Iterable[Line] = (),
    details: Iterable[Line] = (),
    verbatim: Sequence[str] = (),
    aloud: Line = (),
    reference: str | None = None,
) -> Message:
    """Builds a message: the lines, the first in bold; the facts, small; the details; `verbatim`; the buttons; the
    reference, small.

    `verbatim` are lines of a log, shown unchanged; if they are too many, only the last ones. `text` has the last of
    them. `aloud` is only in `text`: what the screen shows as buttons. Above Slack's limits the last details are dropped
    first, then the last buttons, then the last lines.
    """
    first, *more = [part for part in lines if part] or [line("…")]
    head = [bold(first), *more]
    small, beneath = _there(facts), _there(details)
    pressed = [part for part in buttons if part is not None]
    found_by = sanitize(reference, _MAX_REFERENCE)
    ref = [line(f"Reference {found_by}")] if found_by else []
    exact = _last_of(verbatim)
    shown = _Shown(head, small, beneath, exact, pressed, ref)
    if beneath and shown.size > LARGEST_JSON:
        tries = [replace(shown, details=[*beneath[:kept], _MORE]) for kept in range(len(beneath))]
        fitting = bisect_right(tries, LARGEST_JSON, key=lambda one: one.size)
        shown = tries[max(fitting - 1, 0)]
    while shown.buttons and shown.size > LARGEST_JSON:
        shown = replace(shown, buttons=shown.buttons[:-1])
    while len(head) > 1 and shown.size > LARGEST_JSON:
        head = head[:-1]
        shown = replace(shown, lines=[*head, _MORE])
    said = [bold(first), *more, *small, *beneath, *(line(code(each)) for each in exact[-1:] if each), aloud, *ref]
    return Message(_text(said), tuple(shown.blocks), in_public)


@dataclass(frozen=True, slots=True)
class _Shown:
    """The parts that a message's blocks are made from."""

    lines: Sequence[Line]
    facts: Sequence[Line] = ()
    details: Sequence[Line] = ()
    verbatim: Sequence[str] = ()
    buttons: Sequence[Block] = ()
    end: Sequence[Line] = ()

    @property
    def blocks(self) -> list[Block]:
        rich = [_rich(self.lines)] if self.lines else []
        small = [_small(self.facts)] if self.facts else []
        beneath = [_rich(self.details)] if self.details else []
        exact = [_preformatted(self.verbatim)] if self.verbatim else []
        actions = [{"type": "actions", "elements": list(self.buttons)}] if self.buttons else []
        return [*rich, *small, *beneath, *exact, *actions, *([_small(self.end)] if self.end else [])]

    @property
    def size(self) -> int:
        """Characters of JSON."""
        return len(json.dumps(self.blocks, ensure_ascii=False))


def _last_of(verbatim: Sequence[str]) -> list[str]:
    """The last lines that there is room for, each clean and no longer than `MAX_VERBATIM_LINE`."""
    kept: list[str] = []
    room = MAX_VERBATIM
    for each in reversed(verbatim):
        clean = verbatim_line(each, MAX_VERBATIM_LINE)
        room -= len(json.dumps(clean, ensure_ascii=False))
        if room < 0:
            break
        kept.append(clean)
    return kept[::-1] if any(kept) else []


def _preformatted(lines: Sequence[str]) -> Block:
    """Slack shows the text unchanged: neither links nor mentions work in it."""
    element = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "\n".join(lines)}]}
    return {"type": "rich_text", "elements": [element]}


def _there(lines: Iterable[Line]) -> list[Line]:
    return [part for part in lines if part]


def choice_message(
    lines: Iterable[Line],
    choices: Sequence[Choice],
    *,
    in_public: bool,
    buttons: Iterable[Block | None] = (),
    facts: Iterable[Line] = (),
    reference: str | None = None,
) -> Message:
    """The lines, and a button for each of the first choices, before `buttons`; those that get none are named."""
    first = choices[:MAX_CHOICES]
    chosen = [button(choice.label, choice.command, choice.dialog, number=n) for n, choice in enumerate(first)]
    offered = [choice for choice, drawn in zip(first, chosen, strict=True) if drawn]
    bare = [choice for choice in choices if choice not in offered]
    return message(
        [*lines, line("Others: " if offered else "One of: ", _names(bare)) if bare else ()],
        [*chosen, *buttons],
        in_public=in_public,
        facts=facts,
        aloud=line("Choices: ", _names(offered)) if offered else (),
        reference=reference,
    )


def with_line(drawn: Message, *more: Line) -> Message:
    """The same message with a small line at its end. The line must be short: the limits are not checked again."""
    added = _there(more)
    return replace(drawn, text=f"{drawn.text}\n{_text(added)}", blocks=(*drawn.blocks, _small(added)))


def _names(choices: Sequence[Choice]) -> Line:
    names = [sanitize(choice.label, MAX_LABEL) for choice in choices[:MAX_CHOICES]]
    more = len(choices) - MAX_CHOICES
    return line(join(", ", *names), f" and {more} more" if more > 0 else "")


def _rich(lines: Sequence[Line]) -> Block:
    """One section, in which Slack's clients break lines. Several sections would be shown without space between them."""
    elements: list[dict[str, Any]] = []
    for n, part in enumerate(lines):
        for piece in (literal("\n"), *part) if n else part:
            before = elements[-1] if elements else {}
            is_text = before.get("type") == piece.element["type"] == "text"
            if is_text and before.get("style") == piece.element.get("style"):
                before["text"] += piece.element["text"]
            else:
                elements.append(dict(piece.element))
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def _text(lines: Sequence[Line]) -> str:
    """Whole lines only, since a cut could go through an entity or a mention."""
    text = ""
    for part in lines:
        words = spoken(part)
        if not words:
            continue
        if len(text) + len(words) + 3 > MAX_TEXT:
            return f"{text}\n…" if text else "…"
        text = f"{text}\n{words}" if text else words
    return text


def plain(text: str) -> Block:
    """Text that Slack shows literally; not empty."""
    return {"type": "plain_text", "text": text, "emoji": False}


def _small(lines: Sequence[Line]) -> Block:
    """A context block: the client shows it small and grey."""
    text = "\n".join(map(mrkdwn, lines))
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}

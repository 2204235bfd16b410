"""Messages, put together from lines and buttons within Slack's limits. Pure; knows no outcome and no error.

Limits: https://docs.slack.dev/reference/block-kit/blocks; the size of a whole message is not documented there.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.core.model.commands import Command
from bot.slack.blocks.button_values import action_id_of, value_of
from bot.slack.blocks.rich_text import Line, good_url, join, line, literal, sanitize

Block = Mapping[str, Any]

LARGEST_JSON = 10_000
"""Characters of blocks in one message; senders met msg_blocks_too_long at about 13,200."""
MAX_TEXT = 3_500
MAX_LABEL = 75
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
    """A word that stands for a command: a button where one can carry it, which asks first where there is a `dialog`."""

    label: str
    command: Command
    dialog: Block | None = None


def button(label: str, command: Command, dialog: Block | None = None, *, number: int = 0) -> Block | None:
    """None if nothing of the label shows, or the command does not fit into a button. `dialog` is asked first.

    `number` tells choices in one message apart.
    """
    shown, value = sanitize(label, MAX_LABEL), value_of(command)
    if not shown or value is None:
        return None
    asks = {"confirm": dialog} if dialog else {}
    return {"type": "button", "action_id": action_id_of(command, number), "text": plain(shown), "value": value, **asks}


def link_button(label: str, url: str | None, what: str) -> Block | None:
    """Opens a page. None where there is none that Slack would take."""
    good = good_url(url)
    if good is None:
        return None
    return {"type": "button", "action_id": f"open:{what}", "text": plain(label), "url": good}


def message(
    lines: Iterable[Line],
    buttons: Iterable[Block | None] = (),
    *,
    in_public: bool,
    details: Iterable[Line] = (),
    aloud: Line = (),
    reference: str | None = None,
) -> Message:
    """One message: the lines, the details beneath them, the buttons that are there, the reference small at the end.

    `aloud` stands in `text` alone: what the screen shows as buttons. Where it is too much, the last details go first,
    then the last buttons, then the last lines.
    """
    shown = [part for part in lines if part]
    beneath = [part for part in details if part]
    pressed = [part for part in buttons if part is not None]
    found_by = sanitize(reference, _MAX_REFERENCE)
    end = [_small(f"ref {found_by}")] if found_by else []
    body = [*shown, *beneath]
    blocks = _blocks(body, pressed, end)
    if beneath and _size(blocks) > LARGEST_JSON:
        bodies = [[*shown, *beneath[:kept], _MORE] for kept in range(len(beneath))]
        fitting = bisect_right(bodies, LARGEST_JSON, key=lambda body: _size(_blocks(body, pressed, end)))
        body = bodies[max(fitting - 1, 0)]
        blocks = _blocks(body, pressed, end)
    while pressed and _size(blocks) > LARGEST_JSON:
        pressed.pop()
        blocks = _blocks(body, pressed, end)
    while len(body) > 1 and _size(blocks) > LARGEST_JSON:
        body.pop()
        blocks = _blocks([*body, _MORE], pressed, end)
    spoken = [*shown, *beneath, aloud, line(f"ref {found_by}") if found_by else ()]
    return Message(_text(spoken), tuple(blocks), in_public)


def choice_message(
    lines: Iterable[Line], choices: Sequence[Choice], *, in_public: bool, reference: str | None = None
) -> Message:
    """The lines, and a button for each of the first choices; those that get none are named."""
    first = choices[:MAX_CHOICES]
    buttons = [button(choice.label, choice.command, choice.dialog, number=n) for n, choice in enumerate(first)]
    offered = [choice for choice, drawn in zip(first, buttons, strict=True) if drawn]
    bare = [choice for choice in choices if choice not in offered]
    return message(
        [*lines, line("Without a button: ", _names(bare)) if bare else ()],
        buttons,
        in_public=in_public,
        aloud=line("To choose from: ", _names(offered)) if offered else (),
        reference=reference,
    )


def with_line(drawn: Message, *more: Line) -> Message:
    """The same message with something said at its end; short, since the limits are not looked at again."""
    added = [part for part in more if part]
    blocks = (*drawn.blocks, *_blocks(added, [], []))
    return replace(drawn, text=f"{drawn.text}\n{_text(added)}", blocks=blocks)


def _names(choices: Sequence[Choice]) -> Line:
    names = [sanitize(choice.label, MAX_LABEL) for choice in choices[:MAX_CHOICES]]
    more = len(choices) - MAX_CHOICES
    return line(join(", ", *names), f" and {more} more" if more > 0 else "")


def _blocks(lines: Sequence[Line], buttons: Sequence[Block], end: Sequence[Block]) -> list[Block]:
    actions = [{"type": "actions", "elements": list(buttons)}] if buttons else []
    return [_rich(lines), *actions, *end]


def _rich(lines: Sequence[Line]) -> Block:
    """One section: Slack's own clients break lines within it, and show several sections without any space between."""
    elements: list[dict[str, Any]] = []
    for n, part in enumerate(lines):
        for piece in (literal("\n"), *part) if n else part:
            before = elements[-1] if elements else {}
            if before.keys() == piece.element.keys() == {"type", "text"}:
                before["text"] += piece.element["text"]
            else:
                elements.append(dict(piece.element))
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def _text(lines: Sequence[Line]) -> str:
    """Whole lines only, since a cut could go through an entity or a mention."""
    text = ""
    for part in lines:
        words = "".join(piece.text for piece in part)
        if not words:
            continue
        if len(text) + len(words) + 3 > MAX_TEXT:
            return f"{text}\n…" if text else "…"
        text = f"{text}\n{words}" if text else words
    return text


def plain(text: str) -> Block:
    """A text that is shown as it stands; not empty."""
    return {"type": "plain_text", "text": text, "emoji": False}


def _small(text: str) -> Block:
    return {"type": "context", "elements": [plain(text)]}


def _size(blocks: Sequence[Block]) -> int:
    return len(json.dumps(blocks, ensure_ascii=False))

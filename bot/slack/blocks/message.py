"""Builds messages from lines and buttons within Slack's limits. Pure; knows no outcomes or errors.

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
"""Characters of blocks per message. Others have met msg_blocks_too_long at about 13,200."""
MAX_TEXT = 3_500
MAX_LABEL = 75
MAX_CHOICES = 10
_MAX_REFERENCE = 100
_MORE = line("…")


@dataclass(frozen=True, slots=True)
class Message:
    """A message for Slack. `text` is complete mrkdwn, for clients that show no blocks."""

    text: str
    blocks: tuple[Block, ...]
    in_public: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A word for a command. It becomes a button if the command fits into one. `dialog` asks for confirmation."""

    label: str
    command: Command
    dialog: Block | None = None


def button(label: str, command: Command, dialog: Block | None = None, *, number: int = 0) -> Block | None:
    """A button, or None if the label shows nothing or the command does not fit. `dialog` asks for confirmation.

    `number` makes the action_ids of several buttons in one message differ.
    """
    shown, value = sanitize(label, MAX_LABEL), value_of(command)
    if not shown or value is None:
        return None
    asks = {"confirm": dialog} if dialog else {}
    return {"type": "button", "action_id": action_id_of(command, number), "text": plain(shown), "value": value, **asks}


def link_button(label: str, url: str | None, what: str) -> Block | None:
    """A button that opens a page. None if there is no page, or Slack would reject its address."""
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
    """A message: lines, details, the buttons that are not None, and a small reference at the end.

    `aloud` is only in `text`: what the screen shows as buttons. If it is too much, the last details are dropped first,
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
    """The lines, and a button for each of the first choices. The other choices are named."""
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
    """The message with more lines at its end. They must be short: limits are not checked again."""
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
    """One section. Slack's clients break lines within it, and show several sections without space between them."""
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
    """Drops whole lines only, since a cut could break an entity or a mention."""
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
    """A plain_text object; `text` must not be empty."""
    return {"type": "plain_text", "text": text, "emoji": False}


def _small(text: str) -> Block:
    return {"type": "context", "elements": [plain(text)]}


def _size(blocks: Sequence[Block]) -> int:
    return len(json.dumps(blocks, ensure_ascii=False))

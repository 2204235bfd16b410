"""A message as plain lines, for terminals and transcripts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from playground.slack.controls import Button, buttons, is_seen
from playground.slack.model import Block, Message

_REFERENCE = re.compile(r"<([@#!]?)([^<>|]+)(?:\|([^<>]*))?>")
# Characters that could move a cursor or hide text in a terminal, except tabs and line ends.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def read(text: str, names: Mapping[str, str], *, links: bool = False) -> str:
    """`names` gives handles by id. With `links`, a labelled link shows its target too: `label <url>`."""
    return unescaped(_REFERENCE.sub(lambda found: _reference(found, names, links), text))


def link(label: str, url: str, *, links: bool) -> str:
    return f"{label or url} <{url}>" if links and label and label != url else label or url


def unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def harmless(line: str) -> str:
    """Safe to print: control characters become a visible character, tabs and no-break spaces a blank."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", line.replace("\t", " ").replace("\N{NO-BREAK SPACE}", " "))


def _reference(found: re.Match[str], names: Mapping[str, str], links: bool) -> str:
    sign, target, label = found[1], found[2], found[3] or ""
    match sign:
        case "@":
            return "@" + (names.get(target) or label or target)
        case "#":
            return "#" + (label or names.get(target, target))
        case "!" if target.startswith(("date^", "subteam^")):
            return label or target
        case "!":
            return f"@{target}"
        case _:
            return link(label, target, links=links)


_STYLES = (("code", "`"), ("strike", "~"), ("italic", "_"), ("bold", "*"))


def lines(block: Mapping[str, Any], names: Mapping[str, str], *, links: bool = False) -> list[str]:
    """Every line of a rich_text block, without its message's indent."""
    drawn: list[str] = []
    for part in block.get("elements", ()):
        match part.get("type"):
            case "rich_text_list":
                drawn += _list(part, names, links)
            case "rich_text_quote":
                drawn += [f"> {line}" for line in _inline(part, names, links).split("\n")]
            case "rich_text_preformatted":
                drawn += ["```", *_inline(part, names, links).split("\n"), "```"]
            case _:
                drawn += _inline(part, names, links).removesuffix("\n").split("\n")
    return drawn


def _list(part: Mapping[str, Any], names: Mapping[str, str], links: bool) -> list[str]:
    drawn = []
    first = int(part.get("offset", 0)) + 1
    for number, item in enumerate(part.get("elements", ()), first):
        bullet = f"{number}. " if part.get("style") == "ordered" else "• "
        margin = "  " * int(part.get("indent", 0))
        begin, *rest = _inline(item, names, links).split("\n")
        drawn += [margin + bullet + begin, *(margin + " " * len(bullet) + line for line in rest)]
    return drawn


def _inline(part: Mapping[str, Any], names: Mapping[str, str], links: bool) -> str:
    runs = groupby(part.get("elements", ()), lambda element: element.get("style") or {})
    return "".join(_styled("".join(_said(one, names, links) for one in run), style) for style, run in runs)


def _styled(said: str, style: Mapping[str, Any]) -> str:
    bare = said.strip()
    if not bare:
        return said
    styled = bare
    for name, sign in _STYLES:
        if style.get(name):
            styled = f"{sign}{styled}{sign}"
    return said.replace(bare, styled, 1)


def _said(element: Mapping[str, Any], names: Mapping[str, str], links: bool) -> str:
    match element.get("type"):
        case "text":
            return str(element.get("text", ""))
        case "link":
            return link(str(element.get("text") or ""), str(element.get("url", "")), links=links)
        case "user":
            return "@" + names.get(str(element.get("user_id")), str(element.get("user_id")))
        case "channel":
            return "#" + names.get(str(element.get("channel_id")), str(element.get("channel_id")))
        case "usergroup":
            return "@" + str(element.get("usergroup_id"))
        case "broadcast":
            return "@" + str(element.get("range"))
        case "emoji":
            return f":{element.get('name')}:"
        case "date":
            return str(element.get("fallback") or element.get("format", ""))
        case "color":
            return str(element.get("value", ""))
        case kind:
            return f"({kind})"


__all__ = ["Button", "as_text", "blocks_as_text", "buttons", "dialog_as_text", "draw_view"]

_INDENT = "  "
_DIVIDER = "─" * 8


def as_text(
    message: Message, names: Mapping[str, str], *, links: bool = False, viewer_id: str | None = None
) -> list[str]:
    """At least one line; the later ones are indented. `names` gives the handle of each user id.

    With `links`, a link shows its target: `label <url>`. With `viewer_id`, buttons that this person does not see
    are left out. Control characters are replaced by a visible one.
    """
    if message.deleted:
        drawn = ["(deleted)"]
    elif message.blocks:
        drawn = blocks_as_text(message.blocks, names, links=links, viewer_id=viewer_id)
    else:
        drawn = read(message.text, names, links=links).split("\n")
    first, *later = [harmless(line).rstrip() for line in drawn] or [""]
    if message.ephemeral_to is not None:
        first = f"(only {names.get(message.ephemeral_to, message.ephemeral_to)} sees this) {first}"
    if message.is_reply:
        first = f"↳ (also in the channel) {first}" if message.is_broadcast else f"↳ {first}"
    return [first.rstrip(), *(_INDENT + line if line else "" for line in later)]


def blocks_as_text(
    blocks: Sequence[Block], names: Mapping[str, str], *, links: bool = False, viewer_id: str | None = None
) -> list[str]:
    """Every line, without indent."""
    pen = _Pen(names, links, viewer_id)
    return [line for block in blocks for line in pen.block(block)]


def dialog_as_text(dialog: Mapping[str, Any]) -> list[str]:
    """What Slack asks before it sends a press that is to be confirmed."""
    pen = _Pen({}, links=False, viewer_id=None)
    title, text, yes, no = (harmless(pen.text(dialog.get(part))) for part in ("title", "text", "confirm", "deny"))
    return [f"(asks first) {title}", f"{_INDENT}{text}", f"{_INDENT}[{yes}] [{no}]"]


def draw_view(
    view: Mapping[str, Any],
    names: Mapping[str, str],
    *,
    chosen: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    trouble: str = "",
    links: bool = False,
) -> list[str]:
    """A modal or a Home; all lines but the first are indented.

    `chosen` is what a field holds, and `errors` what is wrong with it, by block id. Of several checkboxes: the labels
    of those that are ticked, one a line.
    """
    pen = _Pen(names, links, viewer_id=None)
    drawn = [f"*{pen.text(view['title'])}*"] if view.get("title") else []
    drawn += [trouble] if trouble else []
    for block in view.get("blocks", ()):
        block_id = str(block.get("block_id"))
        if block.get("type") != "input":
            drawn += pen.block(block)
            continue
        optional = " (optional)" if block.get("optional") else ""
        label, element = f"{pen.text(block.get('label'))}{optional}:", block.get("element", {})
        held = (chosen or {}).get(block_id)
        if element.get("type") == "checkboxes":
            drawn += [label, *(_INDENT + line for line in pen.choices(element, held))]
        elif element.get("type") == "plain_text_input":
            shown = element.get("initial_value", "") if held is None else held
            drawn.append(f"{label} [{shown or pen.text(element.get('placeholder'))}]")
        else:
            drawn.append(f"{label} {f'[{held} ▾]' if held else pen.element(element)}")
        if error := (errors or {}).get(block_id):
            drawn.append(f"{_INDENT}! {error}")
    if view.get("type") == "modal":
        buttons_there = [pen.text(view[name]) for name in ("submit", "close") if view.get(name)]
        drawn.append(" ".join(f"[{label}]" for label in buttons_there))
    first, *later = [harmless(line).rstrip() for line in drawn]
    return [first, *(_INDENT + line if line else "" for line in later)]


@dataclass(frozen=True, slots=True)
class _Pen:
    names: Mapping[str, str]
    links: bool
    viewer_id: str | None

    def block(self, block: Block) -> list[str]:
        match block.get("type"):
            case "header":
                return [f"*{self.text(block.get('text'))}*"]
            case "section":
                return self.section(block)
            case "context":
                return "  ".join(self.element(part) for part in block.get("elements", ())).split("\n")
            case "actions" | "context_actions":
                return self.row(block.get("elements", ()))
            case "divider":
                return [_DIVIDER]
            case "rich_text":
                return lines(block, self.names, links=self.links)
            case "markdown":
                return str(block.get("text", "")).split("\n")
            case "table" | "data_table":
                return [" | ".join(self.cell(cell) for cell in row) for row in block.get("rows", ())]
            case "image":
                return [self.element(block)]
            case "input":
                return [f"{self.text(block.get('label'))}: {self.element(block.get('element', {}))}"]
            case kind:
                title = block.get("title")
                words = title if isinstance(title, str) else self.text(title)
                return [f"({kind}: {words})" if words else f"({kind})"]

    def section(self, block: Block) -> list[str]:
        drawn = self.text(block["text"]).split("\n") if block.get("text") else []
        for field in block.get("fields", ()):
            drawn += self.text(field).split("\n")
        return drawn + (self.row([block["accessory"]]) if block.get("accessory") else [])

    def row(self, elements: Iterable[Mapping[str, Any]]) -> list[str]:
        seen = [self.element(element) for element in elements if is_seen(element, self.viewer_id)]
        return [" ".join(seen)] if seen else []

    def element(self, element: Mapping[str, Any]) -> str:
        kind = str(element.get("type", ""))
        match kind:
            case "plain_text" | "mrkdwn":
                return self.text(element)
            case "button" | "workflow_button" | "icon_button":
                label = f"[{self.text(element.get('text'))}]"
                return f"{label} <{element['url']}>" if self.links and element.get("url") else label
            case "overflow":
                offered = " | ".join(self.text(option.get("text")) for option in element.get("options", ()))
                return f"[⋯ {offered}]" if offered else "[⋯]"
            case "image":
                return f"(image: {element.get('alt_text', '')})"
            case "checkboxes" | "radio_buttons":
                return " ".join(f"( ) {self.text(option.get('text'))}" for option in element.get("options", ()))
            case _ if "select" in kind:
                chosen = (element.get("initial_option") or {}).get("text") or element.get("placeholder")
                return f"[{self.text(chosen)} ▾]"
            case _:
                return f"[{self.text(element.get('placeholder')) or kind}]"

    def choices(self, element: Mapping[str, Any], held: str | None) -> list[str]:
        """Each checkbox on a line. `held` None: as the app has ticked them."""
        initial = [self.text(option.get("text")) for option in element.get("initial_options", ())]
        ticked = initial if held is None else held.split("\n")
        labels = [self.text(option.get("text")) for option in element.get("options", ())]
        return [f"({'x' if label in ticked else ' '}) {label}" for label in labels]

    def cell(self, cell: Mapping[str, Any]) -> str:
        if cell.get("type") == "rich_text":
            return " ".join(lines(cell, self.names, links=self.links))
        return str(cell.get("text", cell.get("value", "")))

    def text(self, node: object) -> str:
        """The text of a text object: mrkdwn is rendered, plain_text is literal."""
        if not isinstance(node, Mapping):
            return ""
        said = str(node.get("text", ""))
        if node.get("type") == "mrkdwn":
            return read(said, self.names, links=self.links)
        return unescaped(said)

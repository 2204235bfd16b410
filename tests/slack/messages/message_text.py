"""Writes a message as text that people can read and compare, with everything in it that Slack shows or sends back.

    rich_text
      :x: [*acme/web*](https://ci.example/web) · main · failed by <@U0ADA>
    actions
      "Restart" restart primary value={"i":"7"}
        asks "Restart main?" "The build will run once more." yes "Restart" no "Leave it"
      "Open build" open:build url=https://ci.example/web/7
    context
      "ref k3x9qd"
    text, in public
      :x: *acme/web* · main · failed by <@U0ADA>

Blocks come in Slack's order, each under its type. The fallback text comes last, with who sees the message.
`*bold*`, `_italic_`, `~strike~`, `[text](url)` and `:emoji:` are short for elements of rich text. Mentions and dates
look as in Slack's mrkdwn. A character after a backslash is part of the text and no such mark. A character that cannot
be seen is written as `\\u200b`. Words in quotes are a `plain_text` without emoji. A part that this module does not know
raises `UnknownPart`, so that nothing is left out.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from bot.slack.blocks.message import Message

MARKS = {"bold": "*", "italic": "_", "strike": "~", "code": "`"}
INVISIBLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Mn", "Zl", "Zp", "Zs"}
"""Unicode's categories of characters that do not show, or change only how their neighbour shows."""


class UnknownPart(ValueError):
    """A block, an element, a key or a value that this module cannot write."""


def message_text(message: Message) -> str:
    """The whole message, each line with its end."""
    lines = [line for block in message.blocks for line in _block(block)]
    spoken = _lines(_escaped(message.text))
    audience = "in public" if message.in_public else "to one person"
    return "".join(f"{line}\n" for line in [*lines, f"text, {audience}", *_indented(spoken)])


@contextmanager
def _opened(node: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The node's parts, each to be popped. Raises for those that were not."""
    parts = dict(node)
    kind = parts.get("type", "part without a type")
    try:
        yield parts
    except KeyError as missing:
        raise UnknownPart(f"{kind} has no {missing}") from missing
    if parts:
        raise UnknownPart(f"{kind} has {', '.join(sorted(parts))}, which message_text does not know")


def _block(block: Mapping[str, Any]) -> list[str]:
    with _opened(block) as parts:
        kind = parts.pop("type")
        return [f"{kind}{_id(parts)}", *_indented(_known(BLOCKS, kind)(parts))]


def _id(parts: dict[str, Any]) -> str:
    return f" block_id={_one_line(parts.pop('block_id'))}" if "block_id" in parts else ""


def _known(table: Mapping[str, Callable[..., Any]], kind: object) -> Callable[..., Any]:
    if not isinstance(kind, str) or kind not in table:
        raise UnknownPart(f"message_text does not know {kind!r}")
    return table[kind]


def _rich_text(parts: dict[str, Any]) -> list[str]:
    elements = parts.pop("elements")
    if [element.get("type") for element in elements] == ["rich_text_section"]:
        with _opened(elements[0]) as section:
            section.pop("type")
            return _section_lines(section)
    lines = ["elements:"]
    for element in elements:
        with _opened(element) as within:
            lines += _indented(_known(RICH_ELEMENTS, element.get("type"))(within))
    return lines


def _section_lines(parts: dict[str, Any]) -> list[str]:
    return _lines("".join(map(_piece, parts.pop("elements"))))


def _rich_element(parts: dict[str, Any]) -> list[str]:
    return [parts.pop("type"), *_indented(_section_lines(parts))]


def _rich_list(parts: dict[str, Any]) -> list[str]:
    title = f"{parts.pop('type')} {_one_line(parts.pop('style'))}"
    title += f" indent={_whole(parts.pop('indent'))}" if "indent" in parts else ""
    lines = [title]
    for item in parts.pop("elements"):
        with _opened(item) as within:
            if within.get("type") != "rich_text_section":
                raise UnknownPart(f"a list holds {within.get('type')!r}")
            lines += _indented(_rich_element(within))
    return lines


def _piece(element: Mapping[str, Any]) -> str:
    with _opened(element) as parts:
        style = parts.pop("style", None)
        written: str = _known(PIECES, parts.pop("type"))(parts, style)
        return written


def _styled(text: str, style: object) -> str:
    if style is None:
        return _marked(text)
    if not isinstance(style, dict) or not style or not all(style[name] is True for name in style):
        raise UnknownPart(f"message_text does not know the style {style!r}")
    if unknown := set(style) - set(MARKS):
        raise UnknownPart(f"message_text does not know the style {', '.join(sorted(unknown))}")
    marks = "".join(MARKS[name] for name in MARKS if name in style)
    written = re.sub(r"[\\`]", r"\\\g<0>", text) if "code" in style else _marked(text)
    return f"{marks}{written}{marks[::-1]}"


def _marked(text: str) -> str:
    return re.sub(r"[\\*_~`\[\]<]|:(?=[\w+'-])", r"\\\g<0>", text)


def _link(parts: dict[str, Any], style: object) -> str:
    url = re.sub(r"[()]", r"\\\g<0>", _one_line(parts.pop("url")))
    if "text" not in parts and style is None:
        return f"<{url}>"
    return f"[{_styled(parts.pop('text'), style)}]({url})"


def _date(parts: dict[str, Any], style: object) -> str:
    _unstyled(style)
    fallback = f"|{_one_line(parts.pop('fallback'))}" if "fallback" in parts else ""
    return f"<!date^{_whole(parts.pop('timestamp'))}^{_one_line(parts.pop('format'))}{fallback}>"


def _named(before: str, key: str, after: str) -> Callable[[dict[str, Any], object], str]:
    def piece(parts: dict[str, Any], style: object) -> str:
        _unstyled(style)
        return f"{before}{_one_line(parts.pop(key))}{after}"

    return piece


def _unstyled(style: object) -> None:
    if style is not None:
        raise UnknownPart(f"message_text knows no style {style!r} here")


def _section(parts: dict[str, Any]) -> list[str]:
    lines = _text(parts.pop("text")) if "text" in parts else []
    for field in parts.pop("fields", ()):
        lines += ["field", *_indented(_text(field))]
    if "accessory" in parts:
        lines += ["accessory", *_indented(_element(parts.pop("accessory")))]
    return lines


def _text(node: Mapping[str, Any]) -> list[str]:
    """A text object: mrkdwn unchanged, line by line; plain text in quotes."""
    if node.get("type") != "mrkdwn":
        return [_quoted(node)]
    with _opened(node) as parts:
        title = parts.pop("type")
        if "verbatim" in parts:
            title += f" verbatim={_flag(parts.pop('verbatim'))}"
        return [title, *_indented(_lines(_escaped(parts.pop("text"))))]


def _quoted(node: Mapping[str, Any]) -> str:
    with _opened(node) as parts:
        if parts.pop("type") != "plain_text":
            raise UnknownPart(f"{node.get('type')!r} is not plain_text")
        with_emoji = "emoji " if _flag(parts.pop("emoji")) == "true" else ""
        return with_emoji + _visible(json.dumps(parts.pop("text"), ensure_ascii=False))


def _elements(parts: dict[str, Any]) -> list[str]:
    return [line for element in parts.pop("elements") for line in _element(element)]


def _notes(parts: dict[str, Any]) -> list[str]:
    return [line for element in parts.pop("elements") for line in _text(element)]


def _element(node: Mapping[str, Any]) -> list[str]:
    with _opened(node) as parts:
        lines: list[str] = _known(ELEMENTS, parts.pop("type"))(parts)
        if "confirm" in parts:
            lines += _indented([_dialog(parts.pop("confirm"))])
        return lines


def _button(parts: dict[str, Any]) -> list[str]:
    line = f"{_quoted(parts.pop('text'))} {_one_line(parts.pop('action_id'))}"
    if "style" in parts:
        line += f" {_one_line(parts.pop('style'))}"
    if "url" in parts:
        line += f" url={_one_line(parts.pop('url'))}"
    if "accessibility_label" in parts:
        line += f" read as {json.dumps(parts.pop('accessibility_label'), ensure_ascii=False)}"
    if "value" in parts:
        line += f" value={_one_line(parts.pop('value'))}"
    return [line]


def _select(parts: dict[str, Any]) -> list[str]:
    lines = [f"static_select {_one_line(parts.pop('action_id'))}"]
    if "placeholder" in parts:
        lines += _indented([f"placeholder {_quoted(parts.pop('placeholder'))}"])
    for option in parts.pop("options"):
        lines += _indented([f"option {_option(option)}"])
    if "initial_option" in parts:
        lines += _indented([f"chosen {_option(parts.pop('initial_option'))}"])
    return lines


def _overflow(parts: dict[str, Any]) -> list[str]:
    lines = [f"overflow {_one_line(parts.pop('action_id'))}"]
    return lines + _indented([f"option {_option(option)}" for option in parts.pop("options")])


def _option(node: Mapping[str, Any]) -> str:
    with _opened(node) as parts:
        described = f" described {_quoted(parts.pop('description'))}" if "description" in parts else ""
        return f"{_quoted(parts.pop('text'))}{described} value={_one_line(parts.pop('value'))}"


def _dialog(node: Mapping[str, Any]) -> str:
    with _opened(node) as parts:
        style = f" {_one_line(parts.pop('style'))}" if "style" in parts else ""
        title, text, yes, no = (_quoted(parts.pop(name)) for name in ("title", "text", "confirm", "deny"))
        return f"asks {title} {text} yes {yes}{style} no {no}"


BLOCKS: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "rich_text": _rich_text,
    "actions": _elements,
    "context": _notes,
    "section": _section,
    "header": lambda parts: [_quoted(parts.pop("text"))],
    "divider": lambda _parts: [],
}
RICH_ELEMENTS: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "rich_text_section": _rich_element,
    "rich_text_quote": _rich_element,
    "rich_text_preformatted": _rich_element,
    "rich_text_list": _rich_list,
}
PIECES: dict[str, Callable[[dict[str, Any], object], str]] = {
    "text": lambda parts, style: _styled(parts.pop("text"), style),
    "link": _link,
    "date": _date,
    "emoji": _named(":", "name", ":"),
    "user": _named("<@", "user_id", ">"),
    "channel": _named("<#", "channel_id", ">"),
    "usergroup": _named("<!subteam^", "usergroup_id", ">"),
    "broadcast": _named("<!", "range", ">"),
}
ELEMENTS: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "button": _button,
    "static_select": _select,
    "overflow": _overflow,
}


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise UnknownPart(f"{value!r} is no whole number")
    return value


def _flag(value: object) -> str:
    if not isinstance(value, bool):
        raise UnknownPart(f"{value!r} is neither true nor false")
    return "true" if value else "false"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\")


def _one_line(value: object) -> str:
    if not isinstance(value, str):
        raise UnknownPart(f"{value!r} is no text")
    return _visible(_escaped(value).replace("\n", r"\n"))


def _lines(text: str) -> list[str]:
    return [_visible(line) for line in text.split("\n")]


def _visible(text: str) -> str:
    """One line. A space at its end is written as invisible characters are, since it shows no more than they do."""
    if text.isascii() and text.isprintable():
        shown = text
    else:
        shown = "".join(
            f"\\u{ord(sign):04x}" if sign != " " and unicodedata.category(sign) in INVISIBLE else sign for sign in text
        )
    return re.sub(r" $", r"\\u0020", shown)


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" if line else "" for line in lines]

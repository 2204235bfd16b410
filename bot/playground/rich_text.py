"""Rich text blocks as plain lines. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.playground import mrkdwn

_STYLES = (("code", "`"), ("strike", "~"), ("italic", "_"), ("bold", "*"))


def lines(block: Mapping[str, Any], names: Mapping[str, str], *, links: bool = False) -> list[str]:
    """Every line of a rich_text block, without the indent of the message that it stands in."""
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
    return "".join(_styled(element, names, links) for element in part.get("elements", ()))


def _styled(element: Mapping[str, Any], names: Mapping[str, str], links: bool) -> str:
    said = _said(element, names, links)
    bare = said.strip()
    if not bare:
        return said
    styled = bare
    for style, sign in _STYLES:
        if (element.get("style") or {}).get(style):
            styled = f"{sign}{styled}{sign}"
    return said.replace(bare, styled, 1)


def _said(element: Mapping[str, Any], names: Mapping[str, str], links: bool) -> str:
    match element.get("type"):
        case "text":
            return str(element.get("text", ""))
        case "link":
            return mrkdwn.link(str(element.get("text") or ""), str(element.get("url", "")), links=links)
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

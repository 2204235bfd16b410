"""Slack's markup as a person reads it: mentions by handle, links by their label, entities undone. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"<([@#!]?)([^<>|]+)(?:\|([^<>]*))?>")
# Whatever could move a cursor or hide text in a terminal; tabs and line ends are dealt with before.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def read(text: str, names: Mapping[str, str], *, links: bool = False) -> str:
    """`names` gives handles by id. With `links`, a labelled link shows its target too: `label <url>`."""
    return unescaped(_REFERENCE.sub(lambda found: _reference(found, names, links), text))


def link(label: str, url: str, *, links: bool) -> str:
    return f"{label or url} <{url}>" if links and label and label != url else label or url


def unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def harmless(line: str) -> str:
    """Safe to print: control characters become a visible sign."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", line.replace("\t", " "))


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

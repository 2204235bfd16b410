"""Rewrites the text of a typed message as Slack does before an app sees it. Pure.

Messages and mentions are rewritten. Slash commands are not, since the app does not ask for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# Some of the endings that Slack takes for a domain, chosen because files and branches have them, too.
_ENDINGS = "com|net|org|io|dev|app|co|ai|me|sh|rs|py|md|pl|cc|de|uk|us|eu|info|zip"
_TOKEN = re.compile(
    rf"""
      (?P<url>https?://[^\s<>|`]+)
    | (?P<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{{2,}})
    | (?<!\w)@(?P<person>\w[\w-]*)
    | (?<![\w&])\#(?P<channel>\w[\w-]*)
    | (?P<domain>(?<![\w.@-])(?:[A-Za-z0-9-]+\.)+(?:{_ENDINGS})(?![\w-]|\.\w)(?:/[^\s<>|`]*)?)
    """,
    re.VERBOSE,
)
_BROADCASTS = frozenset({"here", "channel", "everyone"})
_AFTER_A_LINK = ".,;:!?)\"'"


def rewritten(text: str, people: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """`people` and `channels` give the id of each name. Code in backticks is only escaped, as Slack does."""
    spans = re.split(r"(```.*?```|`[^`\n]+`)", text, flags=re.DOTALL)
    return "".join(
        _escaped(span) if number % 2 else _TOKEN.sub(lambda found: _token(found, people, channels), _escaped(span))
        for number, span in enumerate(spans)
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _token(found: re.Match[str], people: Mapping[str, str], channels: Mapping[str, str]) -> str:
    whole = found[0]
    match found.lastgroup:
        case "person" if found["person"] in people:
            return f"<@{people[found['person']]}>"
        case "person" if found["person"] in _BROADCASTS:
            return f"<!{found['person']}>"
        case "channel" if found["channel"] in channels:
            return f"<#{channels[found['channel']]}|{found['channel']}>"
        case "mail":
            return f"<mailto:{whole}|{whole}>"
        case "url" | "domain" as kind:
            link = whole.rstrip(_AFTER_A_LINK)
            rest = whole[len(link) :]
            return f"<{link}>{rest}" if kind == "url" else f"<http://{link}|{link}>{rest}"
        case _:
            return whole

"""The inline parts of messages: each is a rich_text element and the same text as mrkdwn. Pure.

A message is described once and written twice, so that the two cannot disagree: as blocks for the screen, and as `text`
for phones and screen readers. Rich text is literal (https://docs.slack.dev/reference/block-kit/blocks/rich-text-block):
text from people or a CI service can neither ping anyone nor break the markup there. In mrkdwn it is escaped here.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.model.builds import Actor
from bot.core.model.names.slack_ids import CHANNEL_ID, GROUP_ID, USER_ID

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_NBSP = "\N{NO-BREAK SPACE}"
_MAX_S = 3650 * _DAY


def length(seconds: float) -> str:
    """At most two units, joined by a no-break space: `58s`, `4m 7s`, `2h 5m`, `2d 3h`. Below zero counts as 0."""
    whole = _whole(seconds)
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{_NBSP}{whole % _MINUTE}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{_NBSP}{whole % _HOUR // _MINUTE}m"
    return f"{whole // _DAY}d{_NBSP}{whole % _DAY // _HOUR}h"


def counted(number: int, noun: str) -> str:
    """`1 build`, `3 builds`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def ago(seconds: float) -> str:
    """One unit, for messages that are read at once: `8s ago`, `4 min ago`, `2h ago`; under a second `just now`."""
    whole = _whole(seconds)
    if whole < 1:
        return "just now"
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, f"{_NBSP}min")):
        if whole >= unit:
            return f"{whole // unit}{name}{_NBSP}ago"
    return f"{whole}s{_NBSP}ago"


def wait(seconds: float | None) -> str | None:
    """How long to wait, rounded up; None if that is unknown or absurdly long."""
    if seconds is None or not math.isfinite(seconds) or seconds > _MAX_S:
        return None
    return length(max(1, math.ceil(seconds)))


def _whole(seconds: float) -> int:
    """Whole seconds, from 0 to `_MAX_S` even for an infinite number."""
    if math.isnan(seconds):
        return 0
    return int(min(max(seconds, 0), _MAX_S))


Element = Mapping[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_10000_S = 253_402_300_800
_BLANK = frozenset({"Cc", "Zl", "Zp", "Zs"})
_INVISIBLE = _BLANK | {"Cf"}
# Bidirectional control characters, which would change the direction of the rest of the message.
_TURNING = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
_URL = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(?::\d{1,5})?(?:[/?#][!#-;=?-{}~]*)?")
_MAX_URL = 600
_USER = re.compile(r"[A-Z0-9]{2,40}")

# Mrkdwn has no escape for its own marks, so they are replaced by characters that only look the same.
_LOOKALIKES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "*": "∗", "~": "∼", "`": "ˋ"})
_UNDERSCORE_AT_AN_EDGE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
# With `link_names` or `parse=full` these would ping. An invisible joiner of no width prevents that.
_PING = re.compile(r"@(?=channel|here|everyone|group)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Inline:
    """`text` is mrkdwn; `element` goes into a rich_text_section. Neither is ever empty."""

    element: Element
    text: str


Line = tuple[Inline, ...]
Part = Inline | Line | str | None


def sanitize(text: str | None, max_length: int) -> str:
    """Untrusted text as one line of at most `max_length` UTF-16 units, which Slack may count; "" if nothing is visible.

    Control characters become blanks, half a surrogate pair becomes U+FFFD, bidirectional controls are dropped.
    """
    if not text:
        return ""
    signs = [(sign, unicodedata.category(sign)) for sign in text[: 4 * max_length + 100] if sign not in _TURNING]
    if all(category in _INVISIBLE for _, category in signs):
        return ""
    whole = "".join(" " if of in _BLANK else "\ufffd" if of == "Cs" else sign for sign, of in signs)
    return _cut(" ".join(whole.split()), max_length)


def verbatim_line(text: str, max_length: int) -> str:
    """As `sanitize`, with its blanks as they stand."""
    signs = (sign for sign in text[: 4 * max_length + 100] if sign not in _TURNING)
    kinds = ((sign, unicodedata.category(sign)) for sign in signs)
    whole = "".join(" " if of in _BLANK else "\ufffd" if of == "Cs" else sign for sign, of in kinds)
    return _cut(whole.rstrip(), max_length)


def first_line(text: str | None) -> str:
    """The first line that is not blank."""
    lines = (text or "")[:10_000].splitlines()
    return next((line for line in lines if line.strip()), "")


def escaped(text: str) -> str:
    """Mrkdwn that shows `text` and does nothing else."""
    return _PING.sub("@\u2060", _UNDERSCORE_AT_AN_EDGE.sub("＿", text.translate(_LOOKALIKES)))


def literal(text: str, *, bold: bool = False) -> Inline:
    """The bot's own text, or untrusted text that went through `sanitize`; not empty."""
    if bold:
        return Inline({"type": "text", "text": text, "style": {"bold": True}}, f"*{escaped(text)}*")
    return Inline({"type": "text", "text": text}, escaped(text))


def untrusted(text: str | None, max_length: int) -> Inline | None:
    """Untrusted text, sanitized; None if nothing of it is visible."""
    clean = sanitize(text, max_length)
    return literal(clean) if clean else None


def code(text: str) -> Inline:
    """Text to type; not empty."""
    return Inline({"type": "text", "text": text, "style": {"code": True}}, f"`{escaped(text)}`")


def link(text: str, url: str | None, *, bold: bool = False) -> Inline:
    """`text` (as for `literal`), linked to `url` if Slack accepts that; phones get only the text."""
    plain = literal(text, bold=bold)
    good = good_url(url)
    if good is None:
        return plain
    style = {"style": {"bold": True}} if bold else {}
    return Inline({"type": "link", "url": good, "text": text, **style}, plain.text)


def linked(said: Line, url: str | None) -> Line:
    """A line of plain text, linked to `url` if Slack accepts that."""
    return (link("".join(piece.element["text"] for piece in said), url),) if said and good_url(url) else said


def good_url(url: str | None) -> str | None:
    """`url` if it is complete, plain ASCII and short enough for a message; else None."""
    return url if url and len(url) <= _MAX_URL and _URL.fullmatch(url) else None


def person(actor: Actor) -> Inline:
    """Slack shows the current name for the id."""
    if _USER.fullmatch(actor.id) is None:
        return literal("someone")
    return Inline({"type": "user", "user_id": actor.id}, f"<@{actor.id}>")


def channel(channel_id: str) -> Inline:
    """Slack shows the current name for the id, to those who may know it."""
    if CHANNEL_ID.fullmatch(channel_id) is None:
        return literal("a channel")
    return Inline({"type": "channel", "channel_id": channel_id}, f"<#{channel_id}>")


def mention_or_text(id_or_words: str, max_length: int) -> Inline | None:
    """A mention of a person, a user group or a channel; text if it is no id. None if nothing of it is visible."""
    if USER_ID.fullmatch(id_or_words):
        return person(Actor(id_or_words))
    if CHANNEL_ID.fullmatch(id_or_words):
        return channel(id_or_words)
    if GROUP_ID.fullmatch(id_or_words):
        group = {"type": "usergroup", "usergroup_id": id_or_words}
        return Inline(group, f"<!subteam^{id_or_words}>")
    return untrusted(id_or_words, max_length)


def emoji(name: str) -> Inline:
    return Inline({"type": "emoji", "name": name}, f":{name}:")


def timestamp(moment: datetime | None, shape: str = "{date_short_pretty} at {time}") -> Inline | None:
    """An aware time: in the reader's time zone on the screen, in UTC in `text`. None before 1970, which is no real
    time.
    """
    seconds = (moment - _EPOCH) // timedelta(seconds=1) if moment else -1
    if not 0 <= seconds < _YEAR_10000_S:
        return None
    utc = f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%d %H:%M} UTC"
    return Inline({"type": "date", "timestamp": seconds, "format": shape, "fallback": utc}, utc)


def since(moment: datetime | None) -> Inline | None:
    """How long ago a moment was, kept current by Slack: `12 minutes ago`. In UTC in `text`. None before 1970."""
    return timestamp(moment, "{ago}")


def bold(said: Line) -> Line:
    """The same in bold. Emoji, people, dates and code stay as they are, and so does a blank after one of these."""
    pieces: list[Inline] = []
    for piece in said:
        is_bare = not pieces or "bold" not in pieces[-1].element.get("style", {})
        pieces.append(piece if is_bare and piece.text == " " else _bold(piece))
    return tuple(pieces)


def _bold(piece: Inline) -> Inline:
    if piece.element["type"] not in ("text", "link") or piece.element.get("style"):
        return piece
    return Inline({**piece.element, "style": {"bold": True}}, f"*{piece.text}*")


def mrkdwn(said: Line) -> str:
    """For blocks that take no rich text: with links, and with dates in the reader's time zone."""
    return _merged(map(_mrkdwn, said))


def spoken(said: Line) -> str:
    """For notifications and screen readers: links without their address, dates in UTC."""
    return _merged(piece.text for piece in said)


def _mrkdwn(piece: Inline) -> str:
    element = piece.element
    match element["type"]:
        case "link":
            return f"<{element['url']}|{piece.text}>"
        case "date":
            return f"<!date^{element['timestamp']}^{element['format']}|{element['fallback']}>"
        case _:
            return piece.text


def _merged(texts: Iterable[str]) -> str:
    """Adjacent bold texts share their marks: Slack would show the asterisks of `*a**b*`."""
    whole = ""
    for text in texts:
        meets = whole.endswith("*") and text.startswith("*")
        whole = f"{whole[:-1]}{text[1:]}" if meets else f"{whole}{text}"
    return whole


def line(*parts: Part) -> Line:
    """The parts in order. Strings are the bot's own text; None is left out."""
    pieces: list[Inline] = []
    for part in parts:
        if isinstance(part, tuple):
            pieces.extend(part)
        elif part:
            pieces.append(literal(part) if isinstance(part, str) else part)
    return tuple(pieces)


def join(by: str, *parts: Part) -> Line:
    """The parts that are not empty, with `by` between them."""
    there = [line(part) for part in parts if part]
    return line(*(piece for n, part in enumerate(there) for piece in ((by, part) if n else (part,))))


def join_dots(*parts: Part) -> Line:
    """`acme/web · main · failed`."""
    return join(" · ", *parts)


def _cut(text: str, max_length: int) -> str:
    units = text.encode("utf-16-le")
    if len(units) <= 2 * max_length:
        return text
    return units[: 2 * (max_length - 1)].decode("utf-16-le", "ignore").rstrip() + "…"

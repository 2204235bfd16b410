"""The pieces of a message: each is a rich_text element and the same as mrkdwn. Pure.

A message is built once from pieces and written twice: as blocks for the screen, and as `text` for phones and screen
readers. So the two always agree. Rich text is literal
(https://docs.slack.dev/reference/block-kit/blocks/rich-text-block): text from people or a CI service cannot ping anyone
or break the mark-up. In mrkdwn it is escaped here.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.model.builds import Actor
from bot.core.model.slack_ids import CHANNEL_ID, GROUP_ID, USER_ID

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_MAX_S = 3650 * _DAY


def length(seconds: float) -> str:
    """Two units at most: `58 s`, `4 min 07 s`, `1 h 02 min`, `2 d 3 h`. A negative number counts as zero."""
    whole = _whole(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def ago(seconds: float) -> str:
    """One unit, since the message is read later: `8 s ago`, `4 min ago`; under a second `just now`."""
    whole = _whole(seconds)
    if whole < 1:
        return "just now"
    return f"{_rough(whole)} ago"


def old(seconds: float) -> str:
    """`12 min old`; under a second `new`."""
    whole = _whole(seconds)
    return f"{_rough(whole)} old" if whole else "new"


def wait(seconds: float | None) -> str | None:
    """How long to wait, rounded up; None if unknown or not a sensible time."""
    if seconds is None or not math.isfinite(seconds) or seconds > _MAX_S:
        return None
    return length(max(1, math.ceil(seconds)))


def _rough(whole: int) -> str:
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if whole >= unit:
            return f"{whole // unit} {name}"
    return f"{whole} s"


def _whole(seconds: float) -> int:
    """Bounded, so that neither infinity nor an absurd number is printed at length."""
    if math.isnan(seconds):
        return 0
    return int(min(max(seconds, 0), _MAX_S))


Element = Mapping[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_10000_S = 253_402_300_800
_BLANK = frozenset({"Cc", "Zl", "Zp", "Zs"})
_INVISIBLE = _BLANK | {"Cf"}
# Characters that change the direction of all following text in the message.
_TURNING = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
_URL = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(?::\d{1,5})?(?:[/?#][!#-;=?-{}~]*)?")
_MAX_URL = 600
_USER = re.compile(r"[A-Z0-9]{2,40}")

# Mrkdwn cannot escape its own marks, so similar characters without a meaning in Slack replace them.
_LOOKALIKES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "*": "∗", "~": "∼", "`": "ˋ"})
_UNDERSCORE_AT_AN_EDGE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
# `link_names` or `parse=full` would make it a ping. The joiner is invisible and has no width.
_PING = re.compile(r"@(?=channel|here|everyone|group)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Inline:
    """`text` is mrkdwn; `element` is part of a rich_text_section. Neither is ever empty."""

    element: Element
    text: str


Line = tuple[Inline, ...]
Part = Inline | Line | str | None


def sanitize(text: str | None, max_length: int) -> str:
    """Untrusted text as one line of at most `max_length` UTF-16 units, which Slack may count; "" if nothing is visible.

    Control characters become blanks, and half surrogate pairs the replacement character. Characters that change the
    direction of text are removed.
    """
    if not text:
        return ""
    signs = [(sign, unicodedata.category(sign)) for sign in text[: 4 * max_length + 100] if sign not in _TURNING]
    if all(category in _INVISIBLE for _, category in signs):
        return ""
    whole = "".join(" " if of in _BLANK else "\ufffd" if of == "Cs" else sign for sign, of in signs)
    return _cut(" ".join(whole.split()), max_length)


def first_line(text: str | None) -> str:
    """The first line that is not blank."""
    lines = (text or "")[:10_000].splitlines()
    return next((line for line in lines if line.strip()), "")


def escaped(text: str) -> str:
    """Mrkdwn that shows `text` and does nothing else."""
    return _PING.sub("@\u2060", _UNDERSCORE_AT_AN_EDGE.sub("＿", text.translate(_LOOKALIKES)))


def literal(text: str, *, bold: bool = False) -> Inline:
    """The bot's own words, or untrusted ones that `sanitize` has returned; not empty."""
    if bold:
        return Inline({"type": "text", "text": text, "style": {"bold": True}}, f"*{escaped(text)}*")
    return Inline({"type": "text", "text": text}, escaped(text))


def untrusted(text: str | None, max_length: int) -> Inline | None:
    """Untrusted text of at most `max_length`; None if nothing is visible."""
    clean = sanitize(text, max_length)
    return literal(clean) if clean else None


def code(text: str) -> Inline:
    """Words to type; not empty."""
    return Inline({"type": "text", "text": text, "style": {"code": True}}, f"`{escaped(text)}`")


def link(text: str, url: str | None, *, bold: bool = False) -> Inline:
    """`text` (as for `literal`), linked to `url` if Slack takes it. Phones get the words only."""
    plain = literal(text, bold=bold)
    good = good_url(url)
    if good is None:
        return plain
    style = {"style": {"bold": True}} if bold else {}
    return Inline({"type": "link", "url": good, "text": text, **style}, plain.text)


def linked(said: Line, url: str | None) -> Line:
    """Plain text pieces, all linked to `url` if Slack takes it."""
    return (link("".join(piece.element["text"] for piece in said), url),) if said and good_url(url) else said


def good_url(url: str | None) -> str | None:
    """`url` if it is complete, plain ASCII and short enough for a message; else None."""
    return url if url and len(url) <= _MAX_URL and _URL.fullmatch(url) else None


def person(actor: Actor) -> Inline:
    """A mention; Slack shows the current name for the id."""
    if _USER.fullmatch(actor.id) is None:
        return literal("somebody")
    return Inline({"type": "user", "user_id": actor.id}, f"<@{actor.id}>")


def channel(channel_id: str) -> Inline:
    """A channel; Slack shows its current name to those who may see it."""
    if CHANNEL_ID.fullmatch(channel_id) is None:
        return literal("a channel")
    return Inline({"type": "channel", "channel_id": channel_id}, f"<#{channel_id}>")


def mention_or_text(id_or_words: str, max_length: int) -> Inline | None:
    """A person, a user group or a channel by id, or words. None for nothing."""
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


def timestamp(moment: datetime | None) -> Inline | None:
    """A time (aware): in the reader's zone on the screen, in UTC in `text`. None before 1970, which is never real."""
    seconds = (moment - _EPOCH) // timedelta(seconds=1) if moment else -1
    if not 0 <= seconds < _YEAR_10000_S:
        return None
    utc = f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%d %H:%M} UTC"
    shape = "{date_short_pretty} at {time}"
    return Inline({"type": "date", "timestamp": seconds, "format": shape, "fallback": utc}, utc)


def line(*parts: Part) -> Line:
    """The parts in order. Strings are the bot's own words; None is left out."""
    pieces: list[Inline] = []
    for part in parts:
        if isinstance(part, tuple):
            pieces.extend(part)
        elif part:
            pieces.append(literal(part) if isinstance(part, str) else part)
    return tuple(pieces)


def join(by: str, *parts: Part) -> Line:
    """The parts that are not None, with `by` between them."""
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

"""The parts that the bot's views share, and where a view was opened. Pure.

Limits: https://docs.slack.dev/reference/block-kit/composition-objects/option-object and …/reference/views
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.core.model.builds import Location
from bot.slack.blocks.message import Block, plain
from bot.slack.blocks.rich_text import Line, mrkdwn, sanitize

View = Mapping[str, Any]

MAX_OPTIONS = 100
_MAX_OPTION, _MAX_OPTION_VALUE = 75, 150
_MAX_METADATA = 3000
_MAX_SECTION = 3000
_MAX_ID, _MAX_URL = 64, 2000
_MAX_NUMBER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Place:
    """Where a view was opened, and so where its result goes. `response_url` needs no membership there."""

    location: Location
    response_url: str | None = None


def written(place: Place | None, more: Mapping[str, Any]) -> str:
    """A view's private metadata, which Slack returns with each of its payloads. The URL is left out if it is too long.

    The URL works only for the conversation, and only for 30 minutes. Slack made it and shows the metadata to no one.
    """
    fields = dict(more)
    if place is not None:
        fields |= {"c": place.location.channel, "t": place.location.thread, "u": place.response_url}
    text = _json(fields)
    return text if len(text) <= _MAX_METADATA else _json({**fields, "u": None})


def read(metadata: object) -> tuple[Place | None, Mapping[str, Any]]:
    """What `written` wrote. Raises ValueError for anything else."""
    fields = json.loads(metadata) if isinstance(metadata, str) else None
    if not isinstance(fields, dict):
        raise ValueError("no metadata of the bot's")  # noqa: TRY004 - every reader expects ValueError
    channel = text_in(fields, "c", _MAX_ID)
    location = Location(channel, text_in(fields, "t", _MAX_ID)) if channel else None
    return None if location is None else Place(location, text_in(fields, "u", _MAX_URL)), fields


def text_in(fields: Mapping[str, Any], name: str, max_length: int) -> str | None:
    """A text of the metadata; None if it is missing. Raises ValueError for anything else."""
    value = fields.get(name)
    if value is not None and (not isinstance(value, str) or not 1 <= len(value) <= max_length):
        raise ValueError(f"{name} is no text")
    return value


def number_in(fields: Mapping[str, Any], name: str) -> int | None:
    """A number of the metadata, at least 1; None if it is missing. Raises ValueError for anything else."""
    value = fields.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MAX_NUMBER):
        raise ValueError(f"{name} is no number")
    return value


def state_in(values: Mapping[str, Any], block_id: str) -> Mapping[str, Any]:
    """What Slack says of one field of a view that was sent; empty if it says nothing, or not as Slack writes it."""
    block = values.get(block_id)
    held = next(iter(block.values()), None) if isinstance(block, Mapping) and block else None
    return held if isinstance(held, Mapping) else {}


def fits(options: Sequence[Any], place: Place | None, more: Mapping[str, Any]) -> bool:
    """Whether the metadata has room for the options, too."""
    return len(written(place, {**more, "o": options})) <= _MAX_METADATA


def option(text: str, value: str, description: str = "") -> Block | None:
    """None if nothing of the text shows, or if Slack would not take the value."""
    shown, small = sanitize(text, _MAX_OPTION), sanitize(description, _MAX_OPTION)
    if not shown or not 1 <= len(value) <= _MAX_OPTION_VALUE:
        return None
    more = {"description": plain(small)} if small else {}
    return {"text": plain(shown), "value": value, **more}


def section(*lines: Line) -> Block:
    """Whole lines, as many as Slack takes."""
    text = ""
    for words in (mrkdwn(part) for part in lines if part):
        if len(text) + len(words) < _MAX_SECTION:
            text = f"{text}\n{words}" if text else words
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def small(*lines: Line) -> Block:
    text = "\n".join(mrkdwn(part) for part in lines if part)
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}


def modal(
    title: str, blocks: Sequence[Block], *, callback_id: str, metadata: str, submit: str | None, close: str
) -> View:
    """`submit` None: there is nothing to send."""
    sends = {"submit": plain(submit)} if submit else {}
    return {
        "type": "modal",
        "callback_id": callback_id,
        "private_metadata": metadata,
        "title": plain(title),
        "close": plain(close),
        **sends,
        "blocks": list(blocks),
    }


def _json(fields: Mapping[str, Any]) -> str:
    return json.dumps({name: value for name, value in fields.items() if value is not None}, separators=(",", ":"))

"""Parses `link_shared`: links of the app's domains in a message. Pure; payloads are untrusted.

Shape: https://docs.slack.dev/reference/events/link_shared
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.core.model.builds import Actor, Location
from bot.slack.incoming.payloads import SLACKBOT, Payload, Workspace, mapping_in, text_in

MAX_LINKS = 3
"""Previews of one message. Each costs a call."""


@dataclass(frozen=True, slots=True)
class SharedLinks:
    """Links that `actor` shared. Slack names their message by `unfurl_id` and `source`, or by `channel` and ts."""

    actor: Actor
    location: Location
    urls: tuple[str, ...]
    channel: str | None = None
    message_ts: str | None = None
    unfurl_id: str | None = None
    source: str | None = None


def parse_shared_links(body: Payload, workspace: Workspace) -> SharedLinks | None:
    """At most `MAX_LINKS` of them. None for the bot's own messages.

    None also in a channel with other workspaces: the event does not say to which of them the person belongs.
    """
    event = mapping_in(body, "event")
    actor, channel = text_in(event, "user"), text_in(event, "channel")
    if not actor or not channel or actor in (workspace.bot_user_id, SLACKBOT) or event.get("bot_id"):
        return None
    if body.get("is_ext_shared_channel") is True:
        return None
    links: Any = event.get("links")
    urls = [text_in(link, "url") for link in links if isinstance(link, Mapping)] if isinstance(links, list) else []
    urls = list(dict.fromkeys(url for url in urls if url))[:MAX_LINKS]
    place = Location(channel, text_in(event, "thread_ts") or None)
    unfurl_id, source, ts = (text_in(event, name) for name in ("unfurl_id", "source", "message_ts"))
    if urls and unfurl_id and source:
        return SharedLinks(Actor(actor), place, tuple(urls), unfurl_id=unfurl_id, source=source)
    return SharedLinks(Actor(actor), place, tuple(urls), channel, ts) if urls and ts else None

"""Parses Slack's payloads: who asks for what, where, and how a reply can reach them. Pure; payloads are untrusted.

Shapes: slash commands https://docs.slack.dev/interactivity/implementing-slash-commands, clicks
https://docs.slack.dev/reference/interaction-payloads/block_actions-payload, events
https://docs.slack.dev/apis/events-api/#events-JSON
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from enum import Enum
from typing import Any

from bot.core.model.builds import Actor, Location
from bot.core.model.command_entries import Command
from bot.core.model.command_values import Word
from bot.core.model.commands import parse
from bot.core.model.errors import NotUnderstood
from bot.slack.blocks.button_values import command_of
from bot.slack.incoming.text import words_of_command, words_of_message
from bot.slack.stored_results import tagged, untagged

Payload = Mapping[str, Any]


SLACKBOT = "USLACKBOT"
"""It repeats people's words as reminders."""
_TS = re.compile(r"[0-9]{1,12}\.[0-9]{1,6}", re.ASCII)

SAID_BY_PEOPLE = (None, "file_share", "thread_broadcast", "me_message")
"""Subtypes of messages: written, with a file, sent to the channel from a thread, as /me. The others tell of events."""


class Source(Enum):
    """How a request came in."""

    COMMAND = "command"
    MENTION = "mention"
    DIRECT = "direct message"
    CLICK = "click"
    FORM = "form"
    SHORTCUT = "shortcut"


@dataclass(frozen=True, slots=True)
class Workspace:
    """The workspace in which the bot is installed, and the bot's id there."""

    team_id: str
    bot_user_id: str
    enterprise_id: str | None = None


@dataclass(frozen=True, slots=True)
class PressedButton:
    """The pressed button, whether its message is visible to one person only, and the message's ts if it has one."""

    action_id: str
    in_ephemeral: bool
    message_ts: str | None = None


@dataclass(frozen=True, slots=True)
class SlackRequest:
    """One request, parsed.

    `delivery` is the same for every redelivery; None if the payload has no id. `command` is the parsed command, or why
    it was not understood. `typed` is its text, empty for a button. `opens_thread`: the reply starts the location's
    thread. `may_be_colleague`: from elsewhere, but perhaps from another workspace of the same organisation.
    `slash_command` is the one that was typed, with its slash; empty for other sources.
    `written_at`: when Slack received the message, in seconds since 1970; None for a command or a button.
    `is_shared`: whether people of other workspaces read the channel; None if the payload does not say.
    """

    source: Source
    actor: Actor
    location: Location
    delivery: str | None
    from_elsewhere: bool
    command: Command | NotUnderstood
    typed: str = ""
    response_url: str | None = None
    opens_thread: bool = False
    pressed: PressedButton | None = None
    may_be_colleague: bool = False
    slash_command: str = ""
    written_at: float | None = None
    is_shared: bool | None = None

    def as_json(self) -> dict[str, Any]:
        """JSON for a durable job; `from_json` reads it."""
        return {field.name: getattr(self, field.name) for field in fields(self)} | {
            "source": self.source.value,
            "actor": asdict(self.actor),
            "location": asdict(self.location),
            "command": tagged(self.command),
            "pressed": asdict(self.pressed) if self.pressed else None,
        }

    @classmethod
    def from_json(cls, stored: Payload) -> SlackRequest:
        """Reads what `as_json` wrote, including a newer version's. Raises KeyError, TypeError or ValueError."""
        pressed, known = stored["pressed"], {field.name for field in fields(cls)}
        return cls(
            **{
                **{name: value for name, value in stored.items() if name in known},
                "source": Source(stored["source"]),
                "actor": Actor(**stored["actor"]),
                "location": Location(**stored["location"]),
                "command": untagged(stored["command"]),
                "pressed": PressedButton(**pressed) if pressed else None,
            }
        )


def parse_command(body: Payload, workspace: Workspace) -> SlackRequest | None:
    """A slash command; None if the payload has no user or no channel."""
    actor, channel = text_in(body, "user_id"), text_in(body, "channel_id")
    if not actor or not channel:
        return None
    trigger = text_in(body, "trigger_id")
    return SlackRequest(
        Source.COMMAND,
        Actor(actor),
        Location(channel),
        delivery=f"command:{trigger}" if trigger else None,
        from_elsewhere=is_elsewhere(workspace, text_in(body, "team_id"), text_in(body, "enterprise_id")),
        **_said(words_of_command(text_in(body, "text"))),
        response_url=text_in(body, "response_url") or None,
        slash_command=text_in(body, "command"),
    )


def parse_event(body: Payload, workspace: Workspace) -> SlackRequest | None:
    """A mention or a direct message; None for other events: bots, reminders, code samples, edits."""
    event = mapping_in(body, "event")
    kind, actor, channel = text_in(event, "type"), text_in(event, "user"), text_in(event, "channel")
    if not actor or not channel or actor in (workspace.bot_user_id, SLACKBOT):
        return None
    if event.get("bot_id") or event.get("edited") or event.get("hidden"):
        return None
    if (event.get("subtype") or None) not in SAID_BY_PEOPLE:
        return None
    if kind == "app_mention":
        way, thread = Source.MENTION, text_in(event, "thread_ts") or text_in(event, "ts")
    elif kind == "message" and text_in(event, "channel_type") == "im":
        way, thread = Source.DIRECT, text_in(event, "thread_ts")
    else:
        return None
    text = text_in(event, "text")
    words = words_of_message(text, workspace.bot_user_id, needs_mention=way is Source.MENTION)
    if words is None and f"<@{workspace.bot_user_id}" in text:
        return None  # only a code sample mentions the bot
    delivery = text_in(body, "event_id")
    # The person's team. Only `team` may be the bot's if the person's organisation, an E…, is in the other two.
    team = text_in(event, "user_team") or text_in(event, "source_team") or text_in(event, "team")
    enterprise = text_in(body, "enterprise_id") if team == text_in(body, "team_id") else ""
    unknown = not team and body.get("is_ext_shared_channel") is True
    # In an organisation, only a channel that is shared with others has other people.
    is_among_us = workspace.enterprise_id is not None and body.get("is_ext_shared_channel") is False
    return SlackRequest(
        way,
        Actor(actor),
        Location(channel, thread or None),
        delivery=f"event:{delivery}" if delivery else None,
        from_elsewhere=unknown or (not is_among_us and is_elsewhere(workspace, team, enterprise)),
        **_said(words or ()),
        opens_thread=way is Source.MENTION and not text_in(event, "thread_ts"),
        written_at=_seconds(text_in(event, "ts")),
        is_shared=shared if isinstance(shared := body.get("is_ext_shared_channel"), bool) else None,
    )


def parse_click(body: Payload, workspace: Workspace) -> SlackRequest | None:
    """A pressed button or chosen option; None if the payload has neither, no user or no channel."""
    user, container, message = (mapping_in(body, name) for name in ("user", "container", "message"))
    actions = body.get("actions")
    action = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], Mapping) else {}
    actor, action_id = text_in(user, "id"), text_in(action, "action_id")
    channel = text_in(container, "channel_id") or text_in(mapping_in(body, "channel"), "id")
    if not actor or not channel or not action_id:
        return None
    value = text_in(action, "value") or text_in(mapping_in(action, "selected_option"), "value")
    message_ts = text_in(container, "message_ts") or text_in(message, "ts")
    in_ephemeral = container.get("is_ephemeral") is True
    is_preview = container.get("is_app_unfurl") is True  # the message is a person's, so it is not changed
    pressed_at = text_in(action, "action_ts") or text_in(body, "trigger_id")
    thread = text_in(container, "thread_ts") or text_in(message, "thread_ts")
    # The organisation counts only with the person's own team: `enterprise` is the app's.
    team, home_of_message = text_in(user, "team_id"), mapping_in(body, "team")
    enterprise = text_in(home_of_message, "enterprise_id") if team == text_in(home_of_message, "id") else ""
    from_elsewhere = is_elsewhere(workspace, team, enterprise)
    is_pressed_at_home = workspace.enterprise_id == text_in(home_of_message, "enterprise_id")
    return SlackRequest(
        Source.CLICK,
        Actor(actor),
        Location(channel, thread or None),
        delivery=f"click:{actor}:{channel}:{message_ts}:{action_id}:{pressed_at}" if pressed_at else None,
        from_elsewhere=from_elsewhere,
        may_be_colleague=from_elsewhere and is_pressed_at_home and team.startswith("T"),
        command=_or_why_not(lambda: command_of(action_id, value)),
        response_url=text_in(body, "response_url") or None,
        pressed=None if is_preview else PressedButton(action_id, in_ephemeral, message_ts or None),
    )


def _said(words: Sequence[Word]) -> dict[str, Any]:
    return {"command": _or_why_not(lambda: parse(words)), "typed": " ".join(word.exact for word in words)}


def _or_why_not(read: Callable[[], Command]) -> Command | NotUnderstood:
    try:
        return read()
    except NotUnderstood as error:
        return error


def is_elsewhere(workspace: Workspace, team: str, enterprise: str) -> bool:
    """Whether the person belongs to another organisation. All workspaces of one Enterprise organisation are home.

    `team` is the person's workspace, or organisation if Slack sends that. `enterprise` is the workspace's organisation.
    """
    if workspace.enterprise_id and workspace.enterprise_id in (team, enterprise):
        return False
    return team not in ("", workspace.team_id)


def text_in(body: Payload, name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _seconds(ts: str) -> float | None:
    """A message's ts, which is a time: `1700000000.000100`."""
    return float(ts) if _TS.fullmatch(ts) else None


def mapping_in(body: Payload, name: str) -> Payload:
    value = body.get(name)
    return value if isinstance(value, Mapping) else {}

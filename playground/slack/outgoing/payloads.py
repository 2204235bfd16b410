"""The payloads that Slack sends to an app, as pure functions.

Sources: https://docs.slack.dev/interactivity/implementing-slash-commands, …/reference/interaction-payloads and
…/apis/events-api.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from playground.slack.model import App, Channel, Message, Person

Payload = dict[str, Any]
PREVIEW = "chat.unfurl"
"""How a preview of a link was made."""
_TOKEN = "sandbox-verification-token"  # noqa: S105  # deprecated by Slack; not to be relied on


def slash_command(
    app: App,
    person: Person,
    channel: Channel,
    *,
    command: str,
    text: str,
    response_url: str,
    trigger_id: str,
) -> Payload:
    """`team_id` is the workspace of the person who typed."""
    return {
        "token": _TOKEN,
        "team_id": person.team_id,
        "team_domain": app.team.domain if person.team_id == app.team.id else "other",
        "channel_id": channel.id,
        "channel_name": channel.name_in_payloads,
        "user_id": person.id,
        "user_name": person.name,
        "command": command,
        "text": text,
        "api_app_id": app.id,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }


def event(
    app: App, person: Person, channel: Channel, message: Message, *, kind: str, event_id: str, number: int
) -> Payload:
    """`kind` is "app_mention" or "message" (in a direct message)."""
    inner: Payload = {
        "type": kind,
        "user": person.id,
        "ts": message.ts,
        "client_msg_id": f"00000000-0000-4000-8000-{number:012d}",
        "text": message.text,
        "team": person.team_id,
        "channel": channel.id,
        "event_ts": message.ts,
    }
    if message.thread_ts is not None:
        inner["thread_ts"] = message.thread_ts
    if kind == "message":  # an app_mention has no such field
        inner["channel_type"] = "im"
    if person.team_id != app.team.id:
        inner |= {"user_team": person.team_id, "source_team": person.team_id}
    return {
        "token": _TOKEN,
        "team_id": app.team.id,
        "context_team_id": app.team.id,
        "context_enterprise_id": None,
        "api_app_id": app.id,
        "event": inner,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(float(message.ts)),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": app.team.id,
                "user_id": app.user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": channel.is_shared,
        "event_context": f"4-sandbox-{event_id}",
    }


def block_actions(
    app: App,
    person: Person,
    channel: Channel,
    message: Message,
    action: Mapping[str, Any],
    *,
    response_url: str,
    trigger_id: str,
) -> Payload:
    """`team` is where the app is installed; `user.team_id` is where the person belongs.

    An ephemeral message is not included.
    """
    container: Payload = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.ephemeral_to is not None,
    }
    if message.thread_ts is not None:
        container["thread_ts"] = message.thread_ts
    payload: Payload = {
        "type": "block_actions",
        "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": person.team_id},
        "api_app_id": app.id,
        "token": _TOKEN,
        "container": container,
        "trigger_id": trigger_id,
        "team": {"id": app.team.id, "domain": app.team.domain},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": channel.id, "name": channel.name_in_payloads},
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [dict(action)],
    }
    if message.versions[0].via == PREVIEW:
        container |= {"type": "message_attachment", "is_app_unfurl": True, "app_unfurl_url": message.text}
    if message.ephemeral_to is None:
        payload["message"] = message_object(app, message)
    return payload


def view_event(app: App, person: Person, view: Mapping[str, Any], *, kind: str, trigger_id: str) -> Payload:
    """`kind` is "view_submission" or "view_closed"; `view` holds its state.

    https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
    """
    payload = _interaction(app, person, kind) | {"view": dict(view)}
    more: Payload = (
        {"trigger_id": trigger_id, "response_urls": []} if kind == "view_submission" else {"is_cleared": False}
    )
    return payload | more


def message_object(app: App, message: Message) -> Payload:
    """A message as the Web API and the payloads show it."""
    shown: Payload = {
        "type": "message",
        "user": message.user_id,
        "ts": message.ts,
        "text": message.text,
        "team": app.team.id,
        "blocks": [dict(block) for block in message.blocks],
    }
    if message.bot_id is not None:
        shown |= {"bot_id": message.bot_id, "app_id": app.id}
    if message.thread_ts is not None:
        shown["thread_ts"] = message.thread_ts
    if message.is_broadcast:
        shown["subtype"] = "thread_broadcast"
    if message.edited and not message.blocks:
        # Slack does not mark a message as edited if an app changed its blocks.
        shown["edited"] = {"user": message.user_id, "ts": f"{message.now.at:.6f}"}
    if message.metadata is not None:
        shown["metadata"] = dict(message.metadata)
    return shown


def global_shortcut(app: App, person: Person, callback_id: str, trigger_id: str) -> Payload:
    """https://docs.slack.dev/reference/interaction-payloads/shortcuts-interactions-payload"""
    return _interaction(app, person, "shortcut") | {"callback_id": callback_id, "trigger_id": trigger_id}


def message_shortcut(
    app: App,
    person: Person,
    channel: Channel,
    message: Message,
    callback_id: str,
    *,
    response_url: str,
    trigger_id: str,
) -> Payload:
    return _interaction(app, person, "message_action") | {
        "callback_id": callback_id,
        "trigger_id": trigger_id,
        "response_url": response_url,
        "message_ts": message.ts,
        "channel": {"id": channel.id, "name": channel.name_in_payloads},
        "message": message_object(app, message),
    }


def block_suggestion(
    app: App, person: Person, view: Mapping[str, Any], block_id: str, action_id: str, typed: str
) -> Payload:
    """The view is as the app sent it: what was chosen since is not in its state."""
    return _interaction(app, person, "block_suggestion") | {
        "action_id": action_id,
        "block_id": block_id,
        "value": typed,
        "container": {"type": "view", "view_id": view["id"]},
        "view": {**view, "state": {"values": {}}},
    }


def view_action(
    app: App, person: Person, view: Mapping[str, Any], action: Mapping[str, Any], trigger_id: str
) -> Payload:
    """A press in a view has no channel and no response URL."""
    return _interaction(app, person, "block_actions") | {
        "container": {"type": "view", "view_id": view["id"]},
        "trigger_id": trigger_id,
        "view": dict(view),
        "actions": [dict(action)],
    }


def link_shared(
    app: App, person: Person, channel: Channel, message: Message, urls: Sequence[str], *, event_id: str
) -> Payload:
    """https://docs.slack.dev/reference/events/link_shared"""
    inner: Payload = {
        "type": "link_shared",
        "user": person.id,
        "channel": channel.id,
        "message_ts": message.ts,
        "is_bot_user_member": app.user_id in channel.members,
        "unfurl_id": f"{channel.id}:{message.ts}",
        "source": "conversations_history",
        "links": [{"domain": urlsplit(url).hostname, "url": url} for url in urls],
        "event_ts": message.ts,
    }
    if message.thread_ts is not None:
        inner["thread_ts"] = message.thread_ts
    return {
        "token": _TOKEN,
        "team_id": app.team.id,
        "api_app_id": app.id,
        "event": inner,
        "type": "event_callback",
        "event_id": event_id,
        "is_ext_shared_channel": channel.is_shared,
    }


def home_opened(app: App, person: Person, direct: Channel, view: Mapping[str, Any] | None, event_id: str) -> Payload:
    """https://docs.slack.dev/reference/events/app_home_opened: `view` only if one was published."""
    event: Payload = {"type": "app_home_opened", "user": person.id, "channel": direct.id, "tab": "home"}
    return {
        "token": _TOKEN,
        "team_id": app.team.id,
        "api_app_id": app.id,
        "event": event | ({"view": dict(view)} if view else {}),
        "type": "event_callback",
        "event_id": event_id,
    }


def _interaction(app: App, person: Person, kind: str) -> Payload:
    return {
        "type": kind,
        "team": {"id": app.team.id, "domain": app.team.domain},
        "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": person.team_id},
        "api_app_id": app.id,
        "token": _TOKEN,
        "enterprise": None,
        "is_enterprise_install": False,
    }

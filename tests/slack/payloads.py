"""What Slack sends, as in its documentation: a command, a mention, a direct message, a click."""

from __future__ import annotations

from typing import Any

from bot.slack.incoming.payloads import Workspace

Payload = dict[str, Any]

HOME = Workspace("T0ACME", "U0BOT")
GRID = Workspace("T0ACME", "U0BOT", "E0ACME")

COMMAND: Payload = {
    "token": "gIkuvaNzQIHg97ATvDxqgjtO",
    "team_id": "T0ACME",
    "team_domain": "acme",
    "channel_id": "C0BUILDS",
    "channel_name": "builds",
    "user_id": "U0ADA",
    "user_name": "ada",
    "command": "/codeship",
    "text": "status acme/web main",
    "api_app_id": "A0CODESHIP",
    "is_enterprise_install": "false",
    "response_url": "https://hooks.slack.com/commands/T0ACME/1/abc",
    "trigger_id": "13345224609.738474920.8088930838d88f008e0",
}
MENTION: Payload = {
    "token": "ZZZZZZWSxiZZZ2yIvs3peJ",
    "team_id": "T0ACME",
    "api_app_id": "A0CODESHIP",
    "event": {
        "type": "app_mention",
        "user": "U0ADA",
        "text": "hey <@U0BOT> status acme/web main",
        "ts": "1515449522.000016",
        "channel": "C0BUILDS",
        "team": "T0ACME",
        "event_ts": "1515449522000016",
    },
    "type": "event_callback",
    "event_id": "Ev0LAN670R",
    "event_time": 1515449522,
    "authorizations": [{"enterprise_id": None, "team_id": "T0ACME", "user_id": "U0BOT", "is_bot": True}],
    "is_ext_shared_channel": False,
}
DIRECT: Payload = {
    **MENTION,
    "event": {
        "type": "message",
        "channel": "D0ADA",
        "user": "U0ADA",
        "text": "status acme/web main",
        "ts": "1355517523.000005",
        "event_ts": "1355517523.000005",
        "channel_type": "im",
        "team": "T0ACME",
    },
}
CLICK: Payload = {
    "type": "block_actions",
    "user": {"id": "U0ADA", "username": "ada", "name": "ada", "team_id": "T0ACME"},
    "api_app_id": "A0CODESHIP",
    "token": "9s8d9as89d8as9d8as989",
    "container": {
        "type": "message",
        "message_ts": "1548261231.000200",
        "channel_id": "C0BUILDS",
        "is_ephemeral": False,
    },
    "trigger_id": "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3",
    "team": {"id": "T0ACME", "domain": "acme"},
    "enterprise": None,
    "channel": {"id": "C0BUILDS", "name": "builds"},
    "message": {"type": "message", "user": "U0BOT", "ts": "1548261231.000200", "text": "…", "bot_id": "B0BOT"},
    "response_url": "https://hooks.slack.com/actions/T0ACME/1/abc",
    "actions": [
        {
            "action_id": "command:0",
            "block_id": "=qXel",
            "text": {"type": "plain_text", "text": "acme/web", "emoji": False},
            "value": '{"v":"status","r":["acme/web"],"b":null}',
            "type": "button",
            "action_ts": "1548426417.840180",
        }
    ],
}


def changed(payload: Payload, **fields: object) -> Payload:
    """The payload with other fields; a dict changes those within, None takes a field away."""
    new = {**payload}
    for name, value in fields.items():
        if value is None:
            new.pop(name, None)
        elif isinstance(value, dict):
            new[name] = {key: each for key, each in {**(new.get(name) or {}), **value}.items() if each is not None}
        else:
            new[name] = value
    return new

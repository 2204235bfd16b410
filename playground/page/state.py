"""What the page shows, as JSON: everything at first, then what is new or has changed. Changes nothing itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.core.model.commands import TABLE
from playground.page.ci_state import codeship_json, github_json
from playground.play.scenes import Script
from playground.play.sessions import Playing, Session, Sessions
from playground.slack.modals import Modal, View
from playground.slack.model import PEOPLE, SLACKBOT, Channel, Message, TypedCommand
from playground.traffic import TrafficEntry

Json = dict[str, Any]


class Reader:
    """One open page. `news` returns what it has not received yet."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._session = 0
        self._known: dict[str, str] = {}
        self._message = 0
        self._wire = 0

    def news(self) -> Json | None:
        """The changes; None if there are none. With a new `session`, everything before it is gone."""
        session = self._sessions.current
        if session.number != self._session:
            self._session, self._known, self._message, self._wire = session.number, {}, 0, 0
        changed = {name: part for name, part in _parts(self._sessions, session).items() if self._is_new(name, part)}
        messages = [it for it in session.stage.workspace.conversations.everything() if it.number > self._message]
        wires = session.stage.wires.since(self._wire)
        if not (changed or messages or wires):
            return None
        self._message = max((it.number for it in messages), default=self._message)
        self._wire = max((it.change for it in wires), default=self._wire)
        return {
            "session": session.number,
            "parts": changed,
            "messages": [message_json(it) for it in messages],
            "wires": [wire_json(it) for it in wires],
        }

    def _is_new(self, name: str, part: Any) -> bool:
        written = json.dumps(part)
        if self._known.get(name) == written:
            return False
        self._known[name] = written
        return True


def _parts(sessions: Sessions, session: Session) -> Json:
    """Small parts, which are sent as a whole if they have changed."""
    workspace = session.stage.workspace
    app = workspace.app
    is_real = sessions.codeship is not None
    return {
        "codeship": None if is_real else codeship_json(session.stage.codeship),
        "github": github_json(session.stage.github_sandbox) if session.stage.github_sandbox else None,
        "real_codeship": sessions.codeship.url if sessions.codeship else None,
        "held_at": session.clock.now().timestamp() if session.clock.is_held else None,
        "bot": {"id": app.user_id, "name": app.name, "command": app.commands[0]},
        "people": [{"id": it.id, "name": it.name, "is_ours": it.team_id == app.team.id} for it in PEOPLE],
        "names": workspace.names,
        "slackbot": SLACKBOT.id,
        "team": app.team.name,
        "channels": [channel_json(it, app.user_id) for it in workspace.conversations.channels],
        "modals": [modal_json(it) for it in workspace.modals.open],
        "homes": {user: view_json(view) for user, view in workspace.modals.homes.items()},
        "shortcuts": [{"name": it.name, "kind": it.kind} for it in app.shortcuts],
        "commands": [_usage(app.commands[0], entry.usage, entry.answer, entry.verb) for entry in TABLE],
        "scenes": [_listed(script) for script in sessions.scenes],
        "transcripts": [_listed(script) for script in sessions.transcripts],
        "playing": playing_json(session.playing),
        "can_deliver_again": bool(workspace.deliveries),
        "typed": [typed_json(it) for it in workspace.typed_commands],
    }


def message_json(message: Message) -> Json:
    return {
        "channel": message.channel_id,
        "ts": message.ts,
        "thread_ts": message.thread_ts,
        "is_broadcast": message.is_broadcast,
        "user": message.user_id,
        "is_bot": message.bot_id is not None,
        "ephemeral_to": message.ephemeral_to,
        "text": message.text,
        "blocks": message.blocks,
        "versions": len(message.versions),
        # As Slack, which does not mark a message as edited if an app changed its blocks.
        "is_edited": message.edited and not message.blocks,
        "is_deleted": message.deleted,
        "first": message.versions[0].number,
        "number": message.number,
    }


def typed_json(typed: TypedCommand) -> Json:
    return {
        "user": typed.user_id,
        "channel": typed.channel_id,
        "text": typed.text,
        "at": typed.at,
        "first": typed.after,
    }


def channel_json(channel: Channel, bot_id: str) -> Json:
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "members": sorted(channel.members),
        "has_bot": bot_id in channel.members,
        "is_shared": channel.is_shared,
    }


def modal_json(modal: Modal) -> Json:
    return {"user": modal.user_id, "view": view_json(modal.view), "errors": modal.errors, "trouble": modal.trouble}


def view_json(view: View) -> Json:
    """A view as people's clients get it: the metadata is the app's own."""
    return {name: value for name, value in view.items() if name != "private_metadata"}


def wire_json(wire: TrafficEntry) -> Json:
    return {
        "id": wire.id,
        "way": wire.way,
        "title": wire.title,
        "at": wire.at.timestamp(),
        "sent": wire.sent,
        "came_back": wire.came_back,
        "status": wire.status,
        "took_ms": wire.took_ms,
    }


def playing_json(playing: Playing | None) -> Json | None:
    if playing is None:
        return None
    steps = []
    for number, step in enumerate(playing.script.steps):
        seen = playing.seen[number] if number < len(playing.seen) else None
        steps.append({"line": step.line, "expected": step.seen, "seen": seen})
    return {"kind": playing.kind, **_listed(playing.script), "steps": steps, "fault": playing.fault}


def _listed(script: Script) -> Mapping[str, str]:
    return {"name": script.name, "title": script.title}


def _usage(command: str, usage: str, meaning: str, verb: str) -> Json:
    return {"insert": f"{command} {verb} ", "usage": f"{command} {usage}", "meaning": meaning}

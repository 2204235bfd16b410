"""The whole list of what Slack can send us. `manifest.yml` asks for exactly this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import structlog
from slack_bolt import App

from bot.core.ports import Clock
from bot.slack.blocks.button_values import ACTS, OPENS
from bot.slack.handler import ASK, Conversation
from bot.slack.incoming.bolt_app import Payload, listen
from bot.slack.incoming.payloads import Heard, Home, heard_click, heard_command, heard_event
from bot.slack.incoming.workers import Workers, WorkRefused

log = structlog.get_logger(__name__)

SCOPES = ("app_mentions:read", "chat:write", "commands", "im:history")
SCOPES_OF_GROUPS = ("usergroups:read",)
"""Needed only where a policy names user groups, so that manifest.yml has it commented out."""
EVENTS = ("app_mention", "message.im")


Hear = Callable[[Payload, Home], Heard | None]


def register(
    app: App,
    *,
    workers: Workers,
    conversation: Conversation,
    begin: Callable[[str, str, Mapping[str, Any]], None],
    clock: Clock,
    home: Home,
    command: str,
) -> None:
    """Every listener. What changes something is stored by `begin` before the acknowledgement; the workers do the rest.

    `begin(kind, key, payload)` raises WorkRefused where it cannot be stored in time.
    """

    def answer(hear: Hear, body: Payload, heard_at: float) -> None:
        heard = hear(body, home)
        if heard is not None:
            conversation.hear(heard, heard_at)

    def durably(hear: Hear, body: Payload) -> bool:
        heard = hear(body, home)
        if heard is None or not heard.delivery or not conversation.changes_something(heard):
            return False
        try:
            begin(ASK, heard.delivery, conversation.job_of(heard))
        except WorkRefused:
            raise
        except Exception:  # the engine raises what its drivers raise; the ask is answered all the same
            log.exception("not_durable")
            return False
        return True

    def on(registration: Callable[..., object], kind: str, hear: Hear) -> None:
        handle = partial(answer, hear)
        listen(registration, workers, kind, handle, durably=partial(durably, hear), monotonic=clock.monotonic)

    on(app.command(command), "command", heard_command)
    on(app.event("app_mention"), "mention", heard_event)
    on(app.event("message"), "direct message", heard_event)
    on(app.action(ACTS), "click", heard_click)
    on(app.action(OPENS), "open", lambda _body, _home: None)  # the browser has done it already

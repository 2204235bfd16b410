"""The whole list of what Slack can send us. `manifest.yml` asks for exactly this."""

from __future__ import annotations

from collections.abc import Callable

from slack_bolt import App

from bot.core.ports import Clock
from bot.slack.bolt import Payload, listen
from bot.slack.buttons import ACTS, OPENS
from bot.slack.conversation import Conversation
from bot.slack.heard import Heard, Home, heard_click, heard_command, heard_event
from bot.slack.workers import Workers

SCOPES = ("app_mentions:read", "chat:write", "commands", "im:history")
EVENTS = ("app_mention", "message.im")


def register(app: App, *, workers: Workers, conversation: Conversation, clock: Clock, home: Home, command: str) -> None:
    """Every listener: each acknowledges at once and leaves the rest to the workers."""

    def ask(hear: Callable[[Payload, Home], Heard | None]) -> Callable[[Payload, float], None]:
        def handle(body: Payload, heard_at: float) -> None:
            heard = hear(body, home)
            if heard is not None:
                conversation.hear(heard, heard_at)

        return handle

    def on(registration: Callable[..., object], kind: str, handle: Callable[[Payload, float], None]) -> None:
        listen(registration, workers, kind, handle, monotonic=clock.monotonic)

    on(app.command(command), "command", ask(heard_command))
    on(app.event("app_mention"), "mention", ask(heard_event))
    on(app.event("message"), "direct message", ask(heard_event))
    on(app.action(ACTS), "click", ask(heard_click))
    on(app.action(OPENS), "open", lambda _body, _heard_at: None)  # the browser has done it already

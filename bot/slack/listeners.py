"""Every kind of payload that Slack sends to the bot. `manifest.yml` requests exactly these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import structlog
from slack_bolt import App

from bot.core.ports import Clock
from bot.slack.blocks.button_values import ACTS, OPENS
from bot.slack.handler import REQUEST, RequestHandler
from bot.slack.incoming.bolt_app import Payload, listen
from bot.slack.incoming.payloads import SlackRequest, Workspace, parse_click, parse_command, parse_event
from bot.slack.incoming.workers import PoolFull, WorkerPool

log = structlog.get_logger(__name__)

SCOPES = ("app_mentions:read", "chat:write", "commands", "im:history")
SCOPES_OF_CHANNELS = ("channels:read", "groups:read")
"""To see which channels other workspaces read. Without them a failed build's log is for the asker alone."""
SCOPES_OF_GROUPS = ("usergroups:read",)
"""Needed only if a policy names user groups, so manifest.yml has it commented out."""
SCOPES_OF_GUESTS = ("users:read",)
"""Needed only to tell guests from members, so manifest.yml has it commented out."""
EVENTS = ("app_mention", "message.im")


PayloadParser = Callable[[Payload, Workspace], SlackRequest | None]


def register(
    app: App,
    *,
    worker_pool: WorkerPool,
    handler: RequestHandler,
    submit: Callable[[str, str, Mapping[str, Any]], None],
    clock: Clock,
    workspace: Workspace,
    commands: Sequence[str],
    expect_reply: Callable[[], None] = lambda: None,
) -> None:
    """Registers every listener. Requests that change something are stored by `submit` before they are acknowledged.

    `submit(kind, key, payload)` raises PoolFull if it cannot store a request in time. `expect_reply` is called for each
    request that will be answered, before it is acknowledged, and returns at once.
    """

    def durably(slack_request: SlackRequest, is_again: bool) -> bool:
        if not slack_request.delivery or not handler.changes_something(slack_request):
            return False
        try:
            submit(REQUEST, slack_request.delivery, handler.job_of(slack_request, is_again=is_again))
        except PoolFull:
            raise
        except Exception:  # the engine raises what its drivers raise; the request is still answered
            log.exception("not_durable")
            return False
        return True

    def parsed(parse: PayloadParser, payload: Payload) -> SlackRequest | None:
        slack_request = parse(payload, workspace)
        if slack_request is not None:
            expect_reply()
        return slack_request

    def on(registration: Callable[..., object], kind: str, parse: PayloadParser) -> None:
        listen(
            registration,
            worker_pool,
            kind,
            handler.handle,
            parse=partial(parsed, parse),
            durably=durably,
            monotonic=clock.monotonic,
        )

    for command in commands:
        on(app.command(command), "command", parse_command)
    on(app.event("app_mention"), "mention", parse_event)
    on(app.event("message"), "direct message", parse_event)
    on(app.action(ACTS), "click", parse_click)
    on(app.action(OPENS), "open", lambda _payload, _workspace: None)  # the browser has opened the link already

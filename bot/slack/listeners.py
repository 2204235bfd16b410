"""Every kind of payload that Slack sends to the bot. `manifest.yml` requests exactly these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import structlog
from slack_bolt import App

from bot.core.model.errors import NotUnderstood
from bot.core.ports import Clock
from bot.slack.blocks.button_values import ACTS, OPENS, OPENS_FORM
from bot.slack.forms import Forms
from bot.slack.handler import REQUEST, RequestHandler
from bot.slack.home import Home
from bot.slack.incoming import interactions
from bot.slack.incoming.bolt_app import Acknowledgement, Handler, Payload, listen
from bot.slack.incoming.payloads import SlackRequest, Workspace, parse_click, parse_command, parse_event
from bot.slack.incoming.shared_links import parse_shared_links
from bot.slack.incoming.workers import PoolFull, WorkerPool
from bot.slack.link_previews import LinkPreviews
from bot.slack.messages.errors import render_refused
from bot.slack.views.form import BRANCH, FORM, REPO
from bot.slack.views.home import NOTIFY, REFRESH
from bot.slack.views.restart import RESTART
from bot.slack.views.subscription_form import SUBSCRIPTION

log = structlog.get_logger(__name__)

SCOPES = ("app_mentions:read", "chat:write", "commands", "im:history")
SCOPES_OF_CHANNELS = ("channels:read", "groups:read")
"""To see which channels other workspaces read. Without them a failed build's log is for the asker alone, and
the bot asks before a channel's first subscription."""
SCOPES_OF_GROUPS = ("usergroups:read",)
"""Needed only if a policy names user groups, so manifest.yml has it commented out."""
SCOPES_OF_GUESTS = ("users:read",)
"""Needed only to tell guests from members, so manifest.yml has it commented out."""
SCOPES_OF_EMAILS = ("users:read", "users:read.email")
"""Needed only if authors are found by their e-mail address, so manifest.yml has them commented out."""
SCOPES_OF_LINKS = ("links:read", "links:write")
EVENTS_OF_LINKS = ("link_shared",)
"""Needed only for link previews, so manifest.yml has them commented out, with the domains."""
EVENTS = ("app_home_opened", "app_mention", "message.im")
SHORTCUTS = {FORM: "global", RESTART: "message"}
"""The callback ids of the shortcuts, and their types."""

Parser = Callable[[Payload, Workspace], Any]
"""Returns what the handler takes, an `Acknowledgement`, or None if there is nothing to do."""


def register(
    app: App,
    *,
    worker_pool: WorkerPool,
    handler: RequestHandler,
    forms: Forms,
    home: Home,
    previews: LinkPreviews,
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

    def durably(slack_request: object, is_again: bool) -> bool:
        if not isinstance(slack_request, SlackRequest) or not slack_request.delivery:
            return False
        if not handler.changes_something(slack_request):
            return False
        try:
            submit(REQUEST, slack_request.delivery, handler.job_of(slack_request, is_again=is_again))
        except PoolFull:
            raise
        except Exception:  # the engine raises what its drivers raise; the request is still answered
            log.exception("not_durable")
            return False
        return True

    def parsed(parse: Parser, payload: Payload) -> Any:
        request = parse(payload, workspace)
        if request is not None:
            expect_reply()
        return request

    def on(registration: Callable[..., object], kind: str, parse: Parser, handle: Handler) -> None:
        listen(
            registration,
            worker_pool,
            kind,
            handle,
            parse=partial(parsed, parse),
            durably=durably,
            refused=busy_answer,
            monotonic=clock.monotonic,
        )

    def command_or_form(request: SlackRequest | interactions.Opening, received_at: float) -> None:
        if isinstance(request, interactions.Opening):
            forms.open(request, received_at)
        else:
            handler.handle(request, received_at)

    for command in commands:
        on(app.command(command), "command", _command_or_form, command_or_form)
    on(app.event("app_mention"), "mention", parse_event, handler.handle)
    on(app.event("message"), "direct message", parse_event, handler.handle)
    on(app.action(ACTS), "click", parse_click, handler.handle)
    # The browser has opened the link already.
    on(app.action(OPENS), "open", lambda _payload, _workspace: None, handler.handle)
    on(app.action(OPENS_FORM), "form", interactions.parse_open_click, forms.open)
    on(app.shortcut(FORM), "form", interactions.parse_shortcut, forms.open)
    on(app.action(REPO), "form", interactions.parse_repo_chosen, forms.choose_repo)
    on(app.options(REPO), "options", partial(_options, forms), handler.handle)
    on(app.options(BRANCH), "options", partial(_options, forms), handler.handle)
    on(app.view(FORM), "form", partial(_or_problems, interactions.parse_form_sent), handler.handle)
    on(app.view(SUBSCRIPTION), "form", partial(_or_problems, interactions.parse_subscription_sent), handler.handle)
    on(app.shortcut(RESTART), "shortcut", interactions.parse_message_shortcut, forms.ask_to_restart)
    on(app.view(RESTART), "shortcut", interactions.parse_restart_sent, handler.handle)
    on(app.event("link_shared"), "link", parse_shared_links, previews.show)
    on(app.event("app_home_opened"), "home", interactions.parse_home_opened, home.open)
    on(app.action(NOTIFY), "home", interactions.parse_home_choice, home.choose)
    on(app.action(REFRESH), "home", interactions.parse_refresh_click, home.refresh)


def busy_answer(request: SlackRequest | interactions.Opening, why: str) -> Payload:
    """The acknowledgement of a command that is not carried out: why, and a button that asks again."""
    command = request.request.command if isinstance(request, interactions.Opening) else request.command
    drawn = render_refused(why, None if isinstance(command, NotUnderstood) else command)
    return {"text": drawn.text, "blocks": drawn.blocks}


def _command_or_form(payload: Payload, workspace: Workspace) -> SlackRequest | interactions.Opening | None:
    return interactions.parse_bare_command(payload, workspace) or parse_command(payload, workspace)


def _options(forms: Forms, payload: Payload, workspace: Workspace) -> SlackRequest | Acknowledgement:
    """Answered at once, since it comes from memory: Slack asks after every few letters."""
    suggestion = interactions.parse_suggestion(payload, workspace)
    return Acknowledgement({"options": forms.options(suggestion) if suggestion else []})


def _or_problems(parse: Parser, payload: Payload, workspace: Workspace) -> Any:
    """What the form asks for; an acknowledgement that shows what is wrong with it."""
    sent = parse(payload, workspace)
    if isinstance(sent, interactions.Problems):
        return Acknowledgement({"response_action": "errors", "errors": dict(sent.by_block)})
    return sent

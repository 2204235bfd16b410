"""What a person broke, in a direct message, and how to link an account that belongs to no one yet. Pure."""

from __future__ import annotations

from bot.core.model.notifications.deliveries import Delivery
from bot.core.model.people.commands import NotifyCommand, NotMine
from bot.core.model.people.settings import Scope
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block, Message, button, link_button, message
from bot.slack.blocks.rich_text import Line, channel, code, line, link, sanitize
from bot.slack.messages.builds import facts_line, headline_with, restart_buttons, state, subject
from bot.slack.messages.people.accounts import account
from bot.slack.messages.workflows import workflow_lines

_LOGIN = 100


def you_broke(delivery: Delivery, told_in: str | None, page: str | None, context: RenderContext) -> Message:
    """To the author alone. `page` is the URL of the message in the channel `told_in`, if there is one."""
    build, period = delivery.transition.build, delivery.transition.period
    head = headline_with("x", build, context, " broke: ", state(build))
    not_mine: Block | None = None
    if period is not None and build.branch is not None:
        not_mine = button("Not mine", NotMine(context.meaning(build.project), build.branch, period.id), number=1)
    buttons = [
        *restart_buttons(build, None, context),
        not_mine,
        button("Only main", NotifyCommand(Scope.MAIN), number=2),
        button("Turn off", NotifyCommand(Scope.OFF), number=3),
        link_button("Open build", build.url, "build"),
    ]
    facts = [facts_line(build), _where(told_in, page)]
    return message([head], buttons, facts=facts, details=workflow_lines(build), in_public=True)


def is_this_you(delivery: Delivery, login: str, context: RenderContext) -> Message:
    """In the thread of a broken branch's message, once a login."""
    command = code(sanitize(f"{context.command} link github {login}", _LOGIN + 50))
    lines = [
        line(subject(delivery.transition.build), ": is ", account(login), " you?"),
        line("If so, link the account and hear when you break a branch: ", command),
    ]
    return message(lines, in_public=True)


def _where(told_in: str | None, page: str | None) -> Line:
    if told_in is None:
        return ()
    return line("posted in ", channel(told_in), line(": ", link("open message", page)) if page else ())

"""The line that a channel gets when a mute ends. Pure."""

from __future__ import annotations

from bot.core.model.notifications.deliveries import Delivery
from bot.core.model.notifications.muted import Happened, WhileMuted
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Message, message
from bot.slack.blocks.rich_text import Line, emoji, join, line, linked
from bot.slack.messages.builds import at_service, subject
from bot.slack.messages.channels.subscriptions import BELL

MAX_BRANCHES = 5


def while_muted(told: WhileMuted, context: RenderContext) -> Message:
    """`While muted: acme/api main is still broken, acme/web main broke and was fixed`."""
    more = len(told.happened) - MAX_BRANCHES
    named = [_named(delivery, happened, context) for delivery, happened in told.happened[:MAX_BRANCHES]]
    said = line(join(", ", *named), f" and {more} more" if more > 0 else "")
    return message([line(emoji(BELL), " ", "While muted: ", said)], in_public=True)


def _named(delivery: Delivery, happened: Happened, context: RenderContext) -> Line:
    build = delivery.transition.build
    return line(linked(line(subject(build)), build.url), at_service(build.project, context), f" {happened.value}")

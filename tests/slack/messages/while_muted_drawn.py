"""The line at the end of a mute, drawn once for each kind."""

from __future__ import annotations

from dataclasses import replace

from bot.core.model.notifications.muted import Happened, WhileMuted
from bot.core.model.notifications.transitions import Change
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Message
from bot.slack.messages.channels.while_muted import while_muted
from tests.slack.messages.notifications_drawn import delivery
from tests.slack.messages.one_service import BARE, FAILED, HOSTILE, HOW
from tests.slack.messages.subscriptions_drawn import MUTE_ALL
from tests.slack.several import BOTH


def told(*happened: Happened, context: RenderContext = HOW) -> Message:
    builds = [FAILED, BARE, HOSTILE, replace(FAILED, branch="release/1"), replace(FAILED, branch="release/2"), FAILED]
    pairs = [(delivery(Change.BROKE, of), what) for of, what in zip(builds, happened, strict=False)]
    return while_muted(WhileMuted(MUTE_ALL, tuple(pairs)), context)


SUBJECTS: dict[str, dict[str, Message]] = {
    "while_muted": {
        "one": told(Happened.STILL_BROKEN),
        "each_kind": told(*Happened),
        "many": told(*[Happened.STILL_BROKEN] * 6),
        "two_services": told(Happened.FIXED, context=BOTH),
    }
}

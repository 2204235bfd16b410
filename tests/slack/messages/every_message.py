"""Every golden message, by subject and by name."""

from __future__ import annotations

from bot.slack.blocks.message import Message
from tests.slack.messages import (
    check_drawn,
    digest_drawn,
    live_drawn,
    notifications_drawn,
    one_service,
    people_drawn,
    reports_drawn,
    several_drawn,
    subscriptions_drawn,
    while_muted_drawn,
)

SUBJECTS: dict[str, dict[str, Message]] = {
    **one_service.SUBJECTS,
    **live_drawn.SUBJECTS,
    **check_drawn.SUBJECTS,
    **digest_drawn.SUBJECTS,
    **notifications_drawn.SUBJECTS,
    **reports_drawn.SUBJECTS,
    **people_drawn.SUBJECTS,
    **several_drawn.SUBJECTS,
    **subscriptions_drawn.SUBJECTS,
    **while_muted_drawn.SUBJECTS,
}
EVERY_MESSAGE = {
    f"{subject}/{name}": message for subject, messages in SUBJECTS.items() for name, message in messages.items()
}

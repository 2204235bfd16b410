"""What `check` answers, drawn once for each kind of result."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.core.model.notifications.health import CallsLeft, ChannelChecked, PollingState, ServiceChecked, WebhookResult
from bot.core.model.notifications.reasons import Reason
from bot.slack.blocks.message import Message
from bot.slack.messages.render import render
from tests.slack.messages.one_service import HOW
from tests.slack.messages.subscriptions_drawn import EVERY, HOSTILE, MUTE_ALL, MUTE_WEB, SIMPLE
from tests.slack.several import BOTH, NOW

SECOND = timedelta(seconds=1)
POLLED = PollingState("codeship", polled_at=NOW - 4 * SECOND, every_s=15.0)
COUNTS = ((WebhookResult.LATE, 3), (WebhookResult.MISSED, 12), (WebhookResult.NEWS, 295))
HEARD = replace(POLLED, heard_at=NOW - 180 * SECOND, webhooks=COUNTS)
GITHUB = PollingState("github", polled_at=NOW - 200 * SECOND, heard_at=NOW - 10 * SECOND)
FULL, FEW = CallsLeft(45, 60), CallsLeft(3, 60)
FINE = ChannelChecked("C1", True, (), NOW - timedelta(hours=3), (SIMPLE, SIMPLE), (), (ServiceChecked(POLLED, FULL),))
DOWN = replace(POLLED, failed_at=NOW - 600 * SECOND, failure=f"answered 502 {HOSTILE}")


def checked(result: ChannelChecked) -> Message:
    return render(result, context=HOW)


SUBJECTS: dict[str, dict[str, Message]] = {
    "check": {
        "all_is_well": checked(FINE),
        "nothing_known_yet": checked(replace(FINE, is_member=None, told_at=None)),
        "not_a_member": checked(replace(FINE, is_member=False, subscriptions=EVERY)),
        "missing_scopes": checked(replace(FINE, missing_scopes=("chat:write",))),
        "no_subscription": checked(replace(FINE, subscriptions=())),
        "paused_and_muted": checked(replace(FINE, subscriptions=EVERY, mutes=(MUTE_ALL, MUTE_WEB))),
        "webhooks_missed": checked(replace(FINE, services=(ServiceChecked(HEARD, FULL),))),
        "service_down": checked(replace(FINE, services=(ServiceChecked(DOWN, CallsLeft(45, 60, is_paused=True)),))),
        "never_checked": checked(replace(FINE, services=(ServiceChecked(PollingState("codeship"), FEW),))),
        "not_checked_for_long": checked(
            replace(FINE, services=(ServiceChecked(replace(POLLED, polled_at=NOW - timedelta(hours=3)), FULL),))
        ),
        "slack_is_busy": checked(
            replace(
                FINE,
                waiting=3,
                oldest=NOW - timedelta(minutes=9),
                troubles=((Reason.UNCERTAIN, 1), (Reason.WAITING, 4)),
            )
        ),
        "two_services": render(
            replace(FINE, services=(ServiceChecked(HEARD, FULL), ServiceChecked(GITHUB, FULL))), context=BOTH
        ),
    }
}

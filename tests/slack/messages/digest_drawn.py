"""Digests of many branches, each rendered once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.core.model.builds import Project, Status
from bot.core.model.notifications.deliveries import Cause, Delivery, Digest
from bot.core.model.notifications.transitions import Change
from bot.slack.blocks.message import Message
from bot.slack.messages.channels.digest import digest_message
from tests.slack.messages.notifications_drawn import FIXES, NEWS, delivery
from tests.slack.messages.one_service import FAILED, HOSTILE, HOW
from tests.slack.several import NOW


def one(number: int, change: Change, status: Status = Status.FAILED) -> Delivery:
    build = replace(
        FIXES if status is Status.PASSED else FAILED, project=Project(str(number), f"acme/r{number}", "codeship")
    )
    return delivery(change, replace(build, status=status))


BROKE = [one(number, Change.BROKE) for number in range(1, 4)]
FIXED = [one(4, Change.FIXED, Status.PASSED), one(5, Change.FLAKY, Status.PASSED)]
DIGESTS = {
    "three broke, one author": Digest("C0BUILDS", tuple(BROKE), Cause.AUTHOR),
    "one commit": Digest("C0BUILDS", tuple(BROKE), Cause.COMMIT),
    "broke and fixed, after downtime": Digest("C0BUILDS", (*FIXED, *BROKE), None, NOW - timedelta(hours=3, minutes=12)),
    "all fixed": Digest("C0BUILDS", tuple(FIXED)),
    "still broken": Digest("C0BUILDS", (NEWS["still broken"], NEWS["another workflow broke"])),
    "single builds": Digest("C0BUILDS", (NEWS["passed"], one(6, Change.STOPPED, Status.STOPPED), FIXED[0])),
    "infrastructure": Digest(
        "C0BUILDS",
        tuple(one(number, Change.INFRA, Status.INFRASTRUCTURE_FAILURE) for number in range(1, 32)),
        Cause.INFRA,
    ),
    "hostile": Digest(
        "C0BUILDS",
        (delivery(Change.BROKE, HOSTILE), *BROKE[:2]),
        Cause.AUTHOR,
    ),
}

SUBJECTS: dict[str, dict[str, Message]] = {
    "digests": {name: digest_message(each, HOW) for name, each in DIGESTS.items()}
}

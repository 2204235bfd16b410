"""What channels hear of their own accord, each rendered once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.core.model.builds import Actor, Build, FailedJob, FailureLog, Status, Workflow
from bot.core.model.notifications.deliveries import Delivery
from bot.core.model.notifications.reasons import SeenBy
from bot.core.model.notifications.transitions import Change, GoodBuild, Owner, Period, Suspect, Transition
from bot.slack.blocks.message import Message
from bot.slack.messages.channels.notifications import log_reply, notification, paused_subscription, thread_reply
from tests.slack.messages.one_service import BARE, FAILED, HOSTILE, HOW, PASSED, WEB
from tests.slack.several import NOW

FIXES = replace(PASSED, id="3277400", project=WEB, branch="main", finished_at=NOW, commit="e41" + "0" * 37)
LATER = replace(FAILED, id="3277390", commit="7c0ffee" + "0" * 33, message="Sort by name", author="eve")
FAILING = replace(
    FAILED,
    status=Status.RUNNING,
    finished_at=None,
    workflows=(
        Workflow("1", "CI", Status.RUNNING, "in_progress", failed_jobs=(FailedJob("lint"), FailedJob("<!here>"))),
    ),
)
GOOD = GoodBuild(3277290, "3277290", "0" * 40, "https://ci.example/builds/3277290", NOW - timedelta(hours=2))
PERIOD = Period(
    "1", NOW - timedelta(minutes=42), FAILED, (Suspect("3277300", "1" * 40, "bob"), Suspect("3277299", None, None))
)
STRANGE = Period("1", NOW, HOSTILE, (Suspect("<!channel>", None, HOSTILE.author),))


def delivery(change: Change, build: Build, period: Period | None = PERIOD, **fields: object) -> Delivery:
    transition = Transition(change, build, period, **fields)  # type: ignore[arg-type]
    return Delivery("C0BUILDS", transition, SeenBy.LIST, NOW, NOW)


NEWS = {
    "broke": delivery(Change.BROKE, FAILED, in_a_row=1, last_good=GOOD),
    "broke, with mentions": replace(
        delivery(Change.BROKE, FAILED, in_a_row=1), mentions=("S0ONCALL", "U0ADA", "<!here>")
    ),
    "broke, and nothing else is known": delivery(Change.BROKE, replace(BARE, status=Status.FAILED), None),
    "broke, hostile": delivery(Change.BROKE, HOSTILE, STRANGE, failing=("<!here>", "lint"), last_good=GOOD),
    "failing": replace(delivery(Change.FAILING, FAILING), mentions=("S0ONCALL",)),
    "passed after all": delivery(Change.PASSED_AFTER_ALL, FIXES),
    "cancelled after all": delivery(Change.PASSED_AFTER_ALL, replace(FIXES, status=Status.STOPPED)),
    "still broken": delivery(Change.STILL, LATER, in_a_row=3, last_good=GOOD),
    "still broken a day later": replace(
        delivery(Change.REMINDED, LATER, in_a_row=3, last_good=GOOD), reminder=True, created_at=NOW + timedelta(days=1)
    ),
    "another workflow broke": delivery(Change.JOINED, LATER, in_a_row=1, failing=("CI", "Lint")),
    "ada is on it": delivery(
        Change.ON_IT, FAILED, replace(PERIOD, owner=Owner(Actor("U0ADA"), NOW)), in_a_row=1, last_good=GOOD
    ),
    "fixed": delivery(Change.FIXED, FIXES),
    "flaky": delivery(Change.FLAKY, replace(FIXES, commit=FAILED.commit)),
    "workflow is gone": delivery(Change.RETIRED, FIXES, workflows=("Lint",)),
    "branch is gone": delivery(Change.GONE, FAILED),
    "many workflows are gone": delivery(Change.RETIRED, FIXES, workflows=("<!here> & Co. " * 9,) * 99),
    "many workflows fail": delivery(Change.JOINED, LATER, in_a_row=1, failing=("<!here> & Co. " * 9,) * 99),
    "two workflows are gone": delivery(Change.RETIRED, FIXES, workflows=("Lint", "Nightly")),
    "passed": delivery(Change.PASSED, FIXES, None),
}
REPLIES = {
    "fixed": NEWS["fixed"],
    "failed again": delivery(Change.FAILED_AGAIN, FAILED, in_a_row=1),
    "still broken": NEWS["still broken"],
    "still broken a day later": NEWS["still broken a day later"],
}
WHYS = ("not_in_channel", "is_archived", "<!channel> odd")

SUBJECTS: dict[str, dict[str, Message]] = {
    "notifications": {
        **{name: notification(each, HOW) for name, each in NEWS.items()},
        **{f"in the thread: {name}": thread_reply(each, HOW) for name, each in REPLIES.items()},
        "log": log_reply(NEWS["broke"], FailureLog(FailedJob("test", "Run"), ("boom", "<!here>")), HOW),
        **{f"paused: {why}": paused_subscription("C0BUILDS", why, HOW) for why in WHYS},
    }
}

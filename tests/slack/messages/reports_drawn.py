"""Daily and weekly digests, and what is set, each rendered once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.core.model.builds import Actor, Project
from bot.core.model.ended_builds import FlakyBranch, SlowBranch
from bot.core.model.notifications.reports import (
    DayRate,
    Every,
    Rate,
    RedBranch,
    Report,
    ReportOff,
    ReportOutcome,
    ReportPlan,
    ReportPlanShown,
    ReportSet,
    ReportShown,
    RestartCount,
    Schedule,
)
from bot.slack.blocks.message import Message
from bot.slack.messages.channels.reports import report_message, report_refused
from bot.slack.messages.channels.subscriptions import not_reached
from bot.slack.messages.render import render
from tests.slack.messages.one_service import HOW, WEB
from tests.slack.several import BOTH, NOW

ADA = Actor("U0ADA")
API = Project("4", "acme/api", "github", "https://github.com/acme/api")
HOSTILE = Project("5", "<!channel>/*b*`c`", "codeship")
HOUR = 3600
END = NOW
START = END - timedelta(days=7)
NOTHING = Report(
    channel="C0BUILDS",
    every=Every.WEEKLY,
    zone="Europe/Berlin",
    start=START,
    end=END,
    subscriptions=2,
    rate=Rate(),
    before=Rate(),
    days=tuple(DayRate(f"day {n}", Rate()) for n in range(8)),
    red=(),
    red_total=0,
    still_red=0,
    flaky=(),
    flaky_total=0,
    slow=(),
    slow_total=0,
    restarts=RestartCount(),
)
FULL = replace(
    NOTHING,
    rate=Rate(41, 48),
    before=Rate(30, 40),
    days=(
        DayRate("Thu 24", Rate(5, 6)),
        DayRate("Fri 25", Rate(7, 7)),
        DayRate("Sat 26", Rate()),
        DayRate("Sun 27", Rate(29, 35)),
    ),
    red=(
        RedBranch(WEB, "main", 29 * HOUR, 3, is_red=True),
        RedBranch(API, "release/2", 2 * HOUR + 300, 1, is_red=False),
        RedBranch(WEB, "old", 90, 0, is_red=False),
    ),
    red_total=14,
    still_red=3,
    flaky=(FlakyBranch(WEB, "main", 2, 14, "d18144e", NOW),),
    flaky_total=1,
    slow=(
        SlowBranch(API, "main", 20, 842, 779),
        SlowBranch(WEB, "main", 9, 500, 700),
        SlowBranch(WEB, "dev", 3, 60, 61),
        SlowBranch(WEB, "new", 3, 50, None),
    ),
    slow_total=4,
    restarts=RestartCount(7, 3, WEB, "main", 5),
)
LONG = "x" * 100
MANY = [Project(str(n), f"{LONG}/{LONG}", "github") for n in range(10)]
MOST = replace(
    FULL,
    red=tuple(RedBranch(each, LONG * 2, HOUR, 2, is_red=True) for each in MANY),
    red_total=500,
    flaky=tuple(FlakyBranch(each, LONG * 2, 1, 2, "d", NOW) for each in MANY),
    flaky_total=500,
    slow=tuple(SlowBranch(each, LONG * 2, 9, 60, 30) for each in MANY),
    slow_total=500,
)
PLAN = ReportPlan("C0BUILDS", Schedule(Every.WEEKLY, 9, 0, "mon"), "Europe/Berlin", ADA, NOW, NOW)
DAILY = replace(PLAN, schedule=Schedule(Every.DAILY, 17, 5), zone="UTC")


def of_ada(outcome: ReportOutcome) -> Message:
    return render(outcome, context=HOW, asker=ADA)


SUBJECTS: dict[str, dict[str, Message]] = {
    "reports": {
        "weekly": report_message(FULL, HOW),
        "weekly_of_two_services": report_message(FULL, BOTH),
        "daily": report_message(
            replace(
                FULL,
                every=Every.DAILY,
                start=END - timedelta(days=1),
                days=FULL.days[:2],
                red=(),
                red_total=0,
                still_red=0,
                slow=(),
                restarts=RestartCount(1, 0, WEB, "main", 1),
            ),
            HOW,
        ),
        "nothing": report_message(NOTHING, HOW),
        "nothing_but_broken": report_message(replace(NOTHING, red=FULL.red[:1], red_total=1, still_red=1), HOW),
        "two_broken": report_message(replace(NOTHING, red=FULL.red[:2], red_total=2, still_red=1), HOW),
        "one_fixed": report_message(replace(NOTHING, red=FULL.red[1:2], red_total=1), HOW),
        "no_subscriptions": report_message(replace(NOTHING, subscriptions=0), HOW),
        "hostile": report_message(
            replace(
                NOTHING,
                rate=Rate(0, 1),
                days=(DayRate("Mon 15", Rate(0, 1)), *NOTHING.days[1:]),
                red=(RedBranch(HOSTILE, "<!here>", 60, 1, is_red=True),),
                red_total=1,
                still_red=1,
                restarts=RestartCount(1, 0, HOSTILE, "*x*", 1),
            ),
            HOW,
        ),
        "on_demand": of_ada(ReportShown(FULL)),
        "set": of_ada(ReportSet(PLAN, 1)),
        "set_without_subscriptions": of_ada(ReportSet(DAILY, 0)),
        "set_but_not_reached": not_reached("not_in_channel", HOW, stored="digest"),
        "off": of_ada(ReportOff(PLAN)),
        "off_already": of_ada(ReportOff(None)),
        "shown": of_ada(ReportPlanShown(PLAN, "UTC")),
        "shown_none": of_ada(ReportPlanShown(None, "UTC")),
        "refused": report_refused("C0BUILDS", "is_archived", HOW),
    }
}

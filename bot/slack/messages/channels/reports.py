"""Daily and weekly digests, and what is set for a channel, in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.core.model.builds import Actor, Project
from bot.core.model.ended_builds import FlakyBranch, SlowBranch
from bot.core.model.notification_commands.values import WEEKDAYS, ShowReport, StopReport
from bot.core.model.notifications.reports import (
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
)
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block, Message, button, message
from bot.slack.blocks.rich_text import Line, bold, channel, code, counted, emoji, join_dots, length, line
from bot.slack.messages.builds import at_service, branch_named, repository, requested_by
from bot.slack.messages.live import why_lost

_SIGN = "bar_chart"
_CHANGED = 1.1
"""A median that differs by less than a tenth is the same."""
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PERIOD = {Every.DAILY: "day", Every.WEEKLY: "week"}
_NAME = {Every.DAILY: "Daily digest", Every.WEEKLY: "Weekly digest"}
_TIMES = {1: "once", 2: "twice"}


def render_reports(outcome: ReportOutcome, context: RenderContext, asker: Actor | None) -> Message:
    """A change is shown to the channel; the setting and a digest on demand to the asker."""
    match outcome:
        case ReportSet(plan, subscriptions):
            head = line(emoji(_SIGN), " ", f"{_NAME[plan.schedule.every]} set: {_in_words(plan)}")
            hint = () if subscriptions else _subscribe_first(context)
            lines = [head, line(f"next: {_moment(plan.next_at, plan.zone)}"), hint]
            buttons = [button("Show now", ShowReport(now=True)), button("Turn off", StopReport(), number=1)]
            return message(lines, buttons, facts=[requested_by(asker)], in_public=True)
        case ReportOff(was):
            if was is None:
                return message([line("This channel gets no digest.")], in_public=False)
            head = line(emoji(_SIGN), " ", f"{_NAME[was.schedule.every]} turned off")
            return message([head], facts=[requested_by(asker)], in_public=True)
        case ReportPlanShown():
            return _plan_shown(outcome, context)
        case ReportShown(report):
            return report_message(report, context, in_public=False)


def report_message(report: Report, context: RenderContext, *, in_public: bool = True) -> Message:
    """The digest. Its headline says the most important."""
    name, period = _NAME[report.every], _PERIOD[report.every]
    if not report.subscriptions:
        return message(
            [line(f"{name}: this channel has no subscriptions"), _subscribe_first(context)], in_public=in_public
        )
    span = line(f"{_moment(report.start, report.zone)} – {_moment(report.end, report.zone)} ({report.zone})")
    if report.is_empty:
        head = line(emoji(_SIGN), " ", f"{name}: no build finished, and no branch was broken")
        return message([head], facts=[span], in_public=in_public)
    passed = _rate(report.rate) if report.rate.builds else "no build finished"
    head = line(emoji(_SIGN), " ", f"{name}: {passed}{_broken(report)}")
    before = line(f"the {period} before: {_rate(report.before)}") if report.before.builds else ()
    details = [
        *_section("Broken", [_red(each, context) for each in report.red], report.red_total),
        *_section("Flaky: passed only on retry", [_flaky(each, context) for each in report.flaky], report.flaky_total),
        *_section("Slowest", [_slow(each, period, context) for each in report.slow], report.slow_total),
        _restarts(report, period, context),
        _days(report),
    ]
    return message([head], facts=[span, before], details=details, in_public=in_public)


def report_chart(report: Report) -> Block | None:
    """Slack's chart of the passed and failed builds of each day; None if there is little to compare."""
    if len(report.days) <= 2 or not report.rate.builds:
        return None
    passed = [{"label": each.day, "value": each.rate.passed} for each in report.days]
    failed = [{"label": each.day, "value": each.rate.builds - each.rate.passed} for each in report.days]
    chart: dict[str, Any] = {
        "type": "bar",
        "series": [{"name": "Passed", "data": passed}, {"name": "Failed", "data": failed}],
        "axis_config": {"categories": [each.day for each in report.days], "y_label": "Builds"},
    }
    return {"type": "data_visualization", "title": "Builds by day", "chart": chart}


def report_refused(channel_id: str, why: str, context: RenderContext) -> Message:
    """To who set it, once, while the channel takes no messages."""
    lines = [
        line("I can’t post the digest in ", channel(channel_id), f": {why_lost(why)}."),
        line("I’ll try again for a day. To stop it, type ", code(f"{context.command} digest off"), " there."),
    ]
    return message(lines, in_public=False)


def _plan_shown(shown: ReportPlanShown, context: RenderContext) -> Message:
    plan = shown.plan
    now = button("Show now", ShowReport(now=True))
    if plan is None:
        example = line("For example ", code(f"{context.command} digest weekly mon 9:00"), f" ({shown.zone})")
        return message([line("This channel gets no digest."), example], [now], in_public=False)
    lines = [
        line(f"{_NAME[plan.schedule.every]}: {_in_words(plan)}"),
        line(f"next: {_moment(plan.next_at, plan.zone)}"),
    ]
    return message(lines, [now, button("Turn off", StopReport(), number=1)], in_public=False)


def _in_words(plan: ReportPlan) -> str:
    """`every Monday at 9:00 (Europe/Berlin)`."""
    schedule = plan.schedule
    day = "day" if schedule.day is None else _DAYS[WEEKDAYS.index(schedule.day)]
    return f"every {day} at {schedule.hour}:{schedule.minute:02} ({plan.zone})"


def _moment(moment: datetime, zone: str) -> str:
    """`Mon 9 Mar 9:00`, in that zone."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%b} {local.hour}:{local:%M}"


def _subscribe_first(context: RenderContext) -> Line:
    return line("A digest is about what the channel is subscribed to: ", code(f"{context.command} subscribe acme/web"))


def _broken(report: Report) -> str:
    """`, 3 branches were broken, 1 still is`."""
    match report.red_total, report.still_red:
        case 0, _:
            return ""
        case 1, still:
            return ", 1 branch was broken and still is" if still else ", 1 branch was broken"
        case total, still:
            now = {0: "", 1: ", 1 still is"}.get(still, f", {still} still are")
            return f", {total} branches were broken{now}"


def _section(title: str, rows: Sequence[Line], total: int) -> list[Line]:
    if not rows:
        return []
    more = [line(f"and {total - len(rows)} more")] if total > len(rows) else []
    return [bold(line(title)), *(line("• ", row) for row in rows), *more]


def _rate(rate: Rate) -> str:
    """`41 of 48 builds passed (85%)`; 100% only if all did."""
    return f"{rate.passed} of {counted(rate.builds, 'build')} passed ({100 * rate.passed // rate.builds}%)"


def _red(entry: RedBranch, context: RenderContext) -> Line:
    """`acme/web main: 5h 12m · broke twice · still broken`."""
    broke = f"broke {_TIMES.get(entry.times, f'{entry.times} times')}" if entry.times else "was broken before"
    still = "still broken" if entry.is_red else None
    return join_dots(line(_branch(entry.project, entry.branch, context), f": {length(entry.red_s)}"), broke, still)


def _flaky(entry: FlakyBranch, context: RenderContext) -> Line:
    share = f": {entry.flaky} of {counted(entry.commits, 'commit')}"
    return line(_branch(entry.project, entry.branch, context), share)


def _slow(entry: SlowBranch, period: str, context: RenderContext) -> Line:
    median = f": {length(entry.median_s)}, the median of {entry.builds} passed builds"
    return join_dots(line(_branch(entry.project, entry.branch, context), median), _trend(entry, period))


def _trend(entry: SlowBranch, period: str) -> str | None:
    """How the median has changed; None if too little is known of the period before, or it is the same."""
    if entry.before_s is None:
        return None
    if entry.median_s > entry.before_s * _CHANGED:
        return f"{length(entry.median_s - entry.before_s)} slower than the {period} before"
    if entry.before_s > entry.median_s * _CHANGED:
        return f"{length(entry.before_s - entry.median_s)} faster than the {period} before"
    return None


def _restarts(report: Report, period: str, context: RenderContext) -> Line:
    """`Restarts: 7 · 3 the week before · most: acme/web main (5)`."""
    done = report.restarts
    if not done.count and not done.before:
        return ()
    most: Line = ()
    if done.most is not None and done.most_count < done.count:
        most = line("most: ", _branch(done.most, done.most_branch, context), f" ({done.most_count})")
    elif done.most is not None:
        most = line("all of ", _branch(done.most, done.most_branch, context))
    return line(bold(line("Restarts")), join_dots(f": {done.count}", f"{done.before} the {period} before", most))


def _days(report: Report) -> Line:
    """`Passed by day: Mon 5 of 6 · Tue 7 of 7`, for those who do not see the chart."""
    if len(report.days) <= 2 or not report.rate.builds:
        return ()
    days = (f"{each.day}: {each.rate.passed} of {each.rate.builds}" for each in report.days if each.rate.builds)
    return line(bold(line("Passed by day")), ": ", join_dots(*days))


def _branch(project: Project, branch: str, context: RenderContext) -> Line:
    return line(repository(project), " ", branch_named(branch), at_service(project, context))

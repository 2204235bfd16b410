"""Notifications: a branch broke, is still broken, is fixed. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.model.builds import Build, FailureLog, Status
from bot.core.model.command_values import BranchCommand, Verb, Word
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.notification_commands.values import MuteCommand, OnIt, ShowSubscriptions
from bot.core.model.notifications.deliveries import Delivery
from bot.core.model.notifications.subscriptions import MAX_MENTIONS
from bot.core.model.notifications.transitions import (
    BEFORE_A_PERIOD,
    ENDS_A_PERIOD,
    OF_A_PERIOD,
    Change,
    NotBroken,
    Owner,
    OwnerChanged,
    Period,
    Transition,
)
from bot.slack.blocks.context import RenderContext, listed
from bot.slack.blocks.message import Block, Message, button, link_button, message, more_menu
from bot.slack.blocks.rich_text import (
    Line,
    channel,
    code,
    emoji,
    join,
    length,
    line,
    link,
    mention_or_text,
    person,
    sanitize,
    since,
    timestamp,
)
from bot.slack.messages.builds import (
    at_service,
    branch_named,
    commit,
    facts_line,
    headline,
    headline_with,
    log_button,
    repository,
    restart_buttons,
    state,
)
from bot.slack.messages.failure_log import of_job
from bot.slack.messages.live import NOT_A_MEMBER, why_lost
from bot.slack.messages.workflows import workflow_lines

_BAD, _GOOD, _GONE, _ON_IT = "x", "white_check_mark", "wastebasket", "raising_hand"
_NAME = 60
MAX_AUTHORS = 5
MAX_WORKFLOWS = 10
MUTED_MIN = 120
LOG_LINES = 10


def notification(delivery: Delivery, context: RenderContext) -> Message:
    """A new message, or the one of a broken period as it should look now."""
    transition = delivery.transition
    if transition.change not in OF_A_PERIOD:
        build = transition.build
        return message([headline(build, context)], _buttons(build, context), facts=[facts_line(build)], in_public=True)
    if transition.change in ENDS_A_PERIOD:
        return _fixed(transition, context)
    if transition.change in BEFORE_A_PERIOD:
        return _early(delivery, context)
    return _broken(delivery, context)


def thread_reply(delivery: Delivery, context: RenderContext) -> Message:
    """A reply in the thread of a broken period's message. It names repository and branch: it may stand alone."""
    transition = delivery.transition
    build = transition.build
    if transition.change in ENDS_A_PERIOD:
        lines = [_fixed_headline(transition, context)]
    elif transition.change is Change.FAILED_AGAIN:
        lines = [headline_with(_BAD, build, context, " failed again on retry")]
    elif transition.change is Change.REMINDED and transition.period is not None:
        lasts_s = (delivery.created_at - transition.period.since).total_seconds()
        lines = [headline_with(_BAD, build, context, f" still broken after {length(lasts_s)}")]
    else:
        lines = [headline_with(_BAD, build, context, f" still failing: {_commits(transition.in_a_row)}")]
    return message(lines, [_page(build)], facts=[facts_line(build)], in_public=True)


def log_reply(delivery: Delivery, log: FailureLog, context: RenderContext) -> Message:
    """In the thread: the last lines of the failed step's log."""
    lines = [headline(delivery.transition.build, context), of_job(log)]
    buttons = [link_button("Open job", log.job.url, "job")]
    return message(lines, buttons, verbatim=log.lines[-LOG_LINES:], in_public=True)


def paused_subscription(where: str, why: str, context: RenderContext) -> Message:
    """To the person who subscribed a channel in which the bot can't post any more. `why` is Slack's error."""
    invite = line("Invite me there: ", code(f"/invite {context.mention}")) if why in NOT_A_MEMBER else ()
    return message(
        [
            line("Notifications in ", channel(where), " are paused: ", why_lost(why), "."),
            invite,
            line("I’ll try again later. Nothing is lost until then."),
        ],
        in_public=False,
    )


def owner_changed(done: OwnerChanged, context: RenderContext) -> Message:
    """To the asker alone: the channel sees it in the notification."""
    where = line(repository(done.project), " ", branch_named(done.branch), at_service(done.project, context))
    if done.owner is None:
        lines = [line("You’re no longer on it: ", where), line("Its notification names no one now.")]
    else:
        before = done.before.person if done.before is not None else None
        instead = before if before != done.owner.person else None
        lines = [
            line(emoji(_ON_IT), " You’re on it: ", where),
            line("Its notification shows that, instead of ", person(instead), ".")
            if instead is not None
            else line("Its notification shows that. There are no reminders until it’s fixed."),
        ]
    return message(lines, in_public=False)


def not_broken(found: NotBroken, context: RenderContext) -> Message:
    branch = line(" ", branch_named(found.branch)) if found.branch is not None else ()
    where = line(repository(found.project), branch, at_service(found.project, context))
    if found.is_old:
        lines = [line("This notification is about an earlier failure of ", where, ".")]
    else:
        lines = [line("Nothing to take on: no channel has heard that ", where, " is broken now.")]
    return message(lines, in_public=False)


def _broken(delivery: Delivery, context: RenderContext) -> Message:
    transition = delivery.transition
    build, period = transition.build, transition.period
    if transition.in_a_row > 1:
        head = headline_with(_BAD, build, context, f" is broken: {_commits(transition.in_a_row)} failed in a row")
    else:
        head = headline_with(_BAD, build, context, " broke: ", state(build))
    facts = [facts_line(build), _first(transition), _last_good(transition), _failing(transition)]
    if transition.last_good is not None:
        facts.append(_suspects(period))
    facts.append(_author_line(period))
    facts.append(_owner_line(period.owner if period is not None else None))
    buttons, details = _buttons(build, context, period), workflow_lines(build)
    return message([head, mentioned(delivery)], buttons, facts=facts, details=details, in_public=True)


def mentioned(*deliveries: Delivery) -> Line:
    """`@oncall @ada`: Slack notifies them when the message is posted, and not when it is changed."""
    ids = dict.fromkeys(id_ for each in deliveries for id_ in each.mentions)
    return join(" ", *(mention_or_text(id_, _NAME) for id_ in list(ids)[:MAX_MENTIONS]))


def _early(delivery: Delivery, context: RenderContext) -> Message:
    """A job failed while the build runs; later, in the same message, that the build passed after all."""
    build, change, said = delivery.transition.build, delivery.transition.change, line()
    if change is Change.FAILING:
        jobs = [sanitize(job.name, _NAME) for run in build.workflows if not run.has_ended for job in run.failed_jobs]
        names = f": {listed(jobs[:MAX_AUTHORS])}" if jobs else ""
        head, buttons = headline_with(_BAD, build, context, f" is failing{names}"), _buttons(build, context)
        said = mentioned(delivery)
    elif build.status is Status.PASSED:
        head, buttons = headline_with(_GOOD, build, context, " passed after all"), [_page(build)]
    else:
        head, buttons = headline(build, context), [_page(build)]
    return message([head, said], buttons, facts=[facts_line(build)], in_public=True)


def _fixed(transition: Transition, context: RenderContext) -> Message:
    build, period = transition.build, transition.period
    facts = [facts_line(build)]
    if period is not None and period.broken_by.commit != build.commit:
        facts.append(line("broken by ", commit(period.broken_by)))
    return message([_fixed_headline(transition, context)], [_page(build)], facts=facts, in_public=True)


def _fixed_headline(transition: Transition, context: RenderContext) -> Line:
    """`acme/web main fixed after 42m`."""
    build, period = transition.build, transition.period
    ended = build.finished_at
    took_s = (ended - period.since).total_seconds() if period is not None and ended is not None else None
    after = line(" after ", length(took_s)) if took_s is not None and took_s > 0 else line()
    match transition.change:
        case Change.RETIRED:
            names = listed(_some(transition.workflows))
            verb = "no longer runs" if len(transition.workflows) == 1 else "no longer run"
            return headline_with(_GOOD, build, context, " is green again: ", names, f" {verb}")
        case Change.GONE:
            return headline_with(_GONE, build, context, " no longer exists")
        case Change.FLAKY:
            return headline_with(_GOOD, build, context, " passed on retry (flaky)", after)
        case _:
            return headline_with(_GOOD, build, context, " fixed", after)


def _first(transition: Transition) -> Line:
    """The build that broke the branch, if this is a later one."""
    period = transition.period
    if period is None or period.broken_by.id == transition.build.id:
        return ()
    return line("broken ", since(period.since), " by ", commit(period.broken_by))


def _last_good(transition: Transition) -> Line:
    good = transition.last_good
    if good is None:
        return ()
    # With workflows, a build's id is the bot's own, and people know it by its commit.
    is_known = transition.build.workflows == () or not good.commit
    label = f"build {sanitize(good.build_id, _NAME)}" if is_known else sanitize(good.commit, _NAME)[:7]
    named = link(label, good.url)
    return join(" ", line("last passed: ", named), since(good.finished_at))


def _failing(transition: Transition) -> Line:
    names = transition.failing
    return line(f"failing: {', '.join(_some(names))}") if len(names) > 1 else ()


def _some(names: Sequence[str]) -> list[str]:
    """The first of them, and `3 more`."""
    shown = [sanitize(name, _NAME) or "one without a name" for name in names[:MAX_WORKFLOWS]]
    more = len(names) - MAX_WORKFLOWS
    return [*shown, f"{more} more"] if more > 0 else shown


def _suspects(period: Period | None) -> Line:
    """`since then also: 2 builds by bob, eve`: the service shows each build's own commit only."""
    if period is None or not period.suspects:
        return ()
    authors = [sanitize(one.author, _NAME) for one in period.suspects if one.author]
    by = list(dict.fromkeys(authors))[:MAX_AUTHORS]
    count = len(period.suspects)
    builds = "1 build" if count == 1 else f"{count} builds"
    return line(f"since then also: {builds}", f" by {listed(by)}" if by else "")


def _author_line(period: Period | None) -> Line:
    """Names the author who wants to hear of it here; empty for everyone else."""
    return line("broken by ", person(period.mentions)) if period is not None and period.mentions is not None else ()


def _owner_line(owner: Owner | None) -> Line:
    """`@ada is on it since today at 12:01`; empty for no one."""
    if owner is None:
        return ()
    at = timestamp(owner.since)
    return line(emoji(_ON_IT), " ", person(owner.person), " is on it", line(" since ", at) if at else ())


def _buttons(build: Build, context: RenderContext, period: Period | None = None) -> list[Block | None]:
    restart = restart_buttons(build, None, context, in_live=True) if build.can_be_restarted else []
    about = BranchCommand(Verb.WHY, context.meaning(build.project), Word.of(build.branch) if build.branch else None)
    mute = MuteCommand(NamePattern((build.project.name,)), MUTED_MIN)
    return [
        *restart,
        _on_it(build, period, context),
        log_button(build, context),
        _page(build),
        button(f"Mute {build.project.name} for 2h", mute, number=1),
        *more_menu([("Why was I told?", about), ("Show subscriptions", ShowSubscriptions())], number=4),
    ]


def _on_it(build: Build, period: Period | None, context: RenderContext) -> Block | None:
    if period is None or build.branch is None:
        return None
    owner = period.owner.person.id if period.owner is not None else None
    return button("I’m on it", OnIt(context.meaning(build.project), build.branch, period.id, owner), number=3)


def _page(build: Build) -> Block | None:
    return link_button("Open build", build.url, "build")


def _commits(count: int) -> str:
    return "1 commit" if count == 1 else f"{count} commits"

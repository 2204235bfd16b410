"""Why a channel was notified of a build or not, and how to change that. To the asker alone. Pure."""

from __future__ import annotations

from datetime import datetime

from bot.core.model.command_values import Verb
from bot.core.model.names.name_patterns import ANY_NAME, NamePattern
from bot.core.model.notification_commands.values import PauseCommand, UnmuteCommand, words_of
from bot.core.model.notifications.reasons import Decision, Reason, SeenBy
from bot.core.model.notifications.subscriptions import DEFAULT_EVENTS, PAUSED_BY_PERSON, Event, Filters
from bot.core.model.outcomes import Explained
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block, Message, button, message
from bot.slack.blocks.rich_text import Line, code, join_dots, line, sanitize, timestamp
from bot.slack.messages.builds import at_service, branch_named, repository
from bot.slack.messages.channels.subscriptions import branch_words, invite, paused_words, workflow_words
from bot.slack.messages.live import NOT_A_MEMBER

_LINES = 10
_DETAIL, _NAME = 150, 60

_SEEN = {SeenBy.LIST: "seen in the list", SeenBy.POLL: "seen by polling", SeenBy.WEBHOOK: "seen by webhook"}

_WORDS = {
    Reason.UNCERTAIN: "sent, but Slack didn’t confirm it",
    Reason.WAITING: "waiting to be sent",
    Reason.MAY_BE_FLAKY: "quiet if flaky: held back",
    Reason.CI_UNREADABLE: "the CI service couldn’t be read",
    Reason.MUTED: "muted",
    Reason.BRANCH: "the branch doesn’t match",
    Reason.WORKFLOW: "the workflow doesn’t match",
    Reason.EVENT: "not subscribed to this event",
    Reason.YOUNGER: "older than the subscription",
    Reason.BASELINE: "the first result seen of this branch, so nothing had changed",
    Reason.OLDER: "not the newest build",
    Reason.NEUTRAL: "not conclusive",
    Reason.FLAKY: "flaky, quiet: it passed on retry",
    Reason.NO_TRANSITION: "no change",
    Reason.NOT_LINKED: "its author isn’t linked to anyone here",
    Reason.DIGEST: "notified in a summary",
    Reason.CHANGED: "updated the message of this failure",
    Reason.TOLD: "notified",
}
_TOLD = frozenset({Reason.TOLD, Reason.CHANGED, Reason.DIGEST})
_UNTIL = frozenset({Reason.MUTED, Reason.WAITING, Reason.MAY_BE_FLAKY})
"""Their detail is a time."""
_WITH_DETAIL = frozenset(
    {Reason.CI_UNREADABLE, Reason.EVENT, Reason.OLDER, Reason.NEUTRAL, Reason.NO_TRANSITION, Reason.NOT_LINKED}
)
"""Their detail is for people."""


def explained(shown: Explained, context: RenderContext) -> Message:
    branch = line(" ", branch_named(shown.branch)) if shown.branch is not None else ()
    about = line(repository(shown.project), branch, at_service(shown.project, context))
    if not shown.subscriptions:
        head = line("This channel isn’t subscribed to ", repository(shown.project), ".")
        return message([head, _change(_subscribe(shown, ANY_NAME, DEFAULT_EVENTS), context)], in_public=False)
    if not shown.decisions:
        which = "this build" if shown.build_id is not None else "any of its builds in the last 14 days"
        lines = [line("Nothing is on record about ", about), line(f"The bot hasn’t looked at {which}.")]
        return message(lines, in_public=False)
    made = _newest_build_first(shown.decisions)
    lines = [line("Why this channel was notified or not: ", about), *(_line(each, shown) for each in made[:_LINES])]
    if len(made) > _LINES:
        lines.append(line(f"and {len(made) - _LINES} older ones"))
    next_step, buttons = _next_step(made[0], shown, context)
    return message([*lines, next_step], buttons, in_public=False)


def _newest_build_first(decisions: tuple[Decision, ...]) -> list[Decision]:
    """Within a build, what people should look at first comes first. `decisions` are the newest first.

    Later polls of a build that the channel was notified of show no change, which explains nothing.
    """
    told = {(each.build_id, each.workflow) for each in decisions if each.reason in _TOLD}
    decisions = tuple(
        each
        for each in decisions
        if each.reason is not Reason.NO_TRANSITION or (each.build_id, each.workflow) not in told
    )
    order = {build: number for number, build in reversed([*enumerate(each.build_id for each in decisions)])}
    reasons = list(Reason)
    return sorted(decisions, key=lambda each: (order[each.build_id], reasons.index(each.reason)))


def _line(decision: Decision, shown: Explained) -> Line:
    workflow = sanitize(decision.workflow, _NAME)
    return join_dots(
        line("• ", timestamp(decision.at) or "some time"),
        line(f"build {sanitize(decision.number or decision.build_id, _NAME)}", f" {workflow}" if workflow else ""),
        _said(decision, shown),
        _SEEN[decision.seen_by],
    )


def _said(decision: Decision, shown: Explained) -> Line:
    reason, detail = decision.reason, sanitize(decision.detail, _DETAIL)
    if reason is Reason.PAUSED:
        return line(paused_words(decision.detail))
    if reason in (Reason.BRANCH, Reason.WORKFLOW):
        filters = next((each.filters for each in shown.subscriptions if each.id == decision.subscription_id), None)
        if filters is None:
            return line(_WORDS[reason])
        return line(_WORDS[reason], ": ", branch_words(filters) if reason is Reason.BRANCH else workflow_words(filters))
    if reason in _UNTIL:
        until = timestamp(_moment(decision.detail))
        return line(_WORDS[reason], line(" until ", until) if until else ())
    return line(f"{_WORDS[reason]}: {detail}" if detail and reason in _WITH_DETAIL else _WORDS[reason])


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _next_step(worst: Decision, shown: Explained, context: RenderContext) -> tuple[Line, list[Block | None]]:
    """How to change the newest decision, and its button; both empty if there is nothing to change."""
    match worst.reason:
        case Reason.MUTED if (_moment(worst.detail) or context.now) > context.now:
            return _change("unmute", context), [button("Unmute", UnmuteCommand())]
        case Reason.PAUSED if worst.detail in NOT_A_MEMBER:
            return line("To change this: ", code(invite(context))), []
        case Reason.PAUSED if worst.detail == PAUSED_BY_PERSON and worst.subscription_id is not None:
            resume = PauseCommand(Verb.RESUME, (worst.subscription_id,))
            return _change(f"resume #{worst.subscription_id}", context), [button("Resume", resume)]
        case Reason.BRANCH if worst.branch:
            return _change(_subscribe(shown, NamePattern((worst.branch,)), DEFAULT_EVENTS), context), []
        case Reason.EVENT:
            return _change(_subscribe(shown, ANY_NAME, frozenset(Event)), context), []
        case Reason.NOT_LINKED if worst.detail:
            login = sanitize(worst.detail, _NAME)
            return line("If it is you: ", code(f"{context.command} link github {login}")), []
        case _:
            return (), []


def _change(words: str, context: RenderContext) -> Line:
    return line("To change this: ", code(sanitize(f"{context.command} {words}", 300)))


def _subscribe(shown: Explained, branches: NamePattern, events: frozenset[Event]) -> str:
    wanted = Filters(NamePattern((shown.project.name,)), branches=branches, events=events)
    return f"subscribe {' '.join(words_of(wanted))}"

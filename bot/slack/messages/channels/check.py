"""Whether a channel can be notified: what works in one line, then each problem with its next step. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.core.model.notifications.health import ChannelChecked, PollingState, ServiceChecked, WebhookResult
from bot.core.model.notifications.reasons import Reason
from bot.core.model.notifications.subscriptions import PAUSED_BY_PERSON, Subscription
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Message, message
from bot.slack.blocks.rich_text import (
    Line,
    ago,
    code,
    counted,
    emoji,
    join,
    join_dots,
    length,
    line,
    sanitize,
    timestamp,
)
from bot.slack.messages.channels.subscriptions import invite, paused_words, repositories_in_words
from bot.slack.messages.live import NOT_A_MEMBER

MAX_PROBLEMS = 6
LATE = timedelta(minutes=1)
"""A notification that waits longer than this is reported."""
SLOWEST_POLL_S = 900.0
"""The longest time between two polls, in seconds, if it varies."""
FEW_CALLS = 10
_TEXT = 150

_TROUBLES = {
    Reason.PAUSED: "refused by Slack and held back",
    Reason.UNCERTAIN: "not confirmed by Slack",
    Reason.WAITING: "sent later, as Slack was busy",
}


def channel_checked(shown: ChannelChecked, context: RenderContext) -> Message:
    """To the asker alone, in about ten lines."""
    problems = list(_problems(shown, context))
    if problems:
        things = counted(len(problems), "thing")
        head = line(emoji("warning"), " ", f"Notifications in this channel: {things} to look at")
    else:
        head = line(emoji("white_check_mark"), " ", "Notifications work in this channel")
    more = len(problems) - MAX_PROBLEMS
    return message(
        [
            head,
            _good(shown),
            *problems[:MAX_PROBLEMS],
            line(f"and {more} more") if more > 0 else (),
            *(_service(each, context) for each in shown.services),
        ],
        in_public=False,
    )


def _good(shown: ChannelChecked) -> Line:
    """What works, in one line."""
    active = [each for each in shown.subscriptions if each.is_active]
    told = timestamp(shown.told_at)
    return join_dots(
        "I’m in the channel" if shown.is_member else "",
        line("last notification ", told) if told else "no notification yet",
        counted(len(active), "active subscription") if active else "",
        "" if shown.missing_scopes else "Slack permissions complete",
        "nothing waits to be sent" if not shown.waiting else "",
        "" if shown.troubles else "no failures in 24 hours",
    )


def _problems(shown: ChannelChecked, context: RenderContext) -> Iterator[Line]:
    if shown.is_member is False:
        yield _problem(line("I’m not in this channel."), line(code(invite(context))))
    if shown.missing_scopes:
        missing = ", ".join(shown.missing_scopes)
        yield _problem(
            line(f"The bot lacks Slack permissions: {missing}."),
            line("An admin needs to add them and install the app again."),
        )
    if not shown.subscriptions:
        yield _problem(line("This channel has no subscriptions."), line(code(f"{context.command} subscribe acme/web")))
    for each in shown.subscriptions:
        if each.paused is not None and not (shown.is_member is False and each.paused in NOT_A_MEMBER):
            yield _paused(each, context)
    for mute in shown.mutes:
        what = repositories_in_words(mute.repositories) if mute.repositories is not None else line("This channel")
        until = timestamp(mute.until) or "later"
        yield _problem(line(what, " is muted until ", until, "."), line(code(f"{context.command} unmute")))
    for service in shown.services:
        yield from _problems_of(service, shown, context)
    if shown.waiting and (shown.oldest is None or context.now - shown.oldest > LATE):
        since = timestamp(shown.oldest) or "some time ago"
        waits = "waits" if shown.waiting == 1 else "wait"
        yield _problem(
            line(f"{counted(shown.waiting, 'notification')} of all channels {waits}, the oldest since ", since, "."),
            line("They are sent when Slack takes them."),
        )
    if shown.troubles:
        said = join(", ", *(f"{count} {_TROUBLES[reason]}" for reason, count in shown.troubles))
        yield _problem(line("In the last 24 hours: ", said, "."), line(code(f"{context.command} why acme/web main")))


def _problem(what: Line, next_step: Line) -> Line:
    return line("• ", what, " ", next_step)


def _paused(subscription: Subscription, context: RenderContext) -> Line:
    """The subscription, why it is paused, and the next step: the person's, else the bot's."""
    why = subscription.paused or ""
    what = line(f"#{subscription.id} ", repositories_in_words(subscription.filters.repositories))
    if why == PAUSED_BY_PERSON:
        then = line(code(f"{context.command} resume #{subscription.id}"))
    else:
        then = line(code(invite(context))) if why in NOT_A_MEMBER else line("I’ll try again later.")
    return _problem(line(what, " is ", paused_words(why), "."), then)


def _problems_of(checked: ServiceChecked, shown: ChannelChecked, context: RenderContext) -> Iterator[Line]:
    polling, title = checked.polling, context.title_of(checked.polling.service)
    is_heard = any(each.filters.service in (None, polling.service) for each in shown.subscriptions)
    if not is_heard:
        return
    if polling.failed_at is not None:
        since = timestamp(polling.failed_at) or "some time ago"
        yield _problem(
            line(f"{title} can’t be read since ", since, ": ", sanitize(polling.failure, _TEXT), "."),
            line("I’ll keep trying."),
        )
    elif _is_overdue(polling, context):
        yield _problem(
            line(f"{title} hasn’t been checked" + (" for a while." if polling.polled_at else " yet.")),
            line("If that stays so, an admin needs to look at the bot’s log."),
        )
    missed, came = polling.count(WebhookResult.MISSED), _came(polling)
    if missed:
        yield _problem(
            line(f"{missed} of {counted(missed + came, f'{title} webhook')} never came in 7 days."),
            line("Polling found the changes. An admin can check the webhook’s deliveries."),
        )
    if checked.calls.is_paused:
        yield _problem(line(f"{title} limits the bot’s requests now."), line("It goes on by itself."))
    elif checked.calls.left * FEW_CALLS < checked.calls.calls:
        yield _problem(line(f"Few calls to {title} are left in this minute."), line("More are free within a minute."))


def _is_overdue(polling: PollingState, context: RenderContext) -> bool:
    every_s = polling.every_s if polling.every_s is not None else SLOWEST_POLL_S
    return polling.polled_at is None or context.now - polling.polled_at > timedelta(seconds=4 * every_s)


def _came(polling: PollingState) -> int:
    return polling.count(WebhookResult.NEWS) + polling.count(WebhookResult.LATE)


def _ago(moment: datetime | None, context: RenderContext) -> str:
    return ago((context.now - moment).total_seconds()) if moment is not None else ""


def _service(checked: ServiceChecked, context: RenderContext) -> Line:
    """`CodeShip: checked 4s ago, every 15s · last webhook 3 min ago, 3 of 298 late · 45 of 60 calls left`."""
    polling, calls = checked.polling, checked.calls
    looked, heard = _ago(polling.polled_at, context), _ago(polling.heard_at, context)
    every = f", every {length(polling.every_s)}" if polling.every_s is not None else ""
    late, came = polling.count(WebhookResult.LATE), _came(polling)
    return join_dots(
        line(f"{context.title_of(polling.service)}: ", line(f"checked {looked}{every}") if looked else "not checked"),
        f"last webhook {heard}" + (f", {late} of {came} late" if late else "") if heard else "no webhooks",
        f"{calls.left} of {calls.calls} calls left this minute",
    )

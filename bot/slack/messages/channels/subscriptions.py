"""Messages about subscriptions and mutes: what changed, the list, and how to undo it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.core.model.builds import Actor
from bot.core.model.command_values import Verb
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.names.slack_ids import GROUP_ID
from bot.core.model.notification_commands.values import ALL, PauseCommand, UnmuteCommand, Unsubscribe, event_words
from bot.core.model.notifications.subscriptions import PAUSED_BY_PERSON, Filters, Mute, Origin, Replies, Subscription
from bot.core.model.outcomes import (
    BranchState,
    MayBeShared,
    Muted,
    NotSubscribed,
    Subscribed,
    SubscriptionsPaused,
    SubscriptionsShown,
    Unmuted,
    UnsubscribeAll,
    Unsubscribed,
)
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block, Message, button, message
from bot.slack.blocks.rich_text import (
    Line,
    code,
    counted,
    emoji,
    join,
    join_dots,
    line,
    literal,
    mention_or_text,
    person,
    sanitize,
    timestamp,
)
from bot.slack.messages.builds import branch_named, requested_by, short_word
from bot.slack.messages.ci_failures import describe_cause
from bot.slack.messages.live import NOT_A_MEMBER, why_lost
from bot.slack.views.form import Preset, form_button

_NAME, _NAMES = 100, 5
_SHOWN = 20
_CHANGED = 8
"""How many get buttons: three each, and a message takes 25."""
BELL, NO_BELL = "bell", "no_bell"


def subscribed(done: Subscribed, context: RenderContext, asker: Actor | None) -> Message:
    """In the channel, which shows that the bot can post there."""
    filters = done.subscription.filters
    what = line(repositories_in_words(filters.repositories), _service(filters, context))
    if is_changed(done):
        did = f"Subscription #{done.subscription.id} changed: "
    else:
        did = "Subscribed to " if done.is_new else "Already subscribed to "
    lines = [
        line(emoji(BELL), " ", did, what),
        filter_words(filters),
        _how_told(filters),
        line(f"#{done.was.id} is removed: it would say the same.") if done.was and not is_changed(done) else (),
        line("It is still paused.") if done.subscription.paused == PAUSED_BY_PERSON else (),
        *map(_present, done.now),
        _how_many(done),
        *_unknown(done),
        line("The present state isn’t known: ", describe_cause(done.failed), ".") if done.failed else (),
        line("Muted until ", timestamp(done.muted_until) or "later", ".") if done.muted_until else (),
    ]
    remove = button("Unsubscribe", Unsubscribe(numbers=(done.subscription.id,)))
    return message(lines, [remove], facts=[requested_by(asker)], in_public=True)


def may_be_shared(asked: MayBeShared) -> Message:
    """To the asker, before anything is subscribed."""
    names = repositories_in_words(asked.command.filters.repositories)
    lines = [
        line("This channel may be shared with other workspaces. Subscribe?"),
        line("Everyone who reads it then sees builds of ", names, ", with commits and authors."),
    ]
    yes = button("Subscribe", replace(asked.command, confirmed=True), style="primary")
    too_long = line("This is too long for a button. Make several subscriptions of it.") if yes is None else ()
    return message([*lines, too_long], [yes], in_public=False)


def is_changed(done: Subscribed) -> bool:
    """Whether the subscription kept its number. It did not if another one says the same."""
    return done.was is not None and done.was.id == done.subscription.id


def not_reached(why: str, context: RenderContext, *, stored: str) -> Message:
    """To the person who set something for a channel in which the bot can't post; `why` is Slack's word, or empty.

    `stored` is what the person asked for.
    """
    if why in NOT_A_MEMBER:
        said = "I can’t post here yet: I’m not in this channel."
        then = line(f"The {stored} is stored. To start notifications: ", code(invite(context)))
    else:
        because = why_lost(why)
        said = f"I can’t post here: {because}." if because else "I can’t post here."
        then = line(f"The {stored} is stored. I’ll try again later.")
    return message([line(said), then], in_public=False)


def paused_at_once(subscriptions: Sequence[Subscription], why: str, context: RenderContext) -> Message:
    """To the person who subscribed a channel in which the bot can't post. `why` is Slack's error."""
    if why in NOT_A_MEMBER:
        said = "I can’t post here yet: I’m not in this channel."
        then = line("Invite me: ", code(invite(context)), ". Then resume.")
    else:
        said = f"I can’t post here: {why_lost(why)}."
        then = line("When that has changed, resume.")
    resume = button("Resume", PauseCommand(Verb.RESUME, tuple(each.id for each in subscriptions)))
    stored = line("Stored, but paused: ", _all_of(subscriptions))
    return message([line(said), stored, then], [resume], in_public=False)


def invite(context: RenderContext) -> str:
    return f"/invite {context.mention}"


def unsubscribed(done: Unsubscribed, asker: Actor | None) -> Message:
    lines = [line(emoji(NO_BELL), " ", "Unsubscribed from ", _all_of(done.removed)) if done.removed else ()]
    lines += [
        line("Changed: now ", repositories_in_words(each.filters.repositories), " · ", filter_words(each.filters))
        for each in done.changed[:_NAMES]
    ]
    left = {0: "No subscription is left in this channel.", 1: "1 subscription is left."}
    lines.append(line(left.get(done.left, f"{done.left} subscriptions are left.")))
    return message(lines, facts=[requested_by(asker)], in_public=True)


def not_subscribed(found: NotSubscribed, context: RenderContext) -> Message:
    """To the asker: nothing was removed, and what covers the repository, if something does."""
    of_file = [each for each in found.covering if each.origin is Origin.FILE]
    own = [each for each in found.covering if each.origin is Origin.SLACK]
    if all(word.startswith("#") for word in found.words) and not found.covering:
        lines = [line("This subscription is gone already.")]
    elif found.words == (ALL,):
        lines = [line("This channel has no subscription to remove.")]
    else:
        lines = [line("This channel has no subscription to ", _listed(found.words), ".")]
    if own:
        lines.append(line("It is covered by ", _all_of(own), "."))
    if of_file:
        lines.append(line("An admin keeps ", _all_of(of_file), " in a file; from here it can be muted."))
    lines.append(line(code(f"{context.command} subscriptions"), " lists all of this channel."))
    return message(lines, in_public=False)


def unsubscribe_all(asked: UnsubscribeAll) -> Message:
    """To the asker, before anything is removed."""
    count = len(asked.subscriptions)
    what = "1 subscription" if count == 1 else f"{count} subscriptions"
    yes = button(f"Remove {what}", Unsubscribe(everything=True, confirmed=True), style="danger")
    listed = [_listed_line(each) for each in asked.subscriptions[:_SHOWN]]
    return message([line(f"Remove {what} of this channel?")], [yes], details=listed, in_public=False)


def subscriptions_shown(shown: SubscriptionsShown, context: RenderContext) -> Message:
    """To the asker: each subscription with its number, its maker and its state, and each mute."""
    every = shown.subscriptions
    mutes = [
        line(emoji(NO_BELL), " ", _muted_of(mute), " muted until ", _when(mute.until)) for mute in shown.mutes[:_SHOWN]
    ]
    if len(shown.mutes) > _SHOWN:
        mutes.append(line(f"and {len(shown.mutes) - _SHOWN} more mutes"))
    if not every:
        example = line("For example ", code(f"{context.command} subscribe acme/web"))
        return message([line("This channel has no subscriptions."), example, *mutes], _unmute(shown), in_public=False)
    count = "1 subscription" if len(every) == 1 else f"{len(every)} subscriptions"
    lines = [line(f"{count} of this channel"), *(_listed_line(each) for each in every[:_SHOWN])]
    if len(every) > _SHOWN:
        lines.append(line(f"and {len(every) - _SHOWN} more"))
    own = [each for each in every if each.origin is Origin.SLACK][:_CHANGED]
    buttons = [each for number, one in enumerate(own) for each in _changes(one, number)]
    return message([*lines, *mutes], [*_unmute(shown), *buttons], in_public=False)


def _changes(subscription: Subscription, number: int) -> list[Block | None]:
    """What can be done to the subscription. `number` tells the buttons from others in the message."""
    id_ = subscription.id
    verb = Verb.PAUSE if subscription.is_active else Verb.RESUME
    return [
        form_button(f"Change #{id_}", Preset(Verb.SUBSCRIBE, number=id_), number + 1),
        button(f"{verb.capitalize()} #{id_}", PauseCommand(verb, (id_,)), number=2 * number + 1),
        button(f"Remove #{id_}", Unsubscribe(numbers=(id_,)), number=2 * number + 2),
    ]


def subscriptions_paused(done: SubscriptionsPaused, asker: Actor | None) -> Message:
    """In public, so that the channel knows."""
    if done.resumed:
        resumed = line(emoji(BELL), " ", "Notifications resumed: ", _all_of(done.subscriptions))
        return message([resumed], facts=[requested_by(asker)], in_public=True)
    numbers = tuple(each.id for each in done.subscriptions)
    lines = [
        line(emoji(NO_BELL), " ", "Notifications paused: ", _all_of(done.subscriptions)),
        line("What happens until they are resumed is not posted."),
    ]
    resume = button("Resume", PauseCommand(Verb.RESUME, numbers))
    return message(lines, [resume], facts=[requested_by(asker)], in_public=True)


def muted(done: Muted, asker: Actor | None) -> Message:
    mute = done.mute
    end = _in_zone(mute.until, done.zone) if done.zone else _when(mute.until)
    lines = [
        line(emoji(NO_BELL), " ", _muted_of(mute, is_personal=done.is_personal), " muted"),
        line("until ", end),
        () if done.is_subscribed else line("This channel isn’t subscribed to it."),
    ]
    undo = button("Unmute", UnmuteCommand(mute.repositories, done.is_personal))
    if done.is_personal:
        return message(lines, [undo], in_public=False)
    return message(lines, [undo], facts=[requested_by(asker)], in_public=True)


def unmuted(done: Unmuted, asker: Actor | None) -> Message:
    if not done.mutes:
        nothing = "None of your messages are muted." if done.is_personal else "Nothing is muted in this channel."
        return message([line(nothing)], in_public=False)
    muted_things = [_muted_of(mute, is_personal=done.is_personal) for mute in done.mutes[:_NAMES]]
    lines = [line(emoji(BELL), " ", what, " no longer muted") for what in muted_things]
    if done.is_personal:
        return message(lines, in_public=False)
    return message(lines, facts=[requested_by(asker)], in_public=True)


def repositories_in_words(repositories: NamePattern) -> Line:
    """`acme/web-*, acme/api except acme/web-old`."""
    meant = _listed(repositories.patterns) if repositories.patterns else line("all repositories")
    return line(meant, " except ", _listed(repositories.exceptions)) if repositories.exceptions else meant


def filter_words(filters: Filters) -> Line:
    """`default branch · broke, fixed · workflow ci`."""
    events = event_words(filters)
    return join_dots(
        branch_words(filters),
        "all events" if events == [ALL] else ", ".join(events),
        workflow_words(filters),
        "quiet if flaky" if filters.flaky_quiet else "",
        "no daily reminders" if filters.remind_off else "",
    )


def _how_told(filters: Filters) -> Line:
    """Counts whom it mentions: to name them in public would notify them."""
    groups = sum(GROUP_ID.fullmatch(id_) is not None for id_ in filters.mentions)
    people = len(filters.mentions) - groups
    counts = [
        {0: "", 1: "1 person"}.get(people, f"{people} people"),
        counted(groups, "user group") if groups else "",
    ]
    who = " and ".join(filter(None, counts))
    return join_dots(f"mentions {who} if a branch breaks" if who else "", reply_words(filters))


def reply_words(filters: Filters) -> str:
    """Where the replies in the thread of a message are shown, if not as usual."""
    match filters.replies:
        case Replies.CHANNEL:
            return "all replies in the channel, too"
        case Replies.THREAD:
            return "replies in the thread only"
        case _:
            return ""


def branch_words(filters: Filters) -> Line:
    """`main, release/* except release/0`."""
    branches = filters.branches
    if not branches.patterns:
        on = line("default branch")
    else:
        on = line("every branch") if "*" in branches.patterns else _listed(branches.patterns)
    return line(on, " except ", _listed(branches.exceptions)) if branches.exceptions else on


def workflow_words(filters: Filters) -> Line:
    """`workflow ci except nightly*`; empty for all."""
    workflows = filters.workflows
    if not workflows:
        return ()
    on = line("workflow ", _listed(workflows.patterns)) if workflows.patterns else line("every workflow")
    return line(on, " except ", _listed(workflows.exceptions)) if workflows.exceptions else on


def _present(state: BranchState) -> Line:
    since = timestamp(state.since)
    begun = line(" since at least " if state.at_least else " since ", since) if since else ()
    return line("now: ", branch_named(state.build.branch), f" {short_word(state.build.status)}", begun)


def _how_many(done: Subscribed) -> Line:
    names = done.subscription.filters.repositories.patterns
    if done.repositories is None:
        return line("Which repositories match isn’t known yet: their list could not be read.")
    if names and all("*" not in name for name in names):
        return ()
    if done.repositories == 0:
        return line("No repository matches yet. Notifications start when one appears.")
    count = "1 repository matches" if done.repositories == 1 else f"{done.repositories} repositories match"
    return line(f"{count} now; later ones are included.")


def _unknown(done: Subscribed) -> list[Line]:
    if not done.unknown:
        return []
    similar = line(" Similar: ", _listed(done.similar), ".") if done.similar else ()
    return [line("No repository called ", _listed(done.unknown), " yet. Notifications start when it appears.", similar)]


def _service(filters: Filters, context: RenderContext) -> str:
    if filters.service is None or not context.has_several:
        return ""
    return f" · {context.title_of(filters.service)}"


def _listed_line(subscription: Subscription) -> Line:
    """`• #3 acme/web · default branch · broke, fixed · by @ada`."""
    if subscription.origin is Origin.FILE:
        maker = line("kept in a file")
    else:
        maker = line("by ", person(subscription.maker)) if subscription.maker else ()
    paused = paused_words(subscription.paused) if subscription.paused else ""
    mentions = subscription.filters.mentions
    service = f"only {sanitize(subscription.filters.service, _NAME)}" if subscription.filters.service else ""
    return join_dots(
        line(f"• #{subscription.id} ", repositories_in_words(subscription.filters.repositories)),
        service,
        filter_words(subscription.filters),
        line("mentions ", join(" ", *(mention_or_text(id_, _NAME) for id_ in mentions))) if mentions else (),
        reply_words(subscription.filters),
        maker,
        paused,
    )


def paused_words(why: str) -> str:
    """`paused`, with Slack's reason if no person paused it."""
    return "paused" if why == PAUSED_BY_PERSON else f"paused: {why_lost(why)}"


def _unmute(shown: SubscriptionsShown) -> list[Block | None]:
    return [button("Unmute", UnmuteCommand())] if shown.mutes else []


def _muted_of(mute: Mute, *, is_personal: bool = False) -> Line:
    what = "My messages to you" if is_personal else "Notifications"
    if mute.repositories is not None:
        return line(f"{what} about ", repositories_in_words(mute.repositories))
    return line(what if is_personal else "All notifications of this channel")


def _when(moment: datetime) -> Line:
    return line(timestamp(moment) or "later")


def _in_zone(moment: datetime, zone: str) -> Line:
    """`Mon 9 Mar 09:00 (Europe/Berlin)`: as it was named, for those who live elsewhere with the zone."""
    local = moment.astimezone(ZoneInfo(zone))
    return line(f"{local:%a} {local.day} {local:%b %H:%M} ({zone})")


def _all_of(subscriptions: Iterable[Subscription]) -> Line:
    different = dict.fromkeys(each.filters.repositories for each in subscriptions)
    names = [repositories_in_words(repositories) for repositories in different]
    more = len(names) - _NAMES
    return line(join("; ", *names[:_NAMES]), f" and {more} more" if more > 0 else "")


def _listed(names: Iterable[str]) -> Line:
    """Names and patterns as plain text, so that a `*` shows."""
    every = [sanitize(name, _NAME) for name in names]
    more = len(every) - _NAMES
    shown = every[:_NAMES] + ([f"{more} more"] if more > 0 else [])
    return line(literal(", ".join(shown[:-1]) + " and " + shown[-1] if more > 0 else ", ".join(shown) or "…"))

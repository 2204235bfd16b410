"""Live messages: the status of a followed build, what its result means, and the reply to the asker. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.model.builds import Actor, Build, Status
from bot.core.model.command_values import BuildCommand, Verb
from bot.core.model.errors import NotFound
from bot.core.model.follows import Follow, FollowState, FollowView
from bot.core.model.outcomes import AlreadyCancelling, AlreadyRestarted, BuildShown, Followed, StillRunning
from bot.core.model.verdicts import Meaning, Verdict
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block, Message, button, message
from bot.slack.blocks.rich_text import Line, ago, channel, code, emoji, join, line, link, person, sanitize, since
from bot.slack.messages.builds import (
    CANCELLING,
    SIGNS,
    at_service,
    cancel_button,
    commit,
    facts_line,
    headline,
    headline_with,
    log_button,
    open_button,
    requested_by,
    restart_buttons,
    short_word,
    subject,
    target_of,
    view_buttons,
)
from bot.slack.messages.ci_failures import describe_cause
from bot.slack.messages.failure_log import of_job
from bot.slack.messages.workflows import workflow_lines

NOT_A_MEMBER = frozenset({"not_in_channel", "channel_not_found"})
"""Slack's error codes for a channel to which the bot must be invited."""

UPDATED = line("I’ll update this message until it finishes.")

_FOLLOWED = 5
"""Buttons under a list."""

_WHY_LOST = {
    "is_archived": "the channel is archived",
    "not_in_channel": "I’m not in the channel",
    "channel_not_found": "I can’t see the channel any more",
    "restricted_action": "only some people may post there",
}


def live(view: FollowView, context: RenderContext) -> Message:
    """The message that changes in place until the build finishes.

    Only a message that ended without the build's result has a Refresh button: the reply replaces the message, and would
    remove what it says.
    """
    build = view.build
    open_buttons = view_buttons(target_of(build, view.follow.run_number), build.url)
    facts = [_facts_so_far(build), _who(view.follow)]
    match view.follow.state:
        case FollowState.ENDED if view.overtaken:
            lines, facts = [headline(build, context), _overtaken(view)], [facts_line(build)]
            buttons = open_buttons
        case FollowState.ENDED:
            again = restart_buttons(build, view.follow.run_number, context)
            buttons = [*again, log_button(build, context), open_button(build)]
            facts = [facts_line(build), _who(view.follow), _inconclusive(view, context)]
            return message(
                [_result(view, context)], buttons, facts=facts, details=workflow_lines(build), in_public=True
            )
        case FollowState.GIVEN_UP if isinstance(view.late_because, NotFound):
            gone = line(f"Stopped following: {context.title_of(build.project.service)} no longer lists this build.")
            lines, buttons = [_so_far(view, context), gone], [open_button(build)]
        case FollowState.GIVEN_UP:
            why = line(": ", describe_cause(view.late_because)) if view.late_because else _after(view, context)
            lines = [_so_far(view, context), line("Stopped following", why, ".")]
            follow = BuildCommand(Verb.FOLLOW, target_of(build, view.follow.run_number))
            buttons = [button("Keep following", follow, style="primary"), *open_buttons]
        case _:
            lines, facts = [_so_far(view, context)], [*facts, _late(view)]
            cancel = None if view.follow.cancelled else cancel_button(build, context, in_live=True)
            buttons = [cancel, open_button(build)]
    return message(lines, buttons, facts=facts, details=_workflows_so_far(build), in_public=True)


def followed(build: Build, context: RenderContext, asker: Actor | None) -> Message:
    """The first version of a live message, for a follow command."""
    lines = [_running(build, context), UPDATED]
    buttons = [cancel_button(build, context, in_live=True), open_button(build)]
    facts = [_facts_so_far(build), requested_by(asker)]
    return message(lines, buttons, facts=facts, details=_workflows_so_far(build), in_public=True)


def follow_buttons(listed: Sequence[Build]) -> list[Block | None]:
    """For each of the listed builds that runs. The list stays as it is."""
    running = [build for build in listed if build.is_under_way][:_FOLLOWED]
    return [
        button(
            f"Follow {build.branch}" if build.branch and len(running) > 1 else "Follow",
            BuildCommand(Verb.FOLLOW, target_of(build), in_live=True),
            number=number,
        )
        for number, build in enumerate(running)
    ]


def followed_elsewhere(
    outcome: BuildShown | Followed | AlreadyRestarted | AlreadyCancelling | StillRunning,
    follow: Follow,
    url: str | None,
    context: RenderContext,
    asker: Actor,
) -> Message:
    """To the asker: the channel has a live message of the build already, at `url` if that is known."""
    build = outcome.build
    why = line("Not restarted: it’s still running.") if isinstance(outcome, StillRunning) else ()
    match outcome:
        case AlreadyRestarted():
            head = headline_with(SIGNS[Status.RUNNING], build, context, " already restarted")
        case AlreadyCancelling():
            head = headline_with(CANCELLING, build, context, " already being cancelled")
        case _:
            head = _running(build, context)
    where = line(link("The live message", url), " shows it until it finishes · ", _who(follow))
    is_told = asker in follow.notified
    then = line("You’ll be notified when it finishes.") if is_told else ()
    wanted = BuildCommand(Verb.FOLLOW, target_of(build, follow.run_number), notify=True)
    buttons = [None if is_told else button("Notify me", wanted, style="primary"), open_button(build)]
    return message([head, why, where, then], buttons, in_public=False)


def will_notify(build: Build, context: RenderContext) -> Message:
    """To the asker, in the place of the message with [Notify me]."""
    lines = [headline(build, context), line("You’ll be notified when it finishes.")]
    return message(lines, [open_button(build)], in_public=False)


def not_followed(why: str, context: RenderContext) -> Message:
    """To the asker, if the reply can't be changed later. `why` is Slack's error code, or empty."""
    if why in NOT_A_MEMBER:
        because, then = "I’m not in this channel", line("Invite me: ", code(f"/invite {context.mention}"))
    else:
        because, then = why_lost(why), line()
    said = f"I can’t post updates here: {because}." if because else "I can’t post updates here."
    return message([line(said), then or line("Refresh shows the current status.")], in_public=False)


def reply(view: FollowView, context: RenderContext) -> Message:
    """The reply in the thread to the asker, sent once. It names the build, so it can be read alone."""
    asker = join(" ", *map(person, view.follow.notified))
    if view.overtaken:
        head = headline_with(SIGNS[Status.QUEUED], view.build, context, " restarted again")
        return message([line(asker, " ", head), _overtaken(view)], in_public=True)
    log = view.log.log if view.log is not None and view.log.to_all else None
    return message(
        [line(asker, " ", _result(view, context)), of_job(log) if log else ()],
        facts=[_inconclusive(view, context)],
        verbatim=log.lines if log else (),
        in_public=True,
    )


def lost(view: FollowView, why: str, context: RenderContext) -> Message:
    """To the asker: the message can no longer be changed, with Slack's error code."""
    build, place = view.build, view.follow.location
    where = () if place.is_between_two else line(" in ", channel(place.channel))
    lines = [_result(view, context), line("Stopped following", where, f": {why_lost(why)}.")]
    facts = [facts_line(build), _inconclusive(view, context)]
    buttons = view_buttons(target_of(build, view.follow.run_number), build.url)
    return message(lines, buttons, facts=facts, in_public=False)


def why_lost(why: str) -> str:
    """Slack's word for why a channel takes no messages, for people; empty if Slack gave none."""
    return _WHY_LOST.get(why) or (f"Slack says {sanitize(why, 60)}" if why else "")


def verdict_words(verdict: Verdict | None) -> str:
    """What the result means, for the end of a headline: ` on retry (flaky)`. Empty without a verdict."""
    match verdict and (verdict.meaning, verdict.after):
        case (Meaning.FLAKY, Status.PASSED):
            retries = verdict.runs - 1 if verdict else 1
            return " on retry (flaky)" if retries <= 1 else f" on retry {retries} (flaky)"
        case (Meaning.FLAKY, _):
            return " after passing on the same commit (flaky)"
        case ((Meaning.REAL | Meaning.STEADY), _):
            return f", {_times(verdict.in_a_row)} in a row" if verdict and verdict.in_a_row > 1 else ""
        case _:
            return ""


def why_inconclusive(verdict: Verdict | None) -> Line:
    """`Not conclusive: the run was cancelled`; empty if there is a verdict."""
    if verdict is None or verdict.meaning is not Meaning.NONE:
        return ()
    is_before = verdict.after in (Status.PASSED, Status.FAILED)
    odd = verdict.before if is_before else verdict.after
    if odd is None:
        return line("Not conclusive: no earlier run of this commit is known")
    run = "the previous run" if is_before else "the run"
    if odd is Status.INFRASTRUCTURE_FAILURE:
        return line(f"Not conclusive: {run} had an infrastructure failure")
    return line(f"Not conclusive: {run} was {short_word(odd)}")


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _result(view: FollowView, context: RenderContext) -> Line:
    """The headline of a finished build, or of one that is no longer followed."""
    return headline(view.build, context, "" if view.unseen else verdict_words(view.verdict))


def _so_far(view: FollowView, context: RenderContext) -> Line:
    """The headline before the build has finished."""
    build = view.build
    if view.follow.cancelled and build.is_under_way:
        return line(emoji(CANCELLING), " ", "Cancelling ", subject(build), at_service(build.project, context))
    return _running(build, context)


def _running(build: Build, context: RenderContext) -> Line:
    if build.has_ended:  # CI still shows the previous run
        return headline_with(SIGNS[Status.QUEUED], build, context, " restarted")
    return headline(build, context)


def _facts_so_far(build: Build) -> Line:
    return commit(build) if build.has_ended else facts_line(build)


def _workflows_so_far(build: Build) -> list[Line]:
    """The workflows; empty while the service still shows the previous run."""
    return [] if build.has_ended else workflow_lines(build)


def _who(follow: Follow) -> Line:
    what = "restarted by " if follow.restarted else "requested by "
    what = "cancellation requested by " if follow.cancelled else what
    return join(" ", line(what, person(follow.asker)), since(follow.began_at))


def _overtaken(view: FollowView) -> Line:
    by = view.overtaken_by
    return line("Restarted again", *((" by ", person(by.actor)) if by else ()), " before this run’s result was seen.")


def _inconclusive(view: FollowView, context: RenderContext) -> Line:
    if view.unseen:
        title = context.title_of(view.build.project.service)
        return line(f"Not conclusive: {title} accepted the restart, but no new run has appeared")
    return why_inconclusive(view.verdict)


def _after(view: FollowView, context: RenderContext) -> Line:
    """` after 3 hours`."""
    hours = round((context.now - view.follow.began_at).total_seconds() / 3600)
    if hours < 1:
        return line()
    return line(" after 1 hour" if hours == 1 else f" after {hours} hours")


def _late(view: FollowView) -> Line:
    if view.late_s is None or view.late_because is None:
        return ()
    return line(f"Last checked {ago(view.late_s)}: ", describe_cause(view.late_because), ".")

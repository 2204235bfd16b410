"""The message for each outcome. Pure; sends nothing, decides nothing.

What happened, to what, who asked; then facts; then buttons. Help, lists of repositories and errors are private.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from bot.core.model.builds import Actor, Build, Status
from bot.core.model.claims import ClaimState, RestartState
from bot.core.model.command_values import BranchCommand, Verb, Word
from bot.core.model.ended_builds import FlakyShown, SlowShown
from bot.core.model.notifications.health import ChannelChecked
from bot.core.model.notifications.reports import ReportOff, ReportPlanShown, ReportSet, ReportShown
from bot.core.model.notifications.transitions import NotBroken, OwnerChanged
from bot.core.model.outcomes import (
    AlreadyCancelling,
    AlreadyRestarted,
    AuditShown,
    BranchesShown,
    BuildShown,
    BuildsShown,
    Cancelled,
    ChannelNamesShown,
    CouldNotTell,
    Explained,
    Followed,
    HelpShown,
    LogShown,
    MayBeShared,
    Muted,
    NoBuilds,
    NothingToCancel,
    NothingToFollow,
    NotSubscribed,
    Outcome,
    ProjectsShown,
    Restarted,
    RunAgainSince,
    StateNotKnown,
    StillRunning,
    Subscribed,
    SubscriptionsPaused,
    SubscriptionsShown,
    Unmuted,
    UnsubscribeAll,
    Unsubscribed,
    WillNotify,
)
from bot.core.model.people.outcomes import PersonOutcome
from bot.core.model.verdicts import Verdict, verdict_on
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block, Choice, Message, choice_message, link_button, message, with_line
from bot.slack.blocks.rich_text import Line, channel, code, emoji, join, line, sanitize
from bot.slack.messages.audit import render_audit
from bot.slack.messages.branch_facts import beside_buttons, branch_lines, rest_buttons
from bot.slack.messages.build_history import render_builds, render_flaky, render_slow
from bot.slack.messages.builds import (
    CANCELLING,
    at_service,
    build_buttons,
    cancel_button,
    commit,
    facts_line,
    follow_button,
    headline,
    headline_with,
    list_lines,
    open_button,
    repository,
    requested_by,
    state,
    subject,
    target_of,
    try_again_button,
    view_buttons,
)
from bot.slack.messages.channels.channel_names import render_channel_names
from bot.slack.messages.channels.check import channel_checked
from bot.slack.messages.channels.notifications import not_broken, owner_changed
from bot.slack.messages.channels.reports import render_reports
from bot.slack.messages.channels.subscriptions import (
    may_be_shared,
    muted,
    not_subscribed,
    subscribed,
    subscriptions_paused,
    subscriptions_shown,
    unmuted,
    unsubscribe_all,
    unsubscribed,
)
from bot.slack.messages.channels.why import explained
from bot.slack.messages.ci_failures import describe_cause
from bot.slack.messages.claims import claim_words, previous_words
from bot.slack.messages.failure_log import render_log
from bot.slack.messages.help import render_help
from bot.slack.messages.live import UPDATED, follow_buttons, followed, verdict_words, why_inconclusive, will_notify
from bot.slack.messages.people.accounts import person_message
from bot.slack.messages.projects import render_projects
from bot.slack.messages.workflows import cancelling_line, left_line, restarted_line, workflow_lines


def cancelled(
    done: Cancelled,
    context: RenderContext,
    asker: Actor | None,
    *,
    end_shown: Literal["here", "above", "on refresh"] = "here",
) -> Message:
    """The service has accepted the cancel, and the build still runs for a moment.

    `end_shown`: what will show its end: this message, the live message whose thread this is in, or only [Refresh].
    """
    build = done.build
    title = context.title_of(build.project.service)
    lines = [
        line(emoji(CANCELLING), " ", "Cancelling ", subject(build), at_service(build.project, context)),
        cancelling_line(done.taken),
    ]
    buttons = [open_button(build)]
    match end_shown:
        case "here":
            lines.append(UPDATED)
        case "on refresh":
            lines.append(line(f"{title} needs a moment. Refresh shows the result."))
            buttons = view_buttons(target_of(build), build.url)
    facts = [commit(build), requested_by(asker)]
    return message(lines, buttons, facts=facts, in_public=True)


def being_cancelled(build: Build, context: RenderContext, asker: Actor) -> Message:
    """Replaces a message whose Cancel was pressed: the build as it was a moment ago, without a second Cancel."""
    by = line("cancellation ", requested_by(asker, context.now))
    return message(
        [headline(build, context)],
        view_buttons(target_of(build), build.url),
        facts=[facts_line(build), by],
        details=workflow_lines(build),
        in_public=True,
    )


__all__ = ["Message", "RenderContext", "render", "with_doubt", "with_invitation", "with_place"]

_MAX_BRANCHES = 10


def render(outcome: Outcome, *, context: RenderContext, asker: Actor | None = None) -> Message:
    """The reply to a successful request. `asker` is named in public, since Slack shows a typed command to no one."""
    if isinstance(outcome, PersonOutcome):
        return person_message(outcome, context)
    match outcome:
        case BuildShown():
            return _build(outcome, context, asker)
        case LogShown():
            return render_log(outcome, context)
        case BranchesShown():
            return _branches(outcome, context, asker)
        case BuildsShown():
            return render_builds(outcome, context, asker)
        case NoBuilds(project):
            page = link_button("Open project", project.url, "project")
            head = line("No builds yet in ", repository(project), at_service(project, context))
            return message([head], [page], facts=[requested_by(asker)], in_public=True)
        case ProjectsShown():
            return render_projects(outcome, context)
        case HelpShown(topic):
            return render_help(topic, context)
        case AuditShown():
            return render_audit(outcome, context)
        case FlakyShown():
            return render_flaky(outcome, context, asker)
        case SlowShown():
            return render_slow(outcome, context, asker)
        case ChannelNamesShown():
            return render_channel_names(outcome, context, asker)
        case Followed(build):
            return followed(build, context, asker)
        case WillNotify(build):
            return will_notify(build, context)
        case NothingToFollow(build, restart_state):
            why = line("Nothing to follow: it has finished.")
            return _instead(build, why, build_buttons(build, context, restart_state), context, asker)
        case NothingToCancel(build, restart_state, left):
            finished = "it has finished" if build.has_ended else "nothing of it seems to run"
            why = join(" ", line(f"Nothing to cancel: {finished}."), left_line(left))
            buttons = [*build_buttons(build, context, restart_state), *(beside_buttons(build, context) if left else ())]
            return _instead(build, why, buttons, context, asker)
        case Cancelled():
            return cancelled(outcome, context, asker)
        case Restarted():
            return _restarted(outcome, context)
        case AlreadyRestarted():
            return _already_restarted(outcome, context, asker)
        case AlreadyCancelling():
            return _already_cancelling(outcome, context, asker)
        case StillRunning():
            return _still_running(outcome, context, asker)
        case RunAgainSince():
            return _run_again_since(outcome, context, asker)
        case StateNotKnown(build):
            why = line("Not restarted: this status doesn’t say if the build has finished.")
            return _instead(build, why, view_buttons(target_of(build), build.url), context, asker)
        case CouldNotTell():
            return _could_not_tell(outcome, context)
        case Subscribed():
            return subscribed(outcome, context, asker)
        case Unsubscribed():
            return unsubscribed(outcome, asker)
        case SubscriptionsPaused():
            return subscriptions_paused(outcome, asker)
        case MayBeShared():
            return may_be_shared(outcome)
        case NotSubscribed():
            return not_subscribed(outcome, context)
        case UnsubscribeAll():
            return unsubscribe_all(outcome)
        case SubscriptionsShown():
            return subscriptions_shown(outcome, context)
        case Muted():
            return muted(outcome, asker)
        case Unmuted():
            return unmuted(outcome, asker)
        case Explained():
            return explained(outcome, context)
        case ReportSet() | ReportOff() | ReportPlanShown() | ReportShown():
            return render_reports(outcome, context, asker)
        case ChannelChecked():
            return channel_checked(outcome, context)
        case OwnerChanged():
            return owner_changed(outcome, context)
        case NotBroken():
            return not_broken(outcome, context)


def with_invitation(drawn: Message, mention: str) -> Message:
    """The same, and how to invite the bot to the channel."""
    invite = sanitize(mention, 80)
    return with_line(drawn, line("I can’t post updates here: I’m not in this channel. ", code(f"/invite {invite}")))


def with_doubt(drawn: Message) -> Message:
    """For the asker, if Slack may already have shown the message to everyone."""
    return with_line(drawn, line("Slack didn’t confirm my message. It may already be above."))


def with_place(drawn: Message, channel_id: str) -> Message:
    """For the asker's direct messages, if Slack refused the reply in the place where they asked."""
    return with_line(drawn, line("Slack doesn’t let me answer in ", channel(channel_id), ", so I answer here."))


def _instead(
    build: Build, why: Line, buttons: list[Block | None], context: RenderContext, asker: Actor | None
) -> Message:
    """Shows the build instead of what was requested, and why."""
    facts = [facts_line(build), requested_by(asker)]
    lines = [headline(build, context), why]
    return message(lines, buttons, facts=facts, details=workflow_lines(build), in_public=True)


def _build(shown: BuildShown, context: RenderContext, asker: Actor | None) -> Message:
    build, restart_state = shown.build, shown.restart_state
    verdict = _verdict(build)
    facts = [facts_line(build)]
    if restart_state.claim is not None:
        facts.append(claim_words(restart_state.claim, build, context, lags="this is the previous run"))
    elif restart_state.previous is not None:
        facts.append(previous_words(restart_state.previous))
    other = restart_state.claim or restart_state.previous  # the line may name a second person
    facts += [*branch_lines(build), why_inconclusive(verdict), requested_by(asker, what="status" if other else "")]
    return message(
        [headline(build, context, verdict_words(verdict))],
        [*build_buttons(build, context, restart_state), *beside_buttons(build, context)],
        facts=facts,
        details=workflow_lines(build),
        in_public=True,
    )


def _verdict(build: Build) -> Verdict | None:
    """What the result means for the commit, if the service says how its earlier attempts ended."""
    return verdict_on(build.earlier, build.status) if build.earlier and build.has_ended else None


def _branches(shown: BranchesShown, context: RenderContext, asker: Actor | None) -> Message:
    """The branches beyond the first ten are named without a button by `choice_message`."""
    builds = shown.builds
    lines = [part for build in builds[:_MAX_BRANCHES] for part in list_lines(build, branch=True)]
    repo = context.meaning(shown.project)
    named = [build.branch for build in builds if build.branch]
    choices = [Choice(branch, BranchCommand(Verb.STATUS, repo, Word.of(branch))) for branch in named]
    count = "1 branch" if len(named) == 1 else f"{len(named)} branches"
    head = line(repository(shown.project), f": {count} with recent builds", at_service(shown.project, context))
    follow = follow_buttons(builds[:_MAX_BRANCHES])
    return choice_message([head, *lines], choices, buttons=follow, facts=[requested_by(asker)], in_public=True)


def _restarted(done: Restarted, context: RenderContext) -> Message:
    build, claim = done.build, done.claim
    did = ": re-running failed jobs" if claim.failed_jobs_only else " restarted"
    did += " with debug logs" if claim.debug_logs else ""
    lines = [headline_with("hourglass_flowing_sand", build, context, did), restarted_line(done.taken)]
    if done.seen:
        title = context.title_of(build.project.service)
        lines.append(line(f"{title} didn’t respond, but the build has started: ", state(build), "."))
    facts = [commit(build), requested_by(claim.actor)]
    buttons = [*_looking_at_the_new_run(done), *rest_buttons(build, claim, context)]
    return message(lines, buttons, facts=facts, in_public=True)


def _looking_at_the_new_run(done: Restarted) -> list[Block | None]:
    """If the service gave the restart its own id, the page is unknown until the build has been fetched."""
    build, new_id = done.build, done.claim.new_build_id
    if new_id is None or new_id == build.id:
        return view_buttons(target_of(build, done.claim.run_number), build.url)
    return view_buttons(replace(target_of(build), build_id=new_id, started_at=None), None)


def _already_restarted(found: AlreadyRestarted, context: RenderContext, asker: Actor | None) -> Message:
    build, claim = found.build, found.claim
    title = context.title_of(build.project.service)
    was = " already restarted" if claim.state is ClaimState.TAKEN else " restart already requested"
    claim_facts = claim_words(claim, build, context, lags=f"{title} still shows the previous run")
    facts = [commit(build) if build.has_ended else facts_line(build), claim_facts]
    facts.append(requested_by(asker) if asker != claim.actor else ())
    head = headline_with("hourglass_flowing_sand", build, context, was)
    follow = follow_button(build, RestartState(claim.run_number, claim))
    buttons = [follow, *view_buttons(target_of(build, claim.run_number), build.url)]
    return message([head], buttons, facts=facts, in_public=True)


def _already_cancelling(found: AlreadyCancelling, context: RenderContext, asker: Actor | None) -> Message:
    build, claim = found.build, found.claim
    by = line("cancellation ", requested_by(claim.actor, claim.requested_at))
    facts = [facts_line(build), by, requested_by(asker) if asker != claim.actor else ()]
    head = headline_with(CANCELLING, build, context, " already being cancelled")
    buttons = [follow_button(build), *view_buttons(target_of(build), build.url)]
    return message([head], buttons, facts=facts, in_public=True)


def _still_running(found: StillRunning, context: RenderContext, asker: Actor | None) -> Message:
    build, claim = found.build, found.restart_state.claim
    doing = "queued" if build.status is Status.QUEUED else "running"
    claim_facts = claim_words(claim, build, context, lags="") if claim is not None else ()
    lines = [headline(build, context), line(f"Not restarted: it’s still {doing}.")]
    facts = [facts_line(build), claim_facts, requested_by(asker)]
    open_buttons = view_buttons(target_of(build, found.restart_state.run_number), build.url)
    buttons = [follow_button(build, found.restart_state), cancel_button(build, context), *open_buttons]
    return message(lines, buttons, facts=facts, details=workflow_lines(build), in_public=True)


def _run_again_since(found: RunAgainSince, context: RenderContext, asker: Actor | None) -> Message:
    build, restart_state = found.build, found.restart_state
    claim_facts = previous_words(restart_state.previous) if restart_state.previous is not None else ()
    lines = [headline(build, context), line("Not restarted: this button was for an older run.")]
    facts = [facts_line(build), claim_facts, requested_by(asker)]
    buttons = build_buttons(build, context, restart_state)
    return message(lines, buttons, facts=facts, details=workflow_lines(build), in_public=True)


def _could_not_tell(sent: CouldNotTell, context: RenderContext) -> Message:
    build, claim = sent.shown, sent.claim
    title = context.title_of(build.project.service)
    uncertain = "the restart may or may not have started."
    if sent.found is not None:
        what = line(f"{title} didn’t respond. Its list still shows the previous run (", state(sent.found), "); ")
    elif sent.looked is not None:
        what = line(f"{title} didn’t respond, and checking failed too (", describe_cause(sent.looked), "); ")
    else:
        what = line(f"{title} didn’t respond; ")
    lines = [
        headline_with("question", build, context, " restart not confirmed"),
        line(what, uncertain),
        line("Refresh to check, or try again."),
    ]
    facts = [commit(build), requested_by(claim.actor, claim.requested_at)]
    buttons = [try_again_button(build, claim, context), *view_buttons(target_of(build, claim.run_number), build.url)]
    return message(lines, buttons, facts=facts, in_public=True)

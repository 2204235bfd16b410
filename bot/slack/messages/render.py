"""How everything looks in Slack: outcomes, errors and bugs become messages. Pure; sends nothing, decides nothing.

State first, facts second, actions last. What came of a build is told in public; help, lists of repositories and
whatever went wrong to the asker alone.
"""

from __future__ import annotations

from dataclasses import replace

from bot.core.model.builds import Actor, Build, Status
from bot.core.model.claims import ClaimState
from bot.core.model.commands import BranchCommand, Verb, Word
from bot.core.model.outcomes import (
    AlreadyCancelling,
    AlreadyRestarted,
    AuditShown,
    BranchesShown,
    BuildShown,
    BuildsShown,
    Cancelled,
    CouldNotTell,
    Followed,
    HelpShown,
    NoBuilds,
    NothingToCancel,
    NothingToFollow,
    Outcome,
    ProjectsShown,
    Restarted,
    RunAgainSince,
    StateNotKnown,
    StillRunning,
)
from bot.core.model.verdicts import Meaning, verdict_on
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block, Choice, Message, choice_message, link_button, message, with_line
from bot.slack.blocks.rich_text import Line, ago, channel, code, emoji, join_dots, line, person, sanitize, timestamp
from bot.slack.messages.audit import render_audit
from bot.slack.messages.branch_facts import beside_buttons, branch_lines
from bot.slack.messages.builds import (
    SIGNS,
    branch_named,
    build_buttons,
    cancel_button,
    claim_words,
    commit,
    facts_line,
    headline,
    headline_with,
    list_line,
    previous_words,
    repository,
    state,
    target_of,
    try_again_button,
    view_buttons,
)
from bot.slack.messages.ci_failures import describe_cause
from bot.slack.messages.help import render_help
from bot.slack.messages.live import describe_verdict, followed
from bot.slack.messages.projects import render_projects
from bot.slack.messages.workflows import taken_line, workflow_lines


def cancelled(done: Cancelled, context: RenderContext, asker: Actor | None) -> Message:
    """The news. The service has been told, and the build still runs for a moment."""
    build = done.build
    what = join_dots(repository(build.project), branch_named(build.branch))
    by: Line = line(person(asker), " cancels ") if asker else line("Cancelled: ")
    lines = [
        line(emoji(SIGNS[Status.STOPPED]), " ", by, what),
        commit(build),
        taken_line(done.taken, "Told to cancel", "not cancelled"),
        line(f"{context.title_of(build.project.service)} takes a moment for it; Refresh shows how it stands then."),
    ]
    return message(lines, view_buttons(target_of(build), build.url), in_public=True)


def being_cancelled(build: Build, context: RenderContext, asker: Actor) -> Message:
    """What is left of a message whose Cancel was pressed: the build as it was a moment ago, and no second Cancel."""
    lines = [
        headline(build, context),
        facts_line(build),
        join_dots(line("being cancelled for ", person(asker)), timestamp(context.now)),
    ]
    return message(lines, view_buttons(target_of(build), build.url), details=workflow_lines(build), in_public=True)


__all__ = ["Message", "RenderContext", "render", "with_doubt", "with_invitation", "with_place"]

_MAX_LINES = 10


def render(outcome: Outcome, *, context: RenderContext, asker: Actor | None = None) -> Message:
    """What came of an ask that went well. `asker` asked; most outcomes name by themselves whom there is to name."""
    match outcome:
        case BuildShown():
            return _build(outcome, context)
        case BranchesShown():
            return _branches(outcome, context)
        case BuildsShown():
            return _builds(outcome, context)
        case NoBuilds(project):
            page = link_button("Open project", project.url, "project")
            return message(
                [line("No builds yet: ", repository(project), " has never been built.")], [page], in_public=True
            )
        case ProjectsShown():
            return render_projects(outcome, context)
        case HelpShown(topic):
            return render_help(topic, context)
        case AuditShown():
            return render_audit(outcome, context)
        case Followed(build):
            return followed(build, context)
        case NothingToFollow(build, restart_state):
            why = line("Nothing to follow: it has ended.")
            return _as_it_stands(build, why, build_buttons(build, context, restart_state), context)
        case NothingToCancel(build, restart_state):
            ended = "it has ended" if build.has_ended else "as far as I can tell, nothing of it runs"
            return _as_it_stands(
                build, line(f"Nothing to cancel: {ended}."), build_buttons(build, context, restart_state), context
            )
        case Cancelled():
            return cancelled(outcome, context, asker)
        case AlreadyCancelling():
            return _already_cancelling(outcome, context)
        case Restarted():
            return _restarted(outcome, context)
        case AlreadyRestarted():
            return _already_restarted(outcome, context)
        case StillRunning():
            return _still_running(outcome, context)
        case RunAgainSince():
            return _run_again_since(outcome, context)
        case StateNotKnown(build):
            why = line("Not restarted: from that word I cannot tell whether the build has ended.")
            return _as_it_stands(build, why, view_buttons(target_of(build), build.url), context)
        case CouldNotTell():
            return _could_not_tell(outcome, context)


def with_invitation(drawn: Message, mention: str) -> Message:
    """The same, and how to make the bot a member of the channel."""
    invite = sanitize(mention, 80)
    return with_line(drawn, line("I am not in this channel. To invite me: ", code(f"/invite {invite}")))


def with_doubt(drawn: Message) -> Message:
    """The same, to the asker alone, after Slack did not say whether it posted the message for everyone."""
    return with_line(drawn, line("Slack didn't confirm my message. It may already be above."))


def with_place(drawn: Message, channel_id: str) -> Message:
    """The same, in a direct message instead of the channel in which it was asked for."""
    return with_line(drawn, line("Slack doesn't let me answer in ", channel(channel_id), ", so I answer here."))


def _as_it_stands(build: Build, why: Line, buttons: list[Block | None], context: RenderContext) -> Message:
    """Shown instead of what was asked for, and why."""
    lines = [headline(build, context), facts_line(build), why]
    return message(lines, buttons, details=workflow_lines(build), in_public=True)


def _build(shown: BuildShown, context: RenderContext) -> Message:
    build, restart_state = shown.build, shown.restart_state
    lines = [headline(build, context), facts_line(build)]
    if restart_state.claim is not None:
        lines.append(
            claim_words(restart_state.claim, build, context, shown.ago_s, lags="this is the earlier run", dated=True)
        )
    elif restart_state.previous is not None:
        lines.append(previous_words(restart_state.previous, context))
    lines.append(_meaning(build))
    lines += branch_lines(build)
    buttons = [*build_buttons(build, context, restart_state), *beside_buttons(build, context)]
    return message(lines, buttons, details=workflow_lines(build), in_public=True)


def _meaning(build: Build) -> Line:
    """What the end says of the commit, where the service tells how its earlier attempts ended."""
    if not build.earlier or not build.has_ended:
        return ()
    verdict = verdict_on(build.earlier, build.status)
    return describe_verdict(verdict) if verdict.meaning is not Meaning.NONE else ()


def _branches(shown: BranchesShown, context: RenderContext) -> Message:
    """The branches beyond the first ten are named without a button by `choosing`."""
    builds = shown.builds
    lines = [list_line(build, context, branch=True) for build in builds[:_MAX_LINES]]
    repo = context.meaning(shown.project)
    named = [build.branch for build in builds if build.branch]
    choices = [Choice(branch, BranchCommand(Verb.STATUS, repo, Word.of(branch))) for branch in named]
    count = "1 branch" if len(named) == 1 else f"{len(named)} branches"
    head = join_dots(repository(shown.project), f"{count} with recent builds")
    return choice_message([head, *lines], choices, in_public=True)


def _builds(shown: BuildsShown, context: RenderContext) -> Message:
    builds = shown.builds[:_MAX_LINES]
    count = {0: "no recent builds", 1: "the last build"}.get(len(builds), f"the last {len(builds)} builds")
    branch = branch_named(shown.branch) if shown.branch is not None else None
    head = join_dots(repository(shown.project), branch, count)
    return message(
        [head, *(list_line(build, context, branch=shown.branch is None) for build in builds)], in_public=True
    )


def _restarted(done: Restarted, context: RenderContext) -> Message:
    build, claim = done.build, done.claim
    what = join_dots(repository(build.project), branch_named(build.branch))
    did = " restarted the failed jobs of " if claim.failed_jobs_only else " restarted "
    lines = [line(emoji("hourglass_flowing_sand"), " ", person(claim.actor), did, what), commit(build)]
    lines.append(taken_line(done.taken, "Restarted", "not restarted"))
    if done.seen:
        title = context.title_of(build.project.service)
        lines.append(
            line(f"{title} gave no answer to the restart, but the build has run since: ", state(build, context))
        )
    return message(lines, _looking_at_the_new_run(done), in_public=True)


def _looking_at_the_new_run(done: Restarted) -> list[Block | None]:
    """A service may have given the restart an id of its own, whose page is not known before it is seen."""
    build, new_id = done.build, done.claim.new_build_id
    if new_id is None or new_id == build.id:
        return view_buttons(target_of(build, done.claim.run_number), build.url)
    return view_buttons(replace(target_of(build), build_id=new_id, started_at=None), None)


def _already_restarted(found: AlreadyRestarted, context: RenderContext) -> Message:
    build, claim = found.build, found.claim
    title = context.title_of(build.project.service)
    told_so = claim_words(claim, build, context, found.ago_s, lags=f"{title} still shows the earlier run")
    if claim.state is ClaimState.TAKEN:
        told_so = line("already ", told_so)
    head = headline_with("hourglass_flowing_sand", build, told_so)
    facts = commit(build) if build.has_ended else join_dots(state(build, context), facts_line(build))
    return message([head, facts], view_buttons(target_of(build, claim.run_number), build.url), in_public=True)


def _already_cancelling(found: AlreadyCancelling, context: RenderContext) -> Message:
    build = found.build
    by = line("already being cancelled, requested by ", person(found.claim.actor), f" {ago(found.ago_s)}")
    lines = [headline_with(SIGNS[Status.STOPPED], build, by), join_dots(state(build, context), facts_line(build))]
    return message(lines, view_buttons(target_of(build), build.url), in_public=True)


def _still_running(found: StillRunning, context: RenderContext) -> Message:
    build, claim = found.build, found.restart_state.claim
    waits = build.status is Status.QUEUED
    lines = [headline(build, context), facts_line(build)]
    if claim is not None:
        lines.append(claim_words(claim, build, context, lags=""))
    lines.append(line(f"Not restarted: it {'still waits to run' if waits else 'is still running'}."))
    open_buttons = view_buttons(target_of(build, found.restart_state.run_number), build.url)
    return message(lines, [cancel_button(build, context), *open_buttons], details=workflow_lines(build), in_public=True)


def _run_again_since(found: RunAgainSince, context: RenderContext) -> Message:
    build, restart_state = found.build, found.restart_state
    lines = [headline(build, context), facts_line(build)]
    if restart_state.previous is not None:
        lines.append(previous_words(restart_state.previous, context, found.ago_s))
    lines.append(line("Not restarted: the button belonged to an earlier run, and the build has run again since."))
    return message(lines, build_buttons(build, context, restart_state), details=workflow_lines(build), in_public=True)


def _could_not_tell(sent: CouldNotTell, context: RenderContext) -> Message:
    build, claim = sent.shown, sent.claim
    head = headline_with(
        "grey_question",
        build,
        line("asked to restart by ", person(claim.actor), f" {ago(sent.ago_s)}, and nobody can tell whether it took"),
    )
    if sent.found is not None:
        looked = line("looking afterwards, I found it as before: ", state(sent.found, context))
    elif sent.looked is not None:
        looked = line("looking afterwards told nothing either, since ", describe_cause(sent.looked))
    else:
        looked = line("looking afterwards told nothing either")
    lines = [
        head,
        commit(build),
        line(f"{context.title_of(build.project.service)} gave no answer to the restart; ", looked, "."),
        line("Refresh shows whether it runs by now; Try again asks for this restart once more."),
    ]
    target = target_of(build, claim.run_number)
    return message(lines, [try_again_button(build, claim, context), *view_buttons(target, build.url)], in_public=True)

"""How everything looks in Slack: outcomes, errors and bugs become messages. Pure; sends nothing, decides nothing.

State first, facts second, actions last. What came of a build is told in public; help, lists of repositories and
whatever went wrong to the asker alone.
"""

from __future__ import annotations

from dataclasses import replace

from bot.core.model.builds import Actor, Build, Status
from bot.core.model.claims import ClaimState
from bot.core.model.commands import Command, StatusOf, Word
from bot.core.model.errors import BotError
from bot.core.model.outcomes import (
    AlreadyRestarted,
    AuditShown,
    BranchesShown,
    BuildShown,
    BuildsShown,
    CouldNotTell,
    Followed,
    HelpShown,
    NoBuilds,
    NothingToFollow,
    NothingToStop,
    Outcome,
    ProjectsShown,
    Restarted,
    RunAgainSince,
    StateNotKnown,
    StillRunning,
    Stopped,
)
from bot.core.model.verdicts import Meaning, verdict_on
from bot.slack.blocks.context import Wording
from bot.slack.blocks.message import Block, Choice, Message, choosing, link_button, message, with_line
from bot.slack.blocks.rich_text import Line, ago, code, dotted, emoji, line, person, told, when
from bot.slack.messages.audit import audit_told
from bot.slack.messages.builds import (
    SIGNS,
    branch_named,
    buttons_of,
    claim_words,
    commit,
    facts_line,
    headed,
    headline,
    list_line,
    looking,
    previous_words,
    repository,
    state,
    stop_button,
    target_of,
    try_again,
)
from bot.slack.messages.ci_failures import cause_told
from bot.slack.messages.errors import bug_told, error_told
from bot.slack.messages.help import help_told
from bot.slack.messages.live import followed, verdict_told
from bot.slack.messages.projects import projects_told
from bot.slack.messages.workflows import taken_line, workflow_lines


def stopped(done: Stopped, words: Wording, asker: Actor | None) -> Message:
    """The news. The service has been told, and the build still runs for a moment."""
    build = done.build
    what = dotted(repository(build.project), branch_named(build.branch))
    by: Line = line(person(asker), " stops ") if asker else line("Stopped: ")
    lines = [
        line(emoji(SIGNS[Status.STOPPED]), " ", by, what),
        commit(build),
        taken_line(done.taken, "Told to stop", "not stopped"),
        line(f"{words.title_of(build.project.service)} takes a moment for it; Refresh shows how it stands then."),
    ]
    return message(lines, looking(target_of(build), build.url), in_public=True)


def being_stopped(build: Build, words: Wording, asker: Actor) -> Message:
    """What is left of a message whose Stop was pressed: the build as it was a moment ago, and no second Stop."""
    lines = [
        headline(build, words),
        facts_line(build),
        dotted(line("being stopped for ", person(asker)), when(words.now)),
    ]
    return message(lines, looking(target_of(build), build.url), details=workflow_lines(build), in_public=True)


__all__ = ["Message", "Wording", "draw", "draw_bug", "draw_error", "with_invitation"]

_MOST_LINES = 10


def draw(outcome: Outcome, *, words: Wording, asker: Actor | None = None) -> Message:
    """What came of an ask that went well. `asker` asked; most outcomes name by themselves whom there is to name."""
    match outcome:
        case BuildShown():
            return _build(outcome, words)
        case BranchesShown():
            return _branches(outcome, words)
        case BuildsShown():
            return _builds(outcome, words)
        case NoBuilds(project):
            page = link_button("Open project", project.url, "project")
            return message(
                [line("No builds yet: ", repository(project), " has never been built.")], [page], in_public=True
            )
        case ProjectsShown():
            return projects_told(outcome, words)
        case HelpShown(topic):
            return help_told(topic, words)
        case AuditShown():
            return audit_told(outcome, words)
        case Followed(build):
            return followed(build, words)
        case NothingToFollow(build, standing):
            why = line("Nothing to follow: it has ended.")
            return _as_it_stands(build, why, buttons_of(build, words, standing), words)
        case NothingToStop(build, standing):
            ended = "it has ended" if build.has_ended else "as far as I can tell, nothing of it runs"
            return _as_it_stands(build, line(f"Nothing to stop: {ended}."), buttons_of(build, words, standing), words)
        case Stopped():
            return stopped(outcome, words, asker)
        case Restarted():
            return _restarted(outcome, words)
        case AlreadyRestarted():
            return _already_restarted(outcome, words)
        case StillRunning():
            return _still_running(outcome, words)
        case RunAgainSince():
            return _run_again_since(outcome, words)
        case StateNotKnown(build):
            why = line("Not restarted: from that word I cannot tell whether the build has ended.")
            return _as_it_stands(build, why, looking(target_of(build), build.url), words)
        case CouldNotTell():
            return _could_not_tell(outcome, words)


def draw_error(error: BotError, command: Command | None, *, words: Wording, reference: str | None) -> Message:
    """What went wrong in a way that is expected. `command` is what was asked, None where it could not be read."""
    return error_told(error, command, words=words, reference=reference)


def draw_bug(reference: str, command: Command | None, *, words: Wording) -> Message:
    """What went wrong in a way that nobody expected; `reference` finds it in the log."""
    return bug_told(reference, command, words)


def with_invitation(drawn: Message, mention: str) -> Message:
    """The same, and how to make the bot a member of the channel."""
    invite = told(mention, 80)
    return with_line(drawn, line("I am not in this channel. To invite me: ", code(f"/invite {invite}")))


def _as_it_stands(build: Build, why: Line, buttons: list[Block | None], words: Wording) -> Message:
    """Shown instead of what was asked for, and why."""
    lines = [headline(build, words), facts_line(build), why]
    return message(lines, buttons, details=workflow_lines(build), in_public=True)


def _build(shown: BuildShown, words: Wording) -> Message:
    build, standing = shown.build, shown.standing
    lines = [headline(build, words), facts_line(build)]
    if standing.claim is not None:
        lines.append(claim_words(standing.claim, build, words, shown.ago_s, lags="this is the earlier run", dated=True))
    elif standing.previous is not None:
        lines.append(previous_words(standing.previous, words))
    lines.append(_meaning(build))
    return message(lines, buttons_of(build, words, standing), details=workflow_lines(build), in_public=True)


def _meaning(build: Build) -> Line:
    """What the end says of the commit, where the service tells how its earlier attempts ended."""
    if not build.earlier or not build.has_ended:
        return ()
    verdict = verdict_on(build.earlier, build.status)
    return verdict_told(verdict) if verdict.meaning is not Meaning.NONE else ()


def _branches(shown: BranchesShown, words: Wording) -> Message:
    """The branches beyond the first ten are named without a button by `choosing`."""
    builds = shown.builds
    lines = [list_line(build, words, branch=True) for build in builds[:_MOST_LINES]]
    repo = words.meaning(shown.project)
    named = [build.branch for build in builds if build.branch]
    choices = [Choice(branch, StatusOf(repo, Word.of(branch))) for branch in named]
    count = "1 branch" if len(named) == 1 else f"{len(named)} branches"
    head = dotted(repository(shown.project), f"{count} with recent builds")
    return choosing([head, *lines], choices, in_public=True)


def _builds(shown: BuildsShown, words: Wording) -> Message:
    builds = shown.builds[:_MOST_LINES]
    count = {0: "no recent builds", 1: "the last build"}.get(len(builds), f"the last {len(builds)} builds")
    branch = branch_named(shown.branch) if shown.branch is not None else None
    head = dotted(repository(shown.project), branch, count)
    return message([head, *(list_line(build, words, branch=shown.branch is None) for build in builds)], in_public=True)


def _restarted(done: Restarted, words: Wording) -> Message:
    build, claim = done.build, done.claim
    what = dotted(repository(build.project), branch_named(build.branch))
    did = " restarted the failed jobs of " if claim.failed_jobs_only else " restarted "
    lines = [line(emoji("hourglass_flowing_sand"), " ", person(claim.actor), did, what), commit(build)]
    lines.append(taken_line(done.taken, "Restarted", "not restarted"))
    if done.seen:
        title = words.title_of(build.project.service)
        lines.append(line(f"{title} gave no answer to the restart, but the build has run since: ", state(build, words)))
    return message(lines, _looking_at_the_new_run(done), in_public=True)


def _looking_at_the_new_run(done: Restarted) -> list[Block | None]:
    """A service may have given the restart an id of its own, whose page is not known before it is seen."""
    build, new_id = done.build, done.claim.new_build_id
    if new_id is None or new_id == build.id:
        return looking(target_of(build, done.claim.run_number), build.url)
    return looking(replace(target_of(build), build_id=new_id, started_at=None), None)


def _already_restarted(found: AlreadyRestarted, words: Wording) -> Message:
    build, claim = found.build, found.claim
    title = words.title_of(build.project.service)
    told_so = claim_words(claim, build, words, found.ago_s, lags=f"{title} still shows the earlier run")
    if claim.state is ClaimState.TAKEN:
        told_so = line("already ", told_so)
    head = headed("hourglass_flowing_sand", build, told_so)
    facts = commit(build) if build.has_ended else dotted(state(build, words), facts_line(build))
    return message([head, facts], looking(target_of(build, claim.run_number), build.url), in_public=True)


def _still_running(found: StillRunning, words: Wording) -> Message:
    build, claim = found.build, found.standing.claim
    waits = build.status is Status.QUEUED
    lines = [headline(build, words), facts_line(build)]
    if claim is not None:
        lines.append(claim_words(claim, build, words, lags=""))
    lines.append(line(f"Not restarted: it {'still waits to run' if waits else 'is still running'}."))
    looks = looking(target_of(build, found.standing.run_number), build.url)
    return message(lines, [stop_button(build, words), *looks], details=workflow_lines(build), in_public=True)


def _run_again_since(found: RunAgainSince, words: Wording) -> Message:
    build, standing = found.build, found.standing
    lines = [headline(build, words), facts_line(build)]
    if standing.previous is not None:
        lines.append(previous_words(standing.previous, words, found.ago_s))
    lines.append(line("Not restarted: the button belonged to an earlier run, and the build has run again since."))
    return message(lines, buttons_of(build, words, standing), details=workflow_lines(build), in_public=True)


def _could_not_tell(sent: CouldNotTell, words: Wording) -> Message:
    build, claim = sent.shown, sent.claim
    head = headed(
        "grey_question",
        build,
        line("asked to restart by ", person(claim.actor), f" {ago(sent.ago_s)}, and nobody can tell whether it took"),
    )
    if sent.found is not None:
        looked = line("looking afterwards, I found it as before: ", state(sent.found, words))
    elif sent.looked is not None:
        looked = line("looking afterwards told nothing either, since ", cause_told(sent.looked))
    else:
        looked = line("looking afterwards told nothing either")
    lines = [
        head,
        commit(build),
        line(f"{words.title_of(build.project.service)} gave no answer to the restart; ", looked, "."),
        line("Refresh shows whether it runs by now; Try again asks for this restart once more."),
    ]
    target = target_of(build, claim.run_number)
    return message(lines, [try_again(build, claim, words), *looking(target, build.url)], in_public=True)

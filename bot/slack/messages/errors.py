"""The wording of everything that goes wrong: what happened, why, and what to do next. Pure.

A service's failure is one calm sentence and its next step, then what was last known. Whatever was raised, nothing was
restarted: an ask for a restart is told so first. So is one for a cancel, unless nobody can tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bot.core.model.action_plans import restart_plan
from bot.core.model.builds import Build, Project
from bot.core.model.commands import (
    VERBS,
    BranchCommand,
    Command,
    ShowAudit,
    Verb,
    Word,
    entry_for,
    entry_named,
)
from bot.core.model.errors import (
    AmbiguousProject,
    BotError,
    BranchRequired,
    CannotCancel,
    CIError,
    DelayedRequest,
    NeedsConfirmation,
    NoSuchBranch,
    NoSuchProject,
    NotAllowed,
    NotPossible,
    NotRecorded,
    NotUnderstood,
)
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block, Choice, Message, choice_message, link_button, message
from bot.slack.blocks.rich_text import Inline, Line, code, emoji, line, literal, sanitize, untrusted
from bot.slack.messages.branch_facts import rerun_buttons
from bot.slack.messages.builds import (
    branch_named,
    cancel_button,
    facts_line,
    headline,
    repository,
    restart_buttons,
    target_of,
    view_buttons,
)
from bot.slack.messages.ci_failures import describe_cause, last_known_lines, next_step, nothing_seen, where_keys_stand
from bot.slack.messages.confirmation import choice, render_confirmation, whom_to_ask

PINS = "CI_PINNED"
"""The setting that says which service has a repository, where several have one of that name."""

_SIGN = "warning"
_TYPED, _SAID = 100, 300


def render_error(error: BotError, command: Command | None, *, context: RenderContext, reference: str | None) -> Message:
    """To the asker alone. `command` is what was asked, None where it could not be read."""
    match error:
        case NoSuchProject():
            return _no_such_project(error, command, context, reference)
        case AmbiguousProject():
            return _ambiguous(error, command, context, reference)
        case NoSuchBranch():
            return _no_such_branch(error, command, context, reference)
        case BranchRequired():
            return _which_branch(error, command, context, reference)
        case NeedsConfirmation():
            return render_confirmation(error, command)
        case CannotCancel():
            lines = [
                _said(command, untrusted(str(error), _SAID) or literal("I cannot.")),
                line("It can be cancelled there."),
            ]
            page = link_button("Open project", error.project.url, "project")
            return message(lines, [page], in_public=False, reference=reference)
        case NotAllowed():
            text = _said(command, untrusted(str(error), _SAID) or literal("You may not do this."))
            return message([text, *whom_to_ask(error)], in_public=False, reference=reference)
        case NotUnderstood():
            return message(_not_understood(error, command, context), in_public=False, reference=reference)
        case DelayedRequest():
            return _delayed(error, context)
        case NotRecorded():
            return _not_recorded(error, reference)
        case CIError(about=Build() as build) if error.may_have_taken and command and command.verb is Verb.CANCEL:
            return _perhaps_cancelled(error, build, context, reference)
        case CIError():
            lines = [_said(command, describe_cause(error), "."), next_step(error, context)]
            lines += last_known_lines(error.last_known, command, context)
            return message(lines, _pages(error, context), in_public=False, reference=reference)
        case _:
            text = _said(command, untrusted(str(error), _SAID) or literal("I may not do this."))
            return message([text], in_public=False, reference=reference)


def _ambiguous(
    error: AmbiguousProject, command: Command | None, context: RenderContext, reference: str | None
) -> Message:
    lines = [_said(command, "“", _typed(error.name), f"” may be any of {len(error.candidates)} repositories.")]
    if len({project.service for project in error.candidates}) > 1:
        lines.append(line("Whoever runs this bot can say once and for all which one is meant: ", code(PINS), "."))
    choices = _projects(error.candidates, command, context)
    return choice_message(lines, choices, in_public=False, reference=reference)


def _perhaps_cancelled(error: CIError, build: Build, context: RenderContext, reference: str | None) -> Message:
    """It was sent; the build is as it was before."""
    lines = [
        line(emoji(_SIGN), " Whether it was cancelled I cannot tell: ", describe_cause(error), "."),
        line("Refresh shows how it stands; Cancel asks for it once more, which does no harm."),
    ]
    buttons = [cancel_button(build, context), *view_buttons(target_of(build), build.url)]
    return message(lines, buttons, in_public=False, reference=reference)


def _delayed(error: DelayedRequest, context: RenderContext) -> Message:
    """What is newest now, and the button for exactly that."""
    build = error.build
    not_done = "cancelled" if error.action == "cancel" else "restarted"
    lines = [
        headline(build, context),
        facts_line(build),
        line(f"Nothing was {not_done}: I got to your request late, and this run may have started after it."),
    ]
    target = target_of(build, error.run_number)
    if error.action == "cancel":
        acts: list[Block | None] = [cancel_button(build, context)]
    else:
        acts = restart_buttons(build, error.run_number, context)
    return message(lines, [*acts, *view_buttons(target, build.url)], in_public=False)


def _not_recorded(error: NotRecorded, reference: str | None) -> Message:
    """It left, and the database was gone before its result could be stored."""
    build = error.build
    what = "cancel" if error.action == "cancel" else "restart"
    sent = "was accepted" if error.is_accepted else "may have been sent"
    lines = [
        line(emoji(_SIGN), f" The {what} of ", repository(build.project), " ", branch_named(build.branch), f" {sent}."),
        line("I couldn't store the result: my database is unavailable. Check the build before you try again."),
    ]
    return message(lines, view_buttons(target_of(build), build.url), in_public=False, reference=reference)


def _pages(error: CIError, context: RenderContext) -> list[Block | None]:
    """Where the service says why it will not, and what it does allow."""
    match error:
        case NotPossible(about=Build(url=url) as build):
            return [*rerun_buttons(build, restart_plan(build), context), link_button("Open build", url, "build")]
        case _:
            return []


def _which_branch(
    error: BranchRequired, command: Command | None, context: RenderContext, reference: str | None
) -> Message:
    repo = context.meaning(error.project)
    verb = command.verb if isinstance(command, BranchCommand) else Verb.RESTART
    done = entry_for(verb).done
    text = line(emoji("point_right"), " Which branch of ", repository(error.project), f" shall I {verb}?")
    left = line(f"Nothing has been {done} yet.") if done else ()
    choices = _branches(error.project, error.branches, BranchCommand(verb, repo), context)
    return choice_message([text, left], choices, in_public=False, reference=reference)


def render_bug(
    reference: str,
    command: Command | None,
    context: RenderContext,
    because: str | None = None,
    *,
    nothing_sent: bool = False,
    build: Build | None = None,
) -> Message:
    """To the asker alone. `because` is a sentence; `build` is the one to restart or cancel, if it is known.

    Unless `nothing_sent`, it is not known whether a restart or a cancel was sent.
    """
    lines = [line(emoji(_SIGN), f" {because or 'Something went wrong on my side.'}")]
    done = _done(command)
    what = line(repository(build.project), " ", branch_named(build.branch)) if build else literal("Nothing")
    if done and nothing_sent:
        lines.append(line(what, f" was {'not ' if build else ''}{done}. Try again in a minute."))
    elif done:
        status = code(f"{context.command} status")
        whether = line("Whether ", what, f" was {done}") if build else literal(f"Whether anything was {done}")
        lines.append(line(whether, " I cannot tell; ", status, " shows how the build stands."))
    lines.append(line("Whoever runs this bot finds it in my log by the reference below."))
    return message(lines, in_public=False, reference=reference)


def _no_such_project(
    error: NoSuchProject, command: Command | None, context: RenderContext, reference: str | None
) -> Message:
    lines = [_said(command, "I know no repository “", _typed(error.name), "”.")]
    if error.stale_because is not None:
        lines.append(line("My list may be out of date: ", describe_cause(error.stale_because), "."))
    if error.nearest:
        lines.append(line("Did you mean one of these?"))
    elif error.known > 0:
        all_of_them = "the one" if error.known == 1 else f"all {error.known}"
        lines.append(line(code(f"{context.command} projects"), f" lists {all_of_them} that I can see."))
    else:
        keys = "whose keys stand in " if context.has_several else "whose key stands in "
        check = f" at all: whoever runs this bot can check {keys}"
        lines.append(line(nothing_seen(context), check, where_keys_stand(context), "."))
    return choice_message(lines, _projects(error.nearest, command, context), in_public=False, reference=reference)


def _no_such_branch(
    error: NoSuchBranch, command: Command | None, context: RenderContext, reference: str | None
) -> Message:
    lines = [
        _said(command, repository(error.project), " has no recent build of a branch “", _typed(error.branch), "”.")
    ]
    if error.branches:
        lines.append(line("These branches have some:"))
    choices = _branches(error.project, error.branches, command, context)
    return choice_message(lines, choices, in_public=False, reference=reference)


def _not_understood(error: NotUnderstood, command: Command | None, context: RenderContext) -> list[Line]:
    lines = [_said(command, untrusted(error.why, _SAID) or literal("I cannot read this."))]
    instead = sanitize(error.instead, _SAID)
    if instead:
        lines.append(line("Did you mean: ", code(f"{context.command} {instead}")))
    entry = entry_named(error.topic or "")
    if entry is not None:
        lines.append(line("It goes: ", code(f"{context.command} {entry.usage}")))
        if not instead:
            lines.append(line("For example: ", code(f"{context.command} {entry.example}")))
    elif not instead:
        lines.append(line(f"I know {', '.join(VERBS)}: ", code(f"{context.command} help"), " says more."))
    return lines


def _said(command: Command | None, *parts: Inline | Line | str) -> Line:
    """The first line: that nothing was restarted or cancelled where that was wanted, then what is wrong."""
    done = _done(command)
    return line(emoji(_SIGN), " ", f"Not {done}: " if done else "", *parts)


def _done(command: Command | None) -> str | None:
    """What a build would be now that had had it done to it."""
    return entry_for(command.verb).done if command else None


def _projects(projects: Sequence[Project], command: Command | None, context: RenderContext) -> list[Choice]:
    """What was asked, of each of the repositories; of one name, they are told apart by their services."""
    count = Counter(project.name.lower() for project in projects)
    alike = {project: count[project.name.lower()] > 1 and context.has_several for project in projects}
    return [
        choice(
            context.exactly(project) if alike[project] else project.name,
            _asked_of(command, context.meaning(project)),
            project,
            context,
        )
        for project in projects
    ]


def _branches(
    project: Project, branches: Sequence[str], command: Command | None, context: RenderContext
) -> list[Choice]:
    """What was asked, of each of the branches."""
    repo = context.meaning(project)
    return [choice(branch, _asked_of(command, repo, Word.of(branch)), project, context) for branch in branches]


def _asked_of(command: Command | None, repo: Word, branch: Word | None = None) -> Command:
    """The same ask of another repository (and branch, where one is given); a status where nothing else was asked."""
    match command:
        case BranchCommand(verb):
            return BranchCommand(verb, repo, branch or command.branch)
        case ShowAudit():
            return ShowAudit(repo)
        case _:
            return BranchCommand(Verb.STATUS, repo, branch)


def _typed(words: str) -> Inline:
    return untrusted(words, _TYPED) or literal("…")

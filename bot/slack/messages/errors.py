"""Error messages: what happened, why, and what to do next. Pure.

A service's failure is one calm sentence and its next step, then the last known status. After an error nothing was
restarted, and the reply to a restart says so first. So does the reply to a cancel, unless that is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.core.model.actions.plans import restart_plan
from bot.core.model.builds import Build, Project
from bot.core.model.command_entries import Command
from bot.core.model.command_values import BranchCommand, BuildCommand, NameCommand, ShowAudit, Verb, Word
from bot.core.model.commands import entry_for, parse
from bot.core.model.errors import (
    WHICH_REPOSITORY,
    AmbiguousProject,
    BotError,
    BranchRequired,
    CIError,
    DelayedRequest,
    InvalidResponse,
    NeedsConfirmation,
    NoResponse,
    NoSuchBranch,
    NoSuchProject,
    NotAllowed,
    NotPossible,
    NotRecorded,
    NotSupported,
    NotUnderstood,
    OverLimit,
    RequestExpired,
    Unreachable,
)
from bot.core.model.notification_commands.values import MuteCommand, Subscribe, UnmuteCommand
from bot.slack.blocks.confirm_dialog import cancelling, cancelling_named
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import MAX_CHOICES, Block, Choice, Message, button, choice_message, link_button, message
from bot.slack.blocks.rich_text import Inline, Line, code, emoji, line, literal, untrusted
from bot.slack.messages.branch_facts import rerun_buttons
from bot.slack.messages.builds import (
    at_service,
    cancel_button,
    facts_line,
    headline,
    repository,
    restart_buttons,
    subject,
    target_of,
    view_buttons,
)
from bot.slack.messages.ci_failures import (
    describe_cause,
    hidden_organizations,
    last_known_lines,
    next_step,
    nothing_seen,
)
from bot.slack.messages.confirmation import choice, render_confirmation, whom_to_ask
from bot.slack.messages.help import render_not_understood
from bot.slack.views.form import Preset, form_button

_SIGN = "warning"
_TYPED, _SAID = 100, 300
_RECENT = 5


def render_error(
    error: BotError,
    command: Command | None,
    *,
    context: RenderContext,
    reference: str | None,
    recent: Sequence[Project] = (),
) -> Message:
    """To the asker alone. `command` is what was asked, None if it could not be read.

    `recent` are the asker's last repositories, the latest first.
    """
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
            return render_confirmation(error, command, context)
        case DelayedRequest():
            return _delayed(error, context)
        case NotRecorded():
            return _not_recorded(error, context, reference)
        case NotSupported():
            text = _said(command, untrusted(str(error), _SAID) or literal("This service can’t do this."))
            page = link_button(f"Open on {context.title_of(error.project.service)}", error.project.url, "project")
            return message([text], [page], in_public=False, reference=reference)
        case NotAllowed():
            text = _said(command, untrusted(str(error), _SAID) or literal("You can’t do this."))
            again = _try_again(None, command) if error.group_unknown else None
            return message([text, *whom_to_ask(error)], [again], in_public=False, reference=reference)
        case NotUnderstood(why=why, topic=str(topic)) if why == WHICH_REPOSITORY:
            return _which_repository(Verb(topic), context, recent)
        case NotUnderstood():
            return render_not_understood(error, context, reference)
        case RequestExpired():
            text = _said(command, untrusted(str(error), _SAID) or literal("Ask again."))
            return message([text], [_try_again(error.about, command)], in_public=False, reference=reference)
        case CIError(about=Build() as build) if (
            error.may_have_taken and command and entry_for(command.verb).raises_unknown
        ):
            return _perhaps_cancelled(error, build, context, reference)
        case CIError():
            lines = [_said(command, describe_cause(error), "."), next_step(error, context)]
            lines += last_known_lines(error.last_known, command)
            return message(lines, _next(error, command, context), in_public=False, reference=reference)
        case _:
            text = _said(command, untrusted(str(error), _SAID) or literal("The bot can’t do this."))
            return message([text], in_public=False, reference=reference)


def _ambiguous(
    error: AmbiguousProject, command: Command | None, context: RenderContext, reference: str | None
) -> Message:
    lines = [_said(command, "several repositories match “", _typed(error.name), "”:")]
    if len({project.service for project in error.candidates}) > 1:
        lines.append(line("An admin can set which one is meant by default."))
    choices = _projects(error.candidates, error.branch, command, context)
    return choice_message(lines, choices, in_public=False, reference=reference)


def _perhaps_cancelled(error: CIError, build: Build, context: RenderContext, reference: str | None) -> Message:
    """A cancel that was sent and got no response."""
    lines = [
        line(emoji(_SIGN), " ", "Cancellation of ", subject(build), " not confirmed: ", describe_cause(error), "."),
        line("It may or may not have been cancelled. Refresh to check, or cancel again: that does no harm."),
    ]
    buttons = [cancel_button(build, context), *view_buttons(target_of(build), build.url)]
    return message(lines, buttons, in_public=False, reference=reference)


def _delayed(error: DelayedRequest, context: RenderContext) -> Message:
    """To the asker, with a button that does the same to the build that is newest now."""
    build = error.build
    entry = entry_for(Verb(error.action))
    why = line(f"Nothing was {entry.done}: I got to your request late, and this run may have started after it.")
    target = target_of(build, error.run_number)
    if entry.always_asks:
        acts: list[Block | None] = [cancel_button(build, context)]
    else:
        acts = restart_buttons(build, error.run_number, context)
    buttons = [*acts, *view_buttons(target, build.url)]
    return message([headline(build, context), why], buttons, facts=[facts_line(build)], in_public=False)


def _not_recorded(error: NotRecorded, context: RenderContext, reference: str | None) -> Message:
    build = error.build
    what = entry_for(Verb(error.action)).noun
    sent = " was accepted" if error.is_accepted else " may have been sent"
    lines = [
        line(emoji(_SIGN), " ", f"{what} of ", subject(build), sent, at_service(build.project, context)),
        line("I couldn’t store the result: my database is unavailable. Check the build before you try again."),
    ]
    return message(lines, view_buttons(target_of(build), build.url), in_public=False, reference=reference)


def _next(error: CIError, command: Command | None, context: RenderContext) -> list[Block | None]:
    """A link to the build's page if the service refused; Try again if the error may be temporary."""
    match error:
        case NotPossible(about=Build(url=url) as build):
            return [*rerun_buttons(build, restart_plan(build), context), link_button("Open build", url, "build")]
        case OverLimit() | Unreachable() | NoResponse() | InvalidResponse():
            return [_try_again(error.about, command)]
        case _:
            return []


def _try_again(about: Build | Project | None, command: Command | None, *, number: int = 0) -> Block | None:
    """Only after an error before which nothing was sent. `number` tells it from the choices in one message.

    A restart that needs a confirmation asks for it when pressed. What always asks has its question on the button.
    """
    asks, always_asks = None, command is not None and entry_for(command.verb).always_asks
    match command:
        case None:
            return None
        case BranchCommand(_, repo, branch) if always_asks:
            asks = cancelling_named(repo.cleanest, branch.cleanest) if branch else None
        case BuildCommand() if always_asks:
            if not isinstance(about, Build):
                return None
            asks = cancelling(about)
        case BranchCommand():
            command = replace(command, confirmed=False)
        case BuildCommand():
            command = replace(command, confirmed=False, in_live=False)
    return button("Try again", command, asks, number=number, style=None if always_asks else "primary")


def _which_repository(verb: Verb, context: RenderContext, recent: Sequence[Project]) -> Message:
    """The asker's last repositories as buttons, and the form."""
    entry, offered = entry_for(verb), recent[:_RECENT]
    lines = [
        line(emoji("point_right"), " ", "Which repository?"),
        line("Usage: ", code(f"{context.command} {entry.usage}")),
        () if offered else line("Example: ", code(f"{context.command} {entry.example}")),
    ]
    choices = [
        _choice(project, parse([Word.of(verb), context.meaning(project)]), offered, context) for project in offered
    ]
    buttons = [button(one.label, one.command, one.dialog, number=n) for n, one in enumerate(choices)]
    opens = form_button("Open form", Preset(verb)) if entry.has_form else None
    return message(lines, [*buttons, opens], in_public=False)


def _which_branch(
    error: BranchRequired, command: Command | None, context: RenderContext, reference: str | None
) -> Message:
    repo = context.meaning(error.project)
    verb = command.verb if isinstance(command, BranchCommand) else Verb.RESTART
    done = entry_for(verb).done
    wanted = f" do you want to {verb}?" if entry_for(verb).changes_something else "?"
    text = line(emoji("point_right"), " ", "Which branch of ", repository(error.project), wanted)
    left = line(f"Nothing has been {done} yet.") if done else ()
    choices = _branches(error.project, error.branches, BranchCommand(verb, repo), context)
    return choice_message([text, left], choices, in_public=False, reference=reference)


def render_refused(why: str, command: Command | None) -> Message:
    """To the asker alone: the bot has not even begun. `why` is a sentence."""
    return message([line(emoji(_SIGN), " ", why)], [_try_again(None, command)], in_public=False)


def render_bug(
    reference: str,
    command: Command | None,
    context: RenderContext,
    because: str | None = None,
    *,
    nothing_sent: bool = False,
    build: Build | None = None,
) -> Message:
    """To the asker alone. `because` is a sentence.

    Unless `nothing_sent`, it is not known whether a restart or a cancel was sent.
    """
    lines = [line(emoji(_SIGN), " ", because or "Something went wrong in the bot.")]
    done = _done(command)
    if done and nothing_sent:
        what = line(subject(build), f" was not {done}") if build else line(f"Nothing was {done}")
        lines.append(line(what, ". Try again in a minute."))
    elif done:
        what = subject(build) if build else line("anything")
        status = code(f"{context.command} status")
        lines.append(line("It isn’t known whether ", what, f" was {done}; ", status, " shows the current status."))
    lines.append(line("An admin finds the details in the log by this reference."))
    is_harmless = command is not None and (nothing_sent or not entry_for(command.verb).changes_something)
    again = _try_again(build, command) if is_harmless else None
    return message(lines, [again], in_public=False, reference=reference)


def _no_such_project(
    error: NoSuchProject, command: Command | None, context: RenderContext, reference: str | None
) -> Message:
    lines = [_said(command, "no repository called “", _typed(error.name), "”.")]
    if error.stale_because is not None:
        lines.append(line("The list may be out of date: ", describe_cause(error.stale_because), "."))
    if error.hidden:
        lines.append(hidden_organizations(error.hidden))
    if error.nearest:
        lines.append(line("Did you mean:"))
    elif error.known > 0:
        all_of_them = "the one" if error.known == 1 else f"all {error.known} repositories"
        lines.append(line(code(f"{context.command} projects"), f" lists {all_of_them} the bot can see."))
    else:
        lines.append(line(nothing_seen(context), ". An admin can check its API key."))
    return choice_message(
        lines,
        _projects(error.nearest, error.branch, command, context),
        buttons=[_try_again(None, command, number=MAX_CHOICES)] if error.stale_because is not None else [],
        in_public=False,
        reference=reference,
    )


def _no_such_branch(
    error: NoSuchBranch, command: Command | None, context: RenderContext, reference: str | None
) -> Message:
    number, of = error.pull_request, [literal("no recent build of “"), _typed(error.branch), literal("” in ")]
    missing = of if number is None else [literal(f"no pull request {number} in ")]
    lines = [_said(command, *missing, repository(error.project), ".")]
    if error.branches:
        lines.append(line("Branches with recent builds:"))
    choices = _branches(error.project, error.branches, command, context)
    return choice_message(lines, choices, in_public=False, reference=reference)


def _said(command: Command | None, *parts: Inline | Line | str) -> Line:
    """The first line: what is wrong, after `Not restarted` or `Not cancelled` if that was requested."""
    done = _done(command)
    said = line(*parts)
    return line(emoji(_SIGN), " ", f"Not {done}: " if done else "", *(said if done else _capitalized(said)))


def _done(command: Command | None) -> str | None:
    """The action as a participle, such as "restarted"; None if the command changes nothing."""
    return entry_for(command.verb).done if command else None


def _projects(
    projects: Sequence[Project], branch: str | None, command: Command | None, context: RenderContext
) -> list[Choice]:
    """The same request for each of the repositories."""
    wanted = Word.of(branch) if branch else None
    return [
        _choice(project, _asked_of(command, context.meaning(project), wanted), projects, context)
        for project in projects
    ]


def _choice(project: Project, command: Command, among: Sequence[Project], context: RenderContext) -> Choice:
    """The command about the project. If others have its name, the label shows its service."""
    is_alike = context.has_several and sum(other.name.lower() == project.name.lower() for other in among) > 1
    return choice(context.exactly(project) if is_alike else project.name, command, project.name, context)


def _branches(
    project: Project, branches: Sequence[str], command: Command | None, context: RenderContext
) -> list[Choice]:
    """The same request for each of the branches."""
    repo = context.meaning(project)
    return [choice(branch, _asked_of(command, repo, Word.of(branch)), project.name, context) for branch in branches]


def _asked_of(command: Command | None, repo: Word, branch: Word | None = None) -> Command:
    """The same request for another repository, and branch if one is given. A status if the command has no other."""
    match command:
        case BranchCommand(verb):
            return BranchCommand(verb, repo, branch or command.branch)
        case NameCommand():
            return replace(command, repo=repo, branch=branch or command.branch)
        case ShowAudit():
            return ShowAudit(repo)
        case Subscribe() | MuteCommand() | UnmuteCommand():
            return command.about(repo.cleanest)
        case _:
            return BranchCommand(Verb.STATUS, repo, branch)


def _capitalized(said: Line) -> Line:
    """With a capital first letter: `The bot’s own limit …`."""
    match said:
        case (first, *rest) if first.element.keys() == {"type", "text"}:
            text = first.element["text"]
            return line(f"{text[:1].upper()}{text[1:]}", *rest)
        case _:
            return said


def _typed(words: str) -> Inline:
    return untrusted(words, _TYPED) or literal("…")

"""The wording of everything that goes wrong: what happened, why, and what to do next. Pure.

A service's failure is one calm sentence and its next step, then what was last known. Whatever was raised, nothing was
restarted: an ask for a restart is told so first. So is one for a stop, unless nobody can tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bot.core.model.builds import Build, Project
from bot.core.model.commands import (
    VERBS,
    BuildsOf,
    Command,
    FollowOf,
    RestartBuild,
    RestartOf,
    ShowAudit,
    StatusOf,
    StopBuild,
    StopOf,
    Word,
    entry_for,
)
from bot.core.model.errors import (
    AmbiguousProject,
    BotError,
    CannotStop,
    CIError,
    NeedsConfirmation,
    NoSuchBranch,
    NoSuchProject,
    NotAllowed,
    NotUnderstood,
    WhichBranch,
    WillNot,
)
from bot.slack.blocks.context import Wording
from bot.slack.blocks.message import Block, Choice, Message, choosing, link_button, message
from bot.slack.blocks.rich_text import Line, Piece, code, emoji, foreign, line, own, told
from bot.slack.messages.builds import looking, repository, stop_button, target_of
from bot.slack.messages.ci_failures import cause_told, last_known_lines, next_step, nothing_seen, where_keys_stand
from bot.slack.messages.confirmation import choice, confirmation_told, whom_to_ask

PINS = "CI_PINNED"
"""The setting that says which service has a repository, where several have one of that name."""

_SIGN = "warning"
_TYPED, _SAID = 100, 300


def error_told(error: BotError, command: Command | None, *, words: Wording, reference: str | None) -> Message:
    """To the asker alone. `command` is what was asked, None where it could not be read."""
    match error:
        case NoSuchProject():
            return _no_such_project(error, command, words, reference)
        case AmbiguousProject():
            return _ambiguous(error, command, words, reference)
        case NoSuchBranch():
            return _no_such_branch(error, command, words, reference)
        case WhichBranch():
            return _which_branch(error, command, words, reference)
        case NeedsConfirmation():
            return confirmation_told(error, command)
        case CannotStop():
            lines = [_said(command, foreign(str(error), _SAID) or own("I cannot.")), line("It can be stopped there.")]
            page = link_button("Open project", error.project.url, "project")
            return message(lines, [page], in_public=False, reference=reference)
        case NotAllowed():
            said = _said(command, foreign(str(error), _SAID) or own("You may not do this."))
            return message([said, *whom_to_ask(error)], in_public=False, reference=reference)
        case NotUnderstood():
            return message(_not_understood(error, command, words), in_public=False, reference=reference)
        case CIError(about=Build() as build) if error.may_have_taken and isinstance(command, StopOf | StopBuild):
            return _perhaps_stopped(error, build, words, reference)
        case CIError():
            lines = [_said(command, cause_told(error), "."), next_step(error, words)]
            lines += last_known_lines(error.last_known, command, words)
            return message(lines, _pages(error), in_public=False, reference=reference)
        case _:
            said = _said(command, foreign(str(error), _SAID) or own("I may not do this."))
            return message([said], in_public=False, reference=reference)


def _ambiguous(error: AmbiguousProject, command: Command | None, words: Wording, reference: str | None) -> Message:
    lines = [_said(command, "“", _typed(error.name), f"” may be any of {len(error.candidates)} repositories.")]
    if len({project.service for project in error.candidates}) > 1:
        lines.append(line("Whoever runs this bot can say once and for all which one is meant: ", code(PINS), "."))
    choices = _projects(error.candidates, command, words)
    return choosing(lines, choices, in_public=False, reference=reference)


def _perhaps_stopped(error: CIError, build: Build, words: Wording, reference: str | None) -> Message:
    """It was sent; the build is as it was before."""
    lines = [
        line(emoji(_SIGN), " Whether it was stopped I cannot tell: ", cause_told(error), "."),
        line("Refresh shows how it stands; Stop asks for it once more, which does no harm."),
    ]
    buttons = [stop_button(build, words), *looking(target_of(build), build.url)]
    return message(lines, buttons, in_public=False, reference=reference)


def _pages(error: CIError) -> list[Block | None]:
    """Where the service says why it will not, and what it does allow."""
    match error:
        case WillNot(about=Build(url=url)):
            return [link_button("Open build", url, "build")]
        case _:
            return []


def _which_branch(error: WhichBranch, command: Command | None, words: Wording, reference: str | None) -> Message:
    repo = words.meaning(error.project)
    ask: Command
    left: Line
    match command:
        case FollowOf():
            verb, ask, left = "follow", FollowOf(repo), ()
        case StopOf():
            verb, ask, left = "stop", StopOf(repo), line("Nothing has been stopped yet.")
        case _:
            verb, ask, left = "restart", RestartOf(repo), line("Nothing has been restarted yet.")
    said = line(emoji("point_right"), " Which branch of ", repository(error.project), f" shall I {verb}?")
    choices = _branches(error.project, error.branches, ask, words)
    return choosing([said, left], choices, in_public=False, reference=reference)


def bug_told(reference: str, command: Command | None, words: Wording) -> Message:
    """To the asker alone. What came of a restart or a stop is not known here."""
    lines = [line(emoji(_SIGN), " Something went wrong on my side.")]
    done = _done(command)
    if done:
        status = code(f"{words.command} status")
        lines.append(line(f"Whether anything was {done} I cannot tell; ", status, " shows how the build stands."))
    lines.append(line("Whoever runs this bot finds it in my log by the reference below."))
    return message(lines, in_public=False, reference=reference)


def _no_such_project(error: NoSuchProject, command: Command | None, words: Wording, reference: str | None) -> Message:
    lines = [_said(command, "I know no repository “", _typed(error.name), "”.")]
    if error.stale_because is not None:
        lines.append(line("My list may be out of date: ", cause_told(error.stale_because), "."))
    if error.nearest:
        lines.append(line("Did you mean one of these?"))
    elif error.known > 0:
        all_of_them = "the one" if error.known == 1 else f"all {error.known}"
        lines.append(line(code(f"{words.command} projects"), f" lists {all_of_them} that I can see."))
    else:
        keys = "whose keys stand in " if words.has_several else "whose key stands in "
        check = f" at all: whoever runs this bot can check {keys}"
        lines.append(line(nothing_seen(words), check, where_keys_stand(words), "."))
    return choosing(lines, _projects(error.nearest, command, words), in_public=False, reference=reference)


def _no_such_branch(error: NoSuchBranch, command: Command | None, words: Wording, reference: str | None) -> Message:
    lines = [
        _said(command, repository(error.project), " has no recent build of a branch “", _typed(error.branch), "”.")
    ]
    if error.branches:
        lines.append(line("These branches have some:"))
    choices = _branches(error.project, error.branches, command, words)
    return choosing(lines, choices, in_public=False, reference=reference)


def _not_understood(error: NotUnderstood, command: Command | None, words: Wording) -> list[Line]:
    lines = [_said(command, foreign(error.why, _SAID) or own("I cannot read this."))]
    instead = told(error.instead, _SAID)
    if instead:
        lines.append(line("Did you mean: ", code(f"{words.command} {instead}")))
    if error.topic in VERBS:
        entry = entry_for(error.topic)
        lines.append(line("It goes: ", code(f"{words.command} {entry.usage}")))
        if not instead:
            lines.append(line("For example: ", code(f"{words.command} {entry.example}")))
    elif not instead:
        lines.append(line(f"I know {', '.join(VERBS)}: ", code(f"{words.command} help"), " says more."))
    return lines


def _said(command: Command | None, *parts: Piece | Line | str) -> Line:
    """The first line: that nothing was restarted or stopped where that was wanted, then what is wrong."""
    done = _done(command)
    return line(emoji(_SIGN), " ", f"Not {done}: " if done else "", *parts)


def _done(command: Command | None) -> str | None:
    """What a build would be now that had had it done to it."""
    match command:
        case RestartOf() | RestartBuild():
            return "restarted"
        case StopOf() | StopBuild():
            return "stopped"
        case _:
            return None


def _projects(projects: Sequence[Project], command: Command | None, words: Wording) -> list[Choice]:
    """What was asked, of each of the repositories; of one name, they are told apart by their services."""
    count = Counter(project.name.lower() for project in projects)
    alike = {project: count[project.name.lower()] > 1 and words.has_several for project in projects}
    return [
        choice(
            words.exactly(project) if alike[project] else project.name,
            _asked_of(command, words.meaning(project)),
            project,
            words,
        )
        for project in projects
    ]


def _branches(project: Project, branches: Sequence[str], command: Command | None, words: Wording) -> list[Choice]:
    """What was asked, of each of the branches."""
    repo = words.meaning(project)
    return [choice(branch, _asked_of(command, repo, Word.of(branch)), project, words) for branch in branches]


def _asked_of(command: Command | None, repo: Word, branch: Word | None = None) -> Command:
    """The same ask of another repository (and branch, where one is given); a status where nothing else was asked."""
    match command:
        case RestartOf():
            return RestartOf(repo, branch or command.branch)
        case StopOf():
            return StopOf(repo, branch or command.branch)
        case FollowOf():
            return FollowOf(repo, branch or command.branch)
        case BuildsOf():
            return BuildsOf(repo, branch or command.branch)
        case StatusOf():
            return StatusOf(repo, branch or command.branch)
        case ShowAudit():
            return ShowAudit(repo)
        case _:
            return StatusOf(repo, branch)


def _typed(words: str) -> Piece:
    return foreign(words, _TYPED) or own("…")

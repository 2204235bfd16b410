"""The wording of everything that goes wrong: what happened, why, and what to do next. Pure.

A service's failure is one calm sentence and its next step, then what was last known. Whatever was raised, nothing was
restarted: an ask for a restart is told so first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.core.branches import newest_of_each
from bot.core.commands import (
    VERBS,
    BuildsOf,
    Command,
    FollowOf,
    RestartBuild,
    RestartOf,
    ShowAudit,
    ShowBuild,
    StatusOf,
    entry_for,
)
from bot.core.errors import (
    AmbiguousProject,
    BadAnswer,
    BotError,
    BudgetSpent,
    CIError,
    KeyRefused,
    LastKnown,
    NeedsConfirmation,
    NoAnswer,
    NoRights,
    NoSuchBranch,
    NoSuchProject,
    NotAllowed,
    NotThere,
    NotUnderstood,
    OverLimit,
    Paused,
    Unreachable,
    WhichBranch,
)
from bot.core.model import Build, Project
from bot.core.words import Word
from bot.slack.builds_told import list_line, repository
from bot.slack.drawing import Choice, Message, Wording, choosing, message
from bot.slack.durations import ago, wait
from bot.slack.pieces import Line, Piece, code, emoji, foreign, line, own, told
from bot.slack.rights_told import confirmation_told, restarting, whom_to_ask

_SIGN = "warning"
_TYPED, _SAID, _DETAIL = 100, 300, 120
_LAST_KNOWN = 5
_OLDEST_S = 1e8


def error_told(error: BotError, command: Command | None, *, words: Wording, reference: str | None) -> Message:
    """To the asker alone. `command` is what was asked, None where it could not be read."""
    match error:
        case NoSuchProject():
            return _no_such_project(error, command, words, reference)
        case AmbiguousProject():
            said = _said(command, "“", _typed(error.name), f"” may be any of {len(error.candidates)} repositories.")
            return choosing([said], _projects(error.candidates, command, words), in_public=False, reference=reference)
        case NoSuchBranch():
            return _no_such_branch(error, command, words, reference)
        case WhichBranch():
            return _which_branch(error, command, words, reference)
        case NeedsConfirmation():
            return confirmation_told(error)
        case NotAllowed():
            said = _said(command, foreign(str(error), _SAID) or own("You may not do this."))
            return message([said, *whom_to_ask(error)], in_public=False, reference=reference)
        case NotUnderstood():
            return message(_not_understood(error, command, words), in_public=False, reference=reference)
        case CIError():
            return message(_failure(error, command, words), in_public=False, reference=reference)
        case _:
            said = _said(command, foreign(str(error), _SAID) or own("I may not do this."))
            return message([said], in_public=False, reference=reference)


def _which_branch(error: WhichBranch, command: Command | None, words: Wording, reference: str | None) -> Message:
    repo = Word.of(error.project.name)
    follows = isinstance(command, FollowOf)
    verb, left = ("follow", ()) if follows else ("restart", line("Nothing has been restarted yet."))
    said = line(emoji("point_right"), " Which branch of ", repository(error.project), f" shall I {verb}?")
    choices = _branches(error.project, error.branches, FollowOf(repo) if follows else RestartOf(repo), words)
    return choosing([said, left], choices, in_public=False, reference=reference)


def bug_told(reference: str, command: Command | None, words: Wording) -> Message:
    """To the asker alone. What came of a restart is not known here."""
    lines = [line(emoji(_SIGN), " Something went wrong on my side.")]
    if isinstance(command, RestartOf | RestartBuild):
        status = code(f"{words.command} status")
        lines.append(line("Whether anything was restarted I cannot tell; ", status, " shows how the build stands."))
    lines.append(line("Whoever runs this bot finds it in my log by the reference below."))
    return message(lines, in_public=False, reference=reference)


def cause_told(error: CIError) -> Line:
    """What a CI service did, as half a sentence with neither capital nor full stop."""
    service = _service(error)
    match error:
        case KeyRefused():
            return line(service, " refuses my API key")
        case NoRights():
            return line(service, " does not let my API key do this")
        case NotThere():
            return line(service, " shows my API key no such project or build")
        case BudgetSpent():
            return line("I have used up my own budget of calls to ", service)
        case Paused():
            return line(service, " has asked me to slow down, so I ask it nothing for a while")
        case OverLimit():
            return line(service, " takes no more questions from me for now")
        case Unreachable():
            return line(service, " cannot be reached")
        case NoAnswer():
            why = foreign(error.detail, _DETAIL)
            return line(service, " gave no answer that I can use", *(line(": ", why) if why else ()))
        case BadAnswer():
            return line(service, " gave an answer that I cannot read")
        case _:
            return line(service, " did not do what I asked of it")


def _next_step(error: CIError, words: Wording) -> Line:
    match error:
        case KeyRefused():
            return line(
                "It is nothing that you did: whoever runs this bot must put a new key into ",
                code("CODESHIP_API_KEY"),
                ".",
            )
        case NoRights():
            return line(
                "Whoever runs this bot can give the owner of the key the right, or put another key into ",
                code("CODESHIP_API_KEY"),
                ".",
            )
        case NotThere():
            return line("It may be too old or gone. ", code(f"{words.command} projects"), " shows what I can see.")
        case OverLimit():
            time = wait(error.retry_after_s)
            again = line(f"Please try again in {time}." if time else "Please try again in a minute or two.")
            return line(*_whose_limit(error), again)
        case BadAnswer():
            return line("Please try again; if it stays so, whoever runs this bot finds more in its log.")
        case _:
            return line("Please try again in a minute.")


def _whose_limit(error: OverLimit) -> Sequence[Piece | Line]:
    if not isinstance(error, BudgetSpent):
        return ()
    setting = code("CODESHIP_CALLS_PER_MINUTE")
    return (line(_service(error), " has refused nothing, this limit is mine: ", setting, ". "),)


def _failure(error: CIError, command: Command | None, words: Wording) -> list[Line]:
    lines = [_said(command, cause_told(error), "."), _next_step(error, words)]
    if error.last_known is not None and error.last_known.builds:
        lines += _last_known(error.last_known, command, words)
    return lines


def _last_known(known: LastKnown, command: Command | None, words: Wording) -> list[Line]:
    """How it stood, with its age; a build that ran then is not said to run now."""
    builds = _asked_for(known.builds, command)
    at = words.now - timedelta(seconds=min(max(known.age_s, 0.0), _OLDEST_S))
    lines = [list_line(build, words, branch=True, at=at) for build in builds[:_LAST_KNOWN]]
    return [line(f"What I saw last, {ago(known.age_s)}: ", repository(builds[0].project)), *lines]


def _asked_for(builds: Sequence[Build], command: Command | None) -> Sequence[Build]:
    match command:
        case ShowBuild(target) | RestartBuild(target):
            return [build for build in builds if build.id == target.build_id] or builds[:1]
        case BuildsOf():
            return builds
        case StatusOf(_, None) | RestartOf(_, None):
            return newest_of_each(builds)
        case _:
            return builds[:1]


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
        lines.append(_nothing_seen(words))
    return choosing(lines, _projects(error.nearest, command, words), in_public=False, reference=reference)


def _nothing_seen(words: Wording) -> Line:
    return line(
        f"{words.service} shows me no repository at all: whoever runs this bot can check whose key stands in ",
        code("CODESHIP_API_KEY"),
        ".",
    )


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
    """The first line: that nothing was restarted where that was wanted, then what is wrong."""
    restart = isinstance(command, RestartOf | RestartBuild)
    return line(emoji(_SIGN), " ", "Not restarted: " if restart else "", *parts)


def _projects(projects: Sequence[Project], command: Command | None, words: Wording) -> list[Choice]:
    """What was asked, of each of the repositories."""
    return [restarting(project.name, _asked_of(command, Word.of(project.name)), words) for project in projects]


def _branches(project: Project, branches: Sequence[str], command: Command | None, words: Wording) -> list[Choice]:
    """What was asked, of each of the branches."""
    repo = Word.of(project.name)
    return [restarting(branch, _asked_of(command, repo, Word.of(branch)), words) for branch in branches]


def _asked_of(command: Command | None, repo: Word, branch: Word | None = None) -> Command:
    """The same ask of another repository (and branch, where one is given); a status where nothing else was asked."""
    match command:
        case RestartOf():
            return RestartOf(repo, branch or command.branch)
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


def _service(error: CIError) -> Piece:
    return foreign(error.service, 40) or own("The CI service")

"""What a CI service did not do: the cause as half a sentence, the next step, and what was last known. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.core.model.builds import Build, newest_of_each
from bot.core.model.commands import BuildsOf, Command, RestartBuild, RestartOf, ShowBuild, StatusOf, StopBuild
from bot.core.model.errors import (
    BadAnswer,
    BudgetSpent,
    CIError,
    KeyRefused,
    LastKnown,
    NoAnswer,
    NoRights,
    NotThere,
    OverLimit,
    Paused,
    Unreachable,
    WillNot,
)
from bot.slack.blocks.context import Wording, listed
from bot.slack.blocks.rich_text import Line, Piece, ago, code, foreign, line, own, wait
from bot.slack.messages.builds import list_line, repository

_DETAIL, _TITLE = 120, 40
_LAST_KNOWN = 5
_OLDEST_S = 1e8


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
        case WillNot():
            why = foreign(error.detail.rstrip(" ."), _DETAIL)
            return line(service, " does not do this to this build", *((": “", why, "”") if why else ()))
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


def next_step(error: CIError, words: Wording) -> Line:
    """What to do about it, as whole sentences."""
    match error:
        case KeyRefused():
            key = _key_setting(error, words)
            return line("It is nothing that you did: whoever runs this bot must put a new key into ", key, ".")
        case NoRights():
            key = _key_setting(error, words)
            service = words.of_title(error.service)
            right = f"the right ({service.rights})" if service and service.rights else "the right"
            owner = f"Whoever runs this bot can give the owner of the key {right}, or put another key into "
            return line(owner, key, ".")
        case NotThere():
            return line("It may be too old or gone. ", code(f"{words.command} projects"), " shows what I can see.")
        case WillNot():
            return line(code(f"{words.command} status"), " shows how it stands now.")
        case OverLimit():
            time = wait(error.retry_after_s)
            again = line(f"Please try again in {time}." if time else "Please try again in a minute or two.")
            return line(*_whose_limit(error, words), again)
        case BadAnswer():
            return line("Please try again; if it stays so, whoever runs this bot finds more in its log.")
        case _:
            return line("Please try again in a minute.")


def last_known_lines(known: LastKnown | None, command: Command | None, words: Wording) -> list[Line]:
    """How it stood, with its age; a build that ran then is not said to run now."""
    if known is None or not known.builds:
        return []
    builds = _asked_for(known.builds, command)
    at = words.now - timedelta(seconds=min(max(known.age_s, 0.0), _OLDEST_S))
    lines = [list_line(build, words, branch=True, at=at) for build in builds[:_LAST_KNOWN]]
    return [line(f"What I saw last, {ago(known.age_s)}: ", repository(builds[0].project)), *lines]


def nothing_seen(words: Wording) -> Line:
    """That no service shows any repository."""
    titles = [service.title for service in words.services.values()]
    match titles:
        case []:
            return line("I can see no repository")
        case [only]:
            return line(f"{only} shows me no repository")
        case [_, _]:
            return line(f"Neither {listed(titles, 'nor')} shows me any repository")
        case _:
            return line(f"None of {listed(titles)} shows me any repository")


def where_keys_stand(words: Wording) -> Line:
    """`CODESHIP_API_KEY` and `GITHUB_TOKEN`."""
    *before, last = [code(service.key_setting) for service in words.services.values()] or [own("its settings")]
    commas = [part for key in before for part in (", ", key)][1:]
    return line(*commas, " and " if before else "", last)


def _key_setting(error: CIError, words: Wording) -> Piece:
    service = words.of_title(error.service)
    return code(service.key_setting) if service else own("its settings")


def _whose_limit(error: OverLimit, words: Wording) -> Sequence[Line]:
    if not isinstance(error, BudgetSpent):
        return ()
    service = words.of_title(error.service)
    setting = line(": ", code(service.calls_setting)) if service else ()
    return (line(_service(error), " has refused nothing, this limit is mine", setting, ". "),)


def _asked_for(builds: Sequence[Build], command: Command | None) -> Sequence[Build]:
    match command:
        case ShowBuild(target) | RestartBuild(target) | StopBuild(target):
            return [build for build in builds if build.is_named(target.build_id)] or builds[:1]
        case BuildsOf():
            return builds
        case StatusOf(_, None) | RestartOf(_, None):
            return newest_of_each(builds)
        case _:
            return builds[:1]


def _service(error: CIError) -> Piece:
    return foreign(error.service, _TITLE) or own("The CI service")

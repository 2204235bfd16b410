"""What a CI service did not do: the cause as half a sentence, the next step, and what was last known. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.core.model.builds import Build, newest_of_each
from bot.core.model.commands import BranchCommand, BuildCommand, Command, Verb
from bot.core.model.errors import (
    CIError,
    Forbidden,
    InvalidResponse,
    LastKnown,
    NoResponse,
    NotConfirmed,
    NotFound,
    NotPossible,
    OverLimit,
    RateLimitExhausted,
    RateLimitPaused,
    Unauthorized,
    Unreachable,
)
from bot.slack.blocks.context import RenderContext, listed
from bot.slack.blocks.rich_text import Inline, Line, ago, code, line, literal, untrusted, wait
from bot.slack.messages.builds import list_line, repository

_DETAIL, _TITLE = 120, 40
_LAST_KNOWN = 5
_OLDEST_S = 1e8


def describe_cause(error: CIError) -> Line:
    """What a CI service did, as half a sentence with neither capital nor full stop."""
    service = _service(error)
    match error:
        case Unauthorized():
            return line(service, " refuses my API key")
        case Forbidden():
            return line(service, " does not let my API key do this")
        case NotFound():
            return line(service, " shows my API key no such project or build")
        case NotPossible():
            why = untrusted(error.detail.rstrip(" ."), _DETAIL)
            return line(service, " does not do this to this build", *((": “", why, "”") if why else ()))
        case RateLimitExhausted():
            return line("I have used up my own budget of calls to ", service)
        case RateLimitPaused():
            return line(service, " has asked me to slow down, so I ask it nothing for a while")
        case OverLimit():
            return line(service, " takes no more questions from me for now")
        case Unreachable():
            return line(service, " cannot be reached")
        case NotConfirmed():
            return line(service, " ", untrusted(error.detail, _DETAIL) or literal("gave an unexpected response"))
        case NoResponse():
            why = untrusted(error.detail, _DETAIL)
            return line(service, " gave no answer that I can use", *(line(": ", why) if why else ()))
        case InvalidResponse():
            return line(service, " gave an answer that I cannot read")
        case _:
            return line(service, " did not do what I asked of it")


def next_step(error: CIError, context: RenderContext) -> Line:
    """What to do about it, as whole sentences."""
    match error:
        case Unauthorized():
            key = _key_setting(error, context)
            return line("It is nothing that you did: whoever runs this bot must put a new key into ", key, ".")
        case Forbidden():
            key = _key_setting(error, context)
            service = context.of_title(error.service)
            right = f"the right ({service.rights})" if service and service.rights else "the right"
            owner = f"Whoever runs this bot can give the owner of the key {right}, or put another key into "
            return line(owner, key, ".")
        case NotFound():
            return line("It may be too old or gone. ", code(f"{context.command} projects"), " shows what I can see.")
        case NotPossible():
            return line(code(f"{context.command} status"), " shows how it stands now.")
        case OverLimit():
            time = wait(error.retry_after_s)
            again = line(f"Please try again in {time}." if time else "Please try again in a minute or two.")
            return line(*_whose_limit(error, context), again)
        case InvalidResponse():
            return line("Please try again; if it stays so, whoever runs this bot finds more in its log.")
        case _:
            return line("Please try again in a minute.")


def last_known_lines(known: LastKnown | None, command: Command | None, context: RenderContext) -> list[Line]:
    """How it stood, with its age; a build that ran then is not said to run now."""
    if known is None or not known.builds:
        return []
    builds = _asked_for(known.builds, command)
    at = context.now - timedelta(seconds=min(max(known.age_s, 0.0), _OLDEST_S))
    lines = [list_line(build, context, branch=True, at=at) for build in builds[:_LAST_KNOWN]]
    return [line(f"What I saw last, {ago(known.age_s)}: ", repository(builds[0].project)), *lines]


def nothing_seen(context: RenderContext) -> Line:
    """That no service shows any repository."""
    titles = [service.title for service in context.services.values()]
    match titles:
        case []:
            return line("I can see no repository")
        case [only]:
            return line(f"{only} shows me no repository")
        case [_, _]:
            return line(f"Neither {listed(titles, 'nor')} shows me any repository")
        case _:
            return line(f"None of {listed(titles)} shows me any repository")


def where_keys_stand(context: RenderContext) -> Line:
    """`CODESHIP_API_KEY` and `GITHUB_TOKEN`."""
    *before, last = [code(service.key_setting) for service in context.services.values()] or [literal("its settings")]
    commas = [part for key in before for part in (", ", key)][1:]
    return line(*commas, " and " if before else "", last)


def _key_setting(error: CIError, context: RenderContext) -> Inline:
    service = context.of_title(error.service)
    return code(service.key_setting) if service else literal("its settings")


def _whose_limit(error: OverLimit, context: RenderContext) -> Sequence[Line]:
    if not isinstance(error, RateLimitExhausted):
        return ()
    service = context.of_title(error.service)
    setting = line(": ", code(service.calls_setting)) if service else ()
    return (line(_service(error), " has refused nothing, this limit is mine", setting, ". "),)


def _asked_for(builds: Sequence[Build], command: Command | None) -> Sequence[Build]:
    match command:
        case BuildCommand(target=target):
            return [build for build in builds if build.is_named(target.build_id)] or builds[:1]
        case BranchCommand(Verb.BUILDS):
            return builds
        case BranchCommand(Verb.STATUS | Verb.RESTART, branch=None):
            return newest_of_each(builds)
        case _:
            return builds[:1]


def _service(error: CIError) -> Inline:
    return untrusted(error.service, _TITLE) or literal("The CI service")

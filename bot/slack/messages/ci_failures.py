"""Failures of a CI service: the cause, the next step, and the last known status. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.model.builds import Build, newest_of_each
from bot.core.model.command_entries import Command
from bot.core.model.command_values import BranchCommand, BuildCommand, Verb
from bot.core.model.errors import (
    CIError,
    Forbidden,
    InvalidResponse,
    LastKnown,
    NoResponse,
    NotConfirmed,
    NotFound,
    NothingToDo,
    NotPossible,
    OverLimit,
    RateLimitExhausted,
    SignOnRequired,
    Unauthorized,
    Unreachable,
)
from bot.slack.blocks.context import RenderContext, listed
from bot.slack.blocks.rich_text import Inline, Line, ago, code, line, literal, sanitize, untrusted, wait
from bot.slack.messages.builds import list_lines, repository

_DETAIL, _TITLE = 200, 40
_LAST_KNOWN = 5

_ORGANIZATION, _MAX_HIDDEN = 40, 3


def describe_cause(error: CIError) -> Line:
    """The cause as a clause that begins with the service's name or "the"."""
    service = _service(error)
    match error:
        case Unauthorized():
            return line(service, " rejected the bot’s API key")
        case SignOnRequired():
            return line(service, " requires single sign-on, and the bot’s API key isn’t authorized for it")
        case Forbidden():
            return line("the bot’s API key for ", service, " lacks permission for this")
        case NotFound():
            return line(service, " has no such project or build, or the bot’s API key can’t see it")
        case NothingToDo():
            return line(untrusted(error.detail.rstrip(" ."), _DETAIL) or "nothing can be done")
        case NotPossible():
            why = untrusted(error.detail.rstrip(" ."), _DETAIL)
            return line(service, " refused", *((": “", why, "”") if why else ()))
        case RateLimitExhausted():
            return line("the bot’s own limit of calls to ", service, " is reached")
        case OverLimit():
            return line(service, "’s rate limit is reached")
        case Unreachable():
            return line(service, " can’t be reached")
        case NotConfirmed():
            return line(service, " ", untrusted(error.detail, _DETAIL) or literal("gave an unexpected response"))
        case NoResponse(timed_out=True):
            return line(service, " timed out")
        case NoResponse(http_status=status) if status is not None:
            return line(service, f" is unavailable ({status})")
        case NoResponse():
            return line(service, " is unavailable")
        case InvalidResponse(said=said):
            why = untrusted(said.rstrip(" ."), _DETAIL)
            return line("unexpected response from ", service, *((": “", why, "”") if why else ()))
        case _:
            return line(service, " didn’t do it")


def next_step(error: CIError, context: RenderContext) -> Line:
    """What to do about it, as whole sentences. Settings are named in the log, for the operator."""
    match error:
        case Unauthorized():
            return line("An admin needs to update it.")
        case SignOnRequired():
            return line("An admin needs to authorize it for the organization.")
        case Forbidden():
            service = context.of_title(error.service)
            needed = f": {service.rights}" if service and service.rights else ""
            return line(f"An admin needs to grant it{needed}.")
        case NotFound():
            return line(code(f"{context.command} projects"), " lists the repositories the bot can see.")
        case NotPossible():
            return line(code(f"{context.command} status"), " shows the current status.")
        case OverLimit():
            time, its_own = wait(error.retry_after_s), isinstance(error, RateLimitExhausted)
            if time is None:
                return line("Try again in a minute or two.")
            return line(f"Try again in {time}." if its_own else f"It resets in {time}.")
        case InvalidResponse():
            return line("If this keeps happening, tell an admin.")
        case _:  # the button Try again is enough
            return ()


def last_known_lines(known: LastKnown | None, command: Command | None) -> list[Line]:
    """The last known status, with its age."""
    if known is None or not known.builds:
        return []
    builds = _asked_for(known.builds, command)[:_LAST_KNOWN]
    lines = [part for build in builds for part in list_lines(build, branch=True)]
    return [line(f"Last known status ({ago(known.age_s)}): ", repository(builds[0].project)), *lines]


def nothing_seen(context: RenderContext) -> Line:
    """A clause: no service shows any repository."""
    titles = [service.title for service in context.services.values()]
    match titles:
        case []:
            return line("The bot can’t see any repository")
        case [only]:
            return line(f"The bot can’t see any repository on {only}")
        case _:
            return line(f"The bot can’t see any repository on {listed(titles, 'or')}")


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
    return untrusted(error.service, _TITLE) or literal("the CI service")


def hidden_organizations(organizations: Sequence[str]) -> Line:
    """That single sign-on may be the reason. An organization is known by its number alone."""
    named = ", ".join(sanitize(each, _ORGANIZATION) for each in organizations[:_MAX_HIDDEN])
    which = f"organization {named}" if len(organizations) == 1 else f"organizations {named}"
    return line(
        f"Repositories of {which} are hidden from the bot: an admin can authorize its token for single sign-on (SSO)."
    )

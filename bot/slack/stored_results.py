"""The result of a request as JSON for a durable job, with tags, so that classes may be renamed and moved.

Never remove a tag or use it for something else. A class may get new fields if they have defaults. To rename a field, or
to change its meaning, raise `VERSION` and keep reading what earlier versions wrote.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_type_hints

import msgspec

from bot.core.model import command_values, ended_builds, errors, outcomes
from bot.core.model.actions import decisions
from bot.core.model.actions.decisions import Decision
from bot.core.model.builds import Build, Project
from bot.core.model.command_entries import Command
from bot.core.model.errors import BotError, CIError, LastKnown
from bot.core.model.notification_commands import values
from bot.core.model.notifications import health, reports, transitions
from bot.core.model.outcomes import Outcome
from bot.core.model.people import commands as people_commands
from bot.core.model.people import outcomes as people_outcomes

VERSION = 1

KINDS: Mapping[str, type[Any]] = {
    # Commands
    "on branch": command_values.BranchCommand,
    "on build": command_values.BuildCommand,
    "projects": command_values.ListProjects,
    "channel name": command_values.NameCommand,
    "audit": command_values.ShowAudit,
    "check": command_values.CheckChannel,
    "history": command_values.ShowHistory,
    "help": command_values.ShowHelp,
    "subscribe": values.Subscribe,
    "unsubscribe": values.Unsubscribe,
    "subscriptions": values.ShowSubscriptions,
    "mute": values.MuteCommand,
    "pause": values.PauseCommand,
    "unmute": values.UnmuteCommand,
    "on it": values.OnIt,
    "set report": values.SetReport,
    "stop report": values.StopReport,
    "show report": values.ShowReport,
    "not mine": people_commands.NotMine,
    "link": people_commands.LinkCommand,
    "unlink": people_commands.UnlinkCommand,
    "notify": people_commands.NotifyCommand,
    # What a command was decided to be about
    "decision": decisions.Decision,
    # Outcomes
    "build shown": outcomes.BuildShown,
    "log shown": outcomes.LogShown,
    "branches shown": outcomes.BranchesShown,
    "builds shown": outcomes.BuildsShown,
    "no builds": outcomes.NoBuilds,
    "projects shown": outcomes.ProjectsShown,
    "help shown": outcomes.HelpShown,
    "audit shown": outcomes.AuditShown,
    "flaky shown": ended_builds.FlakyShown,
    "slow shown": ended_builds.SlowShown,
    "channel names shown": outcomes.ChannelNamesShown,
    "followed": outcomes.Followed,
    "will notify": outcomes.WillNotify,
    "nothing to follow": outcomes.NothingToFollow,
    "restarted": outcomes.Restarted,
    "already restarted": outcomes.AlreadyRestarted,
    "still running": outcomes.StillRunning,
    "run again since": outcomes.RunAgainSince,
    "state not known": outcomes.StateNotKnown,
    "cancelled": outcomes.Cancelled,
    "already cancelling": outcomes.AlreadyCancelling,
    "nothing to cancel": outcomes.NothingToCancel,
    "could not tell": outcomes.CouldNotTell,
    "subscribed": outcomes.Subscribed,
    "may be shared": outcomes.MayBeShared,
    "unsubscribed": outcomes.Unsubscribed,
    "subscriptions paused": outcomes.SubscriptionsPaused,
    "not subscribed": outcomes.NotSubscribed,
    "unsubscribe all": outcomes.UnsubscribeAll,
    "subscriptions shown": outcomes.SubscriptionsShown,
    "muted": outcomes.Muted,
    "unmuted": outcomes.Unmuted,
    "explained": outcomes.Explained,
    "channel checked": health.ChannelChecked,
    "owner changed": transitions.OwnerChanged,
    "not broken": transitions.NotBroken,
    "report set": reports.ReportSet,
    "report off": reports.ReportOff,
    "report plan shown": reports.ReportPlanShown,
    "report shown": reports.ReportShown,
    "account shown": people_outcomes.AccountShown,
    "account linked": people_outcomes.AccountLinked,
    "account claimed": people_outcomes.AccountClaimed,
    "account unlinked": people_outcomes.AccountUnlinked,
    "notify changed": people_outcomes.NotifyChanged,
    "not mine noted": people_outcomes.NotMineNoted,
    # User errors
    "not understood": errors.NotUnderstood,
    "no such project": errors.NoSuchProject,
    "ambiguous project": errors.AmbiguousProject,
    "nothing to do": errors.NothingToDo,
    "no such branch": errors.NoSuchBranch,
    "which branch": errors.BranchRequired,
    "too late": errors.RequestExpired,
    "delayed request": errors.DelayedRequest,
    "not listed": errors.BuildTooOld,
    "needs confirmation": errors.NeedsConfirmation,
    "not supported": errors.NotSupported,
    "not allowed": errors.NotAllowed,
    "not recorded": errors.NotRecorded,
    # Failures of the CI service
    "ci error": errors.CIError,
    "key refused": errors.Unauthorized,
    "no rights": errors.Forbidden,
    "sign-on required": errors.SignOnRequired,
    "not there": errors.NotFound,
    "will not": errors.NotPossible,
    "over limit": errors.OverLimit,
    "rate limit exhausted": errors.RateLimitExhausted,
    "paused": errors.RateLimitPaused,
    "unreachable": errors.Unreachable,
    "no answer": errors.NoResponse,
    "not confirmed": errors.NotConfirmed,
    "bad answer": errors.InvalidResponse,
    # What an error is about
    "build": Build,
    "project": Project,
}

_TAGS = {kind: tag for tag, kind in KINDS.items()}


class Unreadable(Exception):
    """Another version of the bot stored this, in a form that this version cannot read."""


def to_json(command: Command | None, result: Decision | Outcome | BotError) -> dict[str, Any]:
    """Plain JSON that `from_json` reads. Raises TypeError for a class without a tag, ValueError for a number that JSON
    does not have."""
    stored = {"v": VERSION, "command": None if command is None else tagged(command), "result": tagged(result)}
    plain: dict[str, Any] = json.loads(json.dumps(stored, allow_nan=False))  # msgspec keeps tuples
    return plain


def from_json(stored: Mapping[str, Any]) -> tuple[Command | None, Decision | Outcome | BotError]:
    """Equal values, and errors of the same class with the same fields. Raises Unreadable."""
    if stored.get("v") != VERSION:
        raise Unreadable(f"a result of version {stored.get('v')} is stored, and this bot reads version {VERSION}")
    try:
        command = stored["command"]
        return None if command is None else untagged(command), untagged(stored["result"])
    except (LookupError, TypeError, msgspec.ValidationError) as error:
        raise Unreadable(f"a result is stored in a form that this bot does not know: {error!r}") from error


def outcome_from_json(stored: Mapping[str, Any]) -> tuple[Command | None, Outcome | BotError]:
    """As `from_json`, of a result that is final. Raises Unreadable for a decision, too."""
    command, result = from_json(stored)
    if isinstance(result, Decision):
        raise Unreadable("a decision is stored where a result should be")
    return command, result


def tagged(value: object) -> dict[str, Any]:
    """The value's fields with its tag. Raises TypeError for a class without one.

    An error of a CI service's own class is stored as the core's class that it extends.
    """
    tag = next((_TAGS[kind] for kind in type(value).__mro__ if kind in _TAGS), None)
    if tag is None:
        raise TypeError(f"{type(value).__name__} has no tag to be stored under")
    fields = _fields(value) if isinstance(value, BotError) else value
    return {"kind": tag, **msgspec.to_builtins(fields, enc_hook=tagged)}


def _fields(error: BotError) -> dict[str, Any]:
    """All fields of an error: the parameters of its class, and what was set later."""
    fields = {name: getattr(error, name) for name in _parameters(type(error))}
    fields["about"] = None if error.about is None else tagged(error.about)
    if isinstance(error, CIError):
        fields["last_known"] = error.last_known
    return fields


def untagged(stored: Mapping[str, Any]) -> Any:
    """The value that `tagged` stored. Raises LookupError, TypeError or msgspec.ValidationError."""
    kind = KINDS[stored["kind"]]
    if not issubclass(kind, BotError):
        return _as(kind, stored)
    parameters = _parameters(kind)
    error = kind(**{name: _as(type_, stored[name]) for name, type_ in parameters.items() if name in stored})
    if stored["about"] is not None:
        error.about = untagged(stored["about"])
    if isinstance(error, CIError):
        error.last_known = _as(LastKnown | None, stored["last_known"])
    return error


def _as(type_: Any, stored: object) -> Any:
    return msgspec.convert(stored, type_, dec_hook=lambda _type, error: untagged(error))


def _parameters(kind: type[BotError]) -> dict[str, Any]:
    """The parameters of an error's class. Each is an attribute of the same name."""
    return {name: type_ for name, type_ in get_type_hints(kind.__init__).items() if name != "return"}


_DECODERS = [
    msgspec.json.Decoder(type_)
    for kind in [*KINDS.values(), LastKnown]
    for type_ in (_parameters(kind).values() if issubclass(kind, BotError) else [kind])
]
"""Made so that msgspec knows every class from now on. Version 0.22 crashes if two threads meet a class for the first
time at once."""

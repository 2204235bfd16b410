"""Turns a request and its outcome into an audit entry. Pure; free text is cut to a maximum length here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.model.audit import TRY_AGAIN, AuditEntry, Result
from bot.core.model.builds import ActionResult, Actor, Build, Location, Project
from bot.core.model.claims import Claim
from bot.core.model.command_entries import Command
from bot.core.model.command_values import BranchCommand, BuildCommand, NameCommand
from bot.core.model.commands import entry_for
from bot.core.model.ended_builds import FlakyShown, SlowShown
from bot.core.model.errors import (
    AmbiguousProject,
    BotError,
    BranchRequired,
    CIError,
    DelayedRequest,
    Forbidden,
    InvalidResponse,
    NeedsConfirmation,
    NoResponse,
    NoSuchBranch,
    NoSuchProject,
    NotAllowed,
    NotConfirmed,
    NotFound,
    NothingToDo,
    NotPossible,
    NotRecorded,
    NotSupported,
    OverLimit,
    RateLimitExhausted,
    RateLimitPaused,
    SignOnRequired,
    Unauthorized,
    Unreachable,
    UserError,
)
from bot.core.model.notification_commands.values import (
    MuteCommand,
    PauseCommand,
    SetReport,
    ShowReport,
    StopReport,
    Subscribe,
    UnmuteCommand,
    Unsubscribe,
    pattern_words,
    words_of,
)
from bot.core.model.notifications.health import ChannelChecked
from bot.core.model.notifications.reports import ReportOff, ReportPlan, ReportPlanShown, ReportSet, ReportShown
from bot.core.model.notifications.subscriptions import Mute, Subscription
from bot.core.model.notifications.transitions import NotBroken, OwnerChanged
from bot.core.model.outcomes import (
    AlreadyCancelling,
    AlreadyRestarted,
    AuditShown,
    BranchesShown,
    BuildShown,
    BuildsShown,
    Cancelled,
    ChannelNamesShown,
    CouldNotTell,
    Explained,
    Followed,
    HelpShown,
    LogShown,
    MayBeShared,
    Muted,
    NoBuilds,
    NothingToCancel,
    NothingToFollow,
    NotSubscribed,
    Outcome,
    ProjectsShown,
    Restarted,
    RunAgainSince,
    StateNotKnown,
    StillRunning,
    Subscribed,
    SubscriptionsPaused,
    SubscriptionsShown,
    Unmuted,
    UnsubscribeAll,
    Unsubscribed,
    WillNotify,
)
from bot.core.model.people.commands import LinkCommand, NotifyCommand, NotMine, UnlinkCommand
from bot.core.model.people.outcomes import NotMineNoted, PersonOutcome
from bot.core.people.audit import result_of

MAX_NAME = 200
MAX_REASON = 300
MAX_TYPED = 200


@dataclass(frozen=True, slots=True)
class AuditedRequest:
    """A request. `action` is None for one that changes nothing. `command` is None if `typed` could not be parsed."""

    at: datetime
    actor: Actor
    source: str
    location: Location
    reference: str
    action: str | None
    command: Command | None
    typed: str


@dataclass(frozen=True, slots=True)
class ActionSent:
    """A restart or a cancel of `build` leaves now. Its entry says so until its result is known."""

    build: Build


def action_of(command: Command) -> str | None:
    """None for a command that changes nothing."""
    if isinstance(command, BuildCommand) and command.instead_of is not None:
        return TRY_AGAIN
    if isinstance(command, ShowReport) or (isinstance(command, LinkCommand | NotifyCommand) and not command.words):
        return None
    return entry_for(command.verb).audit_action


def entry_of(
    request: AuditedRequest, outcome: Outcome | Exception | ActionSent, *, service: str, redact: Callable[[str], str]
) -> AuditEntry | None:
    """The entry; None for a request that changes nothing. `redact` removes secrets from text of people and services."""
    if request.action is None:
        return None
    match outcome:
        case ActionSent():
            result, reason = Result.UNKNOWN, "sent; no answer is known"
        case Exception():
            result, reason = _failure(outcome)
        case _:
            result, reason = _outcome(outcome)
    raises_unknown = request.command is not None and entry_for(request.command.verb).raises_unknown
    if raises_unknown and isinstance(outcome, NoResponse) and isinstance(outcome.about, Build):
        result = Result.UNKNOWN  # the build had been fetched, so it was the action itself that got no answer

    def cut(text: str, limit: int) -> str:
        return redact(text)[:limit]

    def name(text: str | None) -> str | None:
        return None if text is None else cut(text, MAX_NAME)

    entry = AuditEntry(
        at=request.at,
        actor=request.actor,
        source=request.source,
        location=request.location,
        action=request.action,
        service=service,
        result=result,
        reference=request.reference,
        reason=cut(reason, MAX_REASON),
        typed=cut(request.typed or _words_of(request.command), MAX_TYPED),
    )
    entry = _as_found(_as_asked(entry, request.command), found_in(outcome))
    if isinstance(outcome, ChannelNamesShown) and outcome.changed is not None:
        entry = replace(entry, branch=outcome.changed.branch)
    if result is not Result.MISTAKE and entry.project_id is not None:
        entry = replace(entry, typed="")  # understood, and what was found says more
    return replace(entry, project_name=name(entry.project_name), branch=name(entry.branch))


def _outcome(outcome: Outcome) -> tuple[Result, str]:
    if isinstance(outcome, PersonOutcome):
        return result_of(outcome)
    match outcome:
        case Restarted():
            return Result.TAKEN, _of_restart(outcome)
        case Cancelled():
            return Result.TAKEN, _of_it(outcome.taken)
        case AlreadyRestarted() | AlreadyCancelling():
            return Result.ALREADY, f"by {_who_and_when(outcome.claim)}"
        case CouldNotTell():
            return Result.UNKNOWN, f"sent for {_who_and_when(outcome.claim)}"
        case StillRunning():
            return Result.RUNNING, ""
        case RunAgainSince():
            return Result.RUN_AGAIN, ""
        case StateNotKnown(build):
            return Result.NOT_DONE, f"the state “{build.status_word}” says neither running nor ended"
        case NoBuilds():
            return Result.MISTAKE, "never been built"
        case Followed() | WillNotify():
            return Result.DONE, ""
        case NothingToFollow() | NothingToCancel():
            return Result.NOT_DONE, "it has ended already"
        case Subscribed(subscription, is_new, was=was):
            changed = f"{_words(was)} → " if was is not None else ""
            return (Result.DONE if is_new else Result.ALREADY), f"{changed}{_words(subscription)}"
        case Unsubscribed(removed, changed):
            less = [f"now only {_words(each)}" for each in changed]
            return Result.DONE, "; ".join([*map(_words, removed), *less])
        case SubscriptionsPaused(changed):
            return Result.DONE, "; ".join(map(_words, changed))
        case NotSubscribed():
            return Result.NOT_DONE, "not subscribed to that"
        case UnsubscribeAll() | MayBeShared():
            return Result.TO_BE_CONFIRMED, ""
        case Muted(mute):
            whose = "own messages: " if outcome.is_personal else ""
            return Result.DONE, f"{whose}{_muted(mute)} until {mute.until:%Y-%m-%dT%H:%M:%SZ}"
        case Unmuted(mutes):
            return (Result.DONE, ", ".join(map(_muted, mutes))) if mutes else (Result.NOT_DONE, "nothing was muted")
        case BuildShown() | LogShown() | BranchesShown() | BuildsShown() | ProjectsShown() | AuditShown() | HelpShown():
            return Result.DONE, ""
        case ChannelNamesShown():
            return _of_names(outcome)
        case FlakyShown() | SlowShown() | ReportPlanShown() | ReportShown():
            return Result.DONE, ""
        case ReportSet(plan):
            return Result.DONE, _planned(plan)
        case ReportOff(was):
            return (Result.DONE, f"removed: {_planned(was)}") if was else (Result.NOT_DONE, "it was not set")
        case SubscriptionsShown() | Explained() | ChannelChecked() | OwnerChanged() | NotBroken():
            return Result.DONE, ""


def _of_names(shown: ChannelNamesShown) -> tuple[Result, str]:
    """Which name it is. The entry itself names the repository that it means, or meant."""
    if shown.changed is None:
        return Result.NOT_DONE, "it was not set"
    name = f"“{shown.alias}”" if shown.alias else "default"
    return Result.DONE, f"{name} removed" if shown.removed else name


def _words_of(command: Command | None) -> str:
    """What one would have to type for a button that names no build; empty for commands of other kinds."""
    match command:
        case Subscribe() | Unsubscribe() | PauseCommand() | MuteCommand() | UnmuteCommand():
            return " ".join([command.verb, *command.words])
        case SetReport() | StopReport() | LinkCommand() | UnlinkCommand() | NotifyCommand():
            return " ".join([command.verb, *command.words])
        case NameCommand(verb, alias, repo, branch):
            words = (alias, repo.cleanest if repo else "none", branch.cleanest if branch else "")
            return " ".join(word for word in (verb, *words) if word)
        case _:
            return ""


def _words(subscription: Subscription) -> str:
    return " ".join(words_of(subscription.filters))


def _planned(plan: ReportPlan) -> str:
    return " ".join([*plan.schedule.words, plan.zone])


def _muted(mute: Mute) -> str:
    return " ".join(pattern_words(mute.repositories)) or "all repositories"


def _of_restart(outcome: Restarted) -> str:
    seen = "no answer came, and it was seen to run" if outcome.seen else ""
    only = "only failed jobs" if outcome.claim.failed_jobs_only else ""
    debug = "with debug logs" if outcome.claim.debug_logs else ""
    return "; ".join(said for said in (seen, only, debug, _of_it(outcome.taken)) if said)


def _of_it(taken: ActionResult | None) -> str:
    """Which workflows were taken, if the service has several; begins with how many, unless all were."""
    if taken is None or not taken.done:
        return ""
    count = f"{len(taken.done)} of {len(taken.done) + len(taken.refused)} taken: " if taken.refused else ""
    refused = [f"{name} not taken: {why}" for name, why in taken.refused]
    left = [f"{name} left running" for name in taken.left]
    return "; ".join([count + ", ".join(taken.done), *left, *refused])


def _who_and_when(claim: Claim) -> str:
    return f"{claim.actor.id} at {claim.requested_at:%Y-%m-%dT%H:%M:%SZ}"


def _failure(error: Exception) -> tuple[Result, str]:
    """The result of a failure. After a bug, it is unknown whether anything was done."""
    match error:
        case NotAllowed():
            return Result.REFUSED_BY_POLICY, str(error)
        case NoSuchProject():
            return Result.MISTAKE, "no repository of that name"
        case AmbiguousProject():
            return Result.MISTAKE, "several repositories of that name"
        case NoSuchBranch(pull_request=number):
            return Result.MISTAKE, "no recent build of that branch" if number is None else "no such pull request"
        case BranchRequired():
            return Result.MISTAKE, "several branches, none named"
        case NeedsConfirmation():
            return Result.TO_BE_CONFIRMED, ""
        case NotSupported():
            return Result.NOT_DONE, str(error)
        case DelayedRequest():
            return Result.NOT_DONE, "too late to know which build was meant"
        case NotRecorded():
            answer = "accepted" if error.is_accepted else "no answer is known"
            return Result.UNKNOWN, f"sent; {answer}; the database could not store it"
        case UserError():
            return Result.MISTAKE, str(error)
        case RateLimitExhausted() | RateLimitPaused():
            return Result.NOT_DONE, _cause(error)
        case NothingToDo():
            return Result.NOT_DONE, error.detail
        case Unauthorized() | Forbidden() | NotFound() | NotPossible() | OverLimit():
            return Result.REFUSED_BY_CI, _cause(error)
        case CIError():
            return Result.NOT_DONE, _cause(error)
        case _:
            return Result.BUG, type(error).__name__


_CAUSES: dict[type[CIError], str] = {
    Unauthorized: "API key rejected",
    Forbidden: "the API key lacks permission",
    SignOnRequired: "single sign-on is required",
    NotFound: "no such project or build",
    NotPossible: "refused",
    OverLimit: "rate limit reached",
    RateLimitExhausted: "the bot’s own limit of calls is reached",
    RateLimitPaused: "rate limit reached",
    Unreachable: "can’t be reached",
    NoResponse: "timed out or unavailable",
    NotConfirmed: "not confirmed by its response",
    InvalidResponse: "unexpected response",
}


def _cause(error: CIError) -> str:
    cause = _CAUSES.get(type(error), "failed")
    return f"{cause}: {error.detail}" if isinstance(error, NotPossible) and error.detail else cause


def found_in(outcome: Outcome | Exception | ActionSent) -> Build | Project | None:
    """The build, or the repository alone, that an outcome is about; None if it is about none."""
    match outcome:
        case NoBuilds(project) | NotMineNoted(project):
            return project
        case CouldNotTell():
            return outcome.shown
        case Restarted() | AlreadyRestarted() | StillRunning() | RunAgainSince() | StateNotKnown():
            return outcome.build
        case (
            Followed()
            | WillNotify()
            | NothingToFollow()
            | NeedsConfirmation()
            | Cancelled()
            | NothingToCancel()
            | AlreadyCancelling()
        ):
            return outcome.build
        case ActionSent() | DelayedRequest() | NotRecorded():
            return outcome.build
        case BranchRequired() | NotSupported():
            return outcome.project
        case ChannelNamesShown(project=project):
            return project
        case BotError():
            return outcome.about
        case _:
            return None


def _as_asked(entry: AuditEntry, command: Command | None) -> AuditEntry:
    match command:
        case NotMine():
            return replace(entry, branch=command.branch)
        case BranchCommand(branch=branch):
            return replace(entry, branch=branch.cleanest if branch else None)
        case BuildCommand(target=target):
            return replace(
                entry,
                service=target.service,
                project_id=target.project_id,
                branch=target.branch,
                build_id=target.build_id,
            )
        case _:
            return entry


def _as_found(entry: AuditEntry, result: Build | Project | None) -> AuditEntry:
    """Replaces what was requested by what was found, if anything was."""
    if isinstance(result, Build):
        entry = replace(entry, branch=result.branch or entry.branch, build_id=result.id)
        result = result.project
    if result is None:
        return entry
    return replace(entry, service=result.service, project_id=result.id, project_name=result.name)

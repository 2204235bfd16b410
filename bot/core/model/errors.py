"""Every error that the bot expects: a class for each reaction.

    BotError
    ├── UserError                   the user can fix it: shown as it is
    │   ├── NotUnderstood               the words: shown with the command that was meant
    │   ├── NoSuchProject               with the nearest names
    │   ├── AmbiguousProject            with the names it may be
    │   ├── NoSuchBranch                no build of it, or no such pull request; with the branches that have builds
    │   ├── BranchRequired              a branch must be chosen first
    │   ├── RequestExpired              the request waited too long to be carried out
    │   ├── DelayedRequest              the newest build may not be the one that was meant
    │   ├── BuildTooOld                 the service no longer lists the build
    │   ├── NeedsConfirmation           with the build, to be confirmed with a button
    │   ├── NotSupported                the CI service of this repository cannot do this
    │   └── NotAllowed                  with the reason, and whom to ask
    ├── NotRecorded                 an action was sent, but its result could not be stored
    └── CIError                     the CI service: one calm sentence that says what is known
        ├── Unauthorized                the operator must act: the key is wrong
        ├── Forbidden                   the key may not do this
        │   └── SignOnRequired              until it is authorized for single sign-on
        ├── NotFound                    the service does not know this project or build
        ├── NotPossible                 the service does not do this to this build, for any caller
        │   └── NothingToDo                 known from what it shows: nothing was sent
        ├── OverLimit                   too many calls: try again after `retry_after_s`
        │   ├── RateLimitExhausted          the bot's own limit: nothing was sent
        │   └── RateLimitPaused             the service's limit, a moment ago: nothing was sent
        ├── Unreachable                 the connection failed: nothing was sent
        ├── NoResponse                  sent, but no complete response came
        │   └── NotConfirmed                a POST was answered, but not as the contract says
        └── InvalidResponse             a response came that breaks the contract

Anything else that is raised is a bug: the user sees a reference, the log has the traceback.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.model.builds import Build, Project


@dataclass(frozen=True, slots=True)
class LastKnown:
    """The builds that the bot last saw for the same question, newest first, and how many seconds ago."""

    builds: tuple[Build, ...]
    age_s: float


class BotError(Exception):
    """The base class. `str()` of any of these may be shown to people, so it holds no secret.

    Durable jobs store errors, so each parameter is an attribute of the same name.
    """

    about: Build | Project | None = None
    """The project or build, as far as it was found before the error."""


class UserError(BotError):
    """The user can fix it. The message says how."""


WHICH_REPOSITORY = "Which repository?"
"""Why a command that names no repository is not understood. The answer offers some."""


class NotUnderstood(UserError):
    """The words cannot be parsed. `why` is a sentence that may quote them.

    `topic` is the command whose usage helps, None for all. `instead` is the complete command that was probably meant.
    """

    def __init__(self, why: str, topic: str | None = None, *, instead: str | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.topic = topic
        self.instead = instead


class NoSuchProject(UserError):
    """No repository of that name. `stale_because` says why the list could not be refreshed; None if it was.

    `branch` is the branch that was asked for. `hidden` are the ids of organizations whose repositories no list has.
    """

    def __init__(
        self,
        name: str,
        nearest: Sequence[Project] = (),
        *,
        known: int = 0,
        stale_because: CIError | None = None,
        branch: str | None = None,
        hidden: Sequence[str] = (),
    ) -> None:
        super().__init__(name)
        self.name = name
        self.nearest = tuple(nearest)
        self.hidden = tuple(hidden)
        self.known = known
        self.stale_because = stale_because
        self.branch = branch


class AmbiguousProject(UserError):
    """The name matches several repositories. `branch` is the branch that was asked for."""

    def __init__(self, name: str, candidates: Sequence[Project], *, branch: str | None = None) -> None:
        super().__init__(name)
        self.name = name
        self.candidates = tuple(candidates)
        self.branch = branch


class NoSuchBranch(UserError):
    """The branch has no builds. `branches` are those that have, the newest first.

    With a `pull_request`, that number was named instead, and the repository has no such pull request.
    """

    def __init__(
        self, project: Project, branch: str, branches: Sequence[str] = (), pull_request: int | None = None
    ) -> None:
        super().__init__(branch)
        self.project = project
        self.branch = branch
        self.branches = tuple(branches)
        self.pull_request = pull_request


class BranchRequired(UserError):
    """A restart without a branch, although several have builds."""

    def __init__(self, project: Project, branches: Sequence[str]) -> None:
        super().__init__(project.name)
        self.project = project
        self.branches = tuple(branches)


class RequestExpired(UserError):
    """The request waited too long, while no process ran, and is not carried out."""

    def __init__(self) -> None:
        super().__init__("the bot was down when you asked, so nothing was done. Ask again if you still want it.")


class DelayedRequest(UserError):
    """The bot came to the request so late that the newest build may not be the one that was meant. Nothing was sent.

    `build` is newest now, in its run `run_number`; `action` is "restart" or "cancel".
    """

    def __init__(self, build: Build, run_number: int, action: str) -> None:
        super().__init__(build.project.name)
        self.build = build
        self.run_number = run_number
        self.action = action


class BuildTooOld(UserError):
    """The service no longer lists the build, so it cannot be fetched."""

    def __init__(self, service: str) -> None:
        super().__init__(f"{service} no longer lists this build. Open it there, or ask for the status of its branch.")
        self.service = service


class NeedsConfirmation(UserError):
    """The policy requires a confirmation for this restart, and it has none yet.

    `run_number` and `instead_of` (id and attempt of an unknown claim) belong to the requested restart.
    """

    def __init__(self, build: Build, run_number: int, instead_of: tuple[int, int] | None = None) -> None:
        super().__init__(build.project.name)
        self.build = build
        self.run_number = run_number
        self.instead_of = instead_of


class NotSupported(UserError):
    """The service (its title) has no way to do this for `project`. `unable` says what: "cancel builds".

    `is_read_only`: it has, but the bot may only read there.
    """

    def __init__(self, project: Project, service: str, unable: str, *, is_read_only: bool = False) -> None:
        only_reads = f"the bot can only read {service}, so it can’t {unable}."
        super().__init__(only_reads if is_read_only else f"{service}’s API can’t {unable}.")
        self.project = project
        self.service = service
        self.unable = unable
        self.is_read_only = is_read_only


class NotAllowed(UserError):
    """The policy refuses it; `reason` is a sentence. `ask`: whom to ask, a Slack id or words.

    `group_unknown`: a user group would allow it, but its members could not be fetched.
    """

    def __init__(self, reason: str, *, ask: str | None = None, group_unknown: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.ask = ask
        self.group_unknown = group_unknown


class NotRecorded(BotError):
    """A restart or a cancel (`action`: "restart", "cancel") of `build` was sent, and its result could not be stored.

    `is_accepted`: whether the CI service accepted it; else that is not known here.
    """

    def __init__(self, build: Build, action: str, *, is_accepted: bool) -> None:
        super().__init__(build.project.name)
        self.build = build
        self.action = action
        self.is_accepted = is_accepted


class CIError(BotError):
    """The CI service `service` (its title) did not do what was requested.

    `last_known` is set if the bot has cached builds.
    """

    def __init__(self, service: str, detail: str = "") -> None:
        super().__init__(f"{service}: {detail}" if detail else service)
        self.service = service
        self.detail = detail
        self.last_known: LastKnown | None = None

    may_have_taken = False
    """Whether a failed restart may have started anyway."""


class Unauthorized(CIError):
    """401: the key is wrong or has been revoked."""


class Forbidden(CIError):
    """403 that is not about a rate limit: the key may not do this."""


class SignOnRequired(Forbidden):
    """The organization requires single sign-on, and the key is not authorized for it."""


class NotFound(CIError):
    """404: no such project or build, or none that the key can see."""


class NotPossible(CIError):
    """The service refuses this for this build: it is too old, or over. `detail` is its reason."""


class NothingToDo(NotPossible):
    """Nothing was requested from the service, because of what it shows. `detail` says why."""


class OverLimit(CIError):
    """Too many calls. `retry_after_s`: seconds to wait, None if the service did not say."""

    def __init__(self, service: str, detail: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(service, detail)
        self.retry_after_s = retry_after_s


class RateLimitExhausted(OverLimit):
    """The bot's own rate limit is used up. Nothing was sent."""


class RateLimitPaused(OverLimit):
    """The service refused a call for its rate limit. Until the pause ends, no other is sent."""


class Unreachable(CIError):
    """The connection failed, so nothing was sent."""


class NoResponse(CIError):
    """The request was sent, but no complete response came: a timeout, a cut connection, a broken server.

    `timed_out`: it did not respond in time. `http_status`: the status of a response that says it cannot, such as 502.
    """

    may_have_taken = True

    def __init__(
        self, service: str, detail: str = "", *, timed_out: bool = False, http_status: int | None = None
    ) -> None:
        super().__init__(service, detail)
        self.timed_out = timed_out
        self.http_status = http_status


class NotConfirmed(NoResponse):
    """A POST was answered, but not as the service's contract says: it is not known whether it was accepted."""


class InvalidResponse(CIError):
    """A complete response that breaks the contract: a redirect, HTML, something too large.

    `said` is the service's own reason, from the JSON of a 4xx: fit to be shown. `detail` is for the log.
    """

    def __init__(self, service: str, detail: str = "", *, said: str = "") -> None:
        super().__init__(service, detail)
        self.said = said

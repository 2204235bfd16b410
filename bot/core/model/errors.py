"""Everything that goes wrong in a way the bot expects: a class per reaction.

    BotError
    ├── Mistake                     the person can do better: shown as it is
    │   ├── NotUnderstood               the words: shown with the command that was meant
    │   ├── NoSuchProject               with the nearest names
    │   ├── AmbiguousProject            with the names it may be
    │   ├── NoSuchBranch                with the branches that have builds
    │   ├── WhichBranch                 a branch must be chosen first
    │   ├── TooLate                     asked too long ago to be done now
    │   ├── NotListed                   the build is too old to be looked at
    │   ├── NeedsConfirmation           with the build, to be confirmed with a button
    │   ├── CannotCancel                the CI service of this repository cannot cancel builds
    │   └── NotAllowed                  with the reason, and whom to ask
    └── CIError                     the CI service: one calm sentence that says what is known
        ├── KeyRefused                  the operator must act: the key is wrong
        ├── NoRights                    the key may not do this
        ├── NotThere                    the service does not know this project or build
        ├── WillNot                     the service does not do this to this build, whoever asks
        ├── OverLimit                   too many calls: try again after `retry_after_s`
        │   ├── BudgetSpent                 the bot's own limit: nothing was asked
        │   └── Paused                      the service said so a moment ago: nothing was asked
        ├── Unreachable                 the connection never stood: nothing was sent
        ├── NoAnswer                    sent, and no whole answer came
        └── BadAnswer                   an answer came, and it is not the contract's

Anything else that is raised is a bug: a reference id for the person, the traceback for the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.model.builds import Build, Project


@dataclass(frozen=True, slots=True)
class LastKnown:
    """The builds that the bot last saw for the question, newest first, and how many seconds ago."""

    builds: tuple[Build, ...]
    age_s: float


class BotError(Exception):
    """The root. `str()` of any of these may be shown to people: no secret ever goes in.

    Durable work stores them, so each keeps what it is made from: every parameter is an attribute of the same name.
    """

    about: Build | Project | None = None
    """What was asked for, as far as it was found before this went wrong."""


class UserError(BotError):
    """The person can do better, and is told how."""


class NotUnderstood(UserError):
    """The words cannot be read. `why` is a sentence that may hold what was typed.

    `topic` is the command whose usage helps, None for all; `instead` is what could be said, whole, where that is clear.
    """

    def __init__(self, why: str, topic: str | None = None, *, instead: str | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.topic = topic
        self.instead = instead


class NoSuchProject(UserError):
    """No repository of that name. `stale_because` says why the list could not be asked again, where it could not."""

    def __init__(
        self,
        name: str,
        nearest: Sequence[Project] = (),
        *,
        known: int = 0,
        stale_because: CIError | None = None,
    ) -> None:
        super().__init__(name)
        self.name = name
        self.nearest = tuple(nearest)
        self.known = known
        self.stale_because = stale_because


class AmbiguousProject(UserError):
    """The name fits several repositories."""

    def __init__(self, name: str, candidates: Sequence[Project]) -> None:
        super().__init__(name)
        self.name = name
        self.candidates = tuple(candidates)


class NoSuchBranch(UserError):
    """The branch has no builds. `branches` are those that have, the newest first."""

    def __init__(self, project: Project, branch: str, branches: Sequence[str] = ()) -> None:
        super().__init__(branch)
        self.project = project
        self.branch = branch
        self.branches = tuple(branches)


class BranchRequired(UserError):
    """A restart without a branch, where several have builds."""

    def __init__(self, project: Project, branches: Sequence[str]) -> None:
        super().__init__(project.name)
        self.project = project
        self.branches = tuple(branches)


class RequestExpired(UserError):
    """Nobody was there to do it for so long that it is not done any more."""

    def __init__(self) -> None:
        super().__init__("I was away when you asked, and that is too long ago. Ask again if it is still wanted.")


class BuildTooOld(UserError):
    """The build is no longer among the last ones that the service lists, so it cannot be looked at."""

    def __init__(self, service: str) -> None:
        super().__init__(
            f"I do not find this build among the last ones that {service} lists. Open it there, or ask for its branch."
        )
        self.service = service


class NeedsConfirmation(UserError):
    """The restart is one that the policy wants confirmed, and nobody has confirmed it yet.

    `run_number` and `instead_of` (the id and attempt of an unknown claim) belong to the restart that was asked for.
    """

    def __init__(self, build: Build, run_number: int, instead_of: tuple[int, int] | None = None) -> None:
        super().__init__(build.project.name)
        self.build = build
        self.run_number = run_number
        self.instead_of = instead_of


class CannotCancel(UserError):
    """The service (its title) has no way to cancel the builds of `project`."""

    def __init__(self, project: Project, service: str) -> None:
        super().__init__(f"{service} lets nobody cancel a build from outside its own pages.")
        self.project = project
        self.service = service


class NotAllowed(UserError):
    """Refused, with the reason as a sentence. `ask`: whom to ask, an id of Slack's or words.

    `group_unknown`: being in a user group would have helped, and nobody could tell whether the person is.
    """

    def __init__(self, reason: str, *, ask: str | None = None, group_unknown: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.ask = ask
        self.group_unknown = group_unknown


class CIError(BotError):
    """The CI service `service` (its title, as people write it) did not do what was asked.

    `last_known` is filled in on the way out where the bot still remembers how things stood.
    """

    def __init__(self, service: str, detail: str = "") -> None:
        super().__init__(f"{service}: {detail}" if detail else service)
        self.service = service
        self.detail = detail
        self.last_known: LastKnown | None = None

    may_have_taken = False
    """After a restart: whether the service may have done it all the same."""


class Unauthorized(CIError):
    """401: the key is wrong or has been withdrawn."""


class Forbidden(CIError):
    """403 without word of a limit: the key may not do this."""


class NotFound(CIError):
    """404: no such project or build, or none that the key can see."""


class NotPossible(CIError):
    """The service understood, and does not do it to this build: too old, over already. `detail` is its reason."""


class OverLimit(CIError):
    """Too many calls. `retry_after_s`: seconds to wait, None where the service names none."""

    def __init__(self, service: str, detail: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(service, detail)
        self.retry_after_s = retry_after_s


class RateLimitExhausted(OverLimit):
    """The bot has made all the calls that it allows itself. No call was made, and the service has refused nothing."""


class RateLimitPaused(OverLimit):
    """The service has refused a call for its limit, and until the pause is over no other is made."""


class Unreachable(CIError):
    """The connection never stood, so nothing was sent."""


class NoResponse(CIError):
    """The request went out and no whole answer came: a time-out, a cut connection, an overloaded or broken server."""

    may_have_taken = True


class InvalidResponse(CIError):
    """A whole answer came that the contract does not know: a redirect, HTML, something too large."""

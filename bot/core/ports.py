"""What the core needs from outside, as Protocols in its own words. `bot.app` connects the implementations."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from bot.core.model.actions.values import ActionPlan, RunTarget
from bot.core.model.audit import AuditEntry, RequestEntry
from bot.core.model.builds import Ability, Actor, Build, FailureLog, Page, Project, Status
from bot.core.model.claims import Claim, ClaimKind
from bot.core.model.ended_builds import EndedBuild
from bot.core.model.follows import Follow, FollowView, LiveRun, PollChain
from bot.core.model.names.channel_names import ChannelName
from bot.core.model.rate_limit import Priority, Rejected


class Clock(Protocol):
    """Time is a parameter, so that tests control it."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back, to measure durations."""

    def wait(self, seconds: float) -> None:
        """Waits for so many seconds."""


T = TypeVar("T")


class CIProvider(Protocol):
    """One CI service. Thread-safe. Every method raises only `CIError`."""

    @property
    def service(self) -> str:
        """Its name in settings and in the store: `codeship`."""

    @property
    def title(self) -> str:
        """Its name as people write it: `CodeShip`."""

    @property
    def abilities(self) -> frozenset[Ability]:
        """What this service can do beyond the common methods. The core requests nothing else of that kind."""

    def parse_url(self, url: str) -> Page | None:
        """What a page's address of this service names; None for any other address."""

    def locate(self, project: Project, page: Page) -> Page | None:
        """The page with the branch of its pull request, run or commit, at the cost of a call or two.

        None if the service knows no such run or commit, if several branches have it, or if the key may not read that.
        Raises NotFound if there is no such pull request.
        """

    def projects(self) -> list[Project]:
        """Every repository that the key can see. Expensive: takes seconds for a large account."""

    def has_branch(self, project: Project, branch: str) -> bool | None:
        """Whether the branch exists, at the cost of a call; None if the service does not say."""

    @property
    def hidden_organizations(self) -> tuple[str, ...]:
        """The ids of organizations whose repositories the last list left out, since the key lacks their single
        sign-on.
        """

    def recent(self, wanted: Callable[[Project], bool]) -> list[tuple[Project, list[Build]]] | None:
        """The newest builds of every `wanted` project, each newest first, with one call. None if the service has no
        such call, so that each project has to be asked for.
        """

    def builds(self, project: Project, branch: str | None = None) -> list[Build]:
        """The recent builds, of one branch or of all, newest first. One list in most cases.

        An unknown branch has none.
        """

    def plan_restart(self, build: Build) -> ActionPlan:
        """Which runs a restart of the build runs again: the failed workflows, all of its commit if none failed.

        Never one that is running. No call. Raises NotPossible if there is nothing to run again.
        """

    def plan_cancel(self, build: Build) -> ActionPlan:
        """Which runs a cancel of the build stops. No call. Raises NotPossible if there are none, or it cannot."""

    def restart(self, build: Build, target: RunTarget, *, failed_jobs_only: bool = False) -> str:
        """Sends one POST, once: runs `target` again, all its jobs or, if the service can, only the failed ones.

        `target.debug_logs` is set only if the service can do that.

        Returns the id of the build that runs now, which may be the same. After an error whose `may_have_taken` is
        true it is not known whether the service accepted it.
        """

    def cancel(self, build: Build, target: RunTarget) -> None:
        """Sends one POST, once: stops `target`, and returns before it has stopped. Errors as for `restart`."""

    def with_details(self, build: Build) -> Build:
        """The same with `failed_jobs`, `waits_for` and `earlier` filled in, as far as the service tells.

        Few calls, or none.
        """

    def failure_log(self, build: Build) -> FailureLog | None:
        """Why the first failed job of a build failed. None if nothing failed, or the service tells no logs."""


class ProjectStore(Protocol):
    """Stores the project lists, so that they survive a restart of the process."""

    def load_projects(self, service: str) -> tuple[list[Project], datetime | None]:
        """The list that was last saved, and when; an empty list and None if there is none."""

    def save_projects(self, service: str, projects: Sequence[Project], at: datetime) -> None:
        """Replaces the service's whole list."""


class RecentProjectStore(Protocol):
    """Stores which repositories each person asked about last. Each method is one transaction."""

    def use(self, actor: Actor, project: Project) -> None:
        """The person asked about the project now."""

    def last(self, actor: Actor, count: int) -> list[tuple[str, str]]:
        """Service and id of the projects that the person asked about, the latest first."""


class ClaimStore(Protocol):
    """Stores restarts. Each method is one transaction, safe against other threads and processes."""

    def claim(self, wanted: Claim) -> Claim | None:
        """Stores `wanted` if its run (service, build, run number, kind) is free: never claimed, refused or not sent.

        Returns it with its `id` and `attempt`; None if another claim on the run exists.
        """

    def claim_again(self, wanted: Claim, *, instead_of: int, attempt: int) -> Claim | None:
        """Stores `wanted` in the place of the claim with that id and attempt; None if that has moved on.

        A restart replaces an unknown claim only.
        """

    def move(self, claim: Claim, to: Claim, *, audit: RequestEntry | None = None) -> bool:
        """Writes `to`'s state, posts, `seen_running` and `new_build_id`, and `audit` with them, as `AuditLog.record`.

        The entry of an action that is sent now replaces one of the same request that says that nothing was done.

        Only if the stored claim still has `claim`'s id, attempt and state; else writes nothing and returns False.
        """

    def of_request(self, key: str) -> Claim | None:
        """The last claim of the request with this key; None if it made none."""

    def newest(self, service: str, build_ids: Sequence[str], kind: ClaimKind = ClaimKind.RESTART) -> list[Claim]:
        """For each of the builds its claim of that kind with the highest run number, or else the one that made it.

        The latter is found by `new_build_id`. A claim for two of the builds is returned once.
        """


class ChannelNameStore(Protocol):
    """Stores the default repositories and the aliases of channels. Each method is one transaction."""

    def put(self, name: ChannelName) -> None:
        """Stores it, in the place of an earlier one for the same alias."""

    def remove(self, channel: str, alias: str) -> bool:
        """False if there was none."""

    def of_channel(self, channel: str) -> list[ChannelName]:
        """The default first, then the aliases by name."""

    def of_person(self, actor: Actor, count: int) -> list[list[ChannelName]]:
        """As `of_channel`, for each channel in which the person set a name or follows, or followed, a build.

        At most `count` channels: those in which something was set last.
        """


class IdempotencyKeys(Protocol):
    """Remembers that something was done, so that it is done once: a delivery answered, an invitation explained."""

    def add(self, key: str, *, keep_s: float) -> bool:
        """True for the first caller with this `key`, in any process. False for later ones, for at least `keep_s`
        seconds.
        """


class AuditLog(Protocol):
    """Stores what was done, by whom, and the result, for a set time. A known result never changes."""

    def record(self, entry: AuditEntry, *, request_key: str | None) -> None:
        """Adds it. Of one request, named by `request_key`, the first entry counts.

        But one whose result is "unknown" is completed once its result is known.
        """

    def last(self, count: int, *, of: Project | None = None) -> list[AuditEntry]:
        """The newest entries, newest first: of one project, or of all, including services that are no longer
        configured.
        """

    def sent_since(self, moment: datetime, actions: Collection[str]) -> list[AuditEntry]:
        """The entries of these actions from then on that were sent to a CI service, in no order."""

    def purge(self) -> None:
        """Deletes what is older than the set time. Does nothing if called again within an hour."""


class RateLimit(Protocol):
    """The calls per minute that a CI service allows, shared by all work and all processes on one database.

    No method raises or waits long. If the shared count cannot be reached, this process uses a share of the limit.
    """

    def reserve(self, calls: int, priority: Priority) -> Rejected | None:
        """Reserves so many calls, all or none. Each must then be started or released."""

    def start_call(self, priority: Priority) -> Rejected | None:
        """Uses one reserved call, which is made now. If a pause refuses it, it stays reserved."""

    def release(self, calls: int) -> None:
        """Releases reserved calls that are not made."""

    def refund(self) -> None:
        """The service does not count this thread's last call, so it may be made again."""

    def pause(self, retry_after_s: float | None) -> None:
        """The service refused a call for its rate limit: no calls are made for a while."""


class NameMatcher(Protocol):
    """Finds names that are similar to a typed one. May prepare a long list at its first call with it."""

    def __call__(self, word: str, names: Sequence[str], *, limit: int) -> list[str]:
        """At most `limit` of `names`, the most similar first; empty if none is similar."""


class Groups(Protocol):
    """Membership in Slack's user groups."""

    def has(self, group_id: str, actor: Actor) -> bool | None:
        """Whether the actor is in the group. None if unknown: Slack did not answer and nothing is cached."""


class FollowStore(Protocol):
    """Stores live messages, and which projects are polled. Each method is one transaction."""

    def add(self, follow: Follow) -> Follow:
        """Stores the follow unless its key exists. Returns the stored one."""

    def claim(self, run: LiveRun, key: str) -> bool:
        """Whether the request `key` may post the live message of the run: no other one has just claimed it.

        The claim ends by itself some seconds after its follow was added, or its process died.
        """

    def is_claimed(self, run: LiveRun, *, but_by: str) -> bool:
        """Whether another request than `but_by` has just claimed a live message of the run."""

    def release(self, key: str) -> None:
        """Ends the request's claim: it posted no message that can be changed later."""

    def open_of(self, service: str, project_id: str) -> list[Follow]:
        """The project's open follows, the oldest first."""

    def open_in(self, channel: str, service: str, build_id: str) -> list[Follow]:
        """The open follows of a build in a channel, the oldest first."""

    def open_at(self, channel: str, message_ts: str) -> Follow | None:
        """The open follow of this live message."""

    def open_for(self, actor: Actor, count: int) -> list[Follow]:
        """The open follows at whose end the person is notified, the newest first."""

    def move(self, follow: Follow, to: Follow) -> bool:
        """Stores `to` with the next version. Returns False if the stored follow no longer has `follow`'s version."""

    def begin_polling(self, service: str, project_id: str) -> int:
        """The number of the poll that the project's chain waits for; of the first poll of a new chain if none is
        active.

        The caller starts that poll even if a chain is active: the process that started the chain may be dead.
        """

    def next_poll(self, service: str, project_id: str, number: int) -> int | None:
        """The number of the poll after poll `number`. None, and the chain ends, if no follow is open.

        Repeated calls with the same number return the same. None for a poll that another one has overtaken.
        """

    def quiet_chains(self, after_s: float) -> list[PollChain]:
        """Active chains that have not moved for more than `after_s` seconds.

        Includes chains that moved in the future: the clock was set back since.
        """

    def restart_chain(self, chain: PollChain) -> int | None:
        """The number of the poll that the chain waits for now. None if it has moved on since it was read."""


class RunHistory(Protocol):
    """The bot's own record of how runs ended: a CI service forgets a run when the build runs again."""

    def record(self, build: Build, run_number: int, ended_at: datetime) -> None:
        """Stores the end of a run once, however often it is called. Ignores builds without a commit."""

    def of_commit(self, project: Project, commit: str, branch: str | None) -> list[Status]:
        """How the commit's last fifty runs on the branch ended, the oldest first."""


class BuildHistoryStore(Protocol):
    """How watched builds ended, for at least the last 60 days."""

    def add(self, builds: Sequence[EndedBuild]) -> None:
        """Stores each end once, however often it is added."""

    def since(self, moment: datetime, project: Project | None) -> list[EndedBuild]:
        """What ended from then on, of the project or of all, in no order."""

    def last_before(self, moment: datetime) -> list[EndedBuild]:
        """The last end before then of each branch that passed or failed, in no order."""


class Notifier(Protocol):
    """Sends messages to Slack that answer no request. Raises `MessageGone` and `RetryLater`."""

    def show(self, view: FollowView) -> None:
        """Changes the live message. Repeating it has no visible effect."""

    def reply(self, view: FollowView) -> None:
        """Posts the verdict in the message's thread, to the person who asked. Every call posts a new message."""

    def tell(self, view: FollowView, why: str) -> None:
        """Tells only the person who asked that the message is no longer followed. Raises nothing."""


class Step(Protocol):
    """Runs a step of a durable job. A finished step is not run again after a crash."""

    def __call__(self, name: str, work: Callable[[], T], *, stored: bool = True) -> T:
        """The result of `work`, stored if the step finished earlier. After a crash within it, `work` runs again.

        Without `stored`, it also runs again after a crash later in the job: for work that may be repeated.
        """


Job = Callable[[Mapping[str, Any], Step], None]
"""A kind of durable job, called with the payload. Runs at least once to its end."""


class Jobs(Protocol):
    """Durable background work: a started job is finished even if a process dies in between."""

    def start(self, kind: str, key: str, payload: Mapping[str, Any], *, delay_s: float = 0.0) -> None:
        """Stores a job before it returns, once per key; it starts at once without a delay. `payload` is JSON."""

    def cancel(self, key: str) -> None:
        """Cancels a job that has not started. Unknown keys are ignored."""

    def unfinished(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys whose jobs wait or run, in any process."""

    def sweep(self) -> int:
        """Takes over jobs of dead processes. Returns how many."""

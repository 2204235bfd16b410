"""What the core needs of the world, in its own words. Implementations live outside; only `assembly` names them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from bot.core.model.audit import AuditEntry
from bot.core.model.builds import Ability, ActionResult, Actor, Build, FailureLog, Page, Project, Status
from bot.core.model.claims import Claim
from bot.core.model.follows import Follow, FollowView
from bot.core.model.rate_limit import Priority, Rejected


class Clock(Protocol):
    """Time comes from outside, so that a test can hold it."""

    def now(self) -> datetime:
        """The present, in UTC, aware of it."""

    def monotonic(self) -> float:
        """Seconds that never go back; for lengths of time."""

    def wait(self, seconds: float) -> None:
        """Returns after so long."""


T = TypeVar("T")


class CIProvider(Protocol):
    """One CI service. Every method may be called from many threads, and raises `CIError` and nothing else."""

    @property
    def service(self) -> str:
        """Its name in settings and in the store: `codeship`."""

    @property
    def title(self) -> str:
        """Its name as people write it: `CodeShip`."""

    @property
    def abilities(self) -> frozenset[Ability]:
        """What it can do that not all can. Nothing else of that kind is asked of it."""

    def parse_url(self, url: str) -> Page | None:
        """What a pasted page of this service names; None for any other page."""

    def locate(self, project: Project, page: Page) -> Page | None:
        """The page with the branch of its pull request, run or commit, at the cost of a call or two.

        None if the service knows no such thing, or several branches have it.
        """

    def projects(self) -> list[Project]:
        """Every repository that the key can see. Dear: seconds, where the account is large."""

    def builds(self, project: Project, branch: str | None = None) -> list[Build]:
        """The recent builds, of one branch or of all, newest first. One list in most cases.

        An unknown branch has none.
        """

    def restart(self, build: Build, *, failed_jobs_only: bool = False) -> ActionResult:
        """Runs it again: of its workflows those that went wrong, all of its commit where none did, none that runs.

        Of each of them all jobs, or where it can, only those that failed. Never repeated blindly: where the error says
        `may_have_taken`, nobody knows. Raises nothing once one workflow has been taken.
        """

    def cancel(self, build: Build) -> ActionResult:
        """Cancels what runs of the build, and returns before it has ended. Called only if `abilities` has CANCEL."""

    def with_details(self, build: Build) -> Build:
        """The same with `failed_jobs`, `waits_for` and `earlier` filled in, as far as the service tells.

        Few calls, or none.
        """

    def failure_log(self, build: Build) -> FailureLog | None:
        """Why the first failed job of a build failed. None if nothing failed, or the service tells no logs."""


class ProjectStore(Protocol):
    """Keeps the project directory over restarts of the process."""

    def load_projects(self, service: str) -> tuple[list[Project], datetime | None]:
        """What was last saved, and when; an empty list and None where nothing was."""

    def save_projects(self, service: str, projects: Sequence[Project], at: datetime) -> None:
        """Replaces the service's list as a whole."""


class ClaimStore(Protocol):
    """Keeps restarts. Each method is one transaction, safe against other threads and other processes."""

    def claim(self, wanted: Claim) -> Claim | None:
        """Stores `wanted` where its run (service, build, run number) is free: never claimed, or refused, or not sent.

        Returns it with its `id` and `attempt`; None where somebody else's claim stands.
        """

    def claim_again(self, wanted: Claim, *, instead_of: int, attempt: int) -> Claim | None:
        """Stores `wanted` in the place of the unknown claim with that id and attempt; None where it has moved on."""

    def move(self, claim: Claim, to: Claim) -> bool:
        """Writes `to`'s state, `seen_running` and `new_build_id`.

        Only where the stored claim still has `claim`'s id, attempt and state; False where it has moved on meanwhile.
        """

    def of_request(self, key: str) -> Claim | None:
        """The claim that the ask with this key made last; None where it made none."""

    def newest(self, service: str, build_ids: Sequence[str]) -> list[Claim]:
        """For each of the builds its claim with the highest run number, or else the claim that brought it about.

        That is found by `build_id`, or else by `new_build_id`; a claim that answers for two builds comes once.
        """


class IdempotencyKeys(Protocol):
    """Remembers that something was done, so that it is done once: a delivery answered, an invitation explained."""

    def add(self, key: str, *, keep_s: float) -> bool:
        """True for the first who says `key`, in any process; False for all after, for at least `keep_s` seconds."""


class AuditLog(Protocol):
    """Keeps what was done, by whom and with what result, for a set time. Nothing in it is ever changed."""

    def record(self, entry: AuditEntry, *, request_key: str | None) -> None:
        """Adds it. `ask` names the ask it belongs to, where anything does: of one ask the first entry counts."""

    def last(self, count: int, *, of: Project | None = None) -> list[AuditEntry]:
        """The newest first; of one project where one is given, else of all, also of services of another time."""

    def purge(self) -> None:
        """Forgets what is older than the set time."""


class RateLimit(Protocol):
    """The calls that a CI service takes in a minute, shared by all work and by all processes on one database.

    No method raises, and none waits long: where the count cannot be reached, a share of it is spent instead.
    """

    def reserve(self, calls: int, priority: Priority) -> Rejected | None:
        """Sets so many calls aside, all or none. Each is then begun or given back."""

    def start_call(self, priority: Priority) -> Rejected | None:
        """One of the calls set aside is made now. Where it is refused, since a pause has begun, it stays aside."""

    def release(self, calls: int) -> None:
        """So many of the calls set aside are not made."""

    def refund(self) -> None:
        """The service does not count the call that this thread began last: it may be made again."""

    def pause(self, retry_after_s: float | None) -> None:
        """The service has refused a call for its own limit: nobody asks it anything for a while."""


class NameMatcher(Protocol):
    """Names that look like one that was typed."""

    def __call__(self, word: str, names: Sequence[str], *, limit: int) -> list[str]:
        """At most `limit` of `names`, the likest first; none where nothing is alike."""


class Groups(Protocol):
    """Who is in which user group of the chat."""

    def has(self, group_id: str, actor: Actor) -> bool | None:
        """None where nobody can tell: the members cannot be asked for, and none are remembered."""


class FollowStore(Protocol):
    """Keeps live messages, and which projects are looked at. Each method is one transaction."""

    def add(self, follow: Follow) -> Follow:
        """Stores it, unless its key is there already; returns what is stored."""

    def open_of(self, service: str, project_id: str) -> list[Follow]:
        """Those to look at, the oldest first."""

    def move(self, follow: Follow, to: Follow) -> bool:
        """Writes `to` with the next version where the stored one still has `follow`'s version; False otherwise."""

    def begin_polling(self, service: str, project_id: str) -> int:
        """The number of the look that the project's chain waits for: the first of a new one where none goes on.

        Whoever asks puts that look on its way, also where it goes on: the one who began it may be gone by now.
        """

    def next_poll(self, service: str, project_id: str, number: int) -> int | None:
        """The number that follows look `number`; None, and the chain ends, where nothing is open any more.

        The same answer however often it is asked for the same number; None for a look that another has overtaken.
        """

    def stalled(self, before: datetime) -> list[tuple[str, str, int]]:
        """Chains that go on and have not been touched since `before`, each moved on to the number that it names."""


class RunHistory(Protocol):
    """The bot's own memory of how runs ended: a CI service forgets a run when the build runs again."""

    def record(self, build: Build, run_number: int, ended_at: datetime) -> None:
        """Once for each run of a build, however often it is called; builds without a commit are left out."""

    def of_commit(self, project: Project, commit: str, branch: str | None) -> list[Status]:
        """How the commit's runs on the branch ended, the oldest first; the last fifty."""


class Notifier(Protocol):
    """Says in Slack what nobody has just asked for. Raises `MessageGone` and `RetryLater`."""

    def show(self, view: FollowView) -> None:
        """Changes the live message. Repeating it is invisible."""

    def reply(self, view: FollowView) -> None:
        """Says the verdict in the message's thread, to the person who asked. Each call is a new message."""

    def tell(self, view: FollowView, why: str) -> None:
        """Tells the person who asked, alone, that the message is not followed any more. Raises nothing."""


class Step(Protocol):
    """What a durable job does bit by bit: a step that has been done is not done again after a crash."""

    def __call__(self, name: str, work: Callable[[], T]) -> T:
        """What `work` returns, or returned when the step was done before. It may run again where a crash cut it off."""


Job = Callable[[Mapping[str, Any], Step], None]
"""A kind of durable work: what was started under a key, with its payload; runs at least once to its end."""


class Jobs(Protocol):
    """Durable background work: what was started is done, whoever dies in between."""

    def start(self, kind: str, key: str, payload: Mapping[str, Any], *, delay_s: float = 0.0) -> None:
        """Stored before this returns, done once for each key; at once without a delay. `payload` is JSON."""

    def cancel(self, key: str) -> None:
        """What has not begun will not; unknown keys are no error."""

    def sweep(self) -> int:
        """Takes over what processes that are gone have left, and returns how many jobs that was."""

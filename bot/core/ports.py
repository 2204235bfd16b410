"""What the core needs of the world, in its own words. Implementations live outside; only `assembly` names them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.core.claims import Claim
from bot.core.model import Build, Project


class Clock(Protocol):
    """Time comes from outside, so that a test can hold it."""

    def now(self) -> datetime:
        """The present, in UTC, aware of it."""

    def monotonic(self) -> float:
        """Seconds that never go back; for lengths of time."""

    def wait(self, seconds: float) -> None:
        """Returns after so long."""


class CIProvider(Protocol):
    """One CI service. Every method may be called from many threads, and raises `CIError` and nothing else."""

    @property
    def service(self) -> str:
        """Its name in settings and in the store: `codeship`."""

    @property
    def title(self) -> str:
        """Its name as people write it: `CodeShip`."""

    def recognise(self, url: str) -> tuple[str, str | None] | None:
        """The project id, and the build id where there is one, of a pasted page of this service; None for any other."""

    def projects(self) -> list[Project]:
        """Every repository that the key can see. Dear: seconds, where the account is large."""

    def builds(self, project: Project, branch: str | None = None) -> list[Build]:
        """The recent builds, of one branch or of all, newest first. One call. Unknown branch: an empty list."""

    def restart(self, build: Build) -> str:
        """Runs the build again, and returns the id of the build that runs now, which may be the same.

        Never repeated blindly: where the error says `may_have_taken`, nobody knows.
        """


class DirectoryStore(Protocol):
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

    def newest(self, service: str, build_ids: Sequence[str]) -> list[Claim]:
        """For each of the builds its claim with the highest run number, or else the claim that brought it about.

        That is found by `build_id`, or else by `new_build_id`; a claim that answers for two builds comes once.
        """


class Once(Protocol):
    """Remembers that something was done, so that it is done once: a delivery answered, an invitation explained."""

    def first_time(self, key: str, *, keep_s: float) -> bool:
        """True for the first who says `key`, in any process; False for all after, for at least `keep_s` seconds."""


class Nearest(Protocol):
    """Names that look like one that was typed."""

    def __call__(self, word: str, names: Sequence[str], *, limit: int) -> list[str]:
        """At most `limit` of `names`, the likest first; none where nothing is alike."""

"""Names to projects of one CI service: kept in memory and in the store, made fresh behind the scenes and on a miss.

The project list is dear, so it is asked for at most once in `ASKED_AGAIN_AFTER_S`, whoever misses a name; a bot that
starts while the list cannot be read still knows the names that it knew.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.model.builds import Project
from bot.core.model.errors import CIError, NoResponse, NoSuchProject, RateLimitExhausted, RateLimitPaused
from bot.core.model.rate_limit import Priority
from bot.core.ports import CIProvider, Clock, NameMatcher, ProjectStore
from bot.core.rate_limiter import CallBudget, charged_to

CACHE_TTL_S = 600.0
RETRY_AFTER_S = 30.0
NEAREST = 5


@dataclass(frozen=True, slots=True)
class _Index:
    """One state of the list, replaced as a whole. Names are compared in lower case."""

    projects: tuple[Project, ...] = ()
    at: datetime | None = None
    by_id: dict[str, Project] = field(default_factory=dict)
    by_name: dict[str, list[Project]] = field(default_factory=dict)
    by_short_name: dict[str, list[Project]] = field(default_factory=dict)

    @classmethod
    def of(cls, projects: Iterable[Project], at: datetime | None) -> _Index:
        once = {project.id: project for project in projects}  # listed twice, one would be mistaken for two of a name
        index = cls(tuple(sorted(once.values(), key=lambda project: project.name.lower())), at)
        for project in index.projects:
            name = project.name.lower()
            index.by_id[project.id] = project
            index.by_name.setdefault(name, []).append(project)
            index.by_short_name.setdefault(name.rpartition("/")[2], []).append(project)
        return index

    def named(self, name: str) -> list[Project]:
        """The projects that the name means: `org/name` in any case, or `name` alone."""
        return self.by_name.get(name.lower()) or self.by_short_name.get(name.lower()) or []


class ProjectIndex:
    """`executor` runs the list call; `nearest` finds names that look alike.

    What a refresh raises that is no CIError (a store that cannot be written) is the executor's to report: the names
    are known by then, and nobody may be waiting.
    """

    def __init__(
        self, provider: CIProvider, store: ProjectStore, executor: Executor, clock: Clock, nearest: NameMatcher
    ) -> None:
        self._provider = provider
        self._store = store
        self._executor = executor
        self._clock = clock
        self._nearest = nearest
        self._lock = threading.Lock()
        self._index = _Index()
        self._asked_at: float | None = None
        self._refresh: Future[None] | None = None
        self._refreshed_for = Priority.BACKGROUND
        self.last_failure: CIError | None = None

    def start(self) -> None:
        """Reads what the store knows, and asks the service behind the scenes."""
        self._index = _Index.of(*self._store.load_projects(self._provider.service))
        self._refresh_soon(Priority.BACKGROUND)

    def named(self, name: str) -> list[Project]:
        """The known projects that a name means: `org/name` in any case, or `name` alone. Asks nobody."""
        return self._index.named(name)

    def alike(self, typed: str) -> list[Project]:
        """The known projects whose names are likest to the one typed, the likest first, `NEAREST` at most."""
        index, word = self._index, typed.lower()
        table = index.by_name if "/" in word else index.by_short_name
        near = self._nearest(word, list(table), limit=NEAREST)
        return [project for name in near for project in table[name]][:NEAREST]

    def by_id(self, project_id: str, *, timeout_s: float, priority: Priority = Priority.PEOPLE) -> Project:
        """The project of a button or of a pasted page. Raises NoSuchProject; CIError where no list could be read."""
        project = self._index.by_id.get(project_id)
        if project is not None:
            return project
        stale_because = self.refreshed(timeout_s, priority)
        index = self._index
        if project_id not in index.by_id:
            raise NoSuchProject(f"project {project_id}", known=len(index.projects), stale_because=stale_because)
        return index.by_id[project_id]

    def matching(self, words: str, *, timeout_s: float) -> list[Project]:
        """The projects whose names hold each of the words, in any case, by name.

        Raises CIError where no list could ever be read.
        """
        if self._index.at is None:
            self.refreshed(timeout_s)
        self.refresh_if_stale()
        wanted = words.lower().split()
        return [p for p in self._index.projects if all(word in p.name.lower() for word in wanted)]

    def wait_idle(self, timeout_s: float) -> bool:
        """Whether no reading of the list is under way, waiting for its end up to `timeout_s` seconds."""
        refresh = self._refresh
        return refresh is None or not wait([refresh], timeout=timeout_s).not_done

    @property
    def size(self) -> int:
        return len(self._index.projects)

    @property
    def age_s(self) -> float | None:
        """Seconds since the list was read from the service; None where it never was."""
        at = self._index.at
        return None if at is None else max(0.0, (self._clock.now() - at).total_seconds())

    def refresh(self) -> None:
        """Reads the list from the service, now and in this thread. Raises CIError; what was known then stays."""
        try:
            projects = self._provider.projects()
        except CIError as failure:
            self.last_failure = failure
            raise
        now = self._clock.now()
        self._index = _Index.of(projects, now)
        self.last_failure = None
        self._store.save_projects(self._provider.service, projects, now)

    def refresh_if_stale(self) -> None:
        """Asks for the list behind the scenes, where the one that is known has grown old."""
        age = self.age_s
        if age is None or age > CACHE_TTL_S:
            self._refresh_soon(Priority.BACKGROUND)

    def refresh_soon(self) -> None:
        """Asks for the list, on behalf of whoever waits: `refreshed` then waits for it."""
        self._refresh_soon(Priority.PEOPLE)

    def refreshed(self, timeout_s: float, priority: Priority = Priority.PEOPLE) -> CIError | None:
        """Asks again, where it is time to, and waits. Returns why the list may be old: for this asker, it is too slow.

        Raises that reason where no list could ever be read.
        """
        timeout_s = max(timeout_s, 0.0)
        refresh = self._refresh_soon(priority)
        if (
            refresh is not None
            and wait([refresh], timeout=timeout_s).done
            and self._was_refused_in_the_background(priority)
        ):
            refresh = self._refresh_soon(priority)
        if refresh is not None and wait([refresh], timeout=timeout_s).not_done:
            failure: CIError | None = NoResponse(self._provider.title, f"no project list within {timeout_s:.0f} s")
        else:
            failure = self.last_failure
        if self._index.at is None:
            raise failure or NoResponse(self._provider.title, "its project list has not been read yet")
        return failure

    def _refresh_soon(self, priority: Priority) -> Future[None] | None:
        """The refresh under way, or a new one; None where the last was less than 30 s ago."""
        with self._lock:
            if self._refresh is not None and not self._refresh.done():
                return self._refresh
            now = self._clock.monotonic()
            recently = self._asked_at is not None and now - self._asked_at < RETRY_AFTER_S
            if recently and not self._was_refused_in_the_background(priority):
                return None
            self._asked_at = now
            self._refreshed_for = priority
            self._refresh = self._executor.submit(self._refresh_for, priority)
            return self._refresh

    def _refresh_for(self, priority: Priority) -> None:
        with charged_to(CallBudget(priority)):
            self.refresh()

    def _was_refused_in_the_background(self, priority: Priority) -> bool:
        """Whether the last refresh asked nothing, for want of calls, and people may have what it had not."""
        refused = isinstance(self.last_failure, RateLimitExhausted | RateLimitPaused)
        return refused and self._refreshed_for is Priority.BACKGROUND and priority is Priority.PEOPLE

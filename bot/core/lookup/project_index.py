"""The projects of one CI service by name: cached in memory and in the store, refreshed in the background or on a miss.

Listing projects is expensive, so it happens at most once in `RETRY_AFTER_S`, however many names are missing. A bot that
starts while the service is down uses the stored list.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.model.builds import Project
from bot.core.model.errors import CIError, NoResponse, NoSuchProject, RateLimitExhausted, RateLimitPaused
from bot.core.model.rate_limit import Priority
from bot.core.ports import CIProvider, Clock, NameMatcher, ProjectStore
from bot.core.rate_limiter import CallAllowance, charged_to

CACHE_TTL_S = 600.0
RETRY_AFTER_S = 30.0
NEAREST = 5


@dataclass(frozen=True, slots=True)
class _Index:
    """One version of the list, replaced as a whole. Names are compared in lower case."""

    projects: tuple[Project, ...] = ()
    at: datetime | None = None
    by_id: dict[str, Project] = field(default_factory=dict)
    by_name: dict[str, list[Project]] = field(default_factory=dict)
    by_short_name: dict[str, list[Project]] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    short_names: tuple[str, ...] = ()

    @classmethod
    def of(cls, projects: Iterable[Project], at: datetime | None) -> _Index:
        once = {project.id: project for project in projects}  # listed twice, a project would be ambiguous
        in_order = tuple(sorted(once.values(), key=lambda project: project.name.lower()))
        by_name: dict[str, list[Project]] = {}
        by_short_name: dict[str, list[Project]] = {}
        for project in in_order:
            name = project.name.lower()
            by_name.setdefault(name, []).append(project)
            by_short_name.setdefault(name.rpartition("/")[2], []).append(project)
        by_id = {project.id: project for project in in_order}
        return cls(in_order, at, by_id, by_name, by_short_name, tuple(by_name), tuple(by_short_name))

    def named(self, name: str) -> list[Project]:
        """The projects for `org/name` or `name`, in any case."""
        return self.by_name.get(name.lower()) or self.by_short_name.get(name.lower()) or []


class ProjectIndex:
    """`executor` runs the list call; `nearest` finds similar names; `listed` is called after each new list.

    The executor reports errors of a refresh other than CIError, such as a store that is down. The names are known by
    then, and perhaps no caller is waiting.
    """

    def __init__(
        self,
        provider: CIProvider,
        store: ProjectStore,
        executor: Executor,
        clock: Clock,
        nearest: NameMatcher,
        listed: Callable[[], None] = lambda: None,
    ) -> None:
        self._provider = provider
        self._store = store
        self._executor = executor
        self._clock = clock
        self._nearest = nearest
        self._listed = listed
        self._lock = threading.Lock()
        self._index = _Index()
        self._asked_at: float | None = None
        self._refresh: Future[None] | None = None
        self._refreshed_for = Priority.BACKGROUND
        self.last_failure: CIError | None = None

    def start(self) -> None:
        """Loads the stored list, and refreshes it in the background."""
        self._use(_Index.of(*self._store.load_projects(self._provider.service)))
        self._refresh_soon(Priority.BACKGROUND)

    def named(self, name: str) -> list[Project]:
        """The known projects for `org/name` or `name`, in any case. Makes no call."""
        return self._index.named(name)

    def holding(self, words: str) -> list[Project]:
        """The known projects whose names contain all words, in any case, by name. Makes no call."""
        parts = words.lower().split()
        return [p for p in self._index.projects if all(word in p.name.lower() for word in parts)]

    def known(self, project_id: str) -> Project | None:
        """The known project with this id. Makes no call."""
        return self._index.by_id.get(project_id)

    def alike(self, typed: str) -> list[Project]:
        """The known projects with the most similar names, best first, at most `NEAREST`."""
        index, word = self._index, typed.lower()
        table, names = (index.by_name, index.names) if "/" in word else (index.by_short_name, index.short_names)
        near = self._nearest(word, names, limit=NEAREST)
        return [project for name in near for project in table[name]][:NEAREST]

    def by_id(self, project_id: str, *, timeout_s: float, priority: Priority = Priority.PEOPLE) -> Project:
        """The project with this id. Raises NoSuchProject, and CIError if the list was never read."""
        project = self._index.by_id.get(project_id)
        if project is not None:
            return project
        stale_because = self.refreshed(timeout_s, priority)
        index = self._index
        if project_id not in index.by_id:
            raise NoSuchProject(f"project {project_id}", known=len(index.projects), stale_because=stale_because)
        return index.by_id[project_id]

    def matching(self, words: str, *, timeout_s: float) -> list[Project]:
        """The projects whose names contain all words, in any case, by name.

        Raises CIError if the list was never read.
        """
        if self._index.at is None:
            self.refreshed(timeout_s)
        self.refresh_if_stale()
        return self.holding(words)

    def wait_idle(self, timeout_s: float) -> bool:
        """Whether no refresh is running; waits up to `timeout_s` seconds for its end."""
        refresh = self._refresh
        return refresh is None or not wait([refresh], timeout=timeout_s).not_done

    @property
    def size(self) -> int:
        return len(self._index.projects)

    @property
    def age_s(self) -> float | None:
        """Seconds since the list was read from the service; None if it never was."""
        at = self._index.at
        return None if at is None else max(0.0, (self._clock.now() - at).total_seconds())

    def refresh(self) -> None:
        """Reads the list from the service in this thread. Raises CIError and then keeps the current list."""
        try:
            projects = self._provider.projects()
        except CIError as failure:
            self.last_failure = failure
            raise
        now = self._clock.now()
        self._use(_Index.of(projects, now))
        self.last_failure = None
        self._listed()
        self._store.save_projects(self._provider.service, projects, now)

    def _use(self, index: _Index) -> None:
        for names in (index.names, index.short_names):
            self._nearest("", names, limit=1)  # what it prepares for the names is then ready for people
        self._index = index

    def refresh_if_stale(self) -> None:
        """Starts a refresh in the background if the list is older than `CACHE_TTL_S`."""
        age = self.age_s
        if age is None or age > CACHE_TTL_S:
            self._refresh_soon(Priority.BACKGROUND)

    def refresh_soon(self) -> None:
        """Starts a refresh for people; `refreshed` then waits for it."""
        self._refresh_soon(Priority.PEOPLE)

    def refreshed(self, timeout_s: float, priority: Priority = Priority.PEOPLE) -> CIError | None:
        """Refreshes the list if it is time to, and waits. Returns why the list may be outdated, or None.

        Slower than `timeout_s` is such a reason. Raises the reason if the list was never read.
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
            failure: CIError | None = NoResponse(
                self._provider.title, f"no project list within {timeout_s:.0f} s", timed_out=True
            )
        else:
            failure = self.last_failure
        if self._index.at is None:
            raise failure or NoResponse(self._provider.title, "its project list has not been read yet")
        return failure

    def _refresh_soon(self, priority: Priority) -> Future[None] | None:
        """The running refresh, or a new one; None if the last began less than `RETRY_AFTER_S` seconds ago."""
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
        with charged_to(CallAllowance(priority)):
            self.refresh()

    def _was_refused_in_the_background(self, priority: Priority) -> bool:
        """Whether the last refresh was refused by the rate limit for background work, and people may make the call."""
        refused = isinstance(self.last_failure, RateLimitExhausted | RateLimitPaused)
        return refused and self._refreshed_for is Priority.BACKGROUND and priority is Priority.PEOPLE

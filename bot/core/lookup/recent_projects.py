"""The repositories that each person asked about last: in memory for typeahead, and in the store for other processes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

from bot.core.lookup.ci_registry import CIRegistry
from bot.core.model.builds import Actor, Project
from bot.core.ports import RecentProjectStore

KEPT = 10
"""Repositories of one person."""
PEOPLE_CACHED = 5000


class RecentProjects:
    """Thread-safe. `later` runs work in the background, or drops it if there is too much to do."""

    def __init__(
        self, store: RecentProjectStore, services: CIRegistry, later: Callable[[Callable[[], None]], None]
    ) -> None:
        self._store = store
        self._services = services
        self._later = later
        self._lock = threading.Lock()
        self._cached: OrderedDict[str, Sequence[tuple[str, str]]] = OrderedDict()

    def use(self, actor: Actor, project: Project) -> None:
        """The person asked about the project. Returns at once; stored in the background if it was another before."""
        if self._keys(actor)[:1] != [(project.service, project.id)]:
            self._later(lambda: self._use(actor, project))

    def load(self, actor: Actor) -> list[Project]:
        """The person's repositories, the latest first, from the store. Those that are no longer known are left out."""
        keys = self._store.last(actor, KEPT)
        with self._lock:
            self._cached[actor.id] = keys
            self._cached.move_to_end(actor.id)
            while len(self._cached) > PEOPLE_CACHED:
                self._cached.popitem(last=False)
        return self.cached(actor)

    def cached(self, actor: Actor) -> list[Project]:
        """The same from memory alone; empty if it was never loaded."""
        found = [self._services.known(service, project_id) for service, project_id in self._keys(actor)]
        return [project for project in found if project is not None]

    def _keys(self, actor: Actor) -> list[tuple[str, str]]:
        with self._lock:
            return list(self._cached.get(actor.id, ()))

    def _use(self, actor: Actor, project: Project) -> None:
        self._store.use(actor, project)
        self.load(actor)

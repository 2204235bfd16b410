"""The configured CI services, and which of them a name, a page or a button belongs to.

A repository belongs to the service that has it. If several have one of that name, a pin or `name@service` decides; else
the user is asked. If one service is down, the others' repositories are still found.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from bot.core.actions.service import ActionService
from bot.core.build_fetcher import BuildFetcher
from bot.core.lookup.project_index import NEAREST, ProjectIndex
from bot.core.lookup.repo_urls import builds_named, page_in, split_branch
from bot.core.model.builds import Page, Project
from bot.core.model.command_values import Word
from bot.core.model.errors import AmbiguousProject, CIError, NoSuchProject, NotFound
from bot.core.model.names.name_patterns import NamePattern
from bot.core.ports import CIProvider, Clock, NameMatcher

OTHERS_WAIT_S = 4.0
"""Seconds that known lists wait for one that was never read."""


@dataclass(frozen=True, slots=True)
class CIContext:
    """One CI service with its caches and its actions."""

    provider: CIProvider
    project_index: ProjectIndex
    fetcher: BuildFetcher
    actions: ActionService

    @property
    def name(self) -> str:
        return self.provider.service


@dataclass(frozen=True, slots=True)
class Pin:
    """Repositories that match `names` belong to `service` if several services have them."""

    names: NamePattern
    service: str


@dataclass(frozen=True, slots=True)
class RepoMatch:
    """Which repository is meant, and what a pasted address names of it besides: a branch, or what `page` shows."""

    project: Project
    branch: Word | None = None
    page: Page | None = None


def _match(project: Project, page: Page | None, branches: Sequence[str]) -> RepoMatch:
    shows = page is not None and (page.build_id or page.commit or page.pull_request is not None or page.is_unclear)
    return RepoMatch(project, Word.of(*branches) if branches else None, page if shows else None)


def _as_typed(name: str, typed: str) -> str:
    """The name to compare with the typed one: without its `org/` if that has none."""
    return name.lower() if "/" in typed else name.lower().rpartition("/")[2]


def _vagueness(page: Page) -> int:
    """Smaller for a page that says more."""
    if page.build_id or page.commit or page.pull_request is not None:
        return 0
    return 2 if page.is_unclear else 1


class CIRegistry:
    """`services` in configuration order, at least one. The first pin that matches decides."""

    def __init__(
        self,
        services: Sequence[CIContext],
        nearest: NameMatcher,
        clock: Clock,
        *,
        pins: Sequence[Pin] = (),
    ) -> None:
        self._services = {service.name: service for service in services}
        self._nearest = nearest
        self._pins = tuple(pins)
        self._clock = clock

    def __iter__(self) -> Iterator[CIContext]:
        return iter(self._services.values())

    def __len__(self) -> int:
        return len(self._services)

    @property
    def names(self) -> Collection[str]:
        """The services' names."""
        return self._services.keys()

    def of(self, name: str) -> CIContext:
        """The service of that name. Raises NotFound: a stored name may belong to a service that is no longer
        configured.
        """
        if name not in self._services:
            title = next(iter(self)).provider.title
            raise NotFound(title, "it belongs to a CI service that is no longer set up here")
        return self._services[name]

    def resolve(self, repo: Word, *, timeout_s: float, for_certain: bool = False) -> RepoMatch:
        """The repository that a user's word refers to. Raises NoSuchProject, AmbiguousProject, CIError.

        With `for_certain`, an action depends on it: a service whose list was never read is then an error.
        """
        deadline = self._clock.monotonic() + timeout_s
        pages = [
            (service, page) for service in self for page in map(service.provider.parse_url, repo.spellings) if page
        ]
        if pages:
            # A build's URL with a full stop after it may also parse as its project's. The more specific page is meant.
            service, page = min(pages, key=lambda pair: _vagueness(pair[1]))
            branches = [each.branch for _service, each in pages if each.branch]
            return _match(self._on_page(service, page, deadline), page, branches)
        names, said, pasted = self._read(repo)
        try:
            project = self._find(names, deadline, for_certain=for_certain)
        except (NoSuchProject, AmbiguousProject) as error:
            error.branch = said[-1] if said else None
            raise
        return _match(project, min(pasted, key=_vagueness, default=None), said)

    def knows(self, repo: Word) -> bool:
        """Whether the word is a page of a CI service, or names a repository in the lists as they are. Makes no call."""
        is_page = any(service.provider.parse_url(spelling) for service in self for spelling in repo.spellings)
        return is_page or bool(self._named(self._read(repo)[0]))

    def nearest_name(self, repo: Word) -> str | None:
        """The name of the known repository that is most similar to the word; None if none is."""
        nearest = self._nothing_named(self._read(repo)[0], {}).nearest
        return nearest[0].name if nearest else None

    def with_build(self, word: Word) -> dict[Project, Page]:
        """The repositories that have a build of this number or commit among those the bot has seen, and its page."""
        pages = {page: None for spelling in word.spellings for page in builds_named(spelling)}
        return {build.project: page for page in pages for service in self for build in service.fetcher.seen_on(page)}

    def _read(self, repo: Word) -> tuple[Sequence[str], Sequence[str], Sequence[Page]]:
        """The names that a word may have for a repository, the branches in it, and the pages it is an address of."""
        pasted = [page for page in map(page_in, repo.spellings) if page]
        if pasted:
            return [page.name for page in pasted if page.name], [page.branch for page in pasted if page.branch], pasted
        parts = [split_branch(spelling, self._services) for spelling in repo.spellings]
        return [name for name, _branch in parts], [branch for _name, branch in parts if branch], ()

    def matching(self, words: str, *, timeout_s: float) -> tuple[list[Project], list[tuple[CIContext, CIError]]]:
        """Projects whose names contain all words, by name, and the services whose lists could not be refreshed.

        Raises CIError if no service's list was ever read.
        """
        deadline = self._clock.monotonic() + timeout_s
        result: list[Project] = []
        failed: list[tuple[CIContext, CIError]] = []
        for service in self:
            service.project_index.refresh_if_stale()  # starts all refreshes before waiting for the first
        is_known = any(service.project_index.age_s is not None for service in self)
        for service in self:
            left_s = self._left(deadline)
            try:
                result += service.project_index.matching(
                    words, timeout_s=min(left_s, OTHERS_WAIT_S) if is_known else left_s
                )
            except CIError as failure:
                failed.append((service, failure))
            else:
                if (why := service.project_index.last_failure) is not None:
                    failed.append((service, why))
        if not any(service.project_index.age_s is not None for service in self):
            raise failed[0][1]
        here = [project for project in result if self._is_at_home(project)]
        return sorted(here, key=lambda project: (project.name.lower(), project.service)), failed

    def suggested(self, words: str, first: Sequence[Project], *, limit: int) -> list[Project]:
        """What typed words may mean, from memory alone: of `first` those that contain them, then others, then similar.

        At most `limit`; without words, `first` and then the others by name.
        """
        parts = words.lower().split()
        found = [project for project in first if all(word in project.name.lower() for word in parts)]
        holding = [project for service in self for project in service.project_index.holding(words)]
        found += sorted(holding, key=lambda project: (project.name.lower(), project.service))
        if parts and len(found) < limit:
            found += [project for service in self for project in service.project_index.alike("".join(parts))]
        return list(dict.fromkeys(found))[:limit]

    def known(self, service: str, project_id: str) -> Project | None:
        """The project, from memory alone; None if it, or its service, is not known."""
        context = self._services.get(service)
        return context.project_index.known(project_id) if context else None

    def named(self, name: str) -> Project | None:
        """The one project with that name, from memory alone; None if there is none, or more than one."""
        found = self._named([name])
        return found[0] if len(found) == 1 else None

    def shown(self, url: str) -> Page | None:
        """What an address shows of a known repository, with its name, from memory alone."""
        for service in self:
            page = service.provider.parse_url(url)
            if page is None:
                continue
            index = service.project_index
            project = index.known(page.project_id) if page.project_id else None
            found = [project] if project else index.named(page.name or "")
            if found:
                return replace(page, name=found[0].name)
        page = page_in(url)
        return page if page and page.name and self._named([page.name]) else None

    def _on_page(self, service: CIContext, page: Page, deadline: float) -> Project:
        if page.project_id is not None:
            return service.project_index.by_id(page.project_id, timeout_s=self._left(deadline))
        return self._find([f"{page.name}@{service.name}"], deadline)

    def _find(self, names: Sequence[str], deadline: float, *, for_certain: bool = False) -> Project:
        """The one project that a name refers to: `org/name` or `name`, in any case. Tries the names in order."""
        result = self._named(names)
        failures: dict[str, CIError] = {}
        if result:
            for service in self:
                service.project_index.refresh_if_stale()
        if not result or self._not_known_of(names, result, for_certain=for_certain):
            failures = self._refreshed(deadline)
            result = self._named(names)
        if result and (away := self._not_known_of(names, result, for_certain=for_certain)):
            raise failures[away]
        match result:
            case [project]:
                return project
            case []:
                raise self._nothing_named(names, failures)
            case _:
                raise AmbiguousProject(names[0], result)

    def _named(self, names: Sequence[str]) -> list[Project]:
        """Projects for the first name that has any. If several match, only those in exactly this spelling."""
        for typed in names:
            name, services = self._parted(typed)
            result = [project for service in services for project in service.project_index.named(name)]
            if len(services) > 1:
                result = [project for project in result if self._is_at_home(project)]
            if result:
                return [project for project in result if project.name == name] or result
        return []

    def _parted(self, name: str) -> tuple[str, Sequence[CIContext]]:
        """Splits `acme/web@github` into the name and the services that may have it."""
        before, _, after = name.rpartition("@")
        if before and after.lower() in self._services:
            return before, [self._services[after.lower()]]
        return name, list(self)

    def _is_at_home(self, project: Project) -> bool:
        """Whether no pin gives the project's name to another service that has a repository of that name."""
        pinned = self._pinned(project.name)
        if pinned is None or pinned.name == project.service:
            return True
        return all(other.name.lower() != project.name.lower() for other in pinned.project_index.named(project.name))

    def _not_known_of(self, names: Sequence[str], found: Sequence[Project], *, for_certain: bool) -> str | None:
        """A service that may have one of the repositories, but whose list was never read; None if there is none.

        That is a service with a pin for it or, with `for_certain`, any other service.
        """
        if any(len(self._parted(name)[1]) == 1 for name in names):  # the service is named, or is the only one
            return None
        for project in found:
            pinned = self._pinned(project.name)
            may_have_it = [pinned] if pinned is not None else list(self) if for_certain else []
            for service in may_have_it:
                if service.name != project.service and service.project_index.age_s is None:
                    return service.name
        return None

    def _pinned(self, name: str) -> CIContext | None:
        for pin in self._pins:
            if pin.names.matches(name, any_case=True):
                return self._services.get(pin.service)
        return None

    def _refreshed(self, deadline: float) -> dict[str, CIError]:
        """Refreshes every service's list at the same time. Returns the error of each list that may be outdated.

        Raises an error only if no list was ever read.
        """
        failures: dict[str, CIError] = {}
        for service in self:
            service.project_index.refresh_soon()
        for service in self:
            try:
                failure = service.project_index.refreshed(self._left(deadline))
            except CIError as never_read:
                failure = never_read
            if failure is not None:
                failures[service.name] = failure
        if all(service.project_index.age_s is None for service in self):
            raise next(iter(failures.values()))
        return failures

    def _nothing_named(self, names: Sequence[str], failures: dict[str, CIError]) -> NoSuchProject:
        typed, services = self._parted(names[-1])
        alike = [project for service in services for project in service.project_index.alike(typed)]
        if len(services) > 1:
            named = {project: _as_typed(project.name, typed) for project in alike}
            likest = self._nearest(typed.lower(), list(dict.fromkeys(named.values())), limit=NEAREST)
            alike = [project for name in likest for project in alike if named[project] == name]
            alike = [project for project in alike if self._is_at_home(project)]
        elsewhere = [
            project for service in self if service not in services for project in service.project_index.named(typed)
        ]
        alike = [*elsewhere, *alike]
        stale = [failures[service.name] for service in services if service.name in failures]
        known = sum(service.project_index.size for service in services)
        hidden = [id_ for service in services for id_ in service.provider.hidden_organizations]
        return NoSuchProject(
            names[0], alike[:NEAREST], known=known, stale_because=stale[0] if stale else None, hidden=hidden
        )

    def _left(self, deadline: float) -> float:
        return deadline - self._clock.monotonic()

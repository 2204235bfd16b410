"""Finds the builds that words, a pasted URL or a button refer to. Knows neither Slack nor HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bot.core.authorization import Authorizer
from bot.core.build_fetcher import Snapshot
from bot.core.lookup.ci_registry import CIRegistry
from bot.core.lookup.repo_urls import may_be_branch
from bot.core.model.builds import Build, BuildRef, Project, branches_of
from bot.core.model.commands import BranchCommand, BuildCommand, Word, entry_for
from bot.core.model.errors import BotError, BuildTooOld, NoSuchBranch
from bot.core.request import UserRequest


def build_of(target: BuildRef, snapshot: Snapshot, service: str) -> Build:
    """The button's build in the snapshot. Raises BuildTooOld if the snapshot does not have it."""
    for build in snapshot.builds:
        if build.is_named(target.build_id):
            return build
    raise BuildTooOld(service)


SPELLINGS_TRIED = 4
"""Each spelling of a branch may cost a call."""


@dataclass(frozen=True, slots=True)
class BuildLookupResult:
    """The builds that the words refer to, newest first, and the snapshot that has them."""

    project: Project
    branch: str | None
    builds: tuple[Build, ...]
    snapshot: Snapshot


class BuildLookup:
    """Finds builds. Errors carry in `about` what was found before they occurred."""

    def __init__(self, services: CIRegistry, authorizer: Authorizer) -> None:
        self._services = services
        self._authorizer = authorizer

    def find(self, command: BranchCommand, request: UserRequest) -> BuildLookupResult:
        """The builds that the words refer to. Raises NoSuchProject, AmbiguousProject, NoSuchBranch, CIError.

        Raises NotAllowed before it fetches anything if the words alone show that the asker may not do it.
        """
        certain = entry_for(command.verb).changes_something
        meant = self._services.resolve(command.repo, timeout_s=request.seconds_left, for_certain=certain)
        project, branch = meant.project, command.branch or meant.branch
        with about(project):
            if meant.build_id is not None:
                return self._find_build(project, meant.build_id, request)
            if branch is not None and len(branch.spellings) == 1:
                self._authorizer.check(request, command.verb, project.name, branch.exact)
            return self._find_branch(project, branch, request)

    def find_build_ref(self, command: BuildCommand, request: UserRequest) -> tuple[Build, Snapshot]:
        """The build that a button names. Raises BuildTooOld, NoSuchProject, CIError.

        Raises NotAllowed before it fetches anything if the button alone shows that the asker may not do it.
        """
        target = command.target
        service = self._services.of(target.service)  # ids belong to one service: another may use the same ones
        project = service.project_index.by_id(target.project_id, timeout_s=request.seconds_left)
        with about(project):
            if target.branch is not None:
                self._authorizer.check(request, command.verb, project.name, target.branch)
            snapshot = service.fetcher.builds(
                project, target.branch, timeout_s=request.seconds_left, budget=request.budget
            )
            return build_of(target, snapshot, service.provider.title), snapshot

    def _find_build(self, project: Project, build_id: str, request: UserRequest) -> BuildLookupResult:
        """The build whose page was pasted."""
        service = self._services.of(project.service)
        snapshot = service.fetcher.builds(project, None, timeout_s=request.seconds_left, budget=request.budget)
        build = build_of(BuildRef(project.service, project.id, build_id=build_id), snapshot, service.provider.title)
        return BuildLookupResult(project, build.branch, (build,), snapshot)

    def _find_branch(self, project: Project, branch: Word | None, request: UserRequest) -> BuildLookupResult:
        fetcher = self._services.of(project.service).fetcher
        for name in [name for name in branch.spellings if may_be_branch(name)][:SPELLINGS_TRIED] if branch else []:
            snapshot = fetcher.builds(project, name, timeout_s=request.seconds_left, budget=request.budget)
            builds = tuple(replace(build, branch=name) for build in snapshot.builds if build.branch in (name, None))
            if builds:
                return BuildLookupResult(project, name, builds, snapshot)
        snapshot = fetcher.builds(project, None, timeout_s=request.seconds_left, budget=request.budget)
        if branch is not None and snapshot.builds:
            raise NoSuchBranch(project, branch.cleanest, branches_of(snapshot.builds))
        return BuildLookupResult(project, None, snapshot.builds, snapshot)


@contextmanager
def about(found: Project | Build) -> Iterator[None]:
    """Sets `about` on a BotError raised within, unless it has one."""
    try:
        yield
    except BotError as error:
        error.about = error.about or found
        raise

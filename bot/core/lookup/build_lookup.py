"""Finds the builds that words, a pasted URL or a button refer to. Knows neither Slack nor HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from bot.core.authorization import Authorizer
from bot.core.build_fetcher import Snapshot
from bot.core.lookup.ci_registry import CIRegistry, RepoMatch
from bot.core.lookup.repo_urls import builds_named, may_be_branch
from bot.core.model.builds import Actor, Build, BuildRef, Page, Project, branches_of, find_build, newest_of_each
from bot.core.model.command_values import BranchCommand, BuildCommand, Word
from bot.core.model.commands import entry_for, nearest_verb, unknown_command
from bot.core.model.errors import (
    AmbiguousProject,
    BotError,
    BranchRequired,
    BuildTooOld,
    CIError,
    NoSuchBranch,
    NoSuchProject,
    NotFound,
)
from bot.core.request import UserRequest


def build_of(target: BuildRef, snapshot: Snapshot, service: str) -> Build:
    """The button's build in the snapshot. Raises BuildTooOld if the snapshot does not have it."""
    build = find_build(snapshot.builds, target.build_id) if target.build_id is not None else None
    if build is None:
        raise BuildTooOld(service)
    return build


PROJECTS_ASKED, PROJECT_ASKED_S = 4, 3.0
"""Of how many repositories, and for how many seconds each, a build is looked for that the bot has not seen."""

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
    """Finds builds. Errors carry in `about` what was found before they occurred.

    `used` is called with who asked about which repository, and returns at once. `recent` returns the repositories that
    a person asked about, the latest first.
    """

    def __init__(
        self,
        services: CIRegistry,
        authorizer: Authorizer,
        used: Callable[[Actor, Project], None] = lambda _actor, _project: None,
        recent: Callable[[Actor], Sequence[Project]] = lambda _actor: (),
    ) -> None:
        self._recent = recent
        self._services = services
        self._authorizer = authorizer
        self._used = used

    def find(self, command: BranchCommand, request: UserRequest) -> BuildLookupResult:
        """The builds that the words refer to. Raises NoSuchProject, AmbiguousProject, NoSuchBranch, CIError.

        Raises NotAllowed before it fetches anything if the words alone show that the asker may not do it.
        """
        meant = self.resolve(command, request)
        project, branch = meant.project, meant.branch
        self._used(request.actor, project)
        with about(project):
            if branch is None and meant.page is not None:
                found = self._find_on_page(project, meant.page, request)
                if found is not None:
                    return found
                branch = self._branch_of_page(project, meant.page, request)
            if branch is not None and len(branch.spellings) == 1 and not builds_named(branch.exact):
                self._authorizer.check(request, command.verb, project.name, branch.exact)
            return self._find_branch(project, branch, request)

    def resolve(self, command: BranchCommand, request: UserRequest) -> RepoMatch:
        """The repository, and the branch if one was said. Either word of the command may be the repository.

        It may also be a build number or a short sha: one that the bot has seen, or of the asker's last repositories.
        Raises NoSuchProject, AmbiguousProject, CIError, and NotUnderstood for a guess that names nothing.
        """
        repo, branch = command.repo, command.branch
        if not self._services.knows(repo):
            having = self._with_build(repo, request) if branch is None else {}
            if len(having) == 1:
                [(project, page)] = having.items()
                return RepoMatch(project, page=page)
            if having:
                raise AmbiguousProject(repo.cleanest, list(having), branch=repo.cleanest)
            is_typo = command.is_guess and nearest_verb(repo) is not None
            if branch is not None and not is_typo and self._services.knows(branch):
                repo, branch = branch, repo
            elif command.is_guess:
                words = [repo] if branch is None else [repo, branch]
                raise unknown_command(words, self._services.nearest_name(repo))
        certain = entry_for(command.verb).changes_something
        try:
            meant = self._services.resolve(repo, timeout_s=request.seconds_left, for_certain=certain)
        except (NoSuchProject, AmbiguousProject) as error:
            error.branch = branch.cleanest if branch else error.branch
            raise
        return replace(meant, branch=branch or meant.branch)

    def _with_build(self, word: Word, request: UserRequest) -> Mapping[Project, Page]:
        """The repositories that have a build of this number or commit, and its page. Asks only if none is known."""
        pages = [page for spelling in word.spellings for page in builds_named(spelling)]
        if not pages or (having := self._services.with_build(word)):
            return having if pages else {}
        for project in self._recent(request.actor)[:PROJECTS_ASKED]:
            timeout_s = min(PROJECT_ASKED_S, request.seconds_left / 2)
            with suppress(CIError):  # the next repository may have it; if none has, the answer says so
                fetcher = self._services.of(project.service).fetcher
                fetcher.builds(project, None, timeout_s=timeout_s, allowance=request.allowance)
                if having := self._services.with_build(word):
                    return having
                for page in pages:
                    located = fetcher.locate(project, page, timeout_s=timeout_s, allowance=request.allowance)
                    if located is not None and located.branch is not None:
                        return {project: page}
        return {}

    def find_build_ref(self, command: BuildCommand, request: UserRequest) -> tuple[Build, Snapshot]:
        """The build that a button names. Raises BuildTooOld, NoSuchProject, CIError.

        Raises NotAllowed before it fetches anything if the button alone shows that the asker may not do it.
        """
        target = command.target
        service = self._services.of(target.service)  # ids belong to one service: another may use the same ones
        project = service.project_index.by_id(target.project_id, timeout_s=request.seconds_left)
        self._used(request.actor, project)
        with about(project):
            if target.branch is not None:
                self._authorizer.check(request, command.verb, project.name, target.branch)
            snapshot = service.fetcher.builds(
                project, target.branch, timeout_s=request.seconds_left, allowance=request.allowance
            )
            return build_of(target, snapshot, service.provider.title), snapshot

    def _find_on_page(
        self, project: Project, page: Page, request: UserRequest, seen: Snapshot | None = None
    ) -> BuildLookupResult | None:
        """Exactly one build, whose page was pasted; None if the page is of no build and of no commit.

        It is looked for among the last builds (`seen`, if they were just fetched), then on the branch that the service
        names. Raises BuildTooOld.
        """
        if page.build_id is None and page.commit is None:
            return None
        service = self._services.of(project.service)
        snapshot = seen or service.fetcher.builds(
            project, None, timeout_s=request.seconds_left, allowance=request.allowance
        )
        found = _on_page(page, project, snapshot)
        if found is None:
            located = service.fetcher.locate(project, page, timeout_s=request.seconds_left, allowance=request.allowance)
            if located is None or located.branch is None:
                raise BuildTooOld(service.provider.title)
            snapshot = service.fetcher.builds(
                project, located.branch, timeout_s=request.seconds_left, allowance=request.allowance
            )
            found = _on_page(page, project, snapshot)
        if found is None:
            raise BuildTooOld(service.provider.title)
        return BuildLookupResult(project, found.branch, (found,), snapshot)

    def _branch_of_page(self, project: Project, page: Page, request: UserRequest) -> Word:
        """The branch that a pasted page is of. Raises BranchRequired if it is unknown: no branch is guessed.

        Raises NoSuchBranch if the page is of a pull request that does not exist.
        """
        fetcher, number, is_missing = self._services.of(project.service).fetcher, page.pull_request, False
        if number is not None:
            try:
                located = fetcher.locate(project, page, timeout_s=request.seconds_left, allowance=request.allowance)
                if located is not None and located.branch is not None:
                    return Word.of(located.branch)
            except NotFound:
                is_missing = True
        snapshot = fetcher.builds(project, None, timeout_s=request.seconds_left, allowance=request.allowance)
        branches = branches_of(snapshot.builds)
        if is_missing:
            raise NoSuchBranch(project, f"#{number}", branches, number)
        raise BranchRequired(project, branches)

    def _find_branch(self, project: Project, branch: Word | None, request: UserRequest) -> BuildLookupResult:
        fetcher = self._services.of(project.service).fetcher
        for name in [name for name in branch.spellings if _may_be_asked(name)][:SPELLINGS_TRIED] if branch else []:
            snapshot = fetcher.builds(project, name, timeout_s=request.seconds_left, allowance=request.allowance)
            builds = tuple(replace(build, branch=name) for build in snapshot.builds if build.branch in (name, None))
            if builds:
                return BuildLookupResult(project, name, builds, snapshot)
        snapshot = fetcher.builds(project, None, timeout_s=request.seconds_left, allowance=request.allowance)
        for page in [page for name in branch.spellings for page in builds_named(name)] if branch else []:
            with suppress(BuildTooOld):
                if found := self._find_on_page(project, page, request, snapshot):
                    return found
        if branch is not None and snapshot.builds:
            raise NoSuchBranch(project, branch.cleanest, branches_of(snapshot.builds))
        return BuildLookupResult(project, None, snapshot.builds, snapshot)


def _on_page(page: Page, project: Project, snapshot: Snapshot) -> Build | None:
    """The build that the page shows. Raises BranchRequired if its commit has builds on several branches."""
    if page.build_id is not None:
        return find_build(snapshot.builds, page.build_id)
    of_commit = [build for build in snapshot.builds if build.is_on(page)]
    if len(newest_of_each(of_commit)) > 1:
        raise BranchRequired(project, branches_of(of_commit))
    return of_commit[0] if of_commit else None


def _may_be_asked(name: str) -> bool:
    """Whether it may be a branch, or a fork's as `owner:branch`."""
    return may_be_branch(name.rpartition(":")[2])


@contextmanager
def about(found: Project | Build) -> Iterator[None]:
    """Sets `about` on a BotError raised within, unless it has one."""
    try:
        yield
    except BotError as error:
        error.about = error.about or found
        raise

"""What people can ask for. No Slack and no HTTP in here: commands in, outcomes out, mistakes and failures raised."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.addresses import repository_in
from bot.core.asking import Ask
from bot.core.branches import branches_of, may_be_branch, newest_of_each
from bot.core.claims import UNCLAIMED
from bot.core.commands import (
    BuildsOf,
    Command,
    ListProjects,
    RestartBuild,
    RestartOf,
    ShowBuild,
    ShowHelp,
    StatusOf,
)
from bot.core.directory import Directory
from bot.core.errors import NoSuchBranch, NotThere, WhichBranch
from bot.core.looks import Look, Looks
from bot.core.model import Build, Project, Target
from bot.core.outcomes import (
    BranchesShown,
    BuildShown,
    BuildsShown,
    HelpShown,
    NoBuilds,
    Outcome,
    ProjectsShown,
)
from bot.core.ports import CIProvider
from bot.core.restarts import Restarts, build_of
from bot.core.words import Word

PROJECTS_A_PAGE = 20
BUILDS_SHOWN = 10
SPELLINGS_TRIED = 4
"""Each spelling of a branch may cost a call."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What a person's words mean: builds to speak of, newest first, and the look that showed them."""

    project: Project
    branch: str | None
    builds: tuple[Build, ...]
    look: Look


class Operations:
    """Everything that can be asked for, for one CI service."""

    def __init__(self, provider: CIProvider, directory: Directory, looks: Looks, restarts: Restarts) -> None:
        self._provider = provider
        self._directory = directory
        self._looks = looks
        self._restarts = restarts

    def carry_out(self, command: Command, ask: Ask) -> Outcome:
        """Does what was asked. Raises Mistake and CIError; after either, nothing was restarted."""
        match command:
            case StatusOf(repo, branch):
                return self._status(repo, branch, ask)
            case ShowBuild(target):
                return self._show(target, ask)
            case RestartOf(repo, branch):
                return self._restart(repo, branch, ask)
            case RestartBuild(target, instead_of):
                return self._restart_build(target, instead_of, ask)
            case BuildsOf(repo, branch):
                return self._builds(repo, branch, ask)
            case ListProjects(words, page):
                return self._projects(words, page, ask)
            case ShowHelp(topic):
                return HelpShown(topic)

    def _status(self, repo: Word, branch: Word | None, ask: Ask) -> Outcome:
        found = self._find(repo, branch, ask)
        if not found.builds:
            return NoBuilds(found.project)
        if found.branch is not None:
            return self._shown(found.builds[0], found.look)
        newest = newest_of_each(found.builds)
        if len(newest) == 1:
            return self._shown(newest[0], found.look)
        return BranchesShown(found.project, newest)

    def _restart(self, repo: Word, branch: Word | None, ask: Ask) -> Outcome:
        found = self._find(repo, branch, ask)
        if not found.builds:
            return NoBuilds(found.project)
        # Builds that name no branch count as one more: the newest of all would then be anybody's.
        if found.branch is None and len(newest_of_each(found.builds)) > 1:
            raise WhichBranch(found.project, branches_of(found.builds))
        return self._restarts.restart(found.builds[0], found.look, ask)

    def _builds(self, repo: Word, branch: Word | None, ask: Ask) -> Outcome:
        found = self._find(repo, branch, ask)
        if not found.builds:
            return NoBuilds(found.project)
        return BuildsShown(found.project, found.branch, found.builds[:BUILDS_SHOWN])

    def _projects(self, words: str, page: int, ask: Ask) -> Outcome:
        projects = self._directory.matching(words, within_s=ask.seconds_left)
        pages = max(1, -(-len(projects) // PROJECTS_A_PAGE))
        page = min(max(page, 1), pages)
        first = (page - 1) * PROJECTS_A_PAGE
        return ProjectsShown(
            words,
            tuple(projects[first : first + PROJECTS_A_PAGE]),
            page,
            pages,
            len(projects),
            stale_because=self._directory.last_failure,
            age_s=self._directory.age_s or 0.0,
        )

    def _show(self, target: Target, ask: Ask) -> Outcome:
        return self._shown(*self._look_at(target, ask))

    def _restart_build(self, target: Target, instead_of: tuple[int, int] | None, ask: Ask) -> Outcome:
        build, look = self._look_at(target, ask)
        return self._restarts.restart(build, look, ask, shown=target, instead_of=instead_of)

    def _look_at(self, target: Target, ask: Ask) -> tuple[Build, Look]:
        """The build that a button names. Raises NotListed, NoSuchProject, CIError."""
        if target.service != self._provider.service:  # ids are the service's own: the same ones may mean others here
            raise NotThere(self._provider.title, "the button belongs to another CI service")
        project = self._directory.by_id(target.project_id, within_s=ask.seconds_left)
        look = self._looks.builds(project, target.branch, within_s=ask.seconds_left)
        return build_of(target, look, self._provider.title), look

    def _shown(self, build: Build, look: Look) -> BuildShown:
        standing = self._restarts.standings(look, [build]).get(build.id, UNCLAIMED)
        return BuildShown(build, standing, self._restarts.ago_s(standing.claim) if standing.claim else None)

    def _find(self, repo: Word, branch: Word | None, ask: Ask) -> _Found:
        """The builds that the words mean. Raises NoSuchProject, AmbiguousProject, NoSuchBranch, CIError."""
        pages = [page for page in map(self._provider.recognise, repo.spellings) if page]
        if pages:
            # With a full stop after it, a build's page can be read as its project's: what says more is meant.
            project_id, build_id = next((page for page in pages if page[1]), pages[0])
            return self._find_page(project_id, build_id, branch, ask)
        pasted = [address for address in map(repository_in, repo.spellings) if address]
        names = [name for name, _branch in pasted] or repo.spellings
        pasted_branches = [name for _repo, name in pasted if name]
        if pasted_branches and branch is None:
            branch = Word.of(*pasted_branches)
        project = self._directory.find(names, within_s=ask.seconds_left)
        return self._find_branch(project, branch, ask)

    def _find_page(self, project_id: str, build_id: str | None, branch: Word | None, ask: Ask) -> _Found:
        """A pasted page of the CI service: a project's, or exactly one build's."""
        project = self._directory.by_id(project_id, within_s=ask.seconds_left)
        if build_id is None:
            return self._find_branch(project, branch, ask)
        look = self._looks.builds(project, None, within_s=ask.seconds_left)
        build = build_of(Target(project.service, project.id, build_id=build_id), look, self._provider.title)
        return _Found(project, build.branch, (build,), look)

    def _find_branch(self, project: Project, branch: Word | None, ask: Ask) -> _Found:
        for name in [name for name in branch.spellings if may_be_branch(name)][:SPELLINGS_TRIED] if branch else []:
            look = self._looks.builds(project, name, within_s=ask.seconds_left)
            builds = tuple(build for build in look.builds if build.branch in (name, None))
            if builds:
                return _Found(project, name, builds, look)
        look = self._looks.builds(project, None, within_s=ask.seconds_left)
        if branch is not None and look.builds:
            raise NoSuchBranch(project, branch.cleanest, branches_of(look.builds))
        return _Found(project, None, look.builds, look)

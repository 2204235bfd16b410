"""What people can ask for. No Slack and no HTTP in here: commands in, outcomes out, mistakes and failures raised."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bot.core.addresses import repository_in
from bot.core.asking import Ask
from bot.core.branches import branches_of, may_be_branch, newest_of_each
from bot.core.claims import UNCLAIMED, ClaimState
from bot.core.commands import (
    BuildsOf,
    Command,
    FollowBuild,
    FollowOf,
    ListProjects,
    RestartBuild,
    RestartOf,
    ShowAudit,
    ShowBuild,
    ShowHelp,
    StatusOf,
)
from bot.core.directory import Directory
from bot.core.errors import BotError, NoSuchBranch, NotThere, TooLate, WhichBranch
from bot.core.looks import Look, Looks
from bot.core.model import Build, Project, Target
from bot.core.outcomes import (
    AuditShown,
    BranchesShown,
    BuildShown,
    BuildsShown,
    Followed,
    HelpShown,
    NoBuilds,
    NothingToFollow,
    Outcome,
    ProjectsShown,
)
from bot.core.policy import AUDIT, FOLLOW, RESTART
from bot.core.ports import AuditLog, CIProvider
from bot.core.restarts import Restarts, build_of
from bot.core.rights import Rights
from bot.core.spending import a_restart_to_come
from bot.core.words import Word

PROJECTS_A_PAGE = 20
BUILDS_SHOWN = 10
ACTIONS_SHOWN = 20
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

    def __init__(
        self,
        provider: CIProvider,
        directory: Directory,
        looks: Looks,
        restarts: Restarts,
        audit: AuditLog,
        rights: Rights,
    ) -> None:
        self._provider = provider
        self._directory = directory
        self._looks = looks
        self._restarts = restarts
        self._audit = audit
        self._rights = rights

    def carry_out(self, command: Command, ask: Ask) -> Outcome:
        """Does what was asked. Raises Mistake and CIError; after either, nothing was restarted."""
        begun = self._go_on(command, ask)
        if begun is not None:
            return begun
        match command:
            case StatusOf(repo, branch):
                return self._status(repo, branch, ask)
            case ShowBuild(target):
                return self._show(target, ask)
            case RestartOf():
                with a_restart_to_come():
                    return self._restart(command, ask)
            case RestartBuild():
                with a_restart_to_come():
                    return self._restart_build(command, ask)
            case BuildsOf(repo, branch):
                return self._builds(repo, branch, ask)
            case ListProjects(words, page):
                return self._projects(words, page, ask)
            case FollowOf():
                return self._follow(command, ask)
            case FollowBuild(target):
                build, look = self._look_at(target, ask, to_do=FOLLOW)
                return self._followed(build, look, ask)
            case ShowAudit(repo):
                return self._show_audit(repo, ask)
            case ShowHelp(topic):
                return HelpShown(topic)

    def _go_on(self, command: Command, ask: Ask) -> Outcome | None:
        """The restart that the same durable ask began before a crash, and ends now; None where there is none."""
        claim = self._restarts.claim_of(ask)
        if ask.is_late and (claim is None or self._restarts.is_unsent(claim)):
            raise TooLate
        if claim is None:
            return None
        try:
            project = self._directory.by_id(claim.project_id, within_s=ask.seconds_left)
        except BotError:  # the claim alone says that something may have been sent: that is not to be denied
            project = Project(claim.project_id, f"project {claim.project_id}", claim.service)
        branch = command.target.branch if isinstance(command, RestartBuild) else None
        return self._restarts.resume(claim, project, branch, ask)

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

    def _restart(self, wanted: RestartOf, ask: Ask) -> Outcome:
        found = self._find(wanted.repo, wanted.branch, ask, to_do=RESTART)
        if not found.builds:
            return NoBuilds(found.project)
        # Builds that name no branch count as one more: the newest of all would then be anybody's.
        if found.branch is None and len(newest_of_each(found.builds)) > 1:
            raise WhichBranch(found.project, branches_of(found.builds))
        build = found.builds[0]
        with _about(build):
            allowed = self._rights.require(ask, RESTART, build.project.name, build.branch or found.branch)
            unconfirmed = allowed.confirm and not wanted.confirmed
            return self._restarts.restart(build, found.look, ask, unconfirmed=unconfirmed)

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

    def _follow(self, wanted: FollowOf, ask: Ask) -> Outcome:
        """The one that runs, where no branch is named and just one does."""
        found = self._find(wanted.repo, wanted.branch, ask, to_do=FOLLOW)
        if not found.builds:
            return NoBuilds(found.project)
        newest = newest_of_each(found.builds)
        running = [build for build in newest if build.is_under_way]
        if found.branch is None and len(running) != 1 and len(newest) > 1:
            raise WhichBranch(found.project, branches_of(running) or branches_of(found.builds))
        return self._followed(running[0] if running else found.builds[0], found.look, ask)

    def _followed(self, build: Build, look: Look, ask: Ask) -> Outcome:
        with _about(build):
            self._rights.require(ask, FOLLOW, build.project.name, build.branch)
        standing = self._restarts.standings(look, [build]).get(build.id, UNCLAIMED)
        claim = standing.claim
        comes_back = claim is not None and claim.build_id == build.id and claim.new_build_id in (None, build.id)
        restarted = comes_back and claim is not None and claim.state is ClaimState.TAKEN
        if build.has_ended and not restarted:  # whether an unknown restart took, looking on would not tell
            return NothingToFollow(build, standing)
        return Followed(build, standing.run_number + 1 if comes_back else standing.run_number)

    def _restart_build(self, wanted: RestartBuild, ask: Ask) -> Outcome:
        target = wanted.target
        build, look = self._look_at(target, ask, to_do=RESTART)
        with _about(build):
            allowed = self._rights.require(ask, RESTART, build.project.name, build.branch or target.branch)
            unconfirmed = allowed.confirm and not wanted.confirmed
            return self._restarts.restart(
                build, look, ask, shown=target, instead_of=wanted.instead_of, unconfirmed=unconfirmed
            )

    def _look_at(self, target: Target, ask: Ask, *, to_do: str | None = None) -> tuple[Build, Look]:
        """The build that a button names. Raises NotListed, NoSuchProject, CIError.

        Raises NotAllowed before it looks where the button alone tells that the asker may not do `to_do`.
        """
        if target.service != self._provider.service:  # ids are the service's own: the same ones may mean others here
            raise NotThere(self._provider.title, "the button belongs to another CI service")
        project = self._directory.by_id(target.project_id, within_s=ask.seconds_left)
        with _about(project):
            if to_do is not None and target.branch is not None:
                self._rights.require(ask, to_do, project.name, target.branch)
            look = self._looks.builds(project, target.branch, within_s=ask.seconds_left)
            return build_of(target, look, self._provider.title), look

    def _shown(self, build: Build, look: Look) -> BuildShown:
        standing = self._restarts.standings(look, [build]).get(build.id, UNCLAIMED)
        return BuildShown(build, standing, self._restarts.ago_s(standing.claim) if standing.claim else None)

    def _show_audit(self, repo: Word | None, ask: Ask) -> Outcome:
        project = self._project(repo, ask)[0] if repo else None
        self._rights.require(ask, AUDIT, project.name if project else None, None)
        entries = self._audit.last(
            ACTIONS_SHOWN, service=self._provider.service, project_id=project.id if project else None
        )
        return AuditShown(project, tuple(entries))

    def _find(self, repo: Word, branch: Word | None, ask: Ask, *, to_do: str | None = None) -> _Found:
        """The builds that the words mean. Raises NoSuchProject, AmbiguousProject, NoSuchBranch, CIError.

        Raises NotAllowed before it looks where the words alone tell that the asker may not do `to_do`.
        """
        project, pasted_branch, build_id = self._project(repo, ask)
        branch = branch or pasted_branch
        with _about(project):
            if build_id is not None:
                return self._find_build(project, build_id, ask)
            if to_do is not None and branch is not None and len(branch.spellings) == 1:
                self._rights.require(ask, to_do, project.name, branch.exact)
            return self._find_branch(project, branch, ask)

    def _project(self, repo: Word, ask: Ask) -> tuple[Project, Word | None, str | None]:
        """Which repository is meant, and what a pasted address names of it besides: a branch, or a build's id."""
        pages = [page for page in map(self._provider.recognise, repo.spellings) if page]
        if pages:
            # With a full stop after it, a build's page can be read as its project's: what says more is meant.
            project_id, build_id = next((page for page in pages if page[1]), pages[0])
            return self._directory.by_id(project_id, within_s=ask.seconds_left), None, build_id
        pasted = [address for address in map(repository_in, repo.spellings) if address]
        names = [name for name, _branch in pasted] or repo.spellings
        branches = [name for _repo, name in pasted if name]
        project = self._directory.find(names, within_s=ask.seconds_left)
        return project, Word.of(*branches) if branches else None, None

    def _find_build(self, project: Project, build_id: str, ask: Ask) -> _Found:
        """Exactly one build, whose page was pasted."""
        look = self._looks.builds(project, None, within_s=ask.seconds_left)
        build = build_of(Target(project.service, project.id, build_id=build_id), look, self._provider.title)
        return _Found(project, build.branch, (build,), look)

    def _find_branch(self, project: Project, branch: Word | None, ask: Ask) -> _Found:
        for name in [name for name in branch.spellings if may_be_branch(name)][:SPELLINGS_TRIED] if branch else []:
            look = self._looks.builds(project, name, within_s=ask.seconds_left)
            builds = tuple(replace(build, branch=name) for build in look.builds if build.branch in (name, None))
            if builds:
                return _Found(project, name, builds, look)
        look = self._looks.builds(project, None, within_s=ask.seconds_left)
        if branch is not None and look.builds:
            raise NoSuchBranch(project, branch.cleanest, branches_of(look.builds))
        return _Found(project, None, look.builds, look)


@contextmanager
def _about(found: Project | Build) -> Iterator[None]:
    """Whatever is raised within is about `found`, unless it already says what it is about."""
    try:
        yield
    except BotError as error:
        error.about = error.about or found
        raise

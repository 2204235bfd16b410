"""What people can ask for. No Slack and no HTTP in here: commands in, outcomes out, mistakes and failures raised."""

from __future__ import annotations

from bot.core.authorization import Rights
from bot.core.build_fetcher import Look
from bot.core.lookup.build_lookup import Finding, about
from bot.core.lookup.ci_registry import Services
from bot.core.model.builds import Ability, Build, Project, Target, branches_of, newest_of_each
from bot.core.model.claims import UNCLAIMED, ClaimState, Standing
from bot.core.model.commands import (
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
    StopBuild,
    StopOf,
    Word,
)
from bot.core.model.errors import BotError, CannotStop, TooLate, WhichBranch
from bot.core.model.outcomes import (
    AuditShown,
    BranchesShown,
    BuildShown,
    BuildsShown,
    Followed,
    HelpShown,
    NoBuilds,
    NothingToFollow,
    NothingToStop,
    Outcome,
    ProjectsShown,
    Stopped,
)
from bot.core.model.policy import AUDIT, FOLLOW, RESTART, STOP
from bot.core.ports import AuditLog
from bot.core.rate_limiter import a_restart_to_come
from bot.core.request import Ask

PROJECTS_A_PAGE = 20
BUILDS_SHOWN = 10
ACTIONS_SHOWN = 20
DETAILS_WITHIN_S = 4.0
"""How long an answer waits for which job failed: what is known by then is said."""


class Operations:
    """Everything that can be asked for."""

    def __init__(self, services: Services, audit: AuditLog, rights: Rights) -> None:
        self._services = services
        self._finding = Finding(services, rights)
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
            case StopOf():
                return self._stop(command, ask)
            case StopBuild(target):
                return self._stop_build(target, ask)
            case BuildsOf(repo, branch):
                return self._builds(repo, branch, ask)
            case ListProjects(words, page):
                return self._projects(words, page, ask)
            case FollowOf():
                return self._follow(command, ask)
            case FollowBuild(target):
                build, look = self._finding.look_at(target, ask, to_do=FOLLOW)
                return self._followed(build, look, ask)
            case ShowAudit(repo):
                return self._show_audit(repo, ask)
            case ShowHelp(topic):
                return HelpShown(topic)

    def _go_on(self, command: Command, ask: Ask) -> Outcome | None:
        """The restart that the same durable ask began before a crash, and ends now; None where there is none."""
        claims = ((service, service.restarts.claim_of(ask)) for service in self._services)
        begun = next(((service, claim) for service, claim in claims if claim is not None), None)
        if ask.is_late and (begun is None or begun[0].restarts.is_unsent(begun[1])):
            raise TooLate
        if begun is None:
            return None
        service, claim = begun
        try:
            project = service.directory.by_id(claim.project_id, within_s=ask.seconds_left)
        except BotError:  # the claim alone says that something may have been sent: that is not to be denied
            project = Project(claim.project_id, f"project {claim.project_id}", claim.service)
        branch = command.target.branch if isinstance(command, RestartBuild) else None
        return service.restarts.resume(claim, project, branch, ask)

    def _status(self, repo: Word, branch: Word | None, ask: Ask) -> Outcome:
        found = self._finding.find(repo, branch, ask)
        if not found.builds:
            return NoBuilds(found.project)
        if found.branch is not None:
            return self._shown(found.builds[0], found.look, ask)
        newest = newest_of_each(found.builds)
        if len(newest) == 1:
            return self._shown(newest[0], found.look, ask)
        return BranchesShown(found.project, newest)

    def _restart(self, wanted: RestartOf, ask: Ask) -> Outcome:
        found = self._finding.find(wanted.repo, wanted.branch, ask, to_do=RESTART)
        if not found.builds:
            return NoBuilds(found.project)
        # Builds that name no branch count as one more: the newest of all would then be anybody's.
        if found.branch is None and len(newest_of_each(found.builds)) > 1:
            raise WhichBranch(found.project, branches_of(found.builds))
        build = found.builds[0]
        with about(build):
            allowed = self._rights.require(ask, RESTART, build.project.name, build.branch or found.branch)
            unconfirmed = allowed.confirm and not wanted.confirmed
            restarts = self._services.of(build.project.service).restarts
            return restarts.restart(build, found.look, ask, unconfirmed=unconfirmed)

    def _builds(self, repo: Word, branch: Word | None, ask: Ask) -> Outcome:
        found = self._finding.find(repo, branch, ask)
        if not found.builds:
            return NoBuilds(found.project)
        return BuildsShown(found.project, found.branch, found.builds[:BUILDS_SHOWN])

    def _projects(self, words: str, page: int, ask: Ask) -> Outcome:
        projects, failed = self._services.matching(words, within_s=ask.seconds_left)
        pages = max(1, -(-len(projects) // PROJECTS_A_PAGE))
        page = min(max(page, 1), pages)
        first = (page - 1) * PROJECTS_A_PAGE
        return ProjectsShown(
            words,
            tuple(projects[first : first + PROJECTS_A_PAGE]),
            page,
            pages,
            len(projects),
            stale=tuple((failure, service.directory.age_s) for service, failure in failed),
            with_services=len(self._services) > 1,
        )

    def _show(self, target: Target, ask: Ask) -> Outcome:
        return self._shown(*self._finding.look_at(target, ask), ask)

    def _follow(self, wanted: FollowOf, ask: Ask) -> Outcome:
        """The one that runs, where no branch is named and just one does."""
        found = self._finding.find(wanted.repo, wanted.branch, ask, to_do=FOLLOW)
        if not found.builds:
            return NoBuilds(found.project)
        newest = newest_of_each(found.builds)
        running = [build for build in newest if build.is_under_way]
        if found.branch is None and len(running) != 1 and len(newest) > 1:
            raise WhichBranch(found.project, branches_of(running) or branches_of(found.builds))
        return self._followed(running[0] if running else found.builds[0], found.look, ask)

    def _followed(self, build: Build, look: Look, ask: Ask) -> Outcome:
        with about(build):
            self._rights.require(ask, FOLLOW, build.project.name, build.branch)
        standing = self._standing(build, look)
        claim = standing.claim
        comes_back = claim is not None and claim.build_id == build.id and claim.new_build_id in (None, build.id)
        restarted = comes_back and claim is not None and claim.state is ClaimState.TAKEN
        if build.has_ended and not restarted:  # whether an unknown restart took, looking on would not tell
            return NothingToFollow(build, standing)
        return Followed(build, standing.run_number + 1 if comes_back else standing.run_number)

    def _restart_build(self, wanted: RestartBuild, ask: Ask) -> Outcome:
        target = wanted.target
        build, look = self._finding.look_at(target, ask, to_do=RESTART)
        with about(build):
            allowed = self._rights.require(ask, RESTART, build.project.name, build.branch or target.branch)
            unconfirmed = allowed.confirm and not wanted.confirmed
            return self._services.of(target.service).restarts.restart(
                build,
                look,
                ask,
                shown=target,
                instead_of=wanted.instead_of,
                unconfirmed=unconfirmed,
                failed_jobs_only=wanted.failed_jobs_only,
            )

    def _stop(self, wanted: StopOf, ask: Ask) -> Outcome:
        """The one that runs, where no branch is named and just one does."""
        meant = self._services.meant_by(wanted.repo, within_s=ask.seconds_left, for_certain=True)
        with about(meant.project):
            self._require_stopping(meant.project)
        found = self._finding.find(wanted.repo, wanted.branch, ask, to_do=STOP)
        if not found.builds:
            return NoBuilds(found.project)
        newest = newest_of_each(found.builds)
        running = [build for build in newest if build.is_under_way]
        if found.branch is None and len(running) > 1:
            raise WhichBranch(found.project, branches_of(running))
        return self._stopped(running[0] if running else found.builds[0], found.look, ask)

    def _stop_build(self, target: Target, ask: Ask) -> Outcome:
        project = self._services.of(target.service).directory.by_id(target.project_id, within_s=ask.seconds_left)
        with about(project):
            self._require_stopping(project)
        return self._stopped(*self._finding.look_at(target, ask, to_do=STOP), ask)

    def _stopped(self, build: Build, look: Look, ask: Ask) -> Outcome:
        """Told again, it stops what still runs, and nothing else: no claim is needed."""
        with about(build):
            self._rights.require(ask, STOP, build.project.name, build.branch)
            if not build.is_under_way:
                return NothingToStop(build, self._standing(build, look))
            return Stopped(build, self._services.of(build.project.service).restarts.stop(build, ask))

    def _require_stopping(self, project: Project) -> None:
        provider = self._services.of(project.service).provider
        if Ability.STOP not in provider.abilities:
            raise CannotStop(project, provider.title)

    def _shown(self, build: Build, look: Look, ask: Ask) -> BuildShown:
        service = self._services.of(build.project.service)
        build = service.looks.in_detail(build, within_s=min(ask.seconds_left, DETAILS_WITHIN_S))
        standing = self._standing(build, look)
        return BuildShown(build, standing, service.restarts.ago_s(standing.claim) if standing.claim else None)

    def _standing(self, build: Build, look: Look) -> Standing:
        restarts = self._services.of(build.project.service).restarts
        return restarts.standings(look, [build]).get(build.id, UNCLAIMED)

    def _show_audit(self, repo: Word | None, ask: Ask) -> Outcome:
        project = self._services.meant_by(repo, within_s=ask.seconds_left).project if repo else None
        self._rights.require(ask, AUDIT, project.name if project else None, None)
        return AuditShown(project, tuple(self._audit.last(ACTIONS_SHOWN, of=project)))

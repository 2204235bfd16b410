"""Carries out every command. Knows neither Slack nor HTTP: commands in, outcomes out, errors raised."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from bot.core.authorization import Authorizer
from bot.core.build_fetcher import Snapshot
from bot.core.build_history import BuildHistory
from bot.core.follows.channel_messages import ChannelMessages
from bot.core.lookup.build_lookup import BuildLookup, about
from bot.core.lookup.channel_names import ChannelNames
from bot.core.lookup.ci_registry import CIRegistry
from bot.core.model.actions.decisions import Decision
from bot.core.model.actions.plans import restart_plan, running_beside
from bot.core.model.builds import Ability, Actor, Build, Location, Project, branches_of, newest_of_each
from bot.core.model.claims import NO_RESTART, RestartState
from bot.core.model.command_entries import Command
from bot.core.model.command_values import (
    BranchCommand,
    BuildCommand,
    CheckChannel,
    ListProjects,
    NameCommand,
    ShowAudit,
    ShowHelp,
    ShowHistory,
    Verb,
)
from bot.core.model.commands import entry_for
from bot.core.model.errors import BranchRequired, NotSupported, RequestExpired
from bot.core.model.notification_commands.values import OnIt, SetReport, ShowReport, StopReport
from bot.core.model.outcomes import (
    AuditShown,
    BranchesShown,
    BuildShown,
    BuildsShown,
    Cancelled,
    Followed,
    HelpShown,
    LogShown,
    NoBuilds,
    NothingToCancel,
    NothingToFollow,
    Outcome,
    ProjectsShown,
    WillNotify,
)
from bot.core.model.people.commands import LinkCommand, NotifyCommand, NotMine, UnlinkCommand
from bot.core.notifications.channel_check import ChannelCheck
from bot.core.notifications.owners import PeriodOwners
from bot.core.notifications.subscriptions import SubscriptionService
from bot.core.people.accounts import Accounts
from bot.core.ports import AuditLog, BuildHistoryStore, ChannelNameStore, Clock
from bot.core.rate_limiter import FOR_PEOPLE, CallAllowance, restart_allowance
from bot.core.reports.service import ReportService
from bot.core.request import UserRequest

PROJECTS_A_PAGE = 20
BUILDS_SHOWN = 10
ACTIONS_SHOWN = 20
DETAILS_TIMEOUT_S = 4.0
"""Seconds that a reply waits for which job failed. It shows what is known by then."""


def allowance_for(command: Command) -> AbstractContextManager[CallAllowance]:
    """The allowance for a whole command: the first call of a restart also reserves the restart's call."""
    return restart_allowance() if command.verb is Verb.RESTART else nullcontext(FOR_PEOPLE)


class Operations:
    """Carries out commands. `used` and `recent` are as for `BuildLookup`."""

    def __init__(
        self,
        *,
        services: CIRegistry,
        audit: AuditLog,
        authorizer: Authorizer,
        channel_names: ChannelNameStore,
        subscriptions: SubscriptionService,
        owners: PeriodOwners,
        reports: ReportService,
        check: ChannelCheck,
        accounts: Accounts,
        live: ChannelMessages,
        history: BuildHistoryStore,
        clock: Clock,
        used: Callable[[Actor, Project], None] = lambda _actor, _project: None,
        recent: Callable[[Actor], Sequence[Project]] = lambda _actor: (),
    ) -> None:
        self._services = services
        self._names = ChannelNames(services, channel_names, authorizer)
        self._build_lookup = BuildLookup(services, authorizer, used, recent)
        self._live = live
        self._audit = audit
        self._authorizer = authorizer
        self._subscriptions = subscriptions
        self._owners = owners
        self._reports = reports
        self._check = check
        self._accounts = accounts
        self._history = BuildHistory(services, self._build_lookup, history, clock)
        self._on_branch: Mapping[Verb, Callable[[BranchCommand, UserRequest], Decision | Outcome]] = {
            Verb.STATUS: self._status,
            Verb.RESTART: self._restart,
            Verb.CANCEL: self._cancel,
            Verb.FOLLOW: self._follow,
            Verb.LOGS: self._logs,
            Verb.BUILDS: self._builds,
            Verb.WHY: subscriptions.why,
            Verb.ON_IT: owners.take,
            Verb.NOT_MINE: owners.take,
            Verb.FLAKY: self._history.of_repository,
            Verb.SLOW: self._history.of_repository,
        }
        self._on_build: Mapping[Verb, Callable[[BuildCommand, UserRequest], Decision | Outcome]] = {
            Verb.STATUS: self._show_build,
            Verb.RESTART: self._restart_build,
            Verb.CANCEL: self._cancel_build,
            Verb.FOLLOW: self._follow_build,
            Verb.LOGS: self._logs_of_build,
        }

    def execute(self, command: Command, request: UserRequest) -> Outcome:
        """Carries out the command. Raises BotError."""
        with allowance_for(command) as allowance:
            request = replace(request, allowance=allowance)
            decided = self.decide(self.spelled_out(command, request.location), request)
            return self.act(decided, request) if isinstance(decided, Decision) else decided

    def spelled_out(self, command: Command, location: Location) -> Command:
        """The command with what its words mean in the channel. Raises NotUnderstood."""
        return self._names.spelled_out(command, location)

    def act(self, decision: Decision, request: UserRequest) -> Outcome:
        """Carries out a decision, at most once for the request's key. Raises CIError, NotRecorded, RequestExpired."""
        with about(decision.build):
            outcome = self._services.of(decision.build.project.service).actions.act(decision, request)
        return replace(outcome, run_number=decision.run_under_way) if isinstance(outcome, Cancelled) else outcome

    def decide(self, command: Command, request: UserRequest) -> Decision | Outcome:
        """What to send, for a command that restarts or cancels something; else its outcome. Sends nothing.

        Raises UserError and CIError.
        """
        if request.is_late and entry_for(command.verb).changes_something:
            raise RequestExpired
        match command:
            case BranchCommand():
                return self._on_branch[command.verb](command, request)
            case BuildCommand():
                return self._on_build[command.verb](command, request)
            case ListProjects():
                return self._projects(command, request)
            case NameCommand():
                return self._names.change(command, request)
            case ShowHistory():
                return self._history.of_all(command)
            case ShowAudit():
                return self._show_audit(command, request)
            case ShowHelp(topic):
                return HelpShown(topic)
            case CheckChannel():
                return self._check.check(request)
            case OnIt() | NotMine():
                return self._owners.press(command, request)
            case SetReport() | StopReport() | ShowReport():
                return self._reports.execute(command, request)
            case LinkCommand() | UnlinkCommand() | NotifyCommand():
                return self._accounts.execute(command, request)
            case _:
                return self._subscriptions.execute(command, request)

    def _status(self, command: BranchCommand, request: UserRequest) -> Outcome:
        result = self._build_lookup.find(command, request)
        if not result.builds:
            return NoBuilds(result.project)
        if result.branch is not None:
            return self._shown(result.builds[0], result.snapshot, request)
        newest = newest_of_each(result.builds)
        if len(newest) == 1:
            return self._shown(newest[0], result.snapshot, request)
        return BranchesShown(result.project, newest)

    def _restart(self, command: BranchCommand, request: UserRequest) -> Decision | Outcome:
        self._require_ability_of_typed(command, request)
        result = self._build_lookup.find(command, request)
        if not result.builds:
            return NoBuilds(result.project)
        # Builds without a branch count as one more branch: otherwise the newest of all could be any branch's.
        if result.branch is None and len(newest_of_each(result.builds)) > 1:
            raise BranchRequired(result.project, branches_of(result.builds))
        build = result.builds[0]
        with about(build):
            allowed = self._authorizer.check(request, command.verb, build.project.name, build.branch or result.branch)
            asks_first = allowed.confirm or build.asks_first or restart_plan(build).asks_first
            unconfirmed = asks_first and not command.confirmed
            restarts = self._services.of(build.project.service).actions
            return restarts.decide_restart(build, result.snapshot, request, unconfirmed=unconfirmed)

    def _builds(self, command: BranchCommand, request: UserRequest) -> Outcome:
        result = self._build_lookup.find(command, request)
        if not result.builds:
            return NoBuilds(result.project)
        return BuildsShown(result.project, result.branch, result.builds[:BUILDS_SHOWN])

    def _projects(self, command: ListProjects, request: UserRequest) -> Outcome:
        projects, failed = self._services.matching(command.filter, timeout_s=request.seconds_left)
        pages = max(1, -(-len(projects) // PROJECTS_A_PAGE))
        page = min(max(command.page, 1), pages)
        first = (page - 1) * PROJECTS_A_PAGE
        return ProjectsShown(
            command.filter,
            tuple(projects[first : first + PROJECTS_A_PAGE]),
            page,
            pages,
            len(projects),
            stale=tuple((failure, service.project_index.age_s) for service, failure in failed),
            with_services=len(self._services) > 1,
        )

    def _show_build(self, command: BuildCommand, request: UserRequest) -> Outcome:
        return self._shown(*self._build_lookup.find_build_ref(command, request), request)

    def _follow_build(self, command: BuildCommand, request: UserRequest) -> Outcome:
        build, snapshot = self._build_lookup.find_build_ref(command, request)
        outcome = self._followed(build, snapshot, request)
        if command.notify and isinstance(outcome, Followed):
            channel = request.location.channel
            if self._live.notify(request.actor, build, outcome.run_number, channel):
                return WillNotify(build)
        return outcome

    def _follow(self, command: BranchCommand, request: UserRequest) -> Outcome:
        """Without a branch: the running build, if there is exactly one."""
        result = self._build_lookup.find(command, request)
        if not result.builds:
            return NoBuilds(result.project)
        newest = newest_of_each(result.builds)
        running = [build for build in newest if build.is_under_way]
        if result.branch is None and len(running) != 1 and len(newest) > 1:
            raise BranchRequired(result.project, branches_of(running) or branches_of(result.builds))
        return self._followed(running[0] if running else result.builds[0], result.snapshot, request)

    def _followed(self, build: Build, snapshot: Snapshot, request: UserRequest) -> Outcome:
        with about(build):
            self._authorizer.check(request, Verb.FOLLOW, build.project.name, build.branch)
        restart_state = self._restart_state(build, snapshot)
        if build.has_ended and not restart_state.is_restarted(build):
            return NothingToFollow(build, restart_state)  # following would not show whether an unknown restart began
        return Followed(build, restart_state.run_under_way(build))

    def _restart_build(self, command: BuildCommand, request: UserRequest) -> Decision | Outcome:
        target = command.target
        self._require_ability_of_pressed(command, request)
        build, snapshot = self._build_lookup.find_build_ref(command, request)
        with about(build):
            allowed = self._authorizer.check(request, command.verb, build.project.name, build.branch or target.branch)
            unconfirmed = allowed.confirm and not command.confirmed
            return self._services.of(target.service).actions.decide_restart(
                build,
                snapshot,
                request,
                shown=target,
                instead_of=command.instead_of,
                unconfirmed=unconfirmed,
                failed_jobs_only=command.failed_jobs_only,
                debug_logs=command.debug_logs,
            )

    def _logs(self, command: BranchCommand, request: UserRequest) -> Outcome:
        """Without a branch: of the build that failed, if there is exactly one."""
        self._require_ability_of_typed(command, request)
        result = self._build_lookup.find(command, request)
        if not result.builds:
            return NoBuilds(result.project)
        newest = newest_of_each(result.builds)
        failed = [build for build in newest if build.status.is_bad]
        if result.branch is None and len(failed) != 1 and len(newest) > 1:
            raise BranchRequired(result.project, branches_of(failed) or branches_of(result.builds))
        return self._log_shown(failed[0] if failed else newest[0], result.snapshot, request)

    def _logs_of_build(self, command: BuildCommand, request: UserRequest) -> Outcome:
        self._require_ability_of_pressed(command, request)
        return self._log_shown(*self._build_lookup.find_build_ref(command, request), request)

    def _log_shown(self, build: Build, snapshot: Snapshot, request: UserRequest) -> LogShown:
        with about(build):
            self._authorizer.check(request, Verb.LOGS, build.project.name, build.branch)
            fetcher = self._services.of(build.project.service).fetcher
            log = fetcher.failure_log(build, timeout_s=request.seconds_left, allowance=request.allowance)
            return LogShown(build, log, self._restart_state(build, snapshot))

    def _cancel(self, command: BranchCommand, request: UserRequest) -> Decision | Outcome:
        """Without a branch: the running build, if there is exactly one."""
        self._require_ability_of_typed(command, request)
        result = self._build_lookup.find(command, request)
        if not result.builds:
            return NoBuilds(result.project)
        newest = newest_of_each(result.builds)
        running = [build for build in newest if build.is_under_way]
        if result.branch is None and len(running) > 1:
            raise BranchRequired(result.project, branches_of(running))
        build = running[0] if running else result.builds[0]
        whole = self._services.of(build.project.service).actions.with_own_reruns(build, result.snapshot)
        meant = {run.run_id for run in (*build.workflows, *whole.workflows)}
        left = tuple(run.full_name for run in running_beside(build, result.builds) if run.run_id not in meant)
        return self._cancelled(whole, result.snapshot, request, left)

    def _cancel_build(self, command: BuildCommand, request: UserRequest) -> Decision | Outcome:
        self._require_ability_of_pressed(command, request)
        return self._cancelled(*self._build_lookup.find_build_ref(command, request), request)

    def _cancelled(
        self, build: Build, snapshot: Snapshot, request: UserRequest, left: tuple[str, ...] = ()
    ) -> Decision | Outcome:
        with about(build):
            self._authorizer.check(request, Verb.CANCEL, build.project.name, build.branch)
            if not build.is_under_way:
                return NothingToCancel(build, self._restart_state(build, snapshot), left)
            actions = self._services.of(build.project.service).actions
            return actions.decide_cancel(build, snapshot, request, left=left)

    def _require_ability_of_typed(self, command: BranchCommand, request: UserRequest) -> None:
        self._require_ability(command.verb, self._build_lookup.resolve(command, request).project)

    def _require_ability_of_pressed(self, command: BuildCommand, request: UserRequest) -> None:
        index = self._services.of(command.target.service).project_index
        self._require_ability(command.verb, index.by_id(command.target.project_id, timeout_s=request.seconds_left))

    def _require_ability(self, verb: Verb, project: Project) -> None:
        provider, entry = self._services.of(project.service).provider, entry_for(verb)
        if entry.ability not in provider.abilities:
            is_read_only = entry.changes_something and Ability.RESTART not in provider.abilities
            with about(project):
                raise NotSupported(project, provider.title, entry.unable, is_read_only=is_read_only)

    def _shown(self, build: Build, snapshot: Snapshot, request: UserRequest) -> BuildShown:
        service = self._services.of(build.project.service)
        build = service.fetcher.with_details(build, timeout_s=min(request.seconds_left, DETAILS_TIMEOUT_S))
        restart_state = self._restart_state(build, snapshot)
        return BuildShown(
            build, restart_state, service.actions.ago_s(restart_state.claim) if restart_state.claim else None
        )

    def _restart_state(self, build: Build, snapshot: Snapshot) -> RestartState:
        restarts = self._services.of(build.project.service).actions
        return restarts.restart_states(snapshot, [build]).get(build.id, NO_RESTART)

    def _show_audit(self, command: ShowAudit, request: UserRequest) -> Outcome:
        repo = command.repo
        project = self._services.resolve(repo, timeout_s=request.seconds_left).project if repo else None
        self._authorizer.check(request, command.verb, project.name if project else None, None)
        return AuditShown(project, tuple(self._audit.last(ACTIONS_SHOWN, of=project)))

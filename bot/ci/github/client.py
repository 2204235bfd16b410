"""GitHub Actions behind the `CIProvider` port: sends the requests of `api`, and caches what does not change.

`run_lists` reads the runs, `run_groups` says which of them are a build. Logs nothing; every failure is a `CIError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from bot.ci.github import api as wire
from bot.ci.github.builds import build_of
from bot.ci.github.hook_deliveries import HookDeliveries
from bot.ci.github.http.auth import READ_ONLY, App
from bot.ci.github.http.calls import GitHubRequests
from bot.ci.github.http.errors import TITLE
from bot.ci.github.run_details import RunDetails
from bot.ci.github.run_groups import QUEUE, ListedRun, are_titles, group_runs, with_workflow_names
from bot.ci.github.run_lists import BranchSnapshot, RunLists
from bot.ci.github.runs import parse_run, parse_runs
from bot.ci.github.urls import SERVICE, parse_url, web_url
from bot.ci.http_client.responses import Request
from bot.ci.lru_cache import LRUCache
from bot.ci.service import ClientContext, Permission
from bot.config.parsers import Secret
from bot.core.model.actions.plans import RestartCase, RestartPlan, cancel_plan, restart_plan
from bot.core.model.actions.values import ActionPlan, RunTarget
from bot.core.model.builds import Ability, Build, FailedJob, FailureLog, Page, Project, Status, Workflow
from bot.core.model.errors import CIError, Forbidden, NotFound, NothingToDo, OverLimit

MAX_PAGES = 100
"""Pages of repositories, a hundred on each."""
MORE_PAGES = 3
"""Pages of every other list. One is enough in most cases."""
WORKFLOWS_KNOWN_S, WORKFLOWS_UNKNOWN_S = 600.0, 60.0
"""Seconds that the list of workflows is cached, and seconds until a failed list is requested again."""

FULL_SHA = 40
NO_BRANCH = "Branch not found"
"""GitHub's words for a branch that does not exist, in a repository that does."""

_ALL = frozenset(Ability)
_CHANGES = frozenset({Ability.RESTART, Ability.RESTART_FAILED_JOBS, Ability.CANCEL, Ability.DEBUG_LOGS})
_DETAILS_WITHIN = 1 / 3  # of a call's time, since a reply waits for the details
_MAX_BYTES = 16 * 1024 * 1024


class GitHub:
    """A host that serves GitHub's REST API. `who` is a token or an App. `max_bytes` limits each response.

    `read_only`: nothing is restarted or cancelled, whatever the key may do. `hook` is the path of the bot's webhook in
    GitHub's API; without it no failed delivery is asked for again.
    """

    service = SERVICE
    title = TITLE

    def __init__(
        self,
        api_url: str,
        who: Secret | App,
        context: ClientContext,
        *,
        read_only: bool = False,
        hook: str | None = None,
        max_bytes: int = _MAX_BYTES,
    ) -> None:
        self._read_only = read_only
        self._api_url, self._web_url = api_url, web_url(api_url)
        self._calls = GitHubRequests(api_url, who, context, max_bytes=max_bytes)
        self._monotonic = context.monotonic
        self._hidden: tuple[str, ...] = ()
        self._scopes_allow_write: bool | None = None
        self._details_s = context.total_s * _DETAILS_WITHIN
        self._deliveries = hook and HookDeliveries(
            api_url, hook, self._calls, monotonic=context.monotonic, now=context.now
        )
        self._rules_of = context.build_rules
        self._lists = RunLists(api_url, self._web_url, self._calls, monotonic=context.monotonic, now=context.now)
        self._workflows: LRUCache[str, tuple[float, tuple[wire.ListedWorkflow, ...] | None]] = LRUCache(1_000)
        self._details = RunDetails(api_url, self._calls, monotonic=context.monotonic, details_s=self._details_s)

    @property
    def abilities(self) -> frozenset[Ability]:
        """Without those that change something, if the bot may only read: by its setting, by the App's installation, or
        by a classic token's scopes.

        What a fine-grained token may do, GitHub does not tell before it is tried.
        """
        granted = self._calls.granted("actions") in (None, "write")
        may_write = granted and self._scopes_allow_write is not False and not self._read_only
        return _ALL if may_write else _ALL - _CHANGES

    def parse_url(self, url: str) -> Page | None:
        return parse_url(url, self._web_url)

    def projects(self) -> list[Project]:
        """Every repository that the token, or the App's installation, can see, except archived and disabled ones."""
        request = wire.repositories_request(self._api_url, self._calls.repositories)
        pages = list(self._calls.pages("projects", request, wire.parse_repositories, max_pages=MAX_PAGES))
        self._scopes_allow_write = pages[0].may_write
        self._hidden = tuple(dict.fromkeys(id_ for page in pages for id_ in page.hidden))
        return list({project.id: project for page in pages for project in page.entries}.values())

    def has_branch(self, project: Project, branch: str) -> bool | None:
        """None for a fork's or a merge queue's branch, and without the permission to read contents."""
        if ":" in branch or branch.startswith(QUEUE):
            return None
        request, deadline = wire.branch_request(self._api_url, project, branch), self._calls.deadline_after()
        try:
            list(self._calls.pages("branches", request, wire.parse_branch, max_pages=1, deadline=deadline))
        except NotFound as failure:  # a repository that the token may no longer see is not found either
            return False if NO_BRANCH in failure.detail else None
        except Forbidden:
            return None
        return True

    @property
    def hidden_organizations(self) -> tuple[str, ...]:
        return self._hidden

    def recent(self, wanted: Callable[[Project], bool]) -> None:  # noqa: ARG002 - as `CIProvider.recent`
        """None: no call lists the runs of several repositories."""
        return

    def builds(self, project: Project, branch: str | None = None) -> list[Build]:
        """The recent builds, made of the deciding runs that `RunLists.read` finds.

        Fetches the repository's workflows, too, if something depends on them: an inherited run, since a disabled
        workflow never passes again, or a name, since a run may have a title. They are cached for ten minutes.
        """
        deadline = self._calls.deadline_after()
        rules = self._rules_of(project)
        snapshot = self._lists.read(project, branch, deadline, rules)
        groups = group_runs(snapshot.runs, rules=rules, is_cut_off=snapshot.is_cut_off)
        if any(each.inherited or each.beside for each in groups) or are_titles(snapshot.runs) or rules is not None:
            workflows = self._workflows_of(snapshot.project, deadline)
            names = None if workflows is None else {each.id: each.name for each in workflows if each.name}
            groups = group_runs(with_workflow_names(snapshot.runs, names), rules=rules, is_cut_off=snapshot.is_cut_off)
            if workflows is not None:
                active = frozenset(each.id for each in workflows if each.is_active)
                groups = [each.inheriting_only(active) for each in groups]
        groups = self._details.with_early_failures(groups, snapshot.project, deadline)
        builds = [build_of(snapshot.project, each) for each in groups]
        if not builds and snapshot.runs and branch is None:
            raise NothingToDo(self.title, _only_others(snapshot))
        return [as_seen(builds[0], snapshot), *builds[1:]] if builds else []

    def plan_restart(self, build: Build) -> ActionPlan:
        """The runs that `restart_plan` names."""
        plan = restart_plan(build)
        if not plan.runs:
            raise NothingToDo(self.title, _why_nothing(plan, build))
        return _plan(plan.runs, plan.left)

    def plan_cancel(self, build: Build) -> ActionPlan:
        """The runs that `cancel_plan` names."""
        running = cancel_plan(build)
        if not running:
            raise NothingToDo(self.title, "none of its workflows was running any more")
        return _plan(running, ())

    def restart(self, build: Build, target: RunTarget, *, failed_jobs_only: bool = False) -> str:
        only, debug = failed_jobs_only, target.debug_logs
        request = wire.rerun_request(
            self._api_url, build.project, target.run_id, failed_jobs_only=only, debug_logs=debug
        )
        self._calls.post("restart", request, self._calls.deadline_after())
        return build.id

    def cancel(self, build: Build, target: RunTarget) -> None:
        request = wire.cancel_request(self._api_url, build.project, target.run_id)
        self._calls.post("cancel", request, self._calls.deadline_after())

    def locate(self, project: Project, page: Page) -> Page | None:
        """The page with its branch. One call, two without the right to read pull requests."""
        deadline = self._calls.deadline_after()
        if page.pull_request is not None:
            head = self._head_of(project, page.pull_request, deadline)
            return None if head is None else replace(page, branch=head)
        try:
            if page.build_id is not None:
                request = wire.run_request(self._api_url, project, page.build_id)
                run = self._calls.get("runs", request, partial(parse_run, project=project), deadline)
                return None if run.is_of_a_queue else replace(page, branch=run.branch)
            if page.commit is not None and len(page.commit) == FULL_SHA:
                request = wire.builds_request(self._api_url, project, commit=page.commit)
                read = partial(parse_runs, project=project, web_url=self._web_url)
                [runs] = self._calls.pages("builds", request, read, of=project, max_pages=1, deadline=deadline)
                branches = {group.own[0].branch for group in group_runs(runs.entries)}
                return replace(page, branch=branches.pop()) if len(branches) == 1 else None
        except NotFound:
            return None
        return None

    def _head_of(self, project: Project, number: int, deadline: float) -> str | None:
        """The head branch of a pull request; without the right to read those, from the runs that name it, or None."""
        request = wire.pull_request_request(self._api_url, project, number)
        try:
            return self._calls.get("pulls", request, partial(wire.parse_pull_request, project=project), deadline)
        except (Forbidden, NotFound) as refused:
            read = partial(parse_runs, project=project, web_url=self._web_url)
            request = wire.builds_request(self._api_url, project, event="pull_request")
            [page] = self._calls.pages("builds", request, read, of=project, max_pages=1, deadline=deadline)
            branches = {run.branch for run in page.entries if run.pull_request == number}
            if not branches and isinstance(refused, NotFound):
                raise
            return branches.pop() if len(branches) == 1 else None

    def with_details(self, build: Build) -> Build:
        return self._details.with_details(build)

    def failure_log(self, build: Build) -> FailureLog | None:
        return self._details.failure_log(build)

    def apply_run(self, project_id: str, run: ListedRun) -> None:
        """Takes over what a signed webhook says of a run, unless more is known of it."""
        self._lists.apply(project_id, run)

    def apply_failed_job(self, run_id: str, attempt: int, job: FailedJob) -> None:
        """Takes over that a job of a run has failed, which perhaps still runs."""
        self._details.apply_failed_job(run_id, attempt, job)

    def permissions(self, project: Project) -> list[Permission]:
        """What the token, or the App, may do to the repository, as far as reading shows. Raises nothing."""
        deadline = self._calls.deadline_after()

        def may(
            call: str, request: Request, read: Callable[..., bool | None], *, if_missing: bool | None = None
        ) -> bool | None:
            try:
                return self._calls.get(call, request, read, deadline)
            except Forbidden:
                return False
            except NotFound:
                return if_missing
            except CIError:
                return None

        def reads(call: str, path: str, *, if_missing: bool | None = None) -> bool | None:
            request = wire.one_of(self._api_url, project, path)
            return may(call, request, wire.parse_readable, if_missing=if_missing)

        deliveries = [self._deliveries.may_ask_again(deadline)] if self._deliveries else []
        return [
            Permission(
                "Actions: read",
                # The repository is listed, so it is Actions that are not there for the key, or are disabled.
                reads("builds", "/actions/runs", if_missing=False),
                "status, builds and follow",
                is_required=True,
            ),
            self._may_write(may, project),
            Permission(
                "Contents: read", reads("branches", "/branches"), "merge queues, and a newest commit that has no runs"
            ),
            Permission("Pull requests: read", reads("pulls", "/pulls"), "links to pull requests of forks"),
            *(Permission("Webhooks: read and write", may_ask, "lost webhooks sent again") for may_ask in deliveries),
        ]

    def _may_write(self, may: Callable[..., bool | None], project: Project) -> Permission:
        without = "restart and cancel"
        if self._read_only:
            return Permission(f"Actions: write (not used: {READ_ONLY} is on)", False, without)
        write = may("repository", wire.one_of(self._api_url, project, ""), wire.parse_may_write)
        granted = self._calls.granted("actions")
        return Permission("Actions: write", write if granted is None else granted == "write", without, is_required=True)

    def redeliver_failed(self, is_first: Callable[[str], bool]) -> int:
        return self._deliveries.redeliver_failed(is_first) if self._deliveries else 0

    def close(self) -> None:
        self._calls.close()

    def _workflows_of(self, project: Project, deadline: float) -> tuple[wire.ListedWorkflow, ...] | None:
        """The repository's workflows; None if GitHub does not list them."""
        now = self._monotonic()
        good_until, workflows = self._workflows.get(project.id) or (now, None)
        if now < good_until:
            return workflows
        request = wire.workflows_request(self._api_url, project)
        soon = min(deadline, self._calls.deadline_after(self._details_s))
        try:
            pages = list(
                self._calls.pages("workflows", request, wire.parse_workflows, max_pages=MORE_PAGES, deadline=soon)
            )
        except OverLimit:  # not cached: the limit may be free again in a second
            return workflows
        except CIError:
            good_until = now + WORKFLOWS_UNKNOWN_S
        else:
            good_until = now + WORKFLOWS_KNOWN_S
            are_all = pages[-1].onward is None
            workflows = tuple(each for page in pages for each in page.entries) if are_all else None
        self._workflows.put(project.id, (good_until, workflows))
        return workflows


def as_seen(newest: Build, snapshot: BranchSnapshot) -> Build:
    """The branch's newest build with what only `snapshot` knows.

    It is not "passed" while runs of its commit are unread.
    """
    if snapshot.unread == newest.commit and newest.status is Status.PASSED:
        newest = replace(newest, status=Status.UNKNOWN, status_word="not all of its runs were read")
    return replace(
        newest,
        newest_commit=snapshot.tip if snapshot.tip != newest.commit else None,
        is_tag=newest.is_tag if snapshot.is_branch is None else newest.is_tag and not snapshot.is_branch,
    )


def _only_others(snapshot: BranchSnapshot) -> str:
    """What was seen of a repository in which no run tests a branch."""
    events = ", ".join(sorted({run.event or "no event" for run in snapshot.runs}))
    return (
        f"none of the last {len(snapshot.runs)} runs of {snapshot.project.name} tests a branch; they are of: {events}"
    )


def _why_nothing(plan: RestartPlan, build: Build) -> str:
    match plan.case:
        case RestartCase.OLDER_FAILED:
            return f"only runs of older commits failed: {', '.join(run.full_name for run in plan.older)}"
        case RestartCase.RUNNING:
            return f"still running: {', '.join(run.full_name for run in plan.left)}"
    own = [run for run in build.workflows if run.commit is None and run.has_ended and not run.can_rerun]
    queued = [run.full_name for run in own if run.trigger == "merge_group"]
    if queued:
        return f"the merge queue’s runs can’t be re-run: {', '.join(queued)}"
    failed = [run.full_name for run in own if run.status.is_bad]
    return (
        f"can’t be re-run now: {', '.join(failed)}" if failed else "none of its workflows has ended and can be re-run"
    )


def _plan(runs: Iterable[Workflow], left: Iterable[Workflow]) -> ActionPlan:
    targets = tuple(RunTarget(run.run_id, run.attempt, run.full_name) for run in runs)
    return ActionPlan(targets, tuple(run.full_name for run in left))

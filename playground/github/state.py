"""The sandbox GitHub's state: repositories, their workflow runs, and how these move.

No HTTP, no sleeping and no randomness. Thread-safe. Methods that GitHub's API offers are refused as GitHub refuses them
(`NotPossible`). The others direct the simulation and are never refused.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from playground.github import attempts
from playground.github.job_logs import job_log
from playground.github.model import (
    Ending,
    JobEvent,
    NotFound,
    NotPossible,
    PullRequest,
    RunEvent,
    SandboxRepo,
    SandboxRun,
)
from playground.github.repositories import GitHubRepos
from playground.pace import BuildPace

_FIRST_RUN_ID, _FIRST_JOB_ID = 19_440_221_001, 54_001_700_001
RERUN_WITHIN = timedelta(days=30)

Which = SandboxRun | int
Repo = SandboxRepo | str | int
Listener = Callable[[RunEvent | JobEvent], object]

_MOVES_A_BRANCH = frozenset({"push", "pull_request", "merge_group"})
"""Events whose run is of a new commit; every other one's is of the newest commit that its branch has."""


class GitHubWorld(GitHubRepos):
    """`which` is a run or its id: always its newest attempt, in its current state."""

    def __init__(self, clock: Callable[[], datetime], token: str) -> None:
        super().__init__(clock, token)
        self._attempts: dict[int, list[SandboxRun]] = {}
        self._run_ids, self._job_ids = itertools.count(_FIRST_RUN_ID), itertools.count(_FIRST_JOB_ID)
        self._endings: dict[tuple[int, str | None, int], deque[Ending]] = {}
        self._listeners: list[Listener] = []
        self._outputs: dict[tuple[int, str], dict[str, list[str]]] = {}
        self._old_runs: dict[int, SandboxRun] = {}
        self._stale_calls_left: float = 0
        self.pace = BuildPace()
        self.stale_calls_after_rerun: float = 0
        """How many lists of runs still show the old attempt after a re-run; `math.inf`: until it is changed."""
        self.fails_above_per_page: int | None = None
        """Pages of runs and jobs with more entries than this give 502, as for busy repositories. None: no page does."""
        self.cancels_at_once = True
        """If False, a cancelled run continues until it is advanced, as on GitHub for some seconds."""

    # What starts runs

    def push(
        self, repo: Repo, branch: str = "main", *, at: datetime | None = None, **commit: Any
    ) -> tuple[SandboxRun, ...]:
        """Pushes a commit: each workflow for pushes gets a queued run. `commit` as for `trigger`."""
        with self._changed:
            found, sha = self.repo(repo), commit.pop("sha", None) or self._new_sha()
            self.change_repo(found, pushed_at=at or self._clock())
            for_pushes = [flow for flow in self.workflows(found) if "push" in flow.events and flow.state == "active"]
            return tuple(self.trigger(found, flow.name, branch, sha=sha, at=at, **commit) for flow in for_pushes)

    def trigger(
        self,
        repo: Repo,
        workflow: str = "CI",
        branch: str | None = "main",
        *,
        event: str = "push",
        message: str | None = "Tidy up",
        by: str | None = "ada",
        author: str | None = None,
        sha: str | None = None,
        head_repo: SandboxRepo | None = None,
        pull_request: PullRequest | None = None,
        is_tag: bool = False,
        at: datetime | None = None,
    ) -> SandboxRun:
        """One run of any event: `schedule`, `workflow_dispatch`, …; `by` pushed what `author` (else `by`) wrote.

        Without a `sha` it is of a new commit if the event brings one, else of the newest one of the branch. With
        `is_tag`, `branch` is a tag's name, which GitHub shows in the same field.
        """
        with self._changed:
            found, flow, now = self.repo(repo), self.workflow(repo, workflow), at or self._clock()
            heads = self.heads(head_repo or found)
            if sha is None and event not in _MOVES_A_BRANCH:
                sha = heads.get(branch or found.default_branch)
            sha = sha or self._new_sha()
            if branch is not None and not is_tag and (event in _MOVES_A_BRANCH or branch not in heads):
                self.commit(head_repo or found, branch, sha)
            of_flow = [run for run in self.runs(found) if run.workflow_id == flow.id]
            run = SandboxRun(
                id=next(self._run_ids), number=len(of_flow) + 1, repo_id=found.id, workflow_id=flow.id, name=flow.name,
                head_branch=branch, head_sha=sha, event=event, status="queued", conclusion=None,
                attempt=1, created_at=now, started_at=now, updated_at=now, actor=by, triggering_actor=by,
                message=message, author=author or by, head_repo=head_repo or found,
                jobs=attempts.queued(flow.jobs, 1, now, self._next_job_id),
                pull_request=pull_request or self._open_pull(found, branch, head_repo),
            )  # fmt: skip
            return self._put(run)

    def pull_request(
        self, repo: Repo, branch: str, *, number: int, base: str = "main", fork: Repo | None = None, **run: Any
    ) -> SandboxRun:
        """Opens a pull request, of `fork`'s branch (which may be named `main`) if one is given; returns its run.

        A fork's run names no pull request, as on GitHub; it is still found by its branch. A second call is the run of a
        new commit, except with `event="pull_request_target"`.
        """
        with self._changed:
            found, head_repo, now = self.repo(repo), self.repo(repo if fork is None else fork), self._clock()
            run = {"event": "pull_request", "message": f"Propose {branch}", **run}
            if "sha" not in run:
                known = self.heads(head_repo).get(branch) if run["event"] not in _MOVES_A_BRANCH else None
                run["sha"] = known or self._new_sha()
            title, by = (run["message"] or branch).partition("\n")[0], run.get("by") or "ada"
            pull = PullRequest(number, base, found.id, branch, run["sha"], head_repo, title, by, now, now)
            self.put_pull(pull)
            return self.trigger(found, branch=branch, head_repo=head_repo, pull_request=pull, **run)

    def put_pull(self, pull: PullRequest) -> PullRequest:
        """Stores the pull request, and replaces it in its runs."""
        with self._changed:
            for run in self.runs(pull.repo_id):
                if run.pull_request is not None and run.pull_request.number == pull.number:
                    self._put(replace(run, pull_request=pull))
            return super().put_pull(pull)

    def listen(self, listener: Listener) -> None:
        """Calls `listener` when a run or a job is requested, begins, waits or ends. It must be quick and not raise."""
        with self._changed:
            self._listeners.append(listener)

    # Runs by name or state

    def run(self, which: Which) -> SandboxRun:
        """Raises NotFound."""
        return self.attempts(which)[-1]

    def attempts(self, which: Which) -> tuple[SandboxRun, ...]:
        """All attempts, the first one first. Raises NotFound."""
        with self._changed:
            number = which if isinstance(which, int) else which.id
            if number not in self._attempts:
                raise NotFound(f"no run {number}")
            return tuple(self._attempts[number])

    def runs(self, repo: Repo, branch: str | None = None, workflow: str | None = None) -> tuple[SandboxRun, ...]:
        """The current runs, newest first, even if lists lag."""
        with self._changed:
            number = self.repo(repo).id
            newest_first = (self._attempts[run_id][-1] for run_id in reversed(self._attempts))
            return tuple(
                run
                for run in newest_first
                if run.repo_id == number and branch in (None, run.head_branch) and workflow in (None, run.name)
            )

    def newest(self, repo: Repo, branch: str = "main", workflow: str = "CI") -> SandboxRun:
        """Raises NotFound if the branch has no run of the workflow."""
        runs = self.runs(repo, branch, workflow)
        if not runs:
            raise NotFound(f"no run of {workflow} in {repo} {branch}")
        return runs[0]

    # What happens to runs

    def change(self, which: Which, **fields: Any) -> SandboxRun:
        """Any fields of a run set by hand: nulls, `missing` fields, words that no run ever had."""
        with self._changed:
            return self._put(replace(self.run(which), **fields))

    def start(self, which: Which, *, at: datetime | None = None) -> SandboxRun:
        with self._changed:
            return self._put(attempts.started(self.run(which), at or self._clock()))

    def finish(
        self,
        which: Which,
        conclusion: str = "success",
        *,
        job: str | None = None,
        step: str | None = None,
        at: datetime | None = None,
    ) -> SandboxRun:
        """Ends a run with any word. Raises NotFound for a job or step that the run does not have."""
        with self._changed:
            return self._put(attempts.ended(self.run(which), Ending(conclusion, job, step), at or self._clock()))

    def succeed(self, which: Which, *, at: datetime | None = None) -> SandboxRun:
        return self.finish(which, "success", at=at)

    def fail(
        self, which: Which, job: str | None = None, step: str | None = None, *, at: datetime | None = None
    ) -> SandboxRun:
        return self.finish(which, "failure", job=job, step=step, at=at)

    def skip(self, which: Which, *, at: datetime | None = None) -> SandboxRun:
        return self.finish(which, "skipped", at=at)

    def finish_job(
        self,
        which: Which,
        job: str,
        conclusion: str = "failure",
        *,
        step: str | None = None,
        at: datetime | None = None,
    ) -> SandboxRun:
        """One job ends while its run goes on. Raises NotFound for a job or step that the run does not have."""
        with self._changed:
            run, ending = self.run(which), Ending(conclusion, job, step)
            return self._put(attempts.job_ended(run, ending, at or self._clock()))

    def wait_for_approval(
        self, which: Which, environment: str = "production", *, job: str | None = None, at: datetime | None = None
    ) -> SandboxRun:
        """`job`, or the last one, waits for an approval; jobs before it that have not ended have passed."""
        with self._changed:
            return self._put(attempts.waiting(self.run(which), environment, job, at or self._clock()))

    def will_end(self, repo: Repo, branch: str, *endings: Ending | str, workflow: str = "CI") -> None:
        """How the next runs (and attempts) of the branch's workflow end, in turn; after these they succeed."""
        with self._changed:
            found = self.repo(repo)
            key = found.id, branch, self.workflow(found, workflow).id
            parsed = (Ending(ending) if isinstance(ending, str) else ending for ending in endings)
            self._endings.setdefault(key, deque()).extend(parsed)

    def advance(self, which: Which, *, at: datetime | None = None) -> SandboxRun:
        """Starts a run, or ends it as `will_end` says. A run that has finished or waits does not change."""
        with self._changed:
            run = self.run(which)
            if run.status not in {"requested", "queued", "pending", "in_progress"}:
                return run
            if run.cancelling:
                return self.finish(run, "cancelled", at=at)
            if run.status != "in_progress":
                return self.start(run, at=at)
            endings = self._endings.get((run.repo_id, run.head_branch, run.workflow_id))
            ending = endings.popleft() if endings else Ending()
            return self._put(attempts.ended(run, ending, at or self._clock()))

    def tick(self, now: datetime | None = None) -> tuple[SandboxRun, ...]:
        """Advances what is due by `pace`, each at its due time. Returns the runs that changed."""
        with self._changed:
            now = now or self._clock()
            unfinished = [of_run[-1] for of_run in self._attempts.values() if not of_run[-1].is_over]
            moved = [self._moved_on(run, now) for run in unfinished]
            return tuple(new for old, new in zip(unfinished, moved, strict=True) if new != old)

    # What callers request from GitHub, by its API or on its pages

    def rerun(
        self,
        which: Which,
        *,
        failed_only: bool = False,
        debug_logging: bool = False,
        by: str | None = "ada",
        at: datetime | None = None,
    ) -> SandboxRun:
        """Starts the next attempt and returns it. Raises NotPossible, with GitHub's words."""
        with self._changed:
            old, now = self.run(which), at or self._clock()
            self._check_writable(old)
            if not old.is_over:
                raise NotPossible(403, "This workflow is already running")
            if now - old.created_at > RERUN_WITHIN:
                raise NotPossible(403, "Unable to retry this workflow run because it was created over a month ago")
            if failed_only and not attempts.has_failed_jobs(old):
                raise NotPossible(403, "This workflow run cannot be retried")
            plans = self._workflows[old.workflow_id].jobs
            again = attempts.again(old, plans, now, by, failed_only, self._next_job_id)
            new = replace(again, debug_logging=debug_logging)
            self._attempts[old.id].append(old)  # which `_put` replaces by the new one
            if self.stale_calls_after_rerun:
                self._stale_calls_left = self.stale_calls_after_rerun
                self._old_runs.setdefault(old.id, old)
            return self._put(new)

    def cancel(self, which: Which) -> SandboxRun:
        """Raises NotPossible for a run that has finished."""
        with self._changed:
            run = self.run(which)
            self._check_writable(run)
            if run.is_over:
                raise NotPossible(409, "Cannot cancel a workflow run that is completed.")
            if self.cancels_at_once:
                return self.finish(run, "cancelled")
            return self._put(replace(run, cancelling=True, updated_at=self._clock()))

    def write_output(self, which: Which, job: str, step: str, text: str) -> None:
        """What a step prints in every attempt of the run; any text, line by line."""
        with self._changed:
            self._outputs.setdefault((self.run(which).id, job), {})[step] = text.split("\n")

    def log(self, repo: Repo, job_id: int) -> str:
        """The log of a job that has ended. Raises NotFound."""
        with self._changed:
            number = self.repo(repo).id
            for run in (run for of_run in self._attempts.values() for run in of_run if run.repo_id == number):
                for job in run.jobs:
                    if job.id == job_id and job.status == "completed":
                        return job_log(job, self._outputs.get((run.id, job.name), {}), debug=run.debug_logging)
            raise NotFound(f"no log of job {job_id}")

    def review(self, which: Which, environments: Iterable[str], *, approved: bool) -> SandboxRun:
        """Lets the jobs that wait for these environments go on, or fails them. Raises NotPossible if none waits."""
        with self._changed:
            run, named = self.run(which), frozenset(environments)
            if not named & set(run.waits_for):
                raise NotPossible(422, "No pending deployment requests to approve or reject")
            if not approved:
                return self.finish(run, "failure", job=attempts.job_waiting_for(run, named).name)
            return self._put(attempts.approved(run, named, self._clock()))

    def list_call(self, repo: Repo) -> list[SandboxRun]:
        """What the list of runs shows, newest first."""
        with self._changed:
            shown = [self._old_runs.get(run.id, run) for run in self.runs(repo)]
            if self._stale_calls_left:
                self._stale_calls_left -= 1
                if self._stale_calls_left <= 0:
                    self.show_new_attempts()
            return shown

    def show_new_attempts(self) -> None:
        """Ends `stale_calls_after_rerun`: lists show the current attempts from now on."""
        with self._changed:
            self._stale_calls_left = 0
            self._old_runs.clear()

    def reruns_asked(self, which: Which) -> int:
        """How many POSTs requested a re-run of it or its failed jobs, with any result."""
        number = which if isinstance(which, int) else which.id
        return self.asked("rerun", number) + self.asked("rerun failed", number)

    def _put(self, run: SandboxRun) -> SandboxRun:
        """Replaces the newest attempt, and calls listeners if it began or ended with that."""
        of_run = self._attempts.setdefault(run.id, [])
        old = of_run[-1] if of_run else None
        of_run[-1:] = [run]
        if old is None:
            self._tell(RunEvent("requested", run))  # not for a re-run: GitHub says no `requested` for these
        elif run.status != old.status and run.status == "in_progress":
            self._tell(RunEvent("in_progress", run))
        elif run.is_over and not old.is_over:
            self._tell(RunEvent("completed", run))
        self._tell_of_jobs(old, run)
        self._changed.notify_all()
        return run

    def _tell_of_jobs(self, old: SandboxRun | None, run: SandboxRun) -> None:
        before = {job.id: job.status for job in old.jobs} if old else {}
        for job in run.jobs:
            is_a_copy = job.id not in before and job.status == "completed"  # kept by a re-run of the failed jobs
            if job.status != before.get(job.id) and not is_a_copy:
                self._tell(JobEvent(job.status, job, run))

    def _open_pull(self, repo: SandboxRepo, branch: str | None, head_repo: SandboxRepo | None) -> PullRequest | None:
        """The open pull request from this branch, which GitHub names at every run of it."""
        head_id = (head_repo or repo).id
        own = (
            pull for pull in self.pulls(repo) if pull.head == branch and pull.head_repo and pull.head_repo.id == head_id
        )
        return next((pull for pull in own if pull.state == "open"), None)

    def _tell(self, event: RunEvent | JobEvent) -> None:
        for listener in self._listeners:
            listener(event)

    def _moved_on(self, run: SandboxRun, now: datetime) -> SandboxRun:
        while True:
            lasts_s = self.pace.runs_s if run.status == "in_progress" and not run.cancelling else self.pace.waits_s
            due_at = run.updated_at + timedelta(seconds=lasts_s)
            if due_at > now or run == (moved := self.advance(run, at=due_at)):
                return run
            run = moved

    def _check_writable(self, run: SandboxRun) -> None:
        if self._repos[run.repo_id].archived:
            raise NotPossible(403, "Repository was archived so is read-only.")

    def _next_job_id(self) -> int:
        return next(self._job_ids)

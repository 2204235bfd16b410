"""The simulated CodeShip's state: projects, builds and how they progress.

No HTTP, no sleeping and no randomness here. Thread-safe.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from playground.codeship.faults import Call
from playground.codeship.model import NotFound, SandboxBuild, SandboxProject
from playground.http_host.request_log import RequestLog
from playground.pace import BuildPace

BUILDS_SHOWN = 10
_FIRST_PROJECT_ID, _FIRST_BUILD_ID = 33_801, 3_277_301

Order = Literal["newest first", "oldest first", "mixed"]


class CodeShipWorld(RequestLog):
    """One account. `repo` is a repository's name or a project id, `which` a build or a build id."""

    def __init__(self, clock: Callable[[], datetime], api_key: str) -> None:
        super().__init__(get_args(Call))
        self._clock = clock
        self._api_key = api_key
        self._projects: dict[int, SandboxProject] = {}
        self._ids_by_name: dict[str, int] = {}
        self._builds: dict[int, SandboxBuild] = {}
        self._build_ids: dict[int, list[int]] = {}
        self._next_project_id, self._next_build_id = _FIRST_PROJECT_ID, _FIRST_BUILD_ID
        self._outcomes: dict[tuple[int, str], deque[str]] = {}
        self._old_runs: dict[int, SandboxBuild | None] = {}
        self._stale_calls_left: float = 0
        self.pace = BuildPace()
        self.order: Order = "newest first"
        self.restarts_make_new_builds = False
        self.stale_calls_after_restart: float = 0
        """How many list and project calls still show the old run after a restart; `math.inf`: until `show_new_runs`."""

    def now(self) -> datetime:
        return self._clock()

    def accepts(self, api_key: str | None) -> bool:
        return api_key is not None and hmac.compare_digest(api_key.encode(), self._api_key.encode())

    def add_project(self, name: str, *, id: int | None = None, provider: str | None = "github") -> SandboxProject:
        """Two projects may have the same name, which then means the older one. Raises ValueError if the id exists."""
        with self._changed:
            number = self._next_project_id if id is None else id
            if number in self._projects:
                raise ValueError(f"project {number} exists already")
            project = SandboxProject(number, name, _uuid(f"project {number}"), provider)
            self._projects[number] = project
            self._ids_by_name.setdefault(name, number)
            self._next_project_id = max(self._next_project_id, number + 1)
            self._build_ids[number] = []
            self._changed.notify_all()
            return project

    def projects(self) -> tuple[SandboxProject, ...]:
        with self._changed:
            return tuple(self._projects.values())

    def project(self, repo: str | int) -> SandboxProject:
        """The project. Raises NotFound."""
        with self._changed:
            number = repo if isinstance(repo, int) else self._ids_by_name.get(repo)
            if number not in self._projects:
                raise NotFound(f"no project {repo}")
            return self._projects[number]

    def push(
        self,
        repo: str | int,
        branch: str = "main",
        *,
        message: str | None = "Tidy up",
        by: str | None = "ada",
        at: datetime | None = None,
    ) -> SandboxBuild:
        """Adds a commit. Its build is initiated, but has not started."""
        with self._changed:
            project = self.project(repo)
            number = self._next_build_id
            self._next_build_id += 1
            return self._put(
                SandboxBuild(
                    id=number,
                    uuid=_uuid(f"build {number}"),
                    project_id=project.id,
                    status="initiated",
                    branch=branch,
                    commit_id=hashlib.sha256(f"commit {number}".encode()).hexdigest()[:40],
                    github_username=by,
                    message=message,
                    started_at=None,
                    finished_at=None,
                    moved_at=at or self._clock(),
                )
            )

    def build(self, which: SandboxBuild | int) -> SandboxBuild:
        """The build's current state. Raises NotFound."""
        with self._changed:
            number = which if isinstance(which, int) else which.id
            if number not in self._builds:
                raise NotFound(f"no build {number}")
            return self._builds[number]

    def builds(self, repo: str | int, branch: str | None = None) -> tuple[SandboxBuild, ...]:
        """All builds in their real state, newest first."""
        with self._changed:
            all_of_it = (self._builds[number] for number in reversed(self._build_ids[self.project(repo).id]))
            return tuple(build for build in all_of_it if branch in (None, build.branch))

    def newest(self, repo: str | int, branch: str = "main") -> SandboxBuild:
        """The branch's newest build. Raises NotFound if it has none."""
        builds = self.builds(repo, branch)
        if not builds:
            raise NotFound(f"no build of {repo} {branch}")
        return builds[0]

    def change(self, which: SandboxBuild | int, **fields: Any) -> SandboxBuild:
        """Sets any fields of a build: nulls, `missing` fields, status words that no build ever had."""
        with self._changed:
            return self._put(replace(self.build(which), **fields))

    def start(self, which: SandboxBuild | int, *, at: datetime | None = None) -> SandboxBuild:
        with self._changed:
            build, moved_at = self.build(which), at or self._clock()
            started_at = build.started_at or moved_at
            return self._put(replace(build, status="testing", started_at=started_at, moved_at=moved_at))

    def finish(
        self,
        which: SandboxBuild | int | str,
        status: str = "success",
        *,
        branch: str = "main",
        at: datetime | None = None,
    ) -> SandboxBuild:
        """Ends a build, or the newest of a repository's `branch`, with any status word."""
        with self._changed:
            build = self.newest(which, branch) if isinstance(which, str) else self.build(which)
            ended_at = at or self._clock()
            started_at = build.started_at or build.moved_at
            return self._put(
                replace(build, status=status, started_at=started_at, finished_at=ended_at, moved_at=ended_at)
            )

    def advance(self, which: SandboxBuild | int, *, at: datetime | None = None) -> SandboxBuild:
        """Advances a running build: starts it, or ends it as `will_end` says. A finished build does not change."""
        with self._changed:
            build = self.build(which)
            if not build.is_running:
                return build
            if build.status != "testing":
                return self.start(build, at=at)
            outcomes = self._outcomes.get((build.project_id, build.branch))
            return self.finish(build, outcomes.popleft() if outcomes else "success", at=at)

    def will_end(self, repo: str | int, branch: str, *statuses: str) -> None:
        """The results of the branch's next runs, in order. Later runs succeed."""
        with self._changed:
            self._outcomes.setdefault((self.project(repo).id, branch), deque()).extend(statuses)

    def tick(self, now: datetime | None = None) -> tuple[SandboxBuild, ...]:
        """Advances builds that are due by `pace`, each at its due time. Returns the builds that changed."""
        with self._changed:
            now = now or self._clock()
            running = [build for build in self._builds.values() if build.is_running]
            moved = [self._moved_on(build, now) for build in running]
            return tuple(new for old, new in zip(running, moved, strict=True) if new != old)

    def restart(self, which: SandboxBuild | int) -> SandboxBuild:
        """Runs the same commit again. Returns the running build; a build that already runs does not change."""
        with self._changed:
            old = self.build(which)
            if old.is_running:
                return old
            if self.restarts_make_new_builds:
                new = self.push(old.project_id, old.branch, message=old.message, by=old.github_username)
                new = self._put(replace(new, commit_id=old.commit_id))
            else:
                now = self._clock()
                again = {"started_at": now, "finished_at": None, "moved_at": now, "run": old.run + 1}
                new = self.change(old, status="initiated", **again)
            if self.stale_calls_after_restart:
                self._stale_calls_left = self.stale_calls_after_restart
                # If old and new are the same build, the first entry counts: the state before the restart is shown.
                self._old_runs.setdefault(old.id, old)
                self._old_runs.setdefault(new.id, None)
            return new

    def restarts_asked(self, which: SandboxBuild | int) -> int:
        """How many POSTs tried to restart this build, including failed ones."""
        return self.asked("restart", which if isinstance(which, int) else which.id)

    def show_new_runs(self) -> None:
        """Ends the effect of `stale_calls_after_restart`: project calls show the real state again."""
        with self._changed:
            self._stale_calls_left = 0
            self._old_runs.clear()

    def list_call(self) -> list[tuple[SandboxProject, list[SandboxBuild]]]:
        """What the list call returns: every project with its last builds."""
        with self._changed:
            shown = [(project, self._shown(project.id, None)) for project in self._projects.values()]
            self._count_stale_call()
            return shown

    def project_call(self, project_id: int, branch: str | None) -> tuple[SandboxProject, list[SandboxBuild]]:
        """What the project call returns: its last builds, or those of one branch. Raises NotFound."""
        with self._changed:
            shown = self.project(project_id), self._shown(project_id, branch)
            self._count_stale_call()
            return shown

    def _put(self, build: SandboxBuild) -> SandboxBuild:
        if build.id not in self._builds:
            self._build_ids[build.project_id].append(build.id)
        self._builds[build.id] = build
        self._changed.notify_all()
        return build

    def _moved_on(self, build: SandboxBuild, now: datetime) -> SandboxBuild:
        while build.is_running:
            lasts_s = self.pace.runs_s if build.status == "testing" else self.pace.waits_s
            due_at = build.moved_at + timedelta(seconds=lasts_s)
            if due_at > now:
                break
            build = self.advance(build, at=due_at)
        return build

    def _shown(self, project_id: int, branch: str | None) -> list[SandboxBuild]:
        newest_first = (
            self._old_runs.get(number, self._builds[number]) for number in reversed(self._build_ids[project_id])
        )
        in_sight = [build for build in newest_first if build and branch in (None, build.branch)]
        last = in_sight[:BUILDS_SHOWN]
        match self.order:
            case "newest first":
                return last
            case "oldest first":
                return last[::-1]
            case "mixed":
                return last[1::2] + last[::2]

    def _count_stale_call(self) -> None:
        if self._stale_calls_left:
            self._stale_calls_left -= 1
            if self._stale_calls_left <= 0:
                self.show_new_runs()


def _uuid(of: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, of))

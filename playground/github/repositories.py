"""The sandbox GitHub's repositories and their workflows. No HTTP. Thread-safe."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from playground.github.accounts import ALL_THAT_IS_NEEDED, Accounts, Caller, Kind
from playground.github.faults import Call
from playground.github.model import Hook, JobPlan, NotFound, PullRequest, SandboxRepo, SandboxWorkflow
from playground.http_host.request_log import RequestLog

_FIRST_REPO_ID, _FIRST_WORKFLOW_ID = 731_204_001, 58_400_001
_BEFORE = timedelta(days=400)
DEFAULT_JOBS = (JobPlan("build", ("Set up job", "Check out", "Build", "Complete job")), JobPlan("test"))


class GitHubRepos(RequestLog):
    """`repo` is a repository, its id or its name now; names are the same in any case."""

    def __init__(self, clock: Callable[[], datetime], token: str) -> None:
        super().__init__(get_args(Call))
        self._clock = clock
        self._repos: dict[int, SandboxRepo] = {}
        self._ids_by_name: dict[str, int] = {}
        self._old_names: dict[str, int] = {}
        self._workflows: dict[int, SandboxWorkflow] = {}
        self._heads: dict[tuple[int, str], str] = {}
        self.hooks: dict[int, Hook] = {}
        self._pulls: dict[tuple[int, int], PullRequest] = {}
        self._commits = itertools.count(1)
        self.accounts = Accounts(clock)
        self.add_token(token, "acme-bot")

    def now(self) -> datetime:
        return self._clock()

    def add_token(
        self,
        token: str,
        login: str = "acme-bot",
        *,
        repos: Sequence[str] | None = None,
        permissions: Mapping[str, str] = ALL_THAT_IS_NEEDED,
        kind: Kind = "fine-grained",
        expires_at: datetime | None = None,
    ) -> Caller:
        """`repos`: the only ones that it was made for. Without `actions` in `permissions` it cannot see runs."""
        chosen = None if repos is None else frozenset(self.repo(name).id for name in repos)
        return self.accounts.grant(token, Caller(kind, login, chosen, permissions, expires_at))

    def add_repo(
        self,
        full_name: str,
        *,
        id: int | None = None,
        private: bool = True,
        workflows: Iterable[str] = ("CI",),
        owner_is: Literal["User", "Organization"] = "Organization",
        **fields: Any,
    ) -> SandboxRepo:
        """With these workflows, each of the jobs `build` and `test`. Raises ValueError if the name is taken."""
        with self._changed:
            if full_name.lower() in self._ids_by_name or id in self._repos:
                raise ValueError(f"repository {full_name} ({id}) exists already")
            number = max([_FIRST_REPO_ID - 1, *self._repos]) + 1 if id is None else id
            created_at = self._clock() - _BEFORE
            repo = SandboxRepo(number, full_name, created_at, created_at, private, **fields)
            self._repos[number] = repo
            self._ids_by_name[full_name.lower()] = number
            self.accounts.account(repo.owner, owner_is)
            for name in workflows:
                self.add_workflow(repo, name)
            self._changed.notify_all()
            return repo

    def repos(self) -> tuple[SandboxRepo, ...]:
        with self._changed:
            return tuple(self._repos.values())

    def repo(self, which: SandboxRepo | str | int) -> SandboxRepo:
        """As it is now. Raises NotFound."""
        with self._changed:
            number = which.id if isinstance(which, SandboxRepo) else which
            if isinstance(number, str):
                number = self._ids_by_name.get(number.lower(), 0)
            if number not in self._repos:
                raise NotFound(f"no repository {which}")
            return self._repos[number]

    def repo_once_named(self, full_name: str) -> SandboxRepo | None:
        """The repository that had the name before it was renamed; a new one of that name hides it."""
        with self._changed:
            number = self._old_names.get(full_name.lower())
            return None if full_name.lower() in self._ids_by_name or number is None else self._repos.get(number)

    def change_repo(self, which: SandboxRepo | str | int, **fields: Any) -> SandboxRepo:
        """For instance `archived=True`; a new name by `rename`."""
        with self._changed:
            repo = replace(self.repo(which), **fields)
            self._repos[repo.id] = repo
            return repo

    def rename(self, which: SandboxRepo | str | int, to: str) -> SandboxRepo:
        """Also to another owner. The old name then redirects."""
        with self._changed:
            repo = self.repo(which)
            if to.lower() in self._ids_by_name:
                raise ValueError(f"repository {to} exists already")
            del self._ids_by_name[repo.full_name.lower()]
            self._ids_by_name[to.lower()] = self._old_names[repo.full_name.lower()] = repo.id
            self.accounts.account(to.partition("/")[0], "Organization")
            return self.change_repo(repo, full_name=to)

    def remove_repo(self, which: SandboxRepo | str | int) -> None:
        """Deletes it. Requests for it then get 404."""
        with self._changed:
            repo = self.repo(which)
            del self._repos[repo.id], self._ids_by_name[repo.full_name.lower()]

    def add_workflow(
        self,
        repo: SandboxRepo | str | int,
        name: str,
        *,
        jobs: Iterable[JobPlan] = DEFAULT_JOBS,
        events: Iterable[str] = ("push", "pull_request"),
        path: str | None = None,
    ) -> SandboxWorkflow:
        """A push starts a run of it if `events` has `push`."""
        with self._changed:
            number = _FIRST_WORKFLOW_ID + len(self._workflows)
            path = path or f".github/workflows/{name.lower().replace(' ', '-')}.yml"
            found = self.repo(repo)
            self._workflows[number] = SandboxWorkflow(
                number, found.id, name, path, tuple(jobs), frozenset(events), found.created_at
            )
            return self._workflows[number]

    def require_workflow(self, repo: SandboxRepo | str | int, name: str, *, of: str, **fields: Any) -> SandboxWorkflow:
        """A workflow that the organization requires here, with its file in the repository `of`. No list has it."""
        file = f"{of}/.github/workflows/{name.lower().replace(' ', '-')}.yml@refs/heads/main"
        return self.change_workflow(self.add_workflow(repo, name, path=file, **fields), is_listed=False)

    def workflows(self, repo: SandboxRepo | str | int) -> tuple[SandboxWorkflow, ...]:
        """All that can run, also those that no list has."""
        with self._changed:
            number = self.repo(repo).id
            return tuple(workflow for workflow in self._workflows.values() if workflow.repo_id == number)

    def workflow(self, repo: SandboxRepo | str | int, which: str | int) -> SandboxWorkflow:
        """By its name or id. Raises NotFound."""
        for workflow in self.workflows(repo):
            if which in (workflow.name, workflow.id):
                return workflow
        raise NotFound(f"no workflow {which} in {repo}")

    def change_workflow(self, workflow: SandboxWorkflow, **fields: Any) -> SandboxWorkflow:
        """For instance `state="disabled_manually"`: then a push starts no run of it."""
        with self._changed:
            changed = self._workflows[workflow.id] = replace(self._workflows[workflow.id], **fields)
            return changed

    # Branches and pull requests

    def commit(self, repo: SandboxRepo | str | int, branch: str, sha: str | None = None) -> str:
        """A branch's newest commit from now on; returns it. It starts no run: paths can filter all workflows out."""
        with self._changed:
            found, sha = self.repo(repo), sha or self._new_sha()
            self._heads[found.id, branch] = sha
            return sha

    def head(self, repo: SandboxRepo | str | int, branch: str) -> str:
        """The branch's newest commit. Raises NotFound if there is no such branch."""
        heads = self.heads(repo)
        if branch not in heads:
            raise NotFound(f"no branch {branch} in {repo}")
        return heads[branch]

    def heads(self, repo: SandboxRepo | str | int) -> dict[str, str]:
        """Every branch with its newest commit. A tag is no branch."""
        with self._changed:
            number = self.repo(repo).id
            return {branch: sha for (of, branch), sha in self._heads.items() if of == number}

    def delete_branch(self, repo: SandboxRepo | str | int, branch: str) -> None:
        """Its runs are still listed under its name. Raises NotFound."""
        with self._changed:
            self.head(repo, branch)
            del self._heads[self.repo(repo).id, branch]

    def put_pull(self, pull: PullRequest) -> PullRequest:
        """Stores the pull request, in place of an earlier state."""
        with self._changed:
            self._pulls[pull.repo_id, pull.number] = pull
            return pull

    def pull(self, repo: SandboxRepo | str | int, number: int) -> PullRequest:
        """Raises NotFound."""
        with self._changed:
            found = self._pulls.get((self.repo(repo).id, number))
            if found is None:
                raise NotFound(f"no pull request {number} in {repo}")
            return found

    def pulls(self, repo: SandboxRepo | str | int) -> tuple[PullRequest, ...]:
        """All, closed ones too."""
        with self._changed:
            number = self.repo(repo).id
            return tuple(pull for pull in self._pulls.values() if pull.repo_id == number)

    def close_pull(self, repo: SandboxRepo | str | int, number: int, *, merged: bool = False) -> PullRequest:
        """Closed, or merged. Its runs then name no pull request any more. Raises NotFound."""
        now = self._clock()
        return self.put_pull(
            replace(self.pull(repo, number), state="closed", merged_at=now if merged else None, updated_at=now)
        )

    def _new_sha(self) -> str:
        return hashlib.sha256(f"commit {next(self._commits)}".encode()).hexdigest()[:40]

"""GitHub Actions behind the `CIProvider` port: sends what `github_wire` asks for, and remembers what does not change.

It decides nothing about builds, and logs nothing: what goes wrong is raised, always as a `CIError`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from bot.ci import github_wire as wire
from bot.ci.answers import Request
from bot.ci.github_app import App, AppTokens, Identity, Token
from bot.ci.github_builds import worst_of
from bot.ci.github_pages import recognise, web_url
from bot.ci.github_refusals import TITLE, in_words
from bot.ci.remembered import Remembered
from bot.ci.service import Surroundings
from bot.ci.tries import Tries
from bot.core.errors import BadAnswer, CIError, KeyRefused, NoAnswer, NotThere, WillNot
from bot.core.model import Ability, Build, FailedJob, Page, Project, Status, Taken, Workflow
from bot.setting_values import Secret

MOST_PAGES = 100
"""Of repositories, each with a hundred."""
WORKFLOWS_DETAILED = 3
MOST_ATTEMPTS = 10
"""Of a run that was run again more often, nobody is told how often: each attempt costs a call, if only once."""

_DETAILS_WITHIN = 1 / 3  # of the time that a call may take: an answer waits for them
_MAX_BYTES = 16 * 1024 * 1024
_OF_ONE_RUN = (WillNot, NotThere, BadAnswer, NoAnswer)
"""What says nothing of the next run that is asked for."""

_T = TypeVar("_T")


class GitHub:
    """A host that serves GitHub's REST API, asked with a token or as an App. `max_bytes` bounds its answers."""

    service = wire.SERVICE
    title = TITLE
    abilities = frozenset(Ability)

    def __init__(self, api_url: str, who: Secret | App, around: Surroundings, *, max_bytes: int = _MAX_BYTES) -> None:
        self._api_url, self._web_url = api_url, web_url(api_url)
        self._max_bytes = max_bytes
        self._tries = Tries(self.title, api_url, around)
        self._details_s = around.total_s * _DETAILS_WITHIN
        self._identity: Identity = (
            AppTokens(who, api_url, self._tries, now=around.now, monotonic=around.monotonic)
            if isinstance(who, App)
            else Token(who)
        )
        self._unchanged: Remembered[Hashable, tuple[str | None, object]] = Remembered(200)
        self._jobs: Remembered[tuple[str, int], tuple[FailedJob, ...]] = Remembered(1_000)
        self._attempts: Remembered[tuple[str, int], Status] = Remembered(1_000)

    def recognise(self, url: str) -> Page | None:
        return recognise(url, self._web_url)

    def projects(self) -> list[Project]:
        """Every repository that the token, or the App's installation, can see; archived and disabled ones not.

        A page that has not changed since it was last read costs nothing of GitHub's limit.
        """
        page: Request | None = wire.repositories_request(self._api_url, self._identity.repositories)
        found: dict[str, Project] = {}
        for _ in range(MOST_PAGES):
            if page is None:
                break
            read = partial(wire.decipher_repositories, page=page)
            projects, page = self._ask_unless_known("projects", page.url, page, read)
            found |= {project.id: project for project in projects}
        return list(found.values())

    def builds(self, project: Project, branch: str | None = None) -> list[Build]:
        request = wire.builds_request(self._api_url, project, branch)
        read = partial(wire.decipher_builds, project=project, web_url=self._web_url)
        return list(self._ask_unless_known("builds", (project, branch), request, read))

    def restart(self, build: Build, *, failed_jobs_only: bool = False) -> Taken:
        """One POST for each workflow. One that GitHub does not take holds up none of the others."""
        ended = [run for run in build.workflows if run.has_ended]
        wanted = [run for run in ended if run.status.is_bad] or ended
        if not wanted:
            raise WillNot(self.title, "none of its workflows has ended")
        ask = partial(wire.rerun_request, failed_jobs_only=failed_jobs_only)
        left = [run.name for run in build.workflows if not run.has_ended]
        return self._done_to(build, wanted, "restart", ask, left)

    def stop(self, build: Build) -> Taken:
        """One POST for each workflow that runs or waits."""
        running = [run for run in build.workflows if run.status.is_under_way]
        if not running:
            raise WillNot(self.title, "none of its workflows was running any more")
        return self._done_to(build, running, "stop", wire.cancel_request)

    def in_detail(self, build: Build) -> Build:
        """Which jobs failed in the first workflows that went wrong, and how the build went before.

        Before: the attempts but this one of the workflow that decides. That is, of those which ran for this commit
        and have been run again, the one that stands worst, of several alike the one most often run. What cannot be
        learned is left out.
        """
        until = self._tries.until(self._details_s)
        wrong = [run.run_id for run in build.workflows if run.has_ended and run.status.is_bad][:WORKFLOWS_DETAILED]
        detailed = [
            replace(run, failed_jobs=self._failed_jobs(build, run, until)) if run.run_id in wrong else run
            for run in build.workflows
        ]
        return replace(build, workflows=tuple(detailed), earlier=self._earlier(build, until))

    def close(self) -> None:
        self._tries.close()

    def _failed_jobs(self, build: Build, run: Workflow, until: float) -> tuple[FailedJob, ...]:
        known = self._jobs.get((run.run_id, run.attempt))
        if known is not None:
            return known
        request = wire.jobs_request(self._api_url, build.project, run.run_id)
        read = partial(wire.decipher_jobs, attempt=run.attempt)
        try:
            jobs, are_final = self._ask("jobs", request, read, until)
        except CIError:
            return ()
        if are_final:
            self._jobs.put((run.run_id, run.attempt), jobs)
        return jobs

    def _earlier(self, build: Build, until: float) -> tuple[Status, ...]:
        again = [run for run in build.workflows if run.attempt > 1 and run.commit is None]
        if not again:
            return ()
        run = worst_of(sorted(again, key=lambda run: run.attempt, reverse=True))
        if run.attempt > MOST_ATTEMPTS:
            return ()
        try:
            return tuple(self._attempt(build, run.run_id, attempt, until) for attempt in range(1, run.attempt))
        except CIError:
            return ()

    def _attempt(self, build: Build, run_id: str, attempt: int, until: float) -> Status:
        known = self._attempts.get((run_id, attempt))
        if known is not None:
            return known
        request = wire.attempt_request(self._api_url, build.project, run_id, attempt)
        status = self._ask("attempts", request, wire.decipher_attempt, until)
        if not status.is_under_way:
            self._attempts.put((run_id, attempt), status)
        return status

    def _done_to(
        self,
        build: Build,
        runs: Sequence[Workflow],
        call: str,
        ask: Callable[[str, Project, str], Request],
        left: Iterable[str] = (),
    ) -> Taken:
        """Raises where GitHub has taken none: that nobody knows, or else the first reason."""
        until = self._tries.until()
        done: list[str] = []
        failures: list[tuple[str, CIError]] = []
        for run in runs:
            if failures and not isinstance(failures[-1][1], _OF_ONE_RUN):
                failures.append((run.name, failures[-1][1]))
                continue
            try:
                self._post(call, ask(self._api_url, build.project, run.run_id), until)
            except CIError as failure:
                failures.append((run.name, failure))
            else:
                done.append(run.name)
        if not done:
            raise next((why for _, why in failures if why.may_have_taken), failures[0][1])
        return Taken(build.id, tuple(done), tuple(left), tuple((name, in_words(why)) for name, why in failures))

    def _post(self, call: str, request: Request, until: float) -> None:
        def send(token: str) -> None:
            read = partial(wire.decipher_done, secret=token)
            self._tries.ask_once(call, wire.signed(request, token), read, max_bytes=self._max_bytes, until=until)

        self._with_a_token(send, until)

    def _ask(self, call: str, request: Request, read: Callable[..., _T], until: float) -> _T:
        def send(token: str) -> _T:
            signed = wire.signed(request, token)
            return self._tries.ask(call, signed, partial(read, secret=token), max_bytes=self._max_bytes, until=until)

        return self._with_a_token(send, until)

    def _ask_unless_known(self, call: str, key: Hashable, request: Request, read: Callable[..., _T]) -> _T:
        """What was answered before, where GitHub says that it still holds."""
        until = self._tries.until()
        known: tuple[str | None, _T] | None = self._unchanged.get(key)  # type: ignore[assignment]  # a key has one kind of answer

        def send(token: str) -> tuple[str | None, _T]:
            def read_or_known(status: int, headers: Mapping[str, str], body: bytes) -> tuple[str | None, _T]:
                if status == 304 and known is not None:
                    return known
                return wire.etag_of(headers), read(status, headers, body, secret=token)

            signed = wire.signed(request, token, known[0] if known else None)
            return self._tries.ask(call, signed, read_or_known, max_bytes=self._max_bytes, until=until)

        etag, answer = self._with_a_token(send, until)
        if etag:
            self._unchanged.put(key, (etag, answer))
        return answer

    def _with_a_token(self, send: Callable[[str], _T], until: float) -> _T:
        """Once more with a new token where the one that was sent holds no longer: refused, it did nothing."""
        token = self._identity.token(until)
        try:
            return send(token)
        except KeyRefused:
            if not self._identity.forget(token):
                raise
        return send(self._identity.token(until))

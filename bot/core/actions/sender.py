"""Sending a restart once, and finding out what became of it: now, afterwards, or after a crash in between.

The claim is written down as sent before anything leaves, and what came of it when that is known, also where nobody
waits for it any more. A restart without an answer is looked for, never sent again.
"""

from __future__ import annotations

from concurrent.futures import CancelledError, Executor
from dataclasses import dataclass, replace

from bot.core.build_fetcher import BuildFetcher, Snapshot
from bot.core.model.builds import ActionResult, Build, Project, Status, find_build
from bot.core.model.claims import Claim, ClaimState, after_look
from bot.core.model.errors import CIError, NoResponse, Unreachable
from bot.core.model.outcomes import CouldNotTell, Restarted
from bot.core.ports import CIProvider, ClaimStore, Clock
from bot.core.rate_limiter import CallBudget, charged_to
from bot.core.request import UserRequest

LOOKS_AFTERWARDS_S = (0.5, 1.5, 3.0)
"""Pauses before each look that follows a restart without an answer."""

SendOutcome = Restarted | CouldNotTell


@dataclass(frozen=True, slots=True)
class _SendResult:
    """What came of sending: the claim as it is now, and why it is not taken, where it is not."""

    claim: Claim
    failure: CIError | None = None
    taken: ActionResult | None = None


class ActionSender:
    """`executor` runs what must be finished and written down even where nobody waits for it any more.

    What it runs and what is no CIError is a bug, and the executor's to report.
    """

    def __init__(
        self, provider: CIProvider, fetcher: BuildFetcher, claims: ClaimStore, executor: Executor, clock: Clock
    ) -> None:
        self._provider = provider
        self._fetcher = fetcher
        self._claims = claims
        self._executor = executor
        self._clock = clock

    def send(self, claim: Claim, build: Build, snapshot: Snapshot, request: UserRequest) -> SendOutcome:
        """Sends what `claim` claims. Raises CIError where the build was certainly not restarted."""
        sending = self._executor.submit(self._send_once, claim, build, request.budget)
        try:
            sent = sending.result(timeout=max(request.seconds_left, 0.0))
        except (TimeoutError, CancelledError):
            if sending.cancel():  # it never began, and now never will: sent later, nobody would expect it
                unsent = _freed(claim, ClaimState.NOT_SENT)
                self._claims.move(claim, replace(claim, state=unsent, changed_at=self._clock.now()))
                raise NoResponse(
                    self._provider.title, "too many restarts were under way, so nothing was sent"
                ) from None
            failure = NoResponse(self._provider.title, "no answer yet")
            return CouldNotTell(claim, shown=build, ago_s=claim.age_s(self._clock.now()), looked=failure)
        if sent.claim.state is ClaimState.TAKEN:
            return Restarted(build, sent.claim, taken=sent.taken)
        if sent.claim.state is ClaimState.UNKNOWN and sent.failure and sent.failure.may_have_taken:
            return self._check_afterwards(sent.claim, build, snapshot, request)
        raise sent.failure or NoResponse(self._provider.title, "nothing was sent")

    def cancel(self, build: Build, request: UserRequest) -> ActionResult:
        """Cancels what runs of it. Raises CIError; after NoResponse it is not known whether it was cancelled."""
        cancelling = self._executor.submit(self._cancel, build, request.budget)
        try:
            return cancelling.result(timeout=max(request.seconds_left, 0.0))
        except (TimeoutError, CancelledError):
            raise NoResponse(self._provider.title, "no answer yet") from None
        finally:
            self._fetcher.forget(build.project)

    def _cancel(self, build: Build, budget: CallBudget) -> ActionResult:
        with charged_to(budget):
            return self._provider.cancel(build)

    def _send_once(self, claim: Claim, build: Build, budget: CallBudget) -> _SendResult:
        sending = replace(claim, state=ClaimState.SENT, changed_at=self._clock.now())
        if not self._claims.move(claim, sending):  # so slow that somebody has declared the claim lost
            return _SendResult(replace(claim, state=ClaimState.NOT_SENT))
        failure: CIError | None = None
        taken: ActionResult | None = None
        state = ClaimState.UNKNOWN
        self._fetcher.forget(build.project)
        try:
            with charged_to(budget):
                taken = self._provider.restart(build, failed_jobs_only=claim.failed_jobs_only)
            state = ClaimState.TAKEN
        except CIError as error:
            failure = error
            state = _state_after(error, claim)
        finally:
            self._fetcher.forget(build.project)
            new_id = taken.build_id if taken else None
            ended = replace(sending, state=state, new_build_id=new_id, changed_at=self._clock.now())
            self._claims.move(sending, ended)
        return _SendResult(ended, failure, taken)

    def _check_afterwards(self, claim: Claim, build: Build, before: Snapshot, request: UserRequest) -> SendOutcome:
        """Looks until something is known or the ask's time runs out."""
        result: Build | None = None
        looked: CIError | None = None
        for pause in LOOKS_AFTERWARDS_S:
            if request.seconds_left < pause + 1.0:
                break
            self._clock.wait(pause)
            try:
                snapshot = self._fetcher.builds(
                    build.project, build.branch, timeout_s=request.seconds_left, budget=request.budget
                )
            except CIError as error:
                looked = error
                continue
            looked, result = None, find_build(snapshot.builds, build.id)
            new = _new_run_of(build, before, snapshot)
            if new is not None:
                taken = replace(claim, state=ClaimState.TAKEN, new_build_id=new.id, changed_at=snapshot.began_at)
                self._claims.move(claim, taken)
                return Restarted(new, taken, seen=True)
            if result is not None:
                after = after_look(claim, result, snapshot.began_at)
                if after != claim:
                    self._claims.move(claim, after)
                    return Restarted(result, after, seen=True, taken=_as_seen(result, claim))
        return CouldNotTell(claim, shown=build, ago_s=claim.age_s(self._clock.now()), found=result, looked=looked)

    def resume(self, claim: Claim, project: Project, branch: str | None, request: UserRequest) -> SendOutcome | None:
        """Goes on with the claim that the same ask made before a crash. None where it is free: the ask begins anew.

        Raises CIError where the build was certainly not restarted.
        """
        if claim.state.is_free:
            return None
        build = _as_claimed(claim, project, branch)
        try:
            snapshot = self._fetcher.builds(project, branch, timeout_s=request.seconds_left, budget=request.budget)
        except CIError as failure:
            return self._resume_unseen(claim, build, failure)
        build = find_build(snapshot.builds, claim.build_id) or build
        match claim.state:
            case ClaimState.CLAIMED if build.run == claim.replaced:
                return self.send(claim, build, snapshot, request)
            case ClaimState.CLAIMED:  # nothing was sent, and it has been run again by other means since
                self._claims.move(claim, replace(claim, state=ClaimState.NOT_SENT, changed_at=self._clock.now()))
                return None
            case ClaimState.TAKEN | ClaimState.ENDED:
                return Restarted(build, claim, taken=_as_seen(build, claim))
            case _:
                return self._check_afterwards(self._as_unknown(claim), build, snapshot, request)

    def _resume_unseen(self, claim: Claim, build: Build, failure: CIError) -> SendOutcome:
        match claim.state:
            case ClaimState.TAKEN | ClaimState.ENDED:
                return Restarted(build, claim)
            case ClaimState.CLAIMED:
                self._claims.move(claim, replace(claim, state=ClaimState.NOT_SENT, changed_at=self._clock.now()))
                raise failure
            case _:
                unknown = self._as_unknown(claim)
                return CouldNotTell(unknown, shown=build, ago_s=unknown.age_s(self._clock.now()), looked=failure)

    def _as_unknown(self, claim: Claim) -> Claim:
        """A claim whose answer never came to those who asked for it."""
        unknown = replace(claim, state=ClaimState.UNKNOWN, changed_at=self._clock.now())
        return unknown if claim.state is ClaimState.UNKNOWN or self._claims.move(claim, unknown) else claim


def _state_after(error: CIError, claim: Claim) -> ClaimState:
    if error.may_have_taken:
        return ClaimState.UNKNOWN
    return _freed(claim, ClaimState.NOT_SENT if isinstance(error, Unreachable) else ClaimState.REFUSED)


def _freed(claim: Claim, to: ClaimState) -> ClaimState:
    """`to`; but a Try again that certainly did not take leaves what it replaced as unknown as it was."""
    return ClaimState.UNKNOWN if claim.state is ClaimState.SENT else to


def _new_run_of(build: Build, before: Snapshot, after: Snapshot) -> Build | None:
    """The build that a restart made, where the service gives a restart an id of its own.

    It stands above the one that it replaces: below, `after` may show builds that were too old for `before`.
    """
    old = {seen.id for seen in before.builds}
    at = next((at for at, seen in enumerate(after.builds) if seen.id == build.id), 0)
    if build.commit is None:
        return None
    return next((seen for seen in after.builds[:at] if seen.id not in old and seen.commit == build.commit), None)


def _as_seen(build: Build, claim: Claim) -> ActionResult | None:
    """What became of each workflow, where the attempts tell: not all may have been sent."""
    again = build.run_again_since(claim.replaced)
    if not again:
        return None
    others = [run for run in build.workflows if run not in again]
    left = tuple(run.full_name for run in others if run.status.is_under_way)
    missed = tuple((run.full_name, "no new attempt yet") for run in others if run.has_ended and run.status.is_bad)
    return ActionResult(build.id, tuple(run.full_name for run in again), left, missed)


def _as_claimed(claim: Claim, project: Project, branch: str | None) -> Build:
    """What a claim alone knows of its build."""
    run = claim.replaced
    return Build(
        claim.build_id,
        project,
        Status.UNKNOWN,
        run.status_word,
        branch=branch,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )

"""Sends an action once, and finds out its result: now, afterwards, or after a crash in between.

Each POST is stored as sent before it leaves. Its result is stored once it is known, even if no request waits for it.
If a POST got no response, its result is looked up. It is never sent again.
"""

from __future__ import annotations

from concurrent.futures import CancelledError, Executor
from dataclasses import dataclass, replace
from functools import partial

from bot.core.actions.posts import send_posts
from bot.core.audit_entries import ActionSent
from bot.core.build_fetcher import BuildFetcher, Snapshot
from bot.core.model.actions.decisions import Decision
from bot.core.model.actions.values import PostRecord, PostState, RunTarget, result_of
from bot.core.model.audit import RequestEntry
from bot.core.model.builds import ActionResult, Build, find_build
from bot.core.model.claims import Claim, ClaimKind, ClaimState, after_look, state_of
from bot.core.model.errors import BotError, CIError, NoResponse, NotPossible, NotRecorded, Unreachable
from bot.core.model.outcomes import Cancelled, CouldNotTell, Outcome, Restarted
from bot.core.ports import CIProvider, ClaimStore, Clock
from bot.core.rate_limiter import charged_to
from bot.core.request import UserRequest

LOOKS_AFTERWARDS_S = (0.5, 1.5, 3.0)
"""Seconds before each fetch after a restart without a response."""


@dataclass(frozen=True, slots=True)
class _SendResult:
    """The claim after sending, and why it was not accepted. `is_taken_over`: another process continues it."""

    claim: Claim
    failure: CIError | None = None
    is_taken_over: bool = False


class ActionSender:
    """Sends actions. `executor` runs what must be finished and stored, even if no request waits for it any more.

    An error other than BotError is a bug, which the executor reports.
    """

    def __init__(
        self, provider: CIProvider, fetcher: BuildFetcher, claims: ClaimStore, executor: Executor, clock: Clock
    ) -> None:
        self._provider = provider
        self._fetcher = fetcher
        self._claims = claims
        self._executor = executor
        self._clock = clock

    def send(self, claim: Claim, decision: Decision, request: UserRequest) -> Outcome:
        """Sends what `claim` claims. Raises CIError if it was certainly not done; after a cancel also if not known.

        Raises NotRecorded if it was sent and its result could not be stored.
        """
        sending = self._executor.submit(self._send_once, claim, decision, request)
        try:
            sent = sending.result(timeout=max(request.seconds_left, 0.0))
        except (TimeoutError, CancelledError):
            if sending.cancel():  # it has not begun and never will: later, the person would not expect it
                unsent = _freed(claim, ClaimState.NOT_SENT)
                self._claims.move(claim, replace(claim, state=unsent, changed_at=self._clock.now()))
                raise NoResponse(
                    self._provider.title, "too many restarts were under way, so nothing was sent"
                ) from None
            return self._not_known(claim, decision, NoResponse(self._provider.title, "no answer yet", timed_out=True))
        if sent.is_taken_over:
            return self.find_out(sent.claim, decision, request)
        if sent.claim.state is ClaimState.TAKEN:
            return self.done(sent.claim, decision.build)
        if sent.claim.state is ClaimState.UNKNOWN and sent.failure and sent.failure.may_have_taken:
            if claim.kind is ClaimKind.CANCEL:
                raise sent.failure
            return self.find_out(sent.claim, decision, request)
        raise sent.failure or NoResponse(self._provider.title, "nothing was sent")

    def done(self, claim: Claim, build: Build) -> Outcome:
        """The outcome of an accepted claim."""
        result = result_of(claim.posts, claim.new_build_id or build.id, claim.left)
        if claim.kind is ClaimKind.CANCEL:
            return Cancelled(build, result)
        return Restarted(build, claim, taken=result)

    def find_out(self, claim: Claim, decision: Decision, request: UserRequest) -> Outcome:
        """The result of a claim that was sent, by this process or another one. Sends nothing.

        Raises NoResponse for a cancel whose result is not known, NotRecorded if the store cannot be used.
        """
        try:
            return self._found_out(claim, decision, request)
        except BotError:
            raise
        except Exception as failure:
            raise NotRecorded(decision.build, claim.kind.value, is_accepted=False) from failure

    def _found_out(self, claim: Claim, decision: Decision, request: UserRequest) -> Outcome:
        current = self._claims.of_request(request.key) if request.key else None
        claim = current or claim
        if claim.state in (ClaimState.TAKEN, ClaimState.ENDED):
            return self.done(claim, decision.build)
        if claim.state.is_free:
            raise self.why_not(claim)
        claim = self._as_unknown(claim)
        if claim.kind is ClaimKind.RESTART:
            return self._check_afterwards(claim, decision, request)
        return self._check_cancelled(claim, decision, request)

    def why_not(self, claim: Claim) -> CIError:
        """Why nothing was done for a claim that is free again."""
        reason = next((post.reason for post in claim.posts if post.reason), "")
        if claim.state is ClaimState.REFUSED:
            return NotPossible(self._provider.title, reason)
        return Unreachable(self._provider.title, reason or "nothing was sent")

    def _send_once(self, claim: Claim, decision: Decision, request: UserRequest) -> _SendResult:
        build, current, accepted = decision.build, claim, False

        def note(posts: tuple[PostRecord, ...]) -> bool:
            nonlocal current
            sending = replace(current, state=ClaimState.SENT, posts=posts, changed_at=self._clock.now())
            try:
                moved = self._claims.move(current, sending, audit=request.entry(ActionSent(build)))
            except Exception as failure:
                if current is claim:  # nothing has left
                    raise
                raise NotRecorded(build, claim.kind.value, is_accepted=_is_any_accepted(posts)) from failure
            if not moved:
                return False
            current = sending
            return True

        post = partial(self._post, claim, build)
        self._fetcher.forget(build.project)
        try:
            with charged_to(request.allowance):
                sent = send_posts(claim.posts, post, note, self._clock.monotonic)
        except NotRecorded:
            raise
        except Exception:
            if current is not claim:  # something may have been sent
                self._claims.move(current, replace(current, state=ClaimState.UNKNOWN, changed_at=self._clock.now()))
            raise
        finally:
            self._fetcher.forget(build.project)
        if current is claim:  # so slow that another process has continued or freed it
            return _SendResult(claim, is_taken_over=True)
        state = state_of(sent.posts)
        accepted = state is ClaimState.TAKEN
        state = state if accepted or state is ClaimState.UNKNOWN else _freed(claim, state)
        ended = replace(
            current,
            state=state,
            posts=sent.posts,
            new_build_id=sent.build_id if accepted else None,
            changed_at=self._clock.now(),
        )
        entry = self._entry(ended, decision, sent.failure, request)
        try:
            moved = self._claims.move(current, ended, audit=entry)
        except Exception as failure:
            raise NotRecorded(build, claim.kind.value, is_accepted=accepted) from failure
        return _SendResult(ended, sent.failure, is_taken_over=not moved)

    def _post(self, claim: Claim, build: Build, target: RunTarget) -> str | None:
        if claim.kind is ClaimKind.CANCEL:
            self._provider.cancel(build, target)
            return None
        return self._provider.restart(build, target, failed_jobs_only=claim.failed_jobs_only)

    def _entry(
        self, claim: Claim, decision: Decision, failure: CIError | None, request: UserRequest
    ) -> RequestEntry | None:
        if claim.state is ClaimState.TAKEN:
            return request.entry(self.done(claim, decision.build))
        if failure is None or failure.may_have_taken:
            return None  # the entry already says that this was sent, and the response is unknown
        failure.about = failure.about or decision.build
        return request.entry(failure)

    def _check_afterwards(self, claim: Claim, decision: Decision, request: UserRequest) -> Outcome:
        """Fetches until something is known or the request's time runs out."""
        build = decision.build
        result: Build | None = None
        looked: CIError | None = None
        for pause in LOOKS_AFTERWARDS_S:
            if request.seconds_left < pause + 1.0:
                break
            self._clock.wait(pause)
            try:
                snapshot = self._fetcher.builds(
                    build.project, build.branch, timeout_s=request.seconds_left, allowance=request.allowance
                )
            except CIError as error:
                looked = error
                continue
            looked, result = None, find_build(snapshot.builds, build.id)
            new = _new_run_of(decision, snapshot)
            if new is not None:
                taken = replace(claim, state=ClaimState.TAKEN, new_build_id=new.id, changed_at=snapshot.began_at)
                return self._seen(claim, taken, Restarted(new, taken, seen=True), request)
            if result is not None:
                after = after_look(claim, result, snapshot.began_at)
                if after != claim:
                    seen = Restarted(result, after, seen=True, taken=_as_seen(result, claim))
                    return self._seen(claim, after, seen, request)
        return CouldNotTell(claim, shown=build, ago_s=claim.age_s(self._clock.now()), found=result, looked=looked)

    def _seen(self, claim: Claim, after: Claim, outcome: Restarted, request: UserRequest) -> Outcome:
        self._claims.move(claim, after, audit=request.entry(outcome))
        return outcome

    def _check_cancelled(self, claim: Claim, decision: Decision, request: UserRequest) -> Outcome:
        build = decision.build
        snapshot = self._fetcher.builds(
            build.project, build.branch, timeout_s=request.seconds_left, allowance=request.allowance
        )
        seen = find_build(snapshot.builds, build.id) or build
        if seen.is_under_way:
            raise NoResponse(self._provider.title, "the bot was interrupted")
        taken = replace(claim, state=ClaimState.TAKEN, posts=_accepted(claim.posts), changed_at=snapshot.began_at)
        outcome = self.done(taken, seen)
        self._claims.move(claim, taken, audit=request.entry(outcome))
        return outcome

    def _not_known(self, claim: Claim, decision: Decision, failure: NoResponse) -> Outcome:
        if claim.kind is ClaimKind.CANCEL:
            raise failure
        return CouldNotTell(claim, shown=decision.build, ago_s=claim.age_s(self._clock.now()), looked=failure)

    def _as_unknown(self, claim: Claim) -> Claim:
        """Stores a claim as unknown: its response never reached the request."""
        unknown = replace(claim, state=ClaimState.UNKNOWN, changed_at=self._clock.now())
        return unknown if claim.state is ClaimState.UNKNOWN or self._claims.move(claim, unknown) else claim


def _freed(claim: Claim, to: ClaimState) -> ClaimState:
    """`to`; but a Try again that was certainly not accepted leaves the claim it replaced unknown."""
    return ClaimState.UNKNOWN if claim.state is ClaimState.SENT else to


def _is_any_accepted(posts: tuple[PostRecord, ...]) -> bool:
    return state_of(posts) is ClaimState.TAKEN


def _accepted(posts: tuple[PostRecord, ...]) -> tuple[PostRecord, ...]:
    """The POSTs that were sent, for a cancel whose build has stopped."""
    left = (PostState.SENT, PostState.UNKNOWN)
    return tuple(replace(post, state=PostState.ACCEPTED) if post.state in left else post for post in posts)


def _new_run_of(decision: Decision, after: Snapshot) -> Build | None:
    """The build that a restart created, if the service gives a restart its own id.

    It is above the one that it replaces. Below that, `after` may show builds that were too old to be in the earlier
    fetch.
    """
    build = decision.build
    at = next((at for at, seen in enumerate(after.builds) if seen.id == build.id), 0)
    if build.commit is None:
        return None
    return next(
        (seen for seen in after.builds[:at] if seen.id not in decision.listed and seen.commit == build.commit), None
    )


def _as_seen(build: Build, claim: Claim) -> ActionResult | None:
    """What each workflow did, as far as the attempts show: some POSTs may not have been sent."""
    again = build.run_again_since(claim.replaced)
    if not again:
        return None
    others = [run for run in build.workflows if run not in again]
    left = tuple(run.full_name for run in others if run.status.is_under_way)
    missed = tuple((run.full_name, "no new attempt yet") for run in others if run.has_ended and run.status.is_bad)
    return ActionResult(build.id, tuple(run.full_name for run in again), left, missed)

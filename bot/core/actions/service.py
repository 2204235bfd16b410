"""Restarts and cancels: decides, claims and sends each once, and reports what is known. Knows neither Slack nor HTTP.

The order guarantees this: fetch (a running build is not restarted), claim in the store (one of many wins), mark as
sent, send, store the result. See `claims` for the states of a claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.core.actions.lifecycle import Move, next_move
from bot.core.actions.sender import ActionSender
from bot.core.build_fetcher import BuildFetcher, Snapshot
from bot.core.model.actions.decisions import Decision, existed_at
from bot.core.model.actions.plans import running_beside
from bot.core.model.actions.values import PostRecord
from bot.core.model.builds import Build, BuildRef, find_build
from bot.core.model.claims import (
    NO_RESTART,
    Claim,
    ClaimKind,
    ClaimState,
    RestartState,
    after_look,
    holds_up_a_cancel,
    restart_state_of,
)
from bot.core.model.errors import BotError, BuildTooOld, DelayedRequest, NeedsConfirmation, NoResponse, RequestExpired
from bot.core.model.outcomes import (
    AlreadyCancelling,
    AlreadyRestarted,
    CouldNotTell,
    NothingToCancel,
    Outcome,
    RunAgainSince,
    StateNotKnown,
    StillRunning,
)
from bot.core.ports import CIProvider, ClaimStore, Clock, RunHistory
from bot.core.request import UserRequest

TIME_TO_SEND_S = 3.0
"""Seconds. With less left of a request's time nothing is sent, since its response could not be waited for."""


class ActionService:
    """Decides what may be restarted or cancelled, and which request was first. `sender` sends it."""

    def __init__(
        self,
        provider: CIProvider,
        fetcher: BuildFetcher,
        claims: ClaimStore,
        history: RunHistory,
        sender: ActionSender,
        clock: Clock,
    ) -> None:
        self._provider = provider
        self._fetcher = fetcher
        self._claims = claims
        self._history = history
        self._sender = sender
        self._clock = clock

    def restart_states(self, snapshot: Snapshot, builds: Sequence[Build]) -> dict[str, RestartState]:
        """The restart state of each of `builds`, which `snapshot` shows. Stores what it proves about their claims."""
        if not builds:
            return {}
        known = self._claims.newest(self._provider.service, [build.id for build in builds])
        by_build = {claim.new_build_id: claim for claim in known if claim.new_build_id}
        by_build |= {claim.build_id: claim for claim in known}
        return {build.id: self._restart_state(by_build.get(build.id), build, snapshot) for build in builds}

    def decide_restart(
        self,
        build: Build,
        snapshot: Snapshot,
        request: UserRequest,
        *,
        shown: BuildRef | None = None,
        instead_of: tuple[int, int] | None = None,
        unconfirmed: bool = False,
        failed_jobs_only: bool = False,
        debug_logs: bool = False,
    ) -> Decision | Outcome:
        """What a restart of `build`, which `snapshot` shows, would send; or why nothing is sent. Sends nothing.

        `shown` is what the pressed button showed; `instead_of` the unknown claim that a "Try again" replaces. Raises
        NotPossible. If nothing else prevents the restart, raises NeedsConfirmation if it is `unconfirmed`. Raises
        DelayedRequest if this may not be the build that was newest when the request was made.
        """
        now = self._restart_state_of(build, snapshot)
        against = self._conflict(build, now, shown, instead_of)
        if against is not None:
            return against
        if unconfirmed:
            raise NeedsConfirmation(build, now.run_number, instead_of)
        self._check_not_newer(ClaimKind.RESTART, build, now.run_number, request)
        plan = self._provider.plan_restart(build)
        return Decision(
            ClaimKind.RESTART,
            build,
            now.run_number,
            plan.with_debug_logs() if debug_logs else plan,
            snapshot.began_at,
            tuple(seen.id for seen in snapshot.builds),
            instead_of if now.claim is not None else None,
            failed_jobs_only,
        )

    def with_own_reruns(self, build: Build, snapshot: Snapshot) -> Build:
        """What a cancel of the build's branch means: the build, and what a restart of this bot began beside it.

        Those runs are added if they still run. If the build itself has ended and only one is added, it is that run.
        """
        others = running_beside(build, snapshot.builds)
        if not others:
            return build
        ids = [*(run.run_id for run in others), *(each.id for each in snapshot.builds if each.branch == build.branch)]
        sent = [post for claim in self._claims.newest(self._provider.service, ids) for post in claim.posts]
        began = {(post.target.run_id, post.target.attempt + 1) for post in sent if post.may_have_begun}
        own = tuple(run for run in others if (run.run_id, run.attempt) in began)
        together = replace(build, workflows=(*build.workflows, *own))
        return together.only(own[0].run_id) if len(own) == 1 and not build.is_under_way else together

    def decide_cancel(
        self, build: Build, snapshot: Snapshot, request: UserRequest, *, left: Sequence[str] = ()
    ) -> Decision | Outcome:
        """What a cancel of `build`, which `snapshot` shows running, would send. Raises as `decide_restart`.

        `left` names runs of the branch that it leaves alone.
        """
        now = self._restart_state_of(build, snapshot)
        before = self._cancel_of(build, now.run_number)
        if before is not None and holds_up_a_cancel(before, build, self._clock.now()):
            return AlreadyCancelling(build, before, self.ago_s(before))
        self._check_not_newer(ClaimKind.CANCEL, build, now.run_number, request)
        return Decision(
            ClaimKind.CANCEL,
            build,
            now.run_number,
            replace(self._provider.plan_cancel(build), left=tuple(left)),
            snapshot.began_at,
            instead_of=None if before is None or before.state.is_free else (before.id, before.attempt),
            run_under_way=now.run_under_way(build),
        )

    def act(self, decision: Decision, request: UserRequest) -> Outcome:
        """Claims and sends what was decided, at most once per request key, however often it is called.

        Raises CIError if it was certainly not done, and for a cancel also if that is unknown. Raises NotRecorded if it
        was sent but its result could not be stored. Raises RequestExpired.
        """
        own = self._claims.of_request(request.key) if request.key else None
        match next_move(own.state if own else None):
            case Move.CLAIM:
                if request.is_late:
                    raise RequestExpired
                changed = None if request.made_at is None else self._changed_since(decision, request)
                return changed or self._claim_and_send(decision, request)
            case Move.SEND if own is not None:
                return self._send_claimed(own, decision, request)
            case Move.FETCH if own is not None:
                return self._sender.find_out(own, decision, request)
            case _ if own is not None and own.state.is_free:
                raise self._sender.why_not(own)
            case _ if own is not None:
                return self._sender.done(own, decision.build)
        raise AssertionError("a request without a claim claims")

    def _claim_and_send(self, decision: Decision, request: UserRequest) -> Outcome:
        build = decision.build
        if request.seconds_left < TIME_TO_SEND_S:
            raise NoResponse(
                self._provider.title, "looking at the build took too long, so nothing was sent", timed_out=True
            )
        wanted = Claim(
            service=self._provider.service,
            project_id=build.project.id,
            build_id=build.id,
            run_number=decision.run_number,
            actor=request.actor,
            location=request.location,
            replaced=build.run,
            requested_at=self._clock.now(),
            key=request.key,
            failed_jobs_only=decision.failed_jobs_only,
            kind=decision.action,
            posts=tuple(map(PostRecord, decision.plan.targets)),
            left=decision.plan.left,
        )
        if decision.action is ClaimKind.RESTART:  # the service forgets this run now
            self._history.record(build, decision.run_number, build.finished_at or wanted.requested_at)
        if decision.instead_of is not None:
            # The restart that this one replaces may have been accepted. So it counts as sent from the start, and is
            # never free.
            is_restart = decision.action is ClaimKind.RESTART
            again = replace(wanted, state=ClaimState.SENT) if is_restart else wanted
            claim = self._claims.claim_again(again, instead_of=decision.instead_of[0], attempt=decision.instead_of[1])
        else:
            claim = self._claims.claim(wanted)
        if claim is None:
            return self._lost_race(decision, request)
        return self._sender.send(claim, decision, request)

    def _send_claimed(self, own: Claim, decision: Decision, request: UserRequest) -> Outcome:
        """Sends what was claimed before a crash, if the build is still in the run that was decided on; else frees the
        claim.
        """
        try:
            if request.is_late:
                raise RequestExpired
            changed = self._changed_since(decision, request, own)
        except BotError:
            self._free(own)
            raise
        return changed or self._sender.send(own, decision, request)

    def _free(self, claim: Claim) -> None:
        self._claims.move(claim, replace(claim, state=ClaimState.NOT_SENT, changed_at=self._clock.now()))

    def _changed_since(self, decision: Decision, request: UserRequest, own: Claim | None = None) -> Outcome | None:
        """The outcome instead of sending, if the build is no longer in the run that was decided on; else None."""
        before = decision.build
        snapshot = self._fetcher.builds(
            before.project, before.branch, timeout_s=request.seconds_left, allowance=request.allowance
        )
        build = find_build(snapshot.builds, before.id)
        if build is None:
            raise BuildTooOld(self._provider.title)
        if decision.action is ClaimKind.CANCEL:
            if _still_runs(decision, self.with_own_reruns(build, snapshot)):
                return None
        elif build.run == before.run and (own or self._run_number(build, snapshot) == decision.run_number):
            return None
        if own is not None:
            self._free(own)  # first, since the reply must not say that this claim has restarted the build
        now = self._restart_state_of(build, snapshot)
        if decision.action is ClaimKind.CANCEL:
            return NothingToCancel(build, now)
        ago_s = self.ago_s(now.previous) if now.previous else None
        return self._conflict(build, now, None, None) or RunAgainSince(build, now, ago_s)

    def _run_number(self, build: Build, snapshot: Snapshot) -> int:
        return self._restart_state_of(build, snapshot).run_number

    def _check_not_newer(self, kind: ClaimKind, build: Build, run_number: int, request: UserRequest) -> None:
        if request.made_at is not None and not existed_at(build, request.made_at):
            raise DelayedRequest(build, run_number, kind.value)

    def _cancel_of(self, build: Build, run_number: int) -> Claim | None:
        claims = self._claims.newest(self._provider.service, [build.id], ClaimKind.CANCEL)
        return next((claim for claim in claims if claim.run_number == run_number), None)

    def ago_s(self, claim: Claim) -> float:
        """Seconds since it was requested, never negative."""
        return claim.age_s(self._clock.now())

    def _conflict(
        self, build: Build, now: RestartState, shown: BuildRef | None, instead_of: tuple[int, int] | None
    ) -> Outcome | None:
        """The outcome if something prevents sending; None if nothing does."""
        claim = now.claim
        if claim is not None and claim.state is ClaimState.UNKNOWN:
            if instead_of != (claim.id, claim.attempt):
                return CouldNotTell(claim, shown=build, ago_s=self.ago_s(claim), found=build)
        elif claim is not None:
            return AlreadyRestarted(build, claim, self.ago_s(claim))
        if not build.can_be_restarted:
            return StillRunning(build, now) if build.is_under_way else StateNotKnown(build)
        if shown is not None and _is_of_an_earlier_run(shown, build, now):
            return RunAgainSince(build, now, self.ago_s(now.previous) if now.previous else None)
        return None

    def _lost_race(self, decision: Decision, request: UserRequest) -> Outcome:
        """Why nothing is sent: another request's claim, or an earlier attempt's, came after the fetch and before this
        claim.
        """
        own = self._claims.of_request(request.key) if request.key else None
        if own is not None:
            return self._sender.find_out(own, decision, request)
        build = decision.build
        if decision.action is ClaimKind.CANCEL:
            before = self._cancel_of(build, decision.run_number)
            if before is not None and not before.state.is_free:
                return AlreadyCancelling(build, before, self.ago_s(before))
            raise NoResponse(self._provider.title, "another cancel was refused at the same moment")
        now = self._restart_state_of(build, Snapshot((build,), decision.seen_at))
        against = self._conflict(build, now, None, None)
        if against is not None:
            return against
        if now.run_number != decision.run_number:
            return RunAgainSince(build, now, self.ago_s(now.previous) if now.previous else None)
        raise NoResponse(self._provider.title, "another restart was refused at the same moment")

    def _restart_state_of(self, build: Build, snapshot: Snapshot) -> RestartState:
        return self.restart_states(snapshot, [build]).get(build.id, NO_RESTART)

    def _restart_state(self, claim: Claim | None, build: Build, snapshot: Snapshot) -> RestartState:
        if claim is not None and claim.build_id == build.id:
            after = after_look(claim, build, snapshot.began_at)
            if after == claim or self._claims.move(claim, after):
                claim = after
            else:  # another request was faster, and the build may have run on since
                claim = next(iter(self._claims.newest(claim.service, [build.id])), claim)
        return restart_state_of(claim, build)


def _still_runs(decision: Decision, build: Build) -> bool:
    """Whether something that the cancel is to stop still runs, and nothing of it in another attempt."""
    targets = {each.run_id: each.attempt for each in decision.plan.targets}
    found = [run for run in build.workflows if run.run_id in targets]
    if not found:
        return build.is_under_way
    is_same = all(run.attempt == targets[run.run_id] for run in found)
    return is_same and any(run.status.is_under_way for run in found)


def _is_of_an_earlier_run(shown: BuildRef, build: Build, now: RestartState) -> bool:
    """Whether the button showed an earlier run, by the bot's own count or by a different start time.

    For a build with workflows, some may have been restarted elsewhere. Those that failed may still be restarted.
    """
    counted = shown.run_number is not None and shown.run_number != now.run_number
    if build.workflows:
        again = shown.reruns is not None and build.reruns > shown.reruns
        return counted or (again and not any(run.status.is_bad for run in build.workflows))
    started = shown.started_at is not None and build.started_at is not None and shown.started_at != build.started_at
    return counted or started

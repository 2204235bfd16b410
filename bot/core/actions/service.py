"""Restarts: looked at, claimed, sent once, and told as they are known. No Slack and no HTTP in here.

The order is what keeps the promise: look (a build that runs is not restarted), claim in the store (one of many wins),
mark as sent, send, write down what came of it. See `claims` for the life of a claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.core.actions.sender import ActionSender
from bot.core.build_fetcher import Snapshot
from bot.core.model.builds import ActionResult, Build, BuildRef, Project
from bot.core.model.claims import NO_RESTART, Claim, ClaimState, RestartState, after_look, restart_state_of
from bot.core.model.errors import NeedsConfirmation, NoResponse
from bot.core.model.outcomes import (
    AlreadyRestarted,
    CouldNotTell,
    Restarted,
    RunAgainSince,
    StateNotKnown,
    StillRunning,
)
from bot.core.ports import CIProvider, ClaimStore, Clock, RunHistory
from bot.core.request import UserRequest

TIME_TO_SEND_S = 3.0
"""With less left of an ask's time, nothing is sent: its answer could not be waited for."""

Outcome = Restarted | AlreadyRestarted | StillRunning | RunAgainSince | StateNotKnown | CouldNotTell


class ActionService:
    """What may be restarted, and who was first; `sending` does it."""

    def __init__(
        self,
        provider: CIProvider,
        claims: ClaimStore,
        history: RunHistory,
        sender: ActionSender,
        clock: Clock,
    ) -> None:
        self._provider = provider
        self._claims = claims
        self._history = history
        self._sender = sender
        self._clock = clock

    def restart_states(self, snapshot: Snapshot, builds: Sequence[Build]) -> dict[str, RestartState]:
        """How each of `builds`, which `look` showed, stands. What the look proves about its claim is written down."""
        if not builds:
            return {}
        known = self._claims.newest(self._provider.service, [build.id for build in builds])
        by_build = {claim.new_build_id: claim for claim in known if claim.new_build_id}
        by_build |= {claim.build_id: claim for claim in known}
        return {build.id: self._restart_state(by_build.get(build.id), build, snapshot) for build in builds}

    def restart(
        self,
        build: Build,
        snapshot: Snapshot,
        request: UserRequest,
        *,
        shown: BuildRef | None = None,
        instead_of: tuple[int, int] | None = None,
        unconfirmed: bool = False,
        failed_jobs_only: bool = False,
    ) -> Outcome:
        """Runs `build`, which `look` has just shown, again, unless something stands against it.

        `shown` is what the pressed button showed; `instead_of` the unknown claim that a "Try again" replaces.
        Raises CIError where the build was certainly not restarted; NeedsConfirmation where it is `unconfirmed`, and
        nothing else stands against it.
        """
        now = self._restart_state_of(build, snapshot)
        against = self._conflict(build, now, shown, instead_of)
        if against is not None:
            return against
        if unconfirmed:
            raise NeedsConfirmation(build, now.run_number, instead_of)
        if request.seconds_left < TIME_TO_SEND_S:
            raise NoResponse(self._provider.title, "looking at the build took too long, so nothing was sent")
        wanted = Claim(
            service=self._provider.service,
            project_id=build.project.id,
            build_id=build.id,
            run_number=now.run_number,
            actor=request.actor,
            location=request.location,
            replaced=build.run,
            requested_at=self._clock.now(),
            key=request.key,
            failed_jobs_only=failed_jobs_only,
        )
        self._history.record(build, now.run_number, build.finished_at or wanted.requested_at)  # CI forgets it now
        if now.claim is not None and instead_of is not None:
            # What it replaces may have taken. So it counts as sent from the start, and is never free again.
            again = replace(wanted, state=ClaimState.SENT)
            claim = self._claims.claim_again(again, instead_of=instead_of[0], attempt=instead_of[1])
        else:
            claim = self._claims.claim(wanted)
        if claim is None:
            return self._conflict_after_race(build, snapshot)
        return self._sender.send(claim, build, snapshot, request)

    def cancel(self, build: Build, request: UserRequest) -> ActionResult:
        """Cancels what runs of it. Raises CIError; after NoResponse it is not known whether it was cancelled."""
        return self._sender.cancel(build, request)

    def claim_of(self, request: UserRequest) -> Claim | None:
        """What the ask has claimed of this service before, where it is durable and done again."""
        claim = self._claims.of_request(request.key) if request.key else None
        return claim if claim is not None and claim.service == self._provider.service else None

    def is_unsent(self, claim: Claim) -> bool:
        """Whether certainly nothing has left for it; then it is freed, and nothing ever will."""
        if claim.state is ClaimState.CLAIMED:
            freed = replace(claim, state=ClaimState.NOT_SENT, changed_at=self._clock.now())
            return self._claims.move(claim, freed)
        return claim.state.is_free

    def resume(self, claim: Claim, project: Project, branch: str | None, request: UserRequest) -> Outcome | None:
        """Goes on with the claim that the same ask made before a crash. None where it is free: the ask begins anew.

        Raises CIError where the build was certainly not restarted.
        """
        return self._sender.resume(claim, project, branch, request)

    def ago_s(self, claim: Claim) -> float:
        """Seconds since it was requested, never negative."""
        return claim.age_s(self._clock.now())

    def _conflict(
        self, build: Build, now: RestartState, shown: BuildRef | None, instead_of: tuple[int, int] | None
    ) -> Outcome | None:
        """What stands against sending, told as the answer; None where nothing does."""
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

    def _conflict_after_race(self, build: Build, snapshot: Snapshot) -> Outcome:
        """What stands against sending, where somebody else's claim came between our look and ours."""
        against = self._conflict(build, self._restart_state_of(build, snapshot), None, None)
        if against is None:  # they were refused in the same moment: nothing true is left to tell but to ask again
            raise NoResponse(self._provider.title, "somebody else's restart was refused in the same moment")
        return against

    def _restart_state_of(self, build: Build, snapshot: Snapshot) -> RestartState:
        return self.restart_states(snapshot, [build]).get(build.id, NO_RESTART)

    def _restart_state(self, claim: Claim | None, build: Build, snapshot: Snapshot) -> RestartState:
        if claim is not None and claim.build_id == build.id:
            after = after_look(claim, build, snapshot.began_at)
            if after == claim or self._claims.move(claim, after):
                claim = after
            else:  # somebody was faster, and may have gone on from there
                claim = next(iter(self._claims.newest(claim.service, [build.id])), claim)
        return restart_state_of(claim, build)


def _is_of_an_earlier_run(shown: BuildRef, build: Build, now: RestartState) -> bool:
    """The bot's own count tells, or a different start where the build was restarted by other means.

    Of a build with workflows some may have been run again by other means: what went wrong may still be run again.
    """
    counted = shown.run_number is not None and shown.run_number != now.run_number
    if build.workflows:
        again = shown.reruns is not None and build.reruns > shown.reruns
        return counted or (again and not any(run.status.is_bad for run in build.workflows))
    started = shown.started_at is not None and build.started_at is not None and shown.started_at != build.started_at
    return counted or started

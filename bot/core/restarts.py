"""Restarts: looked at, claimed, sent once, and told as they are known. No Slack and no HTTP in here.

The order is what keeps the promise: look (a build that runs is not restarted), claim in the store (one of many wins),
mark as sent, send, write down what came of it. See `claims` for the life of a claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import CancelledError, Executor
from dataclasses import dataclass, replace

from bot.core.asking import Ask
from bot.core.claims import UNCLAIMED, Claim, ClaimState, Standing, after_look, standing
from bot.core.errors import CIError, NoAnswer, NotListed, Unreachable
from bot.core.looks import Look, Looks
from bot.core.model import Build, Target
from bot.core.outcomes import (
    AlreadyRestarted,
    CouldNotTell,
    Restarted,
    RunAgainSince,
    StateNotKnown,
    StillRunning,
)
from bot.core.ports import CIProvider, ClaimStore, Clock

TIME_TO_SEND_S = 3.0
"""With less left of an ask's time, nothing is sent: its answer could not be waited for."""

LOOKS_AFTERWARDS_S = (0.5, 1.5, 3.0)
"""Pauses before each look that follows a restart without an answer."""

Outcome = Restarted | AlreadyRestarted | StillRunning | RunAgainSince | StateNotKnown | CouldNotTell


@dataclass(frozen=True, slots=True)
class _Sent:
    """What came of sending: the claim as it is now, and why it is not taken, where it is not."""

    claim: Claim
    failure: CIError | None = None


class Restarts:
    """`executor` runs what must be finished and written down even where nobody waits for it any more.

    What it runs and what is no CIError is a bug, and the executor's to report.
    """

    def __init__(
        self, provider: CIProvider, looks: Looks, claims: ClaimStore, executor: Executor, clock: Clock
    ) -> None:
        self._provider = provider
        self._looks = looks
        self._claims = claims
        self._executor = executor
        self._clock = clock

    def standings(self, look: Look, builds: Sequence[Build]) -> dict[str, Standing]:
        """How each of `builds`, which `look` showed, stands. What the look proves about its claim is written down."""
        if not builds:
            return {}
        known = self._claims.newest(self._provider.service, [build.id for build in builds])
        by_build = {claim.new_build_id: claim for claim in known if claim.new_build_id}
        by_build |= {claim.build_id: claim for claim in known}
        return {build.id: self._standing(by_build.get(build.id), build, look) for build in builds}

    def restart(
        self,
        build: Build,
        look: Look,
        ask: Ask,
        *,
        shown: Target | None = None,
        instead_of: tuple[int, int] | None = None,
    ) -> Outcome:
        """Runs `build`, which `look` has just shown, again, unless something stands against it.

        `shown` is what the pressed button showed; `instead_of` the unknown claim that a "Try again" replaces.
        Raises CIError where the build was certainly not restarted.
        """
        now = self._standing_of(build, look)
        against = self._against(build, now, shown, instead_of)
        if against is not None:
            return against
        if ask.seconds_left < TIME_TO_SEND_S:
            raise NoAnswer(self._provider.title, "looking at the build took too long, so nothing was sent")
        wanted = Claim(
            service=self._provider.service,
            project_id=build.project.id,
            build_id=build.id,
            run_number=now.run_number,
            actor=ask.actor,
            place=ask.place,
            replaced=build.run,
            asked_at=self._clock.now(),
        )
        if now.claim is not None and instead_of is not None:
            # What it replaces may have taken. So it counts as sent from the start, and is never free again.
            again = replace(wanted, state=ClaimState.SENT)
            claim = self._claims.claim_again(again, instead_of=instead_of[0], attempt=instead_of[1])
        else:
            claim = self._claims.claim(wanted)
        if claim is None:
            return self._against_now(build, look)
        return self._send(claim, build, look, ask)

    def ago_s(self, claim: Claim) -> float:
        """Seconds since it was asked for, never negative."""
        return max(0.0, (self._clock.now() - claim.asked_at).total_seconds())

    def _against(
        self, build: Build, now: Standing, shown: Target | None, instead_of: tuple[int, int] | None
    ) -> Outcome | None:
        """What stands against sending, told as the answer; None where nothing does."""
        claim = now.claim
        if claim is not None and claim.state is ClaimState.UNKNOWN:
            if instead_of != (claim.id, claim.attempt):
                return CouldNotTell(claim, shown=build, ago_s=self.ago_s(claim), found=build)
        elif claim is not None:
            return AlreadyRestarted(build, claim, self.ago_s(claim))
        if build.is_under_way:
            return StillRunning(build, now)
        if not build.has_ended:
            return StateNotKnown(build)
        if shown is not None and _is_of_an_earlier_run(shown, build, now):
            return RunAgainSince(build, now, self.ago_s(now.previous) if now.previous else None)
        return None

    def _against_now(self, build: Build, look: Look) -> Outcome:
        """What stands against sending, where somebody else's claim came between our look and ours."""
        against = self._against(build, self._standing_of(build, look), None, None)
        if against is None:  # they were refused in the same moment: nothing true is left to tell but to ask again
            raise NoAnswer(self._provider.title, "somebody else's restart was refused in the same moment")
        return against

    def _send(self, claim: Claim, build: Build, look: Look, ask: Ask) -> Outcome:
        sending = self._executor.submit(self._send_once, claim, build)
        try:
            sent = sending.result(timeout=max(ask.seconds_left, 0.0))
        except (TimeoutError, CancelledError):
            if sending.cancel():  # it never began, and now never will: sent later, nobody would expect it
                unsent = _freed(claim, ClaimState.NOT_SENT)
                self._claims.move(claim, replace(claim, state=unsent, changed_at=self._clock.now()))
                raise NoAnswer(self._provider.title, "too many restarts were under way, so nothing was sent") from None
            failure = NoAnswer(self._provider.title, "no answer yet")
            return CouldNotTell(claim, shown=build, ago_s=self.ago_s(claim), looked=failure)
        if sent.claim.state is ClaimState.TAKEN:
            return Restarted(build, sent.claim)
        if sent.claim.state is ClaimState.UNKNOWN and sent.failure and sent.failure.may_have_taken:
            return self._look_afterwards(sent.claim, build, look, ask)
        raise sent.failure or NoAnswer(self._provider.title, "nothing was sent")

    def _send_once(self, claim: Claim, build: Build) -> _Sent:
        sending = replace(claim, state=ClaimState.SENT, changed_at=self._clock.now())
        if not self._claims.move(claim, sending):  # so slow that somebody has declared the claim lost
            return _Sent(replace(claim, state=ClaimState.NOT_SENT))
        failure: CIError | None = None
        new_build_id: str | None = None
        state = ClaimState.UNKNOWN
        self._looks.forget(build.project)
        try:
            new_build_id = self._provider.restart(build)
            state = ClaimState.TAKEN
        except CIError as error:
            failure = error
            state = _state_after(error, claim)
        finally:
            self._looks.forget(build.project)
            ended = replace(sending, state=state, new_build_id=new_build_id, changed_at=self._clock.now())
            self._claims.move(sending, ended)
        return _Sent(ended, failure)

    def _look_afterwards(self, claim: Claim, build: Build, before: Look, ask: Ask) -> Outcome:
        """Looks until something is known or the ask's time runs out."""
        found: Build | None = None
        looked: CIError | None = None
        for pause in LOOKS_AFTERWARDS_S:
            if ask.seconds_left < pause + 1.0:
                break
            self._clock.wait(pause)
            try:
                look = self._looks.builds(build.project, build.branch, within_s=ask.seconds_left)
            except CIError as error:
                looked = error
                continue
            looked, found = None, next((seen for seen in look.builds if seen.id == build.id), None)
            new = _new_run_of(build, before, look)
            if new is not None:
                taken = replace(claim, state=ClaimState.TAKEN, new_build_id=new.id, changed_at=look.began_at)
                self._claims.move(claim, taken)
                return Restarted(new, taken, seen=True)
            if found is not None:
                after = after_look(claim, found, look.began_at)
                if after != claim:
                    self._claims.move(claim, after)
                    return Restarted(found, after, seen=True)
        return CouldNotTell(claim, shown=build, ago_s=self.ago_s(claim), found=found, looked=looked)

    def _standing_of(self, build: Build, look: Look) -> Standing:
        return self.standings(look, [build]).get(build.id, UNCLAIMED)

    def _standing(self, claim: Claim | None, build: Build, look: Look) -> Standing:
        if claim is not None and claim.build_id == build.id:
            after = after_look(claim, build, look.began_at)
            if after == claim or self._claims.move(claim, after):
                claim = after
            else:  # somebody was faster, and may have gone on from there
                claim = next(iter(self._claims.newest(claim.service, [build.id])), claim)
        return standing(claim, build)


def _state_after(error: CIError, claim: Claim) -> ClaimState:
    if error.may_have_taken:
        return ClaimState.UNKNOWN
    return _freed(claim, ClaimState.NOT_SENT if isinstance(error, Unreachable) else ClaimState.REFUSED)


def _freed(claim: Claim, to: ClaimState) -> ClaimState:
    """`to`; but a Try again that certainly did not take leaves what it replaced as unknown as it was."""
    return ClaimState.UNKNOWN if claim.state is ClaimState.SENT else to


def _is_of_an_earlier_run(shown: Target, build: Build, now: Standing) -> bool:
    """The bot's own count tells, or a different start where the build was restarted by other means."""
    counted = shown.run_number is not None and shown.run_number != now.run_number
    started = shown.started_at is not None and build.started_at is not None and shown.started_at != build.started_at
    return counted or started


def _new_run_of(build: Build, before: Look, after: Look) -> Build | None:
    """The build that a restart made, where the service gives a restart an id of its own.

    It stands above the one that it replaces: below, `after` may show builds that were too old for `before`.
    """
    old = {seen.id for seen in before.builds}
    at = next((at for at, seen in enumerate(after.builds) if seen.id == build.id), 0)
    if build.commit is None:
        return None
    return next((seen for seen in after.builds[:at] if seen.id not in old and seen.commit == build.commit), None)


def build_of(target: Target, look: Look, service: str) -> Build:
    """The build that a button names, among those that the look shows. Raises NotListed where it is not among them."""
    for build in look.builds:
        if build.id == target.build_id:
            return build
    raise NotListed(service)

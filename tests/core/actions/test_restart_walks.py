"""For any order of what people and the service do: one POST per run, and one more for each Try again. A walk is a list
of steps on a real store. The service counts its runs, and the POSTs that it accepted or may have accepted.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

from hypothesis import strategies as st

from bot.core.model.actions.values import RunTarget
from bot.core.model.builds import Actor, Status
from bot.core.model.claims import Claim, ClaimState
from bot.core.model.command_entries import Command
from bot.core.model.command_values import BuildCommand, Verb
from bot.core.model.errors import CIError, NoResponse, OverLimit, Unauthorized, Unreachable
from bot.core.model.outcomes import BuildShown, CouldNotTell, Outcome, Restarted
from tests.core.actions.ada_restarts import MAIN, OLD, TIMELESS, look
from tests.core.world import ADA, BUILDS, PATIENCE_S, World, press, status
from tests.examples import examples

LAGS_AT_MOST_S = 30.0
FATES: dict[str, CIError | None] = {
    "taken": None,
    "lost on the way back": NoResponse("CodeShip"),
    "lost on the way there": NoResponse("CodeShip"),
    "refused": Unauthorized("CodeShip"),
    "over the limit": OverLimit("CodeShip"),
    "unreachable": Unreachable("CodeShip"),
}
STEPS = st.one_of(
    st.tuples(st.sampled_from(["ask", "ask at once", "press", "try again", "look", "end", "lag", "catch up", "web"])),
    st.tuples(st.just("wait"), st.sampled_from([1, 5, 20, 70, 130])),
    st.tuples(st.just("fate"), st.sampled_from(list(FATES))),
    st.tuples(st.just("die"), st.sampled_from(["claimed", "sent", "sent and taken"])),
)


class Walk:
    """A world in which one build is restarted, and its buttons that can still be pressed."""

    def __init__(self, *, timeless: bool) -> None:
        self.world = World()
        self.timeless = timeless
        self.old = TIMELESS if timeless else OLD
        self.world.has(self.old)
        self.buttons: list[Command] = [press(self.old)]
        self.hanging: list[Claim] = []
        self.tries: Counter[tuple[str, int]] = Counter()
        self.tried: Counter[tuple[int, int]] = Counter()
        self.lagged_since: float | None = None

    def step(self, name: str, argument: object = None) -> None:
        ci, clock = self.world.ci, self.world.clock
        match name, argument:
            case "ask", _:
                self.ask(MAIN)
            case "ask at once", _:
                barrier = Barrier(3)
                with ThreadPoolExecutor(3) as pool:
                    list(pool.map(lambda actor: self.ask(MAIN, Actor(actor), barrier), ["U1", "U2", "U3"]))
            case "press", _:
                self.ask(self.buttons[len(ci.calls) % len(self.buttons)])
            case "try again", _ if self.hanging:
                self.try_again(self.hanging[len(ci.calls) % len(self.hanging)])
            case "look", _:
                self.ask(status("acme/web", "main"))
            case "end", _ if ci.is_running("7"):
                ci.becomes("7", Status.FAILED, "error", None if self.timeless else clock.now())
            case "lag", _:
                ci.restart_shows, self.lagged_since = False, clock.monotonic()
            case "catch up", _:
                self.catch_up()
            case "web", _ if ci.restart_shows and not ci.is_running("7"):  # by hand, on the service's page
                ci._run_again(ci.all_builds[0])
            case "wait", int(seconds):
                clock.advance(seconds)
            case "fate", str(fate):
                failure = FATES[fate]
                ci.restart_takes = fate != "lost on the way there"
                ci.failures["restart"] = [type(failure)("CodeShip")] if failure else []
            case "die", str(when):
                self.die(when)
        self.hide_times()
        if self.lagged_since is not None and clock.monotonic() - self.lagged_since > LAGS_AT_MOST_S:
            self.catch_up()
        self.check()

    def ask(self, command: Command, actor: Actor = ADA, barrier: Barrier | None = None) -> Outcome | None:
        if barrier is not None:
            barrier.wait(PATIENCE_S)
        try:
            outcome = self.world.ask(command, actor)
        except CIError:
            return None
        match outcome:
            case CouldNotTell():
                self.hanging.append(outcome.claim)
            case BuildShown(build, standing):
                self.buttons.append(press(build, standing.run_number))
            case Restarted():
                self.buttons.append(press(outcome.build, outcome.claim.run_number))
        return outcome

    def try_again(self, claim: Claim) -> None:
        before = self.world.ci.sent.copy()
        command = press(self.old, claim.run_number, instead_of=claim)
        self.ask(BuildCommand(Verb.RESTART, replace(command.target, started_at=None), command.instead_of))
        for run, sent in (self.world.ci.sent - before).items():
            self.tries[run] += sent
            self.tried[claim.id, claim.attempt] += sent

    def die(self, when: str) -> None:
        """A process claims a free run, and dies before or after it sends."""
        seen = look(self.world)
        standing = self.world.restarts.restart_states(seen, seen.builds)["7"]
        if standing.claim is not None or not seen.builds[0].has_ended:
            return
        wanted = Claim(
            "codeship", "1", "7", standing.run_number, ADA, BUILDS, seen.builds[0].run, self.world.clock.now()
        )
        claim = self.world.store.claims.claim(wanted)
        assert claim is not None
        if when != "claimed":
            assert self.world.store.claims.move(claim, replace(claim, state=ClaimState.SENT))
        if when == "sent and taken":
            self.world.ci.failures["restart"] = []
            self.world.ci.restart(seen.builds[0], RunTarget("7"))

    def catch_up(self) -> None:
        self.world.ci.catch_up()
        self.world.ci.restart_shows, self.lagged_since = True, None

    def hide_times(self) -> None:
        if self.timeless:
            self.world.ci.all_builds = [
                replace(build, started_at=None, finished_at=None) for build in self.world.ci.all_builds
            ]

    def check(self) -> None:
        for run, sent in self.world.ci.sent.items():
            assert sent <= 1 + self.tries[run], f"{sent} POSTs for {run}"
        assert all(posts == 1 for posts in self.tried.values() if posts), "a Try again was sent twice"
        if not self.tries:
            assert not any(running for _id, _run, running in self.world.ci.posts), "a running build was restarted"
        assert not self.world.executor.reported


@examples(10, 150, st.lists(STEPS, max_size=25), st.booleans())
def test_no_sequence_of_requests_sends_more_than_one_post_per_run(steps: list[tuple[str, ...]], timeless: bool) -> None:
    walk = Walk(timeless=timeless)
    try:
        for step in steps:
            walk.step(*step)
    finally:
        walk.world.close()


def test_a_walk_notices_a_second_post() -> None:
    walk = Walk(timeless=False)
    try:
        walk.step("fate", "lost on the way there")
        walk.step("ask")
        walk.world.ci.restart(OLD, RunTarget("7"))
        noticed = False
        try:
            walk.check()
        except AssertionError:
            noticed = True
        assert noticed
    finally:
        walk.world.close()

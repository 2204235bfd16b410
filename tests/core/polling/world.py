"""The core's test world with followers: jobs that run as the fixed clock moves, and messages in memory."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from bot.core.follows.failure_logs import FailureLogs
from bot.core.follows.live_messages import LiveMessages
from bot.core.model.builds import Actor, Build, Location, Status
from bot.core.model.claims import Claim
from bot.core.model.errors import CIError
from bot.core.model.follows import Follow, FollowState, FollowView
from bot.core.model.outcomes import Restarted
from bot.core.model.verdicts import Meaning, Verdict
from bot.core.polling.poller import POLL, Poller
from bot.core.ports import FollowStore, Job, Notifier
from tests.core.actions.ada_restarts import MAIN, OLD, WEB
from tests.core.world import ADA, BUILDS, World
from tests.held_clock import HeldClock

T = TypeVar("T")


class Crash(BaseException):
    """The process dies here."""


class MemoryNotifier:
    """A `Notifier` that keeps what each message says. `failures` holds what the next calls raise, None for one that
    goes well; `did` says whether such a call of `reply` posted all the same. What is in `meanwhile` happens while a
    call is on its way, one thing a call."""

    def __init__(self, clock: HeldClock) -> None:
        self._clock = clock
        self.shown: list[FollowView] = []
        self.shown_at: list[datetime] = []
        self.replies: list[FollowView] = []
        self.told: list[tuple[Actor, Location, str]] = []
        self.failures: dict[str, list[BaseException | None]] = {"show": [], "reply": []}
        self.calls: list[str] = []
        self.did = False
        self.meanwhile: list[Callable[[], None]] = []

    def show(self, view: FollowView) -> None:
        self._called("show")
        self.shown.append(view)
        self.shown_at.append(self._clock.now())

    def reply(self, view: FollowView) -> None:
        try:
            self._called("reply")
        except BaseException:
            self.replies += [view] if self.did else []
            raise
        self.replies.append(view)

    def tell(self, view: FollowView, why: str) -> None:
        self.told.append((view.follow.asker, view.follow.location, why))

    def _called(self, call: str) -> None:
        self.calls.append(call)
        if self.meanwhile:
            self.meanwhile.pop(0)()
        failure = self.failures[call].pop(0) if self.failures[call] else None
        if failure is not None:
            raise failure


class HeldJobs:
    """`Jobs` that run in `pass_time`, each at its moment; `errors` are what they raised.

    A job that is cut off by a `Crash` is done again by the next `pass_time`, without the steps that were done.
    """

    def __init__(self, clock: HeldClock) -> None:
        self._clock = clock
        self._waiting: list[tuple[datetime, int, str, str, dict[str, Any]]] = []
        self._keys: dict[str, int] = {}
        self.kinds: dict[str, Job] = {}
        self.errors: list[Exception] = []

    def start(self, kind: str, key: str, payload: Mapping[str, Any], *, delay_s: float = 0.0) -> None:
        if key not in self._keys:
            number = self._keys[key] = len(self._keys)
            due = self._clock.now() + timedelta(seconds=delay_s)
            heapq.heappush(self._waiting, (due, number, kind, json.dumps(payload), {}))

    def cancel(self, key: str) -> None:
        raise NotImplementedError

    def unfinished(self, keys: Iterable[str]) -> set[str]:
        waiting = {number for _, number, *_ in self._waiting}
        return {key for key in keys if self._keys.get(key) in waiting}

    def sweep(self) -> int:
        raise NotImplementedError

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def lose_all(self) -> None:
        """Deletes the waiting jobs, as after a crash before they were stored."""
        self._waiting.clear()

    def pass_time(self, seconds: float) -> None:
        until = self._clock.now() + timedelta(seconds=seconds)
        while self._waiting and self._waiting[0][0] <= until:
            due, number, kind, payload, done = heapq.heappop(self._waiting)
            self._clock.advance(max(0.0, (due - self._clock.now()).total_seconds()))
            try:
                self.kinds[kind](json.loads(payload), partial(_step, done))
            except Exception as error:  # noqa: BLE001 - the job has ended
                self.errors.append(error)
            except Crash:
                heapq.heappush(self._waiting, (self._clock.now(), number, kind, payload, done))
                raise
        self._clock.advance(max(0.0, (until - self._clock.now()).total_seconds()))


def _step(done: dict[str, Any], name: str, work: Callable[[], T]) -> T:
    if name not in done:
        done[name] = work()
    value: T = done[name]
    return value


class Followers:
    """A `Poller` on a `World` that knows acme/web with its failed build 7."""

    def __init__(self) -> None:
        self.world = World()
        self.world.has(OLD)
        self.ci, self.clock, self.store = self.world.ci, self.world.clock, self.world.store
        self.jobs = HeldJobs(self.clock)
        self.notifier = MemoryNotifier(self.clock)
        self.lag: list[float] = []
        self.shared: dict[str, bool] = {BUILDS.channel: False}
        self.following = self.another_process()
        self.jobs.kinds[POLL] = lambda *job: self.following.job(*job)  # noqa: PLW0108 - of the process that lives then
        self._asks = 0

    def another_process(self, follows: FollowStore | None = None, notifier: Notifier | None = None) -> Poller:
        """On the same store."""
        messages = LiveMessages(
            services=self.world.services,
            follows=follows or self.store.follows,
            history=self.store.history,
            notifier=notifier or self.notifier,
            logs=FailureLogs(self.world.services, self.world.rights, self.shared.get),
            clock=self.clock,
        )
        return Poller(
            services=self.world.services,
            follows=follows or self.store.follows,
            messages=messages,
            jobs=self.jobs,
            clock=self.clock,
            late=self.lag.append,
        )

    def restarts(self, who: Actor = ADA) -> Follow:
        """A person restarts the newest build of main, which is then followed."""
        outcome = self.world.ask(MAIN, who)
        assert isinstance(outcome, Restarted)
        return self.follows(outcome.build, outcome.claim, who)

    def follows(self, build: Build, claim: Claim | None = None, who: Actor = ADA, **more: Any) -> Follow:
        """Follows a build as a reply does: after a restart if there is a claim."""
        self._asks += 1
        follow = Follow(
            key=f"ask {self._asks}",
            service="codeship",
            project_id=build.project.id,
            build_id=claim.new_build_id or build.id if claim else build.id,
            run_number=1 if claim is None or claim.new_build_id not in (None, build.id) else claim.run_number + 1,
            branch=build.branch,
            asker=who,
            location=BUILDS,
            message_ts=f"1700000000.{self._asks:06}",
            began_at=self.clock.now(),
            restarted=claim is not None,
            before=claim.replaced if claim else None,
            before_status=build.status if claim and build.run == claim.replaced else None,
        )
        follow = replace(follow, **more)
        self.following.follow(follow)
        return follow

    def passes_time(self, seconds: float) -> None:
        self.jobs.pass_time(seconds)
        assert self.jobs.errors == []

    def ends(self, status: Status = Status.PASSED, word: str = "success", build_id: str = "7") -> None:
        self.ci.ends(build_id, status, word)

    def is_down(self, failure: Callable[[], CIError], calls: int = 1000) -> None:
        self.ci.failures["builds"] = [failure() for _ in range(calls)]

    def is_up(self) -> None:
        self.ci.failures["builds"] = []

    @property
    def states(self) -> list[str]:
        """Each change of the message, in short."""
        return [_short(shown) for shown in self.notifier.shown]

    @property
    def verdict(self) -> Verdict | None:
        """The verdict of the only follow, which has ended."""
        assert self.notifier.shown[-1].follow.state is FollowState.ENDED
        (reply,) = self.notifier.replies
        assert reply.verdict == self.notifier.shown[-1].verdict
        assert self.open == []
        return reply.verdict

    def verdict_of(self, who: Actor) -> Meaning | None:
        """The verdict in this person's reply."""
        (reply,) = [reply for reply in self.notifier.replies if reply.follow.asker == who]
        return reply.verdict.meaning if reply.verdict else None

    @property
    def open(self) -> list[Follow]:
        return self.store.follows.open_of("codeship", WEB.id)

    def close(self) -> None:
        self.world.close()


def _short(view: FollowView) -> str:
    marks = [
        view.follow.state.value if view.follow.state is not FollowState.OPEN else "",
        "late" if view.late_s is not None else "",
        "overtaken" if view.overtaken else "",
        "unseen" if view.unseen else "",
        view.build.status.value,
    ]
    return " ".join(mark for mark in marks if mark)

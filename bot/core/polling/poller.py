"""Follows builds to their end, with one live message each. Knows neither Slack nor HTTP.

Level-triggered: each poll compares the build with what the message last said, and shows the difference. So the next
poll repairs what a crash interrupted, and a repeated update is invisible. `live_messages` decides what a message says.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.core.build_fetcher import Snapshot
from bot.core.follows.live_messages import LiveMessages
from bot.core.lookup.ci_registry import CIRegistry
from bot.core.model.builds import Build, find_build
from bot.core.model.errors import CIError, NoSuchProject, NotFound, OverLimit, RateLimitExhausted
from bot.core.model.follows import Follow, RetryLater
from bot.core.model.rate_limit import Priority
from bot.core.ports import Clock, FollowStore, Jobs, Step
from bot.core.rate_limiter import FOR_BACKGROUND

MAX_WAIT_S = 90.0
"""The longest wait, even if a service asks for more.

It is below the time after which a chain counts as stalled; a poll that may not make calls yet costs none. It is longer
than a call counts against the limit, so that a refused poll can succeed after it.
"""

ENOUGH_AFTER_S = 60.0
"""Seconds without a refusal after which the interval shrinks again."""

_SHORTEST_WAIT_S = 1.0
_FURTHER, _NEARER = 1.5, 0.95


@dataclass(frozen=True, slots=True)
class PollInterval:
    """Seconds between polls: `soon_s` for new follows, `later_s` for long builds, `retry_s` after failures."""

    soon_s: float = 5.0
    later_s: float = 10.0
    retry_s: float = 15.0

    def after(self, age: timedelta) -> float:
        """The interval for a follow of this age. With the poll itself it stays below fifteen seconds."""
        return self.soon_s if age < timedelta(minutes=2) else self.later_s


PACE = PollInterval()


class AdaptiveInterval:
    """The poll interval, shared by all projects of this process. Grows while the rate limit refuses polls.
    Thread-safe.
    """

    def __init__(self, pace: PollInterval, clock: Clock) -> None:
        self.pace = pace
        self._clock = clock
        self._lock = threading.Lock()
        self._apart_s = 0.0
        self._refused_s = self._moved_apart_s = clock.monotonic()

    def after_sight(self, age: timedelta) -> float:
        """Seconds until the next poll after a successful one. `age` is that of the newest follow."""
        with self._lock:
            if self._clock.monotonic() - self._refused_s > ENOUGH_AFTER_S:
                self._apart_s *= _NEARER
            return max(self.pace.after(age), self._apart_s)

    def after_failures(self, failures: Sequence[CIError]) -> float:
        """Seconds until the next poll after one with failures."""
        if any(isinstance(failure, RateLimitExhausted) for failure in failures):
            self._move_apart()
        named = [f.retry_after_s for f in failures if isinstance(f, OverLimit) and f.retry_after_s is not None]
        return min(max([_SHORTEST_WAIT_S, *named] if named else [self.pace.retry_s]), MAX_WAIT_S)

    def _move_apart(self) -> None:
        """Increases the interval, at most once per interval, since refusals come in groups."""
        with self._lock:
            self._refused_s = now_s = self._clock.monotonic()
            apart_s = max(self._apart_s, self.pace.soon_s)
            if now_s - self._moved_apart_s >= apart_s:
                self._apart_s = min(apart_s * _FURTHER, MAX_WAIT_S)
                self._moved_apart_s = now_s


POLL = "poll"
"""The kind of the job that polls one project for all its follows."""

CALL_S = 12.0
LOST_AFTER_S = 12.0
"""Seconds after which a chain of polls that has not moved is restarted if the job of its next poll is gone.

A database that stopped during a poll takes the job of the next one with it.
"""

STALLED_AFTER_S = 120.0
"""Seconds after which a chain of polls that has not moved is restarted, whatever its job does.

Below that a job may only be late: it waits for its turn, or its CI service is slow.
"""

TRIES_IN_VAIN = 3
"""After this many failed messages in a row, the others wait for the next poll."""


class Poller:
    """Polls followed projects by jobs of the kind `POLL`, one chain per project, until no follow is open.

    `late` is called with the seconds that a poll was late, or since the last successful one if this one failed.
    """

    def __init__(
        self,
        *,
        services: CIRegistry,
        follows: FollowStore,
        messages: LiveMessages,
        jobs: Jobs,
        clock: Clock,
        pace: PollInterval = PACE,
        late: Callable[[float], None],
    ) -> None:
        self._services = services
        self._follows = follows
        self._messages = messages
        self._jobs = jobs
        self._clock = clock
        self._pacing = AdaptiveInterval(pace, clock)
        self._late = late

    def follow(self, follow: Follow) -> None:
        """Starts to follow a live message. A second call with the same key changes nothing."""
        self._follows.add(follow)
        number = self._follows.begin_polling(follow.service, follow.project_id)
        self._poll_later(follow.service, follow.project_id, number, self._pacing.pace.soon_s)

    def job(self, payload: Mapping[str, Any], step: Step) -> None:
        """A `Job`: polls one project and schedules the next poll, even after a bug in this one.

        A poll that a webhook started is not part of the chain, which continues unchanged.
        """
        service, project_id = str(payload["service"]), str(payload["project"])
        number = int(payload["number"]) if "number" in payload else None
        due = payload.get("due")
        if due is not None:
            self._late(max(0.0, self._clock.now().timestamp() - float(due)))
        bug: Exception | None = None
        try:
            delay_s = step("poll", lambda: self.poll(service, project_id))
        except Exception as error:  # noqa: BLE001 - raised below, after the next poll is scheduled
            bug, delay_s = error, self._pacing.pace.retry_s
        if number is not None:
            following = step("next", lambda: self._follows.next_poll(service, project_id, number))
            if following is not None:
                self._poll_later(service, project_id, following, delay_s)
        if bug is not None:
            raise bug

    def poll_now(self, service: str, project_id: str, key: str) -> None:
        """Polls now, once per `key`, if a follow of the project is open. A webhook says that something changed."""
        if self._follows.open_of(service, project_id):
            self._jobs.start(POLL, f"poll-now:{service}:{key}", {"service": service, "project": project_id})

    def restart_stalled(self) -> None:
        """Restarts chains of polls that have stopped for any reason."""
        quiet = {
            _key(chain.service, chain.project_id, chain.number): chain
            for chain in self._follows.quiet_chains(LOST_AFTER_S)
        }
        unfinished = self._jobs.unfinished(quiet)
        for key, chain in quiet.items():
            if key in unfinished and 0 <= chain.quiet_s <= STALLED_AFTER_S:
                continue
            number = self._follows.restart_chain(chain)
            if number is not None:
                self._poll_later(chain.service, chain.project_id, number, 0.0)

    def poll(self, service: str, project_id: str) -> float:
        """Polls the project and updates the message of each of its follows.

        Returns the seconds until the next poll. Raises an error that is not a service's after all messages had their
        turn.
        """
        follows = self._follows.open_of(service, project_id)
        branches = {follow.branch for follow in follows}
        # A fetch of one branch shows more of its builds than a fetch of all branches.
        first = branches.pop() if len(branches) == 1 else None
        seen: dict[str | None, Snapshot | CIError] = {}
        pause_s, in_vain = 0.0, 0
        bugs: list[Exception] = []
        for follow in follows:
            try:
                result = self._seen(follow, first, seen)
                if isinstance(result, CIError):
                    self._late(self._messages.update_stale(follow, result))
                else:
                    self._messages.update(follow, *result)
                in_vain = 0
            except RetryLater as later:
                self._messages.expire(follow)
                pause_s = max(pause_s, later.retry_after_s, self._pacing.pace.retry_s)
                in_vain += later.is_everywhere
                if in_vain == TRIES_IN_VAIN:
                    break
            except Exception as bug:  # noqa: BLE001 - raised below: a bug with one message must not affect the others
                self._messages.expire(follow)
                bugs.append(bug)
        if bugs:
            raise bugs[0]
        return self._wait_after(follows, seen.values(), pause_s)

    def _seen(
        self, follow: Follow, first: str | None, seen: dict[str | None, Snapshot | CIError]
    ) -> tuple[Build, Snapshot] | CIError:
        """The followed build, from a fetch of branch `first` (None: all), or of its own branch if it is
        missing there.
        """
        for branch in dict.fromkeys((first, follow.branch)):
            if branch not in seen:
                seen[branch] = self._poll(follow.service, follow.project_id, branch)
            snapshot = seen[branch]
            if isinstance(snapshot, CIError):
                return snapshot
            build = find_build(snapshot.builds, follow.build_id)
            if build is not None:
                return build, snapshot
        return NotFound(self._services.of(follow.service).provider.title, "the build is no longer listed")

    def _poll(self, service_name: str, project_id: str, branch: str | None) -> Snapshot | CIError:
        try:
            service = self._services.of(service_name)
        except CIError as gone:
            return gone
        try:
            project = service.project_index.by_id(project_id, timeout_s=CALL_S, priority=Priority.BACKGROUND)
            return service.fetcher.builds(project, branch, timeout_s=CALL_S, allowance=FOR_BACKGROUND)
        except CIError as failure:
            return failure
        except NoSuchProject as unknown:
            return unknown.stale_because or NotFound(service.provider.title, "the repository is no longer listed")

    def _wait_after(self, follows: Sequence[Follow], seen: Iterable[Snapshot | CIError], pause_s: float) -> float:
        failures = [snapshot for snapshot in seen if isinstance(snapshot, CIError)]
        if failures or pause_s:
            return max(self._pacing.after_failures(failures), min(pause_s, MAX_WAIT_S))
        if not follows:
            return self._pacing.pace.soon_s
        return self._pacing.after_sight(self._clock.now() - max(follow.began_at for follow in follows))

    def _poll_later(self, service: str, project_id: str, number: int, delay_s: float) -> None:
        due = self._clock.now().timestamp() + delay_s
        payload = {"service": service, "project": project_id, "number": number, "due": due}
        self._jobs.start(POLL, _key(service, project_id, number), payload, delay_s=delay_s)


def _key(service: str, project_id: str, number: int) -> str:
    return f"poll:{service}:{project_id}:{number}"

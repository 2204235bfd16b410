"""The core's `Jobs`: each job starts under a key, runs in steps, and is taken over if its process dies.

A job without a delay starts in this process. A delayed one starts in any process that knows its kind. Never remove or
reuse the name of a kind: jobs that an older version has stored refer to it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic, time
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from bot.core.ports import Clock, Job
from bot.jobs.heartbeat import Heartbeat, OnError, Replicas
from bot.jobs.recovery import JobRecovery, RecoverySchedule
from bot.jobs.serialization import JobFailed, StepFailed, id_of

if TYPE_CHECKING:
    from bot.jobs.dbos_engine import Engine

T = TypeVar("T")

_CLOSING_S = 1.0
_IDLE_POLL_S = 0.02

Change = Callable[[Mapping[str, Any]], Mapping[str, Any]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JobTimings:
    """In seconds. A process without a heartbeat for `dead_after_s` is dead. Finished jobs are kept for `kept_s`."""

    beat_s: float = 5.0
    dead_after_s: float = 20.0
    sweep_s: float = 5.0
    poll_s: float = 1.0
    purge_s: float = 3600.0
    kept_s: float = 2 * 86400.0


TIMINGS = JobTimings()


class JobAbandoned(BaseException):
    """Ends a job's thread after `stop` without storing a result, so that another process takes the job over."""


class DurableJobs:
    """A `Jobs`. `on_error(kind, error)` is called if a job raises; that job has ended and is not retried.

    What a step returns is stored as JSON: None, numbers, strings, lists, and dicts with string keys. Any other value
    ends its job with an error. What a step raises reaches the job as `StepFailed`. The store on `database_url` must be
    open, and not in memory. A process may have one open instance.

    `now` returns seconds since 1970, by a clock that all processes on the database share: delays count by it. `pack`
    changes each payload before it is stored, `unpack` changes it back before its job runs.
    """

    def __init__(
        self,
        database_url: str,
        kinds: Mapping[str, Job],
        *,
        replicas: Replicas,
        replica_id: str,
        clock: Clock,
        now: Callable[[], float] = time,
        on_error: OnError,
        timings: JobTimings = TIMINGS,
        pack: Change = lambda payload: payload,
        unpack: Change = lambda payload: payload,
    ) -> None:
        self._pack = pack
        self._unpack = unpack
        self._url = database_url
        self._kinds = dict(kinds)
        self._replica_id = replica_id
        self._clock = clock
        self._now = now
        self._on_error = on_error
        self._timings = timings
        self._heartbeat = Heartbeat(
            replicas,
            replica_id,
            clock,
            every_s=timings.beat_s,
            dead_after_s=timings.dead_after_s,
            on_error=self._report,
        )
        self._open: tuple[Engine, JobRecovery] | None = None
        self._changed = threading.Condition()
        self._under_way: dict[str, str] = {}
        self._stopping = threading.Event()
        self._closed = False

    @property
    def under_way(self) -> int:
        """How many jobs run in this process or are about to."""
        return len(self._under_way)

    def launch(self) -> None:
        """Starts running jobs. Raises what the driver raises."""
        from bot.jobs.dbos_engine import Engine

        timings = self._timings
        kinds = {kind: partial(self._run, kind) for kind in self._kinds}
        engine = Engine(self._url, kinds, self._replica_id, self._now)
        rounds = RecoverySchedule(timings.sweep_s, timings.purge_s, timings.kept_s)
        recovery = JobRecovery(engine, self._heartbeat, self._clock, rounds, self._report)
        try:
            self._heartbeat.start()  # before the first job: other processes take over jobs without a heartbeat
            self._open = engine, recovery  # before the launch: jobs that are due start at once
            engine.launch(timings.poll_s)
        except BaseException:  # raised again, after closing what is open
            self._closed = True
            engine.close()
            self._heartbeat.stop(_CLOSING_S, leaves_nothing=False)
            raise
        recovery.start()

    def start(self, kind: str, key: str, payload: Mapping[str, Any], *, delay_s: float = 0.0) -> None:
        """Stores the job before it returns. May be called within a job or a step. Raises what the driver raises.

        A delayed job starts up to two seconds after it is due.
        """
        id, text = id_of(key), json.dumps(self._pack(payload), allow_nan=False)
        if delay_s > 0 or self._stopping.is_set():
            self._engine.enqueue(kind, id, text, delay_s)
            return
        with self._changed:
            is_mine = self._under_way.setdefault(id, name := f"{kind} {key}") is name
        future = None
        try:
            future = self._engine.run_now(kind, id, text)
        finally:
            if future is not None:
                future.add_done_callback(lambda _: self._ended(id))
            elif is_mine:
                self._ended(id)

    def cancel(self, key: str) -> None:
        """Cancels a job. One that runs goes on to the end of its step."""
        self._engine.cancel(id_of(key))

    def unfinished(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys whose jobs wait or run, in any process."""
        ids = {id_of(key): key for key in keys}
        return {ids[id] for id in self._engine.unfinished(list(ids))} if ids else set()

    def sweep(self) -> int:
        return self._recovery.sweep()

    def purge(self) -> int:
        """Deletes jobs that ended long ago, which also happens every hour. Returns how many."""
        return self._recovery.purge()

    def wait_idle(self, timeout_s: float) -> bool:
        """Whether every due job of this process ended and was stored within `timeout_s`."""
        deadline = monotonic() + timeout_s
        while self._no_job_runs(deadline):
            if not self._engine.pending(self._replica_id):
                return True
            if monotonic() >= deadline:
                break
            with self._changed:
                self._changed.wait(_IDLE_POLL_S)
        return False

    def stop(self, timeout_s: float = 10.0) -> list[str]:
        """Starts no more jobs, waits up to `timeout_s` for those that run, and returns the names of those that still
        do.

        Returns at most a second later than that, even if the database is away. If names are returned, threads may still
        hang in their steps. Python waits for such threads at exit, so the caller must end the process with `os._exit`.
        """
        if self._open is None or self._stopping.is_set():
            return []
        deadline = monotonic() + timeout_s
        self._stopping.set()
        self._recovery.stop()
        self._engine.take_nothing_more()
        self._no_job_runs(deadline)
        left = list(self._under_way.values())
        # In a thread of its own: DBOS waits for a database that is away without a limit.
        closing = threading.Thread(target=self._close, args=(deadline,), name="jobs-closing", daemon=True)
        closing.start()
        closing.join(max(0.0, deadline - monotonic()) + _CLOSING_S)
        return left

    @property
    def _engine(self) -> Engine:
        if self._open is None or self._closed:
            raise RuntimeError("durable jobs are not open")
        return self._open[0]

    @property
    def _recovery(self) -> JobRecovery:
        if self._open is None or self._closed:
            raise RuntimeError("durable jobs are not open")
        return self._open[1]

    def _no_job_runs(self, deadline: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._under_way, max(0.0, deadline - monotonic()))

    def _close(self, deadline: float) -> None:
        self.wait_idle(deadline - monotonic())
        engine, recovery, self._closed = self._engine, self._recovery, True
        leaves_nothing = not self._under_way
        recovery.join(_CLOSING_S)
        engine.close()
        try:
            self._heartbeat.stop(_CLOSING_S, leaves_nothing=leaves_nothing)
        except Exception as error:  # noqa: BLE001 - others then notice the missing heartbeat
            self._report("heartbeat", error)

    # Called on a job's thread

    def _run(self, kind: str, id: str, payload: str) -> None:
        try:
            self._raise_if_closed()
            with self._changed:
                self._under_way.setdefault(id, f"{kind} {id}")
            self._kinds[kind](self._unpack(json.loads(payload)), self._step)
            self._raise_if_closed()
        except Exception as error:  # noqa: BLE001 - reported; the job ends
            self._raise_if_closed()
            self._report(kind, error)
            raise JobFailed(type(error).__name__) from None
        finally:
            self._ended(id)

    def _step(self, name: str, work: Callable[[], T], *, stored: bool = True) -> T:
        self._raise_if_closed()
        return self._engine.step(name, partial(self._guarded, work)) if stored else self._guarded(work)

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            value = work()
        except Exception as error:
            self._raise_if_closed()
            raise StepFailed.of(error) from error
        self._raise_if_closed()
        return value

    def _raise_if_closed(self) -> None:
        if self._closed:
            raise JobAbandoned

    def _ended(self, id: str) -> None:
        with self._changed:
            self._under_way.pop(id, None)
            self._changed.notify_all()

    def _report(self, name: str, error: BaseException) -> None:
        try:
            self._on_error(name, error)
        except Exception:  # there is nowhere else to report it
            log.exception("job_error_not_reported", job=name, error=repr(error))

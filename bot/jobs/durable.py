"""The core's `Jobs`: started under a key, done step by step, taken over where a process is gone.

What is started without a delay runs in this process; what waits is taken up by any process that knows its kind. A
kind's name is never given up or used for something else: what an older version has left goes by it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic
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
_LOOK_AGAIN_S = 0.02

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JobTimings:
    """Seconds. A process that was silent for `dead_after_s` is gone; a key counts for `kept_s` after its job's end."""

    beat_s: float = 5.0
    dead_after_s: float = 20.0
    sweep_s: float = 5.0
    poll_s: float = 0.5
    purge_s: float = 3600.0
    kept_s: float = 2 * 86400.0


TIMINGS = JobTimings()


class JobAbandoned(BaseException):
    """Ends a job's thread after `stop` with nothing written down: the job is left to be taken over."""


class DurableJobs:
    """`Jobs`. `on_error(kind, error)` is called where a job raises: that one has ended, and is not tried again.

    What a step returns is stored as JSON, so it has to be plain: None, numbers, strings, lists, and dicts with strings
    as keys. Any other value ends its job. What a step raises arrives in the job as `StepFailed`.
    The store on `database_url` has to be open; a database in memory will not do. One at a time in a process.
    """

    def __init__(
        self,
        database_url: str,
        kinds: Mapping[str, Job],
        *,
        replicas: Replicas,
        replica_id: str,
        clock: Clock,
        on_error: OnError,
        timings: JobTimings = TIMINGS,
    ) -> None:
        self._url = database_url
        self._kinds = dict(kinds)
        self._replica_id = replica_id
        self._clock = clock
        self._on_error = on_error
        self._timings = timings
        self._heartbeat = Heartbeat(
            replicas,
            replica_id,
            clock,
            every_s=timings.beat_s,
            dead_after_s=timings.dead_after_s,
            on_error=self._tell,
        )
        self._open: tuple[Engine, JobRecovery] | None = None
        self._changed = threading.Condition()
        self._under_way: dict[str, str] = {}
        self._stopping = threading.Event()
        self._closed = False

    @property
    def under_way(self) -> int:
        """How many jobs run in this process, or are about to."""
        return len(self._under_way)

    def launch(self) -> None:
        """From now on this process works. Raises what the driver raises."""
        from bot.jobs.dbos_engine import Engine

        patience = self._timings
        engine = Engine(self._url, {kind: partial(self._run, kind) for kind in self._kinds}, self._replica_id)
        rounds = RecoverySchedule(patience.sweep_s, patience.purge_s, patience.kept_s)
        sweeper = JobRecovery(engine, self._heartbeat, self._clock, rounds, self._tell)
        try:
            self._heartbeat.start()  # before the first job: what has no sign of life counts as left by the dead
            self._open = engine, sweeper  # before the launch: what is due begins at once
            engine.launch(patience.poll_s)
        except BaseException:  # raised again: what was opened is not to stay open behind a launch that failed
            self._closed = True
            engine.close()
            self._heartbeat.stop(_CLOSING_S, leaves_nothing=False)
            raise
        sweeper.start()

    def start(self, kind: str, key: str, payload: Mapping[str, Any], *, delay_s: float = 0.0) -> None:
        """Stored before this returns. May be called within a job, also within a step. Raises what the driver raises.

        A job with a delay begins up to two seconds after it is due.
        """
        id, text = id_of(key), json.dumps(payload, allow_nan=False)
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
        """A job that runs goes on to the end of its step."""
        self._engine.cancel(id_of(key))

    def sweep(self) -> int:
        return self._recovery.sweep()

    def purge(self) -> int:
        """Forgets what ended long ago; done every hour by itself. Returns how many jobs that was."""
        return self._recovery.purge()

    def wait_idle(self, timeout_s: float) -> bool:
        """Whether all that was started here, and was due, has ended and is written down; waits up to `timeout_s`."""
        deadline = monotonic() + timeout_s
        while self._no_job_runs(deadline):
            if not self._engine.pending(self._replica_id):
                return True
            if monotonic() >= deadline:
                break
            with self._changed:
                self._changed.wait(_LOOK_AGAIN_S)
        return False

    def stop(self, timeout_s: float = 10.0) -> list[str]:
        """Takes nothing more, lets what runs end for up to `timeout_s`, and names what is left to be taken over.

        Returns a second after that at the latest, also where the database is away.
        Where that is not empty, threads may still hang in their steps, and Python waits for such threads at exit:
        whoever ends the process has to use `os._exit`.
        """
        if self._open is None or self._stopping.is_set():
            return []
        deadline = monotonic() + timeout_s
        self._stopping.set()
        self._recovery.stop()
        self._engine.take_nothing_more()
        self._no_job_runs(deadline)
        left = list(self._under_way.values())
        # On a thread of its own: where the database is away, DBOS waits for it without an end.
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
        engine, sweeper, self._closed = self._engine, self._recovery, True
        leaves_nothing = not self._under_way
        sweeper.join(_CLOSING_S)
        engine.close()
        try:
            self._heartbeat.stop(_CLOSING_S, leaves_nothing=leaves_nothing)
        except Exception as error:  # noqa: BLE001 - then its silence tells that it is gone
            self._tell("sign of life", error)

    # Within a job's thread

    def _run(self, kind: str, id: str, payload: str) -> None:
        try:
            self._go_on_only_if_open()
            with self._changed:
                self._under_way.setdefault(id, f"{kind} {id}")
            self._kinds[kind](json.loads(payload), self._step)
            self._go_on_only_if_open()
        except Exception as error:  # noqa: BLE001 - told, and its job ends
            self._go_on_only_if_open()
            self._tell(kind, error)
            raise JobFailed(type(error).__name__) from None
        finally:
            self._ended(id)

    def _step(self, name: str, work: Callable[[], T]) -> T:
        self._go_on_only_if_open()
        return self._engine.step(name, partial(self._guarded, work))

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            value = work()
        except Exception as error:
            self._go_on_only_if_open()
            raise StepFailed.of(error) from error
        self._go_on_only_if_open()
        return value

    def _go_on_only_if_open(self) -> None:
        if self._closed:
            raise JobAbandoned

    def _ended(self, id: str) -> None:
        with self._changed:
            self._under_way.pop(id, None)
            self._changed.notify_all()

    def _tell(self, name: str, error: BaseException) -> None:
        try:
            self._on_error(name, error)
        except Exception:  # the last place where it can be said
            log.exception("job_error_not_reported", job=name, error=repr(error))

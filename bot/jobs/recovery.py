"""Regular work around the jobs: takes over jobs of dead processes, deletes jobs that ended long ago."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from bot.core.ports import Clock
from bot.jobs.heartbeat import Heartbeat, OnError

if TYPE_CHECKING:
    from bot.jobs.dbos_engine import Engine

PURGED_AT_ONCE = 500
PURGES_A_ROUND = 20

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RecoverySchedule:
    """In seconds: between sweeps, between purges, and how long finished jobs are kept."""

    sweep_s: float
    purge_s: float
    kept_s: float


class JobRecovery:
    """Sweeps and purges on its own thread. Several processes may sweep at the same moment."""

    def __init__(
        self, engine: Engine, heartbeat: Heartbeat, clock: Clock, schedule: RecoverySchedule, on_error: OnError
    ) -> None:
        self._engine = engine
        self._heartbeat = heartbeat
        self._clock = clock
        self._schedule = schedule
        self._on_error = on_error
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run_rounds, name="job-recovery", daemon=True)

    def start(self) -> None:
        """Starts the thread. Its first round runs at once."""
        self._thread.start()

    def stop(self) -> None:
        """Tells the thread to stop. Does not wait."""
        self._stopping.set()

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def sweep(self) -> int:
        """Puts jobs of dead processes back into their queues. Returns how many."""
        of_others = [work for work in self._engine.pending() if work.replica_id != self._heartbeat.id]
        # In this order: a process that has started a job in between is then found alive.
        alive = self._heartbeat.alive() if of_others else None
        if alive is None:
            return 0
        return sum(self._engine.take_over(work) for work in of_others if work.replica_id not in alive)

    def purge(self) -> int:
        """Deletes jobs that ended long ago, and long dead processes. Returns how many jobs; 0 unless this is the
        oldest.
        """
        if not self._heartbeat.is_eldest():
            return 0
        before = self._clock.now() - timedelta(seconds=self._schedule.kept_s)
        purged = 0
        for _ in range(PURGES_A_ROUND):
            some = self._engine.purge(before, PURGED_AT_ONCE)
            purged += some
            if some < PURGED_AT_ONCE or self._stopping.is_set():
                break
        self._heartbeat.forget(self._schedule.kept_s)
        return purged

    def _run_rounds(self) -> None:
        purged_at: float | None = None
        while not self._stopping.is_set():
            try:
                taken = self.sweep()
                if taken:
                    log.info("jobs_taken_over", jobs=taken)
                if purged_at is None or monotonic() - purged_at >= self._schedule.purge_s:
                    purged_at = monotonic()
                    self.purge()
            except Exception as error:  # noqa: BLE001 - the thread must survive a database outage
                self._on_error("sweep", error)
            self._stopping.wait(self._schedule.sweep_s)

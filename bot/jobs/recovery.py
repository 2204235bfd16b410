"""What is done every few seconds beside the jobs: taking over what the dead have left, forgetting what is long done."""

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
    """Seconds between sweeps and between purges, and for how long what has ended is kept."""

    sweep_s: float
    purge_s: float
    kept_s: float


class JobRecovery:
    """May sweep beside other processes, at the same moment too."""

    def __init__(
        self, engine: Engine, heartbeat: Heartbeat, clock: Clock, schedule: RecoverySchedule, on_error: OnError
    ) -> None:
        self._engine = engine
        self._heartbeat = heartbeat
        self._clock = clock
        self._schedule = schedule
        self._on_error = on_error
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="job-sweeper", daemon=True)

    def start(self) -> None:
        """The first round is now."""
        self._thread.start()

    def stop(self) -> None:
        """Does not wait."""
        self._stopping.set()

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def sweep(self) -> int:
        """Puts back into their queues the jobs of processes that are gone, and returns how many."""
        of_others = [work for work in self._engine.pending() if work.replica_id != self._heartbeat.id]
        # In this order: whoever has begun work in between is found alive.
        alive = self._heartbeat.alive() if of_others else None
        if alive is None:
            return 0
        return sum(self._engine.take_over(work) for work in of_others if work.replica_id not in alive)

    def purge(self) -> int:
        """Forgets what ended long ago, and processes that are long gone. Only the oldest process does; else 0."""
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

    def _go_on(self) -> None:
        purged_at: float | None = None
        while not self._stopping.is_set():
            try:
                taken = self.sweep()
                if taken:
                    log.info("jobs_taken_over", jobs=taken)
                if purged_at is None or monotonic() - purged_at >= self._schedule.purge_s:
                    purged_at = monotonic()
                    self.purge()
            except Exception as error:  # noqa: BLE001 - a database that is away must not end the thread
                self._on_error("sweep", error)
            self._stopping.wait(self._schedule.sweep_s)

"""Shows which processes on one database are alive: each writes a heartbeat, and a long silence means dead.

Dead is a guess: a process may be paused or cut off from the database. So this must not be used to do work only once.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Callable
from typing import Protocol

from bot.core.ports import Clock

OnError = Callable[[str, BaseException], None]


class Replicas(Protocol):
    """Stores heartbeats. Each method is one transaction and raises what the driver raises."""

    def beat(self, replica_id: str) -> float | None:
        """Writes a heartbeat. Returns the seconds since the last one; None if this is the first."""

    def alive(self, max_age_s: float) -> list[str]:
        """The replicas with a heartbeat in the last `max_age_s` seconds, by start time."""

    def leave(self, replica_id: str) -> None:
        """Deletes the replica, so that others do not wait for its next heartbeat."""

    def forget(self, older_than_s: float) -> None:
        """Deletes the replicas without a heartbeat in the last `older_than_s` seconds."""


def new_replica_id() -> str:
    """An id that no other process has, on any host, at any time."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


class Heartbeat:
    """This process's heartbeat, written by a thread, and its view of the other replicas."""

    def __init__(
        self,
        replicas: Replicas,
        replica_id: str,
        clock: Clock,
        *,
        every_s: float,
        dead_after_s: float,
        on_error: OnError,
    ) -> None:
        self._replicas = replicas
        self.id = replica_id
        self._clock = clock
        self._every_s = every_s
        self._dead_after_s = dead_after_s
        self._on_error = on_error
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_beating, name="heartbeat", daemon=True)
        self._lock = threading.Lock()
        self._judges_from = clock.monotonic()

    def start(self) -> None:
        """Writes the first heartbeat and starts the thread. Raises what the driver raises; then start no work."""
        self.beat()
        self._thread.start()

    def beat(self) -> None:
        """Writes a heartbeat now. Raises what the driver raises."""
        with self._lock:
            silent_s = self._replicas.beat(self.id)
            # Far below zero: the clock was set back, and the other replicas have not written a heartbeat since.
            if silent_s is not None and abs(silent_s) > self._dead_after_s / 2:
                self._judges_from = self._clock.monotonic() + self._dead_after_s

    def alive(self) -> list[str] | None:
        """The ids of the living replicas, including this one. None if this process was away itself until recently.

        All processes may pause: a database outage, a machine that slept. The first one back would otherwise see all
        others as dead.
        """
        self.beat()  # also notices whether this process was away
        if self._clock.monotonic() < self._judges_from:
            return None
        result = self._replicas.alive(self._dead_after_s)
        return result if self.id in result else [*result, self.id]

    def is_eldest(self) -> bool:
        """Whether this is the oldest replica, which does some work for all. For a while two may be, or none."""
        alive = self.alive()
        return alive is not None and alive[0] == self.id

    def forget(self, older_than_s: float) -> None:
        self._replicas.forget(older_than_s)

    def stop(self, timeout_s: float, *, leaves_nothing: bool) -> None:
        """Stops the heartbeat. With `leaves_nothing`, others see this replica as dead at once; else after a while."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        if leaves_nothing:
            self._replicas.leave(self.id)

    def _keep_beating(self) -> None:
        fails = False
        while not self._stopping.wait(self._every_s):
            try:
                self.beat()
                fails = False
            except Exception as error:  # noqa: BLE001 - the thread must survive a database outage
                if not fails:
                    self._on_error("heartbeat", error)
                fails = True

"""Who of the processes on one database is alive: each says so every few seconds, and who is silent for long is gone.

Gone is a guess: a process may have been paused, or cut off from the database. So nothing here may be relied upon for
doing work only once.
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
    """Where the signs of life stand. Each method is one transaction, and raises what the driver raises."""

    def beat(self, replica_id: str) -> float | None:
        """A sign of life. Returns how many seconds ago the last one was; None where this is the first."""

    def alive(self, within_s: float) -> list[str]:
        """Those with a sign of life not older than that, the first to have started first."""

    def leave(self, replica_id: str) -> None:
        """Gone from now on; nobody need wait for its next sign."""

    def forget(self, older_than_s: float) -> None:
        """Drops those without a sign of life for so long."""


def new_replica_id() -> str:
    """Unlike that of any other process, on this host or another, before or after."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


class Heartbeat:
    """This process among the replicas, with a thread that gives its signs of life."""

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
        self._thread = threading.Thread(target=self._go_on, name="signs-of-life", daemon=True)
        self._lock = threading.Lock()
        self._judges_from = clock.monotonic()

    def start(self) -> None:
        """Raises what the driver raises: whoever cannot give a first sign is not to begin work."""
        self.beat()
        self._thread.start()

    def beat(self) -> None:
        """One sign of life, now. Raises what the driver raises."""
        with self._lock:
            silent_s = self._replicas.beat(self.id)
            if silent_s is not None and silent_s > self._dead_after_s / 2:
                self._judges_from = self._clock.monotonic() + self._dead_after_s

    def alive(self) -> list[str] | None:
        """Who is, this process among them; None where it cannot tell, having been away itself until a moment ago.

        After a pause of all (a database that was down, a machine that slept) the first to come back would otherwise
        believe all others dead.
        """
        self.beat()  # which tells whether it was away
        if self._clock.monotonic() < self._judges_from:
            return None
        result = self._replicas.alive(self._dead_after_s)
        return result if self.id in result else [*result, self.id]

    def is_eldest(self) -> bool:
        """For what one process should do for all; may be true of two, or of none, for a while."""
        alive = self.alive()
        return alive is not None and alive[0] == self.id

    def forget(self, older_than_s: float) -> None:
        self._replicas.forget(older_than_s)

    def stop(self, timeout_s: float, *, leaves_nothing: bool) -> None:
        """No more signs. Whoever `leaves_nothing` is gone at once; what another left is safe to take only later."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        if leaves_nothing:
            self._replicas.leave(self.id)

    def _go_on(self) -> None:
        fails = False
        while not self._stopping.wait(self._every_s):
            try:
                self.beat()
                fails = False
            except Exception as error:  # noqa: BLE001 - a database that is away must not end the thread
                if not fails:
                    self._on_error("sign of life", error)
                fails = True

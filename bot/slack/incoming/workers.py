"""Runs the work of Slack's requests after the acknowledgement. Does not know what the work is.

No work is lost silently: it is done, or refused by `submit`, or named by `stop`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from time import monotonic
from typing import Any

import structlog

from bot.core.ports import Jobs

OnError = Callable[[str, BaseException], None]

THREADS = 128
"""Work mostly waits for the network. Half as many carried 150 commands a second at 300 ms upstream.

More than a hundred, so that a hundred equal requests can wait for one call. A thread is created when it is needed.
"""

MAX_UNDER_WAY = 1000
"""Work that waits behind more than this is answered too late to be useful. It is refused with a message instead."""

log = structlog.get_logger(__name__)


class PoolFull(Exception):
    """The work was refused and will not be done. `str()` is a sentence for the person who asked."""


class WorkerPool:
    """A bounded pool of threads. `on_error(name, exception)` is called on the thread of the work that raised."""

    def __init__(self, on_error: OnError, *, threads: int = THREADS, max_running: int = MAX_UNDER_WAY) -> None:
        self._on_error = on_error
        self._most = max_running
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="work")
        self._changed = threading.Condition()
        self._under_way: dict[int, str] = {}
        self._numbers = count()
        self._stopping = False

    @property
    def under_way(self) -> int:
        """How much work is queued or running."""
        return len(self._under_way)

    def submit(self, name: str, work: Callable[[], None]) -> None:
        """Queues `work`. Raises `PoolFull` if the pool is full or stopping."""
        with self._changed:
            if self._stopping:
                raise PoolFull("The bot is restarting. Try again in a minute.")
            if len(self._under_way) >= self._most:
                raise PoolFull("The bot is too busy right now. Try again in a minute.")
            number = next(self._numbers)
            self._under_way[number] = name
            # Under the lock: after `stop` has set its flag, the pool may shut down at any time.
            self._pool.submit(self._do, number, name, work)

    def wait_idle(self, timeout_s: float) -> bool:
        """Whether all submitted work ended within `timeout_s` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._under_way, timeout_s)

    def stop(self, timeout_s: float = 10.0) -> list[str]:
        """Refuses new work, waits up to `timeout_s` seconds for running work, and returns the names of what is left.

        If any is left, threads may still hang in it. Python waits for such threads at exit, so the caller must end the
        process with `os._exit`.
        """
        deadline = monotonic() + timeout_s
        with self._changed:
            self._stopping = True
        idle = self.wait_idle(max(0.0, deadline - monotonic()))
        self._pool.shutdown(wait=idle, cancel_futures=True)
        with self._changed:
            return list(self._under_way.values())

    def _do(self, number: int, name: str, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - the pool would keep it in a future that nothing reads
            self._tell(name, error)
        finally:
            with self._changed:
                del self._under_way[number]
                self._changed.notify_all()

    def _tell(self, name: str, error: BaseException) -> None:
        try:
            self._on_error(name, error)
        except Exception:  # there is nowhere else to report it
            log.exception("work_error_not_reported", work=name, error=repr(error))


WITHIN_S = 2.0
"""In seconds. Slack waits three."""

AT_ONCE = 8
MAX_WAITING = 32

NOT_WRITTEN = "I couldn’t store your request, so nothing was done. Try again in a minute."


class JobSubmitter:
    """Starts jobs on threads of its own, and waits for each at most `timeout_s` seconds.

    A job that was not stored in time is withdrawn: if it is stored later all the same, `begin` refuses it.
    """

    def __init__(self, jobs: Jobs, *, timeout_s: float = WITHIN_S) -> None:
        self._jobs = jobs
        self._timeout_s = timeout_s
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="beginning")
        self._places = threading.BoundedSemaphore(MAX_WAITING)
        self._lock = threading.Lock()
        self._submitted: set[str] = set()
        self._withdrawn: set[str] = set()

    def submit(self, kind: str, key: str, payload: Mapping[str, Any]) -> None:
        """Returns when the job is stored or has begun. Raises PoolFull if that takes too long, or what the engine
        raises; after either, it will not be done."""
        if not self._places.acquire(blocking=False):
            raise PoolFull(NOT_WRITTEN)
        with self._lock:
            self._submitted.add(key)
        beginning = self._pool.submit(self._jobs.start, kind, key, payload)
        beginning.add_done_callback(lambda done: self._ended(key, done))
        try:
            beginning.result(timeout=self._timeout_s)
        except TimeoutError:
            if self._withdraw(key):
                raise PoolFull(NOT_WRITTEN) from None

    def begin(self, key: str) -> bool:
        """A job calls this first. False if its request was withdrawn."""
        with self._lock:
            self._submitted.discard(key)
            if key not in self._withdrawn:
                return True
            self._withdrawn.discard(key)
            return False

    def _withdraw(self, key: str) -> bool:
        """False if the job has started."""
        with self._lock:
            if key not in self._submitted:
                return False
            self._submitted.discard(key)
            self._withdrawn.add(key)
            return True

    def _ended(self, key: str, stored: Future[None]) -> None:
        self._places.release()
        with self._lock:
            self._submitted.discard(key)
            if stored.cancelled() or stored.exception() is not None:
                self._withdrawn.discard(key)  # it was not stored, and its key may come again

    def close(self) -> None:
        """Does not wait."""
        self._pool.shutdown(wait=False, cancel_futures=True)

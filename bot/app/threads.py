"""An executor that logs failures, and a task that runs at an interval."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, ParamSpec, TypeVar

import structlog

from bot.core.model.errors import BotError

log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class LoggingExecutor(ThreadPoolExecutor):
    """Logs bugs that would otherwise stay unnoticed in a future that nothing reads."""

    def __init__(self, at_once: int, name: str) -> None:
        super().__init__(at_once, name)
        self._under_way: set[Future[Any]] = set()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future = super().submit(fn, *args, **kwargs)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        future.add_done_callback(_report)
        return future

    def finish(self, timeout_s: float) -> int:
        """Cancels queued work, waits up to `timeout_s` for running work, and returns how much still runs."""
        self.shutdown(wait=False, cancel_futures=True)
        return len(wait(self._under_way.copy(), timeout=max(timeout_s, 0.0)).not_done)


def _report(future: Future[Any]) -> None:
    failure = None if future.cancelled() else future.exception()
    if failure is not None and not isinstance(failure, BotError):
        log.error("call_failed", exc_info=failure)


class PeriodicTask:
    """Runs `work` every `seconds` on its own thread until `stop`. Logs what it raises and goes on."""

    def __init__(self, seconds: float, name: str, work: Callable[[], None]) -> None:
        self._seconds = seconds
        self._work = work
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Waits for the current run to end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            try:
                self._work()
            except Exception:  # logged; one failure must not end the thread
                log.exception("not_done", work=self._thread.name)


class RepeatedTask:
    """Runs `work` on its own thread until `stop`, each time after as many seconds as it returned the last time.

    At least `shortest_s` pass before each run. Logs what `work` raises, and goes on after `retry_s` seconds.
    """

    def __init__(self, name: str, work: Callable[[], float], *, shortest_s: float, retry_s: float = 5.0) -> None:
        self._work = work
        self._shortest_s = shortest_s
        self._retry_s = retry_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Waits up to `timeout_s` seconds for the current run to end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(max(0.0, timeout_s))

    def _run(self) -> None:
        after_s = 0.0
        while not self._stopping.wait(max(after_s, self._shortest_s)):
            try:
                after_s = self._work()
            except Exception:  # logged; one failure must not end the thread
                log.exception("not_done", work=self._thread.name)
                after_s = self._retry_s

"""The bot's own threads: an executor that logs failures, and a task that runs every so many seconds."""

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
    """Logs bugs, which would otherwise end in a future that nobody waits for any more."""

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
        """Drops what was not begun, waits for the rest, and counts what is left."""
        self.shutdown(wait=False, cancel_futures=True)
        return len(wait(self._under_way.copy(), timeout=max(timeout_s, 0.0)).not_done)


def _report(future: Future[Any]) -> None:
    failure = None if future.cancelled() else future.exception()
    if failure is not None and not isinstance(failure, BotError):
        log.error("call_failed", exc_info=failure)


class PeriodicTask:
    """Does `work` every `seconds` on a thread of its own, until `stop`; what it raises is logged, and no end of it."""

    def __init__(self, seconds: float, name: str, work: Callable[[], None]) -> None:
        self._seconds = seconds
        self._work = work
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Waits for what is being done."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            try:
                self._work()
            except Exception:  # logged, and tried again next time: one failure must not end the thread
                log.exception("not_done", work=self._thread.name)

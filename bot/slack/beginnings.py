"""Writing down what an ask wants, before it is acknowledged: bounded in time and number, since Slack waits for it.

The engine waits without an end for a database that is away or locked. That must not hold the threads that answer Slack.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bot.core.ports import Jobs
from bot.slack.workers import WorkRefused

WITHIN_S = 2.0
"""Of the three seconds that Slack waits."""

AT_ONCE = 8
MOST_WAITING = 32

NOT_WRITTEN = "I cannot write that down just now, so nothing is done yet. Say it again in a minute."


class Beginnings:
    """Starts jobs on threads of its own, and waits for each at most `within_s` seconds."""

    def __init__(self, jobs: Jobs, *, within_s: float = WITHIN_S) -> None:
        self._jobs = jobs
        self._within_s = within_s
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="beginning")
        self._places = threading.BoundedSemaphore(MOST_WAITING)

    def begin(self, kind: str, key: str, payload: Mapping[str, Any]) -> None:
        """Returns when the job is stored. Raises WorkRefused where that takes too long, or what the engine raises.

        What was refused for its time may still be stored later; a job that comes too late says so and does nothing.
        """
        if not self._places.acquire(blocking=False):
            raise WorkRefused(NOT_WRITTEN)
        beginning = self._pool.submit(self._jobs.start, kind, key, payload)
        beginning.add_done_callback(lambda _done: self._places.release())
        try:
            beginning.result(timeout=self._within_s)
        except TimeoutError:
            raise WorkRefused(NOT_WRITTEN) from None

    def close(self) -> None:
        """Waits for nothing."""
        self._pool.shutdown(wait=False, cancel_futures=True)

"""Tells the operator once when the CI service starts to refuse the key, and once when it takes it again."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

REFUSED = "KeyRefused"
_JUDGED = frozenset({"ok", "NotThere", REFUSED})
"""Only these results say something of the key: a time-out or an overloaded server says nothing."""


class KeyWatch:
    """`tell(accepted)` is called at each change, `setting` names where the operator puts a new key."""

    def __init__(self, service: str, setting: str, tell: Callable[[bool], None]) -> None:
        self._service = service
        self._setting = setting
        self._tell = tell
        self._lock = threading.Lock()
        self._accepted = True

    def called(self, result: str) -> None:
        """After each call: `ok`, or the name of the error's class."""
        accepted = result != REFUSED
        if result not in _JUDGED or accepted == self._accepted:
            return
        with self._lock:
            if accepted == self._accepted:
                return
            self._accepted = accepted
            self._tell(accepted)  # under the lock: two changes at once are told in their order
        if accepted:
            log.info("ci_key_accepted_again", service=self._service)
        else:
            log.error("ci_key_refused", service=self._service, next_step=f"put a valid key into {self._setting}")

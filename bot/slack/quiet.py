"""A logger for slack_sdk's Socket Mode client, which would repeat a traceback every few seconds while Slack is away.

What it says is kept, shortened to one line, said at most once a minute, and without the secret in addresses.
"""

from __future__ import annotations

import logging
import re
import time

SAID_AGAIN_AFTER_S = 60.0

_ADDRESS = re.compile(r"\b(?:wss?|https?)://\S+")
_NUMBER = re.compile(r"\d+")


class _OnceAMinute(logging.Filter):
    def __init__(self) -> None:
        super().__init__()
        self._said_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        text = _ADDRESS.sub("(address)", record.getMessage()).replace("\n", " ")
        same = _NUMBER.sub("#", text)[:100]
        now = time.monotonic()
        if now - self._said_at.get(same, float("-inf")) < SAID_AGAIN_AFTER_S:
            return False
        if len(self._said_at) > 100:
            self._said_at.clear()
        self._said_at[same] = now
        record.msg, record.args, record.exc_info, record.exc_text = text, None, None, None
        return True


def quiet_logger(name: str) -> logging.Logger:
    """The logger of that name, at WARNING and above."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.WARNING)
    logger.filters[:] = [_OnceAMinute()]
    return logger

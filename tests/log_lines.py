"""Collects log lines for a test, and restores the process's logging afterwards."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest
import structlog

from bot import logs

KEY = "5a1b2c3d4e5f60718293"
AWKWARD = "k/ey+with='all\"of\\it%&é"
SECRETS = (KEY, AWKWARD)


@contextmanager
def process_put_back() -> Iterator[None]:
    """Puts the process back into the state in which it was before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
        logging.captureWarnings(False)
        logging.getLogger("alembic.runtime.plugins").setLevel(logging.NOTSET)
        structlog.reset_defaults()


def configured(form: Literal["text", "json"], level: str = "DEBUG") -> io.StringIO:
    """The stream of the log lines. Call it within a test: pytest adds its own handlers before."""
    stream = io.StringIO()
    logs.configure(level, form, SECRETS, stream=stream)
    return stream


in_both_forms = pytest.mark.parametrize("form", ["text", "json"])

"""Threads and processes that do the same at the same time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any

ROOT = Path(__file__).parents[2]
THREADS = 6
ROUNDS = 15

PROCESS = """
import os, sys
from dataclasses import replace
from datetime import UTC, datetime
from bot.core.model.claims import Claim
from bot.core.model.follows import Follow, FollowState
from bot.core.model.builds import Actor, Location, Run
from bot.store import open_store
from bot.store.engine import Database
from bot.store.schema import HEAD
from sqlalchemy import text

class Clock:
    now = staticmethod(lambda: datetime(2026, 3, 1, tzinfo=UTC))
    monotonic = staticmethod(lambda: 0.0)

def wanted(number):
    return Claim("codeship", "3", str(number), 1, Actor("U1"), Location("C1"), Run("error", None, None), Clock.now())

def go():
    print("ready", flush=True)
    sys.stdin.readline()

url = sys.argv[1]
"""


@contextmanager
def processes(script: str, url: str, how_many: int) -> Iterator[list[subprocess.Popen[str]]]:
    """All started and waiting for a line."""
    command = [sys.executable, "-W", "error", "-c", PROCESS + script, url]
    started = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(how_many)
    ]
    try:
        for each in started:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        yield started
    finally:
        for each in started:
            each.kill()
            each.communicate()


def raced(script: str, url: str, how_many: int) -> list[str]:
    """What each printed."""
    with processes(script, url, how_many) as started:
        for each in started:
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        return [each.communicate(timeout=30)[0].strip() for each in started]


def in_threads(act: Callable[..., Any]) -> list[Any]:
    """What `act` returned in each thread. All threads start as simultaneously as possible."""
    barrier = Barrier(THREADS)

    def together(number: int) -> Any:
        barrier.wait(timeout=10)
        return act(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(together, range(THREADS)))

"""Real processes on one database with a fixed clock: together they use the limit in any minute, but not more."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.store import Store

pytestmark = pytest.mark.serial

ROOT = Path(__file__).parents[3]
LIMIT = 30

PROCESS = """
import sys
from datetime import UTC, datetime, timedelta
from bot.core.model.rate_limit import Priority
from bot.store import open_store

class Clock:
    seconds = 0.0
    def now(self): return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)
    def monotonic(self): return self.seconds

url, rate_limit, priority = sys.argv[1], int(sys.argv[2]), Priority(sys.argv[3])
clock = Clock()
calls = open_store(url, clock).rate_limit("codeship", rate_limit)
calls.start()
print("ready", flush=True)
for line in sys.stdin:
    clock.seconds = float(line)
    made = 0
    while made < 9 and calls.reserve(1, priority) is None and calls.start_call(priority) is None:
        made += 1
    print(made, flush=True)
calls.close()
"""


@contextmanager
def processes(url: str, *priorities: str) -> Iterator[list[subprocess.Popen[str]]]:
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", PROCESS, url, str(LIMIT), priority],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for priority in priorities
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


def made_at(second: int, asked: list[subprocess.Popen[str]]) -> list[int]:
    """The calls that each process made when all started at once and made as many as allowed."""
    for each in asked:
        assert each.stdin is not None
        each.stdin.write(f"{second}\n")
        each.stdin.flush()
    return [int(each.stdout.readline()) for each in asked if each.stdout is not None]


@pytest.mark.parametrize("priorities", [("people", "people"), ("people", "background")], ids="-".join)
def test_two_processes_keep_within_the_rate_limit(
    opened: Callable[[], Store], url: str, priorities: tuple[str, str]
) -> None:
    opened()
    with processes(url, *priorities) as asked:
        made = {second: sum(made_at(second, asked)) for second in range(0, 300, 4)}
    minutes = [sum(made.get(second, 0) for second in range(begin, begin + 60)) for begin in range(240)]
    assert max(minutes) <= LIMIT
    assert sum(minutes) / len(minutes) > 0.8 * LIMIT


def test_a_killed_process_frees_its_calls(opened: Callable[[], Store], url: str) -> None:
    opened()
    with processes(url, "people", "people") as (dying, living):
        made = {second: sum(made_at(second, [dying, living])) for second in range(0, 8, 4)}
        dying.kill()
        dying.wait(timeout=10)
        made |= {second: sum(made_at(second, [living])) for second in range(8, 240, 4)}
    minutes = [sum(made.get(second, 0) for second in range(begin, begin + 60)) for begin in range(180)]
    assert max(minutes) <= LIMIT
    assert minutes[-1] > 0.8 * LIMIT

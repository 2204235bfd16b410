"""Processes that are killed with SIGKILL, paused, or sweep at the same time: no job is lost, no finished step runs
again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue

import pytest

from bot.jobs.dbos_engine import Pending
from tests.jobs.conftest import Gate, Told, opened
from tests.jobs.processes import Replica, lines_of

pytestmark = pytest.mark.serial

Replicas = Callable[..., Replica]

ONCE = Counter(one=1, two=1, ended=1)
POINTS = {
    "before one": ONCE,
    "in one": Counter(one=2, two=1, ended=1),
    "after one": ONCE,
    "in two": Counter(one=1, two=2, ended=1),
    "after two": ONCE,
}
"""Where a process is killed, and how often each step then runs: only the interrupted one runs again."""


def of(key: str, replica: Replica) -> Counter[str]:
    done = lines_of(replica.done)
    return Counter({line.split()[1]: times for line, times in done.items() if line.split()[0] == key})


def test_another_process_finishes_a_killed_processs_job(replica: Replicas) -> None:
    first = replica()
    killed_at = {f"{way}-{point.replace(' ', '-')}": point for way in ("now", "queued") for point in POINTS}
    for key, point in killed_at.items():
        first.start(key, stands_at=point, delay_s=0.01 if key.startswith("queued") else 0)
    first.hear(*(f"{key} stands {point}" for key, point in killed_at.items()))
    first.start("later", delay_s=0.01)
    first.start("much-later", delay_s=2)
    first.kill()
    second = replica()
    second.hear("later ended", "much-later ended", *(f"{key} ended" for key in killed_at))
    assert second.stop() == 0
    assert {key: of(key, second) for key in killed_at} == {key: POINTS[point] for key, point in killed_at.items()}
    assert of("later", second) == of("much-later", second) == ONCE


def test_a_living_process_takes_over_from_a_dead_one_and_not_from_itself(replica: Replicas) -> None:
    first, second = replica(), replica()
    second.start("own", stands_at="in one")
    second.hear("own stands in one")
    first.start("left", stands_at="after one")
    first.hear("left stands after one")
    first.kill()
    second.hear("left ended")
    assert of("own", second) == Counter(one=1)
    assert of("left", second) == ONCE


def test_one_of_several_concurrent_takeovers_succeeds(replica: Replicas) -> None:
    said = SimpleQueue[str]()  # of all, so that it does not matter who ends which
    first, *heirs = (replica(lines=said) for _ in range(3))
    keys = [f"k{number}" for number in range(20)]
    for key in keys:
        first.start(key, stands_at="after one")
    first.hear(*(f"{key} stands after one" for key in keys))
    first.kill()
    first.hear(*(f"{key} ended" for key in keys))
    assert {key: of(key, first) for key in keys} == dict.fromkeys(keys, ONCE)
    assert [heir.stop() for heir in heirs] == [0, 0]


def test_a_process_that_wakes_from_a_pause_does_not_repeat_its_successors_work(replica: Replicas, url: str) -> None:
    first = replica()
    first.start("k", stands_at="in one")
    first.hear("k stands in one")
    first.pause(url)
    second = replica()
    second.hear("k ended")
    first.go_on()
    first.start("own")
    first.hear("own ended")
    assert of("k", first) == Counter(one=2, two=1, ended=1)
    assert of("own", first) == ONCE


def test_the_jobs_of_dead_replicas_can_be_taken_over_once(url: str, told: Told) -> None:
    """As by one that has read the list before another took over, and acts on it after that."""
    dead, heir = Gate(), Gate()
    with ExitStack() as stack:
        stack.callback(dead.set)
        with ExitStack() as first:
            jobs = opened(url, {"walk": dead.pass_through}, told, stack=first)
            jobs.start("walk", "k", {})
            assert dead.reached.wait(20)
            (left,) = jobs._engine.pending()
            assert jobs.stop(0) == ["walk k"]
        jobs = opened(url, {"walk": heir.pass_through}, told, stack=stack)
        stack.callback(heir.set)
        assert heir.reached.wait(20)
        (taken,) = jobs._engine.pending()
        assert taken == Pending("k", "walk", jobs._replica_id) != left
        assert not jobs._engine.take_over(left)
        assert jobs._engine.pending() == [taken]


def test_processes_that_start_together_on_a_new_database_all_start(replica: Replicas) -> None:
    with ThreadPoolExecutor() as pool:
        together = [pool.submit(replica) for _ in range(3)]
    assert [each.result().stop() for each in together] == [0, 0, 0]

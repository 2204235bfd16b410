"""The benchmark's short form, as in CI: it counts, and fails if a count is over its limit."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.scenes.counts import LIMITS, Count, tracer, uncounted
from tests.programs import program

pytestmark = pytest.mark.serial

ROOT = Path(__file__).parent.parent.parent


def test_no_count_is_over_its_limit():
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--short"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for scene in LIMITS:
        assert f"bot, {scene}: " in done.stdout
    program("strace")  # without which the run says what it did not count
    if tracer() is None:
        pytest.skip("this machine lets no process be traced")
    assert "NOT COUNTED" not in done.stdout
    assert re.search("bot, a restart: .*fsyncs [1-9]", done.stdout), "fsyncs are counted at all"


def test_a_limit_without_a_count_is_named():
    counts = [Count("bot", scene, dict(limits)) for scene, limits in LIMITS.items()]
    assert uncounted(counts) == []
    counts[0] = Count("bot", "a status", {"CodeShip calls": 1, "Slack calls": 1, "round trips": 2, "handshakes": 0})
    assert uncounted(counts) == ["a status: statements", "a status: fsyncs", "a status: system calls"]


@pytest.mark.parametrize(
    ("found", "over"),
    [
        ({"round trips": 4, "handshakes": 1}, []),
        ({"round trips": 3, "handshakes": 0}, []),
        ({"round trips": 5, "handshakes": 1}, ["round trips"]),
    ],
)
def test_one_too_many_is_over_the_limit(found, over):
    count = Count("bot", "a status after a pause", found)
    assert count.over == over
    assert ("OVER" in str(count)) == bool(over)
    assert Count("floor", "a status after a pause", found).over == []

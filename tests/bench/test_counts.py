"""The benchmark's short form, as in CI: it counts calls, and fails if there is one too many."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.scenes.counts import Count

pytestmark = pytest.mark.serial

ROOT = Path(__file__).parent.parent.parent


def test_a_status_costs_one_call_a_restart_two_and_a_hundred_identical_requests_one():
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--short"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=110
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for transport in ("http", "socket"):
        assert f"{transport}: 50 statuses: CodeShip status 50, Slack chat.postMessage 50: as it" in done.stdout
        assert f"{transport}: 20 restarts: CodeShip restart 20, CodeShip status 20, Slack chat.post" in done.stdout
        assert f"{transport}: 100 same statuses at once: CodeShip status 1, Slack chat.postMessage 100: " in done.stdout


@pytest.mark.parametrize(
    "called",
    [
        {"CodeShip status": 3, "Slack chat.postMessage": 2},
        {"CodeShip status": 2, "Slack chat.postMessage": 2, "CodeShip list": 1},
        {"CodeShip status": 2},
    ],
)
def test_one_call_too_many_or_too_few_fails(called):
    wanted = {"CodeShip status": 2, "Slack chat.postMessage": 2}
    right = Count("http", "statuses", 2, wanted, wanted)
    assert right.is_right
    assert str(right).endswith("as it should be")
    assert not replace(right, called=called).is_right
    assert "WRONG" in str(replace(right, called=called))

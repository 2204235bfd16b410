"""The machine's clock is set back under a bot on SQLite, which has no other clock than that."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from playground.sandbox import APP_TOKEN
from tests.killing.prepared import Databases
from tests.killing.theatre import Mould, Process, Steps, Theatre, wait_until

pytestmark = pytest.mark.serial

FLAKY = "(flaky)"


def test_a_clock_set_back_by_four_minutes_delays_nothing_by_more_than_30_s(tmp_path: Path) -> None:
    """With the timeouts of production, and in Socket Mode: over HTTP Slack's signatures are valid for five minutes."""
    with ExitStack() as stack:
        mould = Mould()
        stack.callback(mould.stop)
        url = Databases(mould, tmp_path, None).new(tmp_path)
        theatre = Theatre(url, Steps(), SLACK_APP_TOKEN=APP_TOKEN)
        theatre.start()
        stack.callback(theatre.stop)
        order = {"ahead_s": 240, "timeouts": {"as_in_production": 1}}
        process = Process(mould, theatre.environ, tmp_path / "log.txt", lambda _: False, **order)
        stack.callback(process.end)
        process.wait_ready()
        assert theatre.sockets.wait_for_links(1, 20)
        web = [theatre.codeship.newest("acme/web", branch) for branch in ("main", "feature/login")]

        def asks(text: str, answer: str) -> None:
            before = sum(answer in told for told in theatre.texts())
            assert theatre.workspace.types("ada", "#builds", f"/codeship {text}")
            assert wait_until(lambda: sum(answer in told for told in theatre.texts()) > before, 30), process.log

        asks("restart acme/web main", "acme/web main restarted")
        asks("follow acme/web feature/login", "acme/web feature/login")
        os.kill(process.pid, signal.SIGUSR1)
        for build in web:
            theatre.codeship.finish(build, "success")
        began_s = time.monotonic()
        assert wait_until(lambda: sum(FLAKY in told for told in theatre.texts()) == 4), process.log
        assert time.monotonic() - began_s < 30, "both messages and their replies"
        began_s = time.monotonic()
        asks("status acme/web main", "acme/web main")
        asks("restart acme/api main", "acme/api")
        assert time.monotonic() - began_s < 30

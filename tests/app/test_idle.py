"""What an idle bot asks its database: exact counts, since each query of a poll costs CPU in every deployment."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from bot.app.timeouts import Timeouts
from bot.jobs import JobTimings
from playground.clock import SandboxClock
from playground.sandbox import Sandbox
from tests.app.database_work import named

POLLS = 4
TIMINGS = Timeouts(jobs=JobTimings(beat_s=600, sweep_s=600, poll_s=0.1), maintenance_s=600)


@pytest.mark.slow
def test_a_poll_of_an_idle_queue_is_one_query_and_nothing_else_is_asked_of_dbos():
    asked: dict[str, Counter[str]] = {}
    enough = threading.Event()

    def executed(_connection: sa.Connection, _cursor: object, statement: str, *_: object) -> None:
        thread = threading.current_thread().name
        if "main." not in statement or thread == "MainThread":  # tables of DBOS
            return
        mine = asked.setdefault(thread, Counter())
        mine[named(statement)] += 1
        if sum(each.total() > POLLS for name, each in asked.items() if name.startswith("queue-worker-")) == 3:
            enough.set()

    with Sandbox(SandboxClock(), timeouts=TIMINGS) as sandbox:
        assert sandbox.settle()
        event.listen(sa.Engine, "before_cursor_execute", executed)
        try:
            assert enough.wait(30)
        finally:
            event.remove(sa.Engine, "before_cursor_execute", executed)
    workers = {name: set(each) for name, each in asked.items() if name.startswith("queue-worker-")}
    assert workers == {f"queue-worker-{kind}": {"select workflow_status"} for kind in ("request", "poll", "announce")}
    others = {name: set(each) for name, each in asked.items() if name not in workers}
    assert others == {"dbos-background-jobs": {"update workflow_status"}}


def test_importing_the_bot_leaves_out_what_few_bots_need(tmp_path: Path):
    """Each takes megabytes for as long as the process runs."""
    unneeded = {"alembic", "rapidfuzz", "aiohttp", "cryptography"}
    code = f"import bot.app.bot, bot.jobs.dbos_engine, sys; print(*sorted({unneeded!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []

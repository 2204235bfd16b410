"""Followed builds: a hundred, then more, then a thousand; and a thousand with the usual rate limit.

The second half begins more than a minute after the first, whose calls would otherwise count against its limit.
"""

from __future__ import annotations

import time
from itertools import pairwise

from bench.contenders.table import Contender, of_python
from bench.processes import Process
from bench.scenes.loads import round_s
from bench.scenes.stage import Stage, asking

CLIENTS = 8
USUAL_CALLS = "60"


def play(stage: Stage) -> None:
    plan, bot = stage.plan, _bot(stage)
    process = stage.start(bot, DATABASE_URL=_database(stage))
    try:
        port, _ = process.ready()
        stage.slack.tell("aim", port=port, name=bot.name)
        so_far = 0
        for size in plan.follow_sizes:
            stage.say(f"  {size:,} builds followed")
            texts = asking("follow", range(so_far, size))
            stage.slack.tell("closed", clients=CLIENTS, seconds=120.0, texts=texts, count=len(texts))
            so_far = size
            time.sleep(plan.follow_settle_s)
            _watch(stage, process, size, plan.follow_watch_s, calls_a_minute=None)
    finally:
        process.stop()


def play_scarce(stage: Stage) -> None:
    size = max(stage.plan.follow_sizes)
    stage.say(f"  {size:,} builds followed, with {USUAL_CALLS} calls a minute")
    process = stage.start(_bot(stage), DATABASE_URL=_database(stage), CODESHIP_CALLS_PER_MINUTE=USUAL_CALLS)
    try:
        process.ready()
        _watch(stage, process, size, stage.plan.scarce_watch_s, calls_a_minute=int(USUAL_CALLS))
    finally:
        process.stop()


def _bot(stage: Stage) -> Contender:
    """The bot over HTTP, with an account whose builds all run."""
    stage.set_account(max(stage.plan.follow_sizes), running=True)
    stage.set_delay(0)
    return next(one for one in of_python() if one.name == "bot-http")


def _database(stage: Stage) -> str:
    """Used by these scenes only: no other scene should find a thousand builds to follow."""
    return f"sqlite:///{stage.folder / 'follows.sqlite3'}"


def _watch(stage: Stage, process: Process, size: int, seconds: float, *, calls_a_minute: int | None) -> None:
    stage.codeship.tell("watch")
    stage.codeship.tell("calls")
    stage.slack.tell("calls")
    before, began = process.cpu_s(), time.monotonic()
    time.sleep(seconds)
    took, cpu_s = time.monotonic() - began, process.cpu_s() - before
    calls = stage.codeship.tell("calls")
    looks: list[list[int]] = stage.codeship.tell("looks")
    stage.samples.write(
        "follows",
        {
            "size": size,
            "budget": calls_a_minute,
            "seconds": round_s(took),
            "cpu_s": round_s(cpu_s),
            "calls": calls,
            "slack_calls": stage.slack.tell("calls"),
            "polled_at": len(looks),
            "apart_us": [later - earlier for stamps in looks for earlier, later in pairwise(stamps)],
            "resident": process.use().resident,
        },
    )

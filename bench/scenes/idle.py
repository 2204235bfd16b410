"""Doing nothing, with a fresh database: memory, CPU, and how often a thread begins to run."""

from __future__ import annotations

import time
from contextlib import ExitStack

from bench.scenes.loads import round_us
from bench.scenes.stage import Stage

SETTLED_S = 5.0


def play(stage: Stage) -> None:
    stage.set_account(stage.plan.projects)
    with ExitStack() as ends:
        running = {}
        for contender in stage.contenders:
            process = contender.start(stage.folder / contender.name, stage.near)
            ends.callback(process.stop)
            process.ready()
            running[contender] = process
        time.sleep(SETTLED_S)
        before = {contender: (process.cpu_s(), process.wake_ups()) for contender, process in running.items()}
        time.sleep(stage.plan.idle_s)
        for contender, process in running.items():
            cpu_s, wake_ups = before[contender]
            stage.samples.write(
                "idle",
                {
                    "contender": contender.kind,
                    "transport": contender.transport,
                    "memory": process.memory(),
                    "cpu_us": round_us(process.cpu_s() - cpu_s),
                    "wake_ups": process.wake_ups() - wake_ups,
                    "seconds": stage.plan.idle_s,
                },
            )

"""The same work under the same loads, one contender after the other, several times: A B C A B C.

All contenders run from start to end. The ones that are not measured are idle.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack

from bench.contenders.table import Contender
from bench.plan import Load
from bench.processes import Process
from bench.scenes.stage import Stage


def play(stage: Stage) -> None:
    plan = stage.plan
    stage.set_account(plan.projects)
    stage.set_delay(0)
    with ExitStack() as ends:
        running: dict[Contender, tuple[Process, int]] = {}
        for contender in stage.contenders:
            stage.say(f"  starting {contender.name}")
            process = stage.start(contender)
            ends.callback(process.stop)
            running[contender] = process, process.ready()[0]
        _idle(stage, {contender: process for contender, (process, _) in running.items()})
        for contender, (_, port) in running.items():
            stage.slack.tell("aim", port=port, name=contender.name)
            stage.under(Load("closed", 16, plan.warm_up_s))
        for delay_ms in plan.delays_ms:
            stage.set_delay(delay_ms)
            for load in plan.loads:
                stage.say(f"  {load.name}, {delay_ms} ms")
                for round in range(plan.rounds):
                    for contender, (process, port) in running.items():
                        if contender.is_whole or load.tells_most:
                            stage.slack.tell("aim", port=port, name=contender.name)
                            _measure(stage, contender, process, load, delay_ms, round)


def _idle(stage: Stage, running: Mapping[Contender, Process]) -> None:
    """All at the same time, before any request: memory, and the cost of background work."""
    stage.say(f"  idle for {stage.plan.idle_s:.0f} s")
    time.sleep(stage.plan.idle_s / 2)
    before = {contender: process.cpu_s() for contender, process in running.items()}
    time.sleep(stage.plan.idle_s)
    for contender, process in running.items():
        use = process.use()
        stage.samples.write(
            "idle",
            {
                "contender": contender.kind,
                "transport": contender.transport,
                "resident": use.resident,
                "own": use.own,
                "cpu_s": round_s(use.cpu_s - before[contender]),
                "seconds": stage.plan.idle_s,
            },
        )


def _measure(stage: Stage, contender: Contender, process: Process, load: Load, delay_ms: int, round: int) -> None:
    stage.codeship.tell("calls")
    before, slack_before, codeship_before = process.cpu_s(), stage.slack.cpu_s(), stage.codeship.cpu_s()
    report = stage.under(load)
    use = process.use()
    stage.samples.write(
        "loads",
        {
            "contender": contender.kind,
            "transport": contender.transport,
            "delay_ms": delay_ms,
            "load": load.name,
            "round": round,
            "cpu_s": round_s(use.cpu_s - before),
            "slack_cpu_s": round_s(stage.slack.cpu_s() - slack_before),
            "codeship_cpu_s": round_s(stage.codeship.cpu_s() - codeship_before),
            "resident": use.resident,
            "own": use.own,
            "calls": stage.codeship.tell("calls"),
            **report,
        },
    )


def round_s(seconds: float) -> float:
    """Rounded to microseconds, the precision of the clock."""
    return round(seconds, 6)

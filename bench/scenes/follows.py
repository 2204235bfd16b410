"""Followed builds that all run and do not change, each after its first update: what the polling alone costs."""

from __future__ import annotations

import time

from bench.scenes.loads import round_us
from bench.scenes.stage import Stage, asking

CLIENTS = 8
SETTLE_S = 60.0
QUIET_S = 2.0


def play(stage: Stage) -> None:
    plan = stage.plan
    stage.set_account(plan.follows, running=True)
    bot = next(one for one in stage.contenders if one.name == "bot-http")
    process = bot.start(stage.folder / bot.name, stage.near)
    try:
        port, _ = process.ready()
        stage.aim(bot, port)
        texts = asking("follow", range(plan.follows))
        stage.say(f"  {plan.follows:,} builds are followed")
        stage.slack.tell("closed", clients=CLIENTS, seconds=120.0, texts=texts, count=len(texts))
        _settled(stage)
        stage.codeship.tell("calls")
        before, began = process.cpu_s(), time.monotonic()
        time.sleep(plan.follow_s)
        took_s, cpu_us = time.monotonic() - began, round_us(process.cpu_s() - before)
        record = {"size": plan.follows, "seconds": round(took_s, 3), "cpu_us": cpu_us, "memory": process.memory()}
        calls = {"calls": stage.codeship.tell("calls"), "slack_calls": stage.slack.tell("calls")}
        stage.samples.write("follows", record | calls)
    finally:
        process.stop()


def _settled(stage: Stage) -> None:
    """Waits until no message was updated for `QUIET_S`, at most `SETTLE_S`."""
    until = time.monotonic() + SETTLE_S
    stage.slack.tell("calls")
    time.sleep(QUIET_S)
    while time.monotonic() < until and stage.slack.tell("calls").get("chat.update"):
        time.sleep(QUIET_S)

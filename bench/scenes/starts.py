"""Cold starts: from the start of the process until it is ready, and then its first command."""

from __future__ import annotations

from bench.contenders.table import Contender
from bench.scenes.stage import Stage, asking


def play(stage: Stage) -> None:
    stage.set_account(stage.plan.projects)
    stage.set_delay(0)
    for round in range(stage.plan.starts):
        for contender in stage.contenders:
            stage.say(f"  {contender.name}, start {round + 1}")
            _measure(stage, contender, round)


def _measure(stage: Stage, contender: Contender, round: int) -> None:
    process = stage.start(contender)
    try:
        port, ready_us = process.ready()
        stage.slack.tell("aim", port=port, name=contender.name)
        stage.slack.tell("say", texts=asking("status", [round]))
        first = stage.slack.tell("replies")
    finally:
        process.stop()
    stage.samples.write(
        "starts",
        {
            "contender": contender.kind,
            "transport": contender.transport,
            "round": round,
            "ready_us": ready_us,
            "ack_us": first["ack_us"][0],
            "reply_us": first["reply_us"][0],
        },
    )

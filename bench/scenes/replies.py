"""What people wait for: a command over HTTP, with Slack and CodeShip a round trip away and behind TLS.

Busy: each command follows the reply before. With pauses: a command every few seconds, as people ask.
"""

from __future__ import annotations

import time

from bench.scenes.stage import Stage


def play(stage: Stage) -> None:
    plan = stage.plan
    stage.set_account(plan.projects)
    with stage.running([one for one in stage.contenders if one.transport == "http"], stage.far) as running:
        for round in range(plan.busy_rounds):
            stage.say(f"  busy, {round + 1}")
            for contender, (_, port) in running.items():
                stage.aim(contender, port)
                report = stage.slack.tell("closed", clients=1, seconds=plan.busy_s, texts=stage.statuses())
                _write(stage, contender.kind, "busy", report["reply_us"])
        for number in range(plan.pauses):
            stage.say(f"  after a pause, {number + 1}")
            for contender, (_, port) in running.items():
                time.sleep(plan.pause_s / len(running))
                stage.aim(contender, port)
                _write(stage, contender.kind, "pauses", stage.ask([stage.statuses()[number]])["reply_us"])


def _write(stage: Stage, contender: str, pace: str, reply_us: list[int | None]) -> None:
    stage.samples.write("replies", {"contender": contender, "pace": pace, "reply_us": reply_us})

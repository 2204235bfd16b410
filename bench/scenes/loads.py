"""CPU, throughput and acknowledgements: the same commands for every bot in turn, with the services on loopback."""

from __future__ import annotations

from typing import Any

from bench.scenes.stage import Stage

RATE = 200


def play(stage: Stage) -> None:
    plan = stage.plan
    stage.set_account(plan.projects)
    texts = stage.statuses()
    loads: dict[str, dict[str, Any]] = {
        "1 client": {"order": "closed", "clients": 1, "seconds": plan.load_s},
        "16 clients": {"order": "closed", "clients": 16, "seconds": plan.load_s},
        f"{RATE} a second": {"order": "open", "rate": RATE, "seconds": plan.flood_s},
    }
    with stage.running(stage.contenders) as running:
        for name, load in loads.items():
            for round in range(plan.load_rounds):
                stage.say(f"  {name}, {round + 1}")
                for contender, (process, port) in running.items():
                    stage.aim(contender, port)
                    before = process.cpu_s()
                    report = stage.slack.tell(**load, texts=texts)
                    record = {
                        "contender": contender.kind,
                        "transport": contender.transport,
                        "load": name,
                        "round": round,
                        "cpu_us": round_us(process.cpu_s() - before),
                    }
                    stage.samples.write("loads", record | report)


def round_us(seconds: float) -> int:
    return round(seconds * 1e6)

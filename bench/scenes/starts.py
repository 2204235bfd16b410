"""Cold starts, each with a database that is there already: until the process is ready, and its first reply."""

from __future__ import annotations

from bench.scenes.stage import Stage, asking


def play(stage: Stage) -> None:
    stage.set_account(stage.plan.projects)
    for round in range(stage.plan.starts + 1):
        for contender in stage.contenders:
            process = contender.start(stage.folder / contender.name, stage.near)
            try:
                port, ready_us = process.ready()
                stage.aim(contender, port)
                first = stage.ask(asking("status", [round]))
            finally:
                process.stop()
            record = {"contender": contender.kind, "transport": contender.transport, "ready_us": ready_us}
            if round > 0:  # the first start made the database, and compiled the modules
                stage.samples.write("starts", record | {"reply_us": first["reply_us"][0]})

"""What a start consists of, and where the time of a reply goes."""

from __future__ import annotations

from bench.plan import Load
from bench.scenes.stage import Stage
from bench.scenes.within import begun, imports, inside, result_of


def play(stage: Stage) -> None:
    stage.set_account(stage.plan.projects)
    stage.set_delay(0)
    for round in range(stage.plan.starts):
        stage.say(f"  a start, taken apart, {round + 1}")
        taken = inside(stage, "begin") | {"packages_us": imports()}
        stage.samples.write("insides", {"what": "begin", "round": round, **taken})
    stage.samples.write("insides", {"what": "weigh", **inside(stage, "weigh")})
    stage.say("  an answer, taken apart")
    process = begun(stage, "anatomy")
    try:
        port, _ = process.ready()
        stage.slack.tell("aim", port=port, name="anatomy")
        stage.under(Load("closed", 1, 0.5))
        report = stage.under(Load("closed", 1, 2.5))
    finally:
        process.stop()
    asked = {"asked": len(report["reply_us"]), "took_us": report["took_us"]}
    stage.samples.write("insides", {"what": "anatomy", **asked, **result_of(process)})

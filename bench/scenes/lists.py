"""Large accounts: the bot reads their list for the first time, and looks up names."""

from __future__ import annotations

from bench.scenes.stage import Stage


def play(stage: Stage) -> None:
    for size in stage.plan.list_sizes:
        stage.say(f"  {size:,} projects")
        stage.set_account(size)
        stage.samples.write("lists", {"size": size, **stage.inside("list", f"{size}")})

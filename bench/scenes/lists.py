"""Loads an account's list for the first time, compared with `json.loads` of the same bytes, and looks up names."""

from __future__ import annotations

from bench.scenes.stage import Stage
from bench.scenes.within import inside


def play(stage: Stage) -> None:
    stage.set_delay(0)
    for size in stage.plan.list_sizes:
        stage.set_account(size)
        for round in range(stage.plan.list_rounds):
            stage.say(f"  {size:,} projects, {round + 1}")
            plain = inside(stage, "plain")
            database = stage.folder / f"list-{size}-{round}.sqlite3"
            ours = inside(stage, "list", DATABASE_URL=f"sqlite:///{database}")
            stage.samples.write("lists", {"size": size, "round": round, "plain": plain, "ours": ours})

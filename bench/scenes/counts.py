"""Counts how often the bot calls CodeShip and Slack for people's requests: exact, and the same on any machine.

A poll of a followed build, which a restart starts, fetches all branches and is counted separately.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from bench.contenders.table import Contender
from bench.scenes.stage import Stage, asking

HELD_S = 2.0
"""Seconds that CodeShip holds a hundred requests: long enough for all to arrive, below any timeout of the bot."""


@dataclass(frozen=True, slots=True)
class Count:
    """The calls of each service in one scene with `asked` requests, and the expected ones."""

    transport: str
    scene: str
    asked: int
    called: Mapping[str, int]
    wanted: Mapping[str, int]

    @property
    def is_right(self) -> bool:
        return self.called == self.wanted

    def __str__(self) -> str:
        words = ", ".join(f"{call} {number}" for call, number in self.called.items())
        verdict = "as it should be" if self.is_right else f"WRONG, wanted {dict(self.wanted)}"
        return f"{self.transport}: {self.asked} {self.scene}: {words}: {verdict}"


def play(stage: Stage) -> list[Count]:
    """Measures only the bot, over each transport."""
    counts = []
    for contender in (one for one in stage.contenders if one.kind == "bot"):
        counts += _of(stage, contender)
    for count in counts:
        stage.say(f"  {count}")
        record = {name: getattr(count, name) for name in ("transport", "scene", "asked", "called", "wanted")}
        stage.samples.write("counts", record)
    return counts


def _of(stage: Stage, contender: Contender) -> list[Count]:
    plan = stage.plan
    stage.set_account(plan.projects)
    stage.set_delay(0)
    stage.codeship.tell("calls")
    stage.slack.tell("calls")
    process = stage.start(contender)
    try:
        port, _ = process.ready()
        stage.slack.tell("aim", port=port, name=contender.name)
        _asked(stage, ["help"])
        _settled(stage)
        found = []
        for scene, texts, wanted in (
            ("statuses", asking("status", range(plan.statuses)), {"status": plan.statuses}),
            (
                "restarts",
                asking("restart", range(plan.restarts)),
                {"status": plan.restarts, "restart": plan.restarts},
            ),
        ):
            for text in texts:
                _asked(stage, [text])
            found.append(_count(stage, contender, scene, len(texts), wanted))
        stage.codeship.tell("hold")
        stage.slack.tell("say", texts=asking("status", [plan.projects - 1]) * plan.same)
        time.sleep(HELD_S)
        stage.codeship.tell("release")
        stage.slack.tell("replies")
        found.append(_count(stage, contender, "same statuses at once", plan.same, {"status": 1}))
    finally:
        process.stop()
    return found


def _asked(stage: Stage, texts: list[str]) -> None:
    stage.slack.tell("say", texts=texts)
    stage.slack.tell("replies")


def _settled(stage: Stage) -> None:
    """Waits until the project list was read, and resets the counts."""
    until = time.monotonic() + 10.0
    while time.monotonic() < until and not stage.codeship.tell("calls").get("list"):
        time.sleep(0.02)
    stage.slack.tell("calls")


def _count(stage: Stage, contender: Contender, scene: str, asked: int, of_codeship: Mapping[str, int]) -> Count:
    codeship, slack = stage.codeship.tell("calls"), stage.slack.tell("calls")
    called = {f"CodeShip {call}": number for call, number in sorted(codeship.items()) if call != "look"}
    called |= {f"Slack {method}": number for method, number in sorted(slack.items()) if method != "chat.update"}
    wanted = {f"CodeShip {call}": number for call, number in sorted(of_codeship.items())}
    return Count(contender.transport, scene, asked, called, wanted | {"Slack chat.postMessage": asked})

"""What a request costs in calls, round trips, handshakes, SQL statements, fsyncs and system calls: counted, not timed.

Of round trips and what comes after them, the least of several requests counts: the rest is background work, which
falls into some of them. CI fails if a count is over its limit.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.contenders.table import Contender
from bench.processes import NotReady, Process
from bench.scenes.stage import Stage, asking

HELD_S = 5.0
"""The longest that CodeShip holds a call. The bot waits a second longer before it tries again."""
TRIES = 3
AFTER_S = {"status": 0.1, "restart": 0.4}
"""Seconds after a reply in which what belongs to its request is done."""
PAUSE_S = 6.0
"""Longer than a connection to Slack is kept."""

LIMITS: Mapping[str, Mapping[str, int]] = {
    "a status": {
        "CodeShip calls": 1,
        "Slack calls": 1,
        "round trips": 2,
        "handshakes": 0,
        "statements": 3,
        "fsyncs": 0,
        "system calls": 130,
    },
    "a status after a pause": {"round trips": 4, "handshakes": 1},
    "a restart": {"CodeShip calls": 2, "Slack calls": 1, "statements": 30, "fsyncs": 4, "system calls": 650},
    "a hundred same statuses": {"CodeShip calls": 1, "Slack calls": 100},
}
"""What was counted. A restart sends 27 statements; three more are room for background work.

System calls depend on the libraries, so their limits are half as much again.
"""

_FSYNC = re.compile(r" (?:fsync|fdatasync)\(")


@dataclass(frozen=True, slots=True)
class Count:
    contender: str
    scene: str
    found: Mapping[str, float]

    @property
    def over(self) -> list[str]:
        """What is over its limit. Only the bot has limits."""
        limits = LIMITS[self.scene] if self.contender == "bot" else {}
        return [name for name, limit in limits.items() if self.found.get(name, 0) > limit]

    def __str__(self) -> str:
        words = ", ".join(f"{name} {number:g}" for name, number in self.found.items())
        limits = {name: LIMITS[self.scene][name] for name in self.over}
        return f"{self.contender}, {self.scene}: {words}" + (f": OVER {limits}" if limits else "")


def uncounted(counts: Iterable[Count]) -> list[str]:
    """The limits of the bot that no count is held to, in words."""
    found = {(count.scene, name) for count in counts if count.contender == "bot" for name in count.found}
    return [f"{scene}: {name}" for scene, limits in LIMITS.items() for name in limits if (scene, name) not in found]


def play(stage: Stage) -> list[Count]:
    stage.set_account(stage.plan.projects)
    over_http = [one for one in stage.contenders if one.transport == "http"]
    counts = _calls(stage, next(one for one in over_http if one.kind == "bot"))
    for contender in over_http:
        counts += _round_trips(stage, contender)
    counts += _inside(stage)
    for count in counts:
        stage.say(f"  {count}")
        stage.samples.write("counts", {"contender": count.contender, "scene": count.scene, "found": count.found})
    for words in uncounted(counts):
        stage.say(f"  NOT COUNTED, for want of strace: {words}")
    return counts


def _calls(stage: Stage, bot: Contender) -> list[Count]:
    plan, found = stage.plan, []
    with _ready(stage, bot) as process:
        for scene, verb, asked in (("a status", "status", plan.statuses), ("a restart", "restart", plan.restarts)):
            for text in asking(verb, range(asked)):
                stage.ask([text])
            found.append(Count(bot.kind, scene, {name: n / asked for name, n in _called(stage).items()}))
        for number in range(TRIES):
            if _together(stage, process, number):
                found.append(Count(bot.kind, "a hundred same statuses", _called(stage)))
                return found
            _called(stage)
    raise NotReady(f"{plan.same} commands did not reach the bot within {HELD_S:.0f} s")


def _together(stage: Stage, process: Process, number: int) -> bool:
    """Holds CodeShip's response until all commands wait for it. False if that took longer than `HELD_S`."""
    stage.codeship.tell("hold")
    began = time.monotonic()
    stage.slack.tell("say", texts=asking("status", [stage.plan.projects - 1 - number]) * stage.plan.same)
    while not (is_still := process.is_still()) and time.monotonic() < began + HELD_S:
        pass
    is_in_time = is_still and time.monotonic() < began + HELD_S
    stage.codeship.tell("release")
    stage.slack.tell("replies")
    return is_in_time


def _called(stage: Stage) -> dict[str, int]:
    """Calls since the last time, without those of live messages and their polls."""
    codeship, slack = stage.codeship.tell("calls"), stage.slack.tell("calls")
    return {
        "CodeShip calls": sum(number for call, number in codeship.items() if call != "look"),
        "Slack calls": sum(number for method, number in slack.items() if method != "chat.update"),
    }


def _round_trips(stage: Stage, contender: Contender) -> list[Count]:
    """With both services behind TLS: one status after the other, and after a pause."""

    def ways() -> dict[str, int]:
        counts = stage.network.tell("counts")
        return {
            "round trips": sum(count.get("round_trips", 0) for count in counts.values()),
            "handshakes": counts["Slack"].get("handshakes", 0),
        }

    def asked(pause_s: float) -> Iterator[dict[str, int]]:
        for text in asking("status", range(stage.plan.counted)):
            time.sleep(pause_s)
            ways()
            stage.ask([text])
            yield ways()

    with _ready(stage, contender, far=True):
        stage.ask(asking("status", [0]))
        busy = _least(asked(0.0))
        paused = _least(found for _, found in zip(range(1), asked(PAUSE_S), strict=False))
    return [Count(contender.kind, "a status", busy), Count(contender.kind, "a status after a pause", paused)]


def _inside(stage: Stage) -> list[Count]:
    """Statements, and with strace system calls, of the bot."""
    bot = Contender("bot", "http", (sys.executable, "-m", "bench.inside", "counting"))
    found = []
    with _ready(stage, bot) as process, _traced(process, stage.folder / "calls") as traced:
        for scene, verb in (("a status", "status"), ("a restart", "restart")):

            def asked(verb: str = verb) -> Iterator[dict[str, int]]:
                for text in asking(verb, range(100, 100 + stage.plan.counted)):
                    before = {"statements": _statements(process)} | traced()
                    stage.ask([text])
                    time.sleep(AFTER_S[verb])
                    after = {"statements": _statements(process)} | traced()
                    yield {name: after[name] - before[name] for name in after}

            found.append(Count(bot.kind, scene, _least(asked())))
    return found


def _statements(process: Process) -> int:
    known = process.text.count("statements=")
    process.signal(signal.SIGUSR1)
    until = time.monotonic() + 10.0
    while process.text.count("statements=") == known:
        if time.monotonic() > until:
            raise NotReady(f"the bot did not say how many statements it sent:\n{process.text}")
        time.sleep(0.01)
    return int(process.text.rpartition("statements=")[2].split()[0])


def tracer() -> str | None:
    """The path of strace; None if it is not installed, or if this machine lets no process be traced."""
    strace = shutil.which("strace")
    if strace is None:
        return None
    tried = subprocess.run([strace, "-o", os.devnull, sys.executable, "-c", ""], capture_output=True, check=False)
    return strace if tried.returncode == 0 else None


@contextmanager
def _traced(process: Process, file: Path) -> Iterator[Callable[[], dict[str, int]]]:
    """Counts system calls so far; nothing if `tracer` finds no strace. Raises NotReady if that cannot attach."""
    strace = tracer()
    if strace is None:
        yield dict
        return
    command = [strace, "-f", "-qq", "-o", str(file), "-p", str(process.pid)]
    tracing = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def counted() -> dict[str, int]:
        lines = [line for line in file.read_text(errors="replace").splitlines() if " resumed>" not in line]
        return {"fsyncs": sum(_FSYNC.search(line) is not None for line in lines), "system calls": len(lines)}

    try:
        until = time.monotonic() + 5.0
        while time.monotonic() < until and not (file.exists() and file.stat().st_size):
            time.sleep(0.05)
        if tracing.poll() is not None and tracing.stderr is not None:
            raise NotReady(f"strace has ended: {tracing.stderr.read()}")
        yield counted
    finally:
        tracing.terminate()
        tracing.wait()


def _least(found: Iterator[dict[str, int]]) -> dict[str, int]:
    """Of each count, the smallest."""
    all_of = list(found)
    return {name: min(one[name] for one in all_of) for name in all_of[0]}


@contextmanager
def _ready(stage: Stage, contender: Contender, *, far: bool = False) -> Iterator[Process]:
    """The process, after it has read the list of projects and answered once."""
    stage.codeship.tell("calls")
    folder = stage.folder / f"{contender.name}-{'far' if far else 'near'}-{len(contender.command)}"
    process = contender.start(folder, stage.far if far else stage.near)
    try:
        stage.aim(contender, process.ready()[0])
        until = time.monotonic() + 10.0
        while time.monotonic() < until and not stage.codeship.tell("calls").get("list"):
            time.sleep(0.02)
        stage.ask(asking("status", [stage.plan.projects - 1]))
        time.sleep(1.0)
        _called(stage)
        yield process
    finally:
        process.stop()

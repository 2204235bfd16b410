"""Runs `bench.inside` with the fakes, and reads its result."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

from bench.contenders.table import Contender
from bench.processes import NotReady, Process, bare_environment
from bench.scenes.stage import Stage

MAX_S = 120.0
_IMPORT = re.compile(r"^import time: +(\d+) \| +\d+ \| +([\w.]+)$", re.MULTILINE)


def inside(stage: Stage, what: str, transport: str = "http", **settings: str) -> dict[str, Any]:
    """Runs a measurement that ends by itself. Raises NotReady with its output if there is no result."""
    process = begun(stage, what, transport, **settings)
    process.wait(MAX_S)
    return result_of(process)


def begun(stage: Stage, what: str, transport: str = "http", **settings: str) -> Process:
    kind = "bot"
    contender = Contender(
        kind, "socket" if transport == "socket" else "http", (sys.executable, "-m", "bench.inside", what)
    )
    folder = stage.folder / f"inside-{what}"
    return contender.start(folder, stage.slack.port, stage.codeship.port, **settings)


def result_of(process: Process) -> dict[str, Any]:
    """The result from its last line. Raises NotReady if that is not one."""
    lines = process.text.strip().splitlines()
    try:
        found: dict[str, Any] = json.loads(lines[-1])
    except (IndexError, ValueError):
        raise NotReady(f"bench.inside said no result:\n{process.text}") from None
    return found


def imports() -> dict[str, int]:
    """Microseconds that importing the bot spends in each package, including the bot's own, the largest first."""
    command = [sys.executable, "-X", "importtime", "-c", "import bot.__main__, bot.app.bot"]
    done = subprocess.run(command, env=bare_environment(), capture_output=True, text=True, check=True)
    taken: dict[str, int] = {}
    for microseconds, module in _IMPORT.findall(done.stderr):
        package = module.partition(".")[0]
        name = "the standard library" if package.lstrip("_") in _STANDARD or package in _STANDARD else package
        taken[name] = taken.get(name, 0) + int(microseconds)
    return dict(sorted(taken.items(), key=lambda item: -item[1]))


_STANDARD = sys.stdlib_module_names

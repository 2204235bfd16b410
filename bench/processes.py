"""Starts, measures and stops the benchmark's processes. They are configured by their environment only."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

ROOT = Path(__file__).parent.parent
READY_TIMEOUT_S = 60.0
END_TIMEOUT_S = 15.0
STILL_S = 0.25

_READY = re.compile(r'"event": "ready".*?"port": (\d+|null)|^ready port=(\d+)$', re.MULTILINE)


class NotReady(Exception):
    """A process did not start. `str()` is its output."""


class Process:
    """One run of a program. `folder` is its working directory and holds its output, as with a service manager."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], folder: Path, name: str) -> None:
        self._log = folder / f"{name}.log"
        self.began_us = time.monotonic_ns() // 1000
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env={**bare_environment(), **environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._measured = psutil.Process(self._process.pid)

    def ready(self) -> tuple[int, int]:
        """The port that it listens on (0 if none), and microseconds from its start. Raises NotReady."""
        until = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < until and self._process.poll() is None:
            said = _READY.search(self.text)
            if said is not None:
                took = time.monotonic_ns() // 1000 - self.began_us
                port = said[1] or said[2]
                return 0 if port == "null" else int(port), took
            time.sleep(0.002)
        raise NotReady(f"{self._log.stem} did not begin to work:\n{self.text}")

    @property
    def text(self) -> str:
        """Its output so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def pid(self) -> int:
        return self._process.pid

    def memory(self) -> int:
        """Bytes of resident memory."""
        return int(self._measured.memory_info().rss)

    def cpu_s(self) -> float:
        """Seconds of CPU of its threads that still run, to the nanosecond of the scheduler."""
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int(_read(task / "schedstat").partition(" ")[0] or 0) for task in tasks) / 1e9

    def wake_ups(self) -> int:
        """How often its threads began to run again after waiting."""
        tasks = [_read(task / "status") for task in Path(f"/proc/{self.pid}/task").iterdir()]
        return sum(int(task.partition("\nvoluntary_ctxt_switches:")[2].split()[0]) for task in tasks if task)

    def is_still(self) -> bool:
        """Whether all its threads wait, and used next to no CPU for `STILL_S`."""
        before_s = self.cpu_s()
        time.sleep(STILL_S)
        runs = any(_state(task) == "R" for task in Path(f"/proc/{self.pid}/task").iterdir())
        return not runs and self.cpu_s() - before_s < STILL_S / 10

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, seconds: float) -> None:
        """Waits until it ends by itself. Raises NotReady if that takes longer than `seconds`."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.stop()
            raise NotReady(f"{self._log.stem} took more than {seconds:.0f} s:\n{self.text}") from None

    def stop(self) -> None:
        """Stops it like a service manager: by SIGTERM, and SIGKILL if it does not react."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(END_TIMEOUT_S)


class Fake:
    """A fake service as its own process (see `bench.fakes.told`). Use it in a `with` statement."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=bare_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.port: int = self._heard()["port"]

    def tell(self, order: str, **details: Any) -> Any:
        """Sends an order. Returns the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": order, **details}).encode() + b"\n")
        self._process.stdin.flush()
        return self._heard()

    def __enter__(self) -> Fake:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(END_TIMEOUT_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _heard(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise NotReady("a fake has ended: see its output above")
        return json.loads(line)


def _state(task: Path) -> str:
    """The letter for what the thread does."""
    return _read(task / "stat").rpartition(") ")[2][:1]


def _read(path: Path) -> str:
    """Empty if the thread has ended by now."""
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def bare_environment() -> dict[str, str]:
    """An environment without the caller's variables: no proxy, no setting of a bot."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"PYTHONPATH": str(ROOT)}

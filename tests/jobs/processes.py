"""Processes that work on one database and are killed. Run as a program, this module is such a process.

It reads orders from standard input and writes events to standard output. A `walk` is a job of two steps. It stops for
ever at the point that its payload names, in a process that may stop.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from bot.app.clock import SystemClock
from bot.core.ports import Step
from bot.jobs import DurableJobs, JobTimings, new_replica_id
from bot.store import open_store

QUICK = JobTimings(beat_s=0.2, dead_after_s=2.0, sweep_s=0.2, poll_s=0.05)
PATIENCE_S = 60.0
ROOT = Path(__file__).parent.parent.parent


class Replica:
    """A process, as a test sees it."""

    def __init__(self, url: str, done: Path, *, lines: queue.SimpleQueue[str] | None = None) -> None:
        """`lines`: the queue for its output, to read several processes together."""
        self.done = done
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.jobs.processes", url, str(done)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._lines: queue.SimpleQueue[str] = lines or queue.SimpleQueue()
        self._said: Counter[str] = Counter()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Replica:
        try:
            self.hear("launched")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream
            stream.close()

    def order(self, **order: Any) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order) + "\n")

    def start(self, key: str, *, stands_at: str = "", delay_s: float = 0.0) -> None:
        self.order(do="start", key=key, payload={"key": key, "stands_at": stands_at}, delay_s=delay_s)
        self.hear(f"started {key}")

    def hear(self, *lines: str) -> None:
        """Waits until it has said each of them."""
        while any(self._said[line] == 0 for line in lines):
            try:
                self._said[self._lines.get(timeout=PATIENCE_S)] += 1
            except queue.Empty:
                raise AssertionError(f"waited for {lines}, heard {dict(self._said)}") from None
        self._said.subtract(lines)

    def pause(self, url: str) -> None:
        """Pauses it while it does not lock a SQLite file: a process paused within a write locks out all others."""
        for _ in range(100):
            self._process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)
            if not url.startswith("sqlite") or _is_free(make_url(url).database or ""):
                return
            self.go_on()
        raise AssertionError("it always writes")

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """With SIGKILL: nothing is tidied up."""
        self._process.kill()
        self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)

    def stop(self) -> int:
        """Stops it in order, and returns its exit status."""
        self.order(do="stop")
        return self._process.wait(PATIENCE_S)

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._lines.put(line.strip())


def _is_free(file: str) -> bool:
    with closing(sqlite3.connect(file, timeout=0.1, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
    return True


def lines_of(done: Path) -> Counter[str]:
    """What was done, and how often: `key step`."""
    return Counter(done.read_text(encoding="utf-8").splitlines())


def main(url: str, done: str) -> None:
    file = os.open(done, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    says = threading.Lock()

    def say(line: str) -> None:
        with says:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

    def walk(payload: Mapping[str, Any], step: Step) -> None:
        key, stands_at = payload["key"], payload["stands_at"]

        def stand(point: str) -> None:
            if point == stands_at and not Path(done).with_suffix(f".{key}").exists():
                Path(done).with_suffix(f".{key}").touch()  # the process that takes over goes on
                say(f"{key} stands {point}")
                threading.Event().wait()

        def do(name: str) -> None:
            os.write(file, f"{key} {name}\n".encode())
            stand(f"in {name}")

        stand("before one")
        step("one", lambda: do("one"))
        stand("after one")
        step("two", lambda: do("two"))
        stand("after two")
        os.write(file, f"{key} ended\n".encode())
        say(f"{key} ended")

    store = open_store(url, SystemClock())
    jobs = DurableJobs(
        url,
        {"walk": walk},
        replicas=store.replicas,
        replica_id=new_replica_id(),
        clock=SystemClock(),
        on_error=lambda name, error: say(f"error {name} {error!r}"),
        timings=QUICK,
    )
    jobs.launch()
    say("launched")
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "stop":
            break
        jobs.start("walk", order["key"], order["payload"], delay_s=order["delay_s"])
        say(f"started {order['key']}")
    left = jobs.stop(5)
    store.close()
    os._exit(1 if left else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])

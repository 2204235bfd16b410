"""`python -m bench.trip`: prints the files of the bot that a typed `status` and a typed `restart` pass through.

The bot is the assembled one, with the playground's simulated services. A newcomer who follows a request reads these
files, so their number is limited: `tests/bench/test_trip.py` fails if it rises by more than `MAY_RISE_BY`.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from playground.clock import SandboxClock
from playground.sandbox import Sandbox

ROOT = Path(__file__).parent.parent
BOT = f"{ROOT / 'bot'}/"

COUNTED = {"status": 79, "restart": 88}
"""The number of files when this was last updated."""

MAY_RISE_BY = 3

BACKGROUND = ("job-recovery", "heartbeat", "rate-limit-renewal", "maintenance", "watch ", "late notifications")
"""Name prefixes of background threads."""


def trips() -> dict[str, list[str]]:
    """The files entered for each request, as paths below the project's root, sorted."""
    recorder = _Recorder()
    with recorder.installed(), Sandbox(SandboxClock()) as sandbox:
        slack = sandbox.workspace
        found = {}
        for verb in COUNTED:
            sandbox.settle()
            recorder.files.clear()
            recorder.is_on = True
            slack.types("ada", "builds", f"/codeship {verb} acme/web main")
            sandbox.settle()
            recorder.is_on = False
            found[verb] = sorted(recorder.files)
    return found


class _Recorder:
    """A profile function for every thread started while it is installed. Records files only while `is_on`."""

    def __init__(self) -> None:
        self.is_on = False
        self.files: set[str] = set()

    @contextmanager
    def installed(self) -> Iterator[None]:
        threading.setprofile(self._entered)
        try:
            yield
        finally:
            threading.setprofile(None)

    def _entered(self, frame: FrameType, event: str, _argument: Any) -> None:
        if not self.is_on or event != "call":
            return
        path = frame.f_code.co_filename
        if path.startswith(BOT) and not threading.current_thread().name.startswith(BACKGROUND):
            self.files.add(path.removeprefix(f"{ROOT}/"))


def main() -> int:
    """Returns the exit status: 1 if a trip has become longer than `MAY_RISE_BY` allows."""
    status = 0
    for verb, files in trips().items():
        print(f"{verb}: {len(files)} files (written down: {COUNTED[verb]})")
        print("".join(f"  {path}\n" for path in files))
        if len(files) > COUNTED[verb] + MAY_RISE_BY:
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())

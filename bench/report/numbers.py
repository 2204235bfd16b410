"""Turns raw samples into figures. NaN if there are no samples, or too few for what is asked."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.samples import read, read_run

FOR_P99 = 1_000
"""A 99th percentile of fewer samples is chance."""
QUIET = 0.05
"""No verdict by time if other processes used more of the machine than this."""


def quantile(values: Iterable[float | None], share: float) -> float:
    """The smallest value that at least this share does not exceed. What never came counts as infinite."""
    ordered = sorted(math.inf if value is None else value for value in values)
    if not ordered or (0.9 < share < 1.0 and len(ordered) < FOR_P99):
        return math.nan
    return ordered[max(0, min(len(ordered), -int(-share * len(ordered) // 1)) - 1)]


class Run:
    """The samples of one run."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError if there is no run."""
        self.about = read_run(folder)
        self._of = {
            kind: read(folder, kind)
            for kind in ("counts", "replies", "loads", "starts", "idle", "lists", "follows", "channels", "noise")
        }

    def records(self, kind: str, **wanted: Any) -> list[dict[str, Any]]:
        return [one for one in self._of[kind] if all(one[name] == value for name, value in wanted.items())]

    def noise(self) -> float:
        """The largest share of the machine that others used."""
        return max((float(one["share"]) for one in self._of["noise"]), default=math.nan)

    def reply_ms(self, contender: str, pace: str) -> float:
        found = self.records("replies", contender=contender, pace=pace)
        return quantile((value for one in found for value in one["reply_us"]), 0.5) / 1000

    def ack_ms(self, contender: str, transport: str, load: str, share: float) -> float:
        found = self.records("loads", contender=contender, transport=transport, load=load)
        return quantile((value for one in found for value in one["ack_us"]), share) / 1000

    def cpu_ms(self, contender: str, transport: str) -> float:
        """CPU of one status, with one client."""
        found = self.records("loads", contender=contender, transport=transport, load="1 client")
        return _over(sum(one["cpu_us"] for one in found), sum(len(one["reply_us"]) for one in found)) / 1000

    def a_second(self, contender: str, transport: str) -> float:
        """Commands answered a second, with sixteen clients."""
        found = self.records("loads", contender=contender, transport=transport, load="16 clients")
        answered = sum(value is not None for one in found for value in one["reply_us"])
        return _over(answered, sum(one["took_us"] for one in found)) * 1e6

    def median(self, kind: str, name: str, by: float = 1.0, **wanted: Any) -> float:
        return quantile((one[name] for one in self.records(kind, **wanted)), 0.5) / by

    def a_second_idle(self, name: str, **wanted: Any) -> float:
        return quantile((one[name] / one["seconds"] for one in self.records("idle", **wanted)), 0.5)


def _over(part: float, whole: float) -> float:
    return part / whole if whole else math.nan

"""Turns raw samples into the numbers of tables, plots and goals. Input in microseconds, output in milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.samples import read, read_run

TOO_LATE_US = 3_000_000
"""Slack no longer accepts an acknowledgement after this."""

LABELS = {
    "bot": "this bot",
    "floor": "bare Bolt for Python",
    "raw": "bare sockets",
    "bolt-js": "Bolt for JavaScript",
    "slack-machine": "slack-machine",
}
TRANSPORTS = {"http": "HTTP", "socket": "Socket Mode"}


def quantile(values: Iterable[float | None], share: float) -> float:
    """The smallest value that at least this share does not exceed. What never came counts as infinite. NaN for no
    values.
    """
    ordered = sorted(float("inf") if value is None else value for value in values)
    if not ordered:
        return float("nan")
    return ordered[max(0, min(len(ordered), -int(-share * len(ordered) // 1)) - 1)]


def median(values: Iterable[float | None]) -> float:
    return quantile(values, 0.5)


@dataclass(frozen=True, slots=True)
class Cell:
    """One contender under one load, over all rounds; `by_round` returns each round separately."""

    records: tuple[dict[str, Any], ...]

    @property
    def by_round(self) -> list[Cell]:
        return [Cell((record,)) for record in self.records]

    @property
    def commands(self) -> int:
        return sum(len(record["reply_us"]) for record in self.records)

    def ack_ms(self, share: float) -> float:
        return quantile(self._all("ack_us"), share) / 1000

    def reply_ms(self, share: float) -> float:
        return quantile(self._all("reply_us"), share) / 1000

    @property
    def late_acks(self) -> float:
        """The share of acknowledgements that came after three seconds, or never."""
        acks = self._all("ack_us")
        return sum(ack is None or ack > TOO_LATE_US for ack in acks) / len(acks) if acks else float("nan")

    @property
    def unanswered(self) -> int:
        return sum(reply is None for reply in self._all("reply_us"))

    @property
    def a_second(self) -> float:
        """Answered commands per second, from the first command to the last reply."""
        took_us = sum(record["took_us"] for record in self.records)
        return (self.commands - self.unanswered) / took_us * 1e6 if took_us else float("nan")

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds per command."""
        return sum(record["cpu_s"] for record in self.records) / self.commands * 1000 if self.commands else float("nan")

    @property
    def fakes_busy(self) -> float:
        """How busy the fakes were, which have one thread each: the larger share of the time."""
        took_s = sum(record["took_us"] for record in self.records) / 1e6
        at_work: list[float] = [
            sum(record[f"{fake}_cpu_s"] for record in self.records) for fake in ("slack", "codeship")
        ]
        return float(max(at_work) / took_s)

    def _all(self, name: str) -> list[int | None]:
        return [value for record in self.records for value in record[name]]


class Run:
    """The samples of one run."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError if there is no run."""
        self.about = read_run(folder)
        self.starts = read(folder, "starts")
        self.idle = read(folder, "idle")
        self.counts = read(folder, "counts")
        self.lists = read(folder, "lists")
        self.follows = read(folder, "follows")
        self.channels = read(folder, "channels")
        self.insides = read(folder, "insides")
        self._loads = read(folder, "loads")

    @property
    def delays_ms(self) -> list[int]:
        return sorted({record["delay_ms"] for record in self._loads})

    @property
    def loads(self) -> list[str]:
        """In the order in which they were measured."""
        return list(dict.fromkeys(record["load"] for record in self._loads))

    def contenders(self, transport: str) -> list[str]:
        """The measured contenders, in display order."""
        there = {record["contender"] for record in self._loads if record["transport"] == transport}
        return [contender for contender in LABELS if contender in there]

    def cell(self, contender: str, transport: str, delay_ms: int, *loads: str) -> Cell | None:
        """One load, or several together; None if nothing was measured."""
        wanted = (contender, transport, delay_ms)
        found = tuple(
            record
            for record in self._loads
            if (record["contender"], record["transport"], record["delay_ms"]) == wanted and record["load"] in loads
        )
        return Cell(found) if found else None

    def of_starts(self, contender: str, transport: str, name: str, *, warm_only: bool = False) -> Sequence[float]:
        """`warm_only` leaves out the first start, which creates the bot's database and every program's compiled
        modules.
        """
        return [
            record[name]
            for record in self.starts
            if (record["contender"], record["transport"]) == (contender, transport)
            and not (warm_only and record["round"] == 0)
        ]

    def of_idle(self, contender: str, transport: str) -> dict[str, Any] | None:
        for record in self.idle:
            if (record["contender"], record["transport"]) == (contender, transport):
                return record
        return None

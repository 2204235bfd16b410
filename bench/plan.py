"""What a run measures, and for how long: the full form, or the short one for CI."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Load:
    """`number` of clients in a closed loop (each sends the next command after a reply), or of commands a second."""

    kind: Literal["closed", "open"]
    number: int
    seconds: float
    tells_most: bool = False

    @property
    def name(self) -> str:
        return f"{self.kind} {self.number}"


@dataclass(frozen=True, slots=True)
class Plan:
    """`rounds` is how often everything is measured, in turn. Delays apply to both Slack and CodeShip."""

    projects: int = 500
    delays_ms: tuple[int, ...] = (0, 80)
    loads: tuple[Load, ...] = (
        Load("closed", 1, 0.8, tells_most=True),
        Load("closed", 16, 0.8, tells_most=True),
        Load("open", 20, 1.2),
        Load("open", 50, 2.0),
        Load("open", 200, 0.8, tells_most=True),
        Load("open", 400, 0.8),
    )
    rounds: int = 2
    warm_up_s: float = 0.6
    starts: int = 3
    idle_s: float = 8.0
    list_sizes: tuple[int, ...] = (100, 1_000, 10_000)
    list_rounds: int = 3
    follow_sizes: tuple[int, ...] = (100, 300, 1_000)
    follow_settle_s: float = 4.0
    follow_watch_s: float = 6.0
    scarce_watch_s: float = 58.0
    subscriptions: int = 1_000
    subscribed_projects: int = 300
    polled_ends: int = 30
    hinted_ends: int = 8
    statuses: int = 50
    restarts: int = 20
    same: int = 100
    scenes: tuple[str, ...] = field(
        default=("counts", "follows", "starts", "loads", "insides", "lists", "channels", "scarce")
    )


def short() -> Plan:
    """Only exact counts: nothing is judged by time."""
    return Plan(scenes=("counts",))

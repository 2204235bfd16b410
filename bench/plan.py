"""What a run measures, and for how long: the whole, a trial of everything in small, or only what CI holds."""

from __future__ import annotations

from dataclasses import dataclass

SCENES = ("counts", "replies", "loads", "starts", "idle", "lists", "follows", "channels")


@dataclass(frozen=True, slots=True)
class Plan:
    """Rounds are interleaved: every contender has its first before any has its second."""

    projects: int = 500
    rtt_ms: int = 30
    busy_rounds: int = 6
    busy_s: float = 2.5
    pauses: int = 12
    pause_s: float = 6.0
    load_rounds: int = 3
    load_s: float = 1.2
    flood_s: float = 1.7
    """How long each of `load_rounds` sends 200 commands a second."""
    starts: int = 2
    idle_s: float = 20.0
    list_sizes: tuple[int, ...] = (300, 10_000, 50_000)
    follows: int = 1_000
    follow_s: float = 30.0
    subscriptions: int = 1_000
    subscribed_projects: int = 300
    polled_ends: int = 20
    hinted_ends: int = 6
    statuses: int = 50
    restarts: int = 20
    same: int = 100
    counted: int = 10
    scenes: tuple[str, ...] = SCENES


def small() -> Plan:
    return Plan(
        busy_rounds=1,
        busy_s=1.0,
        pauses=2,
        pause_s=3.0,
        load_rounds=1,
        load_s=0.5,
        flood_s=0.5,
        starts=1,
        idle_s=3.0,
        list_sizes=(300, 10_000),
        follows=50,
        follow_s=3.0,
        subscriptions=100,
        subscribed_projects=30,
        polled_ends=3,
        hinted_ends=2,
    )


def short() -> Plan:
    """Only exact counts: nothing is judged by time."""
    return Plan(scenes=("counts",))

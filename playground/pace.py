"""How fast simulated builds move on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BuildPace:
    """How long builds take when they move by themselves, in seconds."""

    waits_s: float = 5
    runs_s: float = 60

"""How fast simulated builds progress."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BuildPace:
    """How long each phase of an automatic build takes, in seconds."""

    waits_s: float = 5
    runs_s: float = 60
